"""The matrices of document 000, typed: S_k, T_j^i and the columns and rows they act on.

SymPy's own ``Product`` multiplies ascending and turns a downward range into an inverse,
and its ``MatMul`` accepts symbolically different dimensions. So T is a class of its own,
and :func:`check_shapes` types every product.
"""

from __future__ import annotations

import itertools
from typing import Any

import sympy
from sympy import Eq, Expr, Identity, MatAdd, MatMul, MatrixExpr, Transpose
from sympy.concrete.summations import Sum

from symbp.algebra.nodes import (
    Activate,
    ActivateDerivative,
    Inputs,
    L,
    Node,
    Partial,
    Width,
    cost,
    delta,
    index,
    layer_input,
    output,
    output_activation,
    pre_activation,
    weight,
)
from symbp.errors import DerivationError


class LayerMatrix(MatrixExpr):
    """Base: a matrix that knows its entries as nodes."""

    is_commutative = False

    def __new__(cls, *args: Any) -> Any:
        return MatrixExpr.__new__(cls, *(sympy.sympify(a) for a in args))


class StepMatrix(LayerMatrix):
    """S_k (eq. 2.12): N_{k+1} x N_k, from the weighted sums of layer k to those of layer k + 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0] + 1), Width(self.args[0])

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Node("S", self.args[0], (row, column))


class StepProduct(LayerMatrix):
    """S_i S_{i-1} ... S_j written out with an ellipsis (eq. 2.14), for i >= j."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0] + 1), Width(self.args[1])


class ChainMatrix(LayerMatrix):
    """T_j^i = S_i ... S_j (eq. 2.16): N_{i+1} x N_j; T_j^{j-1} is the identity of order N_j.

    An upper index below j - 1 has no type and is an error.
    """

    def __new__(cls, upper: Any, lower: Any) -> Any:
        gap = sympy.expand(sympy.sympify(upper) - sympy.sympify(lower))
        if gap.is_Integer and gap < -1:
            raise DerivationError(f"T with upper index {upper} and lower index {lower} has no shape")
        return super().__new__(cls, upper, lower)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0] + 1), Width(self.args[1])

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Node("T", self.args[1], (row, column))

    def evaluate(self) -> MatrixExpr:
        """Return the identity where upper = lower - 1, S where upper = lower, else T itself."""
        upper, lower = self.args
        if sympy.expand(upper - lower) == -1:
            return Identity(Width(lower))
        return StepMatrix(lower) if sympy.expand(upper - lower) == 0 else self

    def peel_right(self) -> MatrixExpr:
        """Return T_{j+1}^i S_j, which is T_j^i for j <= i."""
        upper, lower = self.args
        return MatMul(ChainMatrix(upper, lower + 1).evaluate(), StepMatrix(lower)).doit(deep=False)


class PreActivationColumn(LayerMatrix):
    """The column matrix of d c^l / d w, for one weight w: N_l x 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), sympy.S.One

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Partial(pre_activation(self.args[0], row), self.args[1])


class OutputRow(LayerMatrix):
    """The row matrix of d sigma_q / d c^{L+1} (eq. 2.5): 1 x N_{L+1}."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return sympy.S.One, Width(L + 1)

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Partial(output_activation(self.args[0]), pre_activation(L + 1, column))


class UnitColumn(LayerMatrix):
    """The column of Kronecker deltas of eq. 2.10: 1 in row i, N_k x 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), sympy.S.One

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return sympy.KroneckerDelta(row, self.args[1])


class DeltaColumn(LayerMatrix):
    """The column of the sensitivities delta^k: N_k x 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), sympy.S.One

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return delta(self.args[0], row, *self.args[1:])


class WeightMatrix(LayerMatrix):
    """W_k: N_k x M_k, the weights of a layer, its biases the last column."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), Inputs(self.args[0])

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return weight(self.args[0], row, column)


class RegularWeights(LayerMatrix):
    """W_k without the column of biases: N_k x N_{k-1}."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), Width(self.args[0] - 1)

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return weight(self.args[0], row, column)


class BiasColumn(LayerMatrix):
    """The column of biases of W_k: N_k x 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), sympy.S.One

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return weight(self.args[0], row, Width(self.args[0] - 1) + 1)


class GradientMatrix(LayerMatrix):
    """dJ/dW, entry by entry: ``GradientMatrix(W)`` has the shape of the weights W.

    A second argument is another cost than J.
    """

    @property
    def cost(self) -> Any:
        return self.args[1] if len(self.args) > 1 else cost()

    @property
    def shape(self) -> tuple[Expr, Expr]:
        rows, columns = self.args[0].shape
        return rows, columns

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Partial(self.cost, self.args[0]._entry(row, column))


class Updated(LayerMatrix):
    """The weights of a layer after the update (eq. 2.2), laid out as ``Updated(W)`` says."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        rows, columns = self.args[0].shape
        return rows, columns

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        before = self.args[0]._entry(row, column)
        return Node("w_new", before.layer, before.indices)


class NeuronColumn(LayerMatrix):
    """Base: one number per neuron of a layer, for a general x or for the sample given."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Width(self.args[0]), sympy.S.One


class InputColumn(LayerMatrix):
    """a_k: the inputs of layer k, M_k x 1, the last one 1 where the layer has a bias."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return Inputs(self.args[0]), sympy.S.One

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return layer_input(self.args[0], row, *self.args[1:])


class WeightedSums(NeuronColumn):
    """c_k: the weighted sums of layer k."""

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return pre_activation(self.args[0], row, *self.args[1:])


class OutputColumn(NeuronColumn):
    """o_k: the outputs of layer k, for k = 0 the inputs of the network."""

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return output(self.args[0], row, *self.args[1:])


class Activated(NeuronColumn):
    """g^k(c_k), neuron by neuron."""

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Activate(self.args[0], pre_activation(self.args[0], row, *self.args[1:]))


class Slopes(NeuronColumn):
    """The derivatives of g^k at c_k, neuron by neuron."""

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return ActivateDerivative(self.args[0], pre_activation(self.args[0], row, *self.args[1:]))


class Hadamard(LayerMatrix):
    """The product of two matrices entry by entry, in the order given."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        rows, columns = self.args[0].shape
        return rows, columns

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return entries(self.args[0], row, column) * entries(self.args[1], row, column)


class MatrixSum(LayerMatrix):
    """A sum of matrices over an index: ``MatrixSum(M(p), (p, 1, m))``."""

    def __new__(cls, function: Any, limits: Any) -> Any:
        return super().__new__(cls, function, sympy.Tuple(*limits))

    @property
    def function(self) -> Any:
        return self.args[0]

    @property
    def limits(self) -> tuple[Any, ...]:
        return (self.args[1],)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        rows, columns = self.args[0].shape
        return rows, columns

    @property
    def free_symbols(self) -> set[Any]:
        symbol, low, high = self.args[1]
        free: set[Any] = (self.function.free_symbols - {symbol}) | low.free_symbols | high.free_symbols
        return free

    def _entry(self, row: Any, column: Any, **_: Any) -> Expr:
        return Sum(entries(self.function, row, column), tuple(self.args[1]))


def is_matrix(expr: Any) -> bool:
    return getattr(expr, "is_Matrix", False) is True


def transposed(expr: Any) -> Any:
    """Return the transpose with the transposition carried to the single matrices."""
    if isinstance(expr, Transpose):
        return expr.arg
    if isinstance(expr, MatMul):
        scalars = [a for a in expr.args if not is_matrix(a)]
        matrices = [transposed(a) for a in reversed(expr.args) if is_matrix(a)]
        return MatMul(*scalars, *matrices)
    if isinstance(expr, MatAdd):
        return MatAdd(*map(transposed, expr.args))
    if isinstance(expr, Hadamard):
        return Hadamard(*map(transposed, expr.args))
    if isinstance(expr, MatrixSum):
        return MatrixSum(transposed(expr.function), expr.limits[0])
    return Transpose(expr)


def same_size(a: Any, b: Any) -> bool:
    """Whether two symbolic dimensions are the same expression."""
    return sympy.expand(a - b) == 0 or (
        isinstance(a, Width) and isinstance(b, Width) and sympy.expand(a.args[0] - b.args[0]) == 0
    )


def check_shapes(expr: Any) -> str | None:
    """Return None if every product, sum and equation in `expr` is typed, else what is not."""
    if isinstance(expr, Eq):
        left, right = expr.args
        problem = check_shapes(left) or check_shapes(right)
        if problem:
            return problem
        if is_matrix(left) != is_matrix(right):
            matrix = left if is_matrix(left) else right
            return None if tuple(matrix.shape) == (1, 1) else f"{matrix} equals a scalar"
        if is_matrix(left) and not all(map(same_size, left.shape, right.shape)):
            return f"shape {left.shape} = shape {right.shape}"
        return None
    if isinstance(expr, MatMul):
        matrices = [a for a in expr.args if is_matrix(a)]
        for a, b in itertools.pairwise(matrices):
            if not same_size(a.shape[1], b.shape[0]):
                return f"product of {a} ({a.shape[0]} x {a.shape[1]}) and {b} ({b.shape[0]} x {b.shape[1]})"
    if isinstance(expr, MatAdd):
        first = expr.args[0]
        for other in expr.args[1:]:
            if not all(map(same_size, first.shape, other.shape)):
                return f"sum of shapes {first.shape} and {other.shape}"
    if isinstance(expr, Hadamard):
        a, b = expr.args
        if not (is_matrix(a) and is_matrix(b)) or not all(map(same_size, a.shape, b.shape)):
            return f"entry-by-entry product of {a} and {b}, whose shapes differ"
    for argument in getattr(expr, "args", ()):
        problem = check_shapes(argument)
        if problem:
            return problem
    return None


def entries(product: Any, row: Any, column: Any) -> Expr:
    """Write one entry of a product of layer matrices as sums over named indices.

    Sums that meet a column of Kronecker deltas collapse.
    """
    if isinstance(product, MatMul):
        scalars = [a for a in product.args if not is_matrix(a)]
        matrices = [a for a in product.args if is_matrix(a)]
        if not matrices:
            return sympy.Mul(*scalars)
        head, rest = matrices[0], matrices[1:]
        if not rest:
            return sympy.Mul(*scalars) * entries(head, row, column)
        if head.shape[1] == 1:  # an outer product has nothing to sum over
            return sympy.Mul(*scalars) * entries(head, row, 0) * entries(MatMul(*rest), 0, column)
        inner = index(_fresh(row, column, product))
        value = entries(head, row, inner) * entries(
            MatMul(*rest) if len(rest) > 1 else rest[0], inner, column
        )
        return sympy.Mul(*scalars) * Sum(value, (inner, 1, head.shape[1]))
    if isinstance(product, Transpose):
        return entries(product.arg, column, row)
    if isinstance(product, Identity):
        return sympy.KroneckerDelta(row, column)
    return product._entry(row, column)


def _fresh(row: Any, column: Any, product: Any) -> str:
    used = {str(x) for e in (row, column, product) for x in getattr(sympy.sympify(e), "free_symbols", ())}
    return next(name for name in "rstuvabcdefg" if name not in used)

"""The quantities of a layered network as SymPy expressions.

A :class:`Node` is one scalar quantity: a kind, a layer, indices and, where the
quantity belongs to one sample of a batch, the sample's number. All of it stands in
``args``, so equality, hashing, ``subs`` and ``xreplace`` see it.

What a node depends on is decided by a *table over layers* (:func:`derivative_of_node`),
which is what lets SymPy's plain ``diff`` produce the document's equations at symbolic
sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Function, KroneckerDelta, Symbol, Tuple
from sympy.core.symbol import Str

from symbp.algebra.constant import Constant as Constant
from symbp.algebra.constant import Quantity
from symbp.algebra.constant import with_numbers as with_numbers
from symbp.algebra.named import Softplus as Softplus

# Sizes and indices -------------------------------------------------------------------


def index(name: str) -> Symbol:
    """Return an index symbol: a positive integer."""
    return Symbol(name, integer=True, positive=True)


L = Symbol("L", integer=True, nonnegative=True)
m = Symbol("m", integer=True, positive=True)
eta = Symbol("eta", real=True)
i, j, k, l, p, q, r, s, t, u = map(index, "ijklpqrstu")
d = index("d")


class Width(Function):
    """N_k, the number of regular neurons of layer k (of inputs for k = 0)."""

    nargs = 1
    is_integer = True
    is_positive = True


class HasBias(Function):
    """beta_k: 1 if layer k has a bias neuron among its inputs, else 0 (document 003)."""

    nargs = 1
    is_integer = True
    is_nonnegative = True


class Inputs(Function):
    """M_k, the number of inputs of a neuron of layer k, the bias neuron included (eq. 1.7)."""

    nargs = 1
    is_integer = True
    is_positive = True


# Nodes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What the nodes of one kind have in common.

    Attributes
    ----------
    extents : callable
        Layer -> the extent of each index (indices run from 1).
    sampled : bool
        Whether the quantity belongs to one sample.
    stage : int or None
        Where the quantity stands within its layer on the way forward; None for
        quantities that do not lie on that way.
    meaning : str
        One phrase for tables of notation.
    """

    extents: Callable[[Any], tuple[Any, ...]]
    sampled: bool
    stage: int | None
    meaning: str


KINDS: dict[str, Kind] = {
    "w": Kind(lambda n: (Width(n), Inputs(n)), False, None, "weight from input j to neuron i of layer k"),
    "a": Kind(
        lambda n: (Inputs(n),), True, 0, "j-th input of layer k; the last one is 1 where there is a bias"
    ),
    "c": Kind(lambda n: (Width(n),), True, 1, "weighted sum (pre-activation) of neuron i of layer k"),
    "o": Kind(lambda n: (Width(n),), True, 2, "output of neuron i of hidden layer k; o^0 = x"),
    "sigma": Kind(lambda n: (Width(n),), True, 2, "activation function of output neuron q"),
    "h": Kind(lambda n: (Width(n),), True, 3, "model output (prediction)"),
    "J": Kind(lambda n: (), False, 4, "cost, averaged over the m samples"),
    "y": Kind(lambda n: (Width(n),), True, None, "target"),
    "v": Kind(lambda n: (), True, None, "weight of the sample in the cost"),
    "S": Kind(lambda n: (Width(n + 1), Width(n)), True, None, "matrix of the layer step (eq. 2.12)"),
    "T": Kind(
        lambda n: (Width(L + 1), Width(n)),
        True,
        None,
        "product S_L ... S_k of all steps up to the output layer",
    ),
    "delta": Kind(lambda n: (Width(n),), True, None, "sensitivity dJ/dc of neuron i of layer k"),
    "Js": Kind(lambda n: (), True, 4, "cost of one sample"),
    "Jb": Kind(lambda n: (), False, 4, "cost of a mini-batch, averaged over its samples"),
    "Delta": Kind(
        lambda n: (Width(n), Inputs(n)),
        True,
        None,
        "sum of the derivatives over samples 1, ..., p",
    ),
    "w_new": Kind(lambda n: (Width(n), Inputs(n)), False, None, "weight after the update"),
    "R": Kind(lambda n: (), False, None, "penalty of the regular weights of layer k"),
    "Jr": Kind(lambda n: (), False, 5, "cost with the penalty"),
    # Auxiliary quantities of the stable forms.
    "mu": Kind(lambda n: (), True, None, "largest weighted sum of the output layer"),
    "e": Kind(lambda n: (Width(n),), True, None, "shifted exponential of the output layer"),
    "rest": Kind(lambda n: (), True, None, "sum of the shifted exponentials without a largest one"),
    "lse": Kind(lambda n: (), True, None, "log of the sum of the shifted exponentials"),
}

# Every node carries this marker among its free symbols: SymPy's Derivative returns 0
# without asking when the free symbols of function and variable are disjoint.
_NETWORK = Symbol("network")


class Node(Quantity):
    """One scalar quantity of a network, for example ``Node("w", k, (i, j))``.

    Parameters
    ----------
    kind : str
        A key of :data:`KINDS`.
    layer : Expr
        The layer; output quantities (sigma, h, y, J) stand in layer L + 1.
    indices : tuple of Expr
    sample : Expr, optional
        The sample's number; left out where "a general x" is meant.
    """

    _diff_wrt = True

    def __new__(cls, kind: Any, layer: Any, indices: Any = (), sample: Any = None) -> Node:
        name = str(kind)
        # SymPy rebuilds nodes from their args, where the sample is a tuple of one or none.
        given = () if sample is None else (sample,)
        samples = sample if isinstance(sample, Tuple) else Tuple(*given)
        node: Node = Expr.__new__(cls, Str(name), sympy.sympify(layer), Tuple(*indices), samples)
        if len(node.indices) != len(KINDS[name].extents(node.layer)):
            raise ValueError(
                f"{name} takes {len(KINDS[name].extents(node.layer))} indices, got {node.indices}"
            )
        return node

    @property
    def kind(self) -> str:
        return str(self.args[0].name)

    @property
    def indices(self) -> tuple[Expr, ...]:
        return tuple(self.args[2])

    @property
    def sample(self) -> Expr | None:
        return self.args[3][0] if self.args[3] else None

    @property
    def extents(self) -> tuple[Expr, ...]:
        return KINDS[self.kind].extents(self.layer)

    @property
    def free_symbols(self) -> set[Any]:
        inner = set().union(*(a.free_symbols for a in self.args[1:]))
        return inner | {self, _NETWORK}

    def but(self, kind: str = "", layer: Any = None, indices: Any = None, sample: Any = None) -> Node:
        """Return the node with another kind, layer, indices or sample; what is not given stays."""
        return Node(
            kind or self.kind,
            self.layer if layer is None else layer,
            self.indices if indices is None else indices,
            self.sample if sample is None else sample,
        )

    def at_sample(self, sample: Expr) -> Node:
        """Return the node of that sample, or the node itself if it has none."""
        return self.but(sample=sample) if KINDS[self.kind].sampled else self

    def _eval_derivative(self, wrt: Any) -> Any:
        return derivative_of_node(self, wrt) if isinstance(wrt, Node) else sympy.S.Zero

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join(printer._print(a) for a in (self.layer, *self.indices, *self.args[3]))
        return f"{self.kind}[{inner}]"


class Partial(Expr):
    """The partial derivative of one node with respect to another, left as it stands."""

    is_commutative = True
    is_real = True

    def __new__(cls, of: Any, wrt: Any) -> Partial:
        partial: Partial = Expr.__new__(cls, of, wrt)
        return partial

    @property
    def of(self) -> Node:
        node: Node = self.args[0]
        return node

    @property
    def wrt(self) -> Node:
        node: Node = self.args[1]
        return node

    def _eval_derivative(self, wrt: Any) -> Any:
        raise NotImplementedError("second derivatives are not part of backpropagation")

    def _sympystr(self, printer: Any) -> str:
        return f"D({printer._print(self.of)}, {printer._print(self.wrt)})"


def derivative_of_node(of: Node, wrt: Node) -> Expr:
    """Differentiate one node with respect to another by the layers they stand in.

    Two nodes of the same kind are independent variables, so the derivative is a product
    of Kronecker deltas. A quantity of layer l depends on the weights of layer k only if
    layer k comes before it (000, the remark after eq. 2.7), and on a quantity of the
    forward pass only if that stands before it. What the layers leave open stays a
    :class:`Partial`.
    """
    distance = sympy.expand(of.layer - wrt.layer)
    if of.kind == wrt.kind:
        if distance.is_zero:
            pairs = list(zip(of.indices, wrt.indices, strict=True))
            if of.sample is not None and wrt.sample is not None:
                pairs.append((of.sample, wrt.sample))
            return sympy.Mul(*(KroneckerDelta(a, b) for a, b in pairs))
        if of.kind == "w" and distance.is_nonzero:
            return sympy.S.Zero
        if distance.is_negative:
            return sympy.S.Zero
        return Partial(of, wrt)
    stage = KINDS[of.kind].stage
    if stage is None:
        return sympy.S.Zero
    # The weights of a layer enter between its inputs (stage 0) and its weighted sums (stage 1).
    wrt_stage = 0.5 if wrt.kind == "w" else KINDS[wrt.kind].stage
    if wrt_stage is None:
        return sympy.S.Zero
    if distance.is_negative or (distance.is_zero and stage <= wrt_stage):
        return sympy.S.Zero
    return Partial(of, wrt)


# Activation functions as functions -----------------------------------------------------


class Activate(Function):
    """g^k(c): the activation function of hidden layer k, unspecified."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return ActivateDerivative(*self.args)


class ActivateDerivative(Function):
    """dg^k/dc at c."""

    nargs = 2
    is_real = True


class MaxOver(Expr):
    """max over an index: ``MaxOver(f(s), (s, 1, n))``."""

    is_commutative = True
    is_real = True

    def __new__(cls, function: Any, limits: Any) -> MaxOver:
        over: MaxOver = Expr.__new__(cls, function, Tuple(*limits))
        return over

    @property
    def function(self) -> Expr:
        return self.args[0]

    @property
    def limits(self) -> tuple[Tuple, ...]:
        return (self.args[1],)

    @property
    def free_symbols(self) -> set[Any]:
        symbol, low, high = self.args[1]
        free: set[Any] = (self.function.free_symbols - {symbol}) | low.free_symbols | high.free_symbols
        return free


# Shorthands ----------------------------------------------------------------------------


def weight(layer: Any, row: Any, column: Any) -> Node:
    return Node("w", layer, (row, column))


def layer_input(layer: Any, position: Any, sample: Any = None) -> Node:
    return Node("a", layer, (position,), sample)


def pre_activation(layer: Any, neuron: Any, sample: Any = None) -> Node:
    return Node("c", layer, (neuron,), sample)


def output(layer: Any, neuron: Any, sample: Any = None) -> Node:
    return Node("o", layer, (neuron,), sample)


def delta(layer: Any, neuron: Any, sample: Any = None) -> Node:
    return Node("delta", layer, (neuron,), sample)


def prediction(neuron: Any, sample: Any = None, layer: Any = L + 1) -> Node:
    return Node("h", layer, (neuron,), sample)


def output_activation(neuron: Any, layer: Any = L + 1) -> Node:
    return Node("sigma", layer, (neuron,))


def target(neuron: Any, sample: Any = None, layer: Any = L + 1) -> Node:
    return Node("y", layer, (neuron,), sample)


def cost(layer: Any = L + 1) -> Node:
    return Node("J", layer)


def cost_of_sample(sample: Any = None, layer: Any = L + 1) -> Node:
    return Node("Js", layer, (), sample)


def sample_weight(sample: Any = None, layer: Any = L + 1) -> Node:
    return Node("v", layer, (), sample)


# The weight that everything is differentiated by.
w_ij = weight(k, i, j)

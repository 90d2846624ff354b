"""Index form -> matrix form: one equation for all neurons of a layer at once.

Nothing here knows backpropagation: an equation with a free index (or two) is read factor by
factor as the entry of a matrix, and the matrix is put in its place.
"""

from __future__ import annotations

import functools
from typing import Any

from sympy import Eq, MatMul, Mul, Sum, Transpose

from symbp.algebra.matrices import (
    Activated,
    DeltaColumn,
    GradientMatrix,
    Hadamard,
    InputColumn,
    MatrixSum,
    OutputColumn,
    RegularWeights,
    Slopes,
    WeightedSums,
    WeightMatrix,
    entries,
)
from symbp.algebra.nodes import Activate, ActivateDerivative, Inputs, Node, Partial, index
from symbp.algebra.rewriting import rewritten
from symbp.derivation.records import equation
from symbp.errors import DerivationError

_BOUND = index("bound")
_COLUMNS = {"a": InputColumn, "c": WeightedSums, "o": OutputColumn, "delta": DeltaColumn}
_FUNCTIONS = {Activate: Activated, ActivateDerivative: Slopes}


def column_equation(statement: Eq, row: Any, inputs: Eq) -> Eq:
    """Return the equation of the columns whose entries in row `row` the statement equates.

    `inputs` is eq. 1.7, which says how many inputs a neuron has.
    """
    return equation(*(_checked(column(side, row), side, (row, 0), inputs) for side in statement.args))


def matrix_equation(statement: Eq, row: Any, across: Any, inputs: Eq) -> Eq:
    """Return the equation of the matrices whose entries (row, across) the statement equates."""
    place = (row, across)
    return equation(*(_checked(_matrix(side, *place), side, place, inputs) for side in statement.args))


def _checked(matrix: Any, expr: Any, place: tuple[Any, Any], inputs: Eq) -> Any:
    """Return the matrix, whose entry must be the expression again."""
    entry = entries(matrix, *place)
    if _plain(entry, inputs) != _plain(expr, inputs):
        raise DerivationError(f"{matrix} does not have the entries {expr}, but {entry}")
    return matrix


def _plain(expr: Any, inputs: Eq) -> Any:
    """Put 1.7 in place of every number of inputs, and give bound indices one name."""
    (layer,) = inputs.lhs.args

    def renamed(total: Sum) -> Sum:
        symbol, low, high = total.limits[0]
        return Sum(total.function.xreplace({symbol: _BOUND}), (_BOUND, low, high), *total.limits[1:])

    return rewritten(expr, {Inputs: lambda e: inputs.rhs.xreplace({layer: e.args[0]}), Sum: renamed})


def column(expr: Any, row: Any) -> Any:
    """Return the column matrix whose entry in row `row` is the expression."""
    if isinstance(expr, Node) and expr.kind in _COLUMNS and expr.indices == (row,):
        return _COLUMNS[expr.kind](expr.layer, *_sample(expr))
    if isinstance(expr, Partial) and expr.of.kind == "J" and expr.wrt.indices == (row,):
        return GradientMatrix(column(expr.wrt, row))
    if type(expr) in _FUNCTIONS:
        layer, argument = expr.args
        if isinstance(argument, Node) and argument.indices == (row,):
            return _FUNCTIONS[type(expr)](layer, *_sample(argument))
    if isinstance(expr, Sum) and len(expr.limits) == 1:
        return _weighted(expr, row)
    if isinstance(expr, Mul):
        numbers = [f for f in expr.args if f.is_number]
        factors = sorted((f for f in expr.args if not f.is_number), key=lambda f: isinstance(f, Sum))
        columns = [column(f, row) for f in factors]
        product = functools.reduce(Hadamard, columns)
        return MatMul(*numbers, product) if numbers else product
    raise DerivationError(f"{expr} is not the entry of a column in row {row}")


def _weighted(total: Sum, row: Any) -> Any:
    """Return the matrix product of which the sum over products with a weight is an entry."""
    bound = total.limits[0][0]
    weights = [f for f in Mul.make_args(total.function) if isinstance(f, Node) and f.kind == "w"]
    if len(weights) != 1 or set(weights[0].indices) != {row, bound}:
        raise DerivationError(f"{total} is not a product of a weight matrix and a column")
    (weight,) = weights
    inner = column(Mul(*(f for f in Mul.make_args(total.function) if f != weight)), bound)
    # The inputs of a layer have the bias neuron among them, outputs and sensitivities have not.
    matrix = (WeightMatrix if isinstance(inner, InputColumn) else RegularWeights)(weight.layer)
    return MatMul(matrix if weight.indices[0] == row else Transpose(matrix), inner)


def _matrix(expr: Any, row: Any, across: Any) -> Any:
    if isinstance(expr, Partial) and expr.of.kind == "J" and expr.wrt.indices == (row, across):
        return GradientMatrix(WeightMatrix(expr.wrt.layer))
    if isinstance(expr, Sum) and len(expr.limits) == 1:
        return MatrixSum(_matrix(expr.function, row, across), expr.limits[0])
    numbers = [f for f in Mul.make_args(expr) if f.is_number]
    factors = [f for f in Mul.make_args(expr) if not f.is_number]
    if numbers:
        return MatMul(*numbers, _matrix(Mul(*factors), row, across))
    down = [f for f in factors if row in _indices(f)]
    beside = [f for f in factors if f not in down]
    if down and beside:
        return MatMul(column(Mul(*down), row), Transpose(column(Mul(*beside), across)))
    raise DerivationError(f"{expr} is not the entry of a matrix in row {row}, column {across}")


def _indices(factor: Any) -> set[Any]:
    return {index for node in factor.atoms(Node) for index in node.indices}


def _sample(node: Node) -> tuple[Any, ...]:
    return () if node.sample is None else (node.sample,)

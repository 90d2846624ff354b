"""Evaluate matrices of the derivation in a model: products, and the columns and rows of 000."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy import Identity, MatAdd, MatMul, Transpose

from symbp.algebra.matrices import (
    ChainMatrix,
    Hadamard,
    LayerMatrix,
    MatrixSum,
    OutputRow,
    PreActivationColumn,
    StepMatrix,
    StepProduct,
    UnitColumn,
    is_matrix,
)
from symbp.derivation.oracles.model import Array, Key, NoSuchQuantity, NotApplicable

if TYPE_CHECKING:
    from symbp.derivation.oracles.interpret import Interpreter


def evaluate_matrix(at: Interpreter, expr: Any) -> Array:
    for kind, method in _MATRICES.items():
        if isinstance(expr, kind):
            value: Array = method(at, expr)
            return value
    raise NotApplicable(f"no value for the matrix {expr}")


def _matrix_product(at: Interpreter, expr: MatMul) -> Array:
    scalar: Any = None
    result: Array | None = None
    for factor in expr.args:
        if is_matrix(factor):
            value = evaluate_matrix(at, factor)
            if result is not None and result.shape[1] != value.shape[0]:
                raise NoSuchQuantity(f"a product of shapes {result.shape} and {value.shape}")
            result = value if result is None else at.model.product(result, value)
        else:
            number = at.expression(factor)
            scalar = number if scalar is None else at.model.reduce(scalar * number)
    if result is None:
        raise NotApplicable(f"{expr} has no matrix")
    if scalar is None:
        return result
    return _reduced(at, scalar * result)


def _transpose(at: Interpreter, expr: Transpose) -> Array:
    return evaluate_matrix(at, expr.arg).T


def _step_matrix(at: Interpreter, expr: StepMatrix) -> Array:
    return _chain_value(at, at.integer(expr.args[0]), at.integer(expr.args[0]))


def _chain(at: Interpreter, expr: ChainMatrix) -> Array:
    upper, lower = map(at.integer, expr.args)
    return (
        _identity_of(at, at.model.shape.widths[lower])
        if upper == lower - 1
        else _chain_value(at, upper, lower)
    )


def _chain_value(at: Interpreter, upper: int, lower: int) -> Array:
    """d c^{upper+1} / d c^{lower}, entry by entry."""
    if not 1 <= lower <= upper < at.model.shape.last:
        raise NoSuchQuantity(f"a product of S from layer {upper} down to {lower}")
    widths = at.model.shape.widths
    if (upper, lower) in at.chains:
        return at.chains[upper, lower]
    at.chains[upper, lower] = _fill(
        widths[upper + 1],
        widths[lower],
        lambda row, column: at.model.partial(Key("c", upper + 1, (row,), 1), Key("c", lower, (column,), 1)),
    )
    return at.chains[upper, lower]


def _step_product(at: Interpreter, expr: StepProduct) -> Array:
    upper, lower = map(at.integer, expr.args)
    result = _chain_value(at, upper, upper)
    for layer in range(upper - 1, lower - 1, -1):
        result = at.model.product(result, _chain_value(at, layer, layer))
    return result


def _identity(at: Interpreter, expr: Identity) -> Array:
    return _identity_of(at, at.integer(expr.args[0]))


def _identity_of(at: Interpreter, order: int) -> Array:
    return _fill(order, order, lambda row, column: at.model.number(int(row == column), 1))


def _pre_activation_column(at: Interpreter, expr: PreActivationColumn) -> Array:
    layer, wrt = at.integer(expr.args[0]), at.key(expr.args[1])
    return _fill(
        at.model.shape.widths[layer],
        1,
        lambda row, _: at.model.partial(Key("c", layer, (row,), 1), wrt),
    )


def _output_row(at: Interpreter, expr: OutputRow) -> Array:
    last, neuron = at.model.shape.last, at.integer(expr.args[0])
    return _fill(
        1,
        at.model.shape.widths[last],
        lambda _, column: at.model.partial(Key("sigma", last, (neuron,), 1), Key("c", last, (column,), 1)),
    )


def _unit_column(at: Interpreter, expr: UnitColumn) -> Array:
    layer, one = map(at.integer, expr.args)
    return _fill(at.model.shape.widths[layer], 1, lambda row, _: at.model.number(int(row == one), 1))


def _entry_by_entry(at: Interpreter, expr: Any) -> Array:
    """Evaluate a matrix whose entries are quantities of the network: each is looked up."""
    rows, columns = map(at.integer, expr.shape)
    return _fill(
        rows,
        columns,
        lambda row, column: at.expression(expr._entry(sympy.Integer(row), sympy.Integer(column))),
    )


def _sum_of_matrices(at: Interpreter, expr: MatAdd) -> Array:
    first, *rest = (evaluate_matrix(at, term) for term in expr.args)
    for other in rest:
        if other.shape != first.shape:
            raise NoSuchQuantity(f"a sum of shapes {first.shape} and {other.shape}")
    return _reduced(at, sum(rest, first))


def _hadamard(at: Interpreter, expr: Hadamard) -> Array:
    a, b = (evaluate_matrix(at, factor) for factor in expr.args)
    if a.shape != b.shape:
        raise NoSuchQuantity(f"an entry-by-entry product of shapes {a.shape} and {b.shape}")
    return _reduced(at, a * b)


def _matrix_sum(at: Interpreter, expr: MatrixSum) -> Array:
    values = at.terms(expr)
    if not values:
        raise NotApplicable(f"{expr} has no terms")
    return _reduced(at, sum(values))


def _reduced(at: Interpreter, matrix: Array) -> Array:
    """Return a matrix with its entries brought to the model's numbers."""
    rows, columns = matrix.shape
    return _fill(rows, columns, lambda row, column: at.model.reduce(matrix[row - 1, column - 1]))


def _fill(rows: int, columns: int, entry: Callable[[int, int], Any]) -> Array:
    """Return the matrix of ``entry(row, column)``, counted from 1."""
    result = np.empty((rows, columns), dtype=object)
    for row in range(rows):
        for column in range(columns):
            result[row, column] = entry(row + 1, column + 1)
    return result


_MATRICES: dict[Any, Any] = {
    MatMul: _matrix_product,
    MatAdd: _sum_of_matrices,
    Transpose: _transpose,
    Identity: _identity,
    StepMatrix: _step_matrix,
    ChainMatrix: _chain,
    StepProduct: _step_product,
    PreActivationColumn: _pre_activation_column,
    OutputRow: _output_row,
    UnitColumn: _unit_column,
    Hadamard: _hadamard,
    MatrixSum: _matrix_sum,
    # Every other matrix of a layer.
    LayerMatrix: _entry_by_entry,
}

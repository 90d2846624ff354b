"""Sensitivities of the average cost -> of the cost of one sample, where an author takes those.

The derivation's delta is the derivative of the average, so it holds the factor 1/m; that of
001, 002 and 003 does not. Every term of an equation has so many such derivatives as factors
(mostly one), and takes a factor m for each; what is left of these factors goes to the other
side.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Add, Eq, MatAdd, MatMul, Mul, Pow, Sum, Transpose

from symbp.algebra.matrices import (
    DeltaColumn,
    GradientMatrix,
    Hadamard,
    MatrixSum,
    NeuronColumn,
    is_matrix,
)
from symbp.algebra.nodes import KINDS, Node, Partial, cost, cost_of_sample, m


class _Mixed(Exception):
    """The terms of a sum hold different numbers of sensitivities."""


def per_sample(statement: Eq) -> Eq:
    """Return the equation in which delta and dJ/dh are those of the cost of one sample."""
    left, right = statement.args
    held = _held(left)
    sides = (_of_one(left), _terms(right, held))
    return Eq(*sides, evaluate=False)


def _is_of_average(part: Any) -> bool:
    """Whether it is the derivative of the average cost by a quantity of one sample."""
    if isinstance(part, Partial):
        return bool(part.of.kind == "J" and KINDS[part.wrt.kind].sampled)
    if isinstance(part, GradientMatrix):  # of a whole layer: by its neurons, not by its weights
        return isinstance(part.args[0], NeuronColumn) and part.cost == cost(part.cost.layer)
    return isinstance(part, DeltaColumn) or (isinstance(part, Node) and part.kind == "delta")


def _terms(expr: Any, held: int) -> Any:
    """Multiply every term by m for each derivative that the other side has more of."""
    if isinstance(expr, (Add, MatAdd)):
        return expr.func(*(_terms(term, held) for term in expr.args))
    try:
        missing = held - _held(expr)
    except _Mixed:
        inner = expr.replace(_is_of_average, lambda part: part / m)
        return _times(_of_one(inner), held)
    return _times(_of_one(expr), missing)


def _times(expr: Any, power: int) -> Any:
    if power == 0:
        return expr
    if is_matrix(expr):
        factors = expr.args if isinstance(expr, MatMul) else (expr,)
        scalar = Mul(m**power, *(f for f in factors if not is_matrix(f)))
        matrices = [f for f in factors if is_matrix(f)]
        if scalar == 1:
            return MatMul(*matrices) if len(matrices) > 1 else matrices[0]
        return MatMul(scalar, *matrices)
    return m**power * expr


def _held(expr: Any) -> int:
    """Return how many derivatives of the average cost a term holds as factors."""
    if _is_of_average(expr):
        return 1
    if isinstance(expr, (Mul, MatMul, Hadamard)):
        return sum(map(_held, expr.args))
    if isinstance(expr, (Add, MatAdd)):
        found = set(map(_held, expr.args))
        if len(found) > 1:
            raise _Mixed
        return found.pop()
    if isinstance(expr, (Sum, MatrixSum)):
        return _held(expr.function)
    if isinstance(expr, Transpose):
        return _held(expr.arg)
    if isinstance(expr, Pow):
        return int(expr.exp) * _held(expr.base) if expr.exp.is_Integer else 0
    return 0


def _of_one(expr: Any) -> Any:
    """Write the cost of the sample in place of the average, under every derivative by its quantities."""

    def is_slope(part: Any) -> bool:
        return isinstance(part, (Partial, GradientMatrix)) and _is_of_average(part)

    def of_sample(part: Any) -> Any:
        if isinstance(part, GradientMatrix):
            column = part.args[0]
            sample = column.args[1] if len(column.args) > 1 else None
            return GradientMatrix(column, cost_of_sample(sample, part.cost.layer))
        return Partial(cost_of_sample(part.wrt.sample, part.of.layer), part.wrt)

    return sympy.sympify(expr).replace(is_slope, of_sample)

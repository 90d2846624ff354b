"""Where a node of a graph has a kink at the given point: what was put in the place of its derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import sympy

# How far to the left and to the right the derivative is looked at, and what is a jump there.
BESIDE = sympy.Rational(1, 10**9)
JUMP = sympy.Rational(1, 10**6)

Put = Callable[[Any, Mapping[str, Any]], Any]


def one_sided(formula: Any, symbol: Any, values: Mapping[str, Any], put: Put) -> tuple[Any, Any] | None:
    """Return the derivatives from the left and from the right if they differ.

    Parameters
    ----------
    formula : sympy.Expr
        Of one node.
    symbol : sympy.Symbol
        The operand with respect to which it is differentiated.
    values : mapping
        The point.
    put : callable
        Puts values into a formula.
    """
    if not any(put(switch, values) == 0 for switch in _switches(formula)):
        return None
    local, name = formula.diff(symbol), symbol.name
    at = values[name]
    beside = BESIDE * sympy.Max(1, abs(at))
    left, right = (put(local, {**values, name: at + sign * beside}) for sign in (-1, 1))
    if not (left.is_number and right.is_number and left.is_finite and right.is_finite):
        return None
    return (left, right) if sympy.N(abs(left - right)) > JUMP else None


def _switches(formula: Any) -> Iterator[Any]:
    """Yield what changes its sign where a formula changes from one branch to another."""
    for part in formula.atoms(sympy.Abs, sympy.sign, sympy.Heaviside):
        yield part.args[0]
    for part in formula.atoms(sympy.Max, sympy.Min):
        for a, b in combinations(part.args, 2):
            yield a - b
    for part in formula.atoms(sympy.core.relational.Relational):
        yield part.lhs - part.rhs

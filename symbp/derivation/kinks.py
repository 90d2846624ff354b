"""Where a formula changes its branch, and the derivative that it declares there.

A case distinction declares the derivative at the place where it switches: it is that of the
branch whose condition holds there. The derivative of an absolute value is declared as 0 where
its argument is 0, the subgradient of smallest size.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Abs, Expr, Piecewise
from sympy.core.relational import Relational

from symbp.algebra import rules

_MOST_ABSOLUTES = 3


@dataclass(frozen=True)
class Kink:
    """A place where the derivatives from both sides differ.

    Attributes
    ----------
    at : Expr
        The value of the variable, in terms of the other letters.
    left, right : Expr
        The derivatives of the branches on both sides.
    declared : Expr
        The derivative that the formula declares there.
    """

    at: Expr
    left: Expr
    right: Expr
    declared: Expr


@functools.lru_cache(maxsize=512)
def switches(formula: Expr, variable: Any) -> tuple[Expr, ...]:
    """Return the values of the variable at which a condition or an absolute value of the formula turns.

    Only linear and quadratic ones are solved for; others have no closed form to show.
    """
    relations = [r for e in formula.atoms(Piecewise) for _, c in e.args for r in c.atoms(Relational)]
    turns = [r.lhs - r.rhs for r in relations] + [e.args[0] for e in formula.atoms(Abs)]
    found = {root for turn in turns for root in _roots(turn, variable)}
    return tuple(sorted(found, key=sympy.default_sort_key))


def _roots(turn: Expr, variable: Any) -> list[Expr]:
    absolutes = sorted(turn.atoms(Abs), key=sympy.default_sort_key)
    if len(absolutes) > _MOST_ABSOLUTES:
        return []
    candidates = [turn]
    for absolute in absolutes:
        inner = absolute.args[0]
        candidates = [c.xreplace({absolute: sign * inner}) for c in candidates for sign in (1, -1)]
    found = [root for c in candidates for root in _polynomial_roots(c, variable)]
    return [root for root in found if sympy.simplify(turn.subs(variable, root)) == 0]


def _polynomial_roots(expr: Expr, variable: Any) -> list[Expr]:
    if not expr.has(variable) or not expr.is_polynomial(variable) or sympy.degree(expr, variable) > 2:
        return []
    return [root for root in sympy.roots(sympy.Poly(expr, variable)) if root.is_extended_real is not False]


def kinks(formula: Expr, variable: Any, numbers: Mapping[Any, Any]) -> tuple[Kink, ...]:
    """Return the switches at which the slopes from both sides differ.

    Parameters
    ----------
    formula : Expr
    variable : Symbol
    numbers : mapping
        A number for each other letter: on which branch both sides of a switch lie is decided
        with them.
    """
    found = []
    for at in switches(formula, variable):
        place = at.subs(numbers)

        def slope(offset: Any, at: Expr = at, place: Expr = place) -> Expr:
            branch = chosen_branch(formula, {**numbers, variable: place + offset})
            derivative = rules.tidied(branch.diff(variable))
            there = sympy.simplify(derivative.subs(variable, at))
            has_value = there is not sympy.S.NaN and there.is_finite is not False
            return there if has_value or not offset else _limit(derivative, variable, at, offset)

        left, right = slope(-_BESIDE), slope(_BESIDE)
        if left != right and sympy.simplify(left - right) != 0:
            found.append(Kink(at, left, right, slope(0)))
    return tuple(found)


def _limit(derivative: Expr, variable: Any, at: Expr, offset: Any) -> Expr:
    """Return where a slope goes from one side: put in, it may be 0/0, or infinite without a sign."""
    try:
        return sympy.limit(derivative, variable, at, "-" if offset < 0 else "+")
    except (NotImplementedError, ValueError):
        return sympy.S.NaN


_BESIDE = sympy.Rational(1, 10**9)


def chosen_branch(formula: Expr, numbers: Mapping[Any, Any]) -> Expr:
    """Decide every case distinction at numbers, and absolute values of what is not 0; letters stay."""

    def chosen(cases: Piecewise) -> Expr:
        return next(value for value, test in cases.args if test.subs(numbers) == True)  # noqa: E712

    def size(u: Expr) -> Expr:
        at = u.subs(numbers)
        return Abs(u) if at == 0 else u * sympy.sign(at)

    return formula.replace(lambda e: isinstance(e, Piecewise), chosen).replace(Abs, size)

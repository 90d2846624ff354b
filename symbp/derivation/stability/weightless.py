"""Products with a target: where it is 0 they are 0, also beside an infinite logarithm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, Eq, Mul, Symbol

from symbp.algebra.named import Weighted
from symbp.derivation.stability.rules import Rule, U

_V = Symbol("v", real=True)


def with_weights(e: Any, is_target: Callable[[Any], bool], may_be_infinite: Callable[[Any], bool]) -> Any:
    """Return a sum in which every target that multiplies what may be infinite weighs it.

    Parameters
    ----------
    e : sympy.Expr
    is_target : callable
        Whether a factor is made of targets alone.
    may_be_infinite : callable
        Whether the factors beside them may be infinite.
    """
    return Add(*(_weighed(term, is_target, may_be_infinite) for term in Add.make_args(e)))


def _weighed(term: Any, is_target: Callable[[Any], bool], may_be_infinite: Callable[[Any], bool]) -> Any:
    factors = Mul.make_args(term)
    weights = [f for f in factors if is_target(f)]
    infinite = [f for f in factors if f not in weights and may_be_infinite(f)]
    if not weights or not infinite:
        return term
    others = [f for f in factors if f not in weights and f not in infinite]
    return Mul(*others, Weighted(Mul(*weights), Mul(*infinite)))


WEIGHTLESS = Rule(
    "weightless target",
    Eq(U * _V, Weighted(U, _V), evaluate=False),
    "for u = 0 and infinite v it is 0 times infinity",
    Weighted.reference,
    lambda e: with_weights(e, lambda f: f == U, lambda f: f.has(_V)),
)

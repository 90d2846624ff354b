"""Proof that a named function's limit is near enough: by the signs of derivatives, without a number.

The first branch of such a function is what it tends to for u towards minus infinity. With
x = exp(u), both sides of the claim are functions of x that agree at x = 0, and that one is
never below the other follows from their derivatives.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.algebra.named import LETTERS, Named

X = sympy.Symbol("x", positive=True)
# So many derivatives are taken before a claim counts as not proved.
_DERIVATIVES = 4


def is_enclosed(function: Named, limit: Any) -> bool:
    """Whether (1 - x) times the limit <= the function <= the limit for all x = exp(u) up to 1.

    Parameters
    ----------
    function : Named
        Of the letter u; both sides are compared as its `compared` has them.
    limit : Expr
        The first branch of its stable form.
    """
    bound, value = (_in_x(function.compared(side)) for side in (limit, function.defining()))
    return is_never_negative(bound - value) and is_never_negative(value - (1 - X) * bound)


def _in_x(expr: Any) -> Any:
    return sympy.simplify(expr.subs(LETTERS[0], sympy.log(X)))


def is_never_negative(expr: Any) -> bool:
    """Whether a function of x is proved to be 0 or more for 0 <= x <= 1.

    It is where all coefficients of a fraction are; else where it is at x = 0 and its
    derivative is for all x.
    """
    for order in range(_DERIVATIVES):
        if expr.is_rational_function(X):
            return _has_no_minus(expr)
        if order == _DERIVATIVES - 1 or not sympy.limit(expr, X, 0, "+").is_nonnegative:
            return False
        expr = sympy.diff(expr, X)
    return False


def _has_no_minus(fraction: Any) -> bool:
    """Whether neither numerator nor denominator has a negative coefficient."""
    above, below = sympy.fraction(sympy.factor(fraction))
    return all(c >= 0 for part in (above, below) for c in sympy.Poly(sympy.expand(part), X).all_coeffs())

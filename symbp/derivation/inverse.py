"""g' as a function of the output alone, through the inverse of g: softplus' = 1 - e^{-o}.

Kernels do not use it, since it costs another elementary function and cancels where the
output is small; the table of functions states it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import sympy
from sympy import Expr

from symbp.derivation.local import O, Z, derivative_in_output

# Functions that rise or fall on the whole line, with their inverses.
_INVERSES: dict[Any, Callable[[Any], Any]] = {
    sympy.exp: sympy.log,
    sympy.log: sympy.exp,
    sympy.atan: sympy.tan,
    sympy.tanh: sympy.atanh,
    sympy.sinh: sympy.asinh,
}
_DIGITS = 50
_POINTS = ("-2.3", "-0.6", "0.01", "0.7", "1.9")


def relation_to_output(formula: Expr) -> Expr | None:
    """Return g' in :data:`symbp.derivation.local.O`, or None where no such relation is found.

    Parameters
    ----------
    formula : Expr
        g in z.

    Returns
    -------
    Expr or None
        The relation that kernels use, where it holds the output (and perhaps z: swish); else
        the one through the inverse.
    """
    found = derivative_in_output(formula)
    if found.has(O):
        return found
    z = _inverse(formula) if found.has(Z) else None
    if z is None:
        return None
    relation = sympy.simplify(found.subs(Z, z))
    return relation if not relation.has(Z) and _holds(formula, relation) else None


def _inverse(formula: Expr) -> Expr | None:
    """Return z in terms of the output where z stands in the formula once, inside invertible functions."""
    value: Expr = O
    inner = formula
    while inner != Z:
        around = [argument for argument in inner.args if argument.has(Z)]
        if len(around) != 1:
            return None
        rest = [argument for argument in inner.args if argument is not around[0]]
        if inner.is_Add:
            value = value - sympy.Add(*rest)
        elif inner.is_Mul:
            value = value / sympy.Mul(*rest)
        elif type(inner) in _INVERSES:
            value = _INVERSES[type(inner)](value)
        elif inner.is_Pow and inner.exp == -1:
            value = 1 / value
        else:
            return None
        inner = around[0]
    return value


def _holds(formula: Expr, relation: Expr) -> bool:
    """Compare with central differences at 50 digits."""
    value = sympy.lambdify(Z, formula, "mpmath")
    slope = sympy.lambdify(O, relation, "mpmath")
    with mpmath.workdps(2 * _DIGITS):
        step = mpmath.mpf(10) ** -_DIGITS
        points = [mpmath.mpf(text) for text in _POINTS]
        return all(
            abs(slope(value(z)) - (value(z + step) - value(z - step)) / (2 * step)) < mpmath.mpf(10) ** -40
            for z in points
        )

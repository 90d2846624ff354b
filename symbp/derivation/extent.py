"""Where the values of an activation lie: least and greatest value over the line, found by numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import sympy
from sympy import Expr

from symbp.derivation.local import Z
from symbp.derivation.oracles.formula import evaluate, number
from symbp.errors import DerivationError

# Beyond every bend of a function; one that still rises between them has no bound.
_FAR, _FARTHER = 10**12, 10**24
_RISE = mpmath.mpf("1e-3")
# Quarter-decades of both signs, and 0.
_POINTS = [-(10 ** sympy.Rational(n, 8)) for n in range(16, -25, -1)]
_LINE = [*_POINTS, sympy.S.Zero, *(-x for x in reversed(_POINTS))]
_REFINEMENTS = 60


@dataclass(frozen=True)
class End:
    """One end of a range: its value (possibly infinite), and whether it is attained."""

    value: Expr
    attained: bool


def extent(formula: Expr) -> tuple[End, End] | None:
    """Return both ends of the range of a function of z; None where it is not real and finite everywhere."""
    try:
        return _end(formula, -1), _end(formula, 1)
    except (DerivationError, ZeroDivisionError):
        return None


def _end(formula: Expr, sign: int) -> End:
    """Return the least (sign -1) or greatest (sign 1) value."""

    def value(z: Any) -> Any:
        return sign * evaluate(formula, {"z": number(z)})

    inner = [(value(mpmath.mpf(sympy.N(z, 40))), n) for n, z in enumerate(_LINE)]
    best, place = max(inner)
    if 0 < place < len(_LINE) - 1:
        best = _refined(value, place)
    before, limit = max((value(side * _FAR), value(side * _FARTHER)) for side in (-1, 1))
    if limit == mpmath.inf or (limit > best + _RISE and limit > before + _RISE):
        return End(sign * sympy.oo, False)
    attained = bool(best >= limit) and (bool(best > limit) or _is_flat(formula, limit * sign))
    return End(_closed_form(sign * max(best, limit)), attained)


def _refined(value: Any, place: int) -> Any:
    """Close in on a maximum between two neighbours by thirds."""
    low, high = (mpmath.mpf(sympy.N(_LINE[place + offset], 40)) for offset in (-1, 1))
    for _ in range(_REFINEMENTS):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if value(a) < value(b):
            low = a
        else:
            high = b
    return max(value((low + high) / 2), value(mpmath.mpf(sympy.N(_LINE[place], 40))))


def _is_flat(formula: Expr, level: Any) -> bool:
    """Whether a branch of the formula is that very number, so that the limit is attained."""
    branches = [v for v, _ in formula.args] if isinstance(formula, sympy.Piecewise) else []
    return any(not v.has(Z) and abs(number(v.p) / v.q - level) < 1e-30 for v in branches if v.is_Rational)


def _closed_form(value: Any) -> Expr:
    """Return a short number: a simple fraction, a multiple of pi, or five digits."""
    for unit in (sympy.S.One, sympy.pi):
        for denominator in (1, 2, 10_000):
            ratio = value * denominator / number(mpmath.mpf(sympy.N(unit, 40)))
            whole = int(mpmath.nint(ratio))
            if abs(ratio - whole) < mpmath.mpf(10) ** -6 and abs(whole) < 100_000:
                return unit * sympy.Rational(whole, denominator)
    return sympy.Rational(str(round(float(value), 5)))

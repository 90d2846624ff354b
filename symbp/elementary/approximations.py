"""The polynomials of the elementary functions: what each approximates, where, and of which degree."""

from __future__ import annotations

import sympy
from sympy import Rational, Symbol, atan, atanh, cos, erf, erfc, exp, log, pi, sin, sqrt, tan

from symbp.elementary.constants import (
    ERF_END,
    ERF_NEAR,
    ERFC_MIDDLE,
    ERFC_NEAR,
    GAUSS_END,
    HALF_GAUSS_END,
    NORMAL_MIDDLE,
    NORMAL_NEAR,
    PIECES,
)
from symbp.elementary.records import DTYPES, Fit

v = Symbol("v", real=True)  # the variable of a polynomial; often the square of the argument
_root = sqrt(v)


def _both(low: sympy.Expr, high: sympy.Expr) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
    return dict.fromkeys(DTYPES, (low, high))


def _degrees(float32: int, float64: int) -> dict[str, int]:
    return {"float32": float32, "float64": float64}


def _tail(near: str, middle: dict[str, str], end: dict[str, str]) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
    """Return the interval of (x - K)/(x + K) for x from where a tail starts to its end."""
    found = {}
    for dtype in DTYPES:
        first, k, last = map(Rational, (near, middle[dtype], end[dtype]))
        found[dtype] = ((first - k) / (first + k), (last - k) / (last + k))
    return found


def _from_tail(middle: str) -> sympy.Expr:
    """Return the x whose (x - K)/(x + K) is v."""
    return Rational(middle) * (1 + v) / (1 - v)


# The s = f/(2 + f) of the largest f = m - 1 with m < sqrt(2).
_LOG_END = (sqrt(2) - 1) / (sqrt(2) + 1)
_ERF_NEAR = Rational(ERF_NEAR)
_ERFC = {dtype: _from_tail(ERFC_MIDDLE[dtype]) for dtype in DTYPES}
_NORMAL = {dtype: _from_tail(NORMAL_MIDDLE[dtype]) for dtype in DTYPES}

FITS: dict[str, Fit] = {
    fit.name: fit
    for fit in (
        Fit(
            "EXP",
            (exp(v) - 1 - v) / v**2,
            v**2 / exp(v),
            _both(-log(2) / 2, log(2) / 2),
            _degrees(4, 9),
            "exp(r) = 1 + r + r^2 P(r)",
        ),
        Fit(
            "EXP_ROOT",
            (exp(v) - 1 - v) / v**2,
            v**2 / exp(v),
            _both(-log(2) / (2 * PIECES), log(2) / (2 * PIECES)),
            {"float32": 1},
            "exp(r) = 1 + r + r^2 P(r), of a 16th of the interval",
        ),
        Fit(
            "LOG",
            (2 * atanh(_root) - 2 * _root) / _root**3,
            _root**3 / (2 * atanh(_root)),
            _both(sympy.S.Zero, _LOG_END**2),
            _degrees(2, 6),
            "log((1 + s)/(1 - s)) = 2 s + s^3 P(s^2)",
        ),
        Fit(
            "ERF",
            erf(_root) / _root - 1,
            _root / erf(_root),
            _both(sympy.S.Zero, _ERF_NEAR**2),
            _degrees(6, 12),
            "erf(x) = x + x P(x^2)",
        ),
        Fit(
            "ERFC",
            log(erfc(v)),
            erfc(v) / erf(v),
            {dtype: (_ERF_NEAR, Rational(ERF_END[dtype])) for dtype in DTYPES},
            _degrees(7, 18),
            "log(1 - erf(x)) = P(x)",
        ),
        Fit(
            "ERFC_TAIL",
            {k: (1 + 2 * u) * exp(u**2) * erfc(u) - 1 for k, u in _ERFC.items()},
            {k: 1 / ((1 + 2 * u) * exp(u**2) * erfc(u)) for k, u in _ERFC.items()},
            _tail(ERFC_NEAR, ERFC_MIDDLE, GAUSS_END),
            _degrees(9, 21),
            "(1 + 2 x) exp(x^2) (1 - erf(x)) = 1 + P((x - K)/(x + K))",
        ),
        Fit(
            "NORMAL",
            erf(_root / sqrt(2)) / (2 * _root),
            _root / (1 - erf(_root / sqrt(2))),
            _both(sympy.S.Zero, Rational(NORMAL_NEAR) ** 2),
            _degrees(3, 8),
            "(1 + erf(x/sqrt(2)))/2 = 1/2 + x P(x^2)",
        ),
        Fit(
            "NORMAL_TAIL",
            {
                k: (1 + 3 * u / 2) * exp(u**2 / 2) * erfc(u / sqrt(2)) / 2 - Rational(1, 2)
                for k, u in _NORMAL.items()
            },
            {k: 2 / ((1 + 3 * u / 2) * exp(u**2 / 2) * erfc(u / sqrt(2))) for k, u in _NORMAL.items()},
            _tail(NORMAL_NEAR, NORMAL_MIDDLE, HALF_GAUSS_END),
            _degrees(8, 22),
            "(1 + 3 x/2) exp(x^2/2) (1 - erf(x/sqrt(2)))/2 = 1/2 + P((x - K)/(x + K))",
        ),
        Fit(
            "SIN",
            (sin(_root) / _root - 1) / v,
            v * _root / sin(_root),
            _both(sympy.S.Zero, (pi / 4) ** 2),
            _degrees(3, 6),
            "sin(r) = r + r^3 P(r^2)",
        ),
        Fit(
            "COS",
            (cos(_root) - 1 + v / 2) / v**2,
            v**2 / cos(_root),
            _both(sympy.S.Zero, (pi / 4) ** 2),
            _degrees(2, 5),
            "cos(r) = 1 - r^2/2 + r^4 P(r^2)",
        ),
        Fit(
            "ATAN",
            (atan(_root) / _root - 1) / v,
            v * _root / atan(_root),
            _both(sympy.S.Zero, tan(pi / 8) ** 2),
            _degrees(4, 10),
            "arctan(t) = t + t^3 P(t^2)",
        ),
    )
}

"""Fit the polynomials of the elementary functions and write them down.

``python -m symbp.elementary.fit`` (``make coefficients``) writes ``coefficients.toml`` beside this
file. Fitting all of them takes a few seconds, and the same numbers come out on every machine.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import sympy

from symbp.elementary import pieces
from symbp.elementary.records import FORMATS, Fit
from symbp.elementary.remez import DIGITS, Grid, minimax
from symbp.elementary.tables import FITS, v
from symbp.files import atomic_write

PATH = Path(__file__).with_name("coefficients.toml")

# A target such as sin(x)/x has no value at 0 but a limit there; this near to it, it is as good.
_NEAR_ZERO = mpmath.mpf(10) ** -12

_HEAD = """\
# Minimax polynomials of the elementary functions, one table for each number format.
# written by: symbp (python -m symbp.elementary.fit); do not edit.
#
# error: the largest relative error of the function that the exact minimax polynomial makes
# rounded: the same after its coefficients were rounded to the format, as they stand here
# coefficients: constant first, exact, as hexadecimal floating-point numbers
"""


@dataclass(frozen=True)
class Polynomial:
    """A fitted polynomial, as it is used.

    Attributes
    ----------
    coefficients : tuple of float
        Numbers of the format; constant first.
    error, rounded : float
        The largest weighted error before and after rounding them.
    """

    coefficients: tuple[float, ...]
    error: float
    rounded: float


def fit(what: Fit, dtype: str) -> Polynomial:
    """Fit one polynomial and round its coefficients.

    Raises
    ------
    ArithmeticError
        If Remez's exchange does not settle.
    """
    form = FORMATS[dtype]
    with mpmath.workdps(DIGITS):
        target, weight = (sympy.lambdify(v, expr, "mpmath") for expr in what.stated(dtype))
        low, high = (mpmath.mpf(sympy.N(end, DIGITS)) for end in what.interval[dtype])
        degree = what.degree[dtype]
        grid = Grid.of(target, weight, low or _NEAR_ZERO, high, degree + 1)
        exact = minimax(grid, degree)
        coefficients = tuple(map(form.round, exact))
        rounded = grid.worst([mpmath.mpf(c) for c in coefficients])
        return Polynomial(coefficients, float(grid.worst(exact)), float(rounded))


@cache
def polynomials(dtype: str) -> Mapping[str, Polynomial]:
    """Return the fitted polynomials of a number format, by name, as ``coefficients.toml`` holds them."""
    tables = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {
        name: Polynomial(
            tuple(map(float.fromhex, entry[dtype]["coefficients"])),
            entry[dtype]["error"],
            entry[dtype]["rounded"],
        )
        for name, entry in tables.items()
        if dtype in entry
    }


def text(fitted: Mapping[tuple[str, str], Polynomial]) -> str:
    """Return the text of ``coefficients.toml``."""
    import tomli_w

    tables: dict[str, dict[str, Any]] = {}
    for (name, dtype), polynomial in fitted.items():
        tables.setdefault(name, {})[dtype] = {
            "degree": len(polynomial.coefficients) - 1,
            "error": float(f"{polynomial.error:.3g}"),
            "rounded": float(f"{polynomial.rounded:.3g}"),
            "coefficients": [c.hex() for c in polynomial.coefficients],
        }
    return _HEAD + "\n" + tomli_w.dumps(tables)


def main() -> None:
    """Fit everything and write it."""
    fitted = {(name, dtype): fit(what, dtype) for name, what in FITS.items() for dtype in what.dtypes}
    for (name, dtype), polynomial in fitted.items():
        degree = len(polynomial.coefficients) - 1
        print(
            f"{name:5} {dtype}  degree {degree:2}  error {polynomial.error:.2e}"
            f"  with rounded coefficients {polynomial.rounded:.2e}",
            file=sys.stderr,
        )
    print(f"wrote {atomic_write(PATH, text(fitted))}", file=sys.stderr)
    print(f"wrote {atomic_write(pieces.PATH, pieces.text())}", file=sys.stderr)


if __name__ == "__main__":
    main()

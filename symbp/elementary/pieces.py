"""What is looked up in a vector register: coefficients of functions in pieces, and single rows.

[0, end] is divided into as many pieces as a register holds numbers of float32. The piece of a number
stands in the bits of a*scale + 1, which lies in [1, 16): exponent and first digits, so that pieces are
the longer the further they are from 0. One instruction then finds a coefficient for every lane.

Gal 1986, and Muller, Elementary Functions, 3rd edition, chapter 4, on methods with tables.
``python -m symbp.elementary.fit`` writes ``pieces.toml`` beside this file.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import sympy
from sympy import Expr, Symbol, tanh

from symbp.elementary.constants import PIECES, PIECES_AN_OCTAVE, constants
from symbp.elementary.records import FORMATS
from symbp.elementary.remez import DIGITS, Grid, minimax

PATH = Path(__file__).with_name("pieces.toml")
_NEAR_ZERO = mpmath.mpf(10) ** -12

_HEAD = """\
# Functions in pieces, one polynomial for each: what a register holds, in the order of its lanes.
# written by: symbp (python -m symbp.elementary.fit); do not edit.
#
# error: the largest relative error of the function, with coefficients as they stand here
# rows: the middle c of each piece, then the coefficients of (x - c)^0, (x - c)^1, ...; exact
"""


@dataclass(frozen=True)
class Pieces:
    """An odd function that is 1 from some number on, in pieces.

    Attributes
    ----------
    name : str
        As the algorithms call it.
    function : Expr
        Of x.
    degree : mapping
        dtype -> degree; formats that are missing have no such table.
    meaning : str
        In words, for comments.
    """

    name: str
    function: Expr
    degree: Mapping[str, int]
    meaning: str


@dataclass(frozen=True)
class Rows:
    """The numbers of a function in pieces, as they are used.

    Attributes
    ----------
    rows : tuple of tuple of float
        Middles, then coefficients by rising power; each has as many numbers as there are pieces.
    error : float
        The largest relative error.
    """

    rows: tuple[tuple[float, ...], ...]
    error: float


@dataclass(frozen=True)
class Row:
    """One number for each lane, computed from what it is.

    Attributes
    ----------
    name : str
    value : Expr
        Of the lane j.
    dtypes : tuple of str
    meaning : str
    """

    name: str
    value: Expr
    dtypes: tuple[str, ...]
    meaning: str


x, j = Symbol("x", real=True), Symbol("j", integer=True)
TABLES: dict[str, Pieces] = {
    table.name: table
    for table in (Pieces("TANH_PIECES", tanh(x), {"float32": 5}, "tanh(c + t) = P(t) for the c of a piece"),)
}

ROWS: dict[str, Row] = {
    row.name: row
    for row in (Row("EXP_ROOTS", 2 ** (j / PIECES), ("float32",), f"2^(j/{PIECES}) for j = 0, 1, ..."),)
}


def ends(dtype: str) -> list[Any]:
    """Return where the pieces begin, and where the last one ends."""
    scale = mpmath.mpf(constants(dtype)["PIECES_SCALE"])
    steps = range(PIECES_AN_OCTAVE)
    octaves = range(PIECES // PIECES_AN_OCTAVE + 1)
    marks = [2**octave * (1 + mpmath.mpf(step) / PIECES_AN_OCTAVE) for octave in octaves for step in steps]
    return [(mark - 1) / scale for mark in marks[: PIECES + 1]]


def place(number: int) -> int:
    """Return the lane of a piece, counted from 0: 1, where they begin, has an exponent of ones."""
    return (number - PIECES_AN_OCTAVE) % PIECES


def fit(what: Pieces, dtype: str) -> Rows:
    """Fit a polynomial for every piece, and round middles and coefficients."""
    with mpmath.workdps(DIGITS):
        columns: list[Any] = [None] * PIECES
        worst = mpmath.mpf(0)
        for number, (low, high) in enumerate(itertools.pairwise(ends(dtype))):
            columns[place(number)], error = _piece(what, dtype, number, low, high)
            worst = max(worst, error)
    return Rows(tuple(zip(*columns, strict=True)), float(f"{float(worst):.3g}"))


def _piece(what: Pieces, dtype: str, number: int, low: Any, high: Any) -> tuple[tuple[float, ...], Any]:
    """Return middle and coefficients of one piece, and their error.

    The first has its middle at 0 and no constant, so that small numbers keep their digits and 0 its
    sign; the last one at the end, where the constant is 1 and infinity gives exactly that.
    """
    form, degree = FORMATS[dtype], what.degree[dtype]
    of = sympy.lambdify(x, what.function, "mpmath")
    if number == 0:
        middle, first = mpmath.mpf(0), 1
        low = _NEAR_ZERO
    else:
        at = constants(dtype)["PIECES_END"] if number == PIECES - 1 else form.round((low + high) / 2)
        middle, first = mpmath.mpf(at), 0
    target = lambda t: of(middle + t) / t**first  # noqa: E731
    weight = lambda t: t**first / of(middle + t)  # noqa: E731
    grid = Grid.of(target, weight, low - middle, high - middle, degree + 1 - first)
    coefficients = [form.round(c) for c in minimax(grid, degree - first)]
    error = grid.worst([mpmath.mpf(c) for c in coefficients])
    return (float(middle), *[0.0] * first, *coefficients), error


@cache
def pieces(dtype: str) -> Mapping[str, Rows]:
    """Return the tables of a number format, by name: as ``pieces.toml`` holds them, and rows."""
    tables = tomllib.loads(PATH.read_text(encoding="utf-8"))
    fitted = {name: formats[dtype] for name, formats in tables.items() if dtype in formats}
    found = {
        name: Rows(tuple(tuple(map(float.fromhex, row)) for row in entry["rows"]), entry["error"])
        for name, entry in fitted.items()
    }
    return found | {name: _row(row, dtype) for name, row in ROWS.items() if dtype in row.dtypes}


def _row(row: Row, dtype: str) -> Rows:
    with mpmath.workdps(DIGITS):
        exact = [mpmath.mpf(sympy.N(row.value.subs(j, lane), DIGITS)) for lane in range(PIECES)]
        numbers = tuple(map(FORMATS[dtype].round, exact))
        errors = (abs(number / value - 1) for number, value in zip(numbers, exact, strict=True))
        return Rows((numbers,), float(max(errors)))


def text() -> str:
    """Fit every table and return the text of ``pieces.toml``."""
    import tomli_w

    tables: dict[str, dict[str, Any]] = {}
    for name, what in TABLES.items():
        for dtype in what.degree:
            found = fit(what, dtype)
            rows = [[number.hex() for number in row] for row in found.rows]
            tables.setdefault(name, {})[dtype] = {"error": found.error, "rows": rows}
    return _HEAD + "\n" + tomli_w.dumps(tables)

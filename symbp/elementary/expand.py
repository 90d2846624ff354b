"""Record + number format -> the lines of a function: names become numbers, ``poly`` Horner's rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symbp.elementary.constants import constants
from symbp.elementary.fit import polynomials
from symbp.elementary.pieces import TABLES, pieces
from symbp.elementary.records import Elementary
from symbp.elementary.tables import FITS, FUNCTIONS

_POLYNOMIAL = re.compile(r"(\w+) = (poly|pieces|row)\((\w+), (\w+)\)")
# An integer, a number, a constant; I and F are the two types.
_WORD = re.compile(r"I\((?P<integer>\w+)\)|\b(?P<number>\d+(?:\.\d+)?)\b|\b(?P<name>[A-Z][A-Z0-9_]+)\b")
_NAMED = {float("inf"): "math.inf", float("-inf"): "-math.inf"}


@dataclass(frozen=True)
class Code:
    """One emitted function.

    Attributes
    ----------
    name : str
    record : Elementary
    lines : tuple of str
        Its statements.
    polynomials : tuple of str
        What it approximates, with degree and error, in words.
    tables : tuple of str
        Names of :data:`symbp.elementary.pieces.TABLES` in which it looks up coefficients.
    """

    name: str
    record: Elementary
    lines: tuple[str, ...]
    polynomials: tuple[str, ...]
    tables: tuple[str, ...] = ()


def code(name: str, dtype: str) -> Code:
    """Return the function of that name in a number format."""
    record = FUNCTIONS[name]
    lines: list[str] = []
    words: list[str] = []
    tables: list[str] = []
    for line in record.body.splitlines():
        call = _POLYNOMIAL.fullmatch(line)
        if call is None:
            lines.append(_with_numbers(line, dtype))
            continue
        target, kind, fitted, variable = call.groups()
        if kind == "row":
            tables.append(fitted)
            lines.append(f"{target} = lookup({fitted}, 0, {variable})")
            continue
        if kind == "pieces":
            tables.append(fitted)
            lines += _looked_up(target, fitted, variable, dtype)
            degree, error = TABLES[fitted].degree[dtype], pieces(dtype)[fitted].error
            words.append(f"{TABLES[fitted].meaning}, degree {degree}, relative error {error:.1e}")
            continue
        polynomial = polynomials(dtype)[fitted]
        highest, *others = reversed(polynomial.coefficients)
        lines.append(f"{target} = {literal(highest, dtype)}")
        lines += [f"{target} = {target}*{variable} + {literal(c, dtype)}" for c in others]
        words.append(
            f"{FITS[fitted].meaning}, degree {len(polynomial.coefficients) - 1}, "
            f"relative error {polynomial.rounded:.1e}"
        )
    return Code(name, record, tuple(lines), tuple(words), tuple(tables))


def _looked_up(target: str, table: str, variable: str, dtype: str) -> list[str]:
    """Return Horner's rule with coefficients from the rows of a table, at the place i of each number."""
    *lower, highest = range(1, len(pieces(dtype)[table].rows))
    return [
        _with_numbers(f"i = I(F({variable}*PIECES_SCALE + 1).view(I) >> I(PIECES_SHIFT))", dtype),
        f"t = {variable} - lookup({table}, 0, i)",
        f"{target} = lookup({table}, {highest}, i)",
        *(f"{target} = {target}*t + lookup({table}, {row}, i)" for row in reversed(lower)),
    ]


def with_used(names: Iterable[str]) -> tuple[str, ...]:
    """Return the named functions and all that they call, callees first, in the order of the table."""
    wanted, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += [other for other in FUNCTIONS[name].uses if other not in wanted]
    return tuple(name for name in FUNCTIONS if name in wanted)


def literal(value: float, dtype: str) -> str:
    """Return a number as the text of a constant of the kernel's type, exactly."""
    if value != value:
        text = "math.nan"
    elif value in _NAMED:
        text = _NAMED[value]
    else:
        text = decimal(value, dtype)
    return text if dtype == "float64" else f"F({text})"


def decimal(value: float, dtype: str) -> str:
    """Return a finite number of a format as a decimal that reads back as it."""
    if dtype == "float32" and not value.is_integer():
        text = str(np.float32(value))
        if float(np.float32(float(text))) == value:  # the shortest decimal, read as float64 first
            return text
    return repr(value)


def _with_numbers(line: str, dtype: str) -> str:
    known = constants(dtype)

    def replaced(word: re.Match[str]) -> str:
        integer, number, name = word["integer"], word["number"], word["name"]
        if integer is not None:
            return f"I({known.get(integer, integer)})"
        return literal(float(number) if number else float(known[name]), dtype)

    return _WORD.sub(replaced, line)

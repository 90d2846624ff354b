"""Single values: checked, each in one line that says what is wrong and what is expected; and in print."""

from __future__ import annotations

import contextlib
import math
import numbers
import operator
from collections.abc import Sequence

from symbp.errors import SpecError


def whole_number(key: str, value: object, least: int, most: int) -> int:
    """Return `value` as an int between `least` and `most`, or say what is wrong with ``key = value``.

    NumPy's integers are whole numbers; ``True`` and ``8.0`` are not.
    """
    expected = f"{key} = {shown(value)}: expected a whole number of at least {least}"
    if isinstance(value, bool):
        raise SpecError(expected)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise SpecError(expected) from None
    if number < least:
        raise SpecError(expected)
    if number > most:
        raise SpecError(f"{key} = {shown(number)}: the limit is {most:,}")
    return number


def shown(value: object) -> str:
    """Return the value on one short line; NumPy's numbers as plain ones."""
    text = str(value) if hasattr(value, "dtype") else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def positive_number(key: str, value: object) -> float:
    """Return `value` as a finite float above 0, or say what is wrong with ``key = value``."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
            if 0 < number < math.inf:
                return number
    raise SpecError(f"{key} = {shown(value)}: expected a positive number")


def counted(number: int, what: str) -> str:
    """Return the number with its noun: ``"1 input"``, ``"2 inputs"``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def padded(rows: Sequence[Sequence[str]], left: int) -> list[list[str]]:
    """Return cells as wide as their columns, the first so many flush left and the others flush right."""
    columns = []
    for n, column in enumerate(zip(*rows, strict=True)):
        width = max(map(len, column))
        columns.append([cell.ljust(width) if n < left else cell.rjust(width) for cell in column])
    return [list(row) for row in zip(*columns, strict=True)]

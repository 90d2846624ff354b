"""Subscripts, superscripts and decimals as text: the same in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def braced(inner: str) -> str:
    """Return a script with the braces it needs."""
    return inner if len(inner) == 1 else f"{{{inner}}}"


def scripted(letter: str, sub: Iterable[str], sup: Iterable[str]) -> str:
    """Return a letter with its scripts."""
    lower, upper = (",".join(filter(None, parts)) for parts in (sub, sup))
    return letter + (f"_{braced(lower)}" if lower else "") + (f"^{braced(upper)}" if upper else "")


def together(indices: Sequence[str]) -> str:
    """Join indices: ij, but r,65."""
    return ("" if all(len(x) == 1 for x in indices) else ",").join(indices)


def compact(printed: str) -> str:
    """Take out the spaces around plus and minus."""
    return printed.replace(" + ", "+").replace(" - ", "-")


def decimal(number: Any) -> str:
    """Return a fraction whose denominator divides a power of ten, digit by digit."""
    digits = 0
    while (number * 10**digits).q != 1:
        digits += 1
    sign, scaled = ("-" if number < 0 else ""), str(abs(number.p) * 10**digits // number.q)
    scaled = scaled.rjust(digits + 1, "0")
    return f"{sign}{scaled[:-digits]}.{scaled[-digits:]}"

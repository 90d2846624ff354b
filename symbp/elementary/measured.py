"""The errors that were measured of the emitted functions, as ``accuracy.toml`` holds them.

``make accuracy`` measures them anew; :mod:`symbp.bench.accuracy` says how.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("accuracy.toml")


@dataclass(frozen=True)
class Measured:
    """The errors of one function in one number format.

    Attributes
    ----------
    worst, mean : float
        In units in the last place; the worst is rounded up.
    at : float
        An argument with the worst error.
    points : int
        How many arguments were tried.
    """

    worst: float
    mean: float
    at: float
    points: int


@cache
def measured() -> Mapping[tuple[str, str], Measured]:
    """Return what was measured, by name and dtype."""
    if not PATH.exists():
        return {}
    tables = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {
        (name, dtype): Measured(entry["worst"], entry["mean"], float.fromhex(entry["at"]), entry["points"])
        for name, formats in tables.items()
        for dtype, entry in formats.items()
    }

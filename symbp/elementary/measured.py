"""What was measured of the emitted functions: ``accuracy.toml`` holds errors, ``speed.toml`` times.

``make accuracy`` measures them anew; :mod:`symbp.bench.accuracy` says how.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("accuracy.toml")
SPEED_PATH = Path(__file__).with_name("speed.toml")


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


@dataclass(frozen=True)
class Timed:
    """Nanoseconds for one element of a function in one number format.

    Attributes
    ----------
    ours, libm : float
        The emitted function, and ``math`` in the same compiled loop.
    numpy : float or None
        None where NumPy has no such function.
    """

    ours: float
    libm: float
    numpy: float | None


@cache
def timed() -> tuple[str, Mapping[tuple[str, str], Timed]]:
    """Return where speeds were measured, and the speeds by name and dtype."""
    if not SPEED_PATH.exists():
        return "", {}
    tables = tomllib.loads(SPEED_PATH.read_text(encoding="utf-8"))
    return tables.pop("conditions"), {
        (name, dtype): Timed(entry["ours"], entry["math"], entry.get("numpy"))
        for name, formats in tables.items()
        for dtype, entry in formats.items()
    }


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

"""The errors that were measured of the activations, as ``accuracy.toml`` holds them.

``make accuracy`` measures them anew; :mod:`symbp.bench.units` says how.
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
    """The largest errors of one activation in one number format, in units in the last place.

    Attributes
    ----------
    value, derivative : float
    value_at, derivative_at : float
        Where they are.
    points : int
        How many arguments were tried.
    """

    value: float
    value_at: float
    derivative: float
    derivative_at: float
    points: int


@cache
def measured() -> Mapping[tuple[str, str], Measured]:
    """Return what was measured, by name and dtype."""
    if not PATH.exists():
        return {}
    return {
        (name, dtype): Measured(
            entry["value"],
            float.fromhex(entry["value_at"]),
            entry["derivative"],
            float.fromhex(entry["derivative_at"]),
            entry["points"],
        )
        for name, formats in tomllib.loads(PATH.read_text(encoding="utf-8")).items()
        for dtype, entry in formats.items()
    }

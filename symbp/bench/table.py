"""The table of the elementary functions: accuracy and speed, for the terminal and as Markdown."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from symbp.bench.accuracy import Accuracy, measure
from symbp.bench.machine import processor
from symbp.bench.speed import UNTIMED, Speed, speed
from symbp.elementary import FUNCTIONS
from symbp.elementary.measured import SPEED_PATH
from symbp.errors import SpecError
from symbp.files import atomic_write
from symbp.functions.names import nearest
from symbp.values import padded

_COLUMNS = ("function", "type", "max ulp", "mean", "where", "points", "ns", "math", "NumPy", "ratio")


@dataclass(frozen=True)
class Row:
    """One function in one format."""

    accuracy: Accuracy
    speed: Speed

    def cells(self) -> tuple[str, ...]:
        a, s = self.accuracy, self.speed
        return (
            a.name,
            a.dtype,
            f"{a.worst:.2f}",
            f"{a.mean:.3f}",
            f"{a.at:.6g}",
            f"{a.count:,}",
            *("-" if math.isnan(time) else f"{time:.2f}" for time in (s.ours, s.libm, s.numpy)),
            "-" if math.isnan(s.ratio) else f"{s.ratio:.1f}",
        )


def rows(
    names: Iterable[str] = (), quick: bool = False, done: Callable[[str], None] = lambda what: None
) -> list[Row]:
    """Measure functions in both formats.

    Parameters
    ----------
    names : iterable of str
        Keys of :data:`symbp.elementary.FUNCTIONS`; none for all.
    quick : bool
        Fewer points and repeats.
    done : callable
        Told what was measured.

    Raises
    ------
    SpecError
        If there is no such function.
    """
    chosen = tuple(dict.fromkeys(names)) or tuple(FUNCTIONS)
    for name in chosen:
        if name not in FUNCTIONS:
            raise SpecError(f"function {name!r}: no such elementary function{nearest(name, FUNCTIONS)}")
    found = []
    for name in chosen:
        for dtype in FUNCTIONS[name].dtypes:
            # What looks numbers up in registers has no speed in a loop over an array.
            timed = UNTIMED if FUNCTIONS[name].lanes else speed(name, dtype, quick)
            found.append(Row(measure(name, dtype, quick), timed))
            done(f"{name}, {dtype}")
    return found


def text(found: Iterable[Row]) -> str:
    """Return the table for the terminal."""
    lines = [_COLUMNS, *(row.cells() for row in found)]
    return "".join("  ".join(line).rstrip() + "\n" for line in padded(lines, 2))


def markdown(found: Iterable[Row]) -> str:
    """Return the table as Markdown, with machine and date."""
    lines = [_COLUMNS, ("---", "---", *["---:"] * (len(_COLUMNS) - 2)), *(row.cells() for row in found)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{table}\n{conditions()}\n"


_HEAD = """\
# Nanoseconds for one element of the emitted elementary functions, beside math and NumPy.
# written by: symbp accuracy --record; do not edit.
"""


def record(found: Iterable[Row]) -> Path:
    """Write ``speed.toml``, which the page of the functions prints."""
    import tomli_w

    tables: dict[str, Any] = {"conditions": conditions()}
    for row in found:
        if row.speed is UNTIMED:
            continue
        times = {"ours": row.speed.ours, "math": row.speed.libm, "numpy": row.speed.numpy}
        tables.setdefault(row.accuracy.name, {})[row.accuracy.dtype] = {
            name: float(f"{value:.3g}") for name, value in times.items() if not math.isnan(value)
        }
    return atomic_write(SPEED_PATH, f"{_HEAD}\n{tomli_w.dumps(tables)}")


def conditions() -> str:
    """Return what the figures hold for."""
    return (
        f"Nanoseconds for one element, one thread; ratio: math to ours. {processor()}, "
        f"Python {platform.python_version()}, NumPy {version('numpy')}, Numba {version('numba')}, "
        f"{datetime.date.today().isoformat()}."
    )

"""How accurate the emitted elementary functions are."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from symbp.bench.exact import ORACLES, Array, errors, exact, points
from symbp.elementary.measured import PATH
from symbp.files import atomic_write
from symbp.render.elementary import module_source

# Numbers of points, and how often; what --quick tries is tried in any case.
QUICK = {"float32": 150_000, "float64": 3_000}
FULL = {"float32": 3_000_000, "float64": 30_000}
ROUNDS = {"float32": 10, "float64": 1}
# mpmath is slow: in float64, of so many more points those that look worst are given to it.
SCREENED, KEPT = 3_000_000, 3_000

_HEAD = """\
# The errors of the emitted elementary functions, in units in the last place, by function and format.
# written by: symbp accuracy --record; do not edit.
#
# worst: the largest error met, rounded up, at the argument `at`; with or without fused multiply-add
# mean: over all points
"""


@dataclass(frozen=True)
class Accuracy:
    """The errors of one function in one format.

    Attributes
    ----------
    name, dtype : str
    worst, mean : float
        In ulp.
    at : float
        Where the worst is.
    count : int
        The number of points.
    """

    name: str
    dtype: str
    worst: float
    mean: float
    at: float
    count: int


@cache
def compiled(dtype: str, contract: bool) -> types.ModuleType:
    """Return the module of the elementary functions; its loops compile when they are called."""
    source = module_source(dtype, contract=contract)
    module = types.ModuleType(f"symbp_elementary_{dtype}_{contract}")
    sys.modules[module.__name__] = module
    exec(compile(source, module.__name__, "exec"), module.__dict__)
    return module


def values(name: str, x: Array, contract: bool = True) -> Array:
    """Return the emitted function of all elements."""
    y = np.empty_like(x)
    getattr(compiled(str(x.dtype), contract), f"all_{name}")(x, y)
    return y


def accuracy(name: str, x: Array, contract: Iterable[bool] = (True, False)) -> Accuracy:
    """Measure one function at the points x, with and without fused multiply-add.

    The compiler fuses where the processor can; the worse of both counts.
    """
    expected = exact(name, x)
    # One choice after the other keeps the arrays few.
    found = [_summary(errors(values(name, x, choice), *expected)) for choice in contract]
    worst, at, mean = max(found)
    return Accuracy(name, str(x.dtype), worst, mean, float(x[at]), x.size)


def _summary(error: Any) -> tuple[float, int, float]:
    at = int(np.argmax(error))
    return float(error[at]), at, float(np.mean(error))


def measure(name: str, dtype: str, quick: bool = False) -> Accuracy:
    """Measure one function at the points of the accuracy table.

    The quick way leaves out the code without fused multiply-add, which would be compiled for it.
    """
    found = [accuracy(name, points(name, dtype, QUICK[dtype]), (True,) if quick else (True, False))]
    if not quick:
        found += [accuracy(name, points(name, dtype, FULL[dtype], seed)) for seed in range(ROUNDS[dtype])]
    count = sum(each.count for each in found)
    mean = sum(each.mean * each.count for each in found) / count
    if not quick and dtype == "float64":
        x = points(name, dtype, SCREENED, seed=1)
        count += x.size
        found.append(accuracy(name, hardest(name, x)))
    worst = max(found, key=lambda each: each.worst)
    return Accuracy(name, dtype, worst.worst, mean, worst.at, count)


def hardest(name: str, x: Array) -> Array:
    """Return those arguments at which the function looks worst.

    It is compared with NumPy's in the longest type that the machine has, which need not be
    longer than float64: this only chooses, and mpmath measures.
    """
    with np.errstate(all="ignore"):
        rough = np.asarray(ORACLES[name].rough(x.astype(np.longdouble)))
        found = values(name, x)
        off = np.abs(found - rough) / np.spacing(np.abs(found))
    off[~np.isfinite(off)] = 0
    return x[np.argsort(off)[-KEPT:]]


def record(found: Iterable[Accuracy]) -> Path:
    """Write ``accuracy.toml``, which the emitted comments and the tests take their bounds from."""
    import tomli_w

    tables: dict[str, dict[str, Any]] = {}
    for each in found:
        tables.setdefault(each.name, {})[each.dtype] = {
            # Rounded first: 1.1 * 100 is a little more than 110.
            "worst": math.ceil(round(each.worst * 100, 6)) / 100,
            "mean": round(each.mean, 3),
            "at": each.at.hex(),
            "points": each.count,
        }
    return atomic_write(PATH, f"{_HEAD}\n{tomli_w.dumps(tables)}")

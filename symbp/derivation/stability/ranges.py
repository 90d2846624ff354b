"""From verdicts at single points to ranges: neighbours are joined, and both ends bisected."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np

from symbp.derivation.stability.numbers import Array

Kind = Literal["overflow", "nan", "cancellation", "not real", "too large"]
Verdict = tuple[Kind | None, float]
# Points -> what is wrong at each, and by how much.
Judge = Callable[[Array], list[Verdict]]

# A bisection takes so many steps at least, and ends when the end is known so well.
_STEPS, _MOST_STEPS, _NEAR = 10, 24, 2e-4
# Where a gap is looked into between two points; no numbers with few digits come of these.
_PARTS = (0.2247, 0.4719, 0.7183)
# At most so many numbers of a gap are asked for: each may take a millisecond or a second.
_PROBES = 8


class _Run(NamedTuple):
    """Neighbouring points with the same verdict: the positions of the first and the last."""

    kind: Kind | None
    first: int
    last: int
    error: float


def ranges(
    points: Array, verdicts: list[Verdict], judge: Judge, ends: bool
) -> Iterator[tuple[tuple[float, float], Kind, float]]:
    """Yield both ends, kind and largest error of every range in which something is wrong.

    Parameters
    ----------
    points : array, shape (n,)
        In ascending order.
    verdicts : list of (kind, error)
        The kind is None where nothing is wrong.
    judge : callable
        Gives the verdicts of further points.
    ends : bool
        Whether ends are bisected, and gaps looked into; else ends are among the points.
    """

    def at(x: float) -> Kind | None:
        return judge(np.array([x], points.dtype))[0][0]

    runs = _runs(verdicts)
    if ends:
        runs = _without_luck(runs, points, at)
    nearest = float(np.finfo(points.dtype).smallest_normal)
    for run in runs:
        if run.kind is None:
            continue

        def same(x: float, kind: Kind = run.kind) -> bool:
            return at(x) == kind

        low, high = float(points[run.first]), float(points[run.last])
        if ends:
            before, after = run.first - 1, run.last + 1
            low = _bisect(float(points[before]), low, same, nearest) if before >= 0 else -math.inf
            high = _bisect(float(points[after]), high, same, nearest) if after < len(points) else math.inf
        yield (low, high), run.kind, run.error


def _runs(verdicts: list[Verdict]) -> list[_Run]:
    found, position = [], 0
    for kind, group in itertools.groupby(verdicts, key=lambda verdict: verdict[0]):
        errors = [error for _, error in group]
        found.append(_Run(kind, position, position + len(errors) - 1, max(errors)))
        position += len(errors)
    return found


def _without_luck(runs: list[_Run], points: Array, at: Callable[[float], Kind | None]) -> list[_Run]:
    """Join two ranges of lost digits where what lies between them is right at the points alone.

    Where rounding decides, a value is right now and then, oftener still at powers of ten.
    """
    found: list[_Run] = []
    for run in runs:
        if len(found) > 1 and run.kind == found[-2].kind == "cancellation" and found[-1].kind is None:
            first, last = found[-2].last, run.first
            pairs = itertools.pairwise(points[first : last + 1].tolist())
            inner = [float(a + (b - a) * part) for a, b in pairs for part in _PARTS]
            inner = inner[:: -(-len(inner) // _PROBES)]
            if 3 * sum(at(x) == run.kind for x in inner) > len(inner):
                joined = _Run(run.kind, found[-2].first, run.last, max(found[-2].error, run.error))
                found[-2:] = [joined]
                continue
        found.append(run)
    return found


def _bisect(outside: float, inside: float, same: Callable[[float], bool], nearest: float) -> float:
    """Return the end of a range between two neighbouring points.

    Next to 0 numbers lie densest, so the way there leads over the `nearest` one to it.
    """
    if outside == 0:
        outside = math.copysign(nearest, inside)
        if same(outside):
            return 0.0
    elif inside == 0:
        beside = math.copysign(nearest, outside)
        if not same(beside):
            return 0.0
        inside = beside
    for step in range(_MOST_STEPS):
        middle = _between(outside, inside)
        known = step >= _STEPS and abs(inside - outside) <= _NEAR * abs(inside)
        if known or middle in (outside, inside):
            break
        if same(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _between(a: float, b: float) -> float:
    """Return the geometric mean of two numbers of one sign, else the mean."""
    if a and b and (a > 0) == (b > 0):
        return math.copysign(math.sqrt(abs(a)) * math.sqrt(abs(b)), a)
    return a / 2 + b / 2

"""Findings in words: one sentence for each thing that is wrong, with all its ranges."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from symbp.derivation.stability.scan import Finding, place

# Ranges are told as one where what lies between them is less than this factor wide: the scan's
# points are that far apart, and errors come and go between them.
_APART = 30.0
_SHOWN = 3


def told(findings: Iterable[Finding]) -> list[str]:
    """Return sentences such as "the derivative overflows for \\|z\\| >= 1.85e+19".

    Value and derivative that go wrong alike, and both sides of 0, are told together.
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    swallowed = []
    for finding in findings:
        if math.isnan(finding.low):
            swallowed.append(str(finding))
        else:
            groups.setdefault((finding.kind, finding.variable), []).append(finding)
    return [*dict.fromkeys(swallowed), *map(_sentence, groups.values())]


def _sentence(found: list[Finding]) -> str:
    of = " or ".join(name for name in ("value", "derivative") if any(f.of == name for f in found))
    worst = max(found, key=lambda f: f.error)
    places = [place(variable, low, high) for variable, low, high in _ranges(found)]
    more = f" and {len(places) - _SHOWN} more ranges" if len(places) > _SHOWN else ""
    return f"the {of} {worst.what} {', '.join(places[:_SHOWN])}{more}"


def _ranges(found: list[Finding]) -> list[tuple[str, float, float]]:
    """Return the joined ranges of one variable, or of its size where both signs have the same."""
    joined: list[Finding] = []
    for finding in sorted(found, key=lambda f: f.low):
        last = joined[-1] if joined else None
        if last is not None and _touch(last, finding):
            joined[-1] = dataclasses.replace(last, high=max(last.high, finding.high))
        else:
            joined.append(finding)
    variable = found[0].variable
    ranges = [(f.low, f.high) for f in joined]
    mirrored = all(any(_alike(low, -b) and _alike(high, -a) for a, b in ranges) for low, high in ranges)
    if not mirrored or (-math.inf, math.inf) in ranges:
        return [(variable, low, high) for low, high in ranges]
    sizes = [(max(low, 0.0), high) for low, high in ranges if high > 0]
    return [(f"|{variable}|", *size) for size in sizes] or [(variable, 0.0, 0.0)]


def _touch(a: Finding, b: Finding) -> bool:
    """Whether there is next to nothing between two ranges, the second of which starts later."""
    if b.low <= a.high:
        return True
    return (b.low > 0) == (a.high > 0) and abs(b.low) > 0 and 1 / _APART < abs(a.high / b.low) < _APART


def _alike(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=0.05)

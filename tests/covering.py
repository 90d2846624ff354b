"""Few combinations in which every pair of choices still meets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any


def every_pair(
    *choices: Sequence[Any], legal: Callable[..., bool] = lambda *chosen: True
) -> list[tuple[Any, ...]]:
    """Return combinations of one from each of the choices: every pair that some legal one has is in one.

    For tests of what is computed in parts that know nothing of each other: a fault that only three
    choices together show is not looked for. The combination with the most new pairs is taken next,
    the first of them in order.
    """
    every = [chosen for chosen in itertools.product(*choices) if legal(*chosen)]
    missing = {pair for chosen in every for pair in _pairs(chosen)}
    found = []
    while missing:
        best = max(every, key=lambda chosen: len(missing.intersection(_pairs(chosen))))
        found.append(best)
        missing.difference_update(_pairs(best))
    return found


def _pairs(chosen: tuple[Any, ...]) -> Iterator[Any]:
    return itertools.combinations(enumerate(chosen), 2)

"""Few combinations, and no pair is lost."""

from __future__ import annotations

import itertools

from tests.covering import every_pair


def test_every_legal_pair_is_there() -> None:
    choices = ("abcd", range(3), (True, False), "xy")

    def legal(a: str, n: int, yes: bool, x: str) -> bool:
        return not (a == "a" and n == 1) and not (yes and x == "x" and a == "b")

    found = every_pair(*choices, legal=legal)
    everything = [chosen for chosen in itertools.product(*choices) if legal(*chosen)]
    assert all(legal(*chosen) for chosen in found)
    assert len(found) < len(everything) / 2
    for one, two in itertools.combinations(range(4), 2):
        assert {(c[one], c[two]) for c in found} == {(c[one], c[two]) for c in everything}
    assert found == every_pair(*choices, legal=legal)

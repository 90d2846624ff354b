"""Products of small with long whole numbers in floating point are exact."""

from __future__ import annotations

import random

import numpy as np
import pytest

from symbp.render.exact_product import SMALL, product


@pytest.mark.parametrize("bits", [1, 23, 24, 25, 400, 1000])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (2, 70_000)])
def test_it_is_pythons_own_sum(rows: int, columns: int, bits: int) -> None:
    rng = random.Random(0)
    largest = SMALL - 1
    matrix = [
        [rng.choice((largest, -largest, rng.randint(-largest, largest))) for _ in range(columns)]
        for _ in range(rows)
    ]
    vector = [rng.choice((-1, 1)) * rng.getrandbits(bits) for _ in range(columns)]
    expected = [sum(map(int.__mul__, row, vector)) for row in matrix]
    assert product(np.array(matrix, float), vector) == expected


def test_the_largest_sum_that_may_occur() -> None:
    """All pieces full, all signs equal: the sums of one block still fit into 53 bits."""
    columns, number = 2**16, 2**480 - 1
    matrix = np.full((1, columns), SMALL - 1.0)
    assert product(matrix, [number] * columns) == [columns * (SMALL - 1) * number]


def test_nothing_and_zeros() -> None:
    assert product(np.empty((2, 0)), []) == [0, 0]
    assert product(np.ones((2, 3)), [0, 0, 0]) == [0, 0]

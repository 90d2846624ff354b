"""Which rows to train on and which to hold out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def held_out(n: int, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Return the rows to train on and the rows held out: `fraction` of all `n`, drawn by `seed`."""
    order = np.random.default_rng(seed).permutation(n)
    count = round(n * fraction)
    return np.sort(order[count:]), np.sort(order[:count])

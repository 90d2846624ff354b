"""A derivative as several methods give it, and each of them against each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbp.run.evaluate import Floats
from symbp.run.report import Row, relative_errors, worst


@dataclass(frozen=True)
class Way:
    """A derivative as one method gives it.

    Attributes
    ----------
    method : str
    values : ndarray, float64
        dJ/dw, shape (count,), dJ/dx, shape (n, count), or dh/dx, shape (n, outputs, count).
    at : ndarray of int, shape (count,)
        The positions of the weights, or inputs, that the last axis runs over, ascending.
    compiled : bool
        Whether it was computed by the kernels, in the trainer's dtype.
    """

    method: str
    values: Floats
    at: NDArray[np.int_]
    compiled: bool = False

    @classmethod
    def whole(cls, method: str, values: Floats, compiled: bool = False) -> Way:
        """Return a derivative by all weights, or all inputs."""
        return cls(method, values, np.arange(values.shape[-1]), compiled)


def pairs(
    quantity: str,
    ways: Sequence[Way],
    scale: Floats,
    place: Callable[..., str],
    tolerance: float,
    exact: float,
) -> Iterator[Row]:
    """Compare each way with each other, number by number where both have one.

    Parameters
    ----------
    quantity : str
    ways : sequence of Way
    scale : ndarray
        What errors are relative to, for each position.
    place : callable
        Names a number by its indices.
    tolerance, exact : float
        The largest relative error of a comparison with a kernel, and of one without.
    """
    for a, b in itertools.combinations(ways, 2):
        at, of_a, of_b = np.intersect1d(a.at, b.at, assume_unique=True, return_indices=True)
        errors = relative_errors(a.values[..., of_a], b.values[..., of_b], scale[at])
        error, flat = worst(errors)
        *others, last = (int(n) for n in np.unravel_index(flat, errors.shape))
        allowed = tolerance if a.compiled or b.compiled else exact
        yield Row(quantity, a.method, b.method, errors.size, error, place(*others, int(at[last])), allowed)

"""Weights and biases apart, as most libraries keep them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.bench.problem import Problem

Arrays = list[NDArray[Any]]


def split(problem: Problem) -> tuple[Arrays, Arrays]:
    """Return the transposed weights (N_{k-1}, N_k) and the biases (N_k,), as copies."""
    weights = [np.ascontiguousarray(matrix[:, :-1].T) for matrix in problem.weights]
    return weights, [matrix[:, -1].copy() for matrix in problem.weights]


def join(weights: Iterable[Any], biases: Iterable[Any]) -> Arrays:
    """Return W_1, ..., W_{L+1} with the bias in the last column."""
    return [np.column_stack([np.asarray(w).T, np.asarray(b)]) for w, b in zip(weights, biases, strict=True)]

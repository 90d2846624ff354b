"""The data and the start weights of a workload: the same for every implementation."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.bench import reference
from symbp.bench.workloads import LEARNING_RATE, Workload

COMPARED_STEPS = 3
# No weighted sum of the compared steps is nearer to the kink of relu: float32 could fall on
# its other side, and a right implementation would then look wrong.
CLEAR_OF_KINK = 1e-4


@dataclass(frozen=True)
class Problem:
    """A workload with its data.

    Attributes
    ----------
    workload : Workload
    X : ndarray, shape (steps * batch, N_0)
    labels : ndarray of int, shape (steps * batch,)
    Y : ndarray, shape (steps * batch, N_{L+1})
        The labels as rows of 0 and 1.
    weights : list of ndarray, W_k of shape (N_k, N_{k-1} + 1)
        The start, bias in the last column.
    """

    workload: Workload
    X: NDArray[Any]
    labels: NDArray[np.int64]
    Y: NDArray[Any]
    weights: list[NDArray[Any]]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.X.dtype

    @property
    def steps(self) -> int:
        return len(self.X) // self.workload.batch

    @property
    def flat(self) -> NDArray[Any]:
        """The start weights in one vector, row by row."""
        return np.concatenate([matrix.ravel() for matrix in self.weights])

    @property
    def wide(self) -> list[NDArray[Any]]:
        """The start weights in float64."""
        return [matrix.astype(np.float64) for matrix in self.weights]

    def first(self, steps: int) -> Problem:
        """Return the problem with the data of the first steps only."""
        n = steps * self.workload.batch
        return Problem(self.workload, self.X[:n], self.labels[:n], self.Y[:n], self.weights)

    def batch(self, step: int) -> slice:
        """Return the rows of a step."""
        return slice(step * self.workload.batch, (step + 1) * self.workload.batch)

    def batches(self, first: NDArray[Any], second: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Return the rows of both arrays for each step, as views."""
        return [(first[rows], second[rows]) for rows in map(self.batch, range(self.steps))]


def problem(workload: Workload, dtype: str) -> Problem:
    """Return random data and weights in which nothing saturates and nothing is subnormal."""
    rng = np.random.default_rng(0)
    n, sizes = workload.steps * workload.batch, workload.sizes
    X = rng.normal(size=(n, sizes[0])).astype(dtype)
    labels = rng.integers(sizes[-1], size=n)
    Y = np.eye(sizes[-1], dtype=dtype)[labels]
    weights = []
    for before, units in itertools.pairwise(sizes):
        matrix = rng.normal(scale=1 / np.sqrt(before), size=(units, before + 1))
        weights.append(matrix.astype(dtype))
    given = Problem(workload, X, labels, Y, weights)
    if workload.activation == "relu":
        _clear_of_kinks(given, rng)
    return given


def right_weights(given: Problem) -> list[NDArray[Any]]:
    """Return the weights after all steps of the problem, computed in float64."""
    weights = given.wide
    for number in range(given.steps):
        weights = _step(weights, given, number)
    return weights


def right_outputs(given: Problem) -> NDArray[Any]:
    """Return the outputs for all samples of the problem, computed in float64."""
    _, outputs = reference.weighted_sums(given.wide, given.X.astype(np.float64), given.workload.activation)
    return outputs


def _step(weights: list[NDArray[Any]], given: Problem, number: int) -> list[NDArray[Any]]:
    rows = given.batch(number)
    X, Y = given.X[rows].astype(np.float64), given.Y[rows].astype(np.float64)
    return reference.step(weights, X, Y, given.workload.activation, LEARNING_RATE)


def _clear_of_kinks(given: Problem, rng: np.random.Generator) -> None:
    """Draw those samples of the compared steps anew that come too near to a kink."""
    weights = given.wide
    for number in range(COMPARED_STEPS):
        X = given.X[given.batch(number)]
        while len(near := _near_kinks(weights, X)):
            X[near] = rng.normal(size=(len(near), X.shape[1])).astype(X.dtype)
        weights = _step(weights, given, number)


def _near_kinks(weights: list[NDArray[Any]], X: NDArray[Any]) -> NDArray[Any]:
    sums, _ = reference.weighted_sums(weights, X.astype(np.float64), "relu")
    nearest = [np.abs(layer).min(axis=1) for layer in sums]
    return np.flatnonzero(np.min(nearest, axis=0) < CLEAR_OF_KINK) if sums else np.empty(0, int)

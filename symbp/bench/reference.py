"""The right weights, in float64, and how far from them rounding may lead.

Written for the comparison alone: it shares no formula with symbp or with a peer. Weights
stand in one matrix with their biases, the whole Jacobian of softmax is applied, and nothing
is fused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrices = list[NDArray[Any]]

# Rounding of exp, tanh, log and the quotient of softmax, in units, for each layer: libraries
# differ by a few.
_FUNCTION_ROUNDINGS = 8
# Of an error that is the sum of many roundings: so many deviations happen once in 10^15.
_DEVIATIONS = 8


def weighted_sums(weights: Sequence[NDArray[Any]], X: Floats, activation: str) -> tuple[list[Floats], Floats]:
    """Return the weighted sums of the hidden layers, each (m, N_k), and softmax, (m, N_{L+1})."""
    sums = []
    o = X
    for matrix in weights[:-1]:
        sums.append(_with_one(o) @ matrix.T)
        o = np.tanh(sums[-1]) if activation == "tanh" else np.where(sums[-1] > 0, sums[-1], 0.0)
    last = _with_one(o) @ weights[-1].T
    powers = np.exp(last - last.max(axis=1, keepdims=True))
    return sums, powers / powers.sum(axis=1, keepdims=True)


def cost(weights: Sequence[NDArray[Any]], X: Floats, Y: Floats, activation: str) -> float:
    """Return the cross-entropy, averaged over the samples."""
    _, h = weighted_sums(weights, X, activation)
    return float(-np.sum(Y * np.log(h)) / len(X))


def gradient(weights: Sequence[NDArray[Any]], X: Floats, Y: Floats, activation: str) -> Matrices:
    """Return dJ/dW_k of every layer, bias in the last column."""
    sums, h = weighted_sums(weights, X, activation)
    by_h = -Y / h / len(X)
    softmax = h[:, :, None] * (np.eye(h.shape[1]) - h[:, None, :])
    by_sum = np.einsum("pq,pqr->pr", by_h, softmax)
    found: Matrices = []
    for k in reversed(range(len(weights))):
        if k == 0:
            below = X
        else:
            below = np.tanh(sums[k - 1]) if activation == "tanh" else sums[k - 1] * (sums[k - 1] > 0)
        found.insert(0, by_sum.T @ _with_one(below))
        if k:
            slope = 1 - np.tanh(sums[k - 1]) ** 2 if activation == "tanh" else sums[k - 1] > 0
            by_sum = by_sum @ weights[k][:, :-1] * slope
    return found


def step(
    weights: Sequence[NDArray[Any]], X: Floats, Y: Floats, activation: str, learning_rate: float
) -> Matrices:
    """Return the weights after one step of gradient descent."""
    by_weights = gradient(weights, X, Y, activation)
    return [w - learning_rate * g for w, g in zip(weights, by_weights, strict=True)]


def outputs_bound(weights: Sequence[NDArray[Any]], X: Floats, activation: str, dtype: np.dtype[Any]) -> float:
    """Return the largest error of an output, over the largest output, that rounding explains.

    Roundings are taken as independent, which makes the error of a sum of n products about
    sqrt(n) units of the root of its squared terms; variances then pass through the layers, which
    tanh and relu do not enlarge. An output of softmax is off, relatively, by at most twice the
    largest error of a weighted sum.
    """
    unit = float(np.finfo(dtype).eps) / 2
    o, variance = X, np.zeros_like(X)
    sums, _ = weighted_sums(weights, X, activation)
    for k, matrix in enumerate(weights):
        squares = matrix**2
        variance = variance @ squares[:, :-1].T
        variance += matrix.shape[1] * unit**2 * (_with_one(o) ** 2 @ squares.T)
        if k < len(sums):
            o = np.tanh(sums[k]) if activation == "tanh" else np.where(sums[k] > 0, sums[k], 0.0)
            variance += (_FUNCTION_ROUNDINGS * unit * o) ** 2
    terms = weights[-1].shape[0] + _FUNCTION_ROUNDINGS
    return float(2 * _DEVIATIONS * np.sqrt(variance.max()) + unit * terms)


def _with_one(o: Floats) -> Floats:
    return np.hstack([o, np.ones((len(o), 1))])


def largest_change(before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]]) -> float:
    """Return the largest difference of a weight; NaN where one of them is NaN."""
    return float(np.max([np.max(np.abs(b - a)) for a, b in zip(before, after, strict=True)]))


def relative_error(
    found: Sequence[NDArray[Any]], before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]]
) -> float:
    """Return the largest error of a weight over the largest change of one.

    An implementation that does nothing has the error 1, however small the steps are.
    Infinite if the shapes are not those of the network.
    """
    if [each.shape for each in found] != [each.shape for each in after]:
        return float("inf")
    error: float = largest_change(found, after) / largest_change(before, after)
    return error


def error_bound(
    before: Sequence[NDArray[Any]],
    after: Sequence[NDArray[Any]],
    batch: int,
    steps: int,
    dtype: np.dtype[Any],
) -> float:
    """Return the largest relative error that rounding explains, to first order in its unit.

    A weight is rounded once a step. A gradient is a chain of sums, through the layers there
    and back and over the samples; each of its terms is rounded, and so are the functions.
    """
    unit = float(np.finfo(dtype).eps) / 2
    shapes = [matrix.shape for matrix in after]
    terms = sum(columns for _, columns in shapes) + sum(rows for rows, _ in shapes[1:]) + batch
    largest = max(float(np.max(np.abs(matrix))) for matrix in after)
    of_weights = steps * largest / largest_change(before, after)
    bound: float = unit * (of_weights + terms + _FUNCTION_ROUNDINGS * len(shapes))
    return bound

"""BLAS inside Numba: hand-written backpropagation with ``np.dot`` into arrays that are there already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from symbp.bench.peers.interface import Predicting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


@njit(fastmath={"contract"})
def _forward(x, T, b, O, tanh):  # type: ignore[no-untyped-def]
    """Fill the outputs O_k of the hidden layers, and the weighted sums of the last."""
    for k in range(len(T)):
        o = O[k]
        np.dot(x if k == 0 else O[k - 1], T[k], o)
        for p in range(o.shape[0]):
            for s in range(o.shape[1]):
                z = o[p, s] + b[k][s]
                if k == len(T) - 1:
                    o[p, s] = z
                elif tanh:
                    o[p, s] = math.tanh(z)
                else:
                    o[p, s] = z if z > 0 else z * 0


@njit(fastmath={"contract"})
def _softmax(z, share, h):  # type: ignore[no-untyped-def]
    """Fill h with softmax of every row of z, times the share."""
    for p in range(z.shape[0]):
        top = z[p, 0]
        for q in range(1, z.shape[1]):
            top = max(top, z[p, q])
        total = top * 0
        for q in range(z.shape[1]):
            h[p, q] = math.exp(z[p, q] - top)
            total += h[p, q]
        scale = share / total
        for q in range(z.shape[1]):
            h[p, q] *= scale


@njit(fastmath={"contract"})
def _predict(epochs, X, T, b, O, H, tanh, one):  # type: ignore[no-untyped-def]
    """Fill H, batch after batch; `one` is 1 in the type of the data."""
    batch = O[0].shape[0]
    for _ in range(epochs):
        for start in range(0, len(X), batch):
            _forward(X[start : start + batch], T, b, O, tanh)
            _softmax(O[len(T) - 1], one, H[start : start + batch])


@njit(fastmath={"contract"})
def _train(epochs, X, labels, T, b, O, D, G, tanh, rates):  # type: ignore[no-untyped-def]
    """Train; T_k = W_k^T, O_k and D_k are outputs and sensitivities of layer k, G_k is dJ/dT_k.

    `rates` are the learning rate and 1/batch, in the type of the data.
    """
    batch, last = O[0].shape[0], len(T) - 1
    rate, share = rates
    for _ in range(epochs):
        for start in range(0, len(X), batch):
            x = X[start : start + batch]
            _forward(x, T, b, O, tanh)
            d = D[last]
            _softmax(O[last], share, d)
            for p in range(batch):
                d[p, labels[start + p]] -= share
            for k in range(last, -1, -1):
                d = D[k]
                np.dot((x if k == 0 else O[k - 1]).T, d, G[k])
                if k > 0:
                    below, o = D[k - 1], O[k - 1]
                    np.dot(d, T[k].T, below)
                    for p in range(batch):
                        for s in range(o.shape[1]):
                            if tanh:
                                below[p, s] *= 1 - o[p, s] * o[p, s]
                            elif o[p, s] <= 0:
                                below[p, s] = 0
                t, g = T[k], G[k]
                for i in range(t.shape[0]):
                    for s in range(t.shape[1]):
                        t[i, s] -= rate * g[i, s]
                for s in range(t.shape[1]):
                    total = d[0, s]
                    for p in range(1, batch):
                        total += d[p, s]
                    b[k][s] -= rate * total


class Peer(Training):
    """All arrays are made once; the loop over epochs and batches is compiled."""

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._outputs, self._deltas = _layers(problem), _layers(problem)
        batch = problem.workload.batch
        kind = problem.dtype.type
        self._rates = (kind(LEARNING_RATE), kind(1 / batch))
        self.reset()

    def reset(self) -> None:
        weights, biases = split(self.problem)
        self._w, self._b = tuple(weights), tuple(biases)
        self._gradients = tuple(np.empty_like(w) for w in weights)

    def run(self, epochs: int) -> None:
        _train(
            epochs,
            self.problem.X,
            self.problem.labels,
            self._w,
            self._b,
            self._outputs,
            self._deltas,
            self._gradients,
            self.workload.activation == "tanh",
            self._rates,
        )

    def weights(self) -> Arrays:
        return join(self._w, self._b)


class Predictor(Predicting):
    """The same forward pass, in a compiled loop over the batches."""

    def place(self, problem: Problem) -> None:
        self.problem = problem
        weights, biases = split(problem)
        self._w, self._b = tuple(weights), tuple(biases)
        self._layers, self._outputs = _layers(problem), np.empty_like(problem.Y)

    def run(self, epochs: int) -> None:
        tanh, one = self.workload.activation == "tanh", self.problem.dtype.type(1)
        _predict(epochs, self.problem.X, self._w, self._b, self._layers, self._outputs, tanh, one)


def _layers(problem: Problem) -> Any:
    """Return an array for a batch of every layer."""
    batch, units = problem.workload.batch, problem.workload.sizes[1:]
    return tuple(np.empty((batch, n), problem.dtype) for n in units)

"""Plain NumPy, a batch at a time: what one writes by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.bench.peers.interface import Predicting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


class Peer(Training):
    """Matrix products through NumPy's BLAS, everything else array by array."""

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._batches = problem.batches(problem.X, problem.Y)
        self._rate = problem.dtype.type(LEARNING_RATE)
        self._share = problem.dtype.type(1 / problem.workload.batch)
        self.reset()

    def reset(self) -> None:
        self._w, self._b = split(self.problem)

    def run(self, epochs: int) -> None:
        step = self._step_tanh if self.workload.activation == "tanh" else self._step_relu
        for _ in range(epochs):
            for x, y in self._batches:
                step(x, y)

    def _step_relu(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        outputs = [x]
        for w, b in zip(self._w[:-1], self._b[:-1], strict=True):
            outputs.append(np.maximum(outputs[-1] @ w + b, 0))
        delta = self._delta(outputs[-1], y)
        for k in range(len(self._w) - 1, -1, -1):
            below = (delta @ self._w[k].T) * (outputs[k] > 0) if k else delta
            self._update(k, outputs[k], delta)
            delta = below

    def _step_tanh(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        outputs = [x]
        for w, b in zip(self._w[:-1], self._b[:-1], strict=True):
            outputs.append(np.tanh(outputs[-1] @ w + b))
        delta = self._delta(outputs[-1], y)
        for k in range(len(self._w) - 1, -1, -1):
            below = (delta @ self._w[k].T) * (1 - outputs[k] * outputs[k]) if k else delta
            self._update(k, outputs[k], delta)
            delta = below

    def _delta(self, o: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
        z = o @ self._w[-1] + self._b[-1]
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        delta: NDArray[Any] = (powers / powers.sum(axis=1, keepdims=True) - y) * self._share
        return delta

    def _update(self, k: int, o: NDArray[Any], delta: NDArray[Any]) -> None:
        self._w[k] -= self._rate * (o.T @ delta)
        self._b[k] -= self._rate * delta.sum(axis=0)

    def weights(self) -> Arrays:
        return join(self._w, self._b)


class Predictor(Predicting):
    """The forward pass of a batch, array by array."""

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._w, self._b = split(problem)
        self._outputs = np.empty_like(problem.Y)
        self._batches = problem.batches(problem.X, self._outputs)

    def run(self, epochs: int) -> None:
        tanh = self.workload.activation == "tanh"
        for _ in range(epochs):
            for x, h in self._batches:
                o = x
                for w, b in zip(self._w[:-1], self._b[:-1], strict=True):
                    z = o @ w + b
                    o = np.tanh(z) if tanh else np.maximum(z, 0)
                z = o @ self._w[-1] + self._b[-1]
                powers = np.exp(z - z.max(axis=1, keepdims=True))
                np.divide(powers, powers.sum(axis=1, keepdims=True), out=h)

"""PyTensor in its Numba mode: one compiled function a step, weights in shared variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from symbp.bench.peers.interface import Setting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


class Peer(Training):
    """Gradients by ``pytensor.grad``; the arguments are trusted, which saves their checks."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        workload, dtype = setting.workload, setting.dtype
        x, y = (
            pt.tensor("x", shape=(None, workload.sizes[0]), dtype=dtype),
            pt.tensor("y", shape=(None, workload.sizes[-1]), dtype=dtype),
        )
        pairs = zip(workload.sizes[:-1], workload.sizes[1:], strict=True)
        shapes: list[tuple[int, ...]] = [(m, n) for m, n in pairs]
        self._w: Any = [pytensor.shared(np.zeros(shape, dtype)) for shape in shapes]
        self._b: Any = [pytensor.shared(np.zeros(shape[1], dtype)) for shape in shapes]
        o: Any = x
        for w, b in zip(self._w[:-1], self._b[:-1], strict=True):
            z = o @ w + b
            o = pt.tanh(z) if workload.activation == "tanh" else pt.maximum(z, 0)
        logs = pt.special.log_softmax(o @ self._w[-1] + self._b[-1], axis=1)
        cost = -pt.sum(y * logs) * np.dtype(dtype).type(1 / workload.batch)
        parameters = [*self._w, *self._b]
        rate = np.dtype(dtype).type(LEARNING_RATE)
        updates = [
            (p, p - rate * g) for p, g in zip(parameters, pytensor.grad(cost, parameters), strict=True)
        ]
        self._step = pytensor.function([x, y], [], updates=updates, mode="NUMBA")
        self._step.trust_input = True

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._batches = problem.batches(problem.X, problem.Y)
        self.reset()

    def reset(self) -> None:
        weights, biases = split(self.problem)
        for shared, value in zip([*self._w, *self._b], [*weights, *biases], strict=True):
            shared.set_value(value)

    def run(self, epochs: int) -> None:
        step = self._step
        for _ in range(epochs):
            for x, y in self._batches:
                step(x, y)

    def weights(self) -> Arrays:
        return join([w.get_value() for w in self._w], [b.get_value() for b in self._b])

"""JAX at its best: a whole epoch in one compiled ``lax.scan`` or ``lax.map``, gradients by ``jax.grad``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from symbp.bench.peers.interface import Predicting, Setting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE

# Types are then what they are declared; float32 stays float32.
jax.config.update("jax_enable_x64", True)


class Peer(Training):
    """One compiled call an epoch."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        last_sums = _network(self.workload.activation)

        def cost(parameters: Any, x: Any, y: Any) -> Any:
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(last_sums(parameters, x)), axis=1))

        def step(parameters: Any, batch: Any) -> Any:
            gradient = jax.grad(cost)(parameters, *batch)
            return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradient), None

        self._epoch = jax.jit(lambda parameters, batches: jax.lax.scan(step, parameters, batches)[0])

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._batches = (_batches(problem, problem.X), _batches(problem, problem.Y))
        self.reset()

    def reset(self) -> None:
        self._parameters = _parameters(self.problem)
        jax.block_until_ready((self._parameters, self._batches))

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            self._parameters = self._epoch(self._parameters, self._batches)
        jax.block_until_ready(self._parameters)

    def weights(self) -> Arrays:
        return join(*zip(*self._parameters, strict=True))


class Predictor(Predicting):
    """One compiled call for all batches."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        last_sums = _network(self.workload.activation)

        def outputs(parameters: Any, x: Any) -> Any:
            return jax.nn.softmax(last_sums(parameters, x))

        self._predict = jax.jit(lambda given, batches: jax.lax.map(lambda x: outputs(given, x), batches))

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._batches, self._parameters = _batches(problem, problem.X), _parameters(problem)
        jax.block_until_ready((self._parameters, self._batches))

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            self._outputs = jax.block_until_ready(self._predict(self._parameters, self._batches))

    def outputs(self) -> NDArray[Any]:
        return np.asarray(self._outputs).reshape(self.problem.Y.shape)


def _network(activation: str) -> Callable[[Any, Any], Any]:
    """Return parameters, inputs -> weighted sums of the last layer."""
    activate = jnp.tanh if activation == "tanh" else jax.nn.relu

    def last_sums(parameters: Any, x: Any) -> Any:
        *hidden, (w, b) = parameters
        for w_k, b_k in hidden:
            x = activate(x @ w_k + b_k)
        return x @ w + b

    return last_sums


def _batches(problem: Problem, rows: NDArray[Any]) -> Any:
    return jnp.asarray(rows.reshape(problem.steps, problem.workload.batch, -1))


def _parameters(problem: Problem) -> Any:
    weights, biases = split(problem)
    return [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases, strict=True)]

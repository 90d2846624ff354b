"""JAX at its best: a whole epoch in one compiled ``lax.scan``, gradients by ``jax.grad``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from symbp.bench.peers.interface import Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE, Workload

# Types are then what they are declared; float32 stays float32.
jax.config.update("jax_enable_x64", True)


class Peer(Training):
    """One compiled call an epoch."""

    def __init__(self, workload: Workload, dtype: str, threads: int, folder: Path) -> None:
        super().__init__(workload, dtype, threads, folder)
        activate = jnp.tanh if workload.activation == "tanh" else jax.nn.relu

        def cost(parameters: Any, x: Any, y: Any) -> Any:
            *hidden, (w, b) = parameters
            o = x
            for w_k, b_k in hidden:
                o = activate(o @ w_k + b_k)
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(o @ w + b), axis=1))

        def step(parameters: Any, batch: Any) -> Any:
            gradient = jax.grad(cost)(parameters, *batch)
            return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradient), None

        self._epoch = jax.jit(lambda parameters, batches: jax.lax.scan(step, parameters, batches)[0])

    def place(self, problem: Problem) -> None:
        self.problem = problem
        shape = (problem.steps, problem.workload.batch, -1)
        self._batches = (jnp.asarray(problem.X.reshape(shape)), jnp.asarray(problem.Y.reshape(shape)))
        self.reset()

    def reset(self) -> None:
        weights, biases = split(self.problem)
        pairs = zip(weights, biases, strict=True)
        self._parameters: Any = [(jnp.asarray(w), jnp.asarray(b)) for w, b in pairs]
        jax.block_until_ready((self._parameters, self._batches))

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            self._parameters = self._epoch(self._parameters, self._batches)
        jax.block_until_ready(self._parameters)

    def weights(self) -> Arrays:
        return join(*zip(*self._parameters, strict=True))

"""PyTorch compiled: the whole step, gradient and update included, in one ``torch.compile``."""

from __future__ import annotations

from typing import Any

import torch

from symbp.bench.peers.interface import Setting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


class Peer(Training):
    """An epoch is a Python loop over calls of the compiled step."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        torch.set_num_threads(setting.threads)
        activate = torch.tanh if self.workload.activation == "tanh" else torch.relu

        def cost(parameters: Any, x: Any, labels: Any) -> Any:
            *hidden, (w, b) = parameters
            o = x
            for w_k, b_k in hidden:
                o = activate(torch.addmm(b_k, o, w_k))
            return torch.nn.functional.cross_entropy(torch.addmm(b, o, w), labels)

        def step(parameters: Any, x: Any, labels: Any) -> None:
            gradient = torch.func.grad(cost)(parameters, x, labels)
            for pair, by_pair in zip(parameters, gradient, strict=True):
                for p, g in zip(pair, by_pair, strict=True):
                    p.sub_(g, alpha=LEARNING_RATE)

        torch.compiler.reset()  # the compiled steps of other workloads count against a limit
        self._step = torch.compile(step, fullgraph=True, dynamic=False)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        x, labels = torch.from_numpy(problem.X), torch.from_numpy(problem.labels)
        batch = problem.workload.batch
        self._batches = list(zip(x.split(batch), labels.split(batch), strict=True))
        weights, biases = split(problem)
        pairs = zip(weights, biases, strict=True)
        self._parameters = tuple((torch.from_numpy(w), torch.from_numpy(b)) for w, b in pairs)

    def reset(self) -> None:
        weights, biases = split(self.problem)
        for (w, b), start, start_b in zip(self._parameters, weights, biases, strict=True):
            w.copy_(torch.from_numpy(start))
            b.copy_(torch.from_numpy(start_b))

    def run(self, epochs: int) -> None:
        step, parameters = self._step, self._parameters
        with torch.no_grad():
            for _ in range(epochs):
                for x, labels in self._batches:
                    step(parameters, x, labels)

    def weights(self) -> Arrays:
        return join([w.numpy() for w, _ in self._parameters], [b.numpy() for _, b in self._parameters])

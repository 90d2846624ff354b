"""PyTorch eager: modules, and the update by hand, which takes less than ``torch.optim.SGD``."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch

from symbp.bench.peers.interface import Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE, Workload


class Peer(Training):
    """An epoch is a Python loop over the batches, which are there as tensors."""

    def __init__(self, workload: Workload, dtype: str, threads: int, folder: Path) -> None:
        super().__init__(workload, dtype, threads, folder)
        torch.set_num_threads(threads)
        self._linear = [
            torch.nn.Linear(before, units, dtype=getattr(torch, dtype))
            for before, units in itertools.pairwise(workload.sizes)
        ]
        activation = torch.nn.Tanh if workload.activation == "tanh" else torch.nn.ReLU
        parts = [part for linear in self._linear for part in (linear, activation())]
        self.model = torch.nn.Sequential(*parts[:-1])

    def place(self, problem: Problem) -> None:
        self.problem = problem
        x, labels = torch.from_numpy(problem.X), torch.from_numpy(problem.labels)
        batch = problem.workload.batch
        self._batches = list(zip(x.split(batch), labels.split(batch), strict=True))
        self.reset()

    def reset(self) -> None:
        weights, biases = split(self.problem)
        with torch.no_grad():
            for linear, w, b in zip(self._linear, weights, biases, strict=True):
                linear.weight.copy_(torch.from_numpy(w).T)
                linear.bias.copy_(torch.from_numpy(b))

    def run(self, epochs: int) -> None:
        model, cost = self.model, torch.nn.functional.cross_entropy
        parameters = list(model.parameters())
        for _ in range(epochs):
            for x, labels in self._batches:
                gradient = torch.autograd.grad(cost(model(x), labels), parameters)
                with torch.no_grad():
                    for p, g in zip(parameters, gradient, strict=True):
                        p.sub_(g, alpha=LEARNING_RATE)

    def weights(self) -> Arrays:
        linear = self._linear
        return join([m.weight.detach().numpy().T for m in linear], [m.bias.detach().numpy() for m in linear])

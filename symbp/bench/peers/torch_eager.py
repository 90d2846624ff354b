"""PyTorch eager: modules, and the update by hand, which takes less than ``torch.optim.SGD``."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from numpy.typing import NDArray

from symbp.bench.peers.interface import Predicting, Setting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


class Peer(Training):
    """An epoch is a Python loop over the batches, which are there as tensors."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._linear = _layers(setting)
        self.model = _model(setting, self._linear)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        x, labels = torch.from_numpy(problem.X), torch.from_numpy(problem.labels)
        batch = problem.workload.batch
        self._batches = list(zip(x.split(batch), labels.split(batch), strict=True))
        self.reset()

    def reset(self) -> None:
        _set(self._linear, self.problem)

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


class Predictor(Predicting):
    """A call of the modules for each batch, in inference mode."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._linear = _layers(setting)
        self.model = torch.nn.Sequential(*_model(setting, self._linear), torch.nn.Softmax(dim=1))

    def place(self, problem: Problem) -> None:
        _set(self._linear, problem)
        self._tensor = torch.empty(problem.Y.shape, dtype=getattr(torch, self.dtype))
        batch = problem.workload.batch
        x = torch.from_numpy(problem.X)
        self._batches = list(zip(x.split(batch), self._tensor.split(batch), strict=True))

    def run(self, epochs: int) -> None:
        model = self.model
        with torch.inference_mode():
            for _ in range(epochs):
                for x, h in self._batches:
                    h.copy_(model(x))

    def outputs(self) -> NDArray[Any]:
        found: NDArray[Any] = self._tensor.numpy()
        return found


def _layers(setting: Setting) -> list[torch.nn.Linear]:
    torch.set_num_threads(setting.threads)
    sizes, dtype = setting.workload.sizes, getattr(torch, setting.dtype)
    return [torch.nn.Linear(before, units, dtype=dtype) for before, units in itertools.pairwise(sizes)]


def _model(setting: Setting, linear: list[torch.nn.Linear]) -> torch.nn.Sequential:
    """Return the network up to the weighted sums of its last layer."""
    activation = torch.nn.Tanh if setting.workload.activation == "tanh" else torch.nn.ReLU
    parts = [part for layer in linear for part in (layer, activation())]
    return torch.nn.Sequential(*parts[:-1])


def _set(linear: list[torch.nn.Linear], problem: Problem) -> None:
    """Give the layers the weights of the problem."""
    weights, biases = split(problem)
    with torch.no_grad():
        for layer, w, b in zip(linear, weights, biases, strict=True):
            layer.weight.copy_(torch.from_numpy(w).T)
            layer.bias.copy_(torch.from_numpy(b))

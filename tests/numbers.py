"""Networks with numbers: weights, biases, functions and data, laid out as nobody in particular does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Plain:
    """A network with weights and data: W[k] is N_k x N_{k-1}, b[k] is None without biases."""

    widths: tuple[int, ...]
    W: dict[int, Any]
    b: dict[int, Any]
    hidden: dict[int, Callable[[Any], Any]]
    output: Callable[[Any], Any]
    cost: Callable[[Any, Any], Any]
    X: Any
    Y: Any

    @property
    def last(self) -> int:
        return len(self.widths) - 1

    def activate(self, layer: int, sums: Any) -> Any:
        return self.output(sums) if layer == self.last else self.hidden[layer](sums)


def softmax(z: Any) -> Any:
    return np.exp(z) / np.sum(np.exp(z))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def identity(z: Any) -> Any:
    return z + 0.0


def plain(
    widths: Sequence[int],
    biases: Sequence[bool],
    hidden: Sequence[Callable[[Any], Any]],
    output: Callable[[Any], Any],
    cost: Callable[[Any, Any], Any],
    seed: int = 5,
) -> Plain:
    """Return a network with random weights and two samples; targets sum to one."""
    rng = np.random.default_rng(seed)
    layers = range(1, len(widths))
    Y = rng.uniform(0.1, 1, (2, widths[-1]))
    return Plain(
        tuple(widths),
        {k: rng.normal(size=(widths[k], widths[k - 1])) for k in layers},
        {k: rng.normal(size=widths[k]) if biases[k - 1] else None for k in layers},
        dict(enumerate(hidden, start=1)),
        output,
        cost,
        rng.normal(size=(2, widths[0])),
        Y / Y.sum(axis=1, keepdims=True) if widths[-1] > 1 else Y,
    )

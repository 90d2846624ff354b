"""Mistakes of layout: the right numbers in the wrong places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats


def of_layout(network: Network, right: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield each mistake with the gradient that it gives, shape (n_params,)."""
    matrices = plain.unpack(network, right)
    yield from _transposed(matrices, [size - network.has_bias(k) for k, size in _columns(matrices)], "")
    yield from _transposed(matrices, [size for _, size in _columns(matrices)], ", with the bias")
    yield (
        "the matrices are flattened column by column instead of row by row",
        np.concatenate([matrix.ravel(order="F") for matrix in matrices]),
    )
    yield from _of_biases(network, matrices)
    if len(matrices) > 1:
        yield "the layers stand in reverse order", _flat(matrices[::-1])


def _columns(matrices: list[Floats]) -> Iterator[tuple[int, int]]:
    """Yield each layer with the number of columns of its matrix."""
    return ((k, matrix.shape[1]) for k, matrix in enumerate(matrices, 1))


def _transposed(matrices: list[Floats], columns: list[int], besides: str) -> Iterator[tuple[str, Floats]]:
    """The first columns of one matrix, which are a square, are transposed, or those of each."""
    turned = {}
    for layer, (matrix, size) in enumerate(zip(matrices, columns, strict=True), 1):
        if len(matrix) == size > 1:
            turned[layer] = matrix.copy()
            turned[layer][:, :size] = matrix[:, :size].T
            yield (
                f"the gradient of W_{layer} is transposed{besides}",
                _flat([turned[layer] if n == layer else m for n, m in enumerate(matrices, 1)]),
            )
    if len(turned) > 1:
        names = "all W" if len(turned) == len(matrices) else "all square W"
        yield (
            f"the gradients of {names} are transposed{besides}",
            _flat([turned.get(n, m) for n, m in enumerate(matrices, 1)]),
        )


def _of_biases(network: Network, matrices: list[Floats]) -> Iterator[tuple[str, Floats]]:
    biased = network.biases
    if not any(biased):
        return
    first = [np.roll(m, 1, axis=1) if b else m for m, b in zip(matrices, biased, strict=True)]
    yield "the bias is the first column of each W instead of the last", _flat(first)
    none = [
        m * np.append(np.ones(m.shape[1] - 1), 0) if b else m for m, b in zip(matrices, biased, strict=True)
    ]
    yield "the gradients of the biases are 0", _flat(none)
    ones = [
        np.where(np.arange(m.shape[1]) == m.shape[1] - 1, 1.0, m) if b else m
        for m, b in zip(matrices, biased, strict=True)
    ]
    yield "the gradients of the biases are 1: the factor delta is missing", _flat(ones)
    apart = [*(m[:, :-1] if b else m for m, b in zip(matrices, biased, strict=True))]
    apart += [m[:, -1:] for m, b in zip(matrices, biased, strict=True) if b]
    yield "all biases stand behind all other weights", _flat(apart)


def _flat(matrices: list[Floats]) -> Floats:
    return np.concatenate([matrix.ravel() for matrix in matrices])

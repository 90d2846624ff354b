"""The drawing of a small network: where each neuron stands, and what is written in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy

from symbp.algebra.nodes import output, prediction

if TYPE_CHECKING:
    from symbp.network import Network
    from symbp.notation.writer import Writer

MAX_NEURONS = 8
MAX_LAYERS = 6

# Centimetres on an A4 page with 25 mm margins.
WIDTH = 13.5
LAYER_DISTANCE = 3.2
NEURON_DISTANCE = 1.0


@dataclass(frozen=True)
class Neuron:
    """One circle of the drawing."""

    name: str
    x: str
    y: str
    label: str
    bias: bool


@dataclass(frozen=True)
class Drawing:
    """Circles, arrows between their names, and a caption below each layer."""

    neurons: tuple[Neuron, ...]
    arrows: tuple[tuple[str, str], ...]
    captions: tuple[tuple[str, str, str], ...]


def is_small(network: Network) -> bool:
    """Return whether a drawing with every neuron is readable."""
    return len(network.sizes) <= MAX_LAYERS and max(network.sizes) <= MAX_NEURONS


def draw(network: Network, writer: Writer) -> Drawing:
    """Return the drawing of a network in the writer's notation.

    As in figure 1.2 of 000, the bias neuron stands last in its layer and nothing leads to it; it
    stands first where its number is 0, and is not drawn where biases have a letter of their own.
    """
    layers = [_layer(network, k, writer) for k in range(len(network.sizes))]
    arrows = [
        (before.name, after.name)
        for left, right in pairwise(layers)
        for before in left
        for after in right
        if not after.bias
    ]
    lowest = -(max(map(len, layers)) - 1) / 2 * NEURON_DISTANCE - 0.9
    captions = [
        (layer[0].x, f"{lowest:.2f}", caption)
        for layer, caption in zip(layers, _captions(network), strict=True)
    ]
    return Drawing(tuple(n for layer in layers for n in layer), tuple(arrows), tuple(captions))


def _layer(network: Network, k: int, writer: Writer) -> list[Neuron]:
    last = network.hidden + 1
    distance = min(LAYER_DISTANCE, WIDTH / last)
    label = _labels(network, writer)
    labels = [(label(k, n), False) for n in range(1, network.sizes[k] + 1)]
    mode = writer.notation.bias
    if k < last and network.has_bias(k + 1) and mode != "separate":
        labels.insert(0 if mode == "first" else len(labels), ("1", True))
    top = (len(labels) - 1) / 2 * NEURON_DISTANCE
    return [
        Neuron(
            f"n{k}-{n}",
            f"{k * distance:.2f}",
            f"{top - n * NEURON_DISTANCE:.2f}",
            text,
            bias,
        )
        for n, (text, bias) in enumerate(labels)
    ]


def _labels(network: Network, writer: Writer) -> Callable[[int, int], str]:
    last = network.hidden + 1

    def label(k: int, n: int) -> str:
        layer, neuron = sympy.Integer(k), sympy.Integer(n)
        return writer.expression(prediction(neuron, layer=layer) if k == last else output(layer, neuron))

    return label


def _captions(network: Network) -> list[str]:
    return ["inputs", *(layer.activation.name for layer in network.layers)]

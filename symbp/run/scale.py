"""How large a difference of two derivatives is large: the scale of their relative error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats
from symbp.run.paths import plain_tape
from symbp.run.point import Point

LAYER_SHARE = 0.1
NETWORK_SHARE = 1e-6
CHANGES = 3
CHANGE = 1e-7


def gradient_scale(network: Network, point: Point, rng: np.random.Generator) -> Floats:
    """Return, for each weight, the size below which a derivative counts as small.

    A derivative is a sum over samples and paths. Where the terms cancel, its rounding
    error stays that of the terms, so that an error relative to the sum alone would
    condemn right answers. How much cancels is measured: weights and data are changed by
    a relative 1e-7 at random, which is what rounding does on a smaller scale, and the
    change of the gradient per relative change is its size before cancellation. The scale
    is a tenth of the layer's largest size, and, for a layer in which all is small, a
    millionth of the network's largest. In float64 a wrong sign or factor thus remains
    visible in a derivative of 1e-13 of that size.

    Parameters
    ----------
    network : Network
    point : Point
    rng : Generator

    Returns
    -------
    ndarray, shape (n_params,)
    """
    sizes = sizes_before_cancellation(lambda at: plain_tape(network, at).values, point, rng)
    floor = NETWORK_SHARE * np.max(sizes)
    layers = plain.unpack(network, sizes)
    return np.concatenate([np.full(each.size, max(LAYER_SHARE * np.max(each), floor)) for each in layers])


def sizes_before_cancellation(
    derivative: Callable[[Point], Floats], point: Point, rng: np.random.Generator
) -> Floats:
    """Return how large each derivative is before its terms cancel: see :func:`gradient_scale`."""
    values = derivative(point)
    sizes: Floats = np.abs(values)
    for _ in range(CHANGES):
        sizes = np.maximum(sizes, np.abs(derivative(_changed(point, rng)) - values) / CHANGE)
    return sizes


def _changed(point: Point, rng: np.random.Generator) -> Point:
    def change(values: Floats) -> Floats:
        return values * (1 + CHANGE * rng.choice([-1.0, 1.0], size=values.shape))

    return replace(point, w=change(point.w), X=change(point.X), Y=change(point.Y), v=change(point.v))

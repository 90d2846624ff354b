"""g' of another function: what is tried without deriving anything anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from symbp.functions import ACTIVATIONS
from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import evaluate
from symbp.run.point import Point
from symbp.run.tape import Variable, gradient

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspect:
    """One mistake and the gradient that it gives, shape (n_params,)."""

    reason: str
    gradient: Floats


def slopes_of_others(network: Network, point: Point, layers: tuple[int, ...]) -> Iterator[Suspect]:
    """g' of another function, in one layer or in all hidden ones.

    There are many other functions, so nothing is derived anew: the plain network is differentiated
    on a tape that takes the other slope for the layer's.
    """
    hidden = tuple(range(1, network.hidden + 1))
    where: list[tuple[int, ...]] = [(layer,) for layer in layers[-1:] if not is_of_layer(network, layer)]
    where += [hidden] if len(hidden) > 1 else []
    for name, record in ACTIVATIONS.items():
        if record.of_layer:
            continue
        slope = sympy.diff(record.expression(), plain.Z)
        slope = slope.rewrite(sympy.Piecewise) if slope.has(sympy.sign) else slope
        for chosen in where:
            place = f"layer {chosen[0]}" if len(chosen) == 1 else "every hidden layer"
            yield Suspect(f"g' of {place} is that of {name}", _with_slope(network, point, chosen, slope))


def is_of_layer(network: Network, layer: int) -> bool:
    return network.layer(layer).activation.of_layer


def _with_slope(network: Network, point: Point, chosen: tuple[int, ...], slope: Any) -> Floats:
    w = Variable(point.w)
    o: Any = point.X
    for k, matrix in enumerate(plain.unpack(network, w), 1):
        c = plain.weighted_sums(network, k, matrix, o)
        o = plain.activate(network, k, c)
        if k in chosen:
            with np.errstate(all="ignore"):
                factor = np.broadcast_to(evaluate(slope, {plain.Z: c.value}), c.value.shape)
            o = c.passed(o.value, factor)
    costs = evaluate(network.cost.expression(), {plain.H: o, plain.Y: point.Y})
    if network.weighted:
        costs = costs * point.v[:, None]
    return gradient(np.sum(costs) / len(point.X), w)

"""g' of another function, or another cost: what is tried without deriving anything anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbp.derivation.local import O, derivative_in_output
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.records import Cost
from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats, evaluate
from symbp.run.point import Point
from symbp.run.slips_in_slopes import slips
from symbp.run.tape import Variable, gradient


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
    every = (*hidden, network.hidden + 1)
    if hidden and not any(is_of_layer(network, layer) for layer in every):
        where.append(every)
    for name, record in ACTIVATIONS.items():
        if record.of_layer:
            continue
        slope = sympy.diff(record.expression(), plain.Z)
        slope = slope.rewrite(sympy.Piecewise) if slope.has(sympy.sign) else slope
        in_output = derivative_in_output(record.expression())
        for chosen in where:
            place = _place(network, chosen)
            yield Suspect(f"g' of {place} is that of {name}", _with_slope(network, point, chosen, slope))
            if not in_output.has(plain.Z) and in_output.has(O):
                words = f"g' of {place} is that of {name}, written in terms of the output"
                yield Suspect(words, _with_slope(network, point, chosen, in_output))
    yield from _slips_in_slopes(network, point, where)


def _slips_in_slopes(network: Network, point: Point, where: Iterable[tuple[int, ...]]) -> Iterator[Suspect]:
    """g' of one layer, or of several with the same function, written with a slip."""
    for chosen in where:
        functions = {network.layer(layer).activation for layer in chosen}
        if len(functions) > 1 or any(record.of_layer for record in functions):
            continue
        for slip, words in slips(next(iter(functions)).expression()).items():
            found = _with_slope(network, point, chosen, slip)
            yield Suspect(words.format(place=_place(network, chosen)), found)


def _place(network: Network, chosen: tuple[int, ...]) -> str:
    if len(chosen) == 1:
        return f"layer {chosen[0]}"
    return "every layer" if network.hidden + 1 in chosen else "every hidden layer"


def costs_of_others(network: Network, point: Point) -> Iterator[Suspect]:
    """The derivative of another cost by the outputs."""
    for name, record in COSTS.items():
        if record.expression() != network.cost.expression():
            with np.errstate(all="ignore"):
                found = _with_slope(network, point, (), O, record)
            yield Suspect(f"the cost is taken for {name}", found)


def is_of_layer(network: Network, layer: int) -> bool:
    return network.layer(layer).activation.of_layer


def _with_slope(
    network: Network, point: Point, chosen: tuple[int, ...], slope: Any, cost: Cost | None = None
) -> Floats:
    w = Variable(point.w)
    o: Any = point.X
    for k, matrix in enumerate(plain.unpack(network, w), 1):
        c = plain.weighted_sums(network, k, matrix, o)
        o = plain.activate(network, k, c)
        if k in chosen:
            with np.errstate(all="ignore"):
                factor = np.broadcast_to(evaluate(slope, {plain.Z: c.value, O: o.value}), c.value.shape)
            o = c.passed(o.value, factor)
    costs = evaluate((cost or network.cost).expression(), {plain.H: o, plain.Y: point.Y})
    if network.weighted:
        costs = costs * point.v[:, None]
    return gradient(np.sum(costs) / len(point.X), w)

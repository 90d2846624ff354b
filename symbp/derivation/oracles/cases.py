"""Which cases of an equation are tried: layers that meet its conditions, indices in their ranges."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable, Iterator
from typing import Any

from sympy import Eq, Symbol

from symbp.algebra.matrices import OutputRow
from symbp.algebra.nodes import L, Node, Width, j, k, l, m
from symbp.algebra.updates import batch
from symbp.algebra.updates import step as update
from symbp.derivation.oracles.model import Shape
from symbp.derivation.oracles.sizes import integer
from symbp.derivation.records import Step
from symbp.functions.comparisons import COMPARISONS

LAYER_PAIRS = 8
MANY = 8
END_LAYERS = 5
_LAYERS = (k, l)


def assignments(step: Step, shape: Shape, rng: random.Random) -> Iterator[dict[Any, int]]:
    """Yield layers that meet the step's conditions, each with indices in their ranges."""
    fixed = {L: shape.hidden, m: shape.samples}
    free = {x for x in step.statement.free_symbols if isinstance(x, Symbol) and not isinstance(x, Node)}
    layers = [x for x in _LAYERS if x in free]
    choices = [
        fixed | taken | dict(zip(layers, values, strict=True))
        for values in _products(layers, shape)
        for taken in _batches(step, shape)
    ]
    allowed = [env for env in choices if all(_holds(c, env, shape) for c in step.assumes if not _on_data(c))]
    for env in _spread(allowed, rng):
        ranges = _ranges(step, free - set(layers) - set(env), env, shape)
        for indices in _index_choices(ranges, rng):
            yield env | indices


def _batches(step: Step, shape: Shape) -> list[dict[Any, int]]:
    """Return every size of a mini-batch with the number of each update, where the step has them."""
    if not any(condition.has(batch) for condition in step.assumes):
        return [{}]
    sizes = range(1, shape.samples + 1)
    return [{batch: size, update: n} for size in sizes for n in range(1, shape.samples // size + 1)]


def _index_choices(ranges: dict[Any, int], rng: random.Random) -> Iterator[dict[Any, int]]:
    """Yield indices at random, all at their last value, and all equal: Kronecker deltas ask for that."""
    if len(ranges) == 1:  # every neuron, as far as that is cheap: some may be switched off
        ((symbol, high),) = ranges.items()
        yield from ({symbol: n} for n in range(1, min(high, MANY) + 1))
        return
    yield {symbol: rng.randint(1, high) for symbol, high in ranges.items()}
    yield dict(ranges)
    # All different, so that no Kronecker delta is met; any two, also where there are only two neurons.
    step = 1
    while step < max(len(ranges), 2):
        yield {symbol: position // step % high + 1 for position, (symbol, high) in enumerate(ranges.items())}
        step *= 2
    if len(ranges) > 1:
        one = rng.randint(1, min(ranges.values()))
        yield dict.fromkeys(ranges, one)
        # A weight met in its own row, at its last column.
        yield {symbol: high if symbol == j else min(one, high) for symbol, high in ranges.items()}


def _products(layers: list[Any], shape: Shape) -> Iterable[tuple[int, ...]]:
    every = _some_layers(shape.last)
    if not layers:
        return [()]
    if len(layers) == 1:
        return [(a,) for a in every]
    return [(a, b) for a in every for b in every]


def _some_layers(last: int) -> list[int]:
    """Return all layers of a network that is not deep; else those at both ends and in the middle."""
    if last <= 2 * END_LAYERS:
        return list(range(last + 1))
    middle = last // 2
    return [*range(END_LAYERS), middle, middle + 1, *range(last - END_LAYERS + 1, last + 1)]


def _spread(environments: list[dict[Any, int]], rng: random.Random) -> list[dict[Any, int]]:
    """Keep the first, the last and some in between: a deep network has many pairs of layers."""
    if len(environments) <= LAYER_PAIRS:
        return environments
    inner = rng.sample(environments[1:-1], LAYER_PAIRS - 2)
    return [environments[0], *inner, environments[-1]]


def _on_data(condition: Any) -> bool:
    return bool(condition.atoms(Node))


def _holds(condition: Any, env: dict[Any, int], shape: Shape) -> bool:
    """Whether a condition on layers holds; one that also names an index bounds its range."""
    try:
        a, b = (integer(side, env, shape) for side in (condition.lhs, condition.rhs))
    except (KeyError, IndexError):
        return not isinstance(condition, Eq)
    return bool(COMPARISONS[condition.rel_op](a, b))


def _ranges(step: Step, indices: set[Any], env: dict[Any, int], shape: Shape) -> dict[Any, int]:
    """Return the largest value of every index: from the left side, and from the step's conditions.

    An index that the left side does not have takes its range from the right.
    """
    bounds: dict[Any, int] = {}

    def bound(symbol: Any, extent: Any) -> None:
        if symbol in indices:
            high = integer(extent, env, shape)
            bounds[symbol] = min(high, bounds.get(symbol, high))

    def bound_by(side: Any, only: set[Any]) -> None:
        for node in _nodes(side):
            if any(x not in env and x not in indices for x in node.layer.free_symbols):
                continue
            for position, extent in zip(node.indices, node.extents, strict=True):
                if position in only:
                    bound(position, extent)
            if node.sample in only:
                bound(node.sample, m)
        for row in side.atoms(OutputRow):
            if row.args[0] in only:
                bound(row.args[0], Width(L + 1))

    bound_by(step.statement.lhs, indices)
    bound_by(step.statement.rhs, indices - set(bounds))
    for condition in step.assumes:
        if condition.lhs in bounds:
            bound(condition.lhs, condition.rhs)
    return dict(sorted(bounds.items(), key=lambda item: str(item[0].name)))


@functools.lru_cache(maxsize=1024)  # once for all layers that an equation is tried at
def _nodes(side: Any) -> tuple[Node, ...]:
    return tuple(sorted(side.atoms(Node), key=str))

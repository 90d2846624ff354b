"""Where the gradients are compared: random weights and data at which a comparison is fair.

Two things would make right gradients differ: weighted sums so large that outputs
saturate (1 - h loses its digits before any derivative is taken), and units so close to a
kink that rounding decides the branch. The point is chosen to avoid both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from symbp.functions import Penalty
from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats, evaluate

LARGEST_SUM = 3.0
TRIES = 50
SIGNLESS = 10
# More than float32's rounding of a weighted sum, and than the changes of symbp.run.scale.
KINK_MARGIN = 1e-5


@dataclass(frozen=True)
class Point:
    """Weights w (n_params,), inputs X (n, N_0), targets Y (n, N_{L+1}), sample weights v (n,), the penalty.

    They are float64 numbers that the trainer's dtype represents exactly, so that a
    float32 trainer and the oracles compute at the same point.
    """

    w: Floats
    X: Floats
    Y: Floats
    v: Floats
    penalty: Penalty | None = None


def random_point(
    network: Network,
    start: Floats,
    dtype: np.dtype[Any],
    rng: np.random.Generator,
    samples: int,
    penalty: Penalty | None = None,
) -> Point:
    """Return the first of some random points that is clear of kinks, else the clearest.

    Parameters
    ----------
    network : Network
    start : ndarray, shape (n_params,)
        Initial weights; random biases are added, and layers are scaled down where a
        weighted sum would exceed :data:`LARGEST_SUM`.
    dtype : dtype
        The type whose numbers the point consists of.
    rng : Generator
    samples : int
        n, the number of samples.
    penalty : Penalty, optional
    """
    points = []
    for attempt in range(TRIES):
        # The last tries are without signs: a formula may be real for positive sums only.
        point = _candidate(network, start, dtype, rng, samples, positive=attempt >= TRIES - SIGNLESS)
        point = replace(point, penalty=penalty)
        points.append((_clearance(network, point), point))
        if points[-1][0] > KINK_MARGIN:
            break
    return max(points, key=lambda scored: scored[0])[1]


def _candidate(
    network: Network,
    start: Floats,
    dtype: np.dtype[Any],
    rng: np.random.Generator,
    samples: int,
    positive: bool,
) -> Point:
    X = _rounded(rng.normal(size=(samples, network.inputs)), dtype)
    w = np.array(start, dtype=np.float64)
    if positive:
        X, w = np.abs(X), np.abs(w)
    o = X
    for k, matrix in enumerate(plain.unpack(network, w), start=1):
        if network.has_bias(k):
            shift = rng.normal(scale=0.5, size=len(matrix))
            matrix[:, -1] += np.abs(shift) if positive else shift
        largest = np.max(np.abs(plain.weighted_sums(network, k, matrix, o)))
        if largest > LARGEST_SUM:
            matrix *= LARGEST_SUM / largest
        matrix[...] = _rounded(matrix, dtype)
        o = plain.activate(network, k, plain.weighted_sums(network, k, matrix, o))
    Y = _targets(network, rng, samples, dtype)
    v = rng.integers(1, 129, size=samples) / 64 if network.weighted else np.ones(samples)
    return Point(w, X, Y, v)


def _targets(network: Network, rng: np.random.Generator, samples: int, dtype: np.dtype[Any]) -> Floats:
    """Return hard and soft targets in turn; multiples of 1/64, so that distributions sum to exactly 1."""
    units = network.sizes[-1]
    soft = np.arange(samples)[:, None] % 2 == 1
    match network.cost.targets:
        case "distribution":
            labels = np.eye(units)[rng.integers(units, size=samples)]
            return np.where(soft, rng.multinomial(64, np.full(units, 1 / units), size=samples) / 64, labels)
        case "unit_interval":
            classes = rng.integers(2, size=(samples, units))
            return np.where(soft, rng.integers(65, size=(samples, units)) / 64, classes)
        case "sign":
            return np.where(rng.integers(2, size=(samples, units)) == 1, 1.0, -1.0)
        case "nonnegative":
            return np.where(
                soft, rng.integers(65, size=(samples, units)) / 64, rng.integers(5, size=(samples, units))
            )
        case _:
            return _rounded(rng.normal(size=(samples, units)), dtype)


def _rounded(values: Floats, dtype: np.dtype[Any]) -> Floats:
    return values.astype(dtype).astype(np.float64)


def _clearance(network: Network, point: Point) -> float:
    """Return the distance to the nearest kink; -1 where the cost is not finite."""
    distances = [np.inf]
    layers = list(plain.layers(network, point.w, point.X))
    for layer, (c, _) in zip(network.layers, layers, strict=True):
        distances += _distances(layer.activation.expression(), {plain.Z: c})
    distances += _distances(network.cost.expression(), {plain.H: layers[-1][1], plain.Y: point.Y})
    if point.penalty is not None:
        formula = point.penalty.expression()
        weights = np.concatenate([W[:, :n].ravel() for W, n in _regular(network, point.w)])
        distances += _distances(formula, dict.fromkeys(formula.free_symbols, weights))
    finite = np.isfinite(plain.cost(network, point.w, point.X, point.Y, point.v, point.penalty))
    return float(min(distances)) if finite else -1.0


def _regular(network: Network, w: Floats) -> Iterator[tuple[Floats, int]]:
    """Yield every W_k and the number of its columns that are no bias."""
    yield from zip(plain.unpack(network, w), network.sizes, strict=False)


def _distances(formula: sympy.Expr, values: dict[sympy.Symbol, Floats]) -> list[float]:
    """Return how near the arguments come to each place where the formula changes its branch."""
    turns = [relation.lhs - relation.rhs for relation in formula.atoms(sympy.Rel)]
    turns += [absolute.args[0] for absolute in formula.atoms(sympy.Abs)]
    return [float(np.min(np.abs(evaluate(turn, values)))) for turn in turns]

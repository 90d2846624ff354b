"""The test vector that a trainer carries: values its kernels must reproduce.

Weights, data and directions are simple exact fractions that the trainer can make again by
itself; the expected values come from the 40-digit network, not from the plan, and are the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbp.derivation.oracles.real import forward, number, scale, total_cost

if TYPE_CHECKING:
    from symbp.network import Network

SAMPLES = 2
DIRECTIONS = 2
_STEP = number(10) ** -25

# value(t) = ((factor t + shift) mod modulus - half) / half lies in [-1, 1]; no two are alike.
WEIGHT_PATTERN = (7919, 12345, 2003, 1001)
INPUT_PATTERN = (104729, 777, 1999, 999)
TARGET_PATTERN = (6151, 421, 1511, 755)
DIRECTION_PATTERN = (3571, 5, 1013, 506)


@dataclass(frozen=True)
class TestVector:
    """What the kernels must give at the pattern's weights and data.

    Attributes
    ----------
    cost : float
        J over the samples.
    outputs : tuple
        h of every sample, shape (samples, N_{L+1}).
    slopes : tuple
        The derivative of J along each direction, shape (directions,).
    output_slopes : tuple
        The derivative of h of every sample along the first direction, shape (samples, N_{L+1}).
    """

    cost: float
    outputs: tuple[tuple[float, ...], ...]
    slopes: tuple[float, ...]
    output_slopes: tuple[tuple[float, ...], ...]


def pattern(parameters: tuple[int, int, int, int], t: int) -> Any:
    """Return the t-th value of a pattern."""
    factor, shift, modulus, half = parameters
    return number((factor * t + shift) % modulus - half) / half


def test_vector(network: Network) -> TestVector:
    """Compute the test vector of a network.

    Parameters
    ----------
    network : Network

    Returns
    -------
    TestVector
        Correctly rounded to float64.
    """
    inputs = network.sizes[0]
    data = [[pattern(INPUT_PATTERN, p * inputs + s) for s in range(inputs)] for p in range(SAMPLES)]
    targets = _targets(network)

    def run(direction: int, step: Any) -> tuple[Any, list[list[Any]]]:
        weights = _weights(network, direction, step)
        last = network.hidden + 1
        outputs = [forward(network, weights, x)["o", last] for x in data]
        return total_cost(network.cost, outputs, targets), outputs

    cost, outputs = run(0, 0)
    moved = [(run(d, _STEP), run(d, -_STEP)) for d in range(DIRECTIONS)]
    slopes = tuple(float((plus[0] - minus[0]) / (2 * _STEP)) for plus, minus in moved)
    plus, minus = moved[0]
    differences = tuple(
        tuple(float((a - b) / (2 * _STEP)) for a, b in zip(row_plus, row_minus, strict=True))
        for row_plus, row_minus in zip(plus[1], minus[1], strict=True)
    )
    return TestVector(float(cost), tuple(tuple(map(float, row)) for row in outputs), slopes, differences)


def divisor(columns: int) -> int:
    """Return the whole number that scales the weights of a layer: no activation saturates."""
    return next(n for n in range(1, columns + 2) if n * n >= columns)


def _weights(network: Network, direction: int, step: Any) -> list[list[list[int]]]:
    layers, t = [], 0
    for rows, columns in network.shapes:
        layer = []
        for _ in range(rows):
            row = []
            for _ in range(columns):
                value = pattern(WEIGHT_PATTERN, t) / divisor(columns)
                if step != 0:
                    value += step * pattern(DIRECTION_PATTERN, t + direction * 211)
                row.append(scale(value))
                t += 1
            layer.append(row)
        layers.append(layer)
    return layers


def _targets(network: Network) -> list[list[Any]]:
    outputs = network.sizes[-1]
    kinds: dict[str, Callable[[int, int], Any]] = {
        "distribution": lambda p, q: number(int(q == p % outputs)),
        "unit_interval": lambda p, q: number((p + q) % 2),
        "real": lambda p, q: pattern(TARGET_PATTERN, p * outputs + q),
    }
    value = kinds[network.cost.targets]
    return [[value(p, q) for q in range(outputs)] for p in range(SAMPLES)]

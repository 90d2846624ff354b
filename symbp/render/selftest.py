"""The test vector that a trainer carries: values its kernels must reproduce.

Weights, data and directions are simple exact fractions that the trainer can make again by
itself; the expected values come from the 40-digit network, not from the plan, and are the
same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symbp.derivation.oracles.formula import number
from symbp.derivation.oracles.penalties import of_weight
from symbp.derivation.oracles.real import at_kink, forward, scaled, total_cost
from symbp.derivation.oracles.text import mp
from symbp.errors import DerivationError
from symbp.render.exact_product import product
from symbp.render.selftest_update import UpdateVector, update_vector

if TYPE_CHECKING:
    from symbp.functions import Penalty
    from symbp.network import Network
    from symbp.spec import TrainOptions

SAMPLES = 2
DIRECTIONS = 2
SHIFT = 211  # from one direction to the next
_STEPS = 10**25  # to one: the step of the central differences

ATTEMPTS = 20

# value(t) = 2 ((factor t + shift) mod modulus) / modulus - 1 lies between -1 and 1; it is never
# 0, since the moduli are odd.
Pattern = tuple[int, int, int]
WEIGHTS: Pattern = (7919, 12345, 2003)
INPUTS: Pattern = (104729, 777, 1999)
TARGETS: Pattern = (6151, 421, 1511)
DIRECTIONS_OF_CHANGE: Pattern = (3571, 5, 1013)


@dataclass(frozen=True)
class TestVector:
    """What the kernels must give at the pattern's weights and data.

    Attributes
    ----------
    weights : tuple of int
        The pattern of the weights.
    positive : bool
        Whether weights and inputs are taken without their signs.
    cost : float
        J over the samples.
    outputs : tuple
        h of every sample, shape (samples, N_{L+1}).
    slopes : tuple
        The derivative of J along each direction, shape (directions,).
    output_slopes : tuple
        The derivative of h of every sample along the first direction, shape (samples, N_{L+1}).
    input_slope : float
        The derivative of J along a direction of the inputs, which is the pattern of directions.
    output_input_slopes : tuple
        The derivative of h of every sample along that direction, shape (samples, N_{L+1}).
    update : UpdateVector
    """

    weights: Pattern
    positive: bool
    cost: float
    outputs: tuple[tuple[float, ...], ...]
    slopes: tuple[float, ...]
    output_slopes: tuple[tuple[float, ...], ...]
    input_slope: float
    output_input_slopes: tuple[tuple[float, ...], ...]
    update: UpdateVector


def pattern(parameters: Pattern, t: int) -> Any:
    """Return the t-th value of a pattern."""
    return number(_numerator(parameters, t)) / parameters[2]


def _numerator(parameters: Pattern, t: int) -> int:
    factor, shift, modulus = parameters
    return 2 * ((factor * t + shift) % modulus) - modulus


def _not_finite(network: Network) -> DerivationError:
    return DerivationError(
        f"{network.name}: the network is not finite at ordinary weights and data; "
        f"check the domain of its functions (cost {network.cost.name})"
    )


def test_vector(network: Network, train: TrainOptions) -> TestVector:
    """Compute the test vector of a network.

    The weights are moved on until no weighted sum lies at a kink; if that does not help, all
    signs are dropped, and nothing is switched off.

    Parameters
    ----------
    network : Network
    train : TrainOptions
        Its penalty is part of the cost, and its update is tested too.

    Returns
    -------
    TestVector
        Correctly rounded to float64.
    """
    for attempt in range(ATTEMPTS):
        factor, shift, modulus = WEIGHTS
        last = attempt == ATTEMPTS - 1
        point = _Point(network, train, (factor, shift + 37 * attempt, modulus), last)
        try:
            if not point.at_kink():
                break
        except DerivationError:  # a formula that is not real everywhere: look elsewhere
            if last:
                raise
        except ZeroDivisionError:  # one with a pole, or a whole range of them
            if last:
                raise _not_finite(network) from None
    vector = point.vector()
    numbers = [vector.cost, *vector.slopes, *(x for row in vector.outputs for x in row)]
    if not all(map(math.isfinite, numbers)):
        raise _not_finite(network)
    return vector


def divisor(columns: int) -> int:
    """Return the whole number that scales the weights of a layer: no activation saturates."""
    return next(n for n in range(1, columns + 2) if n * n >= columns)


class _Point:
    """The network at the weights and data of the patterns."""

    def __init__(self, network: Network, train: TrainOptions, weights: Pattern, positive: bool) -> None:
        self.network = network
        self.train = train
        self.weights = weights
        self.positive = positive
        inputs = network.sizes[0]
        self.data = [[self._signed(INPUTS, p * inputs + s) for s in range(inputs)] for p in range(SAMPLES)]
        self.targets = _targets(network)
        # 1/2, 3/2, ...
        self.sample_weights = [number(2 * p + 1) / 2 for p in range(SAMPLES)] if network.weighted else None

    def _signed(self, parameters: Pattern, t: int) -> Any:
        value = pattern(parameters, t)
        return abs(value) if self.positive else value

    def at_kink(self) -> bool:
        return any(at_kink(self.network, values) for values in self._forward(0, 0, 0))

    def vector(self) -> TestVector:
        cost, outputs = self._run(0, 0)
        moved = [(self._run(d, 1), self._run(d, -1)) for d in range(DIRECTIONS)]
        slopes = tuple(_slope(plus[0], minus[0]) for plus, minus in moved)
        by_inputs = self._run(0, 0, 1), self._run(0, 0, -1)
        rows = tuple(tuple(map(float, row)) for row in outputs)
        penalty, of_penalty = self._penalty()
        return TestVector(
            self.weights,
            self.positive,
            float(cost + penalty),
            rows,
            tuple(float(a + b) for a, b in zip(slopes, of_penalty, strict=True)),
            _row_slopes(moved[0]),
            _slope(by_inputs[0][0], by_inputs[1][0]),
            _row_slopes(by_inputs),
            self._update(),
        )

    def _update(self) -> UpdateVector:
        return update_vector(
            self.train,
            self.network.n_params,
            lambda t: pattern(self.weights, t),
            lambda t: pattern(DIRECTIONS_OF_CHANGE, t + SHIFT),
            lambda t: pattern(INPUTS, t),
            self._length,
        )

    def _length(self) -> Any:
        """Return the norm of the gradient that the update is tested with, exact below the root."""
        numerators = (_numerator(DIRECTIONS_OF_CHANGE, t + SHIFT) for t in range(self.network.n_params))
        return mp.sqrt(number(sum(n * n for n in numerators))) / DIRECTIONS_OF_CHANGE[2]

    def _penalty(self) -> tuple[Any, list[Any]]:
        """Return the penalty of the regular weights, and its slope along each direction."""
        penalty, t = self.train.regularisation, 0
        total, slopes = number(0), [number(0)] * DIRECTIONS
        if penalty is None:
            return total, slopes
        for layer, (rows, columns) in enumerate(self.network.shapes):
            # A layer's weights take few values: how often, and how far the directions move each.
            moved: dict[int, list[int]] = {}
            for position in range(rows * columns):
                if position % columns < self.network.sizes[layer]:
                    numerator = _numerator(self.weights, t)
                    sums = moved.setdefault(
                        abs(numerator) if self.positive else numerator, [0] * (1 + DIRECTIONS)
                    )
                    sums[0] += 1
                    for d in range(DIRECTIONS):
                        sums[d + 1] += _numerator(DIRECTIONS_OF_CHANGE, t + d * SHIFT)
                t += 1
            for numerator, (count, *sums) in moved.items():
                value, slope = _penalty_of(penalty, self.weights[2] * divisor(columns), numerator)
                total += count * value
                for d, change in enumerate(sums):
                    slopes[d] += slope * change / DIRECTIONS_OF_CHANGE[2]
        return total, slopes

    def _run(self, direction: int, step: int, input_step: int = 0) -> tuple[Any, list[list[Any]]]:
        last = self.network.hidden + 1
        outputs = [values["o", last] for values in self._forward(direction, step, input_step)]
        return total_cost(self.network.cost, outputs, self.targets, self.sample_weights), outputs

    def _forward(self, direction: int, step: int, input_step: int) -> list[dict[Any, list[Any]]]:
        """Run all samples, with the weights and the inputs so many steps along their directions."""
        weights, inputs = self._weights(direction, step), self.network.sizes[0]
        moved = [
            [
                x + input_step * pattern(DIRECTIONS_OF_CHANGE, p * inputs + s) / _STEPS
                for s, x in enumerate(row)
            ]
            for p, row in enumerate(self.data)
        ]
        return [forward(self.network, weights, x) for x in moved]

    def _weights(self, direction: int, step: int) -> list[_Weights]:
        layers, first = [], 0
        for rows, columns in self.network.shapes:
            numerators = _numerators(self.weights, first, rows, columns)
            layers.append(
                _Weights(
                    np.abs(numerators) if self.positive else numerators,
                    scaled(1, self.weights[2] * divisor(columns)),
                    _numerators(DIRECTIONS_OF_CHANGE, first + direction * SHIFT, rows, columns),
                    step * scaled(1, DIRECTIONS_OF_CHANGE[2] * _STEPS),
                )
            )
            first += rows * columns
        return layers


@dataclass(frozen=True)
class _Weights:
    """The weights of one layer, scaled to integers: small whole numbers, of which there may be millions.

    Attributes
    ----------
    numerators, changes : numpy.ndarray
        What the units are multiplied by, shape (N_k, N_{k-1} + bias).
    unit, step : int
        One unit of the weights, and of their change.
    """

    numerators: npt.NDArray[np.float64]
    unit: int
    changes: npt.NDArray[np.float64]
    step: int

    def times(self, inputs: list[int]) -> list[int]:
        """Return W a, exactly."""
        base = [self.unit * total for total in product(self.numerators, inputs)]
        if not self.step:
            return base
        moved = product(self.changes, inputs)
        return [total + self.step * change for total, change in zip(base, moved, strict=True)]


def _numerators(parameters: Pattern, first: int, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Return the numerators of a pattern from number `first` on, as whole numbers in floating point."""
    factor, shift, modulus = parameters
    t = np.arange(first, first + rows * columns, dtype=np.int64)
    whole = 2 * ((factor * t + shift) % modulus) - modulus
    return whole.astype(np.float64).reshape((rows, columns))


def _slope(plus: Any, minus: Any) -> float:
    return float((plus - minus) * _STEPS / 2)


def _row_slopes(moved: tuple[tuple[Any, list[list[Any]]], ...]) -> tuple[tuple[float, ...], ...]:
    """Return the slope of every output of every sample between two runs."""
    (_, plus), (_, minus) = moved
    return tuple(tuple(map(_slope, a, b)) for a, b in zip(plus, minus, strict=True))


def _penalty_of(penalty: Penalty, denominator: int, numerator: int) -> tuple[Any, Any]:
    """Return the penalty of one weight and its derivative, a central difference."""
    weight, step = number(numerator) / denominator, number(1) / _STEPS
    plus, minus = (of_weight(penalty, weight + sign * step) for sign in (1, -1))
    return of_weight(penalty, weight), (plus - minus) / (2 * step)


def _targets(network: Network) -> list[list[Any]]:
    outputs = network.sizes[-1]
    kinds: dict[str, Callable[[int, int], Any]] = {
        # Inside the domain, so that an own cost may take logarithms of targets.
        "distribution": lambda p, q: number(1 + (p + q) % outputs) / (outputs * (outputs + 1) // 2),
        "unit_interval": lambda p, q: number(1 + (p + q) % 2) / 3,
        "sign": lambda p, q: number(1 - 2 * ((p + q) % 2)),
        "nonnegative": lambda p, q: abs(pattern(TARGETS, p * outputs + q)),
        "real": lambda p, q: pattern(TARGETS, p * outputs + q),
    }
    value = kinds[network.cost.targets]
    return [[value(p, q) for q in range(outputs)] for p in range(SAMPLES)]

"""The network with its real activations and cost at 40 digits (mpmath).

Derivatives are central differences taken with 100 digits and a step of 1e-25: their error
is of order 1e-50, so nothing symbolic enters the true values. Weighted sums use exact
integer arithmetic on numbers scaled by 2^400, which is also what makes the values the same
on every machine.
"""

from __future__ import annotations

import bisect
import functools
import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import sympy

from symbp.derivation.kinks import switches
from symbp.derivation.oracles import penalties
from symbp.derivation.oracles.formula import FUNCTIONS, STEP, difference, evaluate
from symbp.derivation.oracles.model import Array, Key, NotApplicable, Shape
from symbp.derivation.oracles.text import mp as _mp
from symbp.errors import DerivationError

if TYPE_CHECKING:
    from symbp.functions import Penalty
    from symbp.functions.records import Activation, Cost
    from symbp.network import Network

DIGITS = 40
_BITS = 400
_NEAR = _mp.mpf(10) ** -9
_ATTEMPTS = 20
_FARTHEST = 100  # by how much weights of outputs are multiplied at most


def activate(activation: Activation, sums: list[Any]) -> list[Any]:
    """Return the outputs of a layer, from the record's formula."""
    formula = activation.expression()
    memo: dict[Any, Any] = {}

    def total(inner: Any) -> Any:
        if inner not in memo:
            memo[inner] = sum((evaluate(inner, {"z": z}) for z in sums), _mp.mpf(0))
        return memo[inner]

    return [evaluate(formula, {"z": z}, total) for z in sums]


class Weights(Protocol):
    """The weights of one layer, scaled to integers."""

    def times(self, inputs: list[int]) -> list[int]:
        """Return W a for scaled inputs, scaled twice."""


class Rows(list[list[int]]):
    """Weights that are written out row by row."""

    def times(self, inputs: list[int]) -> list[int]:
        return [sum(map(int.__mul__, row, inputs)) for row in self]


def weighted_sums(weights: Weights, inputs: list[Any]) -> list[Any]:
    """Return W a, exactly, for weights scaled to integers and inputs of the working precision."""
    unit = _mp.mpf(2) ** (2 * _BITS)
    return [_mp.mpf(total) / unit for total in weights.times([scale(a) for a in inputs])]


def scale(value: Any) -> int:
    """Return a number times 2^400 as an integer."""
    return int(_mp.nint(_mp.ldexp(_mp.mpf(value), _BITS)))


def scaled(numerator: int, denominator: int) -> int:
    """Return a fraction times 2^400, rounded down."""
    return (numerator << _BITS) // denominator


def forward(
    network: Network,
    weights: Sequence[Weights],
    x: list[Any],
    start: int = 1,
    sums: list[Any] | None = None,
) -> dict[Any, list[Any]]:
    """Run the network from layer `start` on, whose weighted sums are given (or from the inputs).

    Returns
    -------
    dict
        ("c", k) and ("o", k) -> the layer's values; the last ("o", L+1) is h.
    """
    values: dict[Any, list[Any]] = {("o", 0): x}
    for layer in range(start, network.hidden + 2):
        if layer > start or sums is None:
            inputs = values["o", layer - 1]
            if network.has_bias(layer):
                inputs = [*inputs, _mp.mpf(1)]
            values["c", layer] = weighted_sums(weights[layer - 1], inputs)
        else:
            values["c", layer] = sums
        values["o", layer] = activate(network.layer(layer).activation, values["c", layer])
    return values


def total_cost(
    cost: Cost, outputs: list[list[Any]], targets: list[list[Any]], weights: list[Any] | None = None
) -> Any:
    """Return J (eq. 2.1) of all samples, each with its weight in the cost where there are weights."""
    formula = cost.expression()
    terms = [
        v * evaluate(formula, {"h": h, "y": y})
        for hs, ys, v in zip(outputs, targets, weights or [1] * len(outputs), strict=True)
        for h, y in zip(hs, ys, strict=True)
    ]
    return sum(terms, _mp.mpf(0)) / len(outputs)


def at_kink(network: Network, values: dict[Any, list[Any]]) -> bool:
    """Whether a weighted sum lies at the kink of its activation, where differences say nothing.

    It does where a layer without bias has only inputs that are switched off.
    """
    return any(
        abs(value) < _NEAR
        for layer in range(1, network.hidden + 2)
        if network.layer(layer).activation.expression().has(sympy.Piecewise, sympy.Abs)
        for value in values["c", layer]
    )


def switched_off(network: Network, values: dict[Any, list[Any]]) -> bool:
    """Whether a whole layer gives 0: it would bear out any equation."""
    return any(not any(values["o", layer]) for layer in range(1, network.hidden + 2))


@functools.cache
def turns(activation: Activation) -> tuple[Any, ...]:
    """Return where an activation goes from one branch to another, in order."""
    formula = activation.expression()
    if not formula.has(sympy.Piecewise, sympy.Abs):
        return ()
    (variable,) = formula.free_symbols
    found = [_mp.mpf(str(sympy.N(place, 30))) for place in switches(formula, variable)]
    return tuple(sorted(found)) or (_mp.mpf(0),)


def one_sided(network: Network, runs: Sequence[dict[Any, list[Any]]]) -> bool:
    """Whether the outputs leave out a branch of their activation, which could be wrong then."""
    last = network.hidden + 1
    places = turns(network.layer(last).activation)
    met = [bisect.bisect(places, value) for values in runs for value in values["c", last]]
    return len(set(met)) < min(len(places) + 1, len(met))


class Reals:
    """The arithmetic of real numbers at the working precision, for models of a network."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def number(self, numerator: int, denominator: int) -> Any:
        return _mp.mpf(numerator) / denominator

    def scalar(self, name: str) -> Any:
        return _mp.mpf(self.shape.samples) if name == "m" else _mp.mpf(1) / 7

    def function(self, name: str, argument: Any) -> Any:
        if name not in FUNCTIONS:
            raise NotApplicable(f"{name} has no value")
        return FUNCTIONS[name](argument)

    def power(self, base: Any, numerator: int, denominator: int) -> Any:
        return _mp.power(base, _mp.mpf(numerator) / denominator)

    def reduce(self, value: Any) -> Any:
        return value

    def product(self, a: Array, b: Array) -> Array:
        result: Array = a @ b
        return result

    def same(self, a: Any, b: Any) -> bool:
        """Whether two numbers agree to 40 digits of the larger, or of 1."""
        return bool(abs(a - b) <= _mp.mpf(10) ** -DIGITS * max(1, abs(a), abs(b)))


class RealModel(Reals):
    """A network with its own functions, random rational weights and data."""

    def __init__(self, network: Network, seed: int, samples: int = 2, penalty: Penalty | None = None) -> None:
        self.network = network
        self.penalty = penalty
        super().__init__(Shape(network.sizes, network.biases, samples))
        for attempt in range(_ATTEMPTS):
            self.run = functools.cache(self._run)
            self.partial = functools.cache(self._partial)
            # Without signs nothing is switched off, so the last attempt has no kink at 0.
            self._draw(random.Random(1000 * seed + attempt), signs=attempt < _ATTEMPTS - 1)
            try:
                runs = [self.run(p + 1) for p in range(samples)]
            except DerivationError:  # a formula that is not real everywhere: look elsewhere
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            if any(at_kink(network, values) for values in runs) or switched_off(network, runs[0]):
                continue
            if not one_sided(network, runs):
                break

    def _draw(self, rng: random.Random, signs: bool) -> None:
        def draw() -> int:
            # In thousandths; not near 0 and not large, so that nothing saturates.
            return (rng.choice((-1, 1)) if signs else 1) * rng.randint(200, 1000)

        network, samples = self.network, range(self.shape.samples)
        self.weights = [
            Rows(
                [scaled(draw() * far, 1000 * math.isqrt(4 * columns)) * 2 for _ in range(columns)]
                for _ in range(rows)
            )
            for (rows, columns), far in zip(network.shapes, self._stretched(), strict=True)
        ]
        self.x = [[_mp.mpf(draw()) / 1000 for _ in range(network.sizes[0])] for _ in samples]
        self.targets = [self._target(rng, signs) for _ in samples]
        # Without weights in the cost, each counts once.
        self.sample_weights = [
            _mp.mpf(rng.randint(200, 2000)) / 1000 if network.weighted else _mp.mpf(1) for _ in samples
        ]

    def _stretched(self) -> list[int]:
        """Return what weights are multiplied by: those of outputs, so that their sums pass each turn."""
        places = turns(self.network.layer(self.network.hidden + 1).activation)
        farthest = max(map(abs, places), default=0)
        return [1] * self.network.hidden + [min(1 + math.ceil(2 * farthest), _FARTHEST)]

    def _target(self, rng: random.Random, signs: bool) -> list[Any]:
        raw = [_mp.mpf(rng.randint(1, 1000)) / 1001 for _ in range(self.network.sizes[-1])]
        match self.network.cost.targets:
            case "distribution":
                total = sum(raw)
                return [value / total for value in raw]
            case "sign":
                return [_mp.mpf(rng.choice((-1, 1))) for _ in raw]
            case "real" if signs:
                # Near and far, above and below: a cost may have a branch for each.
                return [value * rng.choice((-4, -1, 1, 4)) for value in raw]
        return raw

    # Values ----------------------------------------------------------------------------

    def _run(self, sample: int, moved: Key | None = None, sign: int = 0) -> dict[Any, list[Any]]:
        """Run one sample, with one weight, weighted sum or output moved by the step."""
        x = self.x[sample - 1]
        if moved is None:
            return forward(self.network, self.weights, x)
        layer, row = moved.layer, moved.indices[0] - 1
        if moved.kind == "o":
            return self._from_outputs(sample, layer, row, sign * STEP)
        base = self.run(sample)
        sums = list(base["c", layer])
        amount: Any = STEP
        if moved.kind == "w":
            inputs = [*base["o", layer - 1], _mp.mpf(1)]
            amount = STEP * inputs[moved.indices[1] - 1]
        sums[row] += sign * amount
        return forward(self.network, self.weights, x, layer, sums)

    def _from_outputs(self, sample: int, layer: int, row: int, amount: Any) -> dict[Any, list[Any]]:
        outputs = list(self.run(sample)["o", layer])
        outputs[row] += amount
        inputs = [*outputs, _mp.mpf(1)] if self.network.has_bias(layer + 1) else outputs
        sums = weighted_sums(self.weights[layer], inputs)
        values = forward(self.network, self.weights, self.x[sample - 1], layer + 1, sums)
        return values | {("o", layer): outputs}

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        last = self.shape.last
        run = self.run(sample)
        match kind:
            case "w":
                return _mp.mpf(self.weights[layer - 1][indices[0] - 1][indices[1] - 1]) / _mp.mpf(2) ** _BITS
            case "a":
                return (
                    _mp.mpf(1)
                    if indices[0] > self.shape.widths[layer - 1]
                    else run["o", layer - 1][indices[0] - 1]
                )
            case "c" | "o":
                return run[kind, layer][indices[0] - 1]
            case "h" | "sigma":
                return run["o", last][indices[0] - 1]
            case "y":
                return self.targets[sample - 1][indices[0] - 1]
            case "v" if self.network.weighted:
                return self.sample_weights[sample - 1]
            case "J":
                return self.cost({})
            case "Js":
                return self.cost_of_sample(sample, run)
            case "R" | "Jr" if self.penalty is not None:
                return penalties.value(self, kind, layer)
        raise NotApplicable(f"{kind} has no value of its own")

    def cost(self, moved: dict[int, dict[Any, list[Any]]]) -> Any:
        last = self.shape.last
        outputs = [moved.get(p, self.run(p))["o", last] for p in range(1, self.shape.samples + 1)]
        return total_cost(self.network.cost, outputs, self.targets, self.sample_weights)

    def cost_of_sample(self, sample: int, run: dict[Any, list[Any]]) -> Any:
        """Return the cost of one sample, as if there were no other."""
        outputs, targets = run["o", self.shape.last], self.targets[sample - 1]
        return total_cost(self.network.cost, [outputs], [targets], [self.sample_weights[sample - 1]])

    # Differences -----------------------------------------------------------------------

    def _partial(self, of: Key, wrt: Key) -> Any:
        if of.kind == "w":
            return _mp.mpf((of.layer, of.indices) == (wrt.layer, wrt.indices))
        if wrt.kind == "h":
            own = self._cost_slope(wrt)
            if of.kind == "Js":
                return own * self.shape.samples if of.sample == wrt.sample else _mp.mpf(0)
            return own
        if wrt.kind not in ("w", "c", "o"):
            raise NotApplicable(f"derivative with respect to {wrt.kind}")
        if of.kind == "R" and wrt.kind == "w" and self.penalty is not None:
            return penalties.slope(self, wrt) if of.layer == wrt.layer else _mp.mpf(0)
        if of.kind != "J" and wrt.kind != "w" and of.sample != wrt.sample:
            return _mp.mpf(0)
        if of.kind == "Jr" and wrt.kind == "w" and self.penalty is not None:
            data, own = Key("J", of.layer, (), 1), Key("R", wrt.layer, (), 1)
            return self.partial(data, wrt) + self.partial(own, wrt)
        plus, minus = (self._moved(of, wrt, sign) for sign in (1, -1))
        return (plus - minus) / (2 * STEP)

    def _moved(self, of: Key, wrt: Key, sign: int) -> Any:
        if of.kind == "J":
            samples = range(1, self.shape.samples + 1) if wrt.kind == "w" else [wrt.sample]
            return self.cost(
                {p: self.run(p, Key(wrt.kind, wrt.layer, wrt.indices, p), sign) for p in samples}
            )
        run = self.run(of.sample, Key(wrt.kind, wrt.layer, wrt.indices, of.sample), sign)
        base = self.run(of.sample)
        if of.kind == "Js":
            return self.cost_of_sample(of.sample, run)
        kind, layer, neuron = of.kind, of.layer, of.indices[0]
        if kind in ("h", "sigma"):
            kind, layer = "o", self.shape.last
        if kind == "a":
            if neuron > self.shape.widths[layer - 1]:
                return _mp.mpf(1)
            kind, layer = "o", layer - 1
        return run.get((kind, layer), base[kind, layer])[neuron - 1]

    def _cost_slope(self, wrt: Key) -> Any:
        h = self.run(wrt.sample)["o", self.shape.last][wrt.indices[0] - 1]
        y = self.targets[wrt.sample - 1][wrt.indices[0] - 1]
        formula = self.network.cost.expression()
        slope = difference(lambda step: evaluate(formula, {"h": h + step, "y": y}))
        return self.sample_weights[wrt.sample - 1] * slope / self.shape.samples

    def scalar(self, name: str) -> Any:
        return penalties.gradient_norm(self) if name == "gradient_norm" else super().scalar(name)

    def slope(self, layer: int, neuron: int, sample: int) -> Any:
        c = self.run(sample)["c", layer][neuron - 1]
        formula = self.network.layer(layer).activation.expression()
        return difference(lambda step: evaluate(formula, {"z": c + step}))

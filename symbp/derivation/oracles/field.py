"""Random arithmetic over the prime field GF(2^31 - 1), at the network's own sizes.

Activations, output function and cost are *jets*: independent random values for g, g',
sigma, its derivatives and dJ/dh at each point, so a check holds for any functions. The
true derivatives come from dual numbers carried through the forward pass. A wrong
polynomial identity of degree d passes one draw with probability at most d / (2^31 - 1)
(Schwartz 1980; Zippel 1979).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from symbp.derivation.oracles.model import Array, Key, NotApplicable, Shape

PRIME = 2**31 - 1


def multiply(a: Array, b: Array) -> Array:
    """Matrix product modulo the prime, exact in 64-bit integers.

    The right factor is split into 15 + 16 bits: a 31-bit times a 16-bit number leaves room
    for 2^16 terms in 63 bits.
    """
    if a.shape[-1] > 2**16:
        raise NotApplicable("more than 65,536 inputs")
    high, low = b >> 16, b & 0xFFFF
    result: Array = ((((a @ high) % PRIME) << 16) + (a @ low)) % PRIME
    return result


class FieldModel:
    """A network over GF(2^31 - 1) with random weights, inputs and jets."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        rng = np.random.default_rng(seed)

        def draw(*size: int) -> Array:
            return rng.integers(1, PRIME, size=size, dtype=np.int64)

        last, samples = shape.last, range(1, shape.samples + 1)
        outputs = shape.widths[last]
        self.weights = {n: draw(shape.widths[n], shape.inputs(n)) for n in range(1, last + 1)}
        self.x = {p: draw(shape.widths[0]) for p in samples}
        self.values = {(n, p): draw(shape.widths[n]) for n in range(1, last) for p in samples}
        self.slopes = {(n, p): draw(shape.widths[n]) for n in range(1, last) for p in samples}
        self.sigma = {p: draw(outputs) for p in samples}
        self.sigma_slopes = {p: draw(outputs, outputs) for p in samples}
        self.costs = {p: int(draw(1)[0]) for p in samples}
        self.cost = sum(self.costs.values()) * pow(shape.samples, -1, PRIME) % PRIME
        self.eta = int(draw(1)[0])
        self.cost_slopes = {p: draw(outputs) for p in samples}
        self.targets = {p: draw(outputs) for p in samples}
        self.tangent = functools.lru_cache(maxsize=4096)(self._tangent)

    # Forward ---------------------------------------------------------------------------

    def inputs(self, layer: int, sample: int) -> Array:
        outputs = self.x[sample] if layer == 1 else self.values[layer - 1, sample]
        return np.append(outputs, 1) if self.shape.biases[layer - 1] else outputs

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        last = self.shape.last
        match kind:
            case "w":
                return int(self.weights[layer][indices[0] - 1, indices[1] - 1])
            case "a":
                return int(self.inputs(layer, sample)[indices[0] - 1])
            case "o":
                outputs = self.x[sample] if layer == 0 else self.values[layer, sample]
                return int(outputs[indices[0] - 1])
            case "c":
                return int(
                    multiply(self.weights[layer], self.inputs(layer, sample)[:, None])[indices[0] - 1, 0]
                )
            case "h" | "sigma" if layer == last:
                return int(self.sigma[sample][indices[0] - 1])
            case "y":
                return int(self.targets[sample][indices[0] - 1])
            case "J":
                return self.cost
            case "Js":
                return self.costs[sample]
        raise NotApplicable(f"{kind} has no value in the field")

    # Dual numbers ----------------------------------------------------------------------

    def partial(self, of: Key, wrt: Key) -> Any:
        if wrt.kind == "h":
            if of.kind not in ("J", "Js"):
                raise NotApplicable(f"d {of.kind} / d h")
            slope = int(self.cost_slopes[wrt.sample][wrt.indices[0] - 1])
            return slope if of.kind == "J" else self._of_sample(of, wrt, slope)
        if of.kind == "w":
            return int((of.layer, of.indices) == (wrt.layer, wrt.indices))
        if wrt.kind not in ("w", "c", "o"):
            raise NotApplicable(f"derivative with respect to {wrt.kind}")
        if of.kind == "Js":
            own = Key("J", of.layer, (), 1)
            return self._of_sample(of, wrt, self._of_cost(own, wrt, [of.sample]))
        if of.kind == "J":
            # A weighted sum or output belongs to one sample, a weight to all.
            samples = list(range(1, self.shape.samples + 1)) if wrt.kind == "w" else [wrt.sample]
            return self._of_cost(of, wrt, samples)
        if wrt.kind != "w" and wrt.sample != of.sample:
            return 0
        tangent = self.tangent(wrt, of.sample)
        if of.kind in ("h", "sigma"):
            return int(tangent["h"][of.indices[0] - 1])
        if of.kind == "a":
            if of.indices[0] > self.shape.widths[of.layer - 1]:
                return 0
            of = Key("o", of.layer - 1, of.indices, of.sample)
        if of.kind in ("c", "o"):
            found = tangent.get((of.kind, of.layer))
            return 0 if found is None else int(found[of.indices[0] - 1])
        raise NotApplicable(f"derivative of {of.kind}")

    def _of_cost(self, of: Key, wrt: Key, samples: list[int]) -> int:
        """Return what these samples have in dJ / d wrt."""
        total = sum(
            int(multiply(self.cost_slopes[p][None, :], self.tangent(wrt, p)["h"][:, None])[0, 0])
            for p in samples
        )
        return total % PRIME

    def _of_sample(self, of: Key, wrt: Key, share: int) -> int:
        """Return the derivative of one sample's cost, whose m-th part is its share in that of J."""
        if wrt.kind != "w" and wrt.sample != of.sample:
            return 0
        return share * self.shape.samples % PRIME

    def _tangent(self, wrt: Key, sample: int) -> dict[Any, Array]:
        """Carry the dual part of one variable through the forward pass."""
        dual: dict[Any, Array] = {}
        seed = np.zeros(self.shape.widths[wrt.layer], dtype=np.int64)
        # (W + dW)(a + da): the seed is dW a for a weight, the unit for a weighted sum or an output.
        seed[wrt.indices[0] - 1] = (
            self.inputs(wrt.layer, sample)[wrt.indices[1] - 1] if wrt.kind == "w" else 1
        )
        dual["o" if wrt.kind == "o" else "c", wrt.layer] = seed
        for layer in range(wrt.layer, self.shape.last):
            if ("o", layer) not in dual:
                dual["o", layer] = self.slopes[layer, sample] * dual["c", layer] % PRIME
            o = dual["o", layer]
            regular = self.weights[layer + 1][:, : len(o)]
            dual["c", layer + 1] = multiply(regular, o[:, None])[:, 0]
        dual["h"] = multiply(self.sigma_slopes[sample], dual["c", self.shape.last][:, None])[:, 0]
        return dual

    def slope(self, layer: int, neuron: int, sample: int) -> Any:
        return int(self.slopes[layer, sample][neuron - 1])

    # Arithmetic ------------------------------------------------------------------------

    def number(self, numerator: int, denominator: int) -> Any:
        return numerator * pow(denominator, -1, PRIME) % PRIME

    def scalar(self, name: str) -> Any:
        if name == "m":
            return self.shape.samples
        return self.eta

    def function(self, name: str, argument: Any) -> Any:
        if name == "reciprocal":
            return pow(int(argument), -1, PRIME)
        raise NotApplicable(f"{name} is not a function of the field")

    def power(self, base: Any, numerator: int, denominator: int) -> Any:
        raise NotApplicable("roots are not polynomials")

    def reduce(self, value: Any) -> Any:
        return value % PRIME

    def product(self, a: Array, b: Array) -> Array:
        return multiply(a.astype(np.int64), b.astype(np.int64)).astype(object)

    def same(self, a: Any, b: Any) -> bool:
        return bool((a - b) % PRIME == 0)

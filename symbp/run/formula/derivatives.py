"""Derivatives on the right side of a formula: chain-rule forms such as dC/dz dz/dw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.quantities import Quantities
from symbp.run.formula.scripts import Environment
from symbp.run.formula.tree import Derivative, Name
from symbp.run.formula.value import Value, along, placed

_OTHER_SAMPLE = "a quantity of one sample does not depend on another sample"
_KINDS = {
    "WeightedSums": ("c", 0),
    "OutputColumn": ("o", 0),
    "InputColumn": ("o", -1),
    "WeightMatrix": ("w", 0),
    "RegularWeights": ("w", 0),
    "BiasColumn": ("bias", 0),
}
_ENTRIES = {
    "c": ("c", 0),
    "o": ("o", 0),
    "a": ("o", -1),
    "w": ("w", 0),
    "bias": ("bias", 0),
}


@dataclass(frozen=True)
class _Variable:
    """What is differentiated or differentiated by, in our layers; indices as they are written."""

    kind: str
    layer: int
    indices: tuple[Any, ...]
    axis: int


class Derivatives(Quantities):
    """Looks derivatives up: on the tape, never by a rule of backpropagation."""

    asked = "J"  # the cost whose derivatives by weights are being given

    def derivative(self, tree: Derivative, env: Environment) -> Value:
        """Return the derivative of one quantity by another, for every sample."""
        wrt = self._variable(tree.wrt, env)
        if tree.of.name in self.names.costs:
            return self._of_cost(tree, wrt, env)
        of = self._variable(tree.of, env)
        if of.kind not in ("c", "o"):
            raise self.fault(
                tree.of, f"the cost, weighted sums and outputs have derivatives, not {tree.of.name}"
            )
        if of.axis != wrt.axis and wrt.kind not in ("w", "bias"):
            raise self.fault(tree, _OTHER_SAMPLE)
        data = self._tensor((of.kind, of.layer), wrt)
        if not of.indices and not wrt.indices:
            if wrt.kind == "w":
                raise self.fault(
                    tree, "a column by a matrix: write it entry by entry, as in dz_i^l/dw_{ij}^l"
                )
            return Value(placed(data, of.axis), True)
        if not of.indices or not wrt.indices:
            raise self.fault(tree, "write both with indices, or both without")
        return self._entries(tree, data, of.axis, of, wrt, env)

    def _tensor(self, of: tuple[str, int], wrt: _Variable) -> NDArray[Any]:
        """Return the derivatives by what the notation calls so: weights in its layout, biases apart."""
        kind = "w" if wrt.kind == "bias" else wrt.kind
        data = self.arrays.derivative(of, (kind, wrt.layer))
        if wrt.kind == "bias":
            return data[..., -1]
        return self.arrays.theirs(data, wrt.layer)[0] if wrt.kind == "w" else data

    def _of_cost(self, tree: Derivative, wrt: _Variable, env: Environment) -> Value:
        kind = self.cost_kind(tree.of)
        by_weights = wrt.kind in ("w", "bias")
        if kind == "Jr" or (kind == self.asked == "J" and by_weights):
            name = f"d{tree.of.name}/d{tree.wrt.name}"
            raise self.fault(tree, f"{name} is what is asked for; it stands on the left")
        data = self._tensor(("Js", self.arrays.last), wrt)[:, 0]
        if kind == "J":
            data = data.mean(axis=0, keepdims=True) if by_weights else data / self.arrays.samples
        axis = self._axis_of(tree, wrt, env)
        if wrt.indices:
            return self._entries(tree, data[:, None], axis, None, wrt, env)
        if wrt.kind == "w":
            return Value(placed(data, axis), True)
        turned = self.names.notation.by_column == "row" and wrt.kind != "bias"
        return Value(placed(data[:, None, :] if turned else data[:, :, None], axis), True)

    def _axis_of(self, tree: Derivative, wrt: _Variable, env: Environment) -> int:
        """Return the axis of the sample: the cost's own, as in dE_n/dw, or that of the variable."""
        scripts = (*tree.of.below, *tree.of.above)
        bound = env.get(scripts[0].name) if scripts and isinstance(scripts[0], Name) else None
        if bound is None:
            return wrt.axis
        if wrt.axis not in (0, bound.axis):
            raise self.fault(tree, _OTHER_SAMPLE)
        return bound.axis

    def _entries(
        self,
        tree: Derivative,
        data: NDArray[Any],
        axis: int,
        of: _Variable | None,
        wrt: _Variable,
        env: Environment,
    ) -> Value:
        """Pick entries of derivatives (m, N_of, ...) by what they are of and by."""
        places = [along(np.arange(len(data)), axis)]
        if of is None:
            places.append(np.zeros((1,) * places[0].ndim, dtype=int))
        else:
            (i,) = self.indices(of.indices, 1, env, tree.of)
            places.append(self._checked(i, 1, data.shape[1]))
        count, lows = data.ndim - 2, (1, 1)
        if wrt.kind == "w":
            _, lows = self.arrays.matrix(wrt.layer)
        for n, low, size in zip(
            self.indices(wrt.indices, count, env, tree.wrt), lows, data.shape[2:], strict=False
        ):
            places.append(self._checked(n, low, size))
        return Value(data[tuple(places)], False)

    def _checked(self, n: NDArray[Any], low: int, size: int) -> NDArray[Any]:
        self.in_range(n, low, size)
        return n - low

    def _variable(self, tree: Name, env: Environment) -> _Variable:
        meaning = self.names.meanings.get(tree.name)
        if meaning is None:
            raise self.fault(tree, f"unknown name {tree.name!r} in the notation {self.names.notation.name}")
        if not meaning.layered:
            found = {"x": ("o", 0), "h": ("o", self.arrays.last)}.get(meaning.entry)
            if found is None:
                raise self.fault(tree, f"{tree.name} is nothing that is differentiated by")
            scripts = self.scripts(tree, meaning, env)
            return _Variable(*found, tuple(scripts.indices), scripts.axis)
        scripts = self.scripts(tree, meaning, env)
        entry = bool(scripts.indices)
        known = _ENTRIES.get(meaning.entry) if entry else _KINDS.get(meaning.whole)
        if known is None or scripts.layer is None:
            raise self.fault(tree, f"{tree.name} is nothing that is differentiated by")
        kind, shift = known
        number = self.whole_number(scripts.layer, env)
        layer = number - (meaning.entry_shift if entry else meaning.whole_shift) + shift
        first = 0 if kind == "o" else 1
        if not first <= layer <= self.arrays.last:
            raise NoSuchEntry(f"this network has no such {tree.name}")
        if kind == "bias" and not self.arrays.network.has_bias(layer):
            raise NoSuchEntry("this layer has no bias")
        return _Variable(kind, layer, tuple(scripts.indices), scripts.axis)

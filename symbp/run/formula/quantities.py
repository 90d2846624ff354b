"""Letters with their scripts -> the numbers they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.run.formula.arrays import Arrays, NoSuchEntry
from symbp.run.formula.names import Meaning
from symbp.run.formula.scripts import Environment, ScriptReader, Scripts
from symbp.run.formula.tree import Name, Part
from symbp.run.formula.value import Value, along, placed

_COLUMNS: dict[str, Callable[[Arrays, int], NDArray[Any]]] = {
    "WeightedSums": Arrays.sums,
    "OutputColumn": Arrays.outputs,
    "DeltaColumn": Arrays.sensitivities,
}
_OF_KIND = {"c": "WeightedSums", "o": "OutputColumn", "delta": "DeltaColumn"}


class Quantities(ScriptReader):
    """Looks quantities up: columns and matrices as a whole, and entries of them."""

    def _layer(self, part: Part | None, shift: int, env: Environment) -> int:
        assert part is not None
        return self.whole_number(part, env) - shift

    def whole(self, meaning: Meaning, scripts: Scripts, env: Environment, tree: Name) -> Value:
        arrays, key, axis = self.arrays, meaning.whole, scripts.axis
        if key in ("x", "h", "y"):
            data = {"x": arrays.outputs(0), "h": arrays.outputs(arrays.last), "y": arrays.point.Y}[key]
            return Value(placed(data[:, :, None], axis), True)
        if key == "v":
            return Value(placed(arrays.point.v[:, None, None], axis), False)
        layer = self._layer(scripts.layer, meaning.whole_shift, env)
        if key == "Identity":
            return Value(placed(np.eye(layer)[None], axis), True)
        if key in _COLUMNS:
            return Value(placed(_COLUMNS[key](arrays, layer)[:, :, None], axis), True)
        if key == "Delta":
            return Value(placed(self._accumulated(layer, scripts)[0], axis), True)
        if key == "DeltaOfBiases":
            return Value(placed(self._accumulated(layer, scripts, True)[0][:, :, None], axis), True)
        if key == "InputColumn":
            if layer == arrays.last + 1:  # the outputs of the last layer are no inputs
                return Value(placed(arrays.outputs(layer - 1)[:, :, None], axis), True)
            data, low = arrays.inputs(layer)
            return Value(placed(data[:, :, None], axis), True, low)
        if key == "StepMatrix":
            return Value(placed(arrays.step(layer), axis), True)
        if key == "WeightMatrix":
            data, lows = arrays.matrix(layer)
            return Value(placed(data[None], axis), True, lows[0])
        if key == "RegularWeights":
            return Value(placed(arrays.oriented(arrays.regular(layer))[None], axis), True)
        return Value(placed(arrays.biases(layer)[None, :, None], axis), True)

    def entry(self, meaning: Meaning, scripts: Scripts, env: Environment, tree: Name) -> Value:
        arrays, kind = self.arrays, meaning.entry
        if kind == "T":
            if len(tree.above) != 1 or len(scripts.indices) != 2:
                raise self.fault(tree, "T is written T_k^L, and an entry of it [T_k^L]_{ij}")
            upper, lower = scripts.indices
            shift = meaning.entry_shift
            chain = arrays.chain(self._layer(upper, shift, env), self._layer(lower, shift, env))
            return Value(placed(chain, scripts.axis), True)
        if kind == "v":
            raise self.fault(tree, "v has no index; it is the weight of a sample")
        if not meaning.layered:
            (n,) = self.indices(scripts.indices, 1, env, tree)
            data = {"x": arrays.outputs(0), "h": arrays.outputs(arrays.last), "y": arrays.point.Y}[kind]
            return self.picked(data, n, 1, scripts.axis)
        layer = self._layer(scripts.layer, meaning.entry_shift, env)
        if kind in ("w", "S", "Delta"):
            row, column = self.indices(scripts.indices, 2, env, tree)
            if kind == "Delta":
                data, lows = self._accumulated(layer, scripts)
                return self.from_matrix(data, (row, column), lows, scripts.axis)
            if kind == "S":
                return self.from_matrix(arrays.step(layer), (row, column), (1, 1), scripts.axis)
            data, lows = arrays.matrix(layer)
            return self.from_matrix(data[None], (row, column), lows, scripts.axis)
        (n,) = self.indices(scripts.indices, 1, env, tree)
        if kind == "DeltaOfBiases":
            return self.picked(self._accumulated(layer, scripts, True)[0], n, 1, scripts.axis)
        if kind == "bias":
            return self.picked(arrays.biases(layer)[None], n, 1, scripts.axis)
        if kind == "a":
            data, low = arrays.inputs(layer)
            return self.picked(data, n, low, scripts.axis)
        if kind == "o" and self.names.notation.bias == "first" and layer < arrays.last:
            data, low = arrays.inputs(layer + 1)
            return self.picked(data, n, low, scripts.axis)
        return self.picked(_COLUMNS[_OF_KIND[kind]](arrays, layer), n, 1, scripts.axis)

    def _accumulated(
        self, layer: int, scripts: Scripts, biases: bool = False
    ) -> tuple[NDArray[Any], tuple[int, int]]:
        """Return the accumulator of 001: the derivatives of the costs of samples 1 to m, or p, or p - 1."""
        arrays = self.arrays
        if not 1 <= layer <= arrays.last:
            raise NoSuchEntry("there are no weights in this layer")
        ours = arrays.derivative(("Js", arrays.last), ("w", layer))[:, 0]
        shares, lows = (ours[..., -1], (1, 1)) if biases else arrays.theirs(ours, layer)
        if scripts.before is None:
            return shares.sum(axis=0, keepdims=True), lows
        sums = np.cumsum(shares, axis=0)
        return sums - shares if scripts.before else sums, lows

    def picked(self, data: NDArray[Any], n: NDArray[Any], low: int, axis: int) -> Value:
        """Return entries of a column per sample, shape (m, N)."""
        self.in_range(n, low, data.shape[1])
        return Value(data[along(np.arange(len(data)), axis), n - low], False)

    def from_matrix(
        self,
        data: NDArray[Any],
        place: tuple[NDArray[Any], NDArray[Any]],
        low: tuple[int, int],
        axis: int,
    ) -> Value:
        """Return entries of a matrix per sample, shape (m, rows, columns)."""
        for n, first, size in zip(place, low, data.shape[1:], strict=True):
            self.in_range(n, first, size)
        row, column = (n - first for n, first in zip(place, low, strict=True))
        return Value(data[along(np.arange(len(data)), axis), row, column], False)

    def in_range(self, n: NDArray[Any], low: int, size: int) -> None:
        """Refuse indices of entries that are not there."""
        for found in (n.min(), n.max()):
            if not low <= found < low + size:
                raise NoSuchEntry(
                    f"there is no entry {found} in this layer: they are {low}..{low + size - 1}"
                )

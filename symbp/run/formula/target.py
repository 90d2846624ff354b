"""What one line of a gradient gives in one layer: which derivatives, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import FormulaError
from symbp.run.evaluate import Floats
from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.evaluate import Evaluator
from symbp.run.formula.scripts import Bound
from symbp.run.formula.tree import Line, Name
from symbp.run.formula.value import DIMENSIONS, Misfit, Value, along

# The place of a matrix, in our layout, that derivatives are put in.
Place = tuple[slice, slice]


@dataclass(frozen=True)
class Entry:
    """A line that gives derivatives; the layer is that of its left side, or `layer` where it has none."""

    line: Line
    layer: int | None = None
    bias: bool = False


class Target:
    """What one line gives in one layer.

    Parameters
    ----------
    evaluator : Evaluator
    entry : Entry
    layer : int
    of_sample : bool
        Whether it gives the derivatives of the cost of one sample, for each.
    """

    def __init__(self, evaluator: Evaluator, entry: Entry, layer: int, of_sample: bool) -> None:
        self.at, self.entry, self.layer, self.of_sample = evaluator, entry, layer, of_sample
        self.arrays, self.names = evaluator.arrays, evaluator.names
        self.rows, self.columns = self.arrays.network.shapes[layer - 1]
        self.has_bias = self.arrays.network.has_bias(layer)
        self.regular: Place = slice(None), slice(0, self.columns - int(self.has_bias))
        self.biases: Place = slice(None), slice(self.columns - 1, self.columns)
        self.letters = {name: Bound(layer=layer) for name in self.names.layers}

    def derivatives(self) -> list[tuple[Place, Floats]]:
        """Return the places of our matrix that the line gives, with the numbers."""
        left = self.entry.line.left
        if left is None:
            return self._column() if self.entry.bias else self._alone()
        meaning = self.names.meanings[left.name]
        letters = self._own_letters(left)
        if left.below and left.above and meaning.entry in ("w", "bias"):
            return self._entries(left, letters)
        if meaning.whole == "BiasColumn":
            return self._column(letters)
        return self._matrix(letters)

    def _own_letters(self, left: Name) -> dict[str, Bound]:
        part = (left.above or left.below)[0]
        return {part.name: Bound(layer=self.layer)} if isinstance(part, Name) else {}

    def _value(self, letters: Mapping[str, Bound]) -> Value:
        if self.of_sample:  # for every sample by itself
            with np.errstate(all="ignore"):
                return self.at.value(self.entry.line.right, letters)
        return self.at.gradient(self.entry.line.right, letters)

    # Matrices and columns -----------------------------------------------------------------

    def _alone(self) -> list[tuple[Place, Floats]]:
        """A formula alone is a matrix, or an entry in the notation's letters for the ends of a weight."""
        (to, source), (row, column) = self.names.neurons, self._ranges()
        letters = {**self.letters, to: Bound(1, along(row, 1)), source: Bound(2, along(column, 2))}
        value = self._value(letters)
        if value.matrix:
            return self._as_matrix(value)
        return self._from_axes(value, len(row), len(column))

    def _matrix(self, letters: Mapping[str, Bound]) -> list[tuple[Place, Floats]]:
        value = _zeros_if_zero(self._value(letters), *self.arrays.matrix(self.layer)[0].shape)
        if not value.matrix and self.arrays.matrix(self.layer)[0].size != 1:
            raise self._misfit(value) from Misfit()
        return self._as_matrix(value)

    def _as_matrix(self, value: Value) -> list[tuple[Place, Floats]]:
        found = self._numbers(value, *value.shape)
        whole = self.arrays.matrix(self.layer)[0].shape
        regular = self.arrays.oriented(self.arrays.regular(self.layer)).shape
        if value.shape == whole and self.names.notation.bias != "separate":
            return [((slice(None), slice(None)), self.arrays.ours(found, self.layer))]
        if value.shape == regular:
            return [(self.regular, self.arrays.oriented(found))]
        raise self._misfit(value) from Misfit()

    def _misfit(self, value: Value) -> FormulaError:
        whole = self.arrays.matrix(self.layer)[0].shape
        turned = value.shape in (
            whole[::-1],
            self.arrays.oriented(self.arrays.regular(self.layer)).shape[::-1],
        )
        hint = "; it is transposed" if value.matrix and turned else ""
        expected = " x ".join(map(str, whole))
        return self.at.fault(
            self.entry.line.right,
            f"the gradient of the weights of layer {self.layer} is {value}: expected {expected}{hint}",
        )

    def _column(self, letters: Mapping[str, Bound] | None = None) -> list[tuple[Place, Floats]]:
        if not self.has_bias:
            raise self.at.fault(self.entry.line.right, f"layer {self.layer} has no bias")
        value = _zeros_if_zero(self._value(self.letters if letters is None else letters), self.rows, 1)
        if value.shape != (self.rows, 1):
            raise self.at.fault(
                self.entry.line.right,
                f"the gradient of the biases of layer {self.layer} is {value}: expected {self.rows} x 1",
            ) from Misfit()
        return [(self.biases, self._numbers(value, self.rows, 1))]

    def _numbers(self, value: Value, rows: int, columns: int) -> Floats:
        """Return a matrix for every sample, shape (m, rows, columns)."""
        samples = self.arrays.samples
        return np.broadcast_to(value.data.reshape(-1, rows, columns), (samples, rows, columns))

    # Entries ------------------------------------------------------------------------------

    def _ranges(self, regular: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the numbers of the neurons a weight leads to, and of those it comes from."""
        matrix, lows = self.arrays.matrix(self.layer)
        sizes = matrix.shape
        if self.names.notation.weights == "from to":
            sizes, lows = sizes[::-1], lows[::-1]
        to, source = (np.arange(low, low + size) for low, size in zip(lows, sizes, strict=True))
        return to, source[source != self._bias_number()] if regular else source

    def _bias_number(self) -> int:
        if not self.arrays.has_bias_input(self.layer):
            return -1
        return 0 if self.names.notation.bias == "first" else self.columns

    def _entries(self, left: Name, letters: Mapping[str, Bound]) -> list[tuple[Place, Floats]]:
        if self.names.meanings[left.name].entry == "bias":
            return self._bias_entries(left, letters)
        first, second = self.at.index_parts(left.below, 2, letters, left)
        to, source = (second, first) if self.names.notation.weights == "from to" else (first, second)
        if not isinstance(to, Name):
            raise self.at.fault(to, "expected a letter for the neurons that the weights lead to")
        if not isinstance(source, Name) or source.below or source.name in letters:
            number = self.at.whole_number(source, letters)
            if not self.has_bias and letters:  # a line for any layer: this one has no bias
                return []
            if not self.has_bias or number != self._bias_number():
                raise self.at.fault(source, "only the bias has a number of its own here")
            rows, _ = self._ranges()
            value = self._value({**letters, to.name: Bound(1, along(rows, 1))})
            return [(self.biases, self._from_axes(value, len(rows), 1)[0][1])]
        if self.entry.line.neurons_only:
            return self._for_inputs(to, source, letters, regular=True)
        try:
            return self._for_inputs(to, source, letters, regular=False)
        except FormulaError as error:  # a formula for the regular weights only
            if not self.arrays.has_bias_input(self.layer) or not isinstance(error.__cause__, NoSuchEntry):
                raise
            return self._for_inputs(to, source, letters, regular=True)

    def _for_inputs(
        self, to: Name, source: Name, letters: Mapping[str, Bound], regular: bool
    ) -> list[tuple[Place, Floats]]:
        rows, columns = self._ranges(regular)
        bound = {to.name: Bound(1, along(rows, 1)), source.name: Bound(2, along(columns, 2))}
        return self._from_axes(self._value({**letters, **bound}), len(rows), len(columns))

    def _bias_entries(self, left: Name, letters: Mapping[str, Bound]) -> list[tuple[Place, Floats]]:
        if not self.has_bias:
            raise self.at.fault(left, f"layer {self.layer} has no bias")
        (neuron,) = self.at.index_parts(left.below, 1, letters, left)
        if not isinstance(neuron, Name):
            raise self.at.fault(neuron, "expected a letter for the neurons of the layer")
        rows = np.arange(1, self.rows + 1)
        value = self._value({**letters, neuron.name: Bound(1, along(rows, 1))})
        return [(self.biases, self._from_axes(value, self.rows, 1)[0][1])]

    def _from_axes(self, value: Value, rows: int, columns: int) -> list[tuple[Place, Floats]]:
        if value.matrix:
            words = f"an entry of the gradient is a number, not {value}"
            raise self.at.fault(self.entry.line.right, words) from Misfit()
        shape = (self.arrays.samples, rows, columns)
        found = np.broadcast_to(value.data, (*shape, *(1,) * (DIMENSIONS - 3))).reshape(shape)
        if columns == self.columns and self.has_bias and self.names.notation.bias == "first":
            found = np.roll(found, -1, axis=-1)
        place = (slice(None), slice(None)) if columns == self.columns else self.regular
        return [(place, found)]


def _zeros_if_zero(value: Value, rows: int, columns: int) -> Value:
    """Read the number 0 as the matrix of zeros, as authors write it."""
    if value.matrix or value.data.any():
        return value
    return Value(np.zeros((1,) * (DIMENSIONS - 2) + (rows, columns)), True)

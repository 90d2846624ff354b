"""A gradient as it is written down -> the numbers that it says, and of which weights it says any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import FormulaError, GradientError
from symbp.functions import ACTIVATIONS
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.notation import get
from symbp.run.formula.arrays import Arrays, Floats, NoSuchEntry
from symbp.run.formula.evaluate import Evaluator
from symbp.run.formula.names import Names, names_of
from symbp.run.formula.operations import ELEMENTARY
from symbp.run.formula.reader import read_lines
from symbp.run.formula.scripts import Bound
from symbp.run.formula.tokens import fault
from symbp.run.formula.tree import Binary, Line, Name, Part, walk
from symbp.run.formula.value import DIMENSIONS, Value, along
from symbp.run.point import Point
from symbp.values import shown, whole_number

# The place of a matrix, in our layout, that derivatives are put in.
Place = tuple[slice, slice]


@dataclass(frozen=True)
class Entry:
    """A line that gives derivatives; the layer is that of its left side, or `layer` where it has none."""

    line: Line
    layer: int | None = None
    bias: bool = False


@dataclass(frozen=True)
class WrittenGradient:
    """A gradient as text, read but not evaluated.

    Attributes
    ----------
    network : Network
    names : Names
    entries : tuple of Entry
    definitions : tuple of Line
    """

    network: Network
    names: Names
    entries: tuple[Entry, ...]
    definitions: tuple[Line, ...]

    @property
    def remark(self) -> str | None:
        """What delta was taken for, where it is used and no line defines it."""
        letter = self.names.notation.glyph("delta").text
        lines = (*self.definitions, *(entry.line for entry in self.entries))
        used = any(isinstance(part, Name) and part.name == letter for n in lines for part in walk(n.right))
        if not used or any(line.left is not None and line.left.name == letter for line in self.definitions):
            return None
        one = self.names.notation.sensitivity == "sample"
        cost = "cost of one sample, without" if one else "average cost: it holds"
        return f"{letter} was taken for the derivative of the {cost} the factor 1/{self.names.samples}"

    def at(self, point: Point) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the gradient in our layout, shape (n_params,), and which derivatives are given at all.

        Raises
        ------
        FormulaError
            If a name is unknown or shapes do not fit; the excerpt shows the place.
        """
        evaluator = Evaluator(Arrays(self.network, point, self.names.notation), self.names, self.definitions)
        evaluator.prepare()
        values = [np.zeros(shape) for shape in self.network.shapes]
        said = [np.zeros(shape, dtype=bool) for shape in self.network.shapes]
        # What is given for one layer goes before what is given for any.
        for entry, layer in sorted(self._asked(evaluator), key=lambda found: self._is_general(found[0])):
            with evaluator.reading(entry.line):
                found = _Target(evaluator, entry, layer).derivatives()
            for place, numbers in found:
                new = ~said[layer - 1][place]
                values[layer - 1][place][new] = numbers[new]
                said[layer - 1][place] = True
        return np.concatenate([v.ravel() for v in values]), np.concatenate([part.ravel() for part in said])

    def _asked(self, evaluator: Evaluator) -> Iterator[tuple[Entry, int]]:
        """Yield every line with every layer that it is for."""
        last = self.network.hidden + 1
        for entry in self.entries:
            if entry.layer is not None:
                yield entry, entry.layer
            elif entry.line.left is None and (layer := self._layer_spoken_of(entry, evaluator)) is not None:
                yield entry, layer
            elif self._is_general(entry):
                biases_only = entry.line.left is not None and self._is_of_biases(entry.line.left)
                for layer in range(1, last + 1):
                    if self.network.has_bias(layer) or not biases_only:
                        yield entry, layer
            else:
                with evaluator.reading(entry.line):
                    part = self._layer_part(entry.line.left)
                    layer = evaluator.whole_number(part, {})
                    if not 1 <= layer <= last:
                        raise evaluator.fault(part, f"the layers of weights are 1..{last}")
                yield entry, layer

    def _layer_spoken_of(self, entry: Entry, evaluator: Evaluator) -> int | None:
        """Return the layer of a formula alone in which layers are numbers: that of its sensitivity."""
        named = [part for part in walk(entry.line.right) if isinstance(part, Name)]
        layers = [part for name in named for part in (*name.below, *name.above)]
        if any(isinstance(part, Name) and part.name in self.names.layers for part in map(first_name, layers)):
            return None
        if self.network.hidden == 0:
            return 1
        found = {}
        for name in named:
            meaning = self.names.meanings.get(name.name)
            if meaning is not None and meaning.whole == "DeltaColumn":
                with evaluator.reading(entry.line):
                    part = (name.above or name.below or (name,))[0]
                    found[evaluator.whole_number(part, {}) - meaning.whole_shift] = part
        if len(found) == 1:
            return next(iter(found))
        raise fault(
            entry.line.text,
            entry.line.right.at,
            f"the gradient of which weights? Write d{self.names.cost}/d{_weights(self.names, '2')} = ...",
        )

    def _is_general(self, entry: Entry) -> bool:
        if entry.layer is not None:
            return False
        part = None if entry.line.left is None else self._layer_part(entry.line.left)
        return part is None or (isinstance(part, Name) and part.name in self.names.layers)

    def _is_of_biases(self, left: Name) -> bool:
        return self.names.meanings[left.name].whole == "BiasColumn"

    def _layer_part(self, left: Name | None) -> Part:
        assert left is not None
        return (left.above or left.below)[0]


class _Target:
    """What one line gives in one layer."""

    def __init__(self, evaluator: Evaluator, entry: Entry, layer: int) -> None:
        self.at, self.entry, self.layer = evaluator, entry, layer
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
        value = self._value(letters)
        if not value.matrix and self.arrays.matrix(self.layer)[0].size != 1:
            raise self._misfit(value)
        return self._as_matrix(value)

    def _as_matrix(self, value: Value) -> list[tuple[Place, Floats]]:
        found = value.data.reshape(value.shape)
        whole = self.arrays.matrix(self.layer)[0].shape
        regular = self.arrays.oriented(self.arrays.regular(self.layer)).shape
        if value.shape == whole and self.names.notation.bias != "separate":
            return [((slice(None), slice(None)), self.arrays.ours(found, self.layer))]
        if value.shape == regular:
            return [(self.regular, self.arrays.oriented(found))]
        raise self._misfit(value)

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
        value = self._value(self.letters if letters is None else letters)
        if value.shape != (self.rows, 1):
            raise self.at.fault(
                self.entry.line.right,
                f"the gradient of the biases of layer {self.layer} is {value}: expected {self.rows} x 1",
            )
        return [(self.biases, value.data.reshape(self.rows, 1))]

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
            raise self.at.fault(self.entry.line.right, f"an entry of the gradient is a number, not {value}")
        data = np.broadcast_to(value.data, (1, rows, columns, *(1,) * (DIMENSIONS - 3)))
        found = data.reshape(rows, columns)
        if columns == self.columns and self.has_bias and self.names.notation.bias == "first":
            found = np.roll(found, -1, axis=1)
        place = (slice(None), slice(None)) if columns == self.columns else self.regular
        return [(place, found)]


def read_gradient(network: Network, given: str | Mapping[Any, Any], notation: str) -> WrittenGradient:
    """Read a gradient that is given as text.

    Parameters
    ----------
    network : Network
    given : str or mapping
        Lines such as ``delta^L = ...; dJ/dW^k = ...``, or a formula alone for the weights of any
        layer k; or the formula for each layer, ``{1: "...", 2: "..."}``, each perhaps a pair
        with that of the biases.
    notation : str
        Whose letters are used.

    Raises
    ------
    RenderError
        If there is no such notation.
    GradientError
        If the text is no formula in its letters, or gives no derivative of a weight.
    """
    names = names_of(get(notation), network.weighted)

    def lines(text: Any) -> tuple[Line, ...]:
        if not isinstance(text, str):
            raise GradientError(f"the gradient {shown(text)}: expected a text such as 'delta^2 (o^1)^T'")
        return read_lines(text, lambda name: name == names.function or name in (*ELEMENTARY, *ACTIVATIONS))

    found: list[Entry] = []
    if isinstance(given, str):
        found += [Entry(line) for line in lines(given)]
    else:
        for key, texts in given.items():
            layer = whole_number("the layer", key, 1, network.hidden + 1)
            pair = texts if isinstance(texts, tuple | list) else (texts,)
            if not 1 <= len(pair) <= 2:
                raise GradientError(f"layer {layer}: expected a text, or a pair with that of the biases")
            for bias, text in enumerate(pair):
                found += [Entry(line, layer, bool(bias)) for line in lines(text)]
    definitions = tuple(entry.line for entry in found if entry.line.left and not entry.line.gradient)
    for n, entry in enumerate(found):
        left = entry.line.left
        if left is not None and any(left == other.line.left for other in found[:n]):
            raise fault(entry.line.text, left.at, f"{left.name} of this layer is given twice")
    entries = tuple(_checked(entry, names) for entry in found if entry.line not in definitions)
    if not entries:
        raise GradientError(
            f"no line gives a derivative of the cost: expected d{names.cost}/d{_weights(names)} = ..."
        )
    return WrittenGradient(network, names, entries, definitions)


def _weights(names: Names, layer: str = "") -> str:
    letter = next(n for n, meaning in names.meanings.items() if meaning.whole == "WeightMatrix")
    return f"{letter}^{layer or names.layers[0]}"


def first_name(part: Part) -> Part:
    """Return the letter that an index or a layer such as ``l + 1`` begins with."""
    while isinstance(part, Binary):
        part = part.left
    return part


def _checked(entry: Entry, names: Names) -> Entry:
    """Return the entry, whose left side is a derivative by weights; it then says its layer itself."""
    left = entry.line.left
    if left is None:
        return entry
    of_weights = ("WeightMatrix", "RegularWeights", "BiasColumn")
    known = [n for n, m in names.meanings.items() if m.whole in of_weights or m.entry in ("w", "bias")]
    if left.name not in known:
        raise fault(
            entry.line.text,
            left.at,
            f"a gradient is the derivative by weights, not by {left.name!r}{nearest(left.name, known)}",
        )
    if not left.above and not left.below:
        raise fault(entry.line.text, left.at, f"{left.name} needs its layer, such as {left.name}^1")
    return Entry(entry.line)

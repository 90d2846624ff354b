"""What lines of a text define: quantities of the notation given anew, and quantities of one's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import FormulaError
from symbp.run.formula.arrays import Arrays, NoSuchEntry
from symbp.run.formula.derivatives import Derivatives
from symbp.run.formula.names import Names
from symbp.run.formula.scripts import Bound, Environment
from symbp.run.formula.tree import Line, Name, Number, Part
from symbp.run.formula.value import Circular, Misfit, Value, along, placed

_DEEPEST = 40


@dataclass(frozen=True)
class Definition:
    """A line that defines a quantity, the layer it is asked for in, and what its letters stand for."""

    line: Line
    layer: int | None
    letters: Environment

    @property
    def name(self) -> str:
        return self.line.given.name


@dataclass(frozen=True, eq=False)
class Defined:
    """All that lines define, for each sample: which entries of the matrix are given, the first numbers."""

    value: Value
    given: NDArray[np.bool_]
    lows: tuple[int, int]


class Definitions(Derivatives):
    """Finds and computes what lines define.

    Parameters
    ----------
    arrays : Arrays
    names : Names
    definitions : sequence of Line
        Lines that define a quantity, which then stands for what is defined.
    """

    def __init__(self, arrays: Arrays, names: Names, definitions: Sequence[Line] = ()) -> None:
        super().__init__(arrays, names)
        self.definitions = definitions
        self._known: dict[tuple[str, int | None, bool], Defined] = {}
        self._pending: list[tuple[str, int | None, bool]] = []

    @abstractmethod
    def value(self, tree: Part, env: Environment) -> Value:
        """Return the value of a tree."""

    @abstractmethod
    def gradient(self, tree: Part, env: Environment) -> Value:
        """Return a value summed over the samples."""

    # Finding ------------------------------------------------------------------------------

    def definition(self, tree: Name, env: Environment) -> Definition | None:
        """Return the line that defines a quantity in its layer: one for this layer, else one for any."""
        general = None
        for line in self.definitions:
            if line.given.name != tree.name:
                continue
            own, wanted = self._layer_part(line.given, {}), self._layer_part(tree, env)
            if own is None or wanted is None:
                return Definition(line, None, {})
            found = self._in_layer(line, own, self.whole_number(wanted, env))
            if found is None:
                continue
            if not found.letters:
                return found
            general = general or found
        return None if general is None or self._ends(general) else general

    def _in_layer(self, line: Line, own: Part, layer: int) -> Definition | None:
        if isinstance(own, Name) and own.name in self.names.layers:
            return Definition(line, layer, {own.name: Bound(layer=layer)})
        with self.reading(line):
            return Definition(line, layer, {}) if self.whole_number(own, {}) == layer else None

    def _ends(self, found: Definition) -> bool:
        """Whether a recursion for any layer has come to the last one, where it does not hold.

        Where no line gives the sensitivity of the last layer, the right one stands there.
        """
        meaning = self.names.meanings.get(found.name)
        if meaning is None or meaning.whole != "DeltaColumn" or found.layer is None:
            return False
        return found.layer - meaning.whole_shift == self.arrays.last

    def _layer_part(self, tree: Name, env: Environment) -> Part | None:
        meaning = self.names.meanings.get(tree.name)
        if meaning is not None:
            return self.scripts(tree, meaning, env).layer
        return next(iter((*tree.above, *tree.below)), None)

    def adds_up(self, found: Definition) -> bool:
        """Whether what is defined may be a sum over the samples: no quantity of neurons is."""
        meaning = self.names.meanings.get(found.name)
        return meaning is None or meaning.adds_up

    # Computing ----------------------------------------------------------------------------

    def defined(self, tree: Name, found: Definition, env: Environment, summed: bool = False) -> Value:
        """Return what a definition gives where a name stands; `summed` over the samples."""
        whole = self._whole(tree, found, summed)
        indices, axis = self._indices_of(tree, env)
        data = whole.value.data.reshape(whole.value.data.shape[0], *whole.value.shape)
        if not indices:
            return self._as_a_whole(whole, data, axis)
        if not whole.value.matrix:
            raise self.fault(tree, f"{tree.name} is a number: it has no entries")
        count = 1 if whole.value.shape[1] == 1 and whole.lows[1] == 1 and len(indices) == 1 else 2
        places = self.indices(indices, count, env, tree)
        if count == 1:
            return self.picked(data[:, :, 0], places[0], whole.lows[0], axis)
        row, column = (n - low for n, low in zip(places, whole.lows, strict=True))
        for n, low, size in zip(places, whole.lows, whole.value.shape, strict=True):
            self.in_range(n, low, size)
        if not whole.given[row, column].all():
            raise NoSuchEntry(f"not all entries of {tree.name} are given")
        return self.from_matrix(data, (places[0], places[1]), whole.lows, axis)

    def _as_a_whole(self, whole: Defined, data: NDArray[Any], axis: int) -> Value:
        value = whole.value
        if not value.matrix:
            return Value(placed(data, axis), False)
        rows, columns = whole.given.any(axis=1), whole.given.any(axis=0)
        kept = data[:, rows][:, :, columns]  # without the biases, where nothing is said of them
        return Value(placed(kept, axis), True, value.low)

    def _indices_of(self, tree: Name, env: Environment) -> tuple[list[Part], int]:
        meaning = self.names.meanings.get(tree.name)
        if meaning is None:
            return (list(tree.below) if tree.above else []), self.sample_axis(env)
        scripts = self.scripts(tree, meaning, env)
        return scripts.indices, scripts.axis

    def _whole(self, tree: Name, found: Definition, summed: bool) -> Defined:
        """Return all that lines define: computed once."""
        key = found.name, found.layer, summed
        if key not in self._known:
            with self._defining(key, tree), self.reading(found.line):
                self._known[key] = self._computed(found, summed)
        return self._known[key]

    @contextmanager
    def _defining(self, key: tuple[str, int | None, bool], tree: Name) -> Iterator[None]:
        """Refuse definitions that use each other, or go on through too many layers."""
        if key in self._pending:
            raise self.fault(tree, f"{tree.name} is defined by itself") from Circular()
        if len(self._pending) >= _DEEPEST:
            raise self.fault(tree, f"{tree.name}: more than {_DEEPEST} definitions inside each other")
        self._pending.append(key)
        try:
            yield
        finally:
            self._pending.pop()

    def prepare(self) -> None:
        """Compute the sensitivities from the last layer on, so that each finds the next one's."""
        letter = self.names.notation.glyph("delta").text
        shift = self.names.meanings[letter].whole_shift
        for layer in range(self.arrays.last, 0, -1):
            column = Name(0, letter, (), (Number(0, str(layer + shift)),))
            with suppress(FormulaError):  # said when it is asked for
                if (found := self.definition(column, {})) is not None:
                    self._whole(column, found, False)

    def _computed(self, found: Definition, summed: bool) -> Defined:
        left = found.line.given
        indices, _ = self._indices_of(left, {})
        if not indices:
            evaluate = self.gradient if summed else self.value
            value = evaluate(found.line.right, found.letters)
            return Defined(value, np.ones(value.shape, dtype=bool), (value.low, 1))
        if found.layer is not None and len(self._pair(indices)) == 2:
            return self._matrix_of_entries(found, summed)
        meaning = self.names.meanings.get(left.name)
        if meaning is None or found.layer is None or len(indices) > 1:
            raise self.fault(left, "only columns with one index, or matrices with two, have entries")
        sizes, layer = self.arrays.network.sizes, found.layer - meaning.entry_shift
        if not 0 <= layer < len(sizes):
            raise NoSuchEntry(f"there is no {left.name} of layer {found.layer}")
        return self._column_of_entries(found, sizes[layer], summed)

    def _column_of_entries(self, found: Definition, size: int, summed: bool) -> Defined:
        """Put a column together from a line for any entry, or from one for each."""
        samples = 1 if summed else self.arrays.samples
        data, given = np.zeros((samples, size, 1)), np.zeros((size, 1), dtype=bool)
        lines = [line for line in self._lines_of(found, 1) if bool(line.letters) == bool(found.letters)]
        for line in lines:
            with self.reading(line.line):
                (index,) = self._indices_of(line.line.given, {})[0]
                if not isinstance(index, Name) or index.below or len(index.name) != 1:
                    number = self.whole_number(index, line.letters)
                    self.in_range(np.array([number]), 1, size)
                    value = self._over(line, {}, summed)
                    data[:, number - 1, 0], given[number - 1] = value.data.reshape(-1), True
                    continue
                letters = {index.name: Bound(axis=1, numbers=along(np.arange(1, size + 1), 1))}
                value = self._over(line, letters, summed)
                column = np.broadcast_to(value.data, (value.data.shape[0], size, *value.data.shape[2:]))
                data = np.where(given, data, np.moveaxis(column, 1, -2).reshape(len(column), size, 1))
                given[:] = True
        if not given.all():
            missing = int(np.argmin(given)) + 1
            words = f"not all entries of {found.name} are given: that with the number {missing} is not"
            raise self.fault(found.line.given, words)
        return Defined(Value(placed(data, 0), True), given, (1, 1))

    def _over(self, found: Definition, letters: Environment, summed: bool) -> Value:
        """Return the entries that a line gives for all values of its indices."""
        evaluate = self.gradient if summed else self.value
        value = evaluate(found.line.right, {**found.letters, **letters})
        if value.matrix and value.shape == (1, 1):  # a column of one entry is that entry
            value = Value(value.data, False)
        if value.matrix:
            raise self.fault(found.line.right, f"an entry is a number, not {value}") from Misfit()
        return value

    def _pair(self, indices: Sequence[Part]) -> list[Part]:
        try:
            return self.index_parts(indices, 2, {}, indices[0])
        except FormulaError:
            return []

    # Matrices entry by entry ----------------------------------------------------------------

    def _matrix_of_entries(self, found: Definition, summed: bool) -> Defined:
        """Put a matrix of weights together from lines that give its entries; biases may have their own."""
        assert found.layer is not None
        if not 1 <= found.layer <= self.arrays.last:
            raise NoSuchEntry("there are no weights in this layer")
        matrix, lows = self.arrays.matrix(found.layer)
        samples = 1 if summed else self.arrays.samples
        data, given = np.zeros((samples, *matrix.shape)), np.zeros(matrix.shape, dtype=bool)
        for line in self._lines_of(found, 2):
            with self.reading(line.line):
                for rows, columns, numbers in self._entries_of(line, matrix.shape, lows, summed):
                    place: Any = np.ix_(rows - lows[0], columns - lows[1])
                    where: Any = (slice(None), *place)
                    data[where] = np.where(given[place], data[where], numbers)
                    given[place] = True
        return Defined(Value(placed(data, 0), True, lows[0]), given, lows)

    def _lines_of(self, found: Definition, count: int) -> list[Definition]:
        """Return the lines that give entries with so many indices, those with a number first."""
        lines = []
        for line in self.definitions:
            own = self._layer_part(line.given, {}) if line.given.name == found.name else None
            if own is not None and found.layer is not None:
                one = self._in_layer(line, own, found.layer)
                if one is not None and self._count(line.given, own) == count:
                    lines.append(one)
        return sorted(lines, key=lambda one: not self._has_a_number(one.line))

    def _count(self, left: Name, own: Part) -> int:
        """Return how many indices an entry on the left has."""
        indices = self._indices_of(left, {})[0]
        return 2 if len(self._pair(indices or [own])) == 2 else len(indices)

    def _has_a_number(self, line: Line) -> bool:
        indices, _ = self._indices_of(line.given, {})
        parts = self._pair(indices) or indices
        return not all(isinstance(part, Name) and not part.below for part in parts)

    def _entries_of(
        self, found: Definition, shape: tuple[int, ...], lows: tuple[int, int], summed: bool
    ) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Return rows, columns and values (samples, rows, columns) that a line gives."""
        assert found.layer is not None
        parts = self._pair(self._indices_of(found.line.given, {})[0])
        every = [np.arange(low, low + size) for low, size in zip(lows, shape, strict=True)]
        regular = [self.regular_numbers(numbers, n, found.layer) for n, numbers in enumerate(every)]
        error: FormulaError | None = None
        # Perhaps a formula for the regular weights only.
        for rows, columns in (every, regular)[found.line.neurons_only :]:
            letters: dict[str, Bound] = {}
            spans = []
            for axis, (part, numbers) in enumerate(zip(parts, (rows, columns), strict=True), 1):
                is_letter = isinstance(part, Name) and not part.below and part.name not in found.letters
                if is_letter and isinstance(part, Name):
                    letters[part.name] = Bound(axis, along(numbers, axis))
                    spans.append(numbers)
                else:
                    spans.append(np.array([self.whole_number(part, found.letters)]))
                    self.in_range(spans[-1], lows[axis - 1], shape[axis - 1])
            try:
                value = self._over(found, letters, summed)
            except FormulaError as problem:
                if not isinstance(problem.__cause__, NoSuchEntry):
                    raise
                error = error or problem
                continue
            samples = value.data.shape[0]
            entries = np.broadcast_to(value.data.reshape(value.data.shape[:3]), (samples, *map(len, spans)))
            return [(spans[0], spans[1], entries)]
        assert error is not None
        raise error

    def regular_numbers(self, numbers: NDArray[Any], axis: int, layer: int) -> NDArray[Any]:
        """Return the numbers along an axis of W without that of the bias."""
        of_inputs = axis == int(self.names.notation.weights == "to from")
        if not of_inputs or not self.arrays.has_bias_input(layer):
            return numbers
        return numbers[1:] if self.names.notation.bias == "first" else numbers[:-1]

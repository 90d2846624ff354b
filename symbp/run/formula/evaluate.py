"""Trees -> values, in the letters of a notation, at one point of a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np

from symbp.errors import FormulaError
from symbp.functions.names import nearest
from symbp.run.formula.arrays import Arrays, NoSuchEntry
from symbp.run.formula.names import Names
from symbp.run.formula.operations import ELEMENTARY, VALUES
from symbp.run.formula.quantities import Quantities
from symbp.run.formula.scripts import Bound, Environment
from symbp.run.formula.tree import Binary, Line, Name, Negative, Number, Part, Power, walk
from symbp.run.formula.value import INDICES, Misfit, Value, along, entrywise, number, placed, total

_DEEPEST = 40


@dataclass(frozen=True)
class _Definition:
    """A line that defines a quantity, the layer it is asked for in, and what its letters stand for."""

    line: Line
    layer: int | None
    letters: Environment

    @property
    def name(self) -> str:
        assert self.line.left is not None
        return self.line.left.name


class Evaluator(Quantities):
    """Evaluates formulas of one notation at one point.

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
        self._known: dict[tuple[str, int | None], Value] = {}  # what lines define
        self._pending: list[tuple[str, int | None]] = []

    # Values -----------------------------------------------------------------------------

    def value(self, tree: Part, env: Environment) -> Value:
        """Return the value of a tree.

        Raises
        ------
        FormulaError
            If a name is unknown, a layer or an entry does not exist, or shapes do not fit.
        """
        try:
            return VALUES[type(tree)](self, tree, env)
        except (NoSuchEntry, Misfit) as error:
            raise self.fault(tree, str(error)) from error

    def gradient(self, tree: Part, env: Environment) -> Value:
        """Return a value summed over the samples, term by term: what has no sample counts once."""
        with np.errstate(all="ignore"):
            return self._summed(tree, env)

    def _summed(self, tree: Part, env: Environment) -> Value:
        match tree:
            case Binary(_, "+" | "-" as sign, left, right):
                operation = np.add if sign == "+" else np.subtract
                try:
                    return entrywise(operation, self.gradient(left, env), self.gradient(right, env), sign)
                except Misfit as error:
                    raise self.fault(tree, str(error)) from None
            case Negative(_, operand):
                found = self.gradient(operand, env)
                return replace(found, data=-found.data)
            case Binary(_, operator, left, right) if self._is_constant(right, env):
                inner, factor = self.gradient(left, env), self.value(right, env)
                return entrywise(np.divide if operator == "/" else np.multiply, inner, factor, operator)
            case Binary(_, "@" | "*", left, right) if self._is_constant(left, env):
                return entrywise(np.multiply, self.value(left, env), self.gradient(right, env), "times")
            case Name(_, name) if name not in self.names.meanings:
                defined = self._definition(tree, env)
                if defined is not None:  # D = Delta/m: the sum is taken where Delta stands
                    with self._defining(defined, tree), self.reading(defined.line):
                        return self.gradient(defined.line.right, defined.letters)
        found = self.value(tree, env)
        return total(found, 0, 1)

    def _is_constant(self, tree: Part, env: Environment) -> bool:
        """Whether a factor is a number that is the same for all samples and indices: 2, 1/m."""
        return all(
            isinstance(part, Number | Binary | Negative | Power)
            or (isinstance(part, Name) and part.name in (self.names.samples, self.names.depth))
            for part in walk(tree)
        )

    # Quantities ---------------------------------------------------------------------------

    def named(self, tree: Name, env: Environment) -> Value:
        defined = self._definition(tree, env)
        if defined is not None:
            return self._defined(tree, defined, env)
        size = self.size(tree, env)
        if size is not None:
            return number(size)
        meaning = self.names.meanings.get(tree.name)
        if meaning is None:
            raise self._unknown(tree, env)
        scripts = self.scripts(tree, meaning, env)
        if not scripts.indices and meaning.whole:
            return self.whole(meaning, scripts, env, tree)
        if not scripts.indices or not meaning.entry:
            raise self.fault(
                tree, f"{tree.name} is {'an entry' if meaning.entry else 'a whole matrix'} in this notation"
            )
        return self.entry(meaning, scripts, env, tree)

    def _unknown(self, tree: Name, env: Environment) -> FormulaError:
        name = tree.name
        if name[0] == "d" and name[1:] in (*self.names.meanings, self.names.cost):
            return self.fault(tree, f"{name}: derivatives stand on the left side only")
        defined = [line.left.name for line in self.definitions if line.left is not None]
        known = sorted({*self.names.all, *defined, *ELEMENTARY})
        return self.fault(
            tree, f"unknown name {name!r} in the notation {self.names.notation.name}{nearest(name, known)}"
        )

    # Definitions --------------------------------------------------------------------------

    def _definition(self, tree: Name, env: Environment) -> _Definition | None:
        """Return the line that defines a quantity in its layer: one for this layer, else one for any."""
        general = None
        for line in self.definitions:
            assert line.left is not None
            if line.left.name != tree.name:
                continue
            own, wanted = self._layer_part(line.left, {}), self._layer_part(tree, env)
            if own is None or wanted is None:
                return _Definition(line, None, {})
            layer = self.whole_number(wanted, env)
            if isinstance(own, Name) and own.name in self.names.layers:
                general = general or _Definition(line, layer, {own.name: Bound(layer=layer)})
            else:
                with self.reading(line):
                    fits = self.whole_number(own, {}) == layer
                if fits:
                    return _Definition(line, layer, {})
        return None if general is None or self._ends(general) else general

    def _ends(self, found: _Definition) -> bool:
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

    def _defined(self, tree: Name, found: _Definition, env: Environment) -> Value:
        whole = self._whole_definition(tree, found)
        meaning = self.names.meanings.get(tree.name)
        if meaning is None:
            return whole
        scripts = self.scripts(tree, meaning, env)
        data = whole.data.reshape(whole.data.shape[0], *whole.shape)
        if not scripts.indices:
            return Value(placed(data, scripts.axis), whole.matrix, whole.low)
        count = 1 if whole.shape[1] == 1 else 2
        places = self.indices(scripts.indices, count, env, tree)
        if count == 1:
            return self.picked(data[:, :, 0], places[0], whole.low, scripts.axis)
        return self.from_matrix(data, (places[0], places[1]), (whole.low, 1), scripts.axis)

    def _whole_definition(self, tree: Name, found: _Definition) -> Value:
        """Return all that a line defines, for each sample: computed once."""
        key = found.name, found.layer
        if key not in self._known:
            with self._defining(found, tree), self.reading(found.line):
                self._known[key] = self._computed(found)
        return self._known[key]

    @contextmanager
    def _defining(self, found: _Definition, tree: Name) -> Iterator[None]:
        """Refuse definitions that use each other, or go on through too many layers."""
        key = found.name, found.layer
        if key in self._pending:
            raise self.fault(tree, f"{tree.name} is defined by itself")
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
                if (found := self._definition(column, {})) is not None:
                    self._whole_definition(column, found)

    def _computed(self, found: _Definition) -> Value:
        left = found.line.left
        assert left is not None
        meaning = self.names.meanings.get(left.name)
        indices = self.scripts(left, meaning, {}).indices if meaning is not None else left.below[:0]
        if not indices:
            return self.value(found.line.right, found.letters)
        index_letter = indices[0].name if isinstance(indices[0], Name) else ""
        if meaning is None or found.layer is None or len(indices) > 1 or len(index_letter) != 1:
            raise self.fault(left, "entry by entry only columns with one letter for the index can be defined")
        count = self.arrays.network.sizes[found.layer - meaning.entry_shift]
        index = Bound(axis=1, numbers=along(np.arange(1, count + 1), 1))
        value = self.value(found.line.right, {**found.letters, index_letter: index})
        if value.matrix:
            raise self.fault(found.line.right, f"an entry is a number, not {value}")
        column = np.broadcast_to(value.data, (value.data.shape[0], count, *value.data.shape[2:]))
        return Value(np.moveaxis(column, 1, -2).reshape((len(column), *(1,) * INDICES, count, 1)), True)

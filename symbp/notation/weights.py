"""The weights of a network as an author writes them: which arrays there are, and what stands where in them.

Our own W_k has a row for each neuron of its layer and the biases in its last column. An author
may put them first, give them a letter of their own, or write W the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Integer

from symbp.algebra.matrices import BiasColumn, GradientMatrix, RegularWeights, WeightMatrix
from symbp.network import Network
from symbp.notation.records import Notation
from symbp.notation.structure import Turned

Rows = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Array:
    """One array of weights of one layer.

    Attributes
    ----------
    layer : int
    letter : str
        Its letter in text: ``W`` or ``Theta``; ``b`` for biases of their own.
    rows, columns : int
    matrix : LayerMatrix
        The quantity that a writer prints.
    is_column : bool
        Whether it is a column of biases.
    """

    layer: int
    letter: str
    rows: int
    columns: int
    matrix: Any
    is_column: bool = False

    @property
    def name(self) -> str:
        """Its letter with the number of its layer."""
        return f"{self.letter}{self.layer}"

    def gradient(self, cost: Any) -> Any:
        """Return the derivatives of a cost by its entries, as a quantity that a writer prints."""
        return GradientMatrix(self.matrix, cost)


class WeightLayout:
    """The arrays of a network's weights in one notation.

    Parameters
    ----------
    notation : Notation
    network : Network
    """

    def __init__(self, notation: Notation, network: Network) -> None:
        self.notation, self.network = notation, network

    def arrays(self, layer: int) -> tuple[Array, ...]:
        """Return the arrays of a layer: W alone, or W and b."""
        units, inputs = self.network.shapes[layer - 1]
        number = Integer(layer)
        apart = self._apart(layer)
        rows, columns = self._turned_shape(units, inputs - apart)
        matrix = (RegularWeights if apart else WeightMatrix)(number)
        letter = self.notation.glyph("WeightMatrix").text
        first = Array(layer, letter, rows, columns, Turned(matrix) if self._from_to else matrix)
        if not apart:
            return (first,)
        biases = Array(layer, self.notation.glyph("BiasColumn").text, units, 1, BiasColumn(number), True)
        return first, biases

    def theirs(self, layer: int, ours: Sequence[Sequence[Any]]) -> tuple[Rows, ...]:
        """Return the entries of each array, from our rows with the bias last."""
        rows = [tuple(row) for row in ours]
        if self._apart(layer):
            return self._turned(row[:-1] for row in rows), tuple((row[-1],) for row in rows)
        if self._first(layer):
            rows = [(row[-1], *row[:-1]) for row in rows]
        return (self._turned(rows),)

    def ours(self, layer: int, theirs: Sequence[Rows]) -> Rows:
        """Return our rows with the bias last, from the entries of each array."""
        rows = self._turned(theirs[0])
        if self._apart(layer):
            return tuple((*row, *bias) for row, bias in zip(rows, theirs[1], strict=True))
        return tuple((*row[1:], row[0]) for row in rows) if self._first(layer) else rows

    @property
    def sentence(self) -> str:
        """What stands where, in words."""
        unit, source = ("column", "row") if self._from_to else ("row", "column")
        said = f"Matrices of weights have a {unit} for each unit they lead to and a {source} for each input"
        if not any(self.network.biases):
            return f"{said}."
        place = {
            "last": f"; the last {source} holds the biases.",
            "first": f"; the first {source}, number 0, holds the biases.",
            "separate": "; biases stand in columns of their own.",
        }
        return said + place[self.notation.bias]

    @property
    def _from_to(self) -> bool:
        return self.notation.weights == "from to"

    def _apart(self, layer: int) -> bool:
        return self.network.has_bias(layer) and self.notation.bias == "separate"

    def _first(self, layer: int) -> bool:
        return self.network.has_bias(layer) and self.notation.bias == "first"

    def _turned_shape(self, rows: int, columns: int) -> tuple[int, int]:
        return (columns, rows) if self._from_to else (rows, columns)

    def _turned(self, rows: Any) -> Rows:
        return tuple(zip(*rows, strict=True)) if self._from_to else tuple(rows)

"""Cells in columns and matrices, and the operations on them that a page writes down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbp.derivation.documents.records import Fault
from symbp.graph.operations import ADD, MULTIPLY, Operation
from symbp.graph.tape import Cell, Tape


@dataclass(frozen=True, eq=False)
class Array:
    """Cells in two or three axes, and the number of the first entry of each axis.

    A column of n entries has the shape (n, 1).
    """

    cells: npt.NDArray[Any]
    low: tuple[int, ...]

    def entry(self, name: str, indices: tuple[int, ...]) -> Cell:
        """Return one entry; columns take one index."""
        axes = [axis for axis in range(self.cells.ndim) if axis < len(indices)]
        if len(indices) == 1 and self.cells.shape[1] != 1:
            axes = [1] if self.cells.shape[0] == 1 else axes
        place = [0] * self.cells.ndim
        for axis, index in zip(axes, indices, strict=True):
            low, size = self.low[axis], self.cells.shape[axis]
            if not low <= index < low + size:
                raise Fault("range", f"{name} has no entry {index}: its entries are {low}..{low + size - 1}")
            place[axis] = index - low
        cell: Cell = self.cells[tuple(place)]
        return cell


Value = Cell | Array


def filled(shape: tuple[int, ...], entry: Callable[..., Cell]) -> npt.NDArray[Any]:
    """Return an array of what `entry` gives for the indices of each place, counted from 0."""
    cells = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        cells[place] = entry(*place)
    return cells


def column(cells: list[Cell], low: int = 1) -> Array:
    """Return a column of cells."""
    return Array(filled((len(cells), 1), lambda row, _: cells[row]), (low, 1))


def scalar(value: Value, what: str = "a factor") -> Cell:
    """Return the one cell of a scalar or of an array with one entry."""
    if isinstance(value, Cell):
        return value
    if value.cells.size == 1:
        cell: Cell = value.cells.flat[0]
        return cell
    raise Fault("shapes", f"{what} has the shape {shape_of(value)}, not that of a number")


def entrywise(tape: Tape, operation: Operation, left: Value, right: Value, what: str) -> Value:
    """Combine entry by entry; a number goes with every entry."""
    if isinstance(left, Array) and isinstance(right, Array):
        if left.cells.shape == right.cells.shape and left.low == right.low:
            return both(lambda a, b: tape.apply(operation, a, b), left, right)
        if left.cells.size != 1 != right.cells.size:
            raise Fault("shapes", f"{what} joins the shapes {shape_of(left)} and {shape_of(right)}")
    if isinstance(left, Cell) or (isinstance(right, Array) and left.cells.size == 1):
        first = scalar(left)
        return each(lambda cell: tape.apply(operation, first, cell), right)
    second = scalar(right)
    return each(lambda cell: tape.apply(operation, cell, second), left)


def product(tape: Tape, left: Array, right: Array, what: str) -> Value:
    """Return the matrix product: the last axis of the left factor with the first of the right."""
    inner = left.cells.shape[1], left.low[1]
    if left.cells.ndim != 2 or inner != (right.cells.shape[0], right.low[0]):
        if left.cells.size == 1 or right.cells.size == 1:
            return entrywise(tape, MULTIPLY, left, right, what)
        raise Fault("shapes", f"{what} multiplies the shapes {shape_of(left)} and {shape_of(right)}")
    outer = right.cells.shape[1:]

    def entry(row: int, *place: int) -> Cell:
        factors = ((left.cells[row, n], right.cells[(n, *place)]) for n in range(inner[0]))
        return total(tape, [tape.apply(MULTIPLY, a, b) for a, b in factors])

    cells = filled((left.cells.shape[0], *outer), entry)
    low = (left.low[0], *right.low[1:])
    # A row times an array with three axes is a matrix.
    return Array(cells[0], low[1:]) if cells.ndim == 3 and cells.shape[0] == 1 else Array(cells, low)


def total(tape: Tape, cells: list[Cell]) -> Cell:
    """Return the sum of at least one cell."""
    result = cells[0]
    for cell in cells[1:]:
        result = tape.apply(ADD, result, cell)
    return result


def each(change: Callable[[Cell], Cell], value: Value) -> Value:
    if isinstance(value, Cell):
        return change(value)
    return Array(filled(value.cells.shape, lambda *at: change(value.cells.item(at))), value.low)


def both(change: Callable[[Cell, Cell], Cell], left: Array, right: Array) -> Array:
    shape = left.cells.shape
    return Array(filled(shape, lambda *at: change(left.cells.item(at), right.cells.item(at))), left.low)


def shape_of(value: Array) -> str:
    return " x ".join(map(str, value.cells.shape))

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


def column(cells: list[Cell], low: int = 1) -> Array:
    """Return a column of cells."""
    array = np.empty((len(cells), 1), dtype=object)
    array[:, 0] = cells
    return Array(array, (low, 1))


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
    if isinstance(left, Cell) and isinstance(right, Cell):
        return tape.apply(operation, left, right)
    if isinstance(left, Array) and isinstance(right, Array):
        if left.cells.shape == right.cells.shape and left.low == right.low:
            return both(lambda a, b: tape.apply(operation, a, b), left, right)
        if left.cells.size == 1 or right.cells.size == 1:
            small = left if left.cells.size == 1 else right
            number = scalar(small)
            return (
                entrywise(tape, operation, number, right, what)
                if small is left
                else entrywise(tape, operation, left, number, what)
            )
        raise Fault("shapes", f"{what} joins the shapes {shape_of(left)} and {shape_of(right)}")
    if isinstance(left, Cell):
        return each(lambda cell: tape.apply(operation, left, cell), right)
    number = scalar(right)
    return each(lambda cell: tape.apply(operation, cell, number), left)


def product(tape: Tape, left: Array, right: Array, what: str) -> Value:
    """Return the matrix product: the last axis of the left factor with the first of the right."""
    inner = left.cells.shape[1], left.low[1]
    if left.cells.ndim != 2 or inner != (right.cells.shape[0], right.low[0]):
        if left.cells.size == 1 or right.cells.size == 1:
            return entrywise(tape, MULTIPLY, left, right, what)
        raise Fault("shapes", f"{what} multiplies the shapes {shape_of(left)} and {shape_of(right)}")
    outer = right.cells.shape[1:]
    cells = np.empty((left.cells.shape[0], *outer), dtype=object)
    for index in np.ndindex(*cells.shape):
        terms = [
            tape.apply(MULTIPLY, left.cells[index[0], n], right.cells[(n, *index[1:])])
            for n in range(inner[0])
        ]
        cells[index] = total(tape, terms)
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
    cells = np.empty(value.cells.shape, dtype=object)
    for index in np.ndindex(*cells.shape):
        cells[index] = change(value.cells.item(index))
    return Array(cells, value.low)


def both(change: Callable[[Cell, Cell], Cell], left: Array, right: Array) -> Array:
    cells = np.empty(left.cells.shape, dtype=object)
    for index in np.ndindex(*cells.shape):
        cells[index] = change(left.cells.item(index), right.cells.item(index))
    return Array(cells, left.low)


def shape_of(value: Array) -> str:
    return " x ".join(map(str, value.cells.shape))

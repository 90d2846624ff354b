"""Values of formulas: numbers and matrices, for every sample and every index at once.

An array has one axis for the samples, one for each index that is bound, and two for rows
and columns; an axis that a value does not depend on has length 1, so that NumPy aligns the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

INDICES = 6  # how many indices may be bound at once
DIMENSIONS = 1 + INDICES + 2


class Misfit(Exception):
    """Shapes that do not go together."""


class Circular(Misfit):
    """A quantity that is defined by itself, perhaps because a layer is off by one."""


@dataclass(frozen=True, eq=False)
class Value:
    """Numbers, and whether they are matrices.

    Attributes
    ----------
    data : ndarray
        With :data:`DIMENSIONS` axes.
    matrix : bool
    low : int
        The number of the first row.
    """

    data: NDArray[Any]
    matrix: bool
    low: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.data.shape[-2:]
        return rows, columns

    def __str__(self) -> str:
        return "{} x {}".format(*self.shape) if self.matrix else "a number"


def number(value: float) -> Value:
    """Return a plain number."""
    return Value(np.full((1,) * DIMENSIONS, float(value)), False)


def placed(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return an array (m, rows, columns) with its samples on an axis."""
    shape = [1] * DIMENSIONS
    shape[axis], shape[-2], shape[-1] = array.shape
    return array.reshape(shape)


def along(numbers: Any, axis: int) -> NDArray[Any]:
    """Return whole numbers along one axis."""
    shape = [1] * DIMENSIONS
    shape[axis] = len(numbers)
    return np.asarray(numbers).reshape(shape)


def entrywise(operation: Callable[[Any, Any], Any], a: Value, b: Value, what: str) -> Value:
    """Combine entry by entry; a number goes with every entry.

    Raises
    ------
    Misfit
    """
    if a.matrix and b.matrix and a.shape != b.shape:
        raise Misfit(f"{a} {what} {b}: the shapes differ")
    larger = a if a.matrix else b
    return replace(larger, data=operation(a.data, b.data), matrix=a.matrix or b.matrix)


def product(a: Value, b: Value) -> Value:
    """Return the matrix product, or the product with a number.

    Raises
    ------
    Misfit
    """
    if not (a.matrix and b.matrix):
        return entrywise(np.multiply, a, b, "times")
    if a.shape[1] != b.shape[0]:
        hint = ""
        if a.shape[1] == b.shape[1] == 1:
            hint = "; a column times a row is written with ^T"
        elif a.shape[0] == b.shape[0]:
            hint = "; is the first to be transposed?"
        raise Misfit(f"{a} times {b}: the first has {a.shape[1]} columns, the second {b.shape[0]} rows{hint}")
    return Value(np.matmul(a.data, b.data), True, a.low)


def total(value: Value, axis: int, count: int) -> Value:
    """Sum over an index; what does not depend on it counts `count` times."""
    times = count if value.data.shape[axis] == 1 else 1
    return replace(value, data=value.data.sum(axis=axis, keepdims=True) * times)

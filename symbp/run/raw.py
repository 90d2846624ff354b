"""What a data file holds, before it is checked against a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError


class Selection(NamedTuple):
    """The positions of the input columns, of the target columns and of the sample weights, if any."""

    features: list[int]
    targets: list[int]
    weights: list[int]


@dataclass(frozen=True)
class Raw:
    """The chosen columns of a file.

    Parameters
    ----------
    where : str
        The file, for messages.
    X : ndarray of float64, shape (n, number of input columns)
        The inputs.
    targets : ndarray or None
        Text or numbers, of shape (n,) or (n, number of target columns).
    feature_names, target_names : tuple of str
        Their columns; empty where the file names none.
    lines : tuple of int
        The line of the file on which each row ends; empty for binary files.
    weights : ndarray of float64 or None
        The sample weights, shape (n,), if they were asked for.
    """

    where: str
    X: NDArray[np.float64]
    targets: NDArray[Any] | None
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    lines: Sequence[int] = ()
    weights: NDArray[np.float64] | None = None

    def place(self, row: int, column: str | None = None) -> str:
        """Return where row 0, 1, ... of the data is, in words."""
        text = place_of(self.where, row, self.lines)
        return text if column is None else f"{text}, column {column}"

    def check_finite(self, values: NDArray[np.float64], names: Sequence[str]) -> None:
        """Raise a DataError that names the first NaN or infinity in `values`."""
        if np.isfinite(values).all():
            return
        row, j = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        column = repr(names[j]) if names else str(j + 1)
        raise DataError(f"{self.place(row, column)}: {values[row, j]} is not a finite number")


def place_of(where: str, row: int, lines: Sequence[int]) -> str:
    """Return ``file: row 3 (line 4)`` for row 2: people count from 1, and the header is a line too."""
    return f"{where}: row {row + 1} (line {lines[row]})" if lines else f"{where}: row {row + 1}"

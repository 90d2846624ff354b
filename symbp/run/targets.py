"""The targets of a data file -> labels or rows, as the cost of the network wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError
from symbp.network import Network
from symbp.run.data_csv import is_number
from symbp.run.raw import Raw
from symbp.values import counted

_SUM_TOLERANCE = 1e-6


def read_targets(raw: Raw, network: Network) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the targets and the names of the classes.

    Where the cost compares distributions, one column holds class labels: the numbers
    0..N-1, or names, which are numbered in sorted order. Otherwise there is one column
    of numbers for each output.

    Returns
    -------
    Y : ndarray
        Integer labels of shape (n,), or rows of shape (n, N).
    classes : tuple of str
        The names of the labels; empty if they are numbers.

    Raises
    ------
    DataError
        If the targets do not fit; the message names the row.
    """
    assert raw.targets is not None
    outputs = network.sizes[-1]
    columns = raw.targets if raw.targets.ndim == 2 else raw.targets[:, None]
    found = columns.shape[1]
    if network.cost.targets == "distribution" and found == 1 and outputs > 1:
        return _labels(raw, columns[:, 0], outputs)
    if found != outputs:
        expected = f"{outputs} (one for each output)"
        if network.cost.targets == "distribution":
            expected = f"1 (labels) or {expected}"
        columns_found = counted(found, "target column")
        raise DataError(f"{raw.where}: {columns_found}; network {network.name!r} expects {expected}")
    Y = _numbers(raw, columns)
    _check_range(raw, Y, network)
    return Y, ()


def _labels(raw: Raw, cells: NDArray[Any], outputs: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if cells.dtype.kind == "U":
        numeric = np.array([is_number(cell) for cell in cells])
        if not numeric.any():
            return _named_classes(raw, cells, outputs)
        if not numeric.all():
            row = int(np.argmin(numeric))
            raise DataError(f"{_place(raw, row)}: label {str(cells[row])!r}, where other labels are numbers")
    values = cells.astype(np.float64)
    # Written such that NaN, for which every comparison is false, counts as wrong.
    right = (values >= 0) & (values < outputs) & (values == np.floor(values))
    if not right.all():
        row = int(np.argmin(right))
        raise DataError(
            f"{_place(raw, row)}: label {cells[row]} is not one of 0..{outputs - 1}, "
            f"the {outputs} outputs of the network"
        )
    return values.astype(np.int64), ()


def _named_classes(raw: Raw, cells: NDArray[Any], outputs: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    empty = cells == ""
    if empty.any():
        raise DataError(f"{_place(raw, int(np.argmax(empty)))}: no label")
    names, labels = np.unique(cells, return_inverse=True)
    if len(names) > outputs:
        shown = ", ".join(str(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"{raw.where}: {len(names)} different labels ({shown}), but the network has {outputs} outputs"
        )
    return labels.astype(np.int64).reshape(-1), tuple(str(name) for name in names)


def _numbers(raw: Raw, columns: NDArray[Any]) -> NDArray[np.float64]:
    if columns.dtype.kind == "U":
        for row, j in np.ndindex(columns.shape):
            cell = str(columns[row, j])
            if not is_number(cell):
                raise DataError(f"{_place(raw, row, j)}: {cell!r} is not a number")
    Y = columns.astype(np.float64)
    raw.check_finite(Y, raw.target_names)
    return Y


# What targets must be -> (which numbers are, how a message says so).
_RANGES: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.bool_]], str]] = {
    "nonnegative": (lambda Y: Y >= 0, "numbers of at least 0"),
    "sign": (lambda Y: np.abs(Y) == 1, "-1 or 1"),
    "unit_interval": (lambda Y: (Y >= 0) & (Y <= 1), "0..1"),
    "distribution": (lambda Y: (Y >= 0) & (Y <= 1), "0..1"),
}


def _check_range(raw: Raw, Y: NDArray[np.float64], network: Network) -> None:
    if network.cost.targets == "real":
        return
    inside, words = _RANGES[network.cost.targets]
    outside = ~inside(Y)
    if outside.any():
        row, j = (int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"{_place(raw, row, j)}: target {Y[row, j]:g}; cost {network.cost.name!r} needs {words}"
        )
    if network.cost.targets == "distribution":
        wrong = np.abs(Y.sum(axis=1) - 1) > _SUM_TOLERANCE
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"{raw.place(row)}: the targets sum to {Y[row].sum():g}; a distribution sums to 1"
            )


def _place(raw: Raw, row: int, j: int = 0) -> str:
    return raw.place(row, repr(raw.target_names[j]) if raw.target_names else None)

"""Data files -> arrays that fit a network, or one line that says why not.

A CSV file has a header row; an ``.npz`` file has the arrays ``X`` and, for training,
``Y``. Nothing is guessed, filled in or dropped: a cell that is not a finite number is
an error that names its row and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.run.data_csv import read_csv
from symbp.run.data_npz import read_npz
from symbp.run.raw import Raw, Selection
from symbp.run.targets import read_targets
from symbp.values import counted


@dataclass(frozen=True)
class Table:
    """Samples as arrays.

    Parameters
    ----------
    X : ndarray of float64, shape (n, N_0)
        The inputs, one sample per row.
    Y : ndarray or None
        The targets: integer labels (n,) or rows (n, N_{L+1}); None if none were asked for.
    feature_names, target_names : tuple of str
        The columns that X and Y came from.
    classes : tuple of str
        What the labels 0, 1, ... are called in the file; empty if they are numbers there.
    weights : ndarray of float64 or None
        The weight of every sample in the cost, shape (n,), if it was asked for.
    """

    X: NDArray[np.float64]
    Y: NDArray[Any] | None
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    weights: NDArray[np.float64] | None = None


def read_table(path: str | Path, target: str | None, network: Network, weight: str | None = None) -> Table:
    """Read samples for `network` from a CSV or ``.npz`` file.

    Parameters
    ----------
    path : path
        The data file.
    target : str or None
        The column with the targets, or several, separated by commas; for ``.npz`` the
        name of the array. None reads inputs only. Every other column is an input.
    network : Network
        What the data have to fit.
    weight : str, optional
        The column (for ``.npz`` the array) with the weight of each sample; it is no input.

    Raises
    ------
    DataError
        If the file cannot be read or does not fit; the message names file, row and column.
    """
    path = Path(path)
    if path.suffix == ".npz":
        raw = read_npz(path, "X", target, weight)
    else:
        raw = read_csv(path, lambda header: _split(header, target, weight))
    _check_inputs(raw, network)
    _check_weights(raw, weight)
    if raw.targets is None:
        return Table(raw.X, None, raw.feature_names, weights=raw.weights)
    Y, classes = read_targets(raw, network)
    return Table(raw.X, Y, raw.feature_names, raw.target_names, classes, raw.weights)


def read_features(path: str | Path, names: Sequence[str], network: Network) -> NDArray[np.float64]:
    """Read inputs only, by the column names that the network was trained with.

    Columns may stand in any order and others beside them. Without `names` (a model
    trained on ``.npz``) every column is an input.

    Raises
    ------
    DataError
        As :func:`read_table`.
    """
    path = Path(path)
    if path.suffix == ".npz":
        raw = read_npz(path, "X", None)
    elif names:
        raw = read_csv(path, lambda header: Selection([_index(header, name) for name in names], [], []))
    else:
        raw = read_csv(path, lambda header: _split(header, None))
    _check_inputs(raw, network)
    return raw.X


def _split(header: Sequence[str], target: str | None, weight: str | None = None) -> Selection:
    """Return which columns are inputs, which targets, and which the sample weights."""
    weights = [] if weight is None else [_index(header, weight)]
    if target is None:
        return Selection([i for i in range(len(header)) if i not in weights], [], weights)
    # A column may have a comma in its name, if the whole of `target` is that name.
    names = [target] if target in header else [name.strip() for name in target.split(",")]
    targets = [_index(header, name) for name in names]
    if len(set(targets)) < len(targets):
        raise DataError(f"target {target!r}: the same column twice")
    if set(weights) & set(targets):
        raise DataError(f"column {weight!r} is a target; it cannot be the weight of the samples, too")
    inputs = [i for i in range(len(header)) if i not in targets and i not in weights]
    return Selection(inputs, targets, weights)


def _index(header: Sequence[str], name: str) -> int:
    if name in header:
        return header.index(name)
    raise DataError(f"no column {name!r}{nearest(name, header)}")


def _check_weights(raw: Raw, weight: str | None) -> None:
    if raw.weights is None:
        return
    raw.check_finite(raw.weights[:, None], (str(weight),))
    if (raw.weights < 0).any():
        row = int(np.argmax(raw.weights < 0))
        raise DataError(
            f"{raw.place(row, repr(weight))}: sample weight {raw.weights[row]:g}; expected at least 0"
        )


def _check_inputs(raw: Raw, network: Network) -> None:
    rows, found = raw.X.shape
    if rows == 0:
        raise DataError(f"{raw.where}: no rows of data")
    if found != network.inputs:
        raise DataError(
            f"{raw.where}: {counted(found, 'input column')}, "
            f"but network {network.name!r} expects {network.inputs}"
        )
    raw.check_finite(raw.X, raw.feature_names)

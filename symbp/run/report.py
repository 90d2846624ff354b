"""What ``verify`` found: one row per comparison, and the definition of its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbp.network import Network

Floats = NDArray[np.float64]
LAYER_SHARE = 0.1
NETWORK_SHARE = 1e-6


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes
    ----------
    quantity : str
        "gradient", "cost" or "prediction".
    first, second : str
        The two methods.
    compared : int
        How many numbers were compared.
    error : float
        The worst relative error; NaN where one of the numbers is not finite.
    place : str
        Where it is worst, for example ``w^2_1,4`` for layer 2, neuron 1, input 4.
    tolerance : float
    """

    quantity: str
    first: str
    second: str
    compared: int
    error: float
    place: str
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is below the tolerance; a NaN never is."""
        return self.compared > 0 and self.error < self.tolerance


@dataclass(frozen=True)
class Report:
    """The result of :func:`symbp.verify`.

    Attributes
    ----------
    title : str
        What was verified.
    rows : tuple of Row
    notes : tuple of str
        What was not compared, and why; what the tolerances mean.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every comparison passed."""
        return bool(self.rows) and all(row.passed for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest error of all gradients; NaN if one is NaN."""
        return float(np.max([row.error for row in self.rows if row.quantity == "gradient"]))

    def table(self) -> str:
        """Return the report as plain text, one line per comparison."""
        head = ("", "compared", "numbers", "worst error", "where", "tolerance", "")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        body = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
        ]
        verdict = "all comparisons passed" if self.ok else "FAILED"
        return "\n".join([self.title, *(line.rstrip() for line in body), *self.notes, verdict])

    def __str__(self) -> str:
        return self.table()


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.quantity,
        f"{row.first} · {row.second}",
        f"{row.compared:,}",
        f"{row.error:.1e}",
        row.place,
        f"{row.tolerance:.0e}",
        "ok" if row.passed else "FAILED",
    )


def relative_errors(a: Floats, b: Floats, scale: Floats | float) -> Floats:
    """Return |a - b| / max(|a|, |b|, scale), and NaN wherever a or b is not finite.

    The quotient of two numbers that are equal is 0, also when all three sizes are 0.
    """
    difference = np.abs(a - b)
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), scale)
    with np.errstate(invalid="ignore"):
        errors = np.divide(difference, size, out=np.zeros_like(difference), where=difference != 0)
    return np.where(np.isfinite(a) & np.isfinite(b), errors, np.nan)


def gradient_scale(network: Network, gradient: Floats) -> Floats:
    """Return, for each weight, the size below which a derivative counts as small.

    A derivative is a sum over samples and paths. Where the terms cancel, its rounding
    error stays that of the terms, so an error relative to the sum alone would condemn
    right answers; the terms are of the size of the layer's larger derivatives. Hence a
    tenth of the layer's largest, and, for a layer whose derivatives all cancel, a
    millionth of the network's largest. A wrong sign or factor in a derivative remains
    visible down to 1e-13 of its layer's largest.

    Parameters
    ----------
    network : Network
    gradient : ndarray, shape (n_params,)
        A complete gradient.
    """
    sizes = np.abs(gradient)
    floor = NETWORK_SHARE * np.max(sizes)
    parts, start = [], 0
    for rows, columns in network.shapes:
        layer = sizes[start : start + rows * columns]
        parts.append(np.full(layer.size, max(LAYER_SHARE * np.max(layer), floor)))
        start += layer.size
    return np.concatenate(parts)


def name_of_weight(network: Network, position: int) -> str:
    """Return w^k_i,j for a position in the flat vector; k, i and j count from 1, a bias is said to be one."""
    for k, (rows, columns) in enumerate(network.shapes, start=1):
        if position < rows * columns:
            i, j = divmod(position, columns)
            bias = " (bias)" if network.has_bias(k) and j == columns - 1 else ""
            return f"w^{k}_{i + 1},{j + 1}{bias}"
        position -= rows * columns
    raise IndexError("no such weight")

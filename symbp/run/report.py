"""What ``verify`` found: one row per comparison, and the definition of its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.network import Network
from symbp.run.evaluate import Floats
from symbp.values import padded


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes
    ----------
    quantity : str
        "gradient", "input gradient", "input Jacobian", "cost", "prediction" or "update".
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
        body = ["  ".join(line).rstrip() for line in padded(lines, len(head))]
        verdict = "all comparisons passed" if self.ok else "FAILED"
        return "\n".join([self.title, *body, *self.notes, verdict])

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
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), scale)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
        errors = np.divide(difference, size, out=np.zeros_like(difference), where=difference != 0)
    return np.where(np.isfinite(a) & np.isfinite(b), errors, np.nan)


def worst(errors: Floats) -> tuple[float, int]:
    """Return the largest error and its flat position; a NaN is larger than any number."""
    flat: Any = errors.ravel()
    at = int(np.argmax(flat))  # NumPy's argmax stops at the first NaN
    return float(flat[at]), at


def name_of_weight(network: Network, position: int) -> str:
    """Return w^k_i,j for a position in the flat vector; k, i and j count from 1, a bias is said to be one."""
    k, i, j = place_of_weight(network, position)
    bias = " (bias)" if network.has_bias(k) and j == network.shapes[k - 1][1] else ""
    return f"w^{k}_{i},{j}{bias}"


def place_of_weight(network: Network, position: int) -> tuple[int, int, int]:
    """Return layer, neuron and input, counted from 1, of a position in the flat vector."""
    for k, (rows, columns) in enumerate(network.shapes, start=1):
        if position < rows * columns:
            i, j = divmod(position, columns)
            return k, i + 1, j + 1
        position -= rows * columns
    raise IndexError("no such weight")

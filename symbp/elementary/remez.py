"""Minimax polynomials by Remez's exchange, in mpmath.

The largest weighted error ``|weight(v) (target(v) - P(v))|`` over an interval is made as small
as it can be. All of it happens on a fixed grid of Chebyshev points, dense enough that the
largest error between them differs in the fourth digit only; the target is evaluated there once.

Remez 1934; Muller, Elementary Functions, 3rd edition, section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

DIGITS = 60
POINTS_PER_COEFFICIENT = 40
ROUNDS = 30
EVEN = mpmath.mpf("1e-4")  # how much the extrema may still differ in the end, relatively

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Grid:
    """Target and weight on Chebyshev points of an interval.

    Attributes
    ----------
    points, target, weight : tuple of mpf
    """

    points: tuple[Any, ...]
    target: tuple[Any, ...]
    weight: tuple[Any, ...]

    @classmethod
    def of(cls, target: Function, weight: Function, low: Any, high: Any, coefficients: int) -> Grid:
        """Evaluate both functions between `low` and `high`, for a polynomial of so many coefficients."""
        count = POINTS_PER_COEFFICIENT * (coefficients + 1)
        middle, radius = (low + high) / 2, (high - low) / 2
        points = tuple(middle - radius * mpmath.cos(mpmath.pi * k / (count - 1)) for k in range(count))
        return cls(points, tuple(map(target, points)), tuple(map(weight, points)))

    def errors(self, coefficients: Sequence[Any]) -> list[Any]:
        """Return the weighted error of a polynomial at every point; constant coefficient first."""
        return [
            w * (t - mpmath.polyval(coefficients[::-1], v))
            for v, t, w in zip(self.points, self.target, self.weight, strict=True)
        ]

    def worst(self, coefficients: Sequence[Any]) -> Any:
        """Return the largest weighted error of a polynomial."""
        return max(map(abs, self.errors(coefficients)))


def minimax(grid: Grid, degree: int) -> list[Any]:
    """Return the minimax polynomial's coefficients, constant first.

    Parameters
    ----------
    grid : Grid
    degree : int

    Raises
    ------
    ArithmeticError
        If the exchange does not settle.
    """
    last = len(grid.points) - 1
    # The extrema of the Chebyshev polynomial of one degree more.
    chosen = [round(last * k / (degree + 1)) for k in range(degree + 2)]
    for _ in range(ROUNDS):
        coefficients, level = _level(grid, chosen)
        errors = grid.errors(coefficients)
        if max(map(abs, errors)) <= abs(level) * (1 + EVEN):
            return coefficients
        chosen = _exchange(errors, degree + 2)
    raise ArithmeticError(f"Remez's exchange for degree {degree} did not settle in {ROUNDS} rounds")


def _level(grid: Grid, chosen: list[int]) -> tuple[list[Any], Any]:
    """Return the polynomial whose errors at the chosen points are equal with alternating signs."""
    count = len(chosen) - 1
    matrix, right = mpmath.matrix(count + 1), mpmath.matrix(count + 1, 1)
    for row, at in enumerate(chosen):
        for power in range(count):
            matrix[row, power] = grid.points[at] ** power
        matrix[row, count] = (-1) ** row / grid.weight[at]
        right[row] = grid.target[at]
    *coefficients, level = mpmath.lu_solve(matrix, right)
    return coefficients, level


def _exchange(errors: list[Any], count: int) -> list[int]:
    """Return `count` positions of largest errors whose signs alternate."""
    extrema: list[int] = []
    for at, error in enumerate(errors):
        if extrema and (error > 0) == (errors[extrema[-1]] > 0):
            if abs(error) > abs(errors[extrema[-1]]):
                extrema[-1] = at
        else:
            extrema.append(at)
    while len(extrema) > count:
        # From the ends only, one at a time: the signs of what remains alternate.
        ends = (0, -1)
        del extrema[min(ends, key=lambda end: abs(errors[extrema[end]]))]
    if len(extrema) < count:
        raise ArithmeticError(f"only {len(extrema)} of {count} alternating extrema: more digits are needed")
    return extrema

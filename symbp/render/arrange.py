"""Where the nodes of a graph stand: in columns, each so high that no edge runs through a node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# How far from a node an edge that does not end there must stay, in centimetres.
CLEAR = 0.6
SHIFTS = (0.5, 0.0, -0.5, 0.8, -0.8, 1.1, -1.1)

Point = tuple[float, float]


def arranged(
    columns: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]], distance: Point
) -> dict[str, Point]:
    """Return the place of each node in centimetres, column by column.

    Parameters
    ----------
    columns : sequence of sequence of str
        The names in each column, from the left; the upper ones first.
    edges : sequence of (source, target)
    distance : (float, float)
        Between columns, and between the nodes of one.
    """
    column_of = {name: n for n, column in enumerate(columns) for name in column}
    # Only an edge to the next column but one, or farther, can run through a node.
    far = [edge for edge in edges if abs(column_of[edge[0]] - column_of[edge[1]]) != 1]
    shifts = [SHIFTS[0] * (n % 2) for n in range(len(columns))]
    for _ in range(2 if far else 0):
        for n, before in enumerate(shifts):
            # The first of the best: a column stays where it is if nothing is gained.
            shifts[n] = min(
                (before, *SHIFTS),
                key=lambda shift, n=n: _touched(  # type: ignore[misc]
                    _placed(columns, [*shifts[:n], shift, *shifts[n + 1 :]], distance), far
                ),
            )
    return _placed(columns, shifts, distance)


def _placed(columns: Sequence[Sequence[str]], shifts: Sequence[float], distance: Point) -> dict[str, Point]:
    return {
        name: (n * distance[0], ((len(column) - 1) / 2 - row) * distance[1] + shift)
        for n, (column, shift) in enumerate(zip(columns, shifts, strict=True))
        for row, name in enumerate(column)
    }


def _touched(places: Mapping[str, Point], edges: Sequence[tuple[str, str]]) -> float:
    """Return by how much edges come too near to nodes, all in all."""
    return math.fsum(
        max(0.0, CLEAR - _distance(place, places[source], places[target]))
        for source, target in edges
        for name, place in places.items()
        if name not in (source, target)
    )


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return how far a point is from the straight way between two others."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = point[0] - start[0], point[1] - start[1]
    along = min(1.0, max(0.0, (px * dx + py * dy) / (dx * dx + dy * dy)))
    return math.hypot(px - along * dx, py - along * dy)

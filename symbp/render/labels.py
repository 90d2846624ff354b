"""Where derivatives stand in the drawing of a graph: beside each other, long ones as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

# Centimetres: a letter of a label is so wide, a line of it so high; a neuron with its value below it.
LETTER, HEIGHT, GAP = 0.16, 0.36, 0.14
RADIUS, VALUE = 0.42, 0.42
# Where on an edge, the best first: nearer to the source, where fewer edges meet.
PLACES = (0.4, 0.5, 0.32, 0.58, 0.26, 0.66, 0.74, 0.2)
# What part of an edge a formula may cover.
MOST = 0.6
BEND, ASIDE = 25, 0.35  # degrees to either side for one of two edges, and how far aside its label is

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle around a centre."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        wide = (self.width + other.width) / 2 - abs(self.x - other.x)
        high = (self.height + other.height) / 2 - abs(self.y - other.y)
        return max(wide, 0.0) * max(high, 0.0)


@dataclass(frozen=True)
class Label:
    """Where on its edge a derivative stands (0 to 1), and its number if only that is written there."""

    at: float
    number: int | None


def labels(
    edges: Sequence[tuple[Point, Point, int]], derivatives: Sequence[Any], nodes: Sequence[Point]
) -> list[Label]:
    """Return a place for the derivative on each edge, so that none covers another one or a node.

    Parameters
    ----------
    edges : sequence of (start, end, bend)
        In centimetres, the bend in degrees.
    derivatives : sequence of sympy.Expr
    nodes : sequence of (x, y)
    """
    taken = [box for x, y in nodes for box in _of_node(x, y)]
    found: list[Label] = []
    number = 0
    for edge, derivative in zip(edges, derivatives, strict=True):
        label, box = _best(edge, _size(derivative), taken)
        if label is None:
            number += 1
            at, box = _least((*_boxes(edge, _size(sympy.Integer(100 + number))),), taken)
            label = Label(at, number)
        found.append(label)
        taken.append(box)
    return found


def _best(
    edge: tuple[Point, Point, int], size: tuple[float, float], taken: Sequence[Box]
) -> tuple[Label | None, Box]:
    """Return the first free place for a formula; none if it is too long, or there is no free place."""
    start, end, _ = edge
    boxes = list(_boxes(edge, size))
    at, box = _least(boxes, taken)
    fits = size[0] <= MOST * math.dist(start, end)
    free = not any(box.overlap(other) for other in taken)
    return (Label(at, None) if fits and free else None), box


def _least(boxes: Sequence[tuple[float, Box]], taken: Sequence[Box]) -> tuple[float, Box]:
    return min(boxes, key=lambda placed: sum(placed[1].overlap(other) for other in taken))


def _boxes(edge: tuple[Point, Point, int], size: tuple[float, float]) -> Iterator[tuple[float, Box]]:
    (x1, y1), (x2, y2), bend = edge
    dx, dy = x2 - x1, y2 - y1
    for at in PLACES:
        aside = ASIDE * bend / BEND / math.hypot(dx, dy)
        yield at, Box(x1 + at * dx - aside * dy, y1 + at * dy + aside * dx, *size)


def _size(expr: Any) -> tuple[float, float]:
    """Return about how wide and high a formula is in print."""
    above, below = sympy.fraction(expr)
    width = max(_letters(above), 0 if below == 1 else _letters(below))
    return GAP + LETTER * width, HEIGHT if below == 1 else 1.7 * HEIGHT


def _letters(expr: Any) -> int:
    """Return how many letters wide a formula is: signs of products, powers and roots take no room."""
    return len(str(expr).replace("**", "").replace("*", "").replace("sqrt", "v").replace("_", ""))


def _of_node(x: float, y: float) -> Iterator[Box]:
    yield Box(x, y, 2 * RADIUS, 2 * RADIUS)
    yield Box(x, y - RADIUS - VALUE / 2, 2 * RADIUS, VALUE)

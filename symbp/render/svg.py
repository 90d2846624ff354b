"""The drawing of a small network as SVG: the geometry of the printed one, in a browser's units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symbp.render.drawing import Drawing

# User units to a centimetre of the printed drawing; a neuron is 8 mm wide in both.
SCALE = 40
RADIUS = 16
MARGIN = 24
# Arrows end a little before the circle, so that their heads can be told apart.
GAP = 3


@dataclass(frozen=True)
class Circle:
    """A neuron; its label stands in a square around the centre."""

    x: float
    y: float
    label: str
    bias: bool


@dataclass(frozen=True)
class Picture:
    """What a template needs: numbers in user units, y downwards.

    Attributes
    ----------
    width, height, radius : float
    circles : tuple of Circle
    lines : tuple of (x1, y1, x2, y2)
    captions : tuple of (x, y, text)
    """

    width: float
    height: float
    radius: float
    circles: tuple[Circle, ...]
    lines: tuple[tuple[float, float, float, float], ...]
    captions: tuple[tuple[float, float, str], ...]


def picture(drawing: Drawing) -> Picture:
    """Return the drawing in SVG's coordinates, from the top left corner."""
    # A caption is wider than its neuron.
    left, top = MARGIN + 2 * RADIUS, MARGIN + RADIUS
    highest = max(float(neuron.y) for neuron in drawing.neurons)

    def place(x: str, y: str) -> tuple[float, float]:
        return rounded(left + float(x) * SCALE), rounded(top + (highest - float(y)) * SCALE)

    places = {neuron.name: place(neuron.x, neuron.y) for neuron in drawing.neurons}
    captions = tuple((*place(x, y), text) for x, y, text in drawing.captions)
    return Picture(
        width=rounded(max(x for x, _ in places.values()) + left),
        height=rounded(max(y for _, y, _ in captions) + MARGIN),
        radius=RADIUS,
        circles=tuple(Circle(*places[n.name], n.label, n.bias) for n in drawing.neurons),
        lines=tuple(arrow(places[before], places[after]) for before, after in drawing.arrows),
        captions=captions,
    )


def arrow(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return the part of the way between two centres that lies outside the circles."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    along, back = RADIUS / length, (RADIUS + GAP) / length
    return (
        rounded(start[0] + along * dx),
        rounded(start[1] + along * dy),
        rounded(end[0] - back * dx),
        rounded(end[1] - back * dy),
    )


def rounded(number: float) -> float:
    """Return a coordinate as it is written."""
    return round(number, 1)

"""A computation graph -> HTML, a page or a piece of a notebook: formulas in MathML, a drawing in SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import sympy
from markupsafe import Markup
from sympy.printing.conventions import split_super_sub

from symbp.graph.chain import Chain
from symbp.notation import get
from symbp.notation.letters import SYMBOLS, Letter
from symbp.notation.mathml import TIMES, MathMLWriter, formula, letter_element, row
from symbp.render.chain import TEXT, Dot, Line, Style, drawing, equations, number, numbered
from symbp.render.environment import render
from symbp.render.labels import ASIDE, BEND
from symbp.render.svg import MARGIN, RADIUS, SCALE, arrow, rounded

# Beyond that many nodes a drawing is no help.
MOST_DRAWN = 60
BESIDE = ASIDE * SCALE / 2


class _Writer(MathMLWriter):
    """Prints a user's own names as they are, a number at the end as a subscript; no notation has them."""

    def __init__(self) -> None:
        super().__init__(get("smatrix"))

    def _print_Symbol(self, symbol: Any) -> str:
        base, above, below = split_super_sub(symbol.name)
        parts = [[letter_element(Letter(SYMBOLS.get(x, x))) for x in found] for found in (below, above)]
        return self.scripted(letter_element(Letter(SYMBOLS.get(base, base))), *parts)


@dataclass(frozen=True)
class Equation:
    """A line of the page: its MathML, and its number in the drawing if it has one."""

    math: Markup
    number: int | None


@dataclass(frozen=True)
class Node:
    """A node of the drawing, in user units from the top left corner."""

    x: float
    y: float
    label: Markup
    value: Markup | str


@dataclass(frozen=True)
class Stroke:
    """An edge of the drawing and the place of its derivative."""

    x1: float
    y1: float
    x2: float
    y2: float
    x: float
    y: float
    label: Markup


@dataclass(frozen=True)
class Picture:
    """The drawing: numbers in user units, y downwards."""

    width: float
    height: float
    radius: float
    nodes: tuple[Node, ...]
    strokes: tuple[Stroke, ...]


def html(chain: Chain) -> str:
    """Return the graph as one HTML file that needs nothing else."""
    return render("html", "chain.html.j2", _contents(chain))


def cell(chain: Chain) -> str:
    """Return the same as a piece of HTML for a notebook, in the notebook's own colours."""
    return render("html", "chain_cell.html.j2", _contents(chain))


def _contents(chain: Chain) -> dict[str, Any]:
    writer = _Writer()
    shown = equations(chain, _style(writer, chain))
    picture = None
    if len(chain.vertices) <= MOST_DRAWN:
        picture, strokes = _picture(chain, writer)
        shown = numbered(shown, strokes)
    said = equations(chain, TEXT)
    lines = {part: [_equation(*both) for both in zip(shown[part], said[part], strict=True)] for part in shown}
    return {**lines, "picture": picture, "count": len(chain.vertices), "remarks": chain.remarks}


def _style(writer: _Writer, chain: Chain) -> Style:
    def symbol(name: str) -> str:
        return writer.expression(sympy.Symbol(name))

    def bracket(printed: str) -> str:
        return printed if writer.without_sign(printed) is None else writer.bracket(printed)

    return Style(
        writer.expression,
        lambda value: _number(writer, value),
        lambda of, wrt: writer.partial(symbol(of), symbol(wrt)),
        "<mo>&#x22C5;</mo>" if chain.evaluated else TIMES,
        "<mo>+</mo>",
        bracket,
        writer.bracket,
    )


def _number(writer: _Writer, value: Any) -> str:
    text = number(value)
    if "/" in text:
        return writer.expression(value)
    mantissa, e, exponent = text.partition("e")
    size = writer.number(mantissa.removeprefix("-"))
    if e:
        power = writer.raised(writer.number("10"), writer.expression(sympy.Integer(exponent)))
        size = row(size, "<mo>&#x22C5;</mo>", power)
    return writer.negative(size) if text.startswith("-") else size


def _equation(shown: Any, said: Any) -> Equation:
    inner = "<mo>=</mo>".join((shown.left, *shown.middle))
    return Equation(Markup(formula(inner, " = ".join((said.left, *said.middle)), display=True)), shown.number)


# The drawing ----------------------------------------------------------------------------------


def _picture(chain: Chain, writer: _Writer) -> tuple[Picture, list[Line]]:
    def math_element(expr: Any) -> str:
        return formula(writer.expression(expr), str(expr))

    def digits(value: Any) -> str:
        return formula(_number(writer, value), number(value))

    dots, lines = drawing(chain, math_element, digits)
    edge = MARGIN + 2 * RADIUS
    highest = max(float(dot.y) for dot in dots)
    places = {
        dot.name: (edge + float(dot.x) * SCALE, edge + (highest - float(dot.y)) * SCALE) for dot in dots
    }
    picture = Picture(
        width=rounded(max(x for x, _ in places.values()) + edge),
        height=rounded(max(y for _, y in places.values()) + edge),
        radius=RADIUS,
        nodes=tuple(_node(dot, *places[dot.name]) for dot in dots),
        strokes=tuple(_stroke(line, places[line.source], places[line.target]) for line in lines),
    )
    return picture, lines


def _node(dot: Dot, x: float, y: float) -> Node:
    return Node(rounded(x), rounded(y), Markup(dot.label), Markup(dot.value))


def _stroke(line: Line, start: tuple[float, float], end: tuple[float, float]) -> Stroke:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    # Edges between the same nodes run side by side, their derivatives a little further apart.
    aside_x, aside_y = (line.bend / BEND * BESIDE * part / length for part in (dy, -dx))
    return Stroke(
        *arrow((start[0] + aside_x, start[1] + aside_y), (end[0] + aside_x, end[1] + aside_y)),
        x=rounded(start[0] + line.at * dx + 2 * aside_x),
        y=rounded(start[1] + line.at * dy + 2 * aside_y),
        label=Markup(line.label) if line.number is None else Markup(f"({line.number})"),
    )

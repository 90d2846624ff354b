"""A computation graph -> text, formulas, LaTeX article with a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.graph.chain import Chain, Edge
from symbp.render.environment import render

WIDTH = 13.0
DISTANCE = 1.6
DIGITS = 6
BEND = 15  # degrees, to either side of the straight line


@dataclass(frozen=True)
class Row:
    """One line: what it is, how it is made, what comes out."""

    left: str
    middle: tuple[str, ...]


@dataclass(frozen=True)
class Dot:
    """A node of the drawing, in centimetres."""

    name: str
    x: str
    y: str
    label: str
    value: str


@dataclass(frozen=True)
class Line:
    """An edge of the drawing, with the local derivative; two of the same nodes bend (degrees)."""

    source: str
    target: str
    label: str
    bend: int


def number(value: Any) -> str:
    """Return an exact fraction, or six digits of any other number."""
    if value.is_Rational and len(str(value)) <= 12:
        return str(value)
    try:
        rough = float(value)
    except OverflowError:
        rough = math.inf
    if math.isfinite(rough) and (rough or value == 0):
        return f"{rough:.{DIGITS}g}"
    # Beyond the range of a float.
    return str(sympy.N(value, DIGITS))


Write = Callable[[Any], str]


def _bracket(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


@dataclass(frozen=True)
class Style:
    """How a format writes formulas, numbers and derivatives, and joins them.

    Attributes
    ----------
    write, digits : callable
        An expression and a value in print.
    partial : callable
        The derivative of one node with respect to another, by their names.
    times, plus : str
        The signs between factors and between terms.
    bracket : callable
        Puts a number in brackets if it begins with a sign.
    group : callable
        Puts a formula in brackets.
    """

    write: Write
    digits: Write
    partial: Callable[[str, str], str]
    times: str
    plus: str = " + "
    bracket: Callable[[str], str] = _bracket
    group: Callable[[str], str] = "({})".format


def _latex(expr: Any) -> str:
    return str(sympy.latex(expr))


def _latex_number(value: Any) -> str:
    text = number(value)
    if "/" in text:
        return str(sympy.latex(value))
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa


def equations(chain: Chain, style: Style) -> dict[str, list[Row]]:
    """Return the equations of a graph: forward, the local derivatives, and backward."""
    return {
        "forward": _forward(chain, style),
        "local": [
            Row(
                style.partial(edge.target, edge.source),
                _different(style.write(edge.derivative), edge, chain, style),
            )
            for edge in chain.edges
        ],
        "backward": _backward(chain, style),
    }


def _forward(chain: Chain, style: Style) -> list[Row]:
    rows = []
    for vertex in chain.vertices:
        middle = [] if vertex.formula is None else [style.write(vertex.formula)]
        middle += [style.digits(vertex.value)] if chain.evaluated else []
        if middle:
            rows.append(Row(style.write(sympy.Symbol(vertex.name)), tuple(middle)))
    return rows


def _different(formula: str, edge: Edge, chain: Chain, style: Style) -> tuple[str, ...]:
    value = (style.digits(edge.value),) if chain.evaluated else ()
    return (formula, *(v for v in value if v != formula))


def _backward(chain: Chain, style: Style) -> list[Row]:
    """Along a path the factors multiply, and over the paths the products add."""
    rows = []
    for vertex in reversed(chain.vertices):
        leaving = chain.leaving(vertex.name)
        if not leaving:
            continue
        middle: list[str] = []
        several = len(leaving) > 1 or leaving[0].target != chain.output
        if several:
            middle.append(style.plus.join(style.times.join(_factors(e, chain, style)) for e in leaving))
        if chain.evaluated and several:
            middle.append(style.plus.join(style.times.join(_values(e, chain, style)) for e in leaving))
        if chain.evaluated:
            middle.append(style.digits(vertex.gradient))
        else:
            middle.append(style.write(vertex.derivative))
        rows.append(Row(style.partial(chain.output, vertex.name), tuple(dict.fromkeys(middle))))
    return rows


def _factors(edge: Edge, chain: Chain, style: Style) -> list[str]:
    """d output / d target, unless the target is the output, and the edge's own derivative."""
    before = [] if edge.target == chain.output else [style.partial(chain.output, edge.target)]
    # The derivative along this edge alone has no name of its own, or that of the sum.
    if len(beside_it(edge, chain)) > 1 or edge.target == chain.output:
        local = style.write(edge.derivative)
        return [*before, style.bracket(local) if edge.derivative.is_Atom else style.group(local)]
    return [*before, style.partial(edge.target, edge.source)]


def _values(edge: Edge, chain: Chain, style: Style) -> list[str]:
    before = [] if edge.target == chain.output else [chain[edge.target].gradient]
    return [style.bracket(style.digits(value)) for value in (*before, edge.value)]


TEXT = Style(str, number, lambda of, wrt: f"d{of}/d{wrt}", " * ")


def text(chain: Chain) -> str:
    """Return the graph for the terminal."""
    return render("text", "chain.txt.j2", {**equations(chain, TEXT), "remarks": chain.remarks})


def _partial_latex(of: str, wrt: str) -> str:
    return rf"\frac{{\partial {_latex(sympy.Symbol(of))}}}{{\partial {_latex(sympy.Symbol(wrt))}}}"


def _formulas(chain: Chain) -> dict[str, list[Row]]:
    times = r" \cdot " if chain.evaluated else r"\, "
    group = r"\left({}\right)".format
    return equations(chain, Style(_latex, _latex_number, _partial_latex, times, group=group))


def markdown(chain: Chain) -> str:
    """Return the graph's equations as Markdown with formulas between dollar signs."""
    return render("markdown", "chain.md.j2", {**_formulas(chain), "remarks": chain.remarks})


def latex(chain: Chain) -> str:
    """Return a LaTeX article: the drawing, the values forward, the derivatives backward."""
    dots, lines = drawing(chain, _latex, _latex_number)
    shown = {**_formulas(chain), "dots": dots, "strokes": lines, "remarks": chain.remarks}
    return render("latex", "chain.tex.j2", shown)


def drawing(chain: Chain, write: Write, digits: Write) -> tuple[list[Dot], list[Line]]:
    """Return nodes, from the inputs on the left to the output on the right, and edges."""
    columns: dict[int, list[Any]] = {}
    for vertex in chain.vertices:
        # An input stands just before what uses it first, so that few edges pass other nodes.
        used = [chain[edge.target].depth - 1 for edge in chain.leaving(vertex.name)]
        place = min(used) if vertex.formula is None else vertex.depth
        columns.setdefault(place, []).append(vertex)
    step = min(3.2, WIDTH / max(max(columns), 1))
    dots: list[Dot] = []
    names: dict[str, str] = {}
    for depth, column in columns.items():
        top = (len(column) - 1) / 2 * DISTANCE
        for row, vertex in enumerate(column):
            names[vertex.name] = f"n{len(names)}"
            value = digits(vertex.value) if chain.evaluated else ""
            label = write(sympy.Symbol(vertex.name))
            # An edge from a column to the next but one passes beside the node between them.
            shift = 0.5 * (depth % 2)
            dots.append(
                Dot(
                    names[vertex.name],
                    f"{depth * step:.2f}",
                    f"{top - row * DISTANCE + shift:.2f}",
                    label,
                    value,
                )
            )
    lines = [
        Line(names[edge.source], names[edge.target], write(edge.derivative), bend)
        for edge, bend in zip(chain.edges, _bends(chain), strict=True)
    ]
    return dots, lines


def _bends(chain: Chain) -> list[int]:
    """Return how far each edge bends: not, if it is the only one between its nodes."""
    found = []
    for edge in chain.edges:
        beside = beside_it(edge, chain)
        place = next(n for n, other in enumerate(beside) if other is edge)
        found.append(BEND * (2 * place - len(beside) + 1))
    return found


def beside_it(edge: Edge, chain: Chain) -> list[Edge]:
    """Return the edges between the same two nodes, this one among them."""
    return [other for other in chain.edges if (other.source, other.target) == (edge.source, edge.target)]

"""A computation graph -> text, formulas, LaTeX article with a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symbp.graph.chain import Chain, Edge
from symbp.graph.written import Occurrence
from symbp.render.arrange import arranged
from symbp.render.environment import render
from symbp.render.labels import BEND, labels

WIDTH, HEIGHT = 13.0, 22.0  # centimetres, of a page
DISTANCE = 1.6
DIGITS = 6


@dataclass(frozen=True)
class Row:
    """One line: what it is, how it is made, what comes out; its number in the drawing, if it has one."""

    left: str
    middle: tuple[str, ...]
    number: int | None = None


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
    """An edge of the drawing, with the local derivative or its number; two of the same nodes bend.

    Attributes
    ----------
    source, target : str
    label : str
        The derivative.
    bend : int
        In degrees.
    at : float
        Where on the way the label stands.
    number : int or None
        What stands there in place of a long label.
    """

    source: str
    target: str
    label: str
    bend: int
    at: float
    number: int | None


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
    names = {s: rf"\mathit{{{s.name}}}" for s in expr.free_symbols if _is_a_word(s.name)}
    # Letters side by side are a product: with words, or a factor twice, it needs room to be seen.
    apart = bool(names) or any(isinstance(s, Occurrence) for s in expr.free_symbols)
    return str(sympy.latex(expr, mul_symbol=r" \, " if apart else None, symbol_names=names, ln_notation=True))


def _is_a_word(name: str) -> bool:
    """Whether letters side by side are one name, not a product nor the name of a Greek letter."""
    return name.isalpha() and len(name) > 1 and sympy.latex(sympy.Symbol(name)) == name


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
            rows.append(Row(style.write(sympy.Symbol(vertex.name)), tuple(dict.fromkeys(middle))))
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
    formulas = numbered(_formulas(chain), lines)
    shown = {**formulas, "dots": dots, "strokes": lines, "remarks": chain.remarks}
    return render("latex", "chain.tex.j2", shown)


def numbered(rows: dict[str, list[Row]], lines: list[Line]) -> dict[str, list[Row]]:
    """Return the equations in which local derivatives have the numbers that they have in the drawing."""
    local = [replace(row, number=line.number) for row, line in zip(rows["local"], lines, strict=True)]
    return {**rows, "local": local}


def drawing(chain: Chain, write: Write, digits: Write) -> tuple[list[Dot], list[Line]]:
    """Return nodes, from the inputs on the left to the output on the right, and edges."""
    columns: dict[int, list[Any]] = {}
    for vertex in chain.vertices:
        # An input stands just before what uses it first, so that few edges pass other nodes.
        used = [chain[edge.target].depth - 1 for edge in chain.leaving(vertex.name)]
        place = min(used) if vertex.formula is None else vertex.depth
        columns.setdefault(place, []).append(vertex)
    tallest = max(map(len, columns.values()))
    # Steep edges would graze the nodes above their own.
    step = min(max(3.2, 0.35 * tallest), WIDTH / max(max(columns), 1))
    distance = min(DISTANCE, HEIGHT / tallest)
    dots: list[Dot] = []
    places = arranged(
        [[vertex.name for vertex in columns.get(depth, ())] for depth in range(max(columns) + 1)],
        [(edge.source, edge.target) for edge in chain.edges],
        (step, distance),
    )
    for name, (x, y) in places.items():
        value = digits(chain[name].value) if chain.evaluated else ""
        dots.append(Dot(f"n{len(dots)}", f"{x:.2f}", f"{y:.2f}", write(sympy.Symbol(name)), value))
    names = dict(zip(places, (dot.name for dot in dots), strict=True))
    bends = _bends(chain)
    ends = [(places[e.source], places[e.target], bend) for e, bend in zip(chain.edges, bends, strict=True)]
    found = labels(ends, [edge.derivative for edge in chain.edges], list(places.values()))
    lines = [
        Line(names[e.source], names[e.target], write(e.derivative), bend, label.at, label.number)
        for e, bend, label in zip(chain.edges, bends, found, strict=True)
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

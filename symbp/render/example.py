"""A worked example -> text, Markdown, LaTeX, HTML."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import sympy

from symbp.algebra import rules
from symbp.algebra.matrices import StepMatrix
from symbp.algebra.nodes import Node, cost, output
from symbp.algebra.updates import penalised_cost
from symbp.derivation.numbers import Entries, Example, Value
from symbp.errors import DataError
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.weights import WeightLayout
from symbp.notation.writer import Writer
from symbp.render.environment import render
from symbp.render.web import WebWriter

DIGITS = 6
# Longer fractions and whole numbers are shown as decimals.
_LENGTH, _DIGITS = 9, 15
_LARGEST = 999_999  # decimal exponent
_PRECISION = 50


@dataclass(frozen=True)
class Row:
    """One computed number."""

    label: str
    left: str
    right: str


@dataclass(frozen=True)
class Matrix:
    """A matrix of weights, of derivatives or of a step, and the equations it comes from."""

    name: str
    label: str
    rows: tuple[tuple[str, ...], ...]


def shown(value: Any, digits: int | None) -> str:
    """Return a short fraction as it is, or decimals; with `digits`, always decimals.

    Raises
    ------
    DataError
        If the number has an exponent that nobody can read, or is none.
    """
    if value.is_Integer and len(str(value)) <= _DIGITS:
        return str(value)
    if value.is_Rational and digits is None and len(str(value)) <= _LENGTH:
        return str(value)
    decimal = _decimal(value)
    form = "f" if decimal == 0 or Decimal("1e-4") <= abs(decimal) < 10**9 else "e"
    return f"{decimal:.{digits or DIGITS}{form}}"


def _decimal(value: Any) -> Decimal:
    try:
        decimal = Decimal(str(sympy.Float(value, _PRECISION)))
    except (InvalidOperation, OverflowError, ValueError):
        decimal = Decimal("nan")
    if not decimal.is_finite() or abs(decimal.adjusted()) > _LARGEST:
        raise DataError(
            "numbers: a value that follows is too large or too small to write down; "
            "give smaller inputs and weights"
        )
    return decimal


def _tex(value: Any, digits: int | None) -> str:
    text = shown(value, digits)
    numerator, slash, denominator = text.partition("/")
    if slash:
        sign = "-" if numerator.startswith("-") else ""
        return rf"{sign}\tfrac{{{numerator.lstrip('-')}}}{{{denominator}}}"
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else text


Digits = Callable[[Any, int | None], str]


def _data(example: Example, writer: Writer, number: Digits, digits: int | None) -> dict[str, Any]:
    network = example.network
    one = sympy.Integer

    def rows(values: Sequence[Value]) -> list[Row]:
        return [
            Row(v.label, writer.expression(rules.without_samples(v.quantity)), number(v.value, digits))
            for v in values
        ]

    def matrix(quantity: Any, entries: Sequence[Sequence[Any]], label: str = "") -> Matrix:
        rows = tuple(tuple(number(value, digits) for value in row) for row in entries)
        return Matrix(writer.expression(quantity), label, rows)

    layout = WeightLayout(writer.notation, network)

    def derivatives(of: Any, found: Sequence[Entries]) -> list[Matrix]:
        return [
            matrix(array.gradient(of), rows_, label)
            for entries in found
            for array, rows_, label in zip(
                layout.arrays(entries.layer),
                layout.theirs(entries.layer, entries.rows),
                _labels(entries.label, len(layout.arrays(entries.layer))),
                strict=True,
            )
        ]

    last = one(network.hidden + 1)
    inputs = [
        Row("", writer.expression(output(one(0), one(n))), number(value, digits))
        for n, value in enumerate(example.given.inputs, 1)
    ]
    targets = [
        Row("", writer.expression(Node("y", last, (one(n),))), number(value, digits))
        for n, value in enumerate(example.given.targets, 1)
    ]
    given = example.given.sample_weight
    v = [Row("", writer.expression(Node("v", last)), number(given, digits))] if network.weighted else []
    return {
        "name": network.name,
        "layout": layout.sentence,
        "given": inputs + targets + v + rows(example.parameters),
        "weights": [
            matrix(array.matrix, rows_)
            for k, ours in enumerate(example.given.weights, 1)
            for array, rows_ in zip(layout.arrays(k), layout.theirs(k, ours), strict=True)
        ],
        "forward": rows(example.forward),
        "backward": rows(example.backward),
        "steps": [matrix(StepMatrix(one(s.layer)), s.rows, s.label) for s in example.steps],
        "gradients": derivatives(cost(last), example.gradients),
        "penalised": derivatives(penalised_cost(last), example.penalised),
    }


def _labels(label: str, count: int) -> tuple[str, ...]:
    """Return the labels of each array: where biases have one of their own, the last label is theirs."""
    return tuple(label.split("; ")) if count > 1 else (label,)


def _page(form: str, example: Example, notation: str = "smatrix", digits: int | None = None) -> str:
    """Return the worked example in a format."""
    chosen, number, template = _FORMS[form]
    network = example.network
    writer = chosen(get(notation), network.sizes, network.biases)
    return render(form, template, _data(example, writer, number, digits))


_FORMS: dict[str, tuple[Callable[..., Writer], Digits, str]] = {
    "text": (TextWriter, shown, "example.txt.j2"),
    "markdown": (LatexWriter, _tex, "example.md.j2"),
    "latex": (LatexWriter, _tex, "example.tex.j2"),
    "html": (WebWriter, shown, "example.html.j2"),
}

# format -> (example, notation, digits) -> page
FORMATS: Mapping[str, Callable[..., str]] = {form: functools.partial(_page, form) for form in _FORMS}

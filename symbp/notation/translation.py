"""Every quantity in two notations, in the letters of the first, and how they count.

The table is made by printing the same expression twice, so it says what the pages do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import MatMul, Transpose

from symbp.algebra.matrices import (
    DeltaColumn,
    GradientMatrix,
    OutputColumn,
    RegularWeights,
    StepMatrix,
    WeightedSums,
    WeightMatrix,
    is_matrix,
)
from symbp.algebra.nodes import L, Node, Partial, Width, cost, eta, index, k, m
from symbp.notation.legend import meaning
from symbp.notation.records import Letters, Notation
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer


@dataclass(frozen=True)
class Row:
    """One quantity: what it is called, and how it is written here and there."""

    meaning: str
    here: str
    there: str


@dataclass(frozen=True)
class Translation:
    """From the notation of a page to another.

    Attributes
    ----------
    here, there : Notation
    maps : tuple of str
        How layers, indices, biases and matrices correspond, one sentence each.
    rows : tuple of Row
        The letters of indices and layers are those of `here` in both columns.
    """

    here: Notation
    there: Notation
    maps: tuple[str, ...]
    rows: tuple[Row, ...]


def translation(
    here: Notation, there: Notation, writer: Callable[[Notation], Writer] = TextWriter
) -> Translation:
    """Return the table from one notation to another.

    Parameters
    ----------
    here, there : Notation
    writer : callable
        Notation -> a writer of the format of the table.
    """
    a, b = writer(here), writer(there)
    words = TextWriter(here)
    rows = (
        Row(meaning(key, words), a.expression(oriented(mine, here)), b.expression(oriented(other, there)))
        for key, mine, other in _quantities(here, there)
    )
    return Translation(here, there, tuple(_maps(here, there)), tuple(rows))


def oriented(expr: Any, notation: Notation) -> Any:
    """Return a matrix the way round the notation has it."""
    structure = TextWriter(notation).structure
    return structure.turned(structure.regular_outputs(expr) if notation.regular == "rows" else expr)


def _quantities(here: Notation, there: Notation) -> Iterator[tuple[str, Any, Any]]:
    """Yield key and expression for both; they differ only where the number of layers stands."""
    letters = here.letters or Letters(layer=k.name)
    i, j = map(index, letters.neurons)
    layer = index(letters.layer)

    def own(key: str) -> Any:
        return layer - here.glyph(key).shift

    def last(notation: Notation) -> Any:
        return L + 1 - (0 if notation.letters is None else notation.beyond_hidden)

    weight = Node("w", own("w"), (i, j))
    weights = WeightMatrix(own("w")) if here.weights == "to from" else Transpose(WeightMatrix(own("w")))
    regular = weights.xreplace({WeightMatrix(own("w")): RegularWeights(own("w"))})
    same: list[tuple[str, Any]] = [
        ("w", weight),
        ("bias", Node("w", own("w"), (i, Width(own("w") - 1) + 1))),
        ("x", Node("o", 0, (i,))),
        ("c", Node("c", own("c"), (i,))),
        ("o", Node("o", own("o"), (i,))),
        ("delta", Node("delta", own("delta"), (i,))),
        ("J", cost()),
        ("gradient", Partial(cost(), weight)),
        ("StepMatrix", StepMatrix(own("StepMatrix"))),
        ("RegularWeights", regular),
        ("WeightedSums", WeightedSums(own("WeightedSums"))),
        ("OutputColumn", OutputColumn(own("OutputColumn"))),
        ("DeltaColumn", DeltaColumn(own("DeltaColumn"))),
        ("Width", Width(own("Width"))),
        ("m", m),
        ("eta", eta),
    ]
    if "letter" in (here.output, there.output):
        same.append(("a", Node("a", own("a"), (j,))))
    if here.bias == there.bias != "separate":  # else the biases stand in other columns
        gradient = GradientMatrix(WeightMatrix(own("w")))
        same += [
            ("WeightMatrix", weights),
            ("GradientMatrix", gradient if here.weights == "to from" else Transpose(gradient)),
        ]
    # Where one takes sensitivities of the average cost and the other those of a sample's.
    power = (there.sensitivity == "mean") - (here.sensitivity == "mean")
    for key, expr in same:
        scaled = key in ("delta", "DeltaColumn") and power != 0
        yield key, expr, (MatMul(m**power, expr) if is_matrix(expr) else m**power * expr) if scaled else expr
    yield "h", Node("h", last(here), (i,)), Node("h", last(there), (i,))
    yield "L", L, L + here.beyond_hidden - there.beyond_hidden


_BIAS = {
    "last": "the last input of a layer",
    "first": "the input with the number 0",
    "separate": "a letter of its own",
}

_COST = {"mean": "the average cost, which holds the factor 1/m", "sample": "the cost of one sample"}


def _maps(here: Notation, there: Notation) -> Iterator[str]:
    layer = (here.letters or Letters(layer=k.name)).layer
    say = TextWriter(here).expression
    shift = there.first_layer - here.first_layer
    if shift:
        yield f"Layer {layer} of neurons is layer {say(index(layer) + shift)} in {there.name}."
    else:
        yield "Layers of neurons have the same numbers in both."
    yield "Weights have the same numbers in both: 1 for those that lead from the inputs."
    if _order(here) != _order(there):
        yield "The two indices of a weight stand the other way round."
    if here.weights != there.weights:
        yield "Matrices of weights, and of derivatives by them, are transposed."
    if here.sensitivity != there.sensitivity:
        mine, other = (_COST[n.sensitivity] for n in (here, there))
        yield f"delta is the derivative of {mine}; in {there.name} it is that of {other}."
    if here.bias != there.bias:
        yield f"The bias is {_BIAS[here.bias]}; in {there.name} it is {_BIAS[there.bias]}."
    if here.beyond_hidden != there.beyond_hidden:
        mine, other = (TextWriter(n).expression(L) for n in (here, there))
        gap = here.beyond_hidden - there.beyond_hidden
        yield f"What is {mine} here is {other} {'+' if gap > 0 else '-'} {abs(gap)} in {there.name}."


def _order(notation: Notation) -> tuple[int, ...]:
    return notation.symbols["w"].order or (0, 1)

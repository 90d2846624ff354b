"""Lines that give derivatives by weighted sums, ``dC/dz^l = ...``: they define the sensitivity, delta^l."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.names import Names
from symbp.run.formula.target import Entry
from symbp.run.formula.tree import Binary, Derivative, Line, Name, Part, rebuilt


def as_sensitivities(entries: Sequence[Entry], names: Names) -> list[Entry]:
    """Return the lines with delta for the derivatives by weighted sums, where a line gives these.

    delta is the derivative of the average cost or of that of one sample, as the notation has it: the
    factor m between them is put in.

    Parameters
    ----------
    entries : sequence of Entry
    names : Names
    """
    sums = {name for name, meaning in names.meanings.items() if meaning.entry == "c"}
    sums |= {name for name, meaning in names.meanings.items() if meaning.whole == "WeightedSums"}

    def is_given(line: Line) -> bool:
        return line.cost is not None and line.left is not None and line.left.name in sums

    lines = [entry.line for entry in entries]
    asked = [line for line in lines if (line.gradient or line.left is None) and not is_given(line)]
    if not asked or not any(map(is_given, lines)):
        return list(entries)
    letter = names.notation.glyph("delta").text

    def put(part: Part) -> Part:
        if not isinstance(part, Derivative) or part.wrt.name not in sums or part.of.name not in names.costs:
            return part
        return _scaled(replace(part.wrt, name=letter), part.of, names, "@", "/")

    def changed(line: Line) -> Line:
        right = rebuilt(line.right, put)
        if line.left is None or line.cost is None or not is_given(line):
            return replace(line, right=right)
        left = replace(line.left, name=letter)
        return Line(line.text, left, _scaled(right, line.cost, names, "/", "@"))

    return [replace(entry, line=changed(entry.line)) for entry in entries]


def _scaled(value: Part, cost: Name, names: Names, of_sample: str, of_mean: str) -> Part:
    """Put the factor m between the derivative of a cost and delta; the signs are those for either cost."""
    try:
        one = names.cost_kind(cost) == "Js"
    except NoSuchEntry:
        return value
    if one == (names.notation.sensitivity == "sample"):
        return value
    sign, samples = of_sample if one else of_mean, Name(value.at, names.samples)
    return Binary(value.at, "@", samples, value) if sign == "@" else Binary(value.at, "/", value, samples)

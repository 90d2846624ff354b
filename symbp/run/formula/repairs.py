"""One change to a formula that makes it right, if there is one: the place where the mistake stands.

Every change is tried on the given text, not on the right formula: what is found is a
correction that the author can make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from symbp.errors import GradientError
from symbp.run.formula.names import Names
from symbp.run.formula.tree import (
    Apply,
    Binary,
    Line,
    Name,
    Negative,
    Number,
    Part,
    Power,
    Total,
    Transposed,
    children,
)
from symbp.run.formula.written import Entry, WrittenGradient

MOST = 400  # changes that are tried
# What is easily taken for each other.
_OF_NEURONS = ("WeightedSums", "OutputColumn", "InputColumn", "DeltaColumn")
_OF_WEIGHTS = ("WeightMatrix", "RegularWeights")
_ALIKE = {**dict.fromkeys(_OF_NEURONS, _OF_NEURONS), **dict.fromkeys(_OF_WEIGHTS, _OF_WEIGHTS)}


def correction(written: WrittenGradient, is_right: Callable[[WrittenGradient], bool]) -> str | None:
    """Return the first change that makes a gradient right, in words; None if no single one does.

    Parameters
    ----------
    written : WrittenGradient
        A wrong one.
    is_right : callable
    """
    for tried, (words, changed) in enumerate(_changes(written)):
        if tried == MOST:
            return None
        try:
            if is_right(changed):
                return words
        except GradientError:  # the change makes no sense
            continue
    return None


def _changes(written: WrittenGradient) -> Iterator[tuple[str, WrittenGradient]]:
    for n, line in enumerate(written.definitions):
        for words, changed in _of_line(line, written.names):
            rest = (*written.definitions[:n], changed, *written.definitions[n + 1 :])
            yield words, replace(written, definitions=rest)
    for n, entry in enumerate(written.entries):
        for words, changed in _of_line(entry.line, written.names):
            now = Entry(changed, entry.layer, entry.bias)
            yield words, replace(written, entries=(*written.entries[:n], now, *written.entries[n + 1 :]))


def _of_line(line: Line, names: Names) -> Iterator[tuple[str, Line]]:
    many = "" if len(line.text) < 40 else f" of {line.text[:36]!r}..."
    for part, words, changed in _everywhere(line.right, lambda tree: tree, names):
        yield f"{words} at column {part.at + 1}{many}", replace(line, right=changed)
    for words, changed in _whole(line, names):
        yield f"{words}{many}", replace(line, right=changed)


def _everywhere(tree: Part, put: Callable[[Part], Part], names: Names) -> Iterator[tuple[Part, str, Part]]:
    """Yield every place with what is changed there, and the whole tree with the change."""
    for words, changed in _here(tree, names):
        yield tree, words, put(changed)
    for name, child in children(tree):

        def inner(new: Part, name: str = name) -> Part:
            parts: dict[str, Any] = {name: new}
            return put(replace(tree, **parts))

        yield from _everywhere(child, inner, names)


def _here(tree: Part, names: Names) -> Iterator[tuple[str, Part]]:
    match tree:
        case Name():
            yield from _of_name(tree, names)
        case Number(at, text):
            for value in ("1", "2", "0.5"):
                if value != text:
                    yield f"{value} in place of {text}", Number(at, value)
        case Binary(at, "+", left, right):
            yield "a minus in place of the plus", Binary(at, "-", left, right)
        case Binary(at, "-", left, right):
            yield "a plus in place of the minus", Binary(at, "+", left, right)
        case Binary(at, "*" | "@" as sign, left, right):
            yield "without the second factor", left
            yield "without the first factor", right
            other = "@" if sign == "*" else "*"
            yield (
                f"the product {'of matrices' if other == '@' else 'entry by entry'}",
                Binary(at, other, left, right),
            )
            yield "the two factors exchanged", Binary(at, sign, right, left)
        case Binary(at, "/", left, right):
            yield "without the divisor", left
        case Negative(_, operand):
            yield "without the minus", operand
        case Transposed(_, operand):
            yield "not transposed", operand
        case Apply(at, function, slope, argument):
            other = "without" if slope else "with"
            yield f"{function.name} {other} its prime", Apply(at, function, not slope, argument)
        case Power(_, base, exponent):
            yield "without the power", base
            yield f"the power {exponent + 1}", Power(tree.at, base, exponent + 1)
        case Total(at, index, low, high, body):
            one = Number(at, "1")
            yield "the sum from one more", Total(at, index, Binary(at, "+", low, one), high, body)
            yield "the sum from one less", Total(at, index, Binary(at, "-", low, one), high, body)
            yield "the sum to one more", Total(at, index, low, Binary(at, "+", high, one), body)
            yield "the sum to one less", Total(at, index, low, Binary(at, "-", high, one), body)


def _of_name(tree: Name, names: Names) -> Iterator[tuple[str, Part]]:
    meaning = names.meanings.get(tree.name)
    layer_field = "above" if tree.above else "below"
    layers = getattr(tree, layer_field)
    if meaning is not None and meaning.layered and len(layers) == 1:
        (layer,) = layers
        for sign, words in (("+", "later"), ("-", "earlier")):
            shifted = Binary(tree.at, sign, layer, Number(tree.at, "1"))
            scripts: dict[str, Any] = {layer_field: (shifted,)}
            yield f"{tree.name} of one layer {words}", replace(tree, **scripts)
    if meaning is None:
        return
    for other, also in names.meanings.items():
        if other != tree.name and also.whole in _ALIKE.get(meaning.whole, ()):
            yield f"{other} in place of {tree.name}", replace(tree, name=other)
    yield f"{tree.name} transposed", Transposed(tree.at, tree)
    pair = tree.below[0] if len(tree.below) == 1 else None
    if isinstance(pair, Name) and len(pair.name) == 2:
        swapped = replace(pair, name=pair.name[::-1])
        yield f"the indices of {tree.name} exchanged", replace(tree, below=(swapped,))


def _whole(line: Line, names: Names) -> Iterator[tuple[str, Part]]:
    right, at = line.right, line.right.at
    samples = Name(at, names.samples)
    yield "with a minus in front", Negative(at, right)
    yield f"divided by {names.samples}", Binary(at, "/", right, samples)
    yield f"times {names.samples}", Binary(at, "@", samples, right)
    for factor in ("2", "0.5"):
        yield f"times {factor}", Binary(at, "@", Number(at, factor), right)
    left = line.left
    if line.gradient or left is None:
        return
    sums = next(name for name, meaning in names.meanings.items() if meaning.entry == "c")
    argument = Name(at, sums, left.below, left.above)
    has_layer = names.notation.glyph("Activate").layer != "none"
    layer = (left.above or left.below)[:1]
    function = Name(at, names.function, (), layer if has_layer else ())
    yield f"times {names.function}'({sums})", Binary(at, "*", right, Apply(at, function, True, argument))

"""One change to a formula that makes it right, if there is one: the place where the mistake stands.

Every change is tried on the given text, not on the right formula: what is found is a
correction that the author can make, and says which mutation of the right formula hers is. A
mistake that is made in every line alike is one mistake, so the same change is tried in all lines
at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbp.errors import GradientError
from symbp.run.formula.line_changes import ALIKE, Change, in_layer, letter_of, of_whole
from symbp.run.formula.names import Names
from symbp.run.formula.target import Entry
from symbp.run.formula.tree import (
    Apply,
    Binary,
    Derivative,
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
from symbp.run.formula.written import WrittenGradient

MOST = 600  # changes that are tried


@dataclass(frozen=True)
class Repair:
    """A correction that makes a gradient right, the mistake that it undoes, and what comes out."""

    words: str
    mistake: str
    gradient: WrittenGradient


def repair(written: WrittenGradient, judged: Callable[[WrittenGradient], str | None]) -> Repair | None:
    """Return the first change after which a gradient is judged well; None if no single one does it.

    Parameters
    ----------
    written : WrittenGradient
        A wrong one.
    judged : callable
        What is still wrong with a gradient, in words: "" for a right one, None for one not understood.
    """
    for tried, found in enumerate(_repairs(written)):
        if tried == MOST:
            return None
        try:
            rest = judged(found.gradient)
        except GradientError:  # the change makes no sense
            continue
        if rest is not None:
            return replace(found, mistake=f"{found.mistake}; and {rest}" if rest else found.mistake)
    return None


def tacit_repairs(written: WrittenGradient, first: int = 0, most: int = 3) -> Iterator[Repair]:
    """Yield what a reader puts right without being told: in each line at most one slip of printing.

    Parameters
    ----------
    written : WrittenGradient
    first : int
        The number of the first line that is changed.
    most : int
        In how many lines.
    """
    lines = _lines(written)
    found = []
    for n, line in enumerate(lines[first:], first):
        many = "" if len(line.text) < 40 else f" of '{line.text[:36]}...'"
        for place, change in _of_line(line, written.names):
            if change.tacit:
                now = [*lines[:n], replace(line, right=change.tree), *lines[n + 1 :]]
                one = Repair(f"{change.words}{place}{many}", change.mistake, _with(written, now))
                found.append((n, one))
                yield one
    for n, one in found if most > 1 else ():
        for rest in tacit_repairs(one.gradient, n + 1, most - 1):
            yield Repair(
                f"{one.words}, and {rest.words}", f"{one.mistake}; and {rest.mistake}", rest.gradient
            )


def _repairs(written: WrittenGradient) -> Iterator[Repair]:
    lines = _lines(written)
    single: list[list[tuple[str, Change]]] = []
    for n, line in enumerate(lines):
        many = "" if len(line.text) < 40 else f" of '{line.text[:36]}...'"
        single.append([])
        for place, change in _of_line(line, written.names):
            single[n].append((place, change))
            now = [*lines[:n], replace(line, right=change.tree), *lines[n + 1 :]]
            yield Repair(f"{change.words}{place}{many}", change.mistake, _with(written, now))
    yield from _in_all_lines(written, lines, single)


def _in_all_lines(
    written: WrittenGradient, lines: Sequence[Line], single: Sequence[Sequence[tuple[str, Change]]]
) -> Iterator[Repair]:
    """Yield each change made in every line in which it can be made, where these are several."""
    kinds = dict.fromkeys(change.kind for changes in single for _, change in changes)
    definitions = len(written.definitions)
    entries = frozenset(range(definitions, len(lines)))
    recursion = frozenset(range(definitions))
    groups = [entries, recursion, entries | recursion]
    # The line of the output layer is often unlike those of the hidden ones.
    groups += [recursion - {n} for n in range(definitions)]
    for kind in kinds:
        seen: set[frozenset[int]] = set()
        for group in groups:
            # In each line at the first place where it is possible: lines of one kind look alike.
            first = {n: change for n in group for _, change in reversed(single[n]) if change.kind == kind}
            chosen = frozenset(first)
            if len(chosen) < 2 or chosen in seen:
                continue
            seen.add(chosen)
            now = [replace(line, right=first[n].tree) if n in first else line for n, line in enumerate(lines)]
            where = f"in {len(chosen)} lines"
            words, mistake, _ = kind
            yield Repair(f"{words} {where}", f"{mistake}, {where}", _with(written, now))


def _lines(written: WrittenGradient) -> list[Line]:
    return [*written.definitions, *(entry.line for entry in written.entries)]


def _with(written: WrittenGradient, lines: Sequence[Line]) -> WrittenGradient:
    """Return the gradient with other lines."""
    count = len(written.definitions)
    entries = tuple(
        Entry(line, old.layer, old.bias) for line, old in zip(lines[count:], written.entries, strict=True)
    )
    return replace(written, definitions=tuple(lines[:count]), entries=entries)


def _of_line(line: Line, names: Names) -> Iterator[tuple[str, Change]]:
    """Yield the changes of a line as a whole tree, each with its place in words."""
    for part, change in _everywhere(line.right, lambda tree: tree, names, False):
        yield f" at column {part.at + 1}", change
    for change in of_whole(line, names):
        yield "", change


def _everywhere(
    tree: Part, put: Callable[[Part], Part], names: Names, argument: bool
) -> Iterator[tuple[Part, Change]]:
    """Yield every place with what is changed there, and the whole tree with the change."""
    for change in _here(tree, names):
        yield tree, replace(change, tree=put(change.tree), argument=argument)
    for name, child in children(tree):

        def inner(new: Part, name: str = name) -> Part:
            parts: dict[str, Any] = {name: new}
            return put(replace(tree, **parts))

        yield from _everywhere(child, inner, names, argument or isinstance(tree, Apply))


def _here(tree: Part, names: Names) -> Iterator[Change]:
    match tree:
        case Name():
            yield from _of_name(tree, names)
        case Number(at, text):
            for value in ("1", "2", "0.5"):
                if value != text:
                    words = f"{value} in place of {text}"
                    yield Change(words, f"{text} stands in place of {value}", Number(at, value))
        case Binary(at, "+", left, right):
            yield Change("a minus in place of the plus", "a sign is wrong", Binary(at, "-", left, right))
        case Binary(at, "-", left, right):
            yield Change("a plus in place of the minus", "a sign is wrong", Binary(at, "+", left, right))
        case Binary(at, "*" | "@" as sign, left, right):
            yield Change("without the second factor", "a factor stands in it that does not belong", left)
            yield Change("without the first factor", "a factor stands in it that does not belong", right)
            kinds = ("entry by entry", "of matrices")
            own, other = kinds if sign == "*" else kinds[::-1]
            yield Change(
                f"the product {other}",
                f"the product {own} stands where that {other} belongs",
                Binary(at, "@" if sign == "*" else "*", left, right),
            )
            yield Change(
                "the two factors exchanged", "two factors are exchanged", Binary(at, sign, right, left)
            )
            if sign == "@":
                mistake = "the outer product is missing a ^T: two columns stand side by side"
                row = Transposed(left.at, left)
                outer = Binary(at, "@", right, row)
                words = "the second factor times the first one transposed"
                yield Change(words, mistake, outer, tacit=True)
        case Binary(at, "/", left, right):
            yield Change("without the divisor", "a divisor stands in it that does not belong", left)
        case Negative(_, operand):
            yield Change("without the minus", "a sign is wrong", operand)
        case Transposed(_, Name(_, name) as operand):
            yield Change(f"{name} not transposed", f"{name} is transposed, and should not be", operand)
        case Transposed(_, operand):
            yield Change("not transposed", "a product is transposed, and should not be", operand)
        case Apply(at, function, slope, argument):
            f = function.name
            yield Change(
                f"{f} {'without' if slope else 'with'} its prime",
                f"{f}' stands in place of {f}" if slope else f"{f} stands in place of {f}'",
                Apply(at, function, not slope, argument),
            )
        case Derivative(at, of, wrt):
            for change in _of_name(of, names):
                if isinstance(change.tree, Name):
                    yield replace(change, tree=Derivative(at, change.tree, wrt))
            for change in _of_name(wrt, names):
                if isinstance(change.tree, Name):
                    yield replace(change, tree=Derivative(at, of, change.tree))
        case Power(_, base, exponent):
            yield Change("without the power", "a power stands in it that does not belong", base)
            yield Change(
                f"the power {exponent + 1}", "a power is too small", Power(tree.at, base, exponent + 1)
            )
        case Total(at, index, Part() as low, Part() as high, body):
            one = Number(at, "1")
            mistake = "the range of a sum is wrong"
            for words, first, last in (
                ("from one more", Binary(at, "+", low, one), high),
                ("from one less", Binary(at, "-", low, one), high),
                ("to one more", low, Binary(at, "+", high, one)),
                ("to one less", low, Binary(at, "-", high, one)),
            ):
                yield Change(f"the sum {words}", mistake, Total(at, index, first, last, body))
            if isinstance(high, Name) and high.name == names.width:
                for words, layer in _other_layers(high):
                    end = replace(high, **layer)
                    yield Change(
                        f"the sum to {end.name} of one layer {words}", mistake, replace(tree, high=end)
                    )


def _other_layers(tree: Name) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scripts of a letter one layer later, and one layer earlier."""
    field = "above" if tree.above else "below"
    layers = getattr(tree, field)
    if len(layers) == 1:
        for sign, words in (("+", "later"), ("-", "earlier")):
            yield words, {field: (Binary(tree.at, sign, layers[0], Number(tree.at, "1")),)}


def _of_name(tree: Name, names: Names) -> Iterator[Change]:
    meaning = names.meanings.get(tree.name)
    layers = tree.above or tree.below
    if meaning is not None and meaning.layered:
        for words, scripts in _other_layers(tree):
            mistake = f"{tree.name} is off by one layer"
            yield Change(f"{tree.name} of one layer {words}", mistake, replace(tree, **scripts))
    if meaning is None:
        return
    for other, also in names.meanings.items():
        if other != tree.name and also.whole in ALIKE.get(meaning.whole, ()):
            mistake = f"{tree.name} stands in place of {other}"
            words = f"{other} in place of {tree.name}"
            bias_left_in = (meaning.whole, also.whole) == ("WeightMatrix", "RegularWeights")
            yield Change(words, mistake, replace(tree, name=other), tacit=bias_left_in)
    yield Change(f"{tree.name} transposed", f"{tree.name} is not transposed", Transposed(tree.at, tree))
    if meaning.whole == "DeltaColumn" and len(layers) == 1:
        weights = letter_of(names, "RegularWeights", "WeightMatrix")
        shift = names.meanings[weights].whole_shift - meaning.whole_shift
        factor = in_layer(tree.at, weights, layers[0], shift)
        back = factor if names.notation.weights == "from to" else Transposed(tree.at, factor)
        words = f"{weights}{'' if back is factor else '^T'} in front of {tree.name}"
        yield Change(words, f"the factor {weights} is missing", Binary(tree.at, "@", back, tree))
    pair = tree.below[0] if len(tree.below) == 1 else None
    if isinstance(pair, Name) and len(pair.name) == 2:
        swapped = replace(pair, name=pair.name[::-1])
        yield Change(
            f"the indices of {tree.name} exchanged",
            f"{tree.name} is transposed: its indices are exchanged",
            replace(tree, below=(swapped,)),
        )

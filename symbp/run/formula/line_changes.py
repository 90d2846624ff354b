"""Changes of a line as a whole: a factor in front of all of it, a letter in all its places, two indices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbp.run.formula.names import Names
from symbp.run.formula.tree import (
    Apply,
    Binary,
    Line,
    Name,
    Negative,
    Number,
    Part,
    Transposed,
    rebuilt,
    walk,
)

# What is easily taken for each other.
_OF_NEURONS = ("WeightedSums", "OutputColumn", "InputColumn", "DeltaColumn")
_OF_WEIGHTS = ("WeightMatrix", "RegularWeights")
ALIKE = {**dict.fromkeys(_OF_NEURONS, _OF_NEURONS), **dict.fromkeys(_OF_WEIGHTS, _OF_WEIGHTS)}


@dataclass(frozen=True)
class Change:
    """What is put in the place of a part of a formula.

    Attributes
    ----------
    words : str
        The correction.
    mistake : str
        What is wrong if the correction is right.
    tree : Part
    argument : bool
        Whether it is made in the argument of a function.
    tacit : bool
        Whether it is a slip that documents leave to the reader: shapes do not fit, and everybody
        knows what is meant.
    """

    words: str
    mistake: str
    tree: Part
    argument: bool = False
    tacit: bool = False

    @property
    def kind(self) -> tuple[str, str, bool]:
        """What the same change in another line shares with it."""
        return self.words, self.mistake, self.argument


def of_whole(line: Line, names: Names) -> Iterator[Change]:
    right, at = line.right, line.right.at
    m = names.samples
    samples = Name(at, m)
    yield Change("with a minus in front", "the sign is wrong", Negative(at, right))
    of_gradient = line.gradient or line.left is None
    what = "the gradient" if of_gradient else "the right side"
    yield Change("transposed", f"{what} is transposed", Transposed(at, right))
    missing = f"the factor 1/{m} is missing" if of_gradient else f"a factor 1/{m} is missing"
    yield Change(f"divided by {m}", missing, Binary(at, "/", right, samples))
    yield Change(f"times {m}", f"a factor 1/{m} is too much", Binary(at, "@", samples, right))
    for factor, mistake in (("2", "a factor 1/2 is too much"), ("0.5", "a factor 2 is too much")):
        yield Change(f"times {factor}", mistake, Binary(at, "@", Number(at, factor), right))
    left = line.left
    yield from _letters_throughout(right, names)
    if left is not None and line.gradient:
        yield from _missing_factors(left, right, names)
    if left is not None:
        yield from _indices_exchanged(left, right, names)
        yield from _without_biases(right, names)
        yield from _entries_of_columns(left, right, names)
    if of_gradient or left is None:
        return
    sums = next(name for name, meaning in names.meanings.items() if meaning.entry == "c")
    argument = Name(at, sums, left.below, left.above)
    has_layer = names.notation.glyph("Activate").layer != "none"
    layer = (left.above or left.below)[:1]
    function = Name(at, names.function, (), layer if has_layer else ())
    f = names.function
    yield Change(
        f"times {f}'({sums})",
        f"the factor {f}' is missing",
        Binary(at, "*", right, Apply(at, function, True, argument)),
    )


def _letters_throughout(right: Part, names: Names) -> Iterator[Change]:
    """A letter that stands in a line more than once is another one in all its places."""
    found = Counter(part.name for part in walk(right) if isinstance(part, Name))
    for name, count in found.items():
        meaning = names.meanings.get(name)
        if count < 2 or meaning is None:
            continue
        for other, also in names.meanings.items():
            if other != name and also.whole in ALIKE.get(meaning.whole, ()):
                yield Change(
                    f"{other} in place of every {name}",
                    f"{name} stands in place of {other}",
                    _renamed(right, {name: other}),
                )


def _renamed(tree: Part, letters: dict[str, str]) -> Part:
    def change(part: Part) -> Part:
        return replace(part, name=letters.get(part.name, part.name)) if isinstance(part, Name) else part

    return rebuilt(tree, change)


def _indices_exchanged(left: Name, right: Part, names: Names) -> Iterator[Change]:
    """The two indices of a weight on the left are exchanged on the right."""
    letters = _two_indices(left)
    if letters is None:
        return
    a, b = letters
    turned = {a: b, b: a, a + b: b + a, b + a: a + b}

    def change(part: Part) -> Part:
        if not isinstance(part, Name) or not part.below or not part.above:
            return part
        return replace(part, below=tuple(_renamed(index, turned) for index in part.below))

    mistake = f"the gradient is transposed: the indices {a} and {b} are exchanged"
    yield Change(f"{a} and {b} exchanged on the right", mistake, rebuilt(right, change))


def _two_indices(left: Name) -> list[str] | None:
    """Return the letters of the two indices of an entry; None where there are no such two."""
    pair = left.below if left.above else ()
    indices = [part.name for part in pair if isinstance(part, Name) and not part.below and not part.above]
    letters = list(indices[0]) if len(indices) == 1 and len(indices[0]) == 2 else indices
    return letters if len(letters) == 2 and len(set(letters)) == 2 else None


def _without_biases(right: Part, names: Names) -> Iterator[Change]:
    """Weights and outputs have an entry for the bias where none belongs."""
    if names.notation.bias == "separate":
        return
    regular, whole = letter_of(names, "RegularWeights"), letter_of(names, "WeightMatrix")
    inputs = [name for name, meaning in names.meanings.items() if meaning.whole == "InputColumn"]
    sums = letter_of(names, "WeightedSums")
    found = [part for part in walk(right) if isinstance(part, Name) and part.name in (whole, *inputs)]
    if regular == whole or (len({part.name for part in found}) < 2 and len(found) < 2):
        return

    def change(part: Part) -> Part:
        if isinstance(part, Name) and part.name == whole:
            return replace(part, name=regular)
        if isinstance(part, Name) and part.name in inputs:
            return Apply(part.at, Name(part.at, names.function), False, replace(part, name=sums))
        return part

    yield Change(
        "without the entry of the bias in each factor",
        "an entry for the bias stands in it, where the sensitivity has none",
        rebuilt(right, change),
        tacit=True,
    )


def _entries_of_columns(left: Name, right: Part, names: Names) -> Iterator[Change]:
    """Whole columns stand where an entry with two indices is given: Delta_ij + a delta."""
    letters = _two_indices(left)
    if letters is None:
        return
    to, source = letters if names.notation.weights == "to from" else letters[::-1]

    def change(part: Part) -> Part:
        meaning = names.meanings.get(part.name) if isinstance(part, Name) else None
        if not isinstance(part, Name) or meaning is None or not part.above or part.below:
            return part
        index = {"DeltaColumn": to, "InputColumn": source, "OutputColumn": source}.get(meaning.whole)
        return part if index is None else replace(part, below=(Name(part.at, index),))

    whole = rebuilt(right, change)
    if whole != right:
        yield Change(
            f"with the indices {to} and {source} of the left side",
            f"whole columns stand where entries with the indices {to} and {source} belong",
            whole,
            tacit=True,
        )


def _missing_factors(left: Name, right: Part, names: Names) -> Iterator[Change]:
    """The sensitivity or the inputs are missing in the gradient of a matrix of weights."""
    meaning, at = names.meanings.get(left.name), right.at
    if meaning is None or (left.above and left.below):
        return
    if meaning.whole == "BiasColumn":
        delta = letter_of(names, "DeltaColumn")
        by = names.meanings[delta].whole_shift - meaning.whole_shift
        column = in_layer(at, delta, (left.above or left.below)[0], by)
        yield Change(f"{delta} behind", f"the factor {delta} is missing", Binary(at, "@", right, column))
    if meaning.whole not in _OF_WEIGHTS:
        return
    layer, shift = (left.above or left.below)[0], meaning.whole_shift
    delta = letter_of(names, "DeltaColumn")
    inputs = letter_of(names, "InputColumn", "OutputColumn")
    before = int(names.meanings[inputs].whole == "OutputColumn")
    columns = (
        (delta, in_layer(at, delta, layer, names.meanings[delta].whole_shift - shift)),
        (inputs, in_layer(at, inputs, layer, names.meanings[inputs].whole_shift - shift - before)),
    )
    for letter, column in columns:
        row = Transposed(at, column)
        mistake = f"the factor {letter} is missing"
        yield Change(f"{letter} in front", mistake, Binary(at, "@", column, right))
        yield Change(f"{letter}^T behind", mistake, Binary(at, "@", right, row))


def letter_of(names: Names, *wholes: str) -> str:
    """Return the letter of the first of some quantities that the notation has one for."""
    return next(
        name for whole in wholes for name, meaning in names.meanings.items() if meaning.whole == whole
    )


def in_layer(at: int, letter: str, layer: Part, shift: int) -> Name:
    """Return a letter in a layer whose number is larger by a shift; layers stand above in every notation."""
    number = layer if not shift else Binary(at, "+" if shift > 0 else "-", layer, Number(at, str(abs(shift))))
    return Name(at, letter, (), (number,))

"""Lines that add up over the samples, as documents write them: ``Delta := Delta + delta a^T``.

What is added is that of every sample, and what has no sample is summed over all of them where
the gradient is taken. So the line says that Delta is what is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from symbp.run.formula.names import BIASES, Names
from symbp.run.formula.scripts import previous
from symbp.run.formula.tree import Binary, Line, Name, Negative, Number, Part, with_parts


def without_accumulation(lines: Sequence[Line], names: Names) -> tuple[Line, ...]:
    """Return the definitions with each accumulator as what is added to it, its start left out.

    Parameters
    ----------
    lines : sequence of Line
        Lines that define quantities.
    names : Names
    """
    added = {id(line): _added(line, names) for line in lines}
    accumulators = {line.given.name for line in lines if added[id(line)] is not None}
    accumulators |= {name for name, meaning in names.meanings.items() if meaning.adds_up}
    found = []
    for line in lines:
        if line.given.name in accumulators and line.right == Number(0, "0"):
            continue
        right = added[id(line)]
        found.append(line if right is None else replace(line, right=right))
    return tuple(found)


def with_biases_apart(line: Line, names: Names) -> Line:
    """Return a line in which the accumulator of a bias, Delta_{jb}, has a name of its own.

    Where biases are apart from the weights, b stands for the number that they do not have.
    """
    if BIASES not in names.meanings:
        return line
    (letter,) = (name for name, meaning in names.meanings.items() if meaning.entry == "Delta")

    def renamed(part: Any) -> Any:
        if isinstance(part, Name) and part.name == letter:
            below = [_without_b(item) for item in part.below]
            if tuple(below) != part.below:
                return Name(part.at, BIASES, tuple(b for b in below if b is not None), part.above)
        return with_parts(part, renamed)

    left = None if line.left is None else renamed(line.left)
    return replace(line, left=left, right=renamed(line.right))


def _without_b(index: Part) -> Part | None:
    if not isinstance(index, Name) or index.name[-1] != "b" or index.below:
        return index
    return replace(index, name=index.name[:-1]) if len(index.name) == 2 else None


def _added(line: Line, names: Names) -> Part | None:
    """Return what is added to the quantity on the left; None where nothing is."""
    meaning = names.meanings.get(line.given.name)
    if meaning is not None and not meaning.adds_up:
        return None  # a quantity of neurons, which is not summed over the samples
    own = _without_sample(line.given, names)
    terms = list(_terms(line.right))
    rest = [term for term in terms if not (isinstance(term, Name) and _without_sample(term, names) == own)]
    if len(rest) != len(terms) - 1 or not rest:
        return None
    return reduce(lambda a, b: Binary(b.at, "+", a, b), rest)


def _terms(tree: Part) -> Iterator[Part]:
    match tree:
        case Binary(_, "+", left, right):
            yield from _terms(left)
            yield from _terms(right)
        case Binary(at, "-", left, right):
            yield from _terms(left)
            yield Negative(at, right)
        case _:
            yield tree


def _without_sample(name: Name, names: Names) -> Name:
    def kept(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(part for part in parts if not _is_sample(previous(part), names))

    return replace(name, below=kept(name.below), above=kept(name.above))


def _is_sample(part: Part, names: Names) -> bool:
    return isinstance(part, Name) and part.name in names.sample_letters

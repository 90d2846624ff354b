"""Long equations, broken before the signs of their right side."""

from __future__ import annotations

from collections.abc import Sequence

from symbp.notation.writer import Relation


def break_terms(relation: Relation, lengths: Sequence[int], width: int) -> list[list[str]]:
    """Distribute the terms of the right side over lines.

    Parameters
    ----------
    relation : Relation
    lengths : sequence of int
        How much room the left side with its sign and then each term takes, in characters.
    width : int
        The room there is on a line.

    Returns
    -------
    list of list of str
        The terms of each line; a term that is longer than the line has one to itself.
    """
    head, *rest = lengths
    lines: list[list[str]] = [[]]
    used = head
    for term, length in zip(relation.terms, rest, strict=True):
        if lines[-1] and used + length > width:
            lines.append([])
            used = head
        lines[-1].append(term)
        used += length + 1
    return lines


def room(relation: Relation) -> list[int]:
    """Return the lengths of the left side with its sign and of the terms, as they are printed."""
    return [len(f"{relation.left} {relation.sign} "), *map(len, relation.terms)]


def aligned(relation: Relation, lines: Sequence[Sequence[str]]) -> str:
    """Return the equation as LaTeX, over several lines if it takes more than one."""
    first, *rest = (" ".join(line) for line in lines)
    if not rest:
        return f"{relation.left} {relation.sign} {first}"
    following = " ".join(rf"\\ &\quad {line}" for line in rest)
    return rf"\begin{{aligned}} {relation.left} &{relation.sign} {first} {following} \end{{aligned}}"

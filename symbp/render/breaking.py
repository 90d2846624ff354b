"""Long equations, broken before the signs of their right side, and if need be between factors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from symbp.notation.layout import Relation

Split = Callable[[str, int, int, str], Iterator[tuple[str, int]]]
# Where a product may be broken: before a factor in brackets, a fraction or a function.
_BREAK = re.compile(r" (?=\(|\\left\(|\\frac|\\[a-z]+\(|[a-z]+\(|e\^)")
_DEEPER = re.compile(r"\\left\b|\\right\b|\\begin\b|\\end\b|[({\[\])}]")
_OPENING = {"\\left", "\\begin", "(", "{", "["}


def break_terms(
    relation: Relation, lengths: Sequence[int], width: int, times: str, split: Split | None = None
) -> list[list[str]]:
    """Distribute the terms of the right side over lines.

    Parameters
    ----------
    relation : Relation
    lengths : sequence of int
        How much room the left side with its sign and then each term takes, in characters.
    width : int
        The room there is on a line.
    times : str
        The sign that begins a line in the middle of a product.
    split : callable, optional
        In place of :func:`pieces`, for terms that are not LaTeX.

    Returns
    -------
    list of list of str
        The terms of each line; what cannot be broken and is longer has a line to itself.
    """
    head, *rest = lengths
    lines: list[list[str]] = [[]]
    used = head
    for term, length in zip(relation.terms, rest, strict=True):
        for n, (piece, share) in enumerate((split or pieces)(term, length, width - head, times)):
            if lines[-1] and (n > 0 or used + share > width):
                lines.append([])
                used = head
            lines[-1].append(piece)
            used += share + 1
    return lines


def pieces(term: str, length: int, width: int, times: str) -> Iterator[tuple[str, int]]:
    """Split a term that is wider than the line into parts of its product that are not.

    Yields
    ------
    (str, int)
        A part, from the second on with the sign `times`, and the room it takes.
    """
    if length <= width:
        yield term, length
        return
    per_character = length / len(term)
    start, end, sign = 0, 0, ""
    for stop in (*_breaks(term), len(term)):
        if end > start and (stop - start) * per_character > width:
            yield sign + term[start:end].strip(), round((end - start) * per_character)
            start, sign = end, f"{times} "
        end = stop
    yield sign + term[start:].strip(), round((len(term) - start) * per_character)


def _breaks(term: str) -> Iterator[int]:
    """Return the places between factors that are not inside brackets or braces."""
    for found in _BREAK.finditer(term):
        before = _DEEPER.findall(term[: found.start()])
        opened = sum(sign in _OPENING for sign in before)
        # A sign such as "+" or a sum belongs to the factor that follows it.
        after_sign = re.search(r"([-+]|sum_\S+)$", term[: found.start()])
        if 2 * opened == len(before) and not after_sign:
            yield found.start()


def room(relation: Relation) -> list[int]:
    """Return the lengths of the left side with its sign and of the terms, as they are printed."""
    return [len(f"{relation.left} {relation.sign} "), *map(len, relation.terms)]


def aligned(pieces: Sequence[tuple[Relation, Sequence[Sequence[str]]]]) -> str:
    """Return equations as LaTeX, one below the other, each over several lines if it takes more."""
    if len(pieces) == 1 and len(pieces[0][1]) == 1:
        relation, (only,) = pieces[0]
        return f"{relation.left} {relation.sign} {' '.join(only)}"
    rows = []
    for relation, lines in pieces:
        first, *rest = (" ".join(line) for line in lines)
        following = "".join(rf" \\ &\quad {line}" for line in rest)
        # After a line break a square bracket would be a length.
        left = f"{{}}{relation.left}" if relation.left.startswith("[") else relation.left
        rows.append(f"{left} &{relation.sign} {first}{following}")
    joined = r" \\ ".join(rows)
    return rf"\begin{{aligned}} {joined} \end{{aligned}}"

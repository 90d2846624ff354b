"""Letters that are large on the page and small in the table, or the other way round.

001 prints g'(Z) for g'(z), and the letter of an entry, theta, for the whole matrix.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symbp.run.formula.names import Names
from symbp.run.formula.tree import Line, Name, Part, with_parts


def in_letters_of(line: Line, names: Names, own: Collection[str]) -> Line:
    """Return a line in which a letter that the notation has only in the other case is that one.

    The letter of a weight without indices is that of the matrix.

    Parameters
    ----------
    line : Line
    names : Names
    own : collection of str
        What other lines define; it keeps its name.
    """
    known = {*names.all, *names.costs, *own}
    entry = next(name for name, meaning in names.meanings.items() if meaning.entry == "w")
    matrix = next(name for name, meaning in names.meanings.items() if meaning.whole == "WeightMatrix")

    def renamed(part: Part) -> Part:
        if isinstance(part, Name):
            other = part.name.swapcase() if len(part.name) == 1 else part.name
            if part.name not in known and other in names.meanings:
                return replace(part, name=other)
            is_matrix = part.name == entry and part.above and not part.below
            return replace(part, name=matrix) if is_matrix and part.name not in own else part
        return with_parts(part, renamed)

    return replace(line, right=renamed(line.right))

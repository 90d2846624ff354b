"""The limits of a sum, where the page prints only the last one or none."""

from __future__ import annotations

from collections.abc import Mapping

from symbp.derivation.documents.language.reader import read_expression
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import Call, Expression, Number, Ref, replaced, walk
from symbp.derivation.documents.records import Family, Fault


def limits(tree: Call, families: Mapping[str, Family]) -> tuple[Expression, Expression]:
    """Return the first and the last value of the index of a sum.

    ``sum(u, j, 1, N)`` prints both, ``sum(u, j, N)`` only the last: the first is 1;
    ``sum(u, j)`` prints none: the index runs through all of the first axis that it numbers in `u`.

    Raises
    ------
    Fault
        If no limit is printed and nothing in the sum has the index.
    """
    if len(tree.arguments) == 4:
        return tree.arguments[2], tree.arguments[3]
    if len(tree.arguments) == 3:
        return Number("1"), tree.arguments[2]
    body, index = tree.arguments
    for part in walk(body):
        if not isinstance(part, Ref) or part.name not in families:
            continue
        family = families[part.name]
        entries = part.entries if family.layers else part.layers
        if index in entries:
            low, _, high = family.axes[entries.index(index)].partition("..")
            keys = dict(zip(family.keys, part.layers, strict=False))
            return replaced(read_expression(low), keys), replaced(read_expression(high), keys)
    raise Fault("names", f"{written(tree)}: nothing says where {written(index)} ends")

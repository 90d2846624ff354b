"""The table of notation of a page: the symbols that occur, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sympy
from sympy import Identity, Symbol

from symbp.algebra.matrices import ChainMatrix
from symbp.algebra.nodes import KINDS, L, Node, index, k, l
from symbp.algebra.updates import CLIPPED, PerWeight
from symbp.notation import training
from symbp.notation.records import MEANINGS, PLAIN
from symbp.notation.writer import Writer

# What is shown under the symbol of something else: an entry under its matrix, g' under g.
_UNDER = {
    "S": "StepMatrix",
    "StepProduct": "StepMatrix",
    "T": "ChainMatrix",
    "ActivateDerivative": "Activate",
    "UnitColumn": "KroneckerDelta",
    "w_new": "w",
}


def legend(statements: Sequence[Any], writer: Writer) -> list[tuple[str, str]]:
    """Return (symbol, meaning) for every symbol in the statements, in the notation's order."""
    found = {key for statement in statements for key in _keys(statement)}
    rows = [
        (_shown(key, writer), MEANINGS[key] if key in MEANINGS else KINDS[key].meaning)
        for key in writer.notation.symbols
        if key in found and key not in _UNDER
    ]
    known = set(writer.notation.symbols)
    rows += [
        (_of_training(key, writer), training.MEANINGS[key]) for key in training.GLYPHS if key in found - known
    ]
    return [*rows, *_own_names(statements, writer)]


def _of_training(key: str, writer: Writer) -> str:
    return writer.expression(Node(key, k) if key in KINDS else Symbol(key))


def _own_names(statements: Iterable[Any], writer: Writer) -> Iterable[tuple[str, str]]:
    """Yield the quantities that an update rule keeps or computes for each weight."""
    found = {part for statement in statements for part in statement.atoms(PerWeight)}
    named = {part.quantity: part for part in sorted(found, key=str)}
    kept = {part.quantity for part in found if part.role != "own"}
    for name, part in named.items():
        shown = writer.expression(PerWeight(name, k, (index("i"), index("j"))))
        what = "kept by the update rule" if name in kept else "of this update"
        yield shown, "clipped gradient" if part.quantity == CLIPPED else f"{name}, {what}, for every weight"


def _keys(statement: Any) -> Iterable[str]:
    for part in sympy.preorder_traversal(statement):
        if isinstance(part, Node):
            key = "x" if part.kind == "o" and part.layer == 0 else part.kind
        elif isinstance(part, Symbol):
            key = part.name if part.name in PLAIN or part.name in training.GLYPHS else ""
        else:
            key = type(part).__name__
        yield _UNDER.get(key, key)


# How the symbols that are not plain nodes are shown alone.
_EXAMPLES: dict[str, Callable[[Writer], str]] = {
    "x": lambda w: w.symbol("x", None, (index("i"),)),
    "Activate": lambda w: w.symbol("Activate", k),
    "KroneckerDelta": lambda w: w.symbol("KroneckerDelta", None, (index("r"), index("i"))),
    "ChainMatrix": lambda w: w.expression(ChainMatrix(l, k)),
    "OutputRow": lambda w: w.symbol("OutputRow", L + 1),
    "Identity": lambda w: w.expression(Identity(Symbol("N", integer=True, positive=True))),
}


def _shown(key: str, writer: Writer) -> str:
    if key in _EXAMPLES:
        return _EXAMPLES[key](writer)
    glyph = writer.notation.symbols[key]
    if key in KINDS:
        count = len(KINDS[key].extents(L + 1))
        return writer.expression(Node(key, k, tuple(map(index, glyph.example))[:count]))
    return writer.symbol(key, k if glyph.layer != "none" else None)

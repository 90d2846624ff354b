"""The table of notation of a page: the symbols that occur, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy
from sympy import Identity, Symbol

from symbp.algebra.marks import Raised
from symbp.algebra.matrices import ChainMatrix, LayerMatrix
from symbp.algebra.named import LETTERS, Named
from symbp.algebra.nodes import KINDS, Constant, L, Node, Width, index, k, l, m
from symbp.algebra.updates import CLIPPED, PerWeight
from symbp.notation import training
from symbp.notation.meanings import FINITE_MEANS, MEANINGS, SMATRIX, WITHOUT_BIAS
from symbp.notation.records import PLAIN, Letters
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer

# What is shown under the symbol of something else: an entry under its matrix, g' under g.
_UNDER = {
    "S": "StepMatrix",
    "StepProduct": "StepMatrix",
    "T": "ChainMatrix",
    "ActivateDerivative": "Activate",
    "Slopes": "Activate",
    "Activated": "Activate",
    "UnitColumn": "KroneckerDelta",
    "w_new": "w",
    "Updated": "WeightMatrix",
}
# What stands inside the symbol of something else.
_BOTH = {"Slopes": "WeightedSums", "Activated": "WeightedSums"}


def legend(statements: Iterable[Any], writer: Writer) -> list[tuple[str, str]]:
    """Return (symbol, meaning) for every symbol in the statements, in the notation's order.

    The statements are those of the derivation; they are rewritten as the notation has them.
    """
    written = [said.equation for statement in statements for said in writer.structure.said(statement)]
    found = {key for statement in written for key in _keys(statement, writer)}
    rows: dict[str, str] = {}
    for key in (*writer.notation.symbols, "Hadamard"):
        if key in found and key not in _UNDER:
            # Where two quantities have one symbol, the first says what it is.
            rows.setdefault(_shown(key, writer), meaning(key, writer))
    known = set(writer.notation.symbols)
    for key in training.GLYPHS:
        if key in found - known:
            rows.setdefault(_of_training(key, writer), meaning(key, writer))
    named = dict(_functions(written, writer))
    return [*rows.items(), *named.items(), *_own_names(written, writer), *_parameters(written, writer)]


def _of_training(key: str, writer: Writer) -> str:
    layer = _layer_of(writer)
    if key not in KINDS:
        return writer.expression(Symbol(key))
    return writer.expression(Node(key, layer))


def _functions(statements: Iterable[Any], writer: Writer) -> Iterable[tuple[str, str]]:
    """Yield the functions of stable forms, which have no name that every reader knows."""
    words = TextWriter(writer.notation)
    kinds = {type(part) for statement in statements for part in statement.atoms(Named, Raised)}
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        function = kind(*LETTERS[: next(iter(kind.nargs))])
        what = words.expression(function.defining()) if isinstance(function, Named) else FINITE_MEANS
        yield writer.expression(function), what


def _own_names(statements: Iterable[Any], writer: Writer) -> Iterable[tuple[str, str]]:
    """Yield the quantities that an update rule keeps or computes for each weight."""
    found = {part for statement in statements for part in statement.atoms(PerWeight)}
    named = {part.quantity: part for part in sorted(found, key=str)}
    kept = {part.quantity for part in found if part.role != "own"}
    for name in named:
        shown = writer.expression(PerWeight(name, _layer_of(writer), _neurons(writer)[:2]))
        what = "kept by the update rule" if name in kept else "of this update"
        yield shown, "clipped gradient" if name == CLIPPED else f"{name}, {what}, for every weight"


def _parameters(statements: Iterable[Any], writer: Writer) -> Iterable[tuple[str, str]]:
    """Yield the parameters of functions, penalty and update rule, which know their numbers."""
    for constant in sorted({part for s in statements for part in s.atoms(Constant)}, key=str):
        number = f"{float(constant.value):g}"
        yield writer.expression(constant), f"parameter {constant.parameter}, {number} here"


def meaning(key: str, writer: Writer) -> str:
    """Return what a quantity is, in the words and letters of the notation."""
    notation = writer.notation
    letters = notation.letters
    own = notation.meanings.get(key)
    if letters is None:
        return own or SMATRIX.get(key) or training.MEANINGS.get(key) or KINDS[key].meaning
    if not any(writer.structure.biases):
        own = notation.meanings.get(f"{key} without bias") or WITHOUT_BIAS.get(key) or own
    pattern = own or MEANINGS.get(key) or training.MEANINGS.get(key)
    if pattern is None:
        return KINDS[key].meaning if key in KINDS else key
    first = notation.first_layer
    layer = index(letters.layer)
    shift = notation.glyph(key).shift if key in notation.symbols else 0
    to = layer - shift + first
    say = TextWriter(notation).expression
    return pattern.format(
        i=letters.neurons[0],
        j=letters.neurons[1],
        layer=say(layer),
        next=say(layer + 1),
        to=say(to),
        source=say(to - 1),
        lower=letters.layer,
        upper=letters.layers[0] if letters.layers[0] != letters.layer else letters.layers[1],
        first=first,
        p=letters.samples[0],
        m=say(m),
        count=_COUNTS[notation.counted],
        neuron_or_input="neuron or input",
    )


_COUNTS = {
    "hidden": "number of hidden layers",
    "weights": "number of layers, the inputs not counted",
    "all": "number of layers, the inputs counted as the first",
}


def _keys(statement: Any, writer: Writer) -> Iterable[str]:
    own = writer.notation.letters is not None
    for part in sympy.preorder_traversal(statement):
        name = type(part).__name__
        if isinstance(part, Node):
            key = part.kind
            if writer.is_input(part):
                key = "x"
            elif part.kind == "w" and own and writer.structure.is_bias(part.layer, part.indices[-1]):
                key = "bias"
        elif isinstance(part, Symbol):
            key = part.name if part.name in PLAIN or part.name in training.GLYPHS else ""
        elif isinstance(part, LayerMatrix) and name == "OutputColumn" and part.args[0] == 0:
            key = "InputVector"
        else:
            key = name
        yield _under(key, writer)
        if name in _BOTH:
            yield _BOTH[name]


def _under(key: str, writer: Writer) -> str:
    """Return the symbol under which a quantity is explained."""
    notation = writer.notation
    if key == "a" and notation.output == "applied":
        return "o"
    if key in ("OutputRow", "PreActivationColumn") and notation.by_column == "column":
        return "WeightedSums"
    return _UNDER.get(key, key)


# How the symbols that are not plain nodes are shown alone, in the letters of 000.
_EXAMPLES: dict[str, Callable[[Writer], str]] = {
    "x": lambda w: w.symbol("x", None, (_neurons(w)[0],)),
    "bias": lambda w: w.expression(_bias(_layer_of(w), _neurons(w)[0])),
    "Activate": lambda w: w.symbol("Activate", _layer_of(w, "Activate")),
    "KroneckerDelta": lambda w: w.symbol("KroneckerDelta", None, (index("r"), _neurons(w)[0])),
    "ChainMatrix": lambda w: w.expression(ChainMatrix(*_ends(w))),
    "OutputRow": lambda w: w.symbol("OutputRow", L + 1 - w.beyond),
    "Identity": lambda w: w.expression(Identity(Width(_layer_of(w, "Width")))),
    "Hadamard": lambda w: w.entrywise(w.notation.entrywise),
}


def _neurons(writer: Writer) -> tuple[Any, ...]:
    letters = writer.notation.letters or Letters()
    return tuple(map(index, letters.neurons))


def _layer_of(writer: Writer, key: str = "w") -> Any:
    """Return our layer that the notation writes as its letter for a layer alone."""
    letters = writer.notation.letters
    return k if letters is None else index(letters.layer) - writer.notation.glyph(key).shift


def _bias(layer: Any, neuron: Any) -> Node:
    return Node("w", layer, (neuron, Width(layer - 1) + 1))


def _ends(writer: Writer) -> tuple[Any, Any]:
    letters = writer.notation.letters
    if letters is None:
        return l, k
    upper = next(name for name in letters.layers if name != letters.layer)
    shift = writer.notation.glyph("ChainMatrix").shift
    return index(upper) - shift, index(letters.layer) - shift


def _shown(key: str, writer: Writer) -> str:
    if key in _EXAMPLES:
        return _EXAMPLES[key](writer)
    notation = writer.notation
    glyph = notation.symbols[key]
    if key in KINDS:
        count = len(KINDS[key].extents(L + 1))
        if notation.letters is None:
            places: tuple[Any, ...] = tuple(map(index, glyph.example))
        else:
            places = _neurons(writer) if count > 1 or key != "a" else _neurons(writer)[1:]
        layer = (
            L + 1 - writer.beyond if key in ("h", "sigma") and notation.letters else _layer_of(writer, key)
        )
        sample = index((notation.letters or Letters()).samples[0]) if key == "Delta" else None
        return writer.expression(Node(key, layer, places[:count], sample))
    return writer.symbol(key, _layer_of(writer, key) if glyph.layer != "none" else None)

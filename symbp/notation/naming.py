"""The letters of indices and layers: which of an author's letters stands for which of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy
from sympy import Eq, Symbol

from symbp.algebra.matrices import DeltaColumn, InputColumn, LayerMatrix, NeuronColumn
from symbp.algebra.nodes import Activate, ActivateDerivative, HasBias, Inputs, L, Node, Width, index, k, l
from symbp.algebra.updates import PerWeight
from symbp.notation.records import PLAIN, Letters, Notation, weights_in


def renamed(notation: Notation, equation: Eq, conditions: Sequence[Any]) -> dict[Any, Any]:
    """Return what stands for our layers and indices in an equation, as a substitution.

    Layers are counted so that the quantity on the left side has a plain number: delta^(l)
    rather than delta^(l+1), whatever the author's numbers of layers are.
    """
    if notation.letters is None:
        return {}
    return _layers(notation, equation, conditions) | _indices(notation.letters, equation)


# Layers -------------------------------------------------------------------------------------


def _layers(notation: Notation, equation: Eq, conditions: Sequence[Any]) -> dict[Any, Any]:
    letters = notation.letters or Letters()
    found = [v for v in (k, l) if v in equation.free_symbols or any(v in c.free_symbols for c in conditions)]
    names = (letters.layer,) if len(found) == 1 else letters.layers
    layers = {
        ours: index(name) - _printed(notation, equation.lhs, ours)
        for ours, name in zip(found, names, strict=False)
    }
    return layers | {L: L - notation.beyond_hidden}


def _printed(notation: Notation, side: Any, layer: Any) -> Any:
    """Return by how much the first number of that layer on the page differs from ours."""
    for part in sympy.preorder_traversal(side):
        for key, number in _numbers(part):
            gap = sympy.expand(number - layer)
            if gap.is_Integer:
                return gap + notation.glyph(key).shift
    return sympy.S.Zero


def _numbers(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the key and the layer of a quantity that has one."""
    if isinstance(part, Node):
        yield part.kind, part.layer
    elif isinstance(part, PerWeight):
        yield "w", part.layer
    elif isinstance(part, (Activate, ActivateDerivative)):
        yield "Activate", part.args[0]
    elif isinstance(part, (Width, HasBias, Inputs)):
        yield type(part).__name__, part.args[0]
    elif isinstance(part, LayerMatrix):
        for argument in part.args:
            if not isinstance(argument, (Node, LayerMatrix)) and not argument.has(Node):
                yield _key(part), argument


def _key(matrix: Any) -> str:
    return {"StepProduct": "StepMatrix", "Slopes": "WeightedSums", "Activated": "WeightedSums"}.get(
        type(matrix).__name__, type(matrix).__name__
    )


# Indices ------------------------------------------------------------------------------------


def _indices(letters: Letters, equation: Eq) -> dict[Any, Any]:
    order = list(
        dict.fromkeys((*_ends(equation.lhs), *_seen(equation.lhs), *sorted(_seen(equation.rhs), key=str)))
    )
    samples = {x for x in order if _is_sample(equation, x)}
    names = dict(zip([x for x in order if x in samples], letters.samples, strict=False))
    for symbol in (x for x in order if x not in samples):
        names[symbol] = _letter(symbol, equation, letters, set(names.values()))
    return {ours: index(name) for ours, name in names.items()}


def _letter(symbol: Symbol, equation: Eq, letters: Letters, taken: set[str]) -> str:
    wanted = list(letters.neurons)
    if letters.by_role:
        wanted = [letters.neurons[place] for place in (0, 1) if _is_end(equation, symbol, place)] or wanted
    elif symbol in _ends(equation.lhs):
        wanted = [letters.neurons[place] for place in (0, 1) if _is_end(equation.lhs, symbol, place)]
    # A further index keeps its letter where the author has no other use for it.
    spare = sorted(letters.spare, key=lambda letter: letter != symbol.name)
    return next(letter for letter in (*wanted, *spare) if letter not in taken)


def _ends(side: Any) -> list[Any]:
    """Return the indices of the weights of a side, in order."""
    return [x for weight in weights_in(side) for x in weight.indices if _is_index(x)]


def _is_end(expr: Any, symbol: Any, place: int) -> bool:
    return any(weight.indices[place] == symbol for weight in weights_in(expr))


def _seen(side: Any) -> list[Any]:
    """Return the indices of a side in the order of reading."""
    found: list[Any] = []
    for part in sympy.preorder_traversal(side):
        found += [part] if _is_index(part) else []
    return list(dict.fromkeys(found))


def _is_index(part: Any) -> bool:
    return (
        isinstance(part, Symbol) and bool(part.is_positive) and part not in (k, l) and part.name not in PLAIN
    )


def _is_sample(equation: Eq, symbol: Any) -> bool:
    nodes = any(symbol == n.sample for n in equation.atoms(Node))
    return nodes or any(symbol in m.args[1:] for m in equation.atoms(DeltaColumn, InputColumn, NeuronColumn))

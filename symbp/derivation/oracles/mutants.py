"""Systematic faults in an equation: sign, factor, index, layer, range, transposition."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import sympy
from sympy import Eq, MatMul, Mul, Sum, Transpose

from symbp.algebra.matrices import (
    ChainMatrix,
    DeltaColumn,
    Hadamard,
    InputColumn,
    LayerMatrix,
    MatrixSum,
    NeuronColumn,
    PreActivationColumn,
    RegularWeights,
    StepMatrix,
    StepProduct,
    UnitColumn,
    WeightMatrix,
    is_matrix,
)
from symbp.algebra.named import Weighted
from symbp.algebra.nodes import Activate, ActivateDerivative, Constant, Node, Partial, Width, eta
from symbp.algebra.updates import PerWeight, step
from symbp.derivation.records import equation
from symbp.errors import DerivationError

# Which arguments of a matrix are layers.
_LAYERS: dict[type, tuple[int, ...]] = {
    **dict.fromkeys((InputColumn, WeightMatrix, RegularWeights, DeltaColumn, StepMatrix), (0,)),
    **dict.fromkeys((PreActivationColumn, UnitColumn), (0,)),
    **dict.fromkeys((StepProduct, ChainMatrix), (0, 1)),
}
_OTHER = {"old": "new", "new": "old", "own": "old"}


def mutants(statement: Eq) -> Iterator[tuple[str, Eq]]:
    """Yield (what was done, the faulty statement) for the right side of an equation."""
    left, right = statement.args
    seen = {right}
    for what, faulty in (*_faults(right), *_of_indices(statement)):
        if faulty not in seen:
            seen.add(faulty)
            yield what, equation(left, faulty)
    if right.is_number:  # there is little to break in 0 or 1: what is claimed of another quantity is wrong
        yield from ((what, equation(faulty, right)) for what, faulty in _of_left(left))


def _of_indices(statement: Eq) -> Iterator[tuple[str, Any]]:
    """Yield the right side with another index of the equation in one place."""
    right = statement.rhs
    used = {i for node in statement.atoms(Node) for i in node.indices if i.is_Symbol}
    letters = sorted(used, key=str)
    for name, node in _by_name(right.atoms(Node)):
        for place, own in enumerate(node.indices):
            for other in letters if own.is_Symbol else ():
                if other != own:
                    indices = (*node.indices[:place], other, *node.indices[place + 1 :])
                    wrong = node.but(indices=indices)
                    yield f"index {other} for {own} in {name}", right.xreplace({node: wrong})


def _of_left(left: Any) -> Iterator[tuple[str, Any]]:
    for name, node in _by_name(left.atoms(Node)):
        faulty = [("one layer later", node.but(layer=node.layer + 1))]
        if node.sample is not None:
            faulty = [("one sample later", node.but(sample=node.sample + 1))]
        for place, index in enumerate(node.indices):
            if not index.is_Symbol:
                indices = (*node.indices[:place], index - 1, *node.indices[place + 1 :])
                faulty.append(("the index before", node.but(indices=indices)))
        for what, wrong in faulty:
            yield f"{what} in {name} on the left", left.xreplace({node: wrong})


def _faults(right: Any) -> Iterator[tuple[str, Any]]:
    yield "sign", -right
    yield "factor 2", 2 * right
    yield "plus 1", right + 1 if not is_matrix(right) else 3 * right
    if right.has(eta):
        yield "twice the step", right.xreplace({eta: 2 * eta})
    if right.has(step):
        yield "one update later", right.xreplace({step: step + 1})
    for name, part in _by_name(_parts(right)):
        for what, faulty in _faults_of_part(part):
            # A matrix without a shape cannot even be written down.
            with contextlib.suppress(DerivationError, TypeError):
                yield f"{what} in {name}", right.xreplace({part: faulty})


def _by_name(parts: set[Any]) -> list[tuple[str, Any]]:
    """Return parts in the order of their names, which are long to print."""
    return sorted(((str(part), part) for part in parts), key=itemgetter(0))


def _parts(expr: Any) -> set[Any]:
    kinds = (
        Node,
        Constant,
        sympy.Piecewise,
        Partial,
        PerWeight,
        Sum,
        Mul,
        LayerMatrix,
        Transpose,
        Activate,
        ActivateDerivative,
        Width,
        sympy.Add,
        sympy.Pow,
        sympy.MatAdd,
        Weighted,
    )
    return {e for e in sympy.preorder_traversal(expr) if isinstance(e, (*kinds, MatMul))}


def _faults_of_part(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, PerWeight):
        yield "another quantity", PerWeight("other", part.layer, part.indices, part.role)
        yield (
            "the number of another update",
            PerWeight(part.quantity, part.layer, part.indices, _OTHER[part.role]),
        )
    elif isinstance(part, Node):
        if part.kind not in ("J", "Js", "Jb", "h", "sigma", "y", "v", "mu", "e", "rest", "lse"):
            yield "layer + 1", part.but(layer=part.layer + 1)
            yield "layer - 1", part.but(layer=part.layer - 1)
        if part.kind == "Delta" and part.sample is not None:
            yield "one sample later", part.but(sample=part.sample + 1)
        if len(part.indices) == 2:
            yield "indices swapped", part.but(indices=part.indices[::-1])
    elif isinstance(part, Constant):
        yield "another number", Constant(part.parameter, part.layer, part.value + 1)
    elif isinstance(part, sympy.Piecewise):
        for position, (_, test) in enumerate(part.args):
            others = [(v, t) for n, (v, t) in enumerate(part.args) if n != position]
            yield (
                f"branch {position} doubled",
                part.func(*((2 * v if n == position else v, t) for n, (v, t) in enumerate(part.args))),
            )
            if test == True:  # noqa: E712 - a SymPy boolean
                continue
            yield f"without branch {position}", part.func(*others)
            yield (
                f"condition {position} turned round",
                part.func(*((v, ~t if t == test else t) for v, t in part.args)),
            )
    elif isinstance(part, Weighted):
        for factor, other in (part.args, part.args[::-1]):
            yield f"without {other}", factor
    elif isinstance(part, (Mul, MatMul)):
        for factor in part.args:
            if not factor.is_number:
                rest = [f for f in part.args if f != factor]
                yield f"without {factor}", part.func(*rest) if rest else sympy.S.One
    elif isinstance(part, sympy.MatAdd):
        for term in part.args:
            rest = [other for other in part.args if other != term]
            yield f"without {term}", part.func(*rest) if len(rest) > 1 else rest[0]
    elif isinstance(part, sympy.Add):
        for term in part.args:
            yield f"without {term}", part - term
            yield f"sign of {term}", part - 2 * term
    elif isinstance(part, (Sum, MatrixSum)):
        (symbol, low, high), *rest = part.limits
        yield "one term short", part.func(part.function, (symbol, low, high - 1), *rest)
        yield "first term left out", part.func(part.function, (symbol, low + 1, high), *rest)
        yield "one term more", part.func(part.function, (symbol, low, high + 1), *rest)
        yield "one term before", part.func(part.function, (symbol, low - 1, high), *rest)
    elif isinstance(part, Transpose):
        yield "not transposed", part.arg
    elif isinstance(part, Hadamard):
        yield from ((f"without {other}", factor) for factor, other in (part.args, part.args[::-1]))
    elif is_matrix(part):
        yield "transposed", Transpose(part)
        for place in _LAYERS.get(type(part), (0,) if isinstance(part, NeuronColumn) else ()):
            for sign, by in (("+", 1), ("-", -1)):
                args = [arg + by if n == place else arg for n, arg in enumerate(part.args)]
                yield f"matrix of layer {sign} 1", part.func(*args)
    elif isinstance(part, ActivateDerivative):
        yield "without g'", sympy.S.One
        yield "g' of another layer", ActivateDerivative(part.args[0] + 1, part.args[1])
        yield "g' at an output", ActivateDerivative(part.args[0], part.args[1].but("o"))
    elif isinstance(part, Activate):
        yield "g of another layer", Activate(part.args[0] + 1, part.args[1])
    elif isinstance(part, Width):
        yield "width of the next layer", Width(part.args[0] + 1)
        yield "width of the layer before", Width(part.args[0] - 1)
    elif isinstance(part, sympy.Pow) and part.exp.is_Integer:
        yield "another power", part.base ** (part.exp + 1)

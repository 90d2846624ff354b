"""Printed statements broken in every way: sign, factor, number, index, transpose, layer, range, function."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy

from symbp.derivation.documents.language.reader import read
from symbp.derivation.documents.language.text import written_ranges, written_statement
from symbp.derivation.documents.language.tree import (
    BINDERS,
    Binary,
    Call,
    Cases,
    Expression,
    Negative,
    Number,
    Ref,
    Statement,
    Transpose,
    children,
    rebuilt,
)
from symbp.derivation.documents.records import Setting
from symbp.derivation.documents.shapes import Shapes

ONE = Number("1")


def mutants(text: str, where: str, setting: Setting) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, text, where) of the statement with one thing broken on its right sides, or its ranges."""
    statement = read(text, where)
    context = Context(Shapes(setting), {function.name for function in setting.functions})
    seen = {written_statement(statement)}
    for number in range(1, len(statement.sides)):
        side = statement.sides[number]
        indices = tuple(bound.index for bound in statement.ranges)
        for kind, broken in (*_of_side(side, statement), *_everywhere(side, indices, context)):
            sides = (*statement.sides[:number], broken, *statement.sides[number + 1 :])
            mutant = written_statement(replace(statement, sides=sides))
            if mutant not in seen:
                seen.add(mutant)
                yield kind, mutant, written_ranges(statement.ranges)


@dataclass(frozen=True)
class Context:
    """What the mutations must know of the setting."""

    shapes: Shapes
    functions: set[str]

    def is_number(self, tree: Ref, indices: tuple[str, ...]) -> bool:
        """Whether a transpose would change nothing."""
        names = {index: sympy.Symbol(index, integer=True) for index in indices}
        return self.shapes.is_scalar(self.shapes.shape(tree, names))


def _of_side(side: Expression, statement: Statement) -> Iterator[tuple[str, Expression]]:
    """Yield the other sign of a side and twice it; 2 u is at least 1 if u is, and a list claims nothing."""
    if statement.relation == "," or (isinstance(side, Number) and side.value == 0):
        return
    yield "sign", Negative(side)
    if statement.relation != "<=":
        yield "factor", Binary("*", Number("2"), side)


def _everywhere(
    tree: Expression, indices: tuple[str, ...], context: Context
) -> Iterator[tuple[str, Expression]]:
    """Yield the tree with one change at one place."""
    yield from _here(tree, indices, context)
    if isinstance(tree, Ref):
        return
    layers, bound = 0, set[int]()
    if isinstance(tree, Call):  # its layers are broken above, and an index stays what it is
        layers = len(tree.layers)
        bound = {layers + place for place in BINDERS.get(tree.name, ())}
    parts = list(children(tree))
    inner = (*indices, *(getattr(parts[place], "name", "") for place in bound))
    for place, part in enumerate(parts):
        if place >= layers and place not in bound:
            for kind, broken in _everywhere(part, inner, context):
                yield kind, _put(tree, place, broken)


def _put(tree: Expression, place: int, part: Expression) -> Expression:
    numbers = itertools.count()
    return rebuilt(tree, lambda old: part if next(numbers) == place else old)


def _here(tree: Expression, indices: tuple[str, ...], context: Context) -> Iterator[tuple[str, Expression]]:
    match tree:
        case Number():
            last = Fraction(1, 10**tree.decimals)
            yield "number", Number(f"{float(tree.value + last):.{tree.decimals}f}")
        case Binary("+", left, right):
            yield "sign", Binary("-", left, right)
        case Binary("-", left, right):
            yield "sign", Binary("+", left, right)
        case Binary("*" | "@" | "/", left, right):
            yield "factor", left
            yield "factor", right
            yield "sign", Negative(tree)
        case Negative(operand):
            yield "sign", operand
        case Transpose(operand):
            yield "transpose", operand
        case Ref():
            yield from _of_ref(tree, indices, context)
        case Call():
            yield from _of_call(tree, context.functions)
        case Cases(relation, left, right, yes, no):
            yield "branches", Cases(relation, left, right, no, yes)
            yield "condition", Cases(relation, left, Binary("+", right, ONE), yes, no)


def _of_ref(tree: Ref, indices: tuple[str, ...], context: Context) -> Iterator[tuple[str, Expression]]:
    yield from _of_layers(tree)
    for place, entry in enumerate(tree.entries):
        for other in indices:
            if isinstance(entry, Ref) and entry.name in indices and entry.name != other:
                changed = (*tree.entries[:place], Ref(other), *tree.entries[place + 1 :])
                yield "index", replace(tree, entries=changed)
    if not tree.entries and tree.name not in indices and not context.is_number(tree, indices):
        yield "transpose", Transpose(tree)


def _of_layers(tree: Ref | Call) -> Iterator[tuple[str, Expression]]:
    for place, layer in enumerate(tree.layers):
        for operator in "+-":
            shifted = Binary(operator, layer, ONE)
            yield "layer", replace(tree, layers=(*tree.layers[:place], shifted, *tree.layers[place + 1 :]))


def _of_call(tree: Call, functions: set[str]) -> Iterator[tuple[str, Expression]]:
    arguments = tree.arguments
    if tree.name in BINDERS and tree.name != "matrix" and len(arguments) == 4:
        body, index, low, high = arguments
        yield "range", replace(tree, arguments=(body, index, Binary("+", low, ONE), high))
        yield "range", replace(tree, arguments=(body, index, low, Binary("-", high, ONE)))
    if tree.name == "matrix":
        yield "range", replace(tree, arguments=(*arguments[:3], *arguments[3:5], arguments[6], arguments[5]))
        yield "range", replace(tree, arguments=(*arguments[:6], Binary("-", arguments[6], ONE)))
    if tree.name == "rows":
        array, low, high = arguments
        yield "range", array
        yield "range", replace(tree, arguments=(array, Binary("-", low, ONE), Binary("-", high, ONE)))
    if tree.name in functions:
        yield "function", replace(tree, name=f"d{tree.name}")
        yield "function", arguments[0]
    if tree.name[1:] in functions:
        yield "function", replace(tree, name=tree.name[1:])
    if tree.name in ("diag", "positive", "exp", "log"):
        yield "function", arguments[0]
    if tree.name in ("positive", "exp", "log") or tree.name in functions:
        yield "argument", replace(tree, arguments=(Negative(arguments[0]), *arguments[1:]))
    yield from _of_layers(tree)

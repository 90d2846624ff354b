"""The shape check: every sum, product and equation of a statement typed at symbolic sizes.

Where sizes are symbols, N_k and N_{k+1} differ, so that no two shapes agree by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import sympy

from symbp.derivation.documents.language.limits import limits
from symbp.derivation.documents.language.reader import read, read_expression
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import (
    Binary,
    Call,
    Cases,
    Expression,
    Literal,
    Negative,
    Number,
    Ref,
    Statement,
    Transpose,
)
from symbp.derivation.documents.records import Family, Fault, Setting
from symbp.derivation.documents.words import ELEMENTARY
from symbp.derivation.documents.world import RING, read_axis

Axis = tuple[Any, Any]
Shape = tuple[Axis, ...]
Names = dict[str, Any]
SCALAR: Shape = ()
_ONE = (sympy.Integer(1), sympy.Integer(1))


class Shapes:
    """Types expressions of one setting."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.families: dict[str, Family] = {family.name: family for family in setting.families}
        self.functions = {function.name: function for function in setting.functions}
        self.facts: Mapping[Any, Any] = self._facts()

    def _facts(self) -> Mapping[Any, Any]:
        """Sizes that are numbers: those the document fixes, or all of them in a figure's network."""
        found = {}
        for fact in self.setting.facts:
            left, right = read(fact).sides
            found[self.size(left, {})] = self.size(right, {})
        if self.setting.fixed:
            (widths,) = self.setting.widths
            width = sympy.Function(self.setting.sizes)
            for number, value in enumerate(widths, self.setting.first):
                found[width(number)] = sympy.Integer(value)
            depth, difference = self.setting.depth
            found[_symbol(depth)] = sympy.Integer(len(widths) + difference)
        return found

    def check(self, statement: Statement) -> str:
        """Return what the shapes are; raise a Fault where they do not fit."""
        names = {bound.index: _symbol(bound.index) for bound in statement.ranges}
        shapes = [self.shape(side, names) for side in statement.sides]
        for shape, side in zip(shapes[1:], statement.sides[1:], strict=True):
            if not self.alike(shapes[0], shape):
                raise Fault(
                    "shapes",
                    f"the left side, {written(statement.sides[0])}, is {self.show(shapes[0])}, "
                    f"but {written(side)} is {self.show(shape)}",
                )
        return self.show(shapes[0])

    # Sizes -------------------------------------------------------------------------------

    def size(self, tree: Expression, names: Names) -> Any:
        """Return an index or a size as a SymPy expression."""
        match tree:
            case Number():
                return sympy.Rational(tree.text)
            case Negative(operand):
                return -self.size(operand, names)
            case Binary(operator, left, right) if operator in RING:
                return RING[operator](self.size(left, names), self.size(right, names))
            case Call("size", (), (argument,)):
                shape = self.shape(argument, names)
                return _length(shape[0]) if shape else sympy.Integer(1)
            case Ref(name, (), ()) if name in names:
                return names[name]
            case Ref(name, layers, ()):
                return self._whole(name, [self.size(layer, names) for layer in layers])
        raise Fault("names", f"{written(tree)} is no whole number here")

    def _whole(self, name: str, layers: list[Any]) -> Any:
        setting = self.setting
        if name == setting.sizes and len(layers) == 1:
            return sympy.Function(name)(*layers)
        if name == setting.depth[0] and not layers:
            return _symbol(name)
        for declared, text in setting.integers.items():
            left = read_expression(declared)
            if isinstance(left, Ref) and left.name == name and len(left.layers) == len(layers):
                if read_expression(text) == Number(text):
                    return _symbol(name)  # the number of samples and the like stays a symbol
                keys = [key.name for key in left.layers if isinstance(key, Ref)]
                return self.size(read_expression(text), dict(zip(keys, layers, strict=True)))
        raise Fault("names", f"{name} has no value here; a size needs its layer, such as {setting.sizes}[1]")

    def is_whole(self, name: str) -> bool:
        declared = [read_expression(text) for text in self.setting.integers]
        whole = {left.name for left in declared if isinstance(left, Ref)}
        return name in {self.setting.sizes, self.setting.depth[0], *whole} and name not in self.families

    # Shapes ------------------------------------------------------------------------------

    def shape(self, tree: Expression, names: Names) -> Shape:
        """Return the axes of an expression; none for a number."""
        return _SHAPES[type(tree)](self, tree, names)

    def normal(self, size: Any) -> Any:
        # Twice: a fact on the last layer, and another on its number.
        return sympy.expand(sympy.sympify(size).subs(self.facts).subs(self.facts))

    def same_axis(self, a: Axis, b: Axis) -> bool:
        return all(self.normal(x - y) == 0 for x, y in zip(a, b, strict=True))

    def is_scalar(self, shape: Shape) -> bool:
        return all(self.normal(_length(axis)) == 1 for axis in shape)

    def equal(self, a: Shape, b: Shape) -> bool:
        if self.is_scalar(a) and self.is_scalar(b):
            return True
        return len(a) == len(b) and all(map(self.same_axis, a, b))

    def alike(self, a: Shape, b: Shape) -> bool:
        """Whether two sides of an equation have as many entries, however these are numbered."""
        lengths = ([self.normal(_length(axis)) for axis in shape] for shape in (a, b))
        return (self.is_scalar(a) and self.is_scalar(b)) or len(set(map(tuple, lengths))) == 1

    def show(self, shape: Shape) -> str:
        if self.is_scalar(shape):
            return "a number"
        return " x ".join(
            str(self.normal(_length(axis))).replace("(", "[").replace(")", "]") for axis in shape
        )

    def joined(self, tree: Expression, a: Shape, b: Shape) -> Shape:
        """Return the shape of an entrywise operation; a number goes with every entry."""
        if self.is_scalar(a):
            return b
        if self.is_scalar(b):
            return a
        if not self.equal(a, b):
            raise Fault("shapes", f"{written(tree)} joins {self.show(a)} and {self.show(b)}")
        return a

    def product(self, tree: Expression, a: Shape, b: Shape) -> Shape:
        """Return the shape of a matrix product."""
        if len(a) != 2 or not b or not self.same_axis(a[1], b[0]):
            if self.is_scalar(a) or self.is_scalar(b):
                return b if self.is_scalar(a) else a
            raise Fault("shapes", f"{written(tree)} multiplies {self.show(a)} by {self.show(b)}")
        if len(b) == 3 and self.normal(_length(a[0])) == 1:
            return b[1:]
        return (a[0], *b[1:])


def _length(axis: Axis) -> Any:
    return axis[1] - axis[0] + 1


@cache
def _symbol(name: str) -> Any:
    return sympy.Symbol(name, integer=True)


def _number(at: Shapes, tree: Expression, names: Names) -> Shape:
    return SCALAR


def _ref(at: Shapes, tree: Ref, names: Names) -> Shape:
    if tree.name in names or at.is_whole(tree.name):
        if tree.name not in names:
            at.size(tree, names)
        return SCALAR
    if tree.name not in at.families:
        raise Fault("names", f"{tree.name} is not a quantity of this document")
    family = at.families[tree.name]
    layers, entries = (tree.layers, tree.entries) if family.layers else ((), tree.layers)
    if len(layers) != len(family.keys):
        raise Fault("names", f"{written(tree)}: {family.name} has {len(family.keys)} layer keys")
    for part in (*layers, *entries):
        at.size(part, names)
    inner: Names = {key: at.size(layer, names) for key, layer in zip(family.keys, layers, strict=True)}
    axes = [read_axis(text) for text in family.axes]
    shape = tuple((at.size(axis.low, inner), at.size(axis.high, inner)) for axis in axes)
    row = len(shape) == 2 and shape[0] == _ONE
    if entries and len(entries) not in (len(shape), len(shape) - row):
        raise Fault("shapes", f"{written(tree)}: {family.name} has {len(shape)} indices")
    if entries or not shape:
        return SCALAR
    return (*shape, _ONE) if len(shape) == 1 else shape


def _binary(at: Shapes, tree: Binary, names: Names) -> Shape:
    left = at.shape(tree.left, names)
    if tree.operator == "**":
        return left
    right = at.shape(tree.right, names)
    return (at.product if tree.operator == "@" else at.joined)(tree, left, right)


def _negative(at: Shapes, tree: Negative, names: Names) -> Shape:
    return at.shape(tree.operand, names)


def _transpose(at: Shapes, tree: Transpose, names: Names) -> Shape:
    return at.shape(tree.operand, names)[::-1]


def _cases(at: Shapes, tree: Cases, names: Names) -> Shape:
    at.size(tree.left, names)
    at.size(tree.right, names)
    return at.joined(tree, at.shape(tree.yes, names), at.shape(tree.no, names))


def _literal(at: Shapes, tree: Literal, names: Names) -> Shape:
    for row in tree.rows:
        for entry in row:
            if not at.is_scalar(at.shape(entry, names)):
                raise Fault("shapes", f"{written(entry)} stands in a matrix and is not a number")
    return (_ONE[0], sympy.Integer(len(tree.rows))), (_ONE[0], sympy.Integer(len(tree.rows[0])))


def _call(at: Shapes, tree: Call, names: Names) -> Shape:
    if tree.name in _WORDS:
        return _WORDS[tree.name](at, tree, names)
    name = tree.name[1:] if tree.name[0] == "d" and tree.name[1:] in at.functions else tree.name
    if name not in at.functions and name not in ELEMENTARY:
        raise Fault("names", f"{tree.name} is not a function of this document")
    shape = at.shape(tree.arguments[0], names)
    return SCALAR if name in at.functions and at.functions[name].index else shape


def _bound(at: Shapes, tree: Call, names: Names, place: int = 1) -> tuple[Names, Axis]:
    index, low, high = tree.arguments[place : place + 3]
    axis = at.size(low, names), at.size(high, names)
    return {**names, written(index): _symbol(written(index))}, axis


def _sum(at: Shapes, tree: Call, names: Names) -> Shape:
    body, index = tree.arguments[:2]
    for limit in limits(tree, at.families):
        at.size(limit, names)
    return at.shape(body, {**names, written(index): _symbol(written(index))})


def _descend(at: Shapes, tree: Call, names: Names) -> Shape:
    """Neighbouring factors must fit: the body at n and at n - 1."""
    inner, (high, low) = _bound(at, tree, names)
    index = inner[written(tree.arguments[1])]
    shape = at.shape(tree.arguments[0], inner)

    def factor(number: Any) -> Shape:
        return tuple((a.subs(index, number), b.subs(index, number)) for a, b in shape)

    at.product(tree, factor(index), factor(index - 1))
    return factor(high)[0], factor(low)[1]


def _column(at: Shapes, tree: Call, names: Names) -> Shape:
    inner, axis = _bound(at, tree, names)
    at.joined(tree, SCALAR, at.shape(tree.arguments[0], inner))
    return axis, _ONE


def _row(at: Shapes, tree: Call, names: Names) -> Shape:
    return _column(at, tree, names)[::-1]


def _matrix(at: Shapes, tree: Call, names: Names) -> Shape:
    inner, rows = _bound(at, tree, names)
    innermost, columns = _bound(at, tree, inner, 4)
    at.shape(tree.arguments[0], innermost)
    return rows, columns


def _identity(at: Shapes, tree: Call, names: Names) -> Shape:
    axis = sympy.Integer(1), at.size(tree.arguments[0], names)
    return axis, axis


def _diag(at: Shapes, tree: Call, names: Names) -> Shape:
    shape = at.shape(tree.arguments[0], names)
    return shape[:1] * 2


def _rows(at: Shapes, tree: Call, names: Names) -> Shape:
    shape = at.shape(tree.arguments[0], names)
    low, high = (at.size(argument, names) for argument in tree.arguments[1:3])
    return ((low, high), *shape[1:])


def _append(at: Shapes, tree: Call, names: Names) -> Shape:
    (low, high), unit = at.shape(tree.arguments[0], names)
    return (low, high + 1), unit


def _prepend(at: Shapes, tree: Call, names: Names) -> Shape:
    (low, high), unit = at.shape(tree.arguments[1], names)
    return (low - 1, high), unit


def _kronecker(at: Shapes, tree: Call, names: Names) -> Shape:
    for argument in tree.arguments:
        at.size(argument, names)
    return SCALAR


def _size(at: Shapes, tree: Call, names: Names) -> Shape:
    at.size(tree, names)
    return SCALAR


def _derivative(at: Shapes, tree: Call, names: Names) -> Shape:
    if not isinstance(tree.arguments[1], Ref):
        raise Fault("names", f"{written(tree)}: differentiation with respect to what has no name")
    of, wrt = (at.shape(argument, names) for argument in tree.arguments)
    if not of or at.is_scalar(of):
        turned = at.setting.layout == "row" and wrt and wrt[1] == _ONE
        return wrt[::-1] if turned else wrt
    if not at.same_axis(of[1], _ONE):
        raise Fault("shapes", f"{written(tree)}: the derivative of a matrix has too many axes")
    if not wrt or at.is_scalar(wrt):
        return of
    return (of[0], *(wrt[:1] if wrt[1] == _ONE else wrt))


def _lone(at: Shapes, tree: Call, names: Names) -> Shape:
    at.shape(tree.arguments[0], names)
    raise Fault("names", f"{written(tree)} stands alone: a derivative has a d above and a d below")


def _gradient(at: Shapes, tree: Call, names: Names) -> Shape:
    return at.shape(tree.arguments[1], names)


def _entrywise(at: Shapes, tree: Call, names: Names) -> Shape:
    return at.shape(tree.arguments[0], names)


_SHAPES: dict[type, Callable[[Shapes, Any, Names], Shape]] = {
    Number: _number,
    Ref: _ref,
    Binary: _binary,
    Negative: _negative,
    Transpose: _transpose,
    Cases: _cases,
    Literal: _literal,
    Call: _call,
}

_WORDS: dict[str, Callable[[Shapes, Call, Names], Shape]] = {
    "sum": _sum,
    "descend": _descend,
    "column": _column,
    "row": _row,
    "matrix": _matrix,
    "identity": _identity,
    "diag": _diag,
    "rows": _rows,
    "append": _append,
    "prepend": _prepend,
    "kronecker": _kronecker,
    "size": _size,
    "positive": _entrywise,
    "D": _derivative,
    "d": _lone,
    "grad": _gradient,
    "nabla": _gradient,
}

"""The trees that printed statements are read into.

What the language does not express: limits, matrix inverses, second derivatives, and
anything that changes while it is computed (a step of an algorithm is stated as an equation
between the values before and after it).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar


@dataclass(frozen=True)
class Expression:
    """Base of all trees; equal trees compare equal."""


@dataclass(frozen=True)
class Number(Expression):
    """A number as printed: ``0.90`` has two decimals, and they count."""

    text: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.text)

    @property
    def decimals(self) -> int:
        return len(self.text.partition(".")[2])


@dataclass(frozen=True)
class Ref(Expression):
    """A named quantity: ``m``, ``W[l]`` (its layer), ``w[l][i, j]`` (and an entry of it)."""

    name: str
    layers: tuple[Expression, ...] = ()
    entries: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Call(Expression):
    """A word of the language or a function of the document, ``g[k](u)`` with a layer."""

    name: str
    layers: tuple[Expression, ...]
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Binary(Expression):
    """``+ - * / @ **``; ``*`` works entry by entry and ``@`` is the matrix product."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Negative(Expression):
    """``-u``."""

    operand: Expression


@dataclass(frozen=True)
class Transpose(Expression):
    """``u.T``."""

    operand: Expression


@dataclass(frozen=True)
class Cases(Expression):
    """``yes if i == j else no``; the condition compares indices."""

    relation: str
    left: Expression
    right: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True)
class Literal(Expression):
    """A matrix written out by rows."""

    rows: tuple[tuple[Expression, ...], ...]


@dataclass(frozen=True)
class Range:
    """``low <= index <= high``: one index of a statement that holds for all of them."""

    index: str
    low: Expression
    high: Expression


@dataclass(frozen=True)
class Statement:
    """``a == b == c`` (or ``<=``), for all values of the indices in `ranges`.

    ``a << b`` is an assignment: `a` is the value after it. ``a, b`` is a list and claims nothing.
    """

    sides: tuple[Expression, ...]
    relation: str
    ranges: tuple[Range, ...]


Tree = TypeVar("Tree", bound=Expression)

# Words that bind the index in their second argument, and for `matrix` in the fifth too.
BINDERS = {"sum": (1,), "descend": (1,), "column": (1,), "row": (1,), "matrix": (1, 4)}


def children(tree: Any) -> Iterator[Any]:
    """Yield the parts of a tree that are trees themselves, in the order in which it has them."""
    for field in dataclasses.fields(tree):
        yield from _trees(getattr(tree, field.name))


def _trees(value: object) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _trees(item)
    elif dataclasses.is_dataclass(value):
        yield value


def walk(tree: Any) -> Iterator[Any]:
    """Yield a tree and everything in it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def rebuilt(tree: Tree, change: Callable[[Any], Any]) -> Tree:
    """Return the tree with `change` applied to each of its parts."""

    def put(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(put(item) for item in value)
        return change(value) if dataclasses.is_dataclass(value) else value

    return type(tree)(*(put(getattr(tree, field.name)) for field in dataclasses.fields(tree)))


def replaced(tree: Expression, names: Mapping[str, Expression]) -> Expression:
    """Return the tree with expressions in the places of names, such as indices."""
    if isinstance(tree, Ref) and not tree.layers and tree.name in names:
        return names[tree.name]
    return rebuilt(tree, lambda part: replaced(part, names))


def renamed(statement: Statement, names: Mapping[str, str]) -> Statement:
    """Return a statement with other quantities in the places of some, layers and entries as they are."""

    def put(tree: Expression) -> Expression:
        new = rebuilt(tree, put)
        return dataclasses.replace(new, name=names.get(new.name, new.name)) if isinstance(new, Ref) else new

    return dataclasses.replace(statement, sides=tuple(map(put, statement.sides)))


def without_minus(tree: Expression) -> Expression | None:
    """Return a product without the minus sign of its first factor, or None if there is none."""
    match tree:
        case Negative(operand):
            return operand
        case Binary("*" | "@" as operator, left, right):
            inner = without_minus(left)
            return None if inner is None else Binary(operator, inner, right)
    return None


def is_sum(tree: Expression) -> bool:
    """Return whether this is a sum over an index."""
    return isinstance(tree, Call) and tree.name == "sum"


ALL_SHOWN = 4


def spread(body: Expression, index: Expression, low: Expression, high: Expression) -> list[Expression | None]:
    """Return the first and the last of what an index runs through, and None for the dots; all if few."""
    assert isinstance(index, Ref)
    ends: list[Expression | None] = [low, None, high]
    if isinstance(low, Number) and isinstance(high, Number) and high.value - low.value < ALL_SHOWN:
        ends = [Number(str(n)) for n in range(int(low.value), int(high.value) + 1)]
    return [None if end is None else replaced(body, {index.name: end}) for end in ends]

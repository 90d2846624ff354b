"""The trees that printed statements are read into.

What the language does not express: limits, matrix inverses, second derivatives, and
anything that changes while it is computed (a step of an algorithm is stated as an equation
between the values before and after it).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


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


# Words that bind the index in their second argument, and for `matrix` in the fifth too.
BINDERS = {"sum": (1,), "descend": (1,), "column": (1,), "row": (1,), "matrix": (1, 4)}


def children(tree: object) -> Iterator[object]:
    """Yield the parts of a tree that are trees themselves."""
    for field in dataclasses.fields(tree):  # type: ignore[arg-type]
        yield from _trees(getattr(tree, field.name))


def _trees(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        for item in value:
            yield from _trees(item)
    elif dataclasses.is_dataclass(value):
        yield value


def walk(tree: object) -> Iterator[object]:
    """Yield a tree and everything in it."""
    yield tree
    for child in children(tree):
        yield from walk(child)

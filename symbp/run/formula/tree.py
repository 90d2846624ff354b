"""The trees that a written formula is read into.

What the language does not express: case distinctions, matrices written out entry by entry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """Base of all trees. `at` is the first character in the text, which equality does not look at."""

    at: int = field(compare=False)


@dataclass(frozen=True)
class Number(Part):
    """A number as it is written."""

    text: str


@dataclass(frozen=True)
class Name(Part):
    """A letter with its scripts: ``w_{ij}^{(l)}``, ``delta^2``, ``m``.

    Attributes
    ----------
    name : str
    below, above : tuple of Part
        What stands between the commas of a script.
    """

    name: str
    below: tuple[Part, ...] = ()
    above: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Apply(Part):
    """``g'(z^{(l)})``: a function, or its derivative, of every entry of its argument."""

    function: Name
    slope: bool
    argument: Part


@dataclass(frozen=True)
class Total(Part):
    """``sum_{i=low}^{high} body``; without limits the index takes all values that the body has."""

    index: str
    low: Part | None
    high: Part | None
    body: Part


@dataclass(frozen=True)
class Binary(Part):
    """``+ - /``, ``@`` (the matrix product, also a space), ``*`` (entry by entry, also ``.*``)."""

    operator: str
    left: Part
    right: Part


@dataclass(frozen=True)
class Negative(Part):
    """``-u``."""

    operand: Part


@dataclass(frozen=True)
class Transposed(Part):
    """``u^T``."""

    operand: Part


@dataclass(frozen=True)
class Power(Part):
    """``(u)^2``, entry by entry."""

    base: Part
    exponent: int


@dataclass(frozen=True)
class Bracketed(Part):
    """``[A]_{ij}``, an entry of a matrix, or ``[A]_1^n``, its rows without that of the bias."""

    inner: Part
    below: tuple[Part, ...]
    above: tuple[Part, ...]


@dataclass(frozen=True)
class Derivative(Part):
    """``dC/dz^l``, ``dz_j^l/dw_{jk}^l``: how one quantity depends on another."""

    of: Name
    wrt: Name


@dataclass(frozen=True)
class Line:
    """One line of a gradient: ``dJ/dW^k = ...``, ``delta^L = ...``, or a formula alone.

    Attributes
    ----------
    text : str
    left : Name or None
        What is given; None where the line is a formula alone.
    right : Part
    cost : Name or None
        The cost whose derivative by `left` is given; None where `left` itself is.
    neurons_only : bool
        Whether it is for the entries that belong to neurons, and not for the biases.
    """

    text: str
    left: Name | None
    right: Part
    cost: Name | None = None
    neurons_only: bool = False

    @property
    def given(self) -> Name:
        """What is given, by a line that is no formula alone."""
        assert self.left is not None
        return self.left

    @property
    def gradient(self) -> bool:
        """Whether the line gives a derivative of the cost, and not a quantity."""
        return self.cost is not None


_NO_VALUES = ("function", "low", "high", "of", "wrt")


def with_parts(tree: Part, change: Callable[[Part], Part]) -> Part:
    """Return a tree with `change` applied to each of its parts, functions and limits too; scripts stay."""
    parts = {item.name: getattr(tree, item.name) for item in dataclasses.fields(tree)}
    new: dict[str, Any] = {name: change(part) for name, part in parts.items() if isinstance(part, Part)}
    return dataclasses.replace(tree, **new)


def children(tree: Part) -> Iterator[tuple[str, Part]]:
    """Yield the parts of a tree that are values themselves, with their fields; scripts are not."""
    for item in dataclasses.fields(tree):
        value = getattr(tree, item.name)
        if isinstance(value, Part) and item.name not in _NO_VALUES:
            yield item.name, value


def walk(tree: Part) -> Iterator[Part]:
    """Yield a tree and every value in it."""
    yield tree
    for _, child in children(tree):
        yield from walk(child)


def rebuilt(tree: Part, change: Callable[[Part], Part]) -> Part:
    """Return a tree in which every value, the innermost first, is what `change` makes of it."""
    fields: dict[str, Any] = {name: rebuilt(child, change) for name, child in children(tree)}
    return change(dataclasses.replace(tree, **fields) if fields else tree)

"""The steps of the forward and of the backward pass, one after the other, as tables (003, Tables 1 and 2).

A row names steps of the derivation and nothing else: what stands in it is what the notation
prints of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy

from symbp.algebra.nodes import Inputs, Node, Partial
from symbp.derivation.components import RULE as COMPONENT
from symbp.derivation.records import Derivation, Step
from symbp.render.outline import is_shown, split_label

if TYPE_CHECKING:
    from symbp.notation.writer import Writer
    from symbp.render.page import Line

# The labels of a row: local relationship, local derivative, backpropagated derivative; an
# empty one has no step of its own. A "k" stands for the layer of the row, "l" for the next.
_OUTPUTS = (("2.1", "2.1d", "2.1d"), ("1.8", "1.8d", "D.1f"))
_HIDDEN = (("2.6b, k={l}", "D.7, k={l}", "D.9a, k={k}"), ("1.3, k={k}", "1.3d, k={k}", "D.5, k={k}"))
_INPUTS = (("2.6b, k=1", "X.2", "X.13, k=1"),)
# The same for any network.
_OF_ANY = (("h", "", "D.1"), ("2.6b", "D.7", "D.9a"), ("1.3", "", "D.5"), ("2.6b", "X.2", "X.13"))

_FORWARD = ("2.6b, k={k}", "1.3, k={k}")
_FORWARD_END = ("2.6b, k={k}", "1.8", "2.1")
_FORWARD_OF_ANY = ("2.6b", "1.3", "h")

# In matrices one equation holds for every layer.
_MATRICES = ("2.6m", "1.3m", "D.9m", "D.5m", "D.6m", "X.13m")
_OF_HIDDEN = ("1.3m", "D.9m", "D.5m")


@dataclass(frozen=True)
class Row:
    """One step of a pass.

    Attributes
    ----------
    number : str
        Counted from 1 through all layers, also those left out; empty where the row stands for many.
    variable : str
        What is computed, or differentiated by, in print.
    cells : tuple of (Line or None)
        Forward one equation; backward the local relationship, the local derivative and the
        backpropagated derivative.
    """

    number: str
    variable: str
    cells: tuple[Line | None, ...]


@dataclass(frozen=True)
class Whole:
    """An equation for a whole layer, with the shapes of its left side (of each part of it), in print."""

    line: Line
    shapes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stepwise:
    """Both passes row by row; `left_out` are layers without rows, because they are like their neighbours."""

    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    matrices: tuple[Whole, ...]
    left_out: tuple[int, ...]


PrintsLine = Callable[[Step], "Line"]
Labels = tuple[str, ...]


def stepwise(derivation: Derivation, writer: Writer, line: PrintsLine) -> Stepwise | None:
    """Return the tables of a derivation, or None where it is written out component by component.

    Parameters
    ----------
    derivation : Derivation
        With the verdicts of the oracles.
    writer : Writer
    line : callable
        Makes a line of a page from a step.
    """
    if derivation.steps[0].rule == COMPONENT:
        return None
    steps = {step.label: step for step in derivation.steps}
    network = derivation.network
    last = 0 if network is None else network.hidden + 1
    hidden = range(1, last)
    if network is None:
        forward: list[Labels] = [(label,) for label in _FORWARD_OF_ANY]
        backward: list[Labels] = list(_OF_ANY)
    else:
        forward = [(label.format(k=n),) for n in hidden for label in _FORWARD]
        forward += [(label.format(k=last),) for label in _FORWARD_END]
        rows = [_layer(labels, n) for n in reversed(hidden) for labels in _HIDDEN]
        backward = [*_OUTPUTS, *rows, *_INPUTS]
    make = _Rows(steps, writer, line, last)
    return Stepwise(
        tuple(make.rows(forward)),
        tuple(make.rows(backward)),
        tuple(
            Whole(line(steps[label]), _shapes(steps[label], writer))
            for label in _MATRICES
            if network is None or network.hidden or label not in _OF_HIDDEN
        ),
        tuple(n for n in hidden if not is_shown(n, last)),
    )


def _layer(labels: Labels, layer: int) -> Labels:
    return tuple(label.format(k=layer, l=layer + 1) for label in labels)


@dataclass(frozen=True)
class _Rows:
    """Makes rows from labels."""

    steps: dict[str, Step]
    writer: Writer
    line: PrintsLine
    last: int

    def rows(self, table: Sequence[Labels]) -> Iterator[Row]:
        for number, labels in enumerate(table, 1):
            found = [self.steps[label] if label else None for label in labels]
            final = found[-1]
            if final is None or not self._is_shown(found):
                continue
            cells = tuple(None if step is None else self.line(step) for step in found)
            yield Row(str(number) if self.last else "", self._variable(final), cells)

    def _is_shown(self, found: Sequence[Step | None]) -> bool:
        """A row is of the layer of its last cell; one with a step that fails a check is always shown."""
        *_, final = (step for step in found if step is not None)
        layer = split_label(final.label)[1]
        doubtful = any(not check.passed for step in found if step is not None for check in step.checks)
        return layer is None or is_shown(layer, self.last) or doubtful

    def _variable(self, step: Step) -> str:
        """Return what the left side of an equation is the derivative by, or is the value of."""
        return self.writer.expression(_differentiated_by(_lefts(step, self.writer)[0]))


def _lefts(step: Step, writer: Writer) -> tuple[Any, ...]:
    """Return the left sides of the equations that the notation makes of a step."""
    printed = writer.printed(step.statement, step.assumes) or (
        writer.as_it_stands(step.statement, step.assumes),
    )
    return tuple(said.equation.lhs for said in printed)


def _shapes(step: Step, writer: Writer) -> tuple[tuple[str, str], ...]:
    shapes = (left.shape for left in _lefts(step, writer))
    return tuple((_size(rows, writer), _size(columns, writer)) for rows, columns in shapes)


def _size(extent: Any, writer: Writer) -> str:
    structure = writer.structure
    if "Inputs" in writer.notation.without or not any(structure.biases):

        def inputs(layer: Any) -> Any:
            return structure.width(sympy.expand(layer - 1)) + structure.bias(layer)

        extent = extent.replace(Inputs, inputs)
    printed = writer.expression(extent)
    return "(" + printed + ")" if extent.is_Add else printed


def _differentiated_by(left: Any) -> Any:
    if isinstance(left, Partial):
        return left.wrt
    if isinstance(left, Node) and left.kind == "delta":
        # A sensitivity is the derivative by a weighted sum.
        return left.but("c")
    return left

"""A graph that computes as it grows: every cell knows its value and where it came from."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any

from symbp.graph.operations import Domain, Operation, compiled


@dataclass(frozen=True, eq=False)
class Cell:
    """One number of a computation.

    Attributes
    ----------
    number : int
        Cells are numbered as they are made, so operands have lower numbers.
    value : object
        A number of the tape's domain.
    operation : Operation or None
        None for inputs and constants.
    operands : tuple of Cell
    """

    number: int
    value: Any
    operation: Operation | None = None
    operands: tuple[Cell, ...] = ()


@dataclass
class Tape:
    """Makes cells in one domain and differentiates between any two of them."""

    domain: Domain
    _numbers: Any = field(default_factory=itertools.count)
    _adjoints: dict[Cell, dict[Cell, Any]] = field(default_factory=dict)

    def leaf(self, value: Any) -> Cell:
        """Return an input (or a constant) with this value."""
        return Cell(next(self._numbers), value)

    def apply(self, operation: Operation, *operands: Cell) -> Cell:
        """Return the cell of an operation on other cells."""
        value = compiled(operation.formula)(self.domain, [cell.value for cell in operands])
        return Cell(next(self._numbers), value, operation, operands)

    def local(self, cell: Cell, slot: int) -> Any:
        """Return the value of the local derivative of a cell with respect to one operand."""
        assert cell.operation is not None
        formula = cell.operation.partial(slot)
        return compiled(formula)(self.domain, [operand.value for operand in cell.operands])

    def adjoints(self, of: Cell) -> dict[Cell, Any]:
        """Return the derivative of one cell with respect to every cell it was computed from.

        The chain rule multiplies along the edges of a path; the sum rule adds over paths.
        A cell among the others counts as a variable of its own.
        """
        if of not in self._adjoints:
            self._adjoints[of] = self._backward(of)
        return self._adjoints[of]

    def _backward(self, of: Cell) -> dict[Cell, Any]:
        found: dict[Cell, Any] = {of: self.domain.number(1)}
        waiting = [(-of.number, of)]
        while waiting:
            cell = heapq.heappop(waiting)[1]
            for slot, operand in enumerate(cell.operands):
                share = found[cell] * self.local(cell, slot)
                if operand in found:
                    found[operand] = found[operand] + share
                else:
                    found[operand] = share
                    heapq.heappush(waiting, (-operand.number, operand))
        return found

    def derivative(self, of: Cell, wrt: Cell) -> Any:
        """Return d of / d wrt as a number of the domain; 0 where `of` does not depend on `wrt`."""
        return self.adjoints(of).get(wrt, self.domain.number(0))

"""Statements along the rows of arrays -> loops in which a row, or a piece of it, is a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.plan.program import ROWS, Access, Kernel, Loop, Map, Reduce
from symbp.plan.rows import columns_of, is_of_each
from symbp.render.blocks import Block
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.tile_printer import open_pieces, pieces, runs
from symbp.render.vector_printer import VectorPrinter

# How a register's numbers become one, and how two registers become one.
_WHOLE = {"sum": "row_sum", "max": "row_max"}


class RowPrinter:
    """Prints maps and reductions of one kernel whose innermost loop is a vector."""

    def __init__(self, kernel: Kernel, dtype: str, functions: KernelFunctions) -> None:
        self.kernel = kernel
        self.values = VectorPrinter(dtype, kernel.arrays, functions)

    def lines(self, block: Block, statement: Map | Reduce) -> None:
        """Add the loops of a statement."""
        if isinstance(statement, Map):
            self._map(block, statement)
        elif statement.operation == "rest":
            self._rest_of_rows(block, statement)
        elif is_of_each(statement):
            self._of_rows(block, statement)
        else:
            self._of_all(block, statement)

    def _map(self, block: Block, statement: Map) -> None:
        self._open(block, statement.loops[:-1], statement)
        columns = statement.loops[-1]
        for first, last, width in runs(pieces(int(columns.extent), statement.width)):
            with block.restored():
                self._at(open_pieces(block, columns.index, first, last, width), width)
                value = self.values.vector(self._moved(statement.value, columns))
                target = self._doprint(statement.target, columns)
                place, size = target.removeprefix("load(").removesuffix(")").rsplit(", ", 1)
                block.add(f"store({place}, {value}, {size})")

    def _of_rows(self, block: Block, statement: Reduce) -> None:
        """A sum or maximum for every sample."""
        columns = columns_of(statement)
        self._open(block, statement.loops, statement)
        found = []
        for n, (first, last, width) in enumerate(runs(pieces(int(columns.extent), statement.width))):
            if last - first <= width:
                self._at(sympy.Symbol(str(first)), width)
                found.append(
                    f"{_WHOLE[statement.operation]}({self._doprint(statement.value, columns)}, {width})"
                )
                continue
            name = f"c{n}"
            self._at(sympy.Symbol(str(first)), width)
            block.add(f"{name} = {self._doprint(statement.value, columns)}")
            with block.restored():
                self._at(open_pieces(block, columns.index, first + width, last, width, always=True), width)
                value = self._doprint(statement.value, columns)
                block.add(f"{name} = {self._joined(statement, name, value)}")
            found.append(f"{_WHOLE[statement.operation]}({name}, {width})")
        result = found[0]
        for other in found[1:]:
            result = f"{result} + {other}" if statement.operation == "sum" else f"max({result}, {other})"
        target = self.values.doprint(statement.target)
        block.add(f"{target} = {result}")

    def _rest_of_rows(self, block: Block, statement: Reduce) -> None:
        """The sum without a largest number: of two, the larger is kept and the smaller added."""
        columns, target = columns_of(statement), self.values.doprint(statement.target)
        self._open(block, statement.loops, statement)
        block.add(f"largest = total = {self.values.number(0)}")
        for first, last, width in runs(pieces(int(columns.extent), statement.width)):
            self._at(sympy.Symbol(str(first)), width)
            block.add(f"c = {self._doprint(statement.value, columns)}")
            block.add("rest = c - c")  # 0, or NaN where a number is
            if last - first > width:
                with block.restored():
                    column = open_pieces(block, columns.index, first + width, last, width, always=True)
                    self._at(column, width)
                    block.add(f"v = {self._doprint(statement.value, columns)}")
                    block.add("rest = rest + smaller(v, c)")
                    block.add("c = larger(v, c)")
            block.add(f"top = row_max(c, {width})")
            block.add(f"total = total + row_rest(c, rest, {width}) + min(top, largest)")
            block.add("largest = max(top, largest)")
        block.add(f"{target} = total")

    def _of_all(self, block: Block, statement: Reduce) -> None:
        """One sum of everything: as many sums as a piece has columns, joined at the end."""
        columns = columns_of(statement)
        outer = [loop for loop in statement.over if loop != columns]
        target = self.values.doprint(statement.target)
        if not statement.accumulate:
            block.add(f"{target} = {self.values.number(0)}")
        for first, last, width in runs(pieces(int(columns.extent), statement.width)):
            with block.restored():
                column = open_pieces(block, columns.index, first, last, width)
                self._at(column, width)
                block.add(f"c0 = spread({self.values.number(0)}, {width})")
                with block.restored():
                    self._open(block, outer, statement)
                    block.add(f"c0 = c0 + {self._doprint(statement.value, columns)}")
                block.add(f"{target} += row_sum(c0, {width})")

    @staticmethod
    def _joined(statement: Reduce, name: str, value: str) -> str:
        return f"{name} + {value}" if statement.operation == "sum" else f"larger({name}, {value})"

    def _at(self, column: Any, width: int) -> None:
        self.values.columns, self.values.size = column, str(width)

    def _doprint(self, expr: Any, columns: Loop) -> str:
        return self.values.doprint(self._moved(expr, columns))

    def _moved(self, expr: Any, columns: Loop) -> Any:
        """Return the expression with the columns where the piece begins."""
        moved = {
            a: Access(a.array, *(x.xreplace({columns.index: self.values.columns}) for x in a.indices))
            for a in expr.atoms(Access)
        }
        return expr.xreplace(moved)

    def _open(self, block: Block, loops: Sequence[Loop], statement: Map | Reduce) -> None:
        reads = {self.kernel.array(a.array).role for a in statement.value.atoms(Access)}
        for loop in loops:
            block.open(f"for {loop.index} in range({'count' if loop.extent == ROWS else loop.extent}):")
            if loop.extent == ROWS and "data" in reads:
                block.add(f"row = rows[start + {loop.index}]")

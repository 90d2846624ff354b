"""Kernel program -> lines of Numba source: the loop nests around values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy

from symbp.elementary.constants import constants
from symbp.plan.program import ROWS, Abreast, Access, Fused, Kernel, Loop, Map, Reduce, Statement, Sweep
from symbp.plan.tiles import ANSWER
from symbp.render.abreast_printer import AbreastPrinter
from symbp.render.blocks import Block
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.row_printer import RowPrinter
from symbp.render.tile_printer import TilePrinter
from symbp.render.value_printer import ValuePrinter


class KernelPrinter:
    """Prints the statements of one kernel as loop nests."""

    def __init__(
        self,
        kernel: Kernel,
        dtype: str,
        places: Mapping[str, str] | None = None,
        functions: KernelFunctions | None = None,
        lanes: int = 0,
    ) -> None:
        self.kernel = kernel
        self.dtype = dtype
        self.lanes = lanes
        self.values = ValuePrinter(dtype, kernel.arrays, places, functions)
        self.wide = ValuePrinter(dtype, kernel.arrays, places, wide=True)
        self.tiles = TilePrinter(kernel, dtype, functions or KernelFunctions(), lanes)
        self.abreast = AbreastPrinter(kernel, dtype, functions or KernelFunctions())
        self.rows = RowPrinter(kernel, dtype, functions or KernelFunctions())
        for values in (self.tiles.values, self.rows.values):
            values.lanes, values.alone = lanes, kernel.name == ANSWER

    def lines(self, statement: Statement) -> list[str]:
        """Return the loop nest of one statement."""
        block = Block()
        if isinstance(statement, Fused) or (isinstance(statement, Reduce) and statement.tile is not None):
            self.tiles.contraction(block, statement)
        elif isinstance(statement, Abreast):
            self.abreast.lines(block, statement)
        elif isinstance(statement, (Map, Reduce)) and statement.width:
            self.rows.lines(block, statement)
        elif isinstance(statement, Map) and statement.copies:
            self.tiles.copy(block, statement)
        elif isinstance(statement, Sweep):
            self._open(block, statement.loops, statement)
            for part in statement.parts:
                block.add(self._assign(part.target, part.value, "="))
        elif isinstance(statement, Map):
            self._map(block, statement)
        elif statement.inner is not None:
            self._in_memory(block, statement, statement.inner)
        else:
            self._in_register(block, statement)
        return block.lines

    def _assign(self, target: Access, value: Any, operator: str) -> str:
        role = self.kernel.array(target.array).role
        printed = (self.wide if role in ("scalar", "factor") else self.values).doprint(value)
        if role == "factor" and self.dtype != "float64":
            printed = f"F({printed})"
        return f"{self.values.doprint(target)} {operator} {printed}"

    def _map(self, block: Block, statement: Map) -> None:
        outer, heads = statement.loops[:-1], self._heads(statement.loops[-1:], statement)
        if statement.flat:
            size = "*".join(self._extent(x.extent) for x in statement.loops)
            outer, heads = (), [f"for t in range({size}):"]
            for name in sorted({access.array for access in statement.accesses()}):
                flat = f"view({name}, 0, 1, {size})" if self.lanes else f"{name}.reshape(-1)"
                block.add(f"{name}_flat = {flat}")
            self.values.flat = "0, t" if self.lanes else "t"
        self._open(block, outer, statement)
        limited = self.values.functions.limited(statement.value)
        if limited:
            self._within_reach(block, statement, heads, limited)
        else:
            block.open_all(heads)
            block.add(self._assign(statement.target, statement.value, "="))
        self.values.flat = ""

    def _within_reach(
        self, block: Block, statement: Map, heads: list[str], limited: list[tuple[Any, str]]
    ) -> None:
        """Two innermost loops: one with functions that have a reach, one with those of math beyond it."""
        block.add("near = True")
        with block.restored():
            block.open_all(heads)
            for argument, reach in limited:
                limit = self.values.number(constants(self.values.dtype)[reach])
                block.add(f"near &= abs({self.values.doprint(argument)}) <= {limit}")
        for choice, near in (("if near:", True), ("else:", False)):
            with block.nested(choice):
                block.open_all(heads)
                self.values.near = near
                block.add(self._assign(statement.target, statement.value, "="))
        self.values.near = False

    def _in_memory(self, block: Block, statement: Reduce, inner: Loop) -> None:
        """The sum runs outside the innermost loop over the target."""
        outer = tuple(loop for loop in statement.loops if loop != inner)
        self._open(block, outer, statement)
        if not statement.accumulate:
            with block.nested(self._head(inner)):
                initial = statement.initial if statement.initial is not None else sympy.S.Zero
                block.add(self._assign(statement.target, initial, "="))
        self._open(block, statement.over, statement)
        value = statement.value
        used: list[str] = []
        # The target could overlap what is read as far as the compiler knows: read it once here.
        for access in sorted(value.atoms(Access), key=str):
            if inner.index not in access.indices:
                name = access.array.lower()
                used.append(name)
                local = sympy.Symbol(name if used.count(name) == 1 else f"{name}_{used.count(name)}")
                block.add(f"{local} = {self.values.doprint(access)}")
                value = value.xreplace({access: local})
        with block.nested(self._head(inner)):
            block.add(self._assign(statement.target, value, "+="))

    def _in_register(self, block: Block, statement: Reduce) -> None:
        scalar = not statement.target.indices
        self._open(block, statement.loops, statement)
        if statement.operation == "max":
            (over,) = statement.over
            first = statement.value.xreplace({over.index: sympy.S.Zero})
            block.add(f"largest = {self.values.doprint(first)}")
            with block.nested(f"for {over.index} in range(1, {over.extent}):"):
                block.add(f"largest = max(largest, {self.values.doprint(statement.value)})")
            block.add(f"{self.values.doprint(statement.target)} = largest")
            return
        if statement.operation == "rest":
            self._rest(block, statement)
            return
        total = self.values.doprint(statement.target) if scalar else "total"
        wide = self.kernel.array(statement.target.array).role == "scalar"
        values = self.wide if wide else self.values
        if not (scalar and statement.accumulate):  # a scalar that accumulates starts with the kernel
            initial = statement.initial if statement.initial is not None else sympy.S.Zero
            block.add(f"{total} = {values.doprint(initial)}")
        with block.restored():
            # Samples outermost: their data are read row by row.
            self._open(block, sorted(statement.over, key=lambda loop: loop.extent != ROWS), statement)
            block.add(f"{total} += {values.doprint(statement.value)}")
        if not scalar:
            block.add(
                f"{self.values.doprint(statement.target)} {'+=' if statement.accumulate else '='} total"
            )

    def _rest(self, block: Block, statement: Reduce) -> None:
        """Keep the larger one of two numbers, add the smaller one; a NaN that comes first stays with min."""
        (over,) = statement.over
        block.add(f"largest = total = {self.values.number(0)}")
        with block.nested(self._head(over)):
            value = self.values.doprint(statement.value)
            block.add(f"total += min({value}, largest)")
            block.add(f"largest = max(largest, {value})")
        block.add(f"{self.values.doprint(statement.target)} = total")

    def _open(self, block: Block, loops: Any, statement: Statement) -> None:
        for loop in loops:
            block.open(self._head(loop))
            if loop.extent == ROWS and self._reads_data(statement):
                block.add(f"row = rows[start + {loop.index}]")

    def _heads(self, loops: Any, statement: Statement) -> list[str]:
        """Return the heads of loops, each followed by what its body starts with."""
        block = Block()
        self._open(block, loops, statement)
        return block.lines

    @staticmethod
    def _extent(extent: Any) -> str:
        return "count" if extent == ROWS else str(extent)

    def _head(self, loop: Loop) -> str:
        return f"for {loop.index} in range({self._extent(loop.extent)}):"

    def _reads_data(self, statement: Statement) -> bool:
        return any(self.kernel.array(a.array).role == "data" for a in statement.value.atoms(Access))


def statement_groups(statements: tuple[Statement, ...]) -> Iterator[tuple[Any, list[Statement]]]:
    """Yield neighbouring statements that compute the same equation, with their origin."""
    group: list[Statement] = []
    for statement in statements:
        if group and group[0].origin != statement.origin:
            yield group[0].origin, group
            group = []
        group.append(statement)
    if group:
        yield group[0].origin, group

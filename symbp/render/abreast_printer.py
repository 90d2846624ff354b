"""Statements for many samples at once -> a loop in which a lane is a sample and a register an output."""

from __future__ import annotations

from typing import Any

from symbp.plan.narrow import is_narrow, sums_along_rows
from symbp.plan.program import ROWS, Abreast, Access, Kernel, Map, Reduce
from symbp.render.blocks import Block
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.vector_printer import VectorPrinter

# How the registers of a vector become one.
JOINED = {"sum": "register_sum", "max": "register_max", "rest": "register_rest"}


class AbreastPrinter:
    """Prints the statements of one kernel that run over samples side by side.

    Every array is one variable, in small letters: all that a statement reads of it is the same
    element, up to the name of the output's index.
    """

    def __init__(self, kernel: Kernel, dtype: str, functions: KernelFunctions) -> None:
        self.kernel = kernel
        self.values = VectorPrinter(dtype, kernel.arrays, functions)

    def lines(self, block: Block, statement: Abreast) -> None:
        """Add the loop over the samples, and what becomes of sums over all of them."""
        values, held = self.values, set[str]()
        totals = [part for part in statement.parts if not part.loops]
        (sample,) = (loop.index for loop in statement.loops)
        for n, _ in enumerate(totals):
            block.add(f"total{n} = spread({values.number(0)}, LANES)")
        one = statement.lanes == 1
        with block.restored():
            block.open(f"for {sample} in range({'count' if one else '0, count, LANES'}):")
            if one and any(self._is_data(access) for access in statement.accesses()):
                block.add(f"row = rows[start + {sample}]")
            for part in statement.parts:
                value = self._value(block, part, sample, held, statement.lanes)
                if part.loops:
                    self._assign(block, part.target, value, sample, held, one)
                    continue
                name = f"total{totals.index(part)}"
                if not one:
                    value = f"select(lanes_below(count - {sample}), {value}, {values.number(0)})"
                block.add(f"{name} = {name} + {value}")
        for n, part in enumerate(totals):
            block.add(f"{values.doprint(part.target)} += row_sum(total{n}, {statement.lanes})")

    def _is_data(self, access: Access) -> bool:
        return self.kernel.array(access.array).role == "data"

    def _value(self, block: Block, part: Map | Reduce, sample: Any, held: set[str], lanes: int) -> str:
        """Return the text of a value, after lines that load what is not there yet."""
        if is_narrow(part):
            return self._product(block, part, sample, lanes)  # type: ignore[arg-type]
        reads = [access for access in sorted(part.value.atoms(Access), key=str) if access.indices]
        for access in reads:
            if access.array not in held:
                block.add(f"{access.array.lower()} = {self._loaded(access, sample, lanes == 1)}")
                held.add(access.array)
        self.values.held = {access: access.array.lower() for access in reads}
        value = self.values.doprint(part.value)
        over_outputs = isinstance(part, Reduce) and any(loop.extent != ROWS for loop in part.over)
        return f"{JOINED[part.operation]}({value})" if over_outputs else value  # type: ignore[union-attr]

    def _product(self, block: Block, part: Reduce, sample: Any, lanes: int) -> str:
        """A product of rows of the layer below and of weights, after the lines that sum up its blocks."""
        below, weights = sorted(part.value.atoms(Access), key=lambda access: sample not in access.indices)
        outputs, (over,) = int(part.loops[-1].extent), part.over
        start = ""
        if part.initial is not None:
            (bias,) = part.initial.atoms(Access)
            start = f"numbers({bias.array}, {bias.indices[0]}, {outputs})"
        if sums_along_rows(outputs, int(over.extent), lanes):
            text = f"inner({below.array}, {sample}, {weights.array}, {outputs}, {over.extent})"
            return f"{text} + {start}" if start else text
        name = part.target.array.lower()
        block.add(f"{name} = {start or f'spread({self.values.number(0)}, {outputs * lanes})'}")
        with block.nested(f"for {over.index} in range(0, {over.extent}, LANES):"):
            block.add(f"{name} = add_inner({name}, {below.array}, {sample}, {weights.array}, {over.index})")
        return name

    def _assign(
        self, block: Block, target: Access, value: str, sample: Any, held: set[str], one: bool
    ) -> None:
        name = target.array.lower()
        if value != name:
            block.add(f"{name} = {value}")
        held.add(target.array)
        if self.kernel.array(target.array).role != "register":
            store = "store_numbers" if one else "store_columns"
            block.add(f"{store}({target.array}, {sample}, {name}, {self._width(target)})")

    def _loaded(self, access: Access, sample: Any, one: bool) -> str:
        array, width = self.kernel.array(access.array), self._width(access)
        if one:
            return f"numbers({array.name}, {'row' if array.role == 'data' else sample}, {width})"
        if array.role == "data":
            return f"columns_at({array.name}, rows, start + {sample}, start + count, {width})"
        return f"columns({array.name}, {sample}, {width})"

    def _width(self, access: Access) -> int:
        return int(self.kernel.array(access.array).axes[-1]) if len(access.indices) == 2 else 1

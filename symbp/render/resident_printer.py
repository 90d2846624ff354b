"""The step of one sample with all weights in registers -> lines without loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbp.plan.program import Access, Kernel, Map, Program, Reduce, Statement
from symbp.plan.resident import (
    Rows,
    outer_factors,
    product_of,
    resident_rows,
    spread_arrays,
    whole_of,
)
from symbp.plan.tiles import RESIDENT
from symbp.render.abreast_printer import JOINED
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.numba_printer import statement_groups
from symbp.render.vector_printer import VectorPrinter


@dataclass(frozen=True)
class Resident:
    """What the template puts in place.

    Attributes
    ----------
    taken, given : tuple of str
        The lines that bring weights and states into registers, and back.
    data : tuple of str
        The lines that read a sample.
    measured, updated : tuple of tuple of str
        The lines of each equation: up to the cost and all deltas; gradients and the update.
    """

    taken: tuple[str, ...]
    given: tuple[str, ...]
    data: tuple[str, ...]
    measured: tuple[tuple[str, ...], ...]
    updated: tuple[tuple[str, ...], ...]


class ResidentPrinter:
    """Prints statements in which every array is one variable, in small letters."""

    def __init__(self, kernel: Kernel, dtype: str, functions: KernelFunctions) -> None:
        spread = spread_arrays(kernel)
        assert spread is not None  # else the plan has no such kernel
        self.kernel, self.spread = kernel, spread
        self.values = VectorPrinter(dtype, kernel.arrays, functions)

    def line(self, statement: Statement) -> str:
        """Return the assignment of one statement."""
        assert isinstance(statement, (Map, Reduce))
        return f"{self._name(statement.target)} = {self._value(statement)}"

    def data(self) -> list[str]:
        """Return the lines that read what a sample has."""
        lines = []
        for array in self.kernel.arrays:
            if array.role == "data":
                size = int(array.axes[0]) if array.axes else 1
                along = array.axes and array.name not in self.spread
                numbers = f"numbers({array.name}, row, {size})"
                lines.append(
                    f"{array.name.lower()} = {f'load({array.name}, row, 0, {size})' if along else numbers}"
                )
        return lines

    def _value(self, statement: Map | Reduce) -> str:
        if isinstance(statement, Map):
            pair = outer_factors(statement)
            if pair is None:
                return self._print(statement.value)
            return f"outer({', '.join(map(self._name, pair))})"
        whole = None if statement.loops else whole_of(statement)
        if whole is not None:
            return f"rows_sum({self._print(statement.value)}, {self._size(whole)})"
        if not statement.loops:
            return f"{JOINED[statement.operation]}({self._print(statement.value)})"
        product = product_of(statement)
        assert product is not None
        matrix, vector = product
        size = self._size(vector if vector.array not in self.spread else statement.target)
        if statement.target.array in self.spread:
            text = f"across({self._name(matrix)}, {self._name(vector)}, {size})"
            return text if statement.initial is None else f"{text} + {self._print(statement.initial)}"
        start = f"spread({self.values.number(0)}, {size})"
        start = start if statement.initial is None else self._print(statement.initial)
        return f"mix({self._name(vector)}, {self._name(matrix)}, {start})"

    def _size(self, access: Access) -> int:
        return int(self.kernel.array(access.array).axes[-1])

    def _print(self, value: Any) -> str:
        self.values.held = {access: self._name(access) for access in value.atoms(Access)}
        return self.values.doprint(value)

    def _name(self, access: Access) -> str:
        array = self.kernel.array(access.array)
        # A number that the update shares is called as the function that computes it calls it.
        return array.name if array.role == "argument" and not array.axes else array.name.lower()


def resident(program: Program, dtype: str, functions: KernelFunctions, comment: Any) -> Resident | None:
    """Return the lines of the step with weights in registers; None where the program has none.

    Parameters
    ----------
    program : Program
    dtype : str
    functions : KernelFunctions
    comment : callable
        Origin -> comment lines.
    """
    kernel = next((k for k in program.kernels if k.name == RESIDENT), None)
    if kernel is None:
        return None
    printer = ResidentPrinter(kernel, dtype, functions)
    rows = resident_rows(program)
    gradients = {f"G{row.name}" for row in rows}
    measured: list[tuple[str, ...]] = []
    updated: list[tuple[str, ...]] = []
    for origin, group in statement_groups(kernel.statements):
        lines = (*comment(origin), *map(printer.line, group))
        updates = bool(updated) or group[0].target.array in gradients
        (updated if updates else measured).append(lines)
    states = [array.name for array in program.kernel("update").arrays if array.role == "state"]
    places = {"w": ("w", 0)} | {name: ("states", n * program.n_params) for n, name in enumerate(states)}
    return Resident(
        tuple(f"{row.name.lower()} = take({_place(row, places)})" for row in rows),
        tuple(f"give({row.name.lower()}, {_place(row, places)})" for row in rows),
        tuple(printer.data()),
        tuple(measured),
        tuple(updated),
    )


def _place(row: Rows, places: dict[str, tuple[str, int]]) -> str:
    memory, offset = places[row.vector]
    return f"{memory}, {offset + row.first}, {row.count}, {row.step}, {row.size}, {row.stride}"

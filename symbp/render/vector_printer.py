"""A value -> a Numba expression of vectors: registers of numbers that lie side by side."""

from __future__ import annotations

from typing import Any

from symbp.plan.program import ROWS, Access, Array
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.value_printer import ValuePrinter


class VectorPrinter(ValuePrinter):
    """Prints a value as one of vectors: elements along the columns of a block are loaded.

    Attributes
    ----------
    columns : Symbol
        The index along the vectors.
    size : str
        How many numbers a vector has, as ``load`` takes it.
    held : dict of Access to str
        Elements that variables hold.
    rows : dict of str to str
        Index of a sample -> the variable that holds the number of its row, where it is not ``row``.
    """

    compares = True  # one instruction, where a choice waits for its mask

    def __init__(self, dtype: str, arrays: tuple[Array, ...], functions: KernelFunctions) -> None:
        super().__init__(dtype, arrays, functions=functions)
        self.columns: Any = None
        self.size = ""
        self.held: dict[Access, str] = {}
        self.rows: dict[str, str] = {}
        # Numbers of a register, where rows that end one are read to its end; 0 where this is not known.
        self.lanes = 0
        # Whether there is room for the rows of all arrays: of one sample, whose rows others would follow.
        self.alone = False
        # Whether a NaN arrives by another way: a sensitivity is NaN where the output of its unit is.
        self.passed_on = False

    def _print_Access(self, expr: Access) -> str:
        if expr in self.held:
            return self.held[expr]
        is_data = expr.array in self.arrays and self.arrays[expr.array].role == "data"
        if self.columns not in expr.indices:
            row = self.rows.get(self.index(expr.indices[0])) if is_data else None
            return super()._print_Access(expr) if row is None else self._of_row(expr, row)
        sample, column = map(self.index, expr.indices)
        row = "row" if is_data else sample
        return f"load({expr.array}, {row}, {column}, {self.size_in(expr.array)})"

    def size_in(self, array: str) -> str:
        """Return how many numbers of a row are loaded or stored: to the end of a register, if that may be."""
        if not self.lanes or not self.size.isdigit() or not self._is_whole(self.arrays[array]):
            return self.size
        return str(-(-int(self.size) // self.lanes) * self.lanes)

    def _is_whole(self, array: Array) -> bool:
        """Whether rows reach to the end of a register, and nobody's numbers stand there."""
        of_weights = array.axes[0] != ROWS and array.axes[-1] % self.lanes == 0
        return array.role == "work" and (self.alone or of_weights)

    def _of_row(self, expr: Access, row: str) -> str:
        return f"{expr.array}[{', '.join([row, *map(self.index, expr.indices[1:])])}]"

    def _choice(self, condition: str, value: str, other: str) -> str:
        return f"select({condition}, {value}, {other})"

    def unseen(self, cases: Any) -> str:
        return "" if self.passed_on else super().unseen(cases)

    def _print_Relational(self, expr: Any) -> str:
        if not self._is_everywhere(expr):
            return super()._print_Relational(expr)
        # What is the same everywhere, in every place of a vector: a mask is what select takes.
        return f"spread({self._print(expr.lhs)}, {self.size}) {expr.rel_op} {self._print(expr.rhs)}"

    def total(self, quantities: set[Any]) -> str:
        text = super().total(quantities)
        return f"spread({text}, {self.size})" if text and self._is_everywhere(*quantities) else text

    def vector(self, expr: Any) -> str:
        """Print a value of which the whole vector is stored."""
        return (
            f"spread({self.doprint(expr)}, {self.size})" if self._is_everywhere(expr) else self.doprint(expr)
        )

    def _is_everywhere(self, *quantities: Any) -> bool:
        """Whether no quantity is a vector, in a place that has the size of one."""
        accesses = [a for e in quantities for a in e.atoms(Access)]
        return bool(self.size) and not any(a in self.held or self.columns in a.indices for a in accesses)

    def _print_sign(self, expr: Any) -> str:
        of, zero = self._print(expr.args[0]), self.number(0)
        low = f"select({of} < {zero}, {self.number(-1)}, {of})"
        return f"select({of} > {zero}, {self.number(1)}, {low})"

    def _print_And(self, expr: Any) -> str:
        return f"({' & '.join(f'({self._print(part)})' for part in expr.args)})"

    def _print_Or(self, expr: Any) -> str:
        return f"({' | '.join(f'({self._print(part)})' for part in expr.args)})"

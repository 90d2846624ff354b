"""How many operations the statements of a kernel take: counted on the program, per equation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from symbp.plan.program import ROWS, Access, Kernel, Loop, Map, Reduce, parts_of


@dataclass(frozen=True)
class Operations:
    """Numbers of scalar operations.

    Attributes
    ----------
    multiplications, additions, divisions : int
        Subtractions are additions; a sign costs nothing.
    functions : int
        Calls of exp, log, tanh and the like, powers that are no products, maxima and choices.
    """

    multiplications: int = 0
    additions: int = 0
    divisions: int = 0
    functions: int = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.divisions + other.divisions,
            self.functions + other.functions,
        )

    def times(self, count: int) -> Operations:
        """Return the operations of a loop of `count` rounds."""
        return Operations(
            count * self.multiplications,
            count * self.additions,
            count * self.divisions,
            count * self.functions,
        )


def of_kernel(kernel: Kernel, rows: int = 1) -> dict[str, Operations]:
    """Return the operations of a kernel by the label of the equation they compute.

    Parameters
    ----------
    kernel : Kernel
    rows : int
        The number of samples of the call.
    """
    found: dict[str, Operations] = {}
    outer = (kernel.sample_loop,) if kernel.sample_loop else ()
    for statement in _parts(kernel):
        label = statement.origin.label
        found[label] = found.get(label, Operations()) + _of_statement(statement, outer, rows)
    return found


def _parts(kernel: Kernel) -> Iterator[Map | Reduce]:
    for statement in kernel.statements:
        yield from parts_of(statement)


def total(counts: Iterable[Operations]) -> Operations:
    """Return the sum."""
    return sum(counts, Operations())


def _of_statement(statement: Map | Reduce, outer: tuple[Loop, ...], rows: int) -> Operations:
    elements = _rounds((*outer, *statement.loops), rows)
    if isinstance(statement, Map):
        return of_value(statement.value).times(elements)
    rounds = elements * _rounds(statement.over, rows)
    each = of_value(statement.value).times(rounds)
    if statement.operation == "max":
        return each + Operations(functions=rounds - elements)
    # Of n terms, n - 1 are added to the first, unless there is something they are added to.
    starts = statement.accumulate or statement.initial is not None
    initial = Operations() if statement.initial is None else of_value(statement.initial).times(elements)
    return each + initial + Operations(additions=rounds if starts else rounds - elements)


def _rounds(loops: Iterable[Loop], rows: int) -> int:
    rounds = 1
    for loop in loops:
        rounds *= rows if loop.extent == ROWS else int(loop.extent)
    return rounds


def of_value(value: Expr) -> Operations:
    """Return the operations of one expression as it is written."""
    if isinstance(value, Access) or not value.args or value.is_number:
        return Operations()
    parts, own = _split(value)
    return total(map(of_value, parts)) + own


def _split(value: Any) -> tuple[tuple[Any, ...], Operations]:
    """Return what is computed first, and the operations that then remain."""
    if isinstance(value, sympy.Add):
        return value.args, Operations(additions=len(value.args) - 1)
    if isinstance(value, sympy.Mul):
        above = tuple(f for f in value.args if f != -1 and not _is_below(f))
        below = tuple(f.base**-f.exp for f in value.args if _is_below(f))
        products = max(len(above) - 1, 0) + max(len(below) - 1, 0)
        return (*above, *below), Operations(multiplications=products, divisions=int(bool(below)))
    if isinstance(value, sympy.Pow) and value.exp.is_Integer:
        power = int(value.exp)
        return (value.base,), Operations(multiplications=abs(power) - 1, divisions=int(power < 0))
    if isinstance(value, sympy.Pow) and value.exp.is_number:
        return (value.base,), Operations(functions=1)
    if isinstance(value, sympy.Piecewise):
        return tuple(branch for branch, _ in value.args), Operations(functions=1)
    return value.args, Operations(functions=1)


def _is_below(factor: Any) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp.is_Integer and bool(factor.exp.is_negative)

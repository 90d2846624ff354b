"""A pass: what runs along the rows of arrays is done on whole registers."""

from __future__ import annotations

from dataclasses import replace

from sympy import Function

from symbp.plan.fusing import OPERATIONS, is_vectorisable, vector_functions
from symbp.plan.program import ROWS, Access, Kernel, Loop, Map, Program, Reduce, Statement
from symbp.plan.tiles import OF_BATCHES, OF_ONE, OF_STEPS, Schedule

# Registers that one statement holds at once.
MOST = 4
# A row shorter than this part of a register is left to loops.
LEAST = 4


def vectorise_rows(program: Program, schedule: Schedule) -> Program:
    """Choose vectors for maps and sums along rows that need no functions but those of registers."""
    functions = vector_functions(schedule)

    def of(kernel: Kernel) -> Kernel:
        if kernel.name not in (*OF_BATCHES, *OF_STEPS, *OF_ONE):
            return kernel
        return replace(
            kernel, statements=tuple(_chosen(x, kernel, schedule, functions) for x in kernel.statements)
        )

    return replace(program, kernels=tuple(map(of, program.kernels)))


def _chosen(statement: Statement, kernel: Kernel, schedule: Schedule, functions: frozenset[str]) -> Statement:
    if isinstance(statement, Map) and (statement.flat or statement.copies):
        return statement
    if not isinstance(statement, (Map, Reduce)) or (isinstance(statement, Reduce) and statement.tile):
        return statement
    if not is_along_rows(statement, kernel, functions):
        return statement
    extent = int(columns_of(statement).extent)
    if extent * LEAST < schedule.lanes and kernel.name not in OF_ONE:
        return statement
    return replace(statement, width=min(extent, MOST * schedule.lanes))


def columns_of(statement: Map | Reduce) -> Loop:
    """Return the loop along the rows of arrays."""
    if isinstance(statement, Map):
        return statement.loops[-1]
    samples = [loop for loop in statement.over if loop.extent == ROWS]
    others = [loop for loop in statement.over if loop not in samples]
    return others[-1]


def is_along_rows(statement: Map | Reduce, kernel: Kernel, functions: frozenset[str]) -> bool:
    """Whether all that a statement moves along its rows lies side by side, and registers can compute it."""
    if not is_vectorisable(statement.value, functions) or not _has_rows(statement):
        return False
    columns = columns_of(statement).index
    along = [a for a in statement.accesses() if columns in a.indices]
    roles = {kernel.array(a.array).role for a in statement.accesses()}
    return (
        bool(along)
        and all(len(a.indices) == 2 and a.indices[0] != columns == a.indices[1] for a in along)
        and roles <= {"work", "weights", "data", "local", "argument"}
        and not _is_side(statement.target, kernel, columns)
    )


def _has_rows(statement: Map | Reduce) -> bool:
    """Whether it is a map over rows, a sum or maximum of every row, or a sum of all of them."""
    if isinstance(statement, Map):
        return len(statement.loops) in (1, 2) and statement.loops[-1].extent != ROWS
    if statement.initial is not None or all(loop.extent == ROWS for loop in statement.over):
        return False
    if is_of_each(statement):
        return len(statement.over) == 1
    return not statement.loops and len(statement.over) <= 2 and statement.operation == "sum"


def is_of_each(statement: Reduce) -> bool:
    """Whether every sample has a sum or maximum of its own; one that stands alone has, too."""
    return not statement.accumulate and (bool(statement.loops) or len(statement.over) == 1)


def _calls(statement: Map | Reduce) -> bool:
    """Whether a function is called, which takes as long for a register as for a number."""
    return any(not isinstance(call, OPERATIONS) for call in statement.value.atoms(Function))


def _is_side(target: Access, kernel: Kernel, columns: object) -> bool:
    """Whether the target is an element of data, or of nothing that registers are stored to."""
    role = kernel.array(target.array).role
    return role not in ("work", "local") or (role == "local" and columns in target.indices)

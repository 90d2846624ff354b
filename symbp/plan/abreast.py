"""A pass: what follows a narrow layer is done for as many samples at once as a register has lanes.

A row of a few outputs fills a part of a register, and its largest number or its sum goes across the
lanes of one. With a lane for each sample and a register for each output, both are operations between
registers, every lane is used, and nothing of softmax, cost or delta is stored but what is read
elsewhere. Which statements these are is seen from their loops: they are the equations'.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Function

from symbp.plan.fusing import OPERATIONS, is_vectorisable, vector_functions
from symbp.plan.program import ROWS, Abreast, Access, Kernel, Loop, Map, Program, Reduce, Statement
from symbp.plan.tiles import OF_BATCHES, OF_STEPS, Schedule

# Outputs up to which each has a register of its own.
WIDEST = 16
# A row that fills no more than this part of a register gains also where nothing is summed over it.
NARROW = 4


def put_abreast(program: Program, schedule: Schedule) -> Program:
    """Join neighbouring statements over samples and a few outputs."""
    functions = vector_functions(schedule)

    def of(kernel: Kernel) -> Kernel:
        if kernel.name not in (*OF_BATCHES, *OF_STEPS):
            return kernel
        statements: list[Statement] = []
        group: list[Map | Reduce] = []
        for statement in (*kernel.statements, None):
            if isinstance(statement, (Map, Reduce)) and _fits(statement, group, kernel, functions):
                group.append(statement)
                continue
            gains = bool(group) and _gains(group, schedule)
            statements += [Abreast(tuple(group), _together(kernel, schedule))] if gains else group
            group = []
            if statement is not None:
                fits = isinstance(statement, (Map, Reduce)) and _fits(statement, group, kernel, functions)
                (group if fits else statements).append(statement)  # type: ignore[arg-type]
        return replace(kernel, statements=tuple(statements))

    return replace(program, kernels=tuple(map(of, program.kernels)))


def _together(kernel: Kernel, schedule: Schedule) -> int:
    """Return how many samples are side by side; where each step has one, it stands in all lanes alone."""
    return 1 if kernel.name in OF_STEPS and schedule.batch_size == 1 else schedule.lanes


def width_of(parts: list[Map | Reduce] | tuple[Map | Reduce, ...]) -> int:
    """Return how many outputs the statements run over; 1 where there are samples only."""
    extents = [int(x.extent) for part in parts for x in _loops(part) if x.extent != ROWS]
    return max(extents, default=1)


def _loops(part: Map | Reduce) -> tuple[Loop, ...]:
    return (*part.loops, *(part.over if isinstance(part, Reduce) else ()))


def _fits(part: Map | Reduce, group: list[Map | Reduce], kernel: Kernel, functions: frozenset[str]) -> bool:
    """Whether a statement runs over samples and the group's few outputs, and registers can compute it."""
    loops = _loops(part)
    if [loop.extent for loop in loops].count(ROWS) != 1 or len(loops) > 2:
        return False
    if isinstance(part, Map) and (part.copies or part.flat):
        return False
    if isinstance(part, Reduce) and not _is_sum_of_outputs(part):
        return False
    width = width_of([part])
    if width > WIDEST or (group and width not in (1, width_of(group)) and width_of(group) != 1):
        return False
    (sample,) = (loop.index for loop in loops if loop.extent == ROWS)
    others = [loop.index for loop in loops if loop.index != sample]
    places = {(sample,), (sample, *others), ()}
    return (
        is_vectorisable(part.value, functions)
        and any(len(access.indices) == len(loops) for access in part.value.atoms(Access))
        and all(access.indices in places for access in part.accesses())
        and all(_is_whole(access, kernel, width) for access in part.accesses())
        and kernel.array(part.target.array).role in ("work", "local")
        and (kernel.array(part.target.array).role == "work") == bool(part.target.indices)
    )


def _is_sum_of_outputs(part: Reduce) -> bool:
    """Whether it is a sum or a maximum for every sample, or the sum of everything."""
    if part.tile is not None or part.initial is not None:
        return False
    if part.loops:
        return part.loops[0].extent == ROWS and not part.accumulate
    return part.accumulate and part.operation == "sum"


def _is_whole(access: Access, kernel: Kernel, width: int) -> bool:
    """Whether an array holds nothing beside what the statement runs over, or is one number."""
    array = kernel.array(access.array)
    if not array.axes:
        return array.role in ("argument", "local")
    return array.role in ("work", "data") and array.axes in ((ROWS,), (ROWS, width))


def _gains(group: list[Map | Reduce], schedule: Schedule) -> bool:
    if any(isinstance(part, Reduce) and part.loops for part in group):
        return True
    calling = [part for part in group if any(map(_is_call, part.value.atoms(Function)))]
    if any(width_of([part]) == 1 for part in calling):
        return True
    return width_of(group) * NARROW <= schedule.lanes and bool(calling or len(group) > 1)


def _is_call(function: Function) -> bool:
    return not isinstance(function, OPERATIONS)

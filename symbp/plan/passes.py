"""The passes over a kernel program, in order. Each is Program -> Program and keeps the values.

A target with other needs (vector registers, threads) is another list of passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Function

from symbp.derivation.records import Derivation
from symbp.elementary import CALLS
from symbp.plan.abreast import put_abreast
from symbp.plan.check import check, is_elementwise
from symbp.plan.fusing import fuse_maps
from symbp.plan.hoist import hoist
from symbp.plan.lower import lower
from symbp.plan.narrow import narrow_products
from symbp.plan.opening import share_inside_math, share_inside_named
from symbp.plan.program import ROWS, Access, Array, Kernel, Loop, Map, Origin, Program, Reduce, Statement
from symbp.plan.resident import keep_weights
from symbp.plan.rows import vectorise_rows
from symbp.plan.sharing import share_functions
from symbp.plan.single import answer_one, prepare_weights
from symbp.plan.step import fuse_step
from symbp.plan.strides import part_rows
from symbp.plan.tiles import Schedule, gather_batch, tile_contractions, turn_weights

Pass = Callable[[Program], Program]


def make_plan(derivation: Derivation, schedule: Schedule = Schedule()) -> Program:  # noqa: B008 - frozen
    """Lower a derivation and run every pass, with the type checker after each.

    Parameters
    ----------
    derivation : Derivation
        Of a network.
    schedule : Schedule
        The machine, the type of the numbers and the size of a batch to choose loops for.

    Returns
    -------
    Program

    Raises
    ------
    PlanError
        If the derivation cannot be lowered or a pass breaks the program.
    """
    program = check(lower(derivation), "lowering")
    for step in passes(schedule):
        program = check(step(program), step.__name__)
    return program


def passes(schedule: Schedule) -> tuple[Pass, ...]:
    """Return the passes for a machine, in order."""
    if not schedule.lanes:
        if schedule.elementary == "fast":
            return PASSES
        return tuple(share_inside_math if p is share_inside_named else p for p in PASSES)

    def fused_step(program: Program) -> Program:
        return fuse_step(program, schedule)

    def resident(program: Program) -> Program:
        return keep_weights(program, schedule)

    def gather(program: Program) -> Program:
        return gather_batch(program, schedule)

    def turn(program: Program) -> Program:
        return turn_weights(program, schedule)

    def tiles(program: Program) -> Program:
        return tile_contractions(program, schedule)

    def abreast(program: Program) -> Program:
        return put_abreast(program, schedule)

    def narrow(program: Program) -> Program:
        return narrow_products(program, schedule)

    def fuse(program: Program) -> Program:
        return fuse_maps(program, schedule)

    def rows(program: Program) -> Program:
        return vectorise_rows(program, schedule)

    def strides(program: Program) -> Program:
        return part_rows(program, schedule)

    return (
        hoist,
        share_functions,
        share_inside_named if schedule.elementary == "fast" else share_inside_math,
        fused_step,
        resident,
        answer_one,
        gather,
        turn,
        prepare_weights,
        tiles,
        abreast,
        narrow,
        fuse,
        schedule_loops,
        vectorise_functions,
        rows,
        strides,
    )


# Below this many neurons a row of them fills no vector register, and the copy gains nothing.
NARROW = 8


def transpose_weights(program: Program) -> Program:
    """Give sums that run along the rows of W_k a transposed copy, so neighbours lie side by side.

    In the forward pass neighbouring neurons (the innermost loop) are a row of W_k apart; in
    the copy they are one element apart and the loop vectorises. The copy costs one pass over
    the weights for every batch.
    """
    return replace(program, kernels=tuple(map(_transpose_in, program.kernels)))


def _transpose_in(kernel: Kernel) -> Kernel:
    statements: list[Statement] = []
    arrays = list(kernel.arrays)
    for statement in kernel.statements:
        if isinstance(statement, Reduce) and statement.is_contraction and statement.target.indices:
            last = statement.target.indices[-1]
            for access in sorted(statement.value.atoms(Access), key=str):
                array = kernel.array(access.array)
                wide = array.axes[0] != ROWS and array.axes[0] >= NARROW
                if array.role == "weights" and access.indices[0] == last and wide:
                    copy = Array(array.name.replace("W", "V"), (array.axes[1], array.axes[0]), "work")
                    arrays.append(copy)
                    statements.append(_copy(copy, access, statement))
                    read = Access(copy.name, access.indices[1], access.indices[0])
                    statement = replace(statement, value=statement.value.xreplace({access: read}))
        statements.append(statement)
    return replace(kernel, arrays=tuple(arrays), statements=tuple(statements))


def _copy(copy: Array, access: Access, statement: Reduce) -> Map:
    row, column = access.indices
    extents = {loop.index: loop for loop in (*statement.loops, *statement.over)}
    origin = Origin(statement.origin.label, f"{copy.name} is the transpose of {access.array}")
    return Map(Access(copy.name, column, row), (extents[row], extents[column]), access, origin)


def schedule_loops(program: Program) -> Program:
    """Choose the order of the loops of every sum.

    If the target's last index is also the last index of every array that it stands in, its
    loop goes innermost: all accesses then step by one element and nothing has to be
    reassociated to vectorise. Otherwise the sum stays in a register.
    """
    return replace(
        program,
        kernels=tuple(
            replace(kernel, statements=tuple(map(_schedule_statement, kernel.statements)))
            for kernel in program.kernels
        ),
    )


def _schedule_statement(statement: Statement) -> Statement:
    if not isinstance(statement, Reduce) or not statement.is_contraction or not statement.loops:
        return statement
    if statement.tile is not None:
        return statement
    inner: Loop = statement.loops[-1]
    reads = [a for a in statement.value.atoms(Access) if inner.index in a.indices]
    side_by_side = statement.target.indices[-1] == inner.index and all(
        a.indices[-1] == inner.index for a in reads
    )
    return replace(statement, inner=inner) if side_by_side and reads else statement


def vectorise_functions(program: Program) -> Program:
    """Give calls of exp, tanh and the like one long loop instead of short ones.

    A row of a narrow layer fills no vector register, but all elements of an array lie side by
    side. Where only the argument keeps a call from such a loop (softmax: exp(c_q - mu), with one
    mu for a row), the argument is computed first, into the target.
    """
    return replace(program, kernels=tuple(map(_vectorise_in, program.kernels)))


def _vectorise_in(kernel: Kernel) -> Kernel:
    statements: list[Statement] = []
    for statement in kernel.statements:
        if not isinstance(statement, Map) or len(statement.loops) < 2 or kernel.sample_loop is not None:
            statements.append(statement)
            continue
        statements += _with_long_loop(statement, kernel)
    return replace(kernel, statements=tuple(statements))


def _with_long_loop(statement: Map, kernel: Kernel) -> list[Statement]:
    flat, value = replace(statement, flat=True), statement.value
    if _calls(value) and is_elementwise(flat, kernel):
        return [flat]
    if _is_call(value):
        call = replace(flat, value=value.func(statement.target))
        if is_elementwise(call, kernel):
            return [replace(statement, value=value.args[0]), call]
    return [statement]


def _is_call(value: Any) -> bool:
    """Whether a value is one call of an elementary function and its argument has none."""
    return _is_elementary(value) and len(value.args) == 1 and not _calls(value.args[0])


def _calls(value: Any) -> bool:
    return any(map(_is_elementary, value.atoms(Function)))


def _is_elementary(call: Any) -> bool:
    """Whether an expression calls an elementary function, or one of our own with a stable form of such."""
    return call.func.__name__ in CALLS or hasattr(call, "stable")


PASSES: tuple[Pass, ...] = (
    hoist,
    share_functions,
    share_inside_named,
    answer_one,
    transpose_weights,
    prepare_weights,
    schedule_loops,
    vectorise_functions,
)

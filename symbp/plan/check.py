"""The type checker of kernel programs, run after the lowering and after each pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbp.algebra.nodes import eta
from symbp.errors import PlanError
from symbp.plan.access import elements, letters, letters_outside
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Fused,
    Kernel,
    Loop,
    Map,
    Program,
    Reduce,
    Statement,
    Sweep,
    parts_of,
)


def check(program: Program, after: str) -> Program:
    """Return the program if it is well formed.

    Every access names a declared array with as many indices as it has axes, every index is a
    loop of its statement (or a literal) that stays within the axis, every work array is
    written before it is read, and no statement reads what it writes but element by element.

    Raises
    ------
    PlanError
        Names the pass, the kernel, the statement's equation, the array and the index.
    """
    filled: set[str] = set()
    for kernel in program.kernels:
        arrays = {array.name: array for array in kernel.arrays}
        if len(arrays) != len(kernel.arrays):
            raise PlanError(f"after {after}: {kernel.name} declares an array twice")
        known = set(filled) | {a.name for a in kernel.arrays if a.role in _GIVEN}
        for statement in kernel.statements:
            _check_schedule(statement, kernel, arrays, after)
            for part in parts_of(statement):
                where = _Where(after, kernel.name, part)
                inside = statement.loops if isinstance(statement, (Sweep, Fused)) else ()
                _check_statement(kernel, part, arrays, known, where, inside)
                if kernel.name == "update" and after != "lowering":
                    _check_types(part, arrays, where)
                known.add(part.target.array)
            # What is held in registers is gone afterwards.
            known -= {a.array for a in statement.accesses() if arrays[a.array].role == "register"}
        filled |= {name for name in known if name in arrays and arrays[name].role == "work"}
    return program


# What a kernel is given, and may read from the start.
_GIVEN = ("weights", "data", "flat", "state", "gradient", "argument")


@dataclass(frozen=True)
class _Where:
    """The place of a statement, for messages: written only where there is something to say."""

    after: str
    kernel: str
    statement: Map | Reduce

    def __str__(self) -> str:
        label, target = self.statement.origin.label, self.statement.target
        return f"after {self.after}: {self.kernel}, ({label}) {target}"


def _check_types(statement: Map | Reduce, arrays: dict[str, Array], where: _Where) -> None:
    """A loop over the weights holds numbers of their type only: arrays, factors and the learning rate."""
    if not statement.loops:
        return
    for access in elements(statement.value):
        if arrays[access.array].role == "scalar":
            raise PlanError(f"{where}: reads {access}, which is in double precision, for every weight")
    known = {eta, *(loop.index for loop in statement.loops)}
    strange = {x for x in letters(statement.value) - known if not isinstance(x, Access)}
    if strange:
        raise PlanError(f"{where}: {sorted(map(str, strange))} is no number of the weights' type")


def _check_schedule(statement: Statement, kernel: Kernel, arrays: dict[str, Array], after: str) -> None:
    """Check blocks of registers, and what is done to the sums in them."""
    reduce = statement.reduce if isinstance(statement, Fused) else statement
    if not isinstance(reduce, Reduce):
        return
    where = _Where(after, kernel.name, reduce)
    tile = reduce.tile
    if isinstance(statement, Fused):
        if tile is None and kernel.name not in _NOT_YET_TILED:
            raise PlanError(f"{where}: something is fused into it, but it has no tile")
        for part in (*statement.parts, *statement.update):
            same_element = part.target.indices == reduce.target.indices
            if not same_element and arrays[part.target.array].axes:
                raise PlanError(f"{where}: {part.target} is fused into it, and is another element")
    if tile is None:
        return
    loops = (tile.columns,) if tile.rows is None else (tile.rows, tile.columns)
    if loops != reduce.loops:
        raise PlanError(f"{where}: the tile runs over {[str(x.index) for x in loops]}, the target does not")
    if sum(tile.widths) != tile.columns.extent or tile.height < 1:
        raise PlanError(f"{where}: blocks of {tile.widths} columns, the target has {tile.columns.extent}")
    for access in statement.accesses():
        if tile.columns.index in access.indices[:-1]:
            raise PlanError(f"{where}: {access} has no neighbours side by side along {tile.columns.index}")


# The fused step is made before its tiles are chosen.
_NOT_YET_TILED = ("descend",)


def _check_statement(
    kernel: Kernel,
    statement: Map | Reduce,
    arrays: dict[str, Array],
    known: set[str],
    where: _Where,
    inside: tuple[Loop, ...],
) -> None:
    over = statement.over if isinstance(statement, Reduce) else ()
    outer = (kernel.sample_loop,) if kernel.sample_loop else ()
    loops = {loop.index: loop.extent for loop in (*outer, *statement.loops, *over)}
    if len(loops) != len(outer) + len(statement.loops) + len(over):
        raise PlanError(f"{where}: two loops have the same index")
    reads = elements(statement.value)
    if isinstance(statement, Reduce) and statement.initial is not None:
        reads |= elements(statement.initial)
    in_order = sorted(reads, key=str)  # the same message in every run
    for access in (statement.target, *in_order):
        _check_access(access, arrays, loops, where)
    for access in in_order:
        if access.array not in known:
            raise PlanError(f"{where}: reads {access.array} before it is written")
        if access.array == statement.target.array and (
            isinstance(statement, Reduce) or access != statement.target
        ):
            raise PlanError(f"{where}: reads {access} while it writes {statement.target}")
    if isinstance(statement, Reduce) and statement.operation != "sum" and statement.initial is not None:
        raise PlanError(f"{where}: a {statement.operation} has no initial value")
    if isinstance(statement, Map):
        summed = {x for x in letters(statement.value) if x in loops} - _indices(statement.target)
        if summed - {loop.index for loop in (*outer, *inside)}:
            raise PlanError(f"{where}: {sorted(map(str, summed))} is no index of the target")
        if statement.flat and not is_elementwise(statement, kernel):
            raise PlanError(f"{where}: is flat, but not everything in it is the same element of like arrays")
    if (
        isinstance(statement, Reduce)
        and statement.inner is not None
        and statement.inner not in statement.loops
    ):
        raise PlanError(f"{where}: the inner loop {statement.inner.index} is no loop of the target")


def is_elementwise(statement: Map, kernel: Kernel) -> bool:
    """Return whether target and reads are the same element of work arrays with the same axes, all of them."""
    target = statement.target
    accesses = statement.accesses()
    arrays = [kernel.array(access.array) for access in accesses]
    return (
        all(access.indices == target.indices for access in accesses)
        and all(array.role == "work" and array.axes == arrays[0].axes for array in arrays)
        and [(loop.index, loop.extent) for loop in statement.loops]
        == list(zip(target.indices, arrays[0].axes, strict=True))
        # What stands outside of the elements must not depend on where the loop is.
        and letters_outside(statement.value).isdisjoint(target.indices)
    )


def _indices(access: Access) -> set[Any]:
    return {x for x in access.indices if not x.is_Integer}


def _check_access(access: Access, arrays: dict[str, Array], loops: dict[Any, Any], where: _Where) -> None:
    if access.array not in arrays:
        raise PlanError(f"{where}: {access.array} is not declared")
    axes = arrays[access.array].axes
    if len(access.indices) != len(axes):
        raise PlanError(
            f"{where}: {access} has {len(access.indices)} indices, {access.array} has {len(axes)} axes"
        )
    for position, axis in zip(access.indices, axes, strict=True):
        if position.is_Integer:
            # Of a number that is not known, there is row 0 at least.
            if not 0 <= int(position) < (1 if axis == ROWS else axis):
                raise PlanError(f"{where}: {access} is outside {access.array}{list(axes)}")
        elif position not in loops:
            raise PlanError(f"{where}: {access} uses the index {position}, which no loop runs over")
        elif (loops[position] == ROWS) != (axis == ROWS):
            raise PlanError(
                f"{where}: {access} runs {position} over {loops[position]} along an axis of {axis}"
            )
        elif axis != ROWS and loops[position] > axis:
            raise PlanError(f"{where}: {access} runs {position} up to {loops[position]}, the axis has {axis}")

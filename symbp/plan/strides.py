"""A pass: rows of arrays do not begin at multiples of half a page.

A cache has a few places for lines whose addresses differ by a multiple of a power of two, and a block of a
product reads the same columns of many rows. Rows of 512 numbers of 8 bytes would share two sets of a
first-level cache, which holds a dozen lines in each: a step then waits for the second level all the time.
One line more, which nothing reads, and neighbouring rows lie in neighbouring sets.
"""

from __future__ import annotations

from dataclasses import replace

from symbp.plan.fusing import RESULTS
from symbp.plan.program import Abreast, Array, Map, Program
from symbp.plan.tiles import Schedule
from symbp.target import BITS

# Bytes: half the distance at which first-level caches begin anew.
STRIDE = 2048


def part_rows(program: Program, schedule: Schedule) -> Program:
    """Lengthen the rows of work arrays that are multiples of :data:`STRIDE` by a cache line."""
    size = BITS[schedule.dtype] // 8
    whole = _without_gaps(program)

    def of(array: Array) -> Array:
        if array.role != "work" or len(array.axes) != 2 or array.name in whole:
            return array
        rows, columns = array.axes
        if int(columns) * size % STRIDE:
            return array
        return replace(array, axes=(rows, int(columns) + schedule.target.line // size))

    kernels = (replace(k, arrays=tuple(map(of, k.arrays))) for k in program.kernels)
    return replace(program, kernels=tuple(kernels))


def _without_gaps(program: Program) -> set[str]:
    """Return the arrays that something takes as one row of numbers, or hands over as they are."""
    found = {name for _, name in RESULTS}
    for kernel in program.kernels:
        for statement in kernel.statements:
            if isinstance(statement, Abreast) or (isinstance(statement, Map) and statement.flat):
                found |= {access.array for access in statement.accesses()}
    return found

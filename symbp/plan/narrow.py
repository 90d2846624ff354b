"""A pass: a product with a few outputs is computed where its outputs are wanted, a sample in each lane.

A row of two outputs fills two lanes of a register, and a product pays for all. Where what follows has a
sample in each lane and the weights of the layer are kept upright, there are two other ways. Of very few
outputs, a sum goes along a row of the layer below and a row of weights, both of which lie side by side; the
sums of the lanes of as many samples as a register has lanes are then taken at once: register by register
they become one, a lane for each. Of more, a block of the layer below is turned, so that a register has one
neuron of as many samples, and is multiplied by one weight of each output.
"""

from __future__ import annotations

from dataclasses import replace

from symbp.plan.program import Abreast, Access, Kernel, Map, Program, Reduce, Statement
from symbp.plan.tiles import Schedule, factors

# Up to this part of a register, outputs have a sum along rows each.
PART = 4
# Up to this part of their registers, outputs have a register each; beyond, a product pays for little else.
FILLED = 0.75


def narrow_products(program: Program, schedule: Schedule) -> Program:
    """Take the products of few outputs into the loops that read them, in the step of training."""
    names = {kernel.name: kernel for kernel in program.kernels}
    if "measure" not in names:
        return program
    kept = {array.name for array in names["descend"].arrays if array.role == "work"}
    statements: list[Statement] = []
    freed: set[str] = set()
    for statement in names["measure"].statements:
        before = statements[-1] if statements else None
        if isinstance(before, Reduce) and isinstance(statement, Abreast):
            product = _upright(before, statement, kept, schedule)
            if product is not None:
                freed.add(factors(before)[1].array)
                statements[-1] = replace(statement, parts=(product, *statement.parts))
                continue
        statements.append(statement)
    changed = {"measure": _with(names["measure"], names["descend"], statements)}
    if "lay" in names:
        rest = [s for s in names["lay"].statements if s.target.array not in freed]
        changed["lay"] = _with(names["lay"], names["descend"], rest)
    kernels = (changed.get(kernel.name, kernel) for kernel in program.kernels)
    return replace(program, kernels=tuple(k for k in kernels if k.statements or k.name != "lay"))


def _upright(reduce: Reduce, reader: Abreast, kept: set[str], schedule: Schedule) -> Reduce | None:
    """Return the product by rows of weights; None where it stays as it is."""
    if reduce.tile is None or reduce.tile.rows is None or reader.lanes != schedule.lanes:
        return None
    wide, length = reduce.tile.columns.extent, reduce.over[0].extent
    first, along = factors(reduce)
    weights = along.array.replace("V", "W")
    if first is None or not along.array.startswith("V") or weights not in kept:
        return None
    if not isinstance(wide, int) or not isinstance(length, int):
        return None
    read = any(access.array == reduce.target.array for access in reader.accesses())
    taken = sums_along_rows(wide, length, schedule.lanes) or _is_turned(wide, length, schedule)
    if not read or not taken:
        return None
    turned = Access(weights, *reversed(along.indices))
    return replace(reduce, tile=None, value=reduce.value.xreplace({along: turned}))


def sums_along_rows(wide: int, length: int, lanes: int) -> bool:
    """Whether each output is a sum along rows of weights, not of turned blocks."""
    return wide * PART <= lanes <= length


def _is_turned(wide: int, length: int, schedule: Schedule) -> bool:
    """Whether blocks of the layer below are turned: whole ones, a register for each row and each output."""
    held = wide + schedule.lanes + 2
    few = wide <= FILLED * schedule.padded(wide)
    return few and length % schedule.lanes == 0 and held <= schedule.target.registers


def is_narrow(part: Map | Reduce) -> bool:
    """Whether a part of statements abreast is such a product."""
    return isinstance(part, Reduce) and len(part.loops) == 2 and part.is_contraction


def _with(kernel: Kernel, other: Kernel, statements: list[Statement]) -> Kernel:
    """Return the kernel with these statements and the arrays that they name."""
    arrays = {array.name: array for array in (*kernel.arrays, *other.arrays)}
    used = {access.array for statement in statements for access in statement.accesses()}
    return Kernel(kernel.name, tuple(a for a in arrays.values() if a.name in used), tuple(statements))

"""A pass: what follows a contraction element by element is done while the sum is in a register."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Piecewise
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Or

from symbp.algebra.marks import First, Raised
from symbp.algebra.named import LETTERS, NAMED
from symbp.algebra.nodes import eta
from symbp.elementary import CALLS
from symbp.plan.program import Abreast, Access, Fused, Kernel, Map, Program, Reduce, Statement, parts_of
from symbp.plan.tiles import OF_BATCHES, OF_ONE, OF_STEPS, RESIDENT, Schedule

# What vector registers can do with a value without a function of ours; the rest stays a loop of its own.
OPERATIONS = (sympy.Add, sympy.Mul, Piecewise, Relational, And, Or, sympy.Abs, sympy.sign, First, Raised)
_POWERS = 4
# What is there for others than kernels.
RESULTS = (("forward", "H"),)


def vector_functions(schedule: Schedule) -> frozenset[str]:
    """Return the functions, by the names of their classes, that a schedule's vector registers compute.

    They are those that kernels bring along, unless they hold for some arguments only, and named
    ones whose stable form consists of such.
    """
    if not schedule.lanes or schedule.elementary != "fast":
        return frozenset()
    own = frozenset(name for name, record in CALLS.items() if not record.reach)
    named = (
        kind for kind in NAMED if is_vectorisable(kind(*LETTERS[: next(iter(kind.nargs))]).stable(), own)
    )
    return own | {kind.__name__ for kind in named}


def is_vectorisable(value: Any, functions: frozenset[str] = frozenset()) -> bool:
    """Whether a value consists of operations that vector registers have, and of these functions."""
    if isinstance(value, Access) or value.is_number or value == eta or not value.args:
        return True
    if isinstance(value, sympy.Pow):
        exponent = value.exp
        small = exponent.is_Integer and abs(exponent) <= _POWERS
        root = exponent.is_Rational and abs(exponent) == sympy.Rational(1, 2)
        return bool(small or root) and is_vectorisable(value.base, functions)
    known = isinstance(value, OPERATIONS) or value.func.__name__ in functions
    if isinstance(value, sympy.Function) and not known:
        return False
    if not known and not isinstance(value, (sympy.Tuple, sympy.functions.elementary.piecewise.ExprCondPair)):
        return False
    return all(is_vectorisable(part, functions) for part in value.args)


def fuse_maps(program: Program, schedule: Schedule) -> Program:
    """Take the maps that follow a tiled contraction into it; a sum that nobody else reads is never stored."""
    functions = vector_functions(schedule)
    others = tuple(k.name for k in program.kernels if k.name not in (*OF_STEPS, *OF_ONE, RESIDENT))
    of_rows = (*OF_BATCHES, *OF_STEPS, *OF_ONE)
    for group in (others, OF_STEPS, OF_ONE):
        kernels = [kernel for kernel in program.kernels if kernel.name in group]
        fused = {k.name: _fused(k, functions) if k.name in of_rows else k for k in kernels}
        read = {
            access.array
            for kernel in fused.values()
            for statement in kernel.statements
            for access in _reads_from_outside(statement)
        }
        done = {name: _in_registers(kernel, read) for name, kernel in fused.items()}
        program = replace(program, kernels=tuple(done.get(k.name, k) for k in program.kernels))
    return program


def _fused(kernel: Kernel, functions: frozenset[str]) -> Kernel:
    statements: list[Statement] = []
    for statement in kernel.statements:
        before = statements[-1] if statements else None
        if isinstance(before, Reduce) and before.tile is not None:
            before = Fused(before, ())
        if isinstance(statement, Map) and isinstance(before, Fused) and not before.update:
            part = _as_part(statement, before, kernel, functions)
            if part is not None:
                statements[-1] = replace(before, parts=(*before.parts, part))
                continue
        statements.append(statement)
    return replace(kernel, statements=tuple(statements))


def _as_part(statement: Map, before: Fused, kernel: Kernel, functions: frozenset[str]) -> Map | None:
    """Return the map in the loops of the contraction before it; None where it has to wait."""
    reduce = before.reduce
    if len(statement.loops) != len(reduce.loops) or reduce.accumulate:
        return None
    if [x.extent for x in statement.loops] != [x.extent for x in reduce.loops]:
        return None
    same = {old.index: new.index for old, new in zip(statement.loops, reduce.loops, strict=True)}
    target, value = statement.target.xreplace(same), statement.value.xreplace(same)
    if target.indices != reduce.target.indices or not is_vectorisable(value, functions):
        return None
    if kernel.array(target.array).role != "work":
        return None
    columns = reduce.loops[-1].index
    made = {step.target.array: step.target for step in before.steps}
    if not any(access.array in made for access in value.atoms(Access)):
        return None  # it has nothing to do with the sum
    for access in value.atoms(Access):
        if access.array in made and access != made[access.array]:
            return None
        if columns in access.indices and (columns in access.indices[:-1] or len(access.indices) != 2):
            return None
        if kernel.array(access.array).role not in ("work", "weights"):
            return None
    return replace(statement, target=target, loops=reduce.loops, value=value, flat=False)


def _reads_from_outside(statement: Statement) -> set[Access]:
    """Return what a statement reads that it has not just computed itself."""
    if isinstance(statement, (Fused, Abreast)):
        made: set[str] = set()
        found: set[Access] = set()
        for step in parts_of(statement):
            found |= {a for a in reads(step) if a.array not in made}
            made.add(step.target.array)
        return found
    return reads(statement)


def reads(statement: Statement) -> set[Access]:
    """Return what a statement that is none of several reads; a sum that goes on reads its target."""
    found = set(statement.value.atoms(Access))
    if isinstance(statement, Reduce):
        found |= statement.initial.atoms(Access) if statement.initial is not None else set()
        found |= {statement.target} if statement.accumulate else set()
    return found


def _in_registers(kernel: Kernel, read: set[str]) -> Kernel:
    """Make numbers that only their own statement reads ones that are never stored."""
    private = {
        statement.reduce.target.array
        for statement in kernel.statements
        if isinstance(statement, Fused) and statement.reduce.target.array != statement.target.array
    }
    private |= {
        part.target.array
        for statement in kernel.statements
        if isinstance(statement, Abreast)
        for part in statement.parts
        if (kernel.name, part.target.array) not in RESULTS
    }
    arrays = tuple(
        replace(array, role="register") if array.name in private - read and array.role == "work" else array
        for array in kernel.arrays
    )
    return replace(kernel, arrays=arrays)

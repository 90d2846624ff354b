"""Passes: the outputs of one sample, from weights that lie where a product along neurons wants them.

Code that asks for one output after the other (a controller, an environment that is simulated)
has nothing to share copies of the weights among; it makes them once::

    prepare   copies of W_k that the forward pass reads, such as V_k
    answer    the forward pass of a single sample, on them
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import S

from symbp.plan.program import ROWS, Kernel, Loop, Map, Program, Reduce, Statement


def answer_one(program: Program) -> Program:
    """Add the forward pass of one sample: row 0 of everything that has a row for each sample."""
    forward = program.kernel("forward")
    statements = tuple(map(_of_one, forward.statements))
    arrays = tuple(replace(a, role="argument") if a.role == "data" else a for a in forward.arrays)
    return replace(program, kernels=(*program.kernels, Kernel("answer", arrays, statements)))


def _of_one(statement: Statement) -> Statement:
    assert isinstance(statement, (Map, Reduce))  # made before anything is fused
    rows = {loop.index: S.Zero for loop in statement.loops if loop.extent == ROWS}
    changes: dict[str, Any] = {
        "target": statement.target.xreplace(rows),
        "loops": _without(statement.loops),
        "value": statement.value.xreplace(rows),
    }
    if isinstance(statement, Reduce) and statement.initial is not None:
        changes["initial"] = statement.initial.xreplace(rows)
    return replace(statement, **changes)


def _without(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
    return tuple(loop for loop in loops if loop.extent != ROWS)


def prepare_weights(program: Program) -> Program:
    """Take the copies of weights out of the forward pass of one sample: they are made once."""
    answer = program.kernel("answer")
    copies = tuple(s for s in answer.statements if _is_copy(s, answer))
    rest = tuple(s for s in answer.statements if s not in copies)
    made = (_kernel("prepare", answer, copies), _kernel("answer", answer, rest))
    return replace(program, kernels=(*(k for k in program.kernels if k != answer), *made))


def _is_copy(statement: Statement, kernel: Kernel) -> bool:
    return all(kernel.array(a.array).role == "weights" for a in statement.accesses() - {statement.target})


def _kernel(name: str, kernel: Kernel, statements: tuple[Statement, ...]) -> Kernel:
    used = {access.array for statement in statements for access in statement.accesses()}
    return Kernel(name, tuple(a for a in kernel.arrays if a.name in used), statements)

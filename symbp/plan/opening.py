"""A pass: named functions with an exponential in common are written out, and evaluate it once.

sigmoid(u), sigmoid(-u) and softplus(u) are all computed from exp(-|u|): the unit swish needs two
of them, the first on the way forward, the other on the way back. A named function that has
nothing in common with another stays a call, which reads better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr

from symbp.algebra.named import LETTERS, Named
from symbp.plan.program import Kernel, Program
from symbp.plan.sharing import LEFT_ALONE, calls, canonical, share_functions


def share_inside_named(program: Program) -> Program:
    """Return the program with the calls that named functions make inside shared too."""
    values = [x.value for kernel in program.kernels if _is_shared(kernel) for x in kernel.statements]
    users: dict[Expr, set[Expr]] = {}
    for call in (call for value in values for call in calls(value)):
        for inner in _inside(call) if isinstance(call, Named) else [call]:
            users.setdefault(canonical(inner), set()).add(canonical(call))
    opened = {user for found in users.values() if len(found) > 1 for user in found if isinstance(user, Named)}
    if not opened:
        return program

    def written_out(value: Expr) -> Expr:
        found = {e for e in calls(value) if isinstance(e, Named) and canonical(e) in opened}
        return value.xreplace({e: e.stable() for e in found})

    kernels = (
        replace(kernel, statements=tuple(replace(x, value=written_out(x.value)) for x in kernel.statements))
        if _is_shared(kernel)
        else kernel
        for kernel in program.kernels
    )
    return share_functions(replace(program, kernels=tuple(kernels)))


def _is_shared(kernel: Kernel) -> bool:
    return kernel.name not in LEFT_ALONE


def _inside(call: Named) -> Iterator[Expr]:
    """Yield what the stable form of a named function calls, but not what its arguments do."""
    if call.has(sympy.Piecewise) or any(argument.has(Named) for argument in call.args):
        return  # a case distinction on a case distinction is nothing that kernels read
    letters: Any = LETTERS[: len(call.args)]
    own = dict(zip(letters, call.args, strict=True))
    yield from (e.xreplace(own) for e in calls(call.func(*letters).stable()))

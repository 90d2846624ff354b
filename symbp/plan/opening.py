"""A pass: functions with an exponential in common are written out, and evaluate it once.

sigmoid(u), sigmoid(-u) and softplus(u) are all computed from exp(-|u|): the unit swish needs two
of them, the first on the way forward, the other on the way back; the cost log cosh and its
derivative tanh have expm1(-|u|) in common, the normal distribution and its density, which the
unit gelu needs, exp(-u^2/2). A function that has nothing in common with another
stays as it is, which reads better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sympy
from sympy import Abs, Expr, Piecewise, exp
from sympy.codegen.cfunctions import expm1

from symbp.algebra.named import LETTERS, Erfc, LogCosh, Named, NormalCdfBy, Sigmoid
from symbp.plan.program import Kernel, Program
from symbp.plan.sharing import LEFT_ALONE, calls, canonical, share_functions


class Logistic(sympy.Function):
    """1/(1 + exp(-u)) as a formula has it, while this pass decides how to compute it."""

    nargs = 1
    is_real = True


class LogOfCosh(sympy.Function):
    """log(cosh(u)), likewise."""

    nargs = 1
    is_real = True


def tanh_from_expm1(u: Any) -> Expr:
    """Return tanh(u) as a rational function of expm1(-\\|u\\|)."""
    e = expm1(-Abs(u))
    return Piecewise((e, u <= 0), (-e, True)) * (2 + e) / (1 + (1 + e) ** 2)


def erfc_by_gauss(argument: Any) -> Expr:
    """Return erfc(u), twice the normal distribution at -sqrt(2) u, with exp(-u^2) as a call beside it."""
    return 2 * NormalCdfBy(-sympy.sqrt(2) * argument, exp(-(argument**2)))


_Forms = Mapping[Any, Callable[[Any], Expr]]

# What else is computed from an exponential of -|u| where something beside it is.
WRITTEN_OUT: _Forms = {
    sympy.tanh: tanh_from_expm1,
    Logistic: lambda u: Sigmoid(u).stable(),
    LogOfCosh: lambda u: LogCosh(u).stable(),
    Erfc: erfc_by_gauss,
}
# What a formula has where that is not taken.
_AS_WRITTEN: dict[Any, Callable[[Any], Expr]] = {
    Logistic: lambda u: 1 / (1 + exp(-u)),
    LogOfCosh: lambda u: sympy.log(sympy.cosh(u)),
}


def share_inside_named(program: Program) -> Program:
    """Return the program with the calls that functions make inside shared too."""
    return _shared(program, WRITTEN_OUT)


def share_inside_math(program: Program) -> Program:
    """Do the same where kernels call Python's ``math``, which has an erfc and needs nothing beside it."""
    return _shared(program, {kind: form for kind, form in WRITTEN_OUT.items() if kind is not Erfc})


def _shared(program: Program, forms: _Forms) -> Program:
    changed = _with_values(program, _named_shapes)
    values = [x.value for kernel in changed.kernels if _is_shared(kernel) for x in kernel.statements]
    users: dict[Expr, set[Expr]] = {}
    for call in (call for value in values for call in calls(value)):
        for inner in _inside(call, forms):
            users.setdefault(canonical(inner), set()).add(canonical(call))
    opened = {user for found in users.values() if len(found) > 1 for user in found if _opens(user, forms)}
    if not opened:
        return program

    def written_out(value: Expr) -> Expr:
        found = [e for e in calls(value) if canonical(e) in opened]
        value = value.xreplace({e: _written_out(e) for e in found})
        for kind, written in _AS_WRITTEN.items():
            value = value.replace(kind, written)
        return value

    return share_functions(_with_values(changed, written_out))


def _with_values(program: Program, written: Callable[[Expr], Expr]) -> Program:
    kernels = (
        replace(kernel, statements=tuple(replace(x, value=written(x.value)) for x in kernel.statements))
        if _is_shared(kernel)
        else kernel
        for kernel in program.kernels
    )
    return replace(program, kernels=tuple(kernels))


def _is_shared(kernel: Kernel) -> bool:
    return kernel.name not in LEFT_ALONE


def _opens(call: Any, forms: _Forms) -> bool:
    if isinstance(call, Erfc):  # of other arguments kernels have no ratio
        return Erfc in forms and not (sympy.sqrt(2) * call.args[0]).has(sympy.sqrt(2))
    return isinstance(call, Named) or type(call) in forms


def _written_out(call: Any) -> Expr:
    own: Expr = call.stable() if isinstance(call, Named) else WRITTEN_OUT[type(call)](*call.args)
    return own


def _inside(call: Any, forms: _Forms) -> Iterator[Expr]:
    """Yield what the written-out form of a function calls, but not what its arguments do."""
    if not _opens(call, forms):
        yield call
        return
    if call.has(sympy.Piecewise) or any(argument.has(Named) for argument in call.args):
        return  # a case distinction on a case distinction is nothing that kernels read
    letters: Any = LETTERS[: len(call.args)]
    own = dict(zip(letters, call.args, strict=True))
    yield from (e.xreplace(own) for e in calls(_written_out(call.func(*letters))))


def _named_shapes(value: Expr) -> Expr:
    """Name every 1/(1 + exp(-u)) and every log(cosh(u))."""
    value = value.replace(
        lambda e: e.is_Pow and e.exp.is_Integer and e.exp.is_negative and _exponent(e.base) is not None,
        lambda e: Logistic(-_exponent(e.base)) ** -e.exp,
    )
    return value.replace(
        lambda e: isinstance(e, sympy.log) and isinstance(e.args[0], sympy.cosh),
        lambda e: LogOfCosh(e.args[0].args[0]),
    )


def _exponent(total: Any) -> Any:
    """Return u of 1 + exp(u), if that is what stands here."""
    if not (isinstance(total, sympy.Add) and len(total.args) == 2 and sympy.S.One in total.args):
        return None
    return next((term.args[0] for term in total.args if isinstance(term, exp)), None)

"""The value of a record's formula at numbers, with as many digits as are asked for (mpmath)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy

from symbp.algebra.named import LETTERS, Named
from symbp.derivation.oracles.text import mp as _mp
from symbp.errors import DerivationError
from symbp.functions.parse import Total

# Beyond, an exponential is infinity or 0 for every purpose here, and would take for ever:
# its own exponent would have that many digits.
_LARGE = 10**1000


def _exp(x: Any) -> Any:
    if abs(x) < 1000 or isinstance(x, _mp.mpc):
        return _mp.exp(x)
    if abs(x) > _LARGE:
        return _mp.inf if x > 0 else _mp.mpf(0)
    # mpmath takes whole numbers to powers of e, which is slow for large ones.
    with _mp.extraprec(_mp.mag(x)):
        twos = int(_mp.nint(x / _mp.ln2))
        rest = _mp.exp(x - twos * _mp.ln2)
    return _mp.ldexp(rest, twos)


def _tanh(x: Any) -> Any:
    if abs(x) < 1000 or isinstance(x, _mp.mpc):
        return _mp.tanh(x)
    return _mp.sign(x) * (1 - 2 / (_exp(2 * abs(x)) + 1))


def _bounded(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that has no value at what is too large for its digits to be known."""
    return lambda x: function(x) if abs(x) < _LARGE else _mp.nan


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda x: _exp(x),
    "expm1": lambda x: _mp.expm1(x) if abs(x) < 1 else _exp(x) - 1,
    "log": _mp.log,
    "log1p": lambda x: _mp.log1p(x) if x > -1 else _mp.log(1 + x),
    "sqrt": _mp.sqrt,
    "tanh": _tanh,
    "sinh": lambda x: _mp.sinh(x) if abs(x) < 1 else (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "erf": _mp.erf,
    "Erfc": lambda x: _mp.erfc(x) if x < 10**9 else _mp.mpf(0),
    "Raised": lambda x: x,  # of every number
    "Lowered": lambda x: x,
    "sin": _bounded(_mp.sin),
    "cos": _bounded(_mp.cos),
    "atan": _mp.atan,
    "Abs": abs,
    "sign": _mp.sign,
    "floor": _mp.floor,
    "reciprocal": lambda x: 1 / x,
    "Pi": lambda one: _mp.pi * one,
    "Exp1": lambda one: _mp.e * one,
}


def number(value: Any) -> Any:
    """Return a number of the working precision."""
    return _mp.mpf(value)


def digits(count: int) -> Any:
    """Return a context in which :func:`evaluate` works with that many digits."""
    return _mp.workdps(count)


def elementary(name: str, *arguments: float) -> Any:
    """Return an elementary function of floating-point numbers; NaN where it is not real."""
    value = FUNCTIONS[name](*map(_mp.mpf, arguments))
    return _mp.nan if isinstance(value, _mp.mpc) else value


def evaluate(expr: Any, values: dict[str, Any], total: Callable[[Any], Any] | None = None) -> Any:
    """Evaluate a record's formula at numbers, by a walk over the expression."""
    known: dict[Any, Any] = {}  # what stands in several places is evaluated once

    def walk(e: Any) -> Any:
        if e.is_Symbol:
            return values[e.name]
        if e not in known:
            known[e] = operation(e)
        return known[e]

    def operation(e: Any) -> Any:
        if e.is_Rational:
            return _mp.mpf(int(e.p)) / int(e.q)
        if isinstance(e, sympy.NumberSymbol):
            return FUNCTIONS[type(e).__name__](_mp.mpf(1))
        if e.is_Add:
            return sum((walk(a) for a in e.args), _mp.mpf(0))
        if e.is_Mul:
            return functools.reduce(lambda a, b: a * b, map(walk, e.args))
        if e.is_Pow:
            return _mp.power(walk(e.base), walk(e.exp))
        if isinstance(e, sympy.Piecewise):
            return next(walk(v) for v, c in e.args if c == True or _holds(c, walk))  # noqa: E712
        if isinstance(e, Named):
            return named(type(e), [walk(a) for a in e.args])
        if isinstance(e, Total) and total is not None:
            return total(e.args[0])
        return FUNCTIONS[e.func.__name__](walk(e.args[0]))

    value = walk(expr)
    if isinstance(value, _mp.mpc):
        at = ", ".join(f"{name} = {_mp.nstr(x, 4)}" for name, x in values.items())
        raise DerivationError(f"the formula {expr} is not real at {at}")
    return value


def named(kind: Any, arguments: list[Any]) -> Any:
    """Return a named function of numbers, by the stable form, as kernels compute it."""
    return evaluate(_stable(kind, len(arguments)), dict(zip("uv", arguments, strict=False)))


@functools.cache
def _stable(kind: Any, arguments: int) -> Any:
    return kind(*LETTERS[:arguments]).stable()


def _holds(condition: Any, walk: Callable[[Any], Any]) -> bool:
    if isinstance(condition, (sympy.And, sympy.Or)):
        decide = all if isinstance(condition, sympy.And) else any
        return decide(_holds(part, walk) for part in condition.args)
    a, b = walk(condition.lhs), walk(condition.rhs)
    return bool({"<=": a <= b, "<": a < b, ">=": a >= b, ">": a > b}[condition.rel_op])

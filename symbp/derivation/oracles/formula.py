"""The value of a record's formula at numbers, with as many digits as are asked for (mpmath)."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

import sympy

from symbp.algebra.named import LETTERS, Named
from symbp.derivation.oracles.text import mp as _mp
from symbp.errors import DerivationError
from symbp.functions.comparisons import COMPARISONS
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


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that remembers what it gave: forms of one formula ask for the same numbers.

    For real numbers only; what it gave for a number depends on the precision, too.
    """

    @functools.lru_cache(maxsize=20_000)
    def known(precision: int, *parts: Any) -> Any:
        return function(*map(_mp.make_mpf, parts))

    def run(*arguments: Any) -> Any:
        if any(type(x) is not _mp.mpf for x in arguments):
            return function(*arguments)
        return known(_mp.prec, *[x._mpf_ for x in arguments])

    return run


_TRANSCENDENTAL: dict[str, Callable[[Any], Any]] = {
    "exp": _exp,
    "expm1": lambda x: _mp.expm1(x) if abs(x) < 1 else _exp(x) - 1,
    "log": _mp.log,
    "log1p": lambda x: _mp.log1p(x) if x > -1 else _mp.log(1 + x),
    "tanh": _tanh,
    "sinh": lambda x: _mp.sinh(x) if abs(x) < 1 else (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "erf": _mp.erf,
    "Erfc": lambda x: _mp.erfc(x) if x < 10**9 else _mp.mpf(0),
    "sin": _bounded(_mp.sin),
    "cos": _bounded(_mp.cos),
    "atan": _mp.atan,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: _kept(function) for name, function in _TRANSCENDENTAL.items()},
    "sqrt": _mp.sqrt,
    "First": lambda x: x,
    "Raised": lambda x: x,  # of every number
    "Lowered": lambda x: x,
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


STEP = _mp.mpf(10) ** -25


def difference(function: Callable[[Any], Any]) -> Any:
    """Return the central difference of what a function gives for steps to both sides."""
    return (function(STEP) - function(-STEP)) / (2 * STEP)


def elementary(name: str, *arguments: float) -> Any:
    """Return an elementary function of floating-point numbers; NaN where it is not real."""
    value = FUNCTIONS[name](*map(_mp.mpf, arguments))
    return _mp.nan if isinstance(value, _mp.mpc) else value


def evaluate(expr: Any, values: dict[str, Any], total: Callable[[Any], Any] | None = None) -> Any:
    """Evaluate a record's formula at numbers.

    Parameters
    ----------
    expr : sympy.Expr
    values : dict
        Name -> number.
    total : callable, optional
        What a sum over the layer is: given the summand.

    Raises
    ------
    DerivationError
        If it is not real there.
    """
    value = _program(expr)({**values, _TOTAL: total})
    if isinstance(value, _mp.mpc):
        at = ", ".join(f"{name} = {_mp.nstr(x, 4)}" for name, x in values.items())
        raise DerivationError(f"the formula {expr} is not real at {at}")
    return value


def named(kind: Any, arguments: list[Any]) -> Any:
    """Return a named function of numbers, by the form that kernels compute; NaN if one is not real."""
    if any(isinstance(x, _mp.mpc) for x in arguments):
        return _mp.nan
    return _named(kind)(*arguments)


@functools.cache
def _named(kind: Any) -> Callable[..., Any]:
    return _kept(lambda *x: evaluate(_stable(kind, len(x)), dict(zip("uv", x, strict=False))))


@functools.cache
def _stable(kind: Any, arguments: int) -> Any:
    return kind(*LETTERS[:arguments]).stable()


# Given the numbers of letters; parts that are met again put their values there, too.
_Run = Callable[[dict[Any, Any]], Any]
_TOTAL = object()


@functools.lru_cache(maxsize=4096)  # a formula is evaluated at hundreds of points
def _program(expr: Any) -> _Run:
    """Read an expression once: what comes back is a function of each part's functions."""
    places = Counter(sympy.preorder_traversal(expr))

    def read(e: Any) -> _Run:
        if e.is_Symbol:
            return operator.itemgetter(e.name)
        run = _operation(e, read)
        return run if places[e] == 1 or not e.args else _once(run)

    return read(expr)


def _once(run: _Run) -> _Run:
    place = object()

    def known(values: dict[Any, Any]) -> Any:
        if place not in values:
            values[place] = run(values)
        return values[place]

    return known


def _constant(number: Callable[[], Any]) -> _Run:
    by_precision: dict[int, Any] = {}

    def run(values: dict[Any, Any]) -> Any:
        if _mp.prec not in by_precision:
            by_precision[_mp.prec] = number()
        return by_precision[_mp.prec]

    return run


def _operation(e: Any, read: Callable[[Any], _Run]) -> _Run:
    if e.is_Rational:
        return _constant(lambda: _mp.mpf(int(e.p)) / int(e.q))
    if isinstance(e, sympy.NumberSymbol):
        return _constant(lambda: FUNCTIONS[type(e).__name__](_mp.mpf(1)))
    if isinstance(e, sympy.Piecewise):
        cases = [(read(value), _condition(condition, read)) for value, condition in e.args]
        return lambda values: next(value(values) for value, holds in cases if holds(values))
    if isinstance(e, Total):
        return lambda values: values[_TOTAL](e.args[0])
    parts = [read(a) for a in e.args]
    if e.is_Add:
        return lambda values: functools.reduce(operator.add, [part(values) for part in parts])
    if e.is_Mul:
        return lambda values: functools.reduce(operator.mul, [part(values) for part in parts])
    if e.is_Pow and e.exp.is_Integer:
        (base, _), n = parts, int(e.exp)
        return lambda values: base(values) ** n
    if e.is_Pow:
        base, exponent = parts
        return lambda values: _mp.power(base(values), exponent(values))
    if isinstance(e, Named):
        return lambda values: named(type(e), [part(values) for part in parts])
    name, argument = e.func.__name__, parts[0]
    return lambda values: FUNCTIONS[name](argument(values))


def _condition(condition: Any, read: Callable[[Any], _Run]) -> _Run:
    if condition in (True, False):
        return lambda values: bool(condition)
    if isinstance(condition, (sympy.And, sympy.Or)):
        decide = all if isinstance(condition, sympy.And) else any
        parts = [_condition(part, read) for part in condition.args]
        return lambda values: decide(part(values) for part in parts)
    a, b, compare = read(condition.lhs), read(condition.rhs), COMPARISONS[condition.rel_op]

    def holds(values: dict[str, Any]) -> bool:
        sides = a(values), b(values)
        if any(isinstance(side, _mp.mpc) for side in sides):
            raise DerivationError(f"the condition {condition} compares what is not real")
        return bool(compare(*sides))

    return holds

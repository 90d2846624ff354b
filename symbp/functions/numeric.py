"""The value of a formula at numbers, in plain Python floats: quick, and honest about what is not real."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy

from symbp.functions.comparisons import COMPARISONS
from symbp.functions.vocabulary import NUMERIC, Total


class NotReal(ArithmeticError):
    """The formula has no real value at the numbers it was asked for."""


def value_at(expr: Any, values: Mapping[str, float]) -> float:
    """Return the value of a formula; infinite or NaN where it overflows.

    Parameters
    ----------
    expr : sympy.Expr
        As :func:`symbp.functions.parse.parse_formula` builds it.
    values : mapping
        A number for each name.

    Raises
    ------
    NotReal
        If it has no real value there: a logarithm or root of a negative number.
    """
    if expr.is_Rational:
        return _ratio(int(expr.p), int(expr.q))
    if expr.is_Symbol:
        return values[expr.name]
    if isinstance(expr, sympy.NumberSymbol):
        return float(expr)
    if isinstance(expr, sympy.Piecewise):
        return next((value_at(v, values) for v, test in expr.args if holds(test, values)), math.nan)
    if isinstance(expr, Total):
        return value_at(expr.args[0], values)  # of one unit: enough to see where it is real
    arguments = [value_at(argument, values) for argument in expr.args]
    if expr.is_Add:
        return sum(arguments)
    if expr.is_Mul:
        return math.prod(arguments)
    if expr.is_Pow:
        return _power(*arguments)
    if expr.func.__name__ not in NUMERIC:  # SymPy's derivative of the size of a complex number
        raise NotReal(str(expr))
    return _call(NUMERIC[expr.func.__name__], *arguments)


def _ratio(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator
    except OverflowError:
        return math.copysign(math.inf, numerator)


def _power(base: float, exponent: float) -> float:
    if base < 0 and not exponent.is_integer():
        raise NotReal(f"{base}**{exponent}")
    try:
        return float(base**exponent)
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf


def _call(function: Any, argument: float) -> float:
    if (function is math.log and argument == 0) or (function is math.log1p and argument == -1):
        return -math.inf
    try:
        return float(function(argument))
    except OverflowError:
        return math.copysign(math.inf, argument) if function is math.sinh else math.inf
    except ValueError:
        raise NotReal(f"{function.__name__}({argument})") from None


def holds(test: Any, values: Mapping[str, float]) -> bool:
    """Whether a condition holds at numbers."""
    if test in (sympy.true, sympy.false):
        return bool(test)
    if isinstance(test, (sympy.And, sympy.Or)):
        return (all if isinstance(test, sympy.And) else any)(holds(part, values) for part in test.args)
    left, right = (value_at(side, values) for side in test.args)
    return bool(COMPARISONS[test.rel_op](left, right))

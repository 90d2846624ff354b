"""The value of a formula over arrays, by a walk over its SymPy tree.

One table entry per function, all of them NumPy's own, so that the walk runs on float64
and complex arrays and on variables of the tape alike. Branches are decided by real parts:
the functions with kinks (``Abs``, ``Piecewise``) thereby stay differentiable by a complex
step, on the side on which the argument lies.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy.codegen.cfunctions import expm1, log1p

from symbp.functions.comparisons import COMPARISONS
from symbp.functions.parse import Total

# An ndarray of float64 or complex128, or a Variable of the tape.
AnyArray = Any
Floats = NDArray[np.float64]


def evaluate(expression: sympy.Basic, values: Mapping[sympy.Symbol, AnyArray]) -> AnyArray:
    """Return the value of a formula.

    Parameters
    ----------
    expression : Expr
        Built by :func:`symbp.functions.parse.parse_formula`. ``Total(e)`` is the sum over
        the last axis (the units of a layer), which is kept with length 1.
    values : mapping
        An array for each symbol.

    Raises
    ------
    TypeError
        If the expression contains a function that is not in :data:`FUNCTIONS`.
    """
    if expression.is_Symbol:
        return values[expression]
    if getattr(expression, "is_number", False):
        return float(expression)
    if isinstance(expression, sympy.Piecewise):
        return _piecewise(expression, values)
    for kind, function in FUNCTIONS.items():
        if isinstance(expression, kind):
            return function(*(evaluate(argument, values) for argument in expression.args))
    raise TypeError(f"{type(expression).__name__} in {expression}: no value is known for it")


def _piecewise(expression: sympy.Piecewise, values: Mapping[sympy.Symbol, AnyArray]) -> AnyArray:
    """The first branch whose condition holds; none holds: NaN, which is never swallowed."""
    result: AnyArray = np.nan
    for branch, condition in reversed(expression.args):
        value = evaluate(branch, values)
        result = value if condition == sympy.true else np.where(_holds(condition, values), value, result)
    return result


def _holds(condition: Any, values: Mapping[sympy.Symbol, AnyArray]) -> Any:
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        return LOGIC[type(condition)](*(_holds(part, values) for part in condition.args))
    left, right = (np.real(evaluate(side, values)) for side in condition.args)
    return COMPARISONS[condition.rel_op](left, right)


def _sum(*terms: AnyArray) -> AnyArray:
    return functools.reduce(lambda a, b: a + b, terms)


def _product(*factors: AnyArray) -> AnyArray:
    return functools.reduce(lambda a, b: a * b, factors)


def _power(base: AnyArray, exponent: float) -> AnyArray:
    # A reciprocal is a division: with a pole it is an infinity also over complex numbers.
    if exponent == -1:
        return 1 / base
    return np.sqrt(base) if exponent == 0.5 else base**exponent


def _absolute(x: AnyArray) -> AnyArray:
    return np.where(np.real(x) < 0, -x, x)


def _sign(x: AnyArray) -> AnyArray:
    # 0 at 0, and NaN where x is NaN.
    return np.where(np.real(x) > 0, 1.0, np.where(np.real(x) < 0, -1.0, 0.0 * np.real(x)))


def _tanh(x: AnyArray) -> AnyArray:
    # (1 - e^{-2|x|}) / (1 + e^{-2|x|}) through expm1: no overflow, and no cancellation at 0.
    e = np.expm1(-2 * _absolute(x))
    return np.where(np.real(x) < 0, e / (e + 2), -e / (e + 2))


# As a ufunc, so that the tape records it like any other; NumPy itself has none.
real_erf = np.frompyfunc(math.erf, 1, 1)


def _erf(x: AnyArray) -> AnyArray:
    if np.iscomplexobj(x):
        # To first order in the imaginary part, which is all that a complex step uses.
        slope = 2 / math.sqrt(math.pi) * np.exp(-(np.real(x) ** 2))
        return _erf(np.real(x)) + 1j * np.imag(x) * slope
    value = real_erf(x)
    return np.asarray(value, dtype=np.float64) if isinstance(x, (np.ndarray, float)) else value


def _total(x: AnyArray) -> AnyArray:
    return np.sum(x, axis=-1, keepdims=True)


FUNCTIONS: dict[type[sympy.Basic], Callable[..., AnyArray]] = {
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.Pow: _power,
    sympy.exp: np.exp,
    expm1: np.expm1,
    sympy.log: np.log,
    log1p: np.log1p,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.erf: _erf,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.atan: np.arctan,
    sympy.tanh: _tanh,
    sympy.Abs: _absolute,
    sympy.sign: _sign,
    sympy.floor: np.floor,
    Total: _total,
}

LOGIC: dict[type[sympy.Basic], Callable[..., Any]] = {
    sympy.And: lambda *parts: functools.reduce(np.logical_and, parts),
    sympy.Or: lambda *parts: functools.reduce(np.logical_or, parts),
    sympy.Not: np.logical_not,
}

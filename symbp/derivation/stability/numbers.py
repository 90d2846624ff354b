"""An expression in float32 or float64, every operation rounded once, and exactly.

Elementary functions are taken correctly rounded, so what is found does not depend on the
machine's library.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbp.algebra.marks import First, Lowered, Raised
from symbp.algebra.named import LETTERS, Named, as_float
from symbp.algebra.products import WHOLE_POWERS, evaluation_rank, is_decimal
from symbp.derivation.oracles.formula import digits, elementary, evaluate, number
from symbp.errors import DerivationError
from symbp.functions.comparisons import COMPARISONS

Array = npt.NDArray[Any]

# Digits tried in turn until two agree; the last one leaves 1e-300 squared its digits.
_DIGITS = (40, 80, 360, 1300)
_AGREE = 30
# Enough for a result that is rounded to a type once more.
_ROUNDED = 25


class NotReal(Exception):
    """The formula has no real value at this point."""


def exact(expr: Any, values: Mapping[str, float], through: tuple[tuple[str, Any], ...] = ()) -> Any:
    """Return the value of a formula at floating-point numbers to 30 digits, as an mpmath number.

    The digits that cancel are not known beforehand, so the precision grows until two
    precisions agree; what is still 0 at the last one is 0.

    Parameters
    ----------
    expr : sympy.Expr
    values : mapping
        Name -> number.
    through : tuple of (name, sympy.Expr)
        Letters that have the value of an expression.

    Raises
    ------
    NotReal
        If there is none.
    """
    return _exact(expr, tuple(values.items()), through)


@functools.lru_cache(maxsize=20_000)  # several forms of one formula are measured at the same points
def _exact(expr: Any, values: tuple[tuple[str, float], ...], through: tuple[tuple[str, Any], ...]) -> Any:
    before = None
    for count in _DIGITS:
        with digits(count):
            try:
                known = {name: number(x) for name, x in values}
                value = evaluate(expr, known | {name: evaluate(e, known) for name, e in through})
            except (DerivationError, ZeroDivisionError, ValueError) as error:
                raise NotReal(str(error)) from None
            if value != value:
                raise NotReal("not a number")
            # Two zeros may both be what has cancelled.
            agree = before is not None and abs(value - before) <= abs(value) * number(10) ** -_AGREE
            if agree and (value != 0 or count == _DIGITS[-1]):
                return value
            before = value
    return before


def rounded(expr: Any, values: Mapping[str, Array], dtype: Any) -> tuple[Array, Array]:
    """Return the values of a formula at many points, computed in `dtype` as a kernel does.

    Parameters
    ----------
    expr : sympy.Expr
    values : mapping
        Name -> array of that type; all of one shape.
    dtype : type

    Returns
    -------
    values : numpy.ndarray
    overflowed : numpy.ndarray of bool
        Where some part of the expression is infinite.
    """
    shape = next(iter(values.values())).shape
    machine = _Rounded(values, dtype)
    with np.errstate(all="ignore"):
        result = machine.walk(expr)
    return np.broadcast_to(result, shape), np.broadcast_to(machine.overflowed, shape)


class _Rounded:
    def __init__(self, values: Mapping[str, Array], dtype: Any) -> None:
        self.values = values
        self.dtype = np.dtype(dtype).type
        self.overflowed: Any = np.False_

    def walk(self, e: Any) -> Any:
        if e.is_number:
            return self.dtype(as_float(e))
        if e.is_Symbol:
            return self.values[e.name]
        value = self.operation(e)
        self.overflowed = self.overflowed | np.isinf(value)
        return value

    def operation(self, e: Any) -> Any:
        if e.is_Add:
            return functools.reduce(lambda a, b: a + b, map(self.walk, _in_order(e)))
        if e.is_Mul:
            return self.product(e)
        if e.is_Pow:
            return self.power(e)
        if isinstance(e, sympy.Piecewise):
            return self.cases(e)
        if isinstance(e, sympy.Abs):
            return np.abs(self.walk(e.args[0]))
        if isinstance(e, sympy.sign):
            return np.sign(self.walk(e.args[0]))
        if isinstance(e, First):
            return self.walk(e.args[0])
        if isinstance(e, Raised):
            return self.limited(e)
        if isinstance(e, Named):
            return self.named(e)
        return self.function(e.func.__name__, *map(self.walk, e.args))

    def product(self, e: Any) -> Any:
        """One division for all factors below, as kernels have it."""
        above: Any = self.dtype(1)
        below: Any = None
        for factor in sorted(e.args, key=_rank):
            base, power = factor.as_base_exp()
            if is_decimal(factor):
                above = above * self.dtype(float(factor))
            elif factor.is_Rational:
                above = above * self.dtype(factor.p)
                if factor.q != 1:
                    below = self.dtype(factor.q) if below is None else below * self.dtype(factor.q)
            elif power.is_Rational and power.is_negative and not factor.is_number:
                value = self.walk(base**-power)
                below = value if below is None else below * value
            else:
                for value in self.one_by_one(factor):
                    above = above * value
        return above if below is None else above / below

    def one_by_one(self, factor: Any) -> list[Any]:
        """Return what kernels multiply by for one factor: a square twice by its base."""
        base, power = factor.as_base_exp()
        if not evaluation_rank(factor) or power > WHOLE_POWERS:
            return [self.walk(factor)]
        return [self.walk(base)] * int(power)

    def power(self, e: Any) -> Any:
        base, exponent = self.walk(e.base), e.exp
        if exponent == sympy.Rational(1, 2):
            return np.sqrt(base)
        if exponent.is_negative:
            return self.dtype(1) / self.walk(e.base**-exponent)
        if exponent.is_Integer and exponent <= WHOLE_POWERS:
            return functools.reduce(lambda a, b: a * b, [base] * int(exponent))
        return np.power(base, self.dtype(float(exponent)))

    def cases(self, e: Any) -> Any:
        result: Any = self.dtype(np.nan)
        before: Any = self.overflowed
        overflowed: Any = np.False_
        for value, condition in reversed(e.args):
            self.overflowed = np.False_
            branch = self.walk(value)
            chosen, own = self.holds(condition), self.overflowed
            result = np.where(chosen, branch, result)
            overflowed = np.where(chosen, own, overflowed)  # of the other branches nothing is used
        self.overflowed = before | overflowed
        return result

    def limited(self, e: Any) -> Any:
        largest = np.finfo(self.dtype).max
        value = self.walk(e.args[0])
        return np.minimum(value, largest) if isinstance(e, Lowered) else np.maximum(value, -largest)

    def holds(self, condition: Any) -> Any:
        if condition in (True, False):
            return bool(condition)
        if isinstance(condition, (sympy.And, sympy.Or)):
            join = np.logical_and if isinstance(condition, sympy.And) else np.logical_or
            return functools.reduce(join, map(self.holds, condition.args))
        return COMPARISONS[condition.rel_op](self.walk(condition.lhs), self.walk(condition.rhs))

    def named(self, e: Named) -> Any:
        letters = LETTERS[: len(e.args)]
        values = {x.name: self.walk(a) for x, a in zip(letters, e.args, strict=True)}
        kind: Any = type(e)
        return _Rounded(values, self.dtype).walk(_stable(kind, len(letters)))

    def function(self, name: str, *arguments: Any) -> Any:
        shape = np.broadcast_shapes(*map(np.shape, arguments))
        columns = [np.broadcast_to(a, shape).ravel().astype(float).tolist() for a in arguments]
        with digits(_ROUNDED):
            found = [_nearest(name, *x) for x in zip(*columns, strict=True)]
        return np.array(found).astype(self.dtype).reshape(shape)


@functools.lru_cache(maxsize=20_000)  # of the same points for every form, target and cost
def _nearest(name: str, *arguments: float) -> float:
    return math.nan if any(map(math.isnan, arguments)) else float(elementary(name, *arguments))


@functools.cache
def _stable(kind: Any, arguments: int) -> Any:
    return kind(*LETTERS[:arguments]).stable()


def _rank(factor: Any) -> tuple[int, int]:
    """Return where a factor stands in kernels, which have weighted sums before outputs before targets."""
    base, _ = factor.as_base_exp()
    return evaluation_rank(factor), "zoy".find(base.name) if base.is_Symbol else -1


@functools.cache
def _in_order(total: Any) -> tuple[Any, ...]:
    """Return the terms of a sum in the order in which kernels add them: positive ones first."""
    return tuple(sorted(total.as_ordered_terms(), key=lambda term: term.could_extract_minus_sign()))

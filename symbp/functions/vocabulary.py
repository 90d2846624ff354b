"""The words that a formula may use: functions, their number of arguments, and constants."""

from __future__ import annotations

import functools
import keyword
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.codegen.cfunctions import expm1, log1p

from symbp.functions.reserved import RESERVED


class Total(sympy.Function):
    """``sum(e)`` in the text of a softmax-like activation: the sum of e over the layer's units."""

    nargs = 1
    is_real = True


@dataclass(frozen=True)
class Word:
    """A function that formulas may call.

    Attributes
    ----------
    build : callable
        Arguments -> expression; an abbreviation such as sigmoid gives the formula it stands for.
    arguments : int
    """

    build: Callable[..., Any]
    arguments: int = 1


MAX_CASES = 16


def cases(yes: Any, test: Any, no: Any) -> Any:
    """Return ``yes if test else no`` with nested cases laid side by side.

    A comparison with NaN is false, so the last branch is the one that must pass a NaN on: where
    it is a plain number and the other one is not, the test is turned round.
    """
    turnable = isinstance(test, sympy.core.relational.Relational)
    if turnable and not no.free_symbols and yes.free_symbols:
        yes, test, no = no, test.negated, yes
    rest = no.args if isinstance(no, sympy.Piecewise) else [(no, True)]
    if len(rest) >= MAX_CASES:
        raise OverflowError(f"more than {MAX_CASES} cases")
    try:
        return sympy.Piecewise((yes, test), *rest)
    except RecursionError:  # SymPy turns some comparisons of sums round and round; not those with 0
        if not turnable:
            raise
        return sympy.Piecewise((yes, test.func(sympy.expand(test.lhs - test.rhs), 0)), *rest)


def _extreme(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return max or min of two as a case distinction; at a tie the constant one counts.

    SymPy's own Max has a Heaviside function for derivative, whose value at a tie is 1/2.
    """

    def of_two(a: Any, b: Any) -> Any:
        for whole, other in ((a, b), (b, a)):
            found = _cases_in(whole)
            if found is not None:  # SymPy makes no comparison of cases that anything here reads
                return _case_by_case(found, functools.partial(_put_in, of_two, other, whole, found))
        first, second = (b, a) if a.free_symbols and not b.free_symbols else (a, b)
        return cases(first, compare(first, second), second)

    return of_two


def _cases_in(whole: Any) -> Any:
    """Return the expression if it is a case distinction, else the first one in it, or None."""
    if isinstance(whole, sympy.Piecewise):
        return whole
    return min(whole.atoms(sympy.Piecewise), key=sympy.default_sort_key, default=None)


def _put_in(of_two: Callable[[Any, Any], Any], other: Any, whole: Any, cases_of: Any, value: Any) -> Any:
    return of_two(other, whole.xreplace({cases_of: value}))


def _case_by_case(of: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to every branch of a case distinction, and lay the cases side by side."""
    branches: list[tuple[Any, Any]] = []
    for value, test in of.args:
        inner = function(value)
        rest = inner.args if isinstance(inner, sympy.Piecewise) else [(inner, sympy.true)]
        branches += [(result, sympy.And(test, further)) for result, further in rest]
        if len(branches) > MAX_CASES:
            raise OverflowError(f"more than {MAX_CASES} cases")
    return sympy.Piecewise(*branches)


FUNCTIONS: dict[str, Word] = {
    "exp": Word(sympy.exp),
    "expm1": Word(expm1),
    "log": Word(sympy.log),
    "log1p": Word(log1p),
    "sqrt": Word(sympy.sqrt),
    "tanh": Word(sympy.tanh),
    "sinh": Word(sympy.sinh),
    "cosh": Word(sympy.cosh),
    "sin": Word(sympy.sin),
    "cos": Word(sympy.cos),
    "atan": Word(sympy.atan),
    "erf": Word(sympy.erf),
    "abs": Word(sympy.Abs),
    "max": Word(_extreme(sympy.Ge), arguments=2),
    "min": Word(_extreme(sympy.Le), arguments=2),
    # Abbreviations: the formula they stand for is what is derived, printed and compiled.
    "sigmoid": Word(lambda u: 1 / (1 + sympy.exp(-u))),
    "softplus": Word(lambda u: sympy.log(1 + sympy.exp(u))),
    "sum": Word(Total),
}

# Functions of steps: they have no derivative, so no activation or cost may hold them.
STEPWISE: dict[str, Word] = {"floor": Word(sympy.floor)}

CONSTANTS: dict[str, Any] = {"pi": sympy.pi, "e": sympy.E}

assert set(FUNCTIONS) | set(CONSTANTS) <= RESERVED | set(keyword.kwlist)


# What each function is for numbers, by the name of SymPy's class.
NUMERIC: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "tanh": math.tanh,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "sin": math.sin,
    "cos": math.cos,
    "atan": math.atan,
    "erf": math.erf,
    "Abs": abs,
    "floor": math.floor,
}

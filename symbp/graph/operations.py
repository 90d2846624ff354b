"""What a node of a graph does with its operands: a formula whose local derivatives SymPy finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import sympy
from sympy.core.function import AppliedUndef

MAX_OPERANDS = 64
SLOTS: tuple[Any, ...] = tuple(sympy.Symbol(f"_u{n}", real=True) for n in range(MAX_OPERANDS))


@dataclass(frozen=True)
class Operation:
    """A node's formula in the slots u_0, u_1, ... of its operands.

    Attributes
    ----------
    formula : sympy.Expr
    arity : int
    slope : sympy.Expr, optional
        The derivative of a function of one operand whose formula is not written out.
    """

    formula: Any
    arity: int
    slope: Any = None

    def partial(self, slot: int) -> Any:
        """Return the local derivative with respect to one operand, as a formula in the slots."""
        return _partial(self.formula, slot) if self.slope is None else self.slope


@cache
def _partial(formula: Any, slot: int) -> Any:
    if isinstance(formula, AppliedUndef):
        # A function that nobody has stated: its derivative is another one (a jet), without Subs.
        return sympy.Function(f"{formula.func.__name__}_{slot + 1}", real=True)(*formula.args)
    return formula.diff(SLOTS[slot])


_U, _V = SLOTS[:2]
ADD = Operation(_U + _V, 2)
SUBTRACT = Operation(_U - _V, 2)
MULTIPLY = Operation(_U * _V, 2)
DIVIDE = Operation(_U / _V, 2)
NEGATE = Operation(-_U, 1)


@cache
def power(exponent: Any) -> Operation:
    """Return the operation u**exponent."""
    return Operation(_U**exponent, 1)


@cache
def elementary(name: str) -> Operation:
    """Return exp, log, tanh, ...: a function that SymPy knows."""
    return Operation(getattr(sympy, name)(_U), 1)


POSITIVE_PART = Operation(sympy.Max(0, _U), 1)


@cache
def unspecified(name: str, arity: int) -> Operation:
    """Return a function of which nothing is known but its name."""
    return Operation(sympy.Function(name, real=True)(*SLOTS[:arity]), arity)


class Domain(Protocol):
    """The numbers a graph computes with; they have + - * / and powers with whole exponents."""

    def number(self, value: Any) -> Any:
        """Return a rational number (SymPy) of the domain."""

    def function(self, name: str, arguments: Sequence[Any]) -> Any:
        """Return the value of a named function."""

    def branch(self, formula: Any, values: Sequence[Any]) -> Any:
        """Return the value of a formula with cases in the slots."""

    def same(self, a: Any, b: Any) -> bool:
        """Whether two numbers are equal in the domain."""


Evaluate = Callable[[Domain, Sequence[Any]], Any]


@cache
def compiled(formula: Any) -> Evaluate:
    """Return a function that computes the formula in any domain from the values of the slots."""
    if formula in SLOTS:
        slot = SLOTS.index(formula)
        return lambda _, values: values[slot]
    if formula.is_number and formula.is_Rational:
        return lambda domain, _: domain.number(formula)
    if formula.has(sympy.Piecewise, sympy.Max):
        return lambda domain, values: domain.branch(formula, values)
    parts = [compiled(argument) for argument in formula.args]
    if isinstance(formula, sympy.Add):
        return lambda domain, values: _total([part(domain, values) for part in parts])
    if isinstance(formula, sympy.Mul):
        return lambda domain, values: _product([part(domain, values) for part in parts])
    if isinstance(formula, sympy.Pow) and formula.exp.is_Integer:
        exponent, base = int(formula.exp), parts[0]
        if exponent < 0:
            return lambda domain, values: domain.number(sympy.S.One) / base(domain, values) ** -exponent
        return lambda domain, values: base(domain, values) ** exponent
    if isinstance(formula, sympy.Pow):
        return lambda domain, values: domain.function("pow", [part(domain, values) for part in parts])
    name = formula.func.__name__
    return lambda domain, values: domain.function(name, [part(domain, values) for part in parts])


def _total(values: list[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _product(values: list[Any]) -> Any:
    product = values[0]
    for value in values[1:]:
        product = product * value
    return product

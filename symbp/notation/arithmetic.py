"""How sums, products, powers and numbers are printed, with the brackets and signs they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import MatMul, Pow, Symbol
from sympy.concrete.summations import Sum

from symbp.algebra.matrices import is_matrix
from symbp.algebra.nodes import Constant, MaxOver
from symbp.notation.layout import Layout
from symbp.notation.order import is_decimal, product, terms
from symbp.notation.records import Notation
from symbp.notation.scripts import decimal


class Arithmetic(Layout):
    """The part of a writer that prints what is added, multiplied and raised."""

    notation: Notation
    _print: Callable[..., str]
    _small: Callable[[Any], str]
    bracket: Callable[[str], str]
    quotient: Callable[[Sequence[Any], Sequence[Any]], str]
    coefficient: Callable[[Sequence[Any], Sequence[Any]], str]
    root: Callable[[str], str]
    big: Callable[[str, str, str, str], str]

    def _terms(self, expr: Any) -> tuple[str, ...]:
        if is_matrix(expr) or not getattr(expr, "is_Add", False):
            return (self._print(expr),)
        printed = []
        for n, term in enumerate(terms(expr)):
            text = self._print(term)
            bare = self.without_sign(text)
            following = self.added(text) if bare is None else self.subtracted(bare)
            printed.append(following if n else text)
        return tuple(printed)

    def _print_Add(self, expr: Any) -> str:
        return " ".join(self._terms(expr))

    def _print_MatAdd(self, expr: Any) -> str:
        printed = []
        for n, term in enumerate(expr.args):
            text = self._factor(term, last=True) if not isinstance(term, MatMul) else self._print(term)
            bare = self.without_sign(text)
            following = self.added(text) if bare is None else self.subtracted(bare)
            printed.append(following if n else text)
        return " ".join(printed)

    def _print_Mul(self, expr: Any) -> str:
        taken = product(expr, self.notation.before)
        sign = self.minus if taken.negative else ""
        if not taken.below:
            alone = not taken.negative
            return sign + str(self.factors(taken.above) if alone else self._beside(taken.above))
        # A sum inside an exponential is no wider than that; e_q / sum, and not 1/sum e_q.
        large = [
            f for f in taken.above if is_matrix(f) or (f.has(Sum, MaxOver) and not isinstance(f, sympy.exp))
        ]
        if not large:
            return sign + str(self.quotient(taken.above, taken.below))
        small = [f for f in taken.above if f not in large]
        return sign + self.beside([self.coefficient(small, taken.below), self._beside(large)])

    def _print_MatMul(self, expr: Any) -> str:
        scalar = sympy.Mul(*(a for a in expr.args if not is_matrix(a)))
        parts = [self._factor(a, last=False) for a in expr.args if is_matrix(a)]
        if scalar == -1:
            return self.negative(self.beside(parts))
        if scalar == 1:
            return self.beside(parts)
        taken = product(scalar)
        if taken.negative:
            return self.negative(self._print_MatMul(MatMul(-scalar, *(a for a in expr.args if is_matrix(a)))))
        if taken.below:
            return self.beside([self.coefficient(taken.above, taken.below), *parts])
        return self.beside([self._factor(scalar, last=False), *parts])

    def factors(self, parts: Sequence[Any]) -> str:
        """Return a product in print; a factor alone needs no brackets."""
        if not parts:
            return self.number("1")
        if len(parts) == 1:
            return self._print(parts[0])
        return self._beside(parts)

    def _beside(self, parts: Sequence[Any]) -> str:
        """Return a product that stands after a sign or a coefficient: a sum alone needs its brackets."""
        return self.beside([self._factor(f, last=f is parts[-1]) for f in parts])

    def _factor(self, factor: Any, last: bool) -> str:
        printed = str(self._print(factor))
        open_ended = isinstance(factor, (Sum, MaxOver)) and not last
        is_sum = bool(getattr(factor, "is_Add", False) or getattr(factor, "is_MatAdd", False))
        signed = self.without_sign(printed) is not None
        return str(self.bracket(printed)) if is_sum or open_ended or signed else printed

    def _print_Pow(self, expr: Pow) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == sympy.Rational(1, 2):
            return self.root(self._print(base))
        if exponent.could_extract_minus_sign():
            return self.quotient((), (Pow(base, -exponent),))
        printed = self._print(base)
        plain = (
            isinstance(base, Symbol)
            or (isinstance(base, Constant) and base.layer == 0)
            or (base.is_Integer and base >= 0)
        )
        return self.raised(printed if plain else self.bracket(printed), self._small(exponent))

    def _print_Rational(self, number: Any) -> str:
        if number < 0:
            return self.negative(self._print(-number))
        if is_decimal(number):
            return self.number(decimal(number))
        if number.q == 1:
            return self.number(str(number.p))
        return self.quotient((sympy.Integer(number.p),), (sympy.Integer(number.q),))

    def _print_Float(self, number: Any) -> str:
        digits = self.number(format(abs(float(number)), ".15g"))
        return self.negative(digits) if number < 0 else digits

    def _print_Sum(self, expr: Sum) -> str:
        taken = product(expr, self.notation.before)
        if taken.negative:
            return self.negative(self.factors(taken.above))
        operators = [self._sum_operator(limit) for limit in reversed(expr.limits)]
        body = self._print(expr.function)
        needs = expr.function.is_Add or self.without_sign(body) is not None
        return " ".join((*operators, self.bracket(body) if needs else body))

    def _sum_operator(self, limit: Any) -> str:
        symbol, low, high = limit
        return self.big("sum", self._print(symbol), self._small(low), self._small(high))

    def _print_MaxOver(self, expr: MaxOver) -> str:
        symbol, low, high = expr.limits[0]
        body = self._print(expr.function)
        operator = self.big("max", self._print(symbol), self._small(low), self._small(high))
        return f"{operator} {self.bracket(body) if expr.function.is_Add else body}"

"""The numbers that graphs compute with: 50 digits, and polynomials in symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import sympy

from symbp.graph.operations import SLOTS

DIGITS = 50
# Of 50 digits, rounding in a few thousand operations takes fewer than ten.
AGREE = 38


class Numbers:
    """Real numbers with 50 digits."""

    def __init__(self) -> None:
        self.context = mpmath.MPContext()
        self.context.dps = DIGITS
        self._near = self.context.mpf(10) ** -AGREE

    def number(self, value: Any) -> Any:
        exact = sympy.Rational(value)
        return self.context.mpf(int(exact.p)) / int(exact.q)

    def function(self, name: str, arguments: Sequence[Any]) -> Any:
        return getattr(self.context, {"pow": "power", "Abs": "fabs"}.get(name, name))(*arguments)

    def branch(self, formula: Any, values: Sequence[Any]) -> Any:
        at = {slot: sympy.Float(value, DIGITS) for slot, value in zip(SLOTS, values, strict=False)}
        return self.context.make_mpf(sympy.Float(formula.subs(at), DIGITS)._mpf_)

    def same(self, a: Any, b: Any) -> bool:
        return bool(abs(a - b) <= self._near * max(abs(a), abs(b), 1))


class Symbols:
    """Rational expressions in symbols.

    The value of a function at an argument is one more symbol, so what holds here holds for
    every function of that name; only what SymPy's own derivatives say of it is used.
    """

    def __init__(self) -> None:
        self._values: dict[tuple[str, tuple[Any, ...]], Any] = {}

    def number(self, value: Any) -> Any:
        return sympy.Rational(value)

    def function(self, name: str, arguments: Sequence[Any]) -> Any:
        key = name, tuple(_normal(argument) for argument in arguments)
        if key not in self._values:
            self._values[key] = sympy.Symbol(f"{name}{len(self._values)}", real=True)
        return self._values[key]

    def branch(self, formula: Any, values: Sequence[Any]) -> Any:
        return formula.rewrite(sympy.Piecewise).subs(dict(zip(SLOTS, values, strict=False)))

    def same(self, a: Any, b: Any) -> bool:
        return bool(self.residual(a, b) == 0)

    def residual(self, a: Any, b: Any) -> Any:
        """Return a - b, in a form that is 0 where the two are equal."""
        difference = sympy.expand(a - b)
        if difference == 0:
            return difference
        if difference.has(sympy.Piecewise):
            return sympy.simplify(sympy.piecewise_fold(difference))
        return _normal(difference)


def _normal(expr: Any) -> Any:
    expanded = sympy.expand(expr)
    if expanded.is_polynomial():
        return expanded
    return sympy.cancel(sympy.together(expanded))

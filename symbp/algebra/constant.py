"""What equations are about, and the parameters of functions in them: letters that know their numbers."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr
from sympy.core.symbol import Str


class Quantity(Expr):
    """A quantity of a layer, which SymPy takes for a symbol; all that it says stands in ``args``."""

    is_symbol = True
    is_commutative = True
    is_real = True

    @property
    def name(self) -> str:
        """A name, which SymPy expects of everything among the free symbols."""
        return str(self)

    @property
    def layer(self) -> Expr:
        return self.args[1]


class Constant(Quantity):
    """A parameter of a function, such as alpha of leaky_relu: a letter that knows its number.

    Derivations keep the letter, pages print it, and kernels and numeric checks put the number in.

    Parameters
    ----------
    parameter : str
    layer : Expr
        The layer whose function it belongs to; 0 for the cost, the penalty and the update rule.
    value : Rational
    """

    _diff_wrt = True  # SymPy asks how a sum changes with it when it looks for its sign

    def __new__(cls, parameter: Any, layer: Any, value: Any) -> Constant:
        exact = sympy.Rational(str(value))
        constant: Constant = Expr.__new__(cls, Str(str(parameter)), sympy.sympify(layer), exact)
        return constant

    @property
    def parameter(self) -> str:
        return str(self.args[0].name)

    @property
    def value(self) -> sympy.Rational:
        return self.args[2]

    @property
    def free_symbols(self) -> set[Any]:
        return {self}

    def _eval_is_positive(self) -> Any:
        return self.value.is_positive

    def _eval_is_negative(self) -> Any:
        return self.value.is_negative

    def _eval_is_zero(self) -> Any:
        return self.value.is_zero

    def _eval_derivative(self, wrt: Any) -> Any:
        return sympy.S.One if wrt == self else sympy.S.Zero

    def _sympystr(self, printer: Any) -> str:
        layer = f"[{printer._print(self.layer)}]" if self.layer != 0 else ""
        return f"{self.parameter}{layer}"


def with_numbers(expr: Any) -> Any:
    """Return the expression with the number of every :class:`Constant` in its place."""
    return expr.xreplace({constant: constant.value for constant in expr.atoms(Constant)})

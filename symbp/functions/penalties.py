"""Penalties: what a large weight costs. Biases are never penalised (001, after "if j = 0")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symbp.errors import ExpressionError
from symbp.functions.named import Parametrised, check_name
from symbp.functions.parameters import Parameter
from symbp.values import shown

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Penalty(Parametrised):
    """What one regular weight adds to the cost.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        In terms of ``w`` and the parameters. Where it has abs(w), its derivative at 0 is
        taken to be 0, the middle of the subdifferential.
    parameters : tuple of Parameter
    source : str
    """

    name: str
    formula: str
    parameters: tuple[Parameter, ...] = ()
    source: str = ""
    values: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name("penalty", self.name)
        if not isinstance(self.formula, str):
            raise ExpressionError(f"penalty {self.name!r}: formula {shown(self.formula)} is not text")
        self.check_parameters(f"penalty {self.name!r}", ("w", "pi", "sum"))

    def read(self) -> sympy.Expr:
        """Return the formula as an expression in ``w`` and the parameters.

        Raises
        ------
        ExpressionError
            If the text is not such a formula, or does not depend on w.
        """
        from symbp.functions.parse import Total, parse_formula

        names = tuple(parameter.name for parameter in self.parameters)
        try:
            value = parse_formula(self.formula, ("w", *names), names)
        except ExpressionError as error:
            raise error.inside(f"penalty {self.name!r}") from None
        if value.has(Total):
            raise ExpressionError(
                f"penalty {self.name!r}: the sum over weights is implied; leave sum(...) out"
            )
        if "w" not in {symbol.name for symbol in value.free_symbols}:
            raise ExpressionError(f"penalty {self.name!r}: formula {self.formula!r} does not depend on w")
        return value

    def expression(self) -> sympy.Expr:
        """Return the formula with the values of the parameters, an expression in ``w`` alone."""
        import sympy

        formula, constants = self.read(), self.constants
        return formula.xreplace(
            {s: sympy.Rational(str(constants[s.name])) for s in formula.free_symbols if s.name in constants}
        )

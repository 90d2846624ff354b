"""Learning-rate schedules: the rate of every update as a formula."""

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

# The given learning rate; updates done before this one, and all of the run; whole epochs
# done, and all of the run.
GIVEN = ("rate", "step", "steps", "epoch", "epochs")


@dataclass(frozen=True)
class Schedule(Parametrised):
    """The learning rate of one update.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        In terms of ``rate`` (the given learning rate), ``step`` (updates done before: 0, 1,
        ...), ``steps`` (updates of the whole run), ``epoch`` (whole epochs done before),
        ``epochs`` (of the whole run) and the parameters. ``floor`` is allowed, and exponents
        may hold all names but ``rate``.
    parameters : tuple of Parameter
    source : str
    """

    name: str
    formula: str
    parameters: tuple[Parameter, ...] = ()
    source: str = ""
    values: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name("schedule", self.name)
        if not isinstance(self.formula, str):
            raise ExpressionError(f"schedule {self.name!r}: formula {shown(self.formula)} is not text")
        self.check_parameters(f"schedule {self.name!r}", (*GIVEN, "pi", "sum", "floor"))

    def read(self) -> sympy.Expr:
        """Return the formula as an expression in its names.

        Raises
        ------
        ExpressionError
            If the text is not such a formula.
        """
        from symbp.functions.parse import Total, parse_formula

        names = tuple(parameter.name for parameter in self.parameters)
        try:
            value = parse_formula(self.formula, (*GIVEN, *names), (*GIVEN[1:], *names), ("floor",))
        except ExpressionError as error:
            raise error.inside(f"schedule {self.name!r}") from None
        if value.has(Total):
            raise ExpressionError(f"schedule {self.name!r}: sum(...) has no meaning here")
        return value

    @property
    def is_constant(self) -> bool:
        """Whether the rate is the given one throughout, so that there is nothing to compute."""
        return self.formula.strip() == "rate"

"""What a unit and a cost *are*: frozen records around a formula.

A record states the function itself and nothing that follows from it: derivatives,
stable forms, kernel code and typesetting are all derived from the formula. The
formula is text until somebody needs it, so that records import nothing heavy.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbp.errors import ExpressionError, SpecError

if TYPE_CHECKING:
    import sympy

OUTPUTS = ("real", "unit_interval", "distribution")


@dataclass(frozen=True)
class Initialisation:
    """How the weights of a layer start; biases start at 0.

    Parameters
    ----------
    name : str
    distribution : {"normal", "uniform"}
        Normal with a standard deviation, or uniform between plus and minus a limit.
    squared_scale : str
        The square of that number, in ``fan_in`` and ``fan_out``, the numbers of inputs
        (without bias) and of units of the layer.
    source : str
    """

    name: str
    distribution: str
    squared_scale: str
    source: str

    def scale(self, fan_in: int, fan_out: int) -> float:
        """Return the standard deviation or the limit for a layer."""
        from symbp.functions.parse import parse_formula

        formula = parse_formula(self.squared_scale, ("fan_in", "fan_out"))
        values = {"fan_in": fan_in, "fan_out": fan_out}
        return math.sqrt(float(formula.subs({s: values[s.name] for s in formula.free_symbols})))


INITIALISATIONS: dict[str, Initialisation] = {
    record.name: record
    for record in (
        Initialisation("he", "normal", "2/fan_in", "He et al. 2015, arXiv:1502.01852, section 2.2"),
        Initialisation("glorot", "uniform", "6/(fan_in + fan_out)", "Glorot and Bengio 2010, eq. 16"),
    )
}


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name):
        raise SpecError(
            f"function name {name!r}: expected letters, digits and _ (at most 40), starting with a letter"
        )


@dataclass(frozen=True)
class Activation:
    """An activation function o = g(z), or sigma_i(z) of a whole layer.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        The value in terms of ``z``, the weighted sum of one unit. ``sum(e)`` is the
        sum of e over all units of the layer and makes the function one of the whole
        layer (softmax), which only an output layer may have.
    output : {"real", "unit_interval", "distribution"}
        Where the values lie; costs that take logarithms ask for it.
    initialisation : {"he", "glorot"}
        How weights that feed the function start.
    source : str
        Where it was proposed.

    Raises
    ------
    SpecError, ExpressionError
        If the name or the formula is not acceptable.
    """

    name: str
    formula: str
    output: str = "real"
    initialisation: str = "glorot"
    source: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.output not in OUTPUTS:
            raise SpecError(f"activation {self.name!r}: output is one of {', '.join(OUTPUTS)}")
        if self.initialisation not in INITIALISATIONS:
            raise SpecError(
                f"activation {self.name!r}: initialisation is one of {', '.join(INITIALISATIONS)}"
            )
        if not isinstance(self.formula, str):
            raise ExpressionError(f"activation {self.name!r}: formula {self.formula!r} is not text")
        if self.of_layer and re.search(r"\bif\b|\babs\b", self.formula):
            raise ExpressionError(
                f"activation {self.name!r}: a function of the whole layer (one with sum) takes no 'if' or abs"
            )

    @property
    def of_layer(self) -> bool:
        """Whether the value of one unit depends on the whole layer (softmax)."""
        return re.search(r"\bsum\s*\(", self.formula) is not None

    def expression(self) -> sympy.Expr:
        """Return the formula as a SymPy expression in the real symbol ``z``."""
        from symbp.functions.parse import parse_formula

        return parse_formula(self.formula, ("z",))


@dataclass(frozen=True)
class Cost:
    """The cost of one output of one sample; J is its sum over outputs, averaged over samples.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        In terms of ``h`` (prediction) and ``y`` (target).
    output : {"real", "unit_interval", "distribution"}
        What the output activation must give.
    targets : {"real", "unit_interval", "distribution"}
        What targets must be. ``distribution`` also accepts integer labels.
    source : str
        Document and equation.
    """

    name: str
    formula: str
    output: str = "real"
    targets: str = "real"
    source: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        for key in (self.output, self.targets):
            if key not in OUTPUTS:
                raise SpecError(f"cost {self.name!r}: output and targets are one of {', '.join(OUTPUTS)}")
        if not isinstance(self.formula, str):
            raise ExpressionError(f"cost {self.name!r}: formula {self.formula!r} is not text")

    def expression(self) -> sympy.Expr:
        """Return the formula as a SymPy expression in the real symbols ``h`` and ``y``."""
        from symbp.functions.parse import Total, parse_formula

        value = parse_formula(self.formula, ("h", "y"))
        if value.has(Total):
            raise ExpressionError(f"cost {self.name!r}: the sum over outputs is implied; leave sum(...) out")
        return value

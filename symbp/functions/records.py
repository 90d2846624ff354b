"""What a unit and a cost *are*: frozen records around a formula.

A record states the function itself and nothing that follows from it: derivatives,
stable forms, kernel code and typesetting are all derived from the formula. The
formula is text until somebody needs it, so that records import nothing heavy.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from symbp.errors import ExpressionError, SpecError
from symbp.functions.parameters import Parameter, declared_parameters, parameter_values
from symbp.functions.reserved import check_function_name

if TYPE_CHECKING:
    import sympy

# Where the values of an activation lie, which a cost may ask for.
OUTPUTS = ("real", "positive", "unit_interval", "distribution")
# What a cost may ask of its targets.
TARGETS = ("real", "nonnegative", "sign", "unit_interval", "distribution")


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
        Initialisation(
            "lecun", "normal", "1/fan_in", "LeCun et al. 1998, section 4.6; Klambauer et al. 2017"
        ),
        Initialisation("glorot", "uniform", "6/(fan_in + fan_out)", "Glorot and Bengio 2010, eq. 16"),
    )
}


class Parametric:
    """What activations and costs share: a formula with parameters, each of which has a value."""

    # What messages call the record, and the variables of its formula.
    kind: ClassVar[str]
    variables: ClassVar[tuple[str, ...]]

    name: str
    formula: str
    parameters: tuple[Parameter, ...]
    values: Mapping[str, float]

    def _check(self) -> None:
        """Bring parameters and values into their normal form, or say what is wrong with the record."""
        check_function_name(self.name)
        if not isinstance(self.formula, str):
            raise ExpressionError(f"{self.kind} {self.name!r}: formula {self.formula!r} is not text")
        if not isinstance(self.values, Mapping):
            raise SpecError(f"{self.kind} {self.name!r}: values: expected a mapping such as {{'alpha': 0.2}}")
        try:
            parameters = declared_parameters(self.parameters)
            values = parameter_values(parameters, self.values)
        except SpecError as error:
            raise SpecError(f"{self.kind} {self.name!r}: {error}") from None
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "values", values)

    @property
    def signature(self) -> str:
        """The name with the values of the parameters: ``leaky_relu(alpha=0.01)``."""
        values = ", ".join(f"{name}={value:g}" for name, value in self.values.items())
        return f"{self.name}({values})" if values else self.name

    def with_values(self, /, **values: float) -> Self:
        """Return the record with other values of its parameters.

        Raises
        ------
        SpecError
            If there is no parameter of that name, or the value lies outside its domain.
        """
        return self.with_mapping(values)

    def with_mapping(self, values: Mapping[str, Any]) -> Self:
        """Return the record with the values of a mapping, which may come from a file."""
        return dataclasses.replace(self, values={**self.values, **values})  # type: ignore[type-var]

    def same_function(self, other: object) -> bool:
        """Whether the other record states the same function, perhaps with other values."""
        if not isinstance(other, type(self)):
            return False
        return self.with_mapping(other.values) == other if self.parameters == other.parameters else False

    def symbolic(self) -> sympy.Expr:
        """Return the formula as a SymPy expression; every parameter is a real symbol of its name."""
        from symbp.functions.parse import parse_formula

        try:
            return parse_formula(self.formula, (*self.variables, *(p.name for p in self.parameters)))
        except ExpressionError as error:
            raise error.inside(f"{self.kind} {self.name!r}") from None

    def expression(self) -> sympy.Expr:
        """Return the formula as a SymPy expression in its variables, with the parameters' values put in."""
        from symbp.functions.parse import put_in

        return put_in(self.symbolic(), tuple(self.values.items()))


@dataclass(frozen=True)
class Activation(Parametric):
    """An activation function o = g(z), or sigma_i(z) of a whole layer.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        The value in terms of ``z``, the weighted sum of one unit, and of the parameters.
        ``sum(e)`` is the sum of e over all units of the layer and makes the function one of
        the whole layer (softmax), which only an output layer may have.
    output : {"real", "positive", "unit_interval", "distribution"}
        Where the values lie; costs that take logarithms ask for it.
    initialisation : {"he", "lecun", "glorot"}
        How weights that feed the function start.
    source : str
        Where it was proposed.
    parameters : tuple of Parameter, or mapping
        Numbers in the formula that a declaration may choose; ``{"alpha": 0.2}`` gives names
        and defaults.
    values : mapping
        Their values where these are not the defaults.

    Raises
    ------
    SpecError, ExpressionError
        If the name, the formula or a parameter is not acceptable.
    """

    kind: ClassVar[str] = "activation"
    variables: ClassVar[tuple[str, ...]] = ("z",)

    name: str
    formula: str
    output: str = "real"
    initialisation: str = "glorot"
    source: str = ""
    parameters: tuple[Parameter, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._check()
        if self.output not in OUTPUTS:
            raise SpecError(f"activation {self.name!r}: output is one of {', '.join(OUTPUTS)}")
        if self.initialisation not in INITIALISATIONS:
            raise SpecError(
                f"activation {self.name!r}: initialisation is one of {', '.join(INITIALISATIONS)}"
            )
        if self.of_layer and re.search(r"\b(if|abs|max|min)\b", self.formula):
            raise ExpressionError(
                f"activation {self.name!r}: a function of the whole layer (one with sum) takes no 'if', "
                "abs, max or min"
            )

    @property
    def of_layer(self) -> bool:
        """Whether the value of one unit depends on the whole layer (softmax)."""
        return re.search(r"\bsum\s*\(", self.formula) is not None


@dataclass(frozen=True)
class Cost(Parametric):
    """The cost of one output of one sample; J is its sum over outputs, averaged over samples.

    Parameters
    ----------
    name : str
        The name used in declarations.
    formula : str
        In terms of ``h`` (prediction), ``y`` (target) and the parameters.
    output : {"real", "positive", "unit_interval", "distribution"}
        What the output activation must give.
    targets : {"real", "nonnegative", "sign", "unit_interval", "distribution"}
        What targets must be. ``sign`` is -1 or 1; ``distribution`` also accepts integer labels.
    source : str
        Document and equation.
    parameters, values
        As for :class:`Activation`.

    Raises
    ------
    SpecError, ExpressionError
        If the name, the formula or a parameter is not acceptable.
    """

    kind: ClassVar[str] = "cost"
    variables: ClassVar[tuple[str, ...]] = ("h", "y")

    name: str
    formula: str
    output: str = "real"
    targets: str = "real"
    source: str = ""
    parameters: tuple[Parameter, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._check()
        if self.output not in OUTPUTS:
            raise SpecError(f"cost {self.name!r}: output is one of {', '.join(OUTPUTS)}")
        if self.targets not in TARGETS:
            raise SpecError(f"cost {self.name!r}: targets is one of {', '.join(TARGETS)}")

    def symbolic(self) -> sympy.Expr:
        """Return the formula as a SymPy expression; every parameter is a real symbol of its name."""
        from symbp.functions.parse import Total

        value = super().symbolic()
        if value.has(Total):
            raise ExpressionError(f"cost {self.name!r}: the sum over outputs is implied; leave sum(...) out")
        return value

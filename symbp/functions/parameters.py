"""Parameters of functions and update rules: named numbers with a default and a domain."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symbp.errors import SpecError
from symbp.functions.names import nearest
from symbp.functions.reserved import check_parameter_name
from symbp.values import shown

# Domain -> (whether a number lies in it, how a message says so).
DOMAINS: dict[str, tuple[Callable[[float], bool], str]] = {
    "real": (lambda x: True, "a number"),
    "positive": (lambda x: x > 0, "a number above 0"),
    "nonnegative": (lambda x: x >= 0, "a number of at least 0"),
    "fraction": (lambda x: 0 < x < 1, "a number between 0 and 1"),
    "decay": (lambda x: 0 <= x < 1, "a number of at least 0 and below 1"),
}


@dataclass(frozen=True)
class Parameter:
    """A number that a declaration may choose, such as the slope alpha of leaky_relu.

    Attributes
    ----------
    name : str
        Its name in formulas and declarations.
    default : float
    domain : str
        A key of :data:`DOMAINS`.

    Raises
    ------
    SpecError
        If the name has another meaning, or the default lies outside the domain.
    """

    name: str
    default: float
    domain: str = "real"

    def __post_init__(self) -> None:
        check_parameter_name(self.name)
        if not isinstance(self.domain, str) or self.domain not in DOMAINS:
            raise SpecError(
                f"parameter {self.name}: unknown domain {shown(self.domain)}{nearest(self.domain, DOMAINS)}"
            )
        object.__setattr__(self, "default", self.value(self.default))

    def value(self, given: object) -> float:
        """Return `given`, a number of Python or NumPy, as a number of the domain.

        Raises
        ------
        SpecError
            If it is not one.
        """
        inside, words = DOMAINS[self.domain]
        if isinstance(given, numbers.Real) and not isinstance(given, bool):
            try:
                number = float(given)
            except OverflowError:
                number = math.inf
            if math.isfinite(number) and inside(number):
                return number
        raise SpecError(f"{self.name} = {shown(given)}: expected {words}")


def parameter_values(parameters: tuple[Parameter, ...], given: Mapping[str, object]) -> dict[str, float]:
    """Return the value of every parameter: the given one, else the default.

    Raises
    ------
    SpecError
        If a name is unknown or a value lies outside its domain.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            hint = nearest(name, known) if known else "; there are none"
            raise SpecError(f"unknown parameter {shown(name)}{hint}")
    return {name: p.value(given[name]) if name in given else p.default for name, p in known.items()}


def declared_parameters(given: object) -> tuple[Parameter, ...]:
    """Return the parameters that a declaration means.

    Parameters
    ----------
    given : mapping or iterable of Parameter
        ``{"alpha": 0.2}``, or ``{"alpha": {"default": 0.2, "domain": "positive"}}``.

    Raises
    ------
    SpecError
        If it is neither, or names a parameter twice.
    """
    if isinstance(given, Mapping):
        return tuple(_declared(name, entry) for name, entry in given.items())
    found = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    for parameter in found:
        if not isinstance(parameter, Parameter):
            raise SpecError(
                f"parameters: {shown(parameter)}: expected a symbp.Parameter or {{name = default}}"
            )
    if len({parameter.name for parameter in found}) != len(found):
        raise SpecError("parameters: two have the same name")
    return found


def _declared(name: object, entry: object) -> Parameter:
    check_parameter_name(name)
    if not isinstance(entry, Mapping):
        return Parameter(str(name), entry)  # type: ignore[arg-type]
    for key in entry:
        if key not in ("default", "domain"):
            raise SpecError(
                f"parameter {name}: unknown key {shown(key)}{nearest(key, ('default', 'domain'))}"
            )
    if "default" not in entry:
        raise SpecError(f"parameter {name}: no key 'default'")
    return Parameter(str(name), entry["default"], entry.get("domain", "real"))


def parameter_entry(parameter: Parameter) -> float | dict[str, object]:
    """Return what :func:`declared_parameters` reads as that parameter."""
    if parameter.domain == "real":
        return parameter.default
    return {"default": parameter.default, "domain": parameter.domain}

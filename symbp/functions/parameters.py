"""Parameters of functions and update rules: named numbers with a default and a domain."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symbp.errors import SpecError
from symbp.functions.names import nearest
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
    """

    name: str
    default: float
    domain: str = "real"

    def value(self, given: object) -> float:
        """Return `given` as a number of the domain.

        Raises
        ------
        SpecError
            If it is not one.
        """
        inside, words = DOMAINS[self.domain]
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if not is_number or not math.isfinite(float(given)) or not inside(float(given)):  # type: ignore[arg-type]
            raise SpecError(f"{self.name} = {shown(given)}: expected {words}")
        return float(given)  # type: ignore[arg-type]


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

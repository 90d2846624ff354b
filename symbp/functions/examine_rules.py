"""What can be said of a user's own update rule before it is compiled: does it always give a number?"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

from symbp.errors import SymbpWarning
from symbp.functions.numeric import NotReal, value_at
from symbp.functions.rules import UpdateRule

# A weight sees these gradients in this order, again from the start for every first one: 0 is
# what a relu that is off gives, and one at the first update finds every state as it began.
_GRADIENTS = (0.0, 0.3, -0.7, 2.0, 0.0, -1.5)
_WEIGHTS = (-0.8, 0.0, 1.3)
_REMEDY = "add a small number to what it divides by, or give it a value with 'a if ... else b'"


def warn_of_rule(rule: UpdateRule) -> None:
    """Issue a SymbpWarning that names the line and the gradient where an update rule gives no number."""
    told = _of_rule(rule)
    if told:
        warnings.warn(told, SymbpWarning, stacklevel=4)


def _of_rule(rule: UpdateRule) -> str:
    assignments = rule.read()
    for weight, first in itertools.product(_WEIGHTS, range(len(_GRADIENTS))):
        known: dict[str, float] = {"w": weight, "learning_rate": rule.learning_rate}
        known |= {p.name: float(rule.values.get(p.name, p.default)) for p in rule.parameters}
        known |= {name: float(value) for name, value in rule.states.items()}
        for step, gradient in enumerate(_GRADIENTS[first:], 1):
            known |= {"gradient": gradient, "step": float(step)}
            before = dict(known)
            for name, value in assignments:
                what = _without_number(value, known)
                if what:
                    states = "".join(f", {state} = {before[state]:.4g}" for state in rule.states)
                    at = f"gradient = {gradient:g}, w = {before['w']:.4g}{states}"
                    return f"optimizer {rule.name!r}: {name!r} {what} at {at} (update {step}); {_REMEDY}"
                known[name] = value_at(value, known)
    return ""


def _without_number(value: Any, known: dict[str, float]) -> str:
    """Say what is wrong with a value, or nothing."""
    try:
        number = value_at(value, known)
    except (NotReal, ZeroDivisionError):
        return "is not real"
    return "" if math.isfinite(number) else "has no finite value"

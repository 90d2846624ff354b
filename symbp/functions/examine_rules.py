"""What can be said of an own update rule or schedule before it is compiled: does it always give a number?"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

from symbp.errors import ExpressionError, SymbpWarning
from symbp.functions.numeric import NotReal, value_at
from symbp.functions.rules import UpdateRule
from symbp.functions.schedules import Schedule

# A weight sees these gradients in this order, again from the start for every first one: 0 is
# what a relu that is off gives, and one at the first update finds every state as it began.
_GRADIENTS = (0.0, 0.3, -0.7, 2.0, 0.0, -1.5)
_WEIGHTS = (-0.8, 0.0, 1.3)
# Runs in which a schedule is looked at: updates of an epoch, and epochs.
_RUNS = ((1, 1), (5, 4), (10, 100), (1000, 50))
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


def examine_schedule(schedule: Schedule, rate: float) -> None:
    """Refuse a schedule under which nothing is learned; warn of one that goes wrong in some updates.

    Raises
    ------
    ExpressionError
        If the learning rate is above 0 in no update that is looked at.
    """
    value = schedule.read()
    if rate_is_unread := "rate" not in {symbol.name for symbol in value.free_symbols}:
        _warn_of(schedule, "does not read 'rate': the learning rate that is given has no effect")
    found = [(counts, _rate(value, {**schedule.constants, **counts, "rate": rate})) for counts in _counts()]
    if not any(number > 0 for _, number in found):
        raise ExpressionError(f"schedule {schedule.name!r}: its learning rate is never above 0")
    for counts, number in found:
        if not 0 <= number < math.inf:
            what = f"learning rate is {number:.4g}" if math.isfinite(number) else "learning rate is no number"
            of = "" if rate_is_unread else f" with rate {rate:g}"
            update = f"update {counts['step'] + 1:g} of {counts['steps']:g}, epoch {counts['epoch'] + 1:g}"
            _warn_of(schedule, f"{what}{of} in {update}; bound it with max(...) or 'a if ... else b'")
            return


def _warn_of(schedule: Schedule, what: str) -> None:
    warnings.warn(f"schedule {schedule.name!r}: {what}", SymbpWarning, stacklevel=5)


def _counts() -> Iterator[dict[str, float]]:
    """Yield the counts of first, middle and last updates of some runs."""
    for per_epoch, epochs in _RUNS:
        steps = per_epoch * epochs
        for done in sorted({0, 1, 2, 3, steps // 3, steps // 2, steps - 1} & set(range(steps))):
            counts = {"step": done, "steps": steps, "epoch": done // per_epoch, "epochs": epochs}
            yield {name: float(count) for name, count in counts.items()}


def _rate(value: Any, known: dict[str, float]) -> float:
    try:
        return value_at(value, known)
    except (NotReal, ZeroDivisionError):
        return math.nan


def _without_number(value: Any, known: dict[str, float]) -> str:
    """Say what is wrong with a value, or nothing."""
    try:
        number = value_at(value, known)
    except (NotReal, ZeroDivisionError):
        return "is not real"
    return "" if math.isfinite(number) else "has no finite value"

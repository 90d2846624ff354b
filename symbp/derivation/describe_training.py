"""A record of training -> what the table of functions says of it: the equations that derivations state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symbp.algebra.nodes import cost, eta, w_ij
from symbp.algebra.updates import per_weight
from symbp.derivation.penalty import constants, penalise
from symbp.derivation.records import Builder, equation
from symbp.derivation.updates import labels, stated_schedule, train
from symbp.functions import Parameter, Penalty, Schedule, Training, UpdateRule


@dataclass(frozen=True)
class TrainingDescription:
    """What can be said of an update rule, a schedule or a penalty.

    Attributes
    ----------
    record : UpdateRule, Schedule or Penalty
    statements : tuple of sympy.Eq
        Of a rule its assignments (2.2), of a schedule the rate (2.2s), of a penalty what it
        adds for a layer (2.1p) and the derivative of what is minimised (2.1ra).
    states : tuple of (sympy.Expr, float)
        What is kept for every weight, and how it starts.
    parameters : tuple of (sympy.Expr, Parameter)
        The letter of each.
    decays : bool
        Whether a weight without a gradient changes towards or away from 0 all the same. It does so
        for every weight, biases included.
    """

    record: UpdateRule | Schedule | Penalty
    statements: tuple[Any, ...]
    states: tuple[tuple[Any, float], ...]
    parameters: tuple[tuple[Any, Parameter], ...]
    decays: bool = False


def describe_training(record: UpdateRule | Schedule | Penalty) -> TrainingDescription:
    """Derive what the table of functions says of a record."""
    b = Builder({})
    states: tuple[tuple[Any, float], ...] = ()
    wanted: tuple[str, ...]
    if isinstance(record, Penalty):
        penalise(b, record, lambda _: 0)
        wanted = ("2.1p", "2.1ra")
    elif isinstance(record, Schedule):
        # A constant rate needs no equation in a derivation.
        b.define("2.2s", equation(eta, stated_schedule(record)), record.name)
        wanted = ("2.2s",)
    else:
        train(b, Training(rule=record), cost())
        wanted = labels(record)
        states = tuple((per_weight(name, "old"), start) for name, start in record.states.items())
    letters = constants(record)
    return TrainingDescription(
        record,
        tuple(b.steps[label].statement for label in wanted),
        states,
        tuple((letters[parameter.name], parameter) for parameter in record.parameters),
        isinstance(record, UpdateRule) and _decays(b.steps[wanted[-1]].statement),
    )


def _decays(new_weight: Any) -> bool:
    """Whether the old weight stands in the new one with another coefficient than 1."""
    return bool(sympy.expand(new_weight.rhs).coeff(w_ij) != 1)

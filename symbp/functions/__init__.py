"""Activations, costs, penalties, update rules and schedules as records around their formulas."""

from symbp.functions.parameters import Parameter
from symbp.functions.penalties import Penalty
from symbp.functions.records import INITIALISATIONS, Activation, Cost, Initialisation
from symbp.functions.rules import UpdateRule
from symbp.functions.schedules import Schedule
from symbp.functions.tables import ACTIVATIONS, ALIASES, COSTS
from symbp.functions.training import OPTIMIZERS, PENALTIES, SCHEDULES, Training

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "COSTS",
    "INITIALISATIONS",
    "OPTIMIZERS",
    "PENALTIES",
    "SCHEDULES",
    "Activation",
    "Cost",
    "Initialisation",
    "Parameter",
    "Penalty",
    "Schedule",
    "Training",
    "UpdateRule",
]

"""Activations, costs and update rules as records around their formulas."""

from symbp.functions.parameters import Parameter
from symbp.functions.records import INITIALISATIONS, Activation, Cost, Initialisation, UpdateRule
from symbp.functions.tables import ACTIVATIONS, ALIASES, COSTS, OPTIMIZERS

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "COSTS",
    "INITIALISATIONS",
    "OPTIMIZERS",
    "Activation",
    "Cost",
    "Initialisation",
    "Parameter",
    "UpdateRule",
]

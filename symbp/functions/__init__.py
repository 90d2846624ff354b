"""Activations, costs and update rules as records around their formulas."""

from symbp.functions.records import INITIALISATIONS, Activation, Cost, Initialisation, UpdateRule
from symbp.functions.tables import ACTIVATIONS, COSTS, OPTIMIZERS

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "INITIALISATIONS",
    "OPTIMIZERS",
    "Activation",
    "Cost",
    "Initialisation",
    "UpdateRule",
]

"""Activations, costs and update rules as records around their formulas."""

from symbp.functions.records import Activation, Cost, UpdateRule
from symbp.functions.tables import ACTIVATIONS, COSTS, OPTIMIZERS

__all__ = ["ACTIVATIONS", "COSTS", "OPTIMIZERS", "Activation", "Cost", "UpdateRule"]

"""What the records of a network state, with its own layers, sizes and letters put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from sympy import Sum

from symbp.algebra.nodes import Constant, i, m, p, pre_activation, prediction, q, sample_weight, target
from symbp.derivation import local

if TYPE_CHECKING:
    from symbp.functions.records import Activation, Cost
    from symbp.network import Network


def stated_formula(record: Activation | Cost, layer: int) -> Any:
    """Return a record's formula; its parameters are the constants of that layer (0 for the cost)."""
    return record.symbolic().xreplace(
        {sympy.Symbol(name, real=True): Constant(name, layer, value) for name, value in record.values.items()}
    )


def stated_output(network: Network) -> Any:
    """Return the output of neuron q as the activation's record states it."""
    outputs = sympy.Integer(network.hidden + 1)
    formula = stated_formula(network.layer(network.hidden + 1).activation, network.hidden + 1)
    width = sympy.Integer(network.sizes[-1])
    return local.instantiate(formula, lambda n: pre_activation(outputs, n), q, width)


def stated_hidden(network: Network, layer: int) -> Any:
    """Return the output of neuron i of a hidden layer as the activation's record states it."""
    formula = stated_formula(network.layer(layer).activation, layer)
    return formula.subs(local.Z, pre_activation(layer, i))


def stated_cost(network: Network) -> Any:
    """Return J as the cost's record states it."""
    outputs = sympy.Integer(network.hidden + 1)
    formula = stated_formula(network.cost, 0)
    values = {"h": prediction(q, p, outputs), "y": target(q, p, outputs)}
    summand = formula.xreplace({sympy.Symbol(name, real=True): node for name, node in values.items()})
    if network.weighted:
        summand = sample_weight(p, outputs) * summand
    return Sum(summand, (q, 1, sympy.Integer(network.sizes[-1])), (p, 1, m)) / m


def parameters(
    record: Activation | Cost, layer: int, head: str, tail: str = ""
) -> dict[str, tuple[Constant, sympy.Rational]]:
    """Return letter and number of every parameter of a function, by the label of its definition."""
    return {
        f"{head}.{name}{tail}": (Constant(name, layer, value), sympy.Rational(str(value)))
        for name, value in record.values.items()
    }


def stated_parameters(network: Network) -> dict[str, tuple[Constant, sympy.Rational]]:
    """Return :func:`parameters` of the cost, the output layer and the hidden layers."""
    last = network.hidden + 1
    found = parameters(network.cost, 0, "2.1c")
    found |= parameters(network.layer(last).activation, last, "1.8p")
    for k in range(1, last):
        found |= parameters(network.layer(k).activation, k, "1.3p", f", k={k}")
    return found

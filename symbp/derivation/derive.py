"""Network (or nothing) -> Derivation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Eq

from symbp.algebra.nodes import HasBias
from symbp.derivation import architecture, generic, inputs, outputs, penalty, resolved, samples, updates
from symbp.derivation.records import Builder, Derivation, Step
from symbp.errors import SpecError
from symbp.functions import Training
from symbp.network import Network
from symbp.values import shown


def derive(network: Network | None = None, training: Training | None = None) -> Derivation:
    """Derive the backpropagation of a network, or of any sequential dense network.

    Parameters
    ----------
    network : Network, optional
        One architecture. Without it L and every N_k stay symbols.
    training : Training, optional
        The rule of eq. 2.2 and what belongs to it; gradient descent if left out.

    Returns
    -------
    Derivation
        Unchecked; :meth:`Derivation.prove` runs the oracles.

    Raises
    ------
    SpecError
        If `network` is something else.
    """
    if network is not None and not isinstance(network, Network):
        raise SpecError(f"derive: {shown(network)} is no Network; a file is read by Network.from_toml")
    how = training or Training()

    def recipe(network: Network | None, overrides: Mapping[str, Eq]) -> tuple[Step, ...]:
        b = Builder(overrides)
        bias = _bias(network)
        # The order is that of document 000, then the bridge, then this network.
        generic.forward(b, bias)
        generic.chain(b)
        generic.matrices(b)
        generic.sensitivities(b, bias)
        outputs.outputs(b)
        inputs.inputs(b)
        minimised = penalty.penalise(b, how.penalty, bias)
        updates.train(b, how, minimised)
        samples.samples(b, minimised)
        if network is not None:
            architecture.functions(b, network)
            architecture.layers(b, network)
            outputs.of_one_network(b, network)
            inputs.of_one_network(b, network)
            resolved.put_in_functions(b)
            penalty.layers(b, how.penalty, network)
        return tuple(b.steps.values())

    return Derivation(network, recipe(network, {}), recipe, how)


def _bias(network: Network | None) -> Any:
    """Layer -> number of bias neurons: 1, 0, or beta_k where some layers have one and some not."""
    biased = {True} if network is None else set(network.biases)
    if len(biased) == 2:
        return HasBias
    return lambda layer: sympy.Integer(biased == {True})

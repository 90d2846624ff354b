"""Systematic faults in every equation: an oracle must see each, except those that change no value."""

from __future__ import annotations

import dataclasses

import pytest

import symbp
from symbp.derivation.oracles import Panel
from symbp.network import Dense, Network
from tests.mutants import mutants

NETWORKS = {
    "generic": None,
    "deep": Network(3, [Dense(4, "tanh"), Dense(2, "relu"), Dense(3, "softmax")], "cross_entropy"),
    "mixed": Network(3, [Dense(4, "sigmoid", bias=False), Dense(2, "sigmoid")], "binary_cross_entropy"),
}

# Faults that change no value, and why.
EQUAL = {
    ("2.11a", "one term short"): "the last input is the bias neuron, whose derivative is 0",
    ("2.11a", "without HasBias"): "the last input is the bias neuron, whose derivative is 0",
}


def _is_equal_in_value(label: str, what: str) -> bool:
    return any(label == known and what.startswith(start) for known, start in EQUAL)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_fault_is_seen(name: str) -> None:
    derivation = symbp.derive(NETWORKS[name])
    panel = Panel(derivation)
    alive, killed = [], 0
    for step in derivation.steps:
        for what, statement in mutants(step.statement):
            checks = panel.checks(dataclasses.replace(step, statement=statement))
            if all(check.passed for check in checks):
                alive.append((step.label, what))
            else:
                killed += 1
    assert [mutant for mutant in alive if not _is_equal_in_value(*mutant)] == []
    assert killed > 400  # the mutants are there


def test_the_unbroken_equations_pass_the_same_panel() -> None:
    for network in NETWORKS.values():
        derivation = symbp.derive(network)
        panel = Panel(derivation)
        assert all(check.passed for step in derivation.steps for check in panel.checks(step))

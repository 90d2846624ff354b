"""Systematic faults in every equation: an oracle must see each, except those that change no value."""

from __future__ import annotations

import pytest

import symbp
from symbp.derivation.oracles.kills import try_faults
from symbp.derivation.oracles.panel import Panel
from symbp.network import Dense, Network

NETWORKS = {
    "generic": None,
    "deep": Network(3, [Dense(4, "tanh"), Dense(2, "relu"), Dense(3, "softmax")], "cross_entropy"),
    "parameters": Network(
        2,
        [Dense(6, {"name": "leaky_relu", "alpha": 0.25}), Dense(4, "swish"), Dense(6, "elu")],
        {"name": "huber", "delta": 0.75},
    ),
    "mixed": Network(3, [Dense(4, "sigmoid", bias=False), Dense(2, "sigmoid")], "binary_cross_entropy"),
}


# Updates with all that belongs to them; of their derivations only the new equations are broken.
UPDATES = {
    "sgd": ("generic", {"l2": 0.2}),
    "adam": ("mixed", {"schedule": "cosine", "clip_norm": 1.0, "l1": 0.1, "l2": 0.2}),
    "nadam": ("generic", {"schedule": "step", "l2": 0.2}),
    "adamw": ("generic", {"schedule": "warmup_cosine", "l1": 0.1}),
    "momentum": ("generic", {"schedule": "warmup", "clip_norm": 1.0}),
    "nesterov": ("generic", {"schedule": "exponential"}),
    "rmsprop": ("generic", {}),
    "adagrad": ("generic", {}),
}


@pytest.mark.parametrize("rule", UPDATES)
def test_every_fault_of_an_update_is_seen(rule: str) -> None:
    name, options = UPDATES[rule]
    derivation = symbp.derive(NETWORKS[name], rule, **options)
    plain = symbp.derive(NETWORKS[name])
    new = tuple(
        step
        for step in derivation.steps
        if step.label not in plain or step.statement != plain[step.label].statement
    )
    report = try_faults(derivation, new)
    assert report.ok, report.table()
    assert set(report.by_step) == {step.label for step in new}
    assert min(tried for tried, _ in report.by_step.values()) > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_every_fault_is_seen(name: str) -> None:
    derivation = symbp.derive(NETWORKS[name])
    report = try_faults(derivation)
    assert [survivor for survivor in report.survivors if not survivor.equal_because] == []
    assert report.ok
    assert report.killed > 400  # the faults are there
    assert set(report.by_step) == set(derivation.labels)
    assert min(tried for tried, _ in report.by_step.values()) > 0  # and in every equation


def test_the_unbroken_equations_pass_the_same_panel() -> None:
    for network in NETWORKS.values():
        derivation = symbp.derive(network)
        panel = Panel(derivation)
        assert all(check.passed for step in derivation.steps for check in panel.checks(step))

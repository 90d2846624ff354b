"""Systematic faults in every equation: an oracle must see each, except those that change no value."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from sympy import MatMul, Mul, Piecewise, S, Sum, Transpose

import symbp
from symbp.algebra.matrices import ChainMatrix, DeltaColumn, MatrixSum, StepMatrix, WeightMatrix
from symbp.algebra.nodes import Node
from symbp.derivation.oracles.cases import assignments
from symbp.derivation.oracles.kills import try_faults
from symbp.derivation.oracles.model import Shape
from symbp.derivation.oracles.mutants import mutants
from symbp.derivation.oracles.panel import Panel
from symbp.derivation.records import equation
from symbp.errors import DerivationError
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


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
def test_both_branches_of_an_output_are_visited(activation: str, units: int) -> None:
    """A sensitivity that is right only above the kink of the output is seen to be wrong."""
    derivation = symbp.derive(Network(2, [Dense(units, activation)], "half_squared_error"))
    statement = derivation["D.1f"].statement
    (slope,) = statement.rhs.atoms(Piecewise)
    broken = derivation.replace("D.1f", equation(statement.lhs, statement.rhs.xreplace({slope: S.One})))
    with pytest.raises(DerivationError, match=r"D\.1f: mpmath check failed"):
        broken.prove()


LATE = symbp.Activation("late", "z if z < 5 else 2*z - 5")


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("activation", ["hard_sigmoid", LATE], ids=["hard_sigmoid", "late"])
def test_branches_far_from_0_are_visited(activation: str | symbp.Activation, units: int) -> None:
    derivation = symbp.derive(Network(2, [Dense(units, activation)], "half_squared_error"))
    statement = derivation["D.1f"].statement
    (slope,) = statement.rhs.atoms(Piecewise)
    for value, _ in slope.args:  # that of one branch everywhere
        broken = derivation.replace("D.1f", equation(statement.lhs, statement.rhs.xreplace({slope: value})))
        with pytest.raises(DerivationError, match=r"D\.1f: mpmath check failed"):
            broken.prove()


KINDS = {
    "sign": ("sign", "sign of"),
    "index": ("index", "indices swapped"),
    "missing factor": ("without",),
    "wrong range": ("one term short", "first term left out", "one term more", "one term before", "width of"),
    "transposed matrix": ("transposed", "not transposed"),
    "layer shifted by one": ("layer +", "layer -", "matrix of layer +", "matrix of layer -", "g' of another"),
}


def _parts(statement: Any) -> set[str]:
    """Return the kinds of faults for which a right side has a place."""
    right = statement.rhs
    there = {
        "sign": right != 0,
        "index": len({i for node in right.atoms(Node) for i in node.indices if i.is_Symbol}) > 1,
        "missing factor": right.has(Mul, MatMul) and not right.is_number,
        "wrong range": right.has(Sum, MatrixSum),
        "transposed matrix": right.has(Transpose, StepMatrix, ChainMatrix, DeltaColumn, WeightMatrix),
        "layer shifted by one": right.has(StepMatrix, ChainMatrix, DeltaColumn)
        or any(node.kind in ("w", "a", "c", "o", "delta", "S", "T") for node in right.atoms(Node)),
    }
    return {kind for kind, found in there.items() if found}


@pytest.mark.parametrize("name", ["generic", "deep"])
def test_every_equation_is_broken_in_every_way_for_which_it_has_a_place(name: str) -> None:
    for step in symbp.derive(NETWORKS[name]).steps:
        tried = [fault for fault, _ in mutants(step.statement)]
        for kind in _parts(step.statement):
            assert any(fault.startswith(KINDS[kind]) for fault in tried), (step.label, kind)


def test_what_is_claimed_to_be_0_or_1_is_broken_on_the_left() -> None:
    derivation = symbp.derive()
    for label in ("1.6b", "2.7z", "A.4"):
        faults = [fault for fault, _ in mutants(derivation[label].statement)]
        assert any(fault.endswith("on the left") for fault in faults), label


def test_two_indices_are_different_somewhere() -> None:
    """Of three indices over two neurons each, two are always the same: each pair differs in one case."""
    network = Network(3, [Dense(2, "sigmoid"), Dense(2, "sigmoid")], "half_squared_error")
    step = symbp.derive(network)["2.17a, k=2"]
    shape = Shape((3, 2, 2), (True, True), 2)
    cases = list(assignments(step, shape, random.Random(1)))
    indices = sorted({i for node in step.statement.atoms(Node) for i in node.indices if i.is_Symbol}, key=str)
    for a, b in combinations(indices, 2):
        assert any(case[a] != case[b] for case in cases), (a, b)


def test_the_unbroken_equations_pass_the_same_panel() -> None:
    for network in NETWORKS.values():
        derivation = symbp.derive(network)
        panel = Panel(derivation)
        assert all(check.passed for step in derivation.steps for check in panel.checks(step))


def test_one_oracle_is_enough_and_all_have_an_answer() -> None:
    """The first word against a fault decides; the oracles that are then not asked could answer, too."""
    derivation = symbp.derive(NETWORKS["mixed"])
    panel = Panel(derivation)
    broken = [
        replace(step, statement=statement)
        for step in derivation.steps
        for _, statement in mutants(step.statement)
    ]
    asked = 0
    for step in broken[::11]:
        checks = panel.checks(step)
        assert panel.refutes(step) == (not all(check.passed for check in checks)), step.label
        asked += len(checks)
    assert asked > 100
    assert not any(map(panel.refutes, derivation.steps))

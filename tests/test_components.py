"""A small network written out component by component: complete, proved, and breakable."""

from __future__ import annotations

import pytest
import sympy
from sympy import Sum

import symbp
from symbp.algebra.nodes import MaxOver, Node
from symbp.derivation.records import equation
from symbp.errors import DerivationError
from symbp.network import Dense, Network

NETWORKS = [
    Network(2, [Dense(3, "sigmoid"), Dense(2, "softmax")], "cross_entropy"),
    Network(1, [Dense(2, "tanh"), Dense(1, "tanh", bias=False), Dense(1, "tanh")], "squared_error"),
    Network(3, [Dense(2)], "half_squared_error"),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.sizes))
def test_no_index_and_no_sum_over_neurons_is_left(network: Network) -> None:
    for step in symbp.derive(network).components().steps:
        letters = {x for node in step.statement.atoms(Node) for x in node.indices if x.is_Symbol}
        assert letters == set(), step.label
        assert not step.statement.atoms(MaxOver), step.label
        for total in step.statement.atoms(Sum):
            assert [str(limit[0]) for limit in total.limits] == ["p"], step.label  # the samples


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.sizes))
def test_every_weight_has_its_derivative_and_every_step_is_proved(network: Network) -> None:
    written = symbp.derive(network).components()
    assert len(written.prove()) > len(written.steps)
    gradients = [label for label in written.labels if label.startswith(("D.6a", "D.6b"))]
    assert len(gradients) == network.n_params
    deltas = [label for label in written.labels if label.startswith(("D.5", "D.1f["))]
    assert len(deltas) == sum(network.sizes[1:])


def test_a_sum_is_written_term_by_term() -> None:
    written = symbp.derive(NETWORKS[0]).components()
    w, o = (lambda i, j: Node("w", 1, (i, j))), (lambda i: Node("o", 0, (i,)))
    assert written["2.6b[2], k=1"].statement.rhs == w(2, 1) * o(1) + w(2, 2) * o(2) + w(2, 3)
    text = written.text()
    assert "(D.5[3], k=1) delta_3^1 = " in text
    assert "sum_{r" not in text


def test_a_broken_component_fails() -> None:
    written = symbp.derive(NETWORKS[0]).components()
    statement = written["D.5[2], k=1"].statement
    broken = written.replace("D.5[2], k=1", equation(statement.lhs, -statement.rhs))
    with pytest.raises(DerivationError, match=r"^D\.5\[2\], k=1: "):
        broken.prove()


def test_a_broken_equation_breaks_its_components() -> None:
    derivation = symbp.derive(NETWORKS[0])
    statement = derivation["D.5, k=1"].statement
    broken = derivation.replace("D.5, k=1", equation(statement.lhs, 2 * statement.rhs)).components()
    whole = derivation.components()["D.5[1], k=1"].statement.rhs
    assert sympy.expand(broken["D.5[1], k=1"].statement.rhs - 2 * whole) == 0
    with pytest.raises(DerivationError, match=r"^D\.5\[1\], k=1: "):
        broken.prove()


def test_too_large_or_no_network() -> None:
    with pytest.raises(
        DerivationError, match="650 weights; written out component by component it may have 80"
    ):
        symbp.derive(Network(64, [Dense(10)], "half_squared_error")).components()
    with pytest.raises(DerivationError, match="components are those of a network"):
        symbp.derive().components()

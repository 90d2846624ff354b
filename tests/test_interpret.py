"""The plan run as NumPy against the tape."""

from __future__ import annotations

import numpy as np
import pytest

import symbp
from symbp.derivation.records import equation
from symbp.functions import COSTS
from symbp.plan.passes import make_plan
from symbp.run import interpret, plain
from symbp.run.paths import plain_tape
from symbp.run.point import Point, random_point
from tests.plain_python import interpreted

REAL = [name for name, cost in COSTS.items() if cost.output == "real"]

NETWORKS = [
    symbp.Network(
        4,
        [symbp.Dense(9, "tanh"), symbp.Dense(5, "relu", bias=False), symbp.Dense(3, "softmax")],
        "cross_entropy",
    ),
    symbp.Network(3, [symbp.Dense(2, "sigmoid")], "binary_cross_entropy"),
    symbp.Network(1, [symbp.Dense(1, "tanh", bias=False)], symbp.Cost("quartic", "(h - y)**4")),
]


def _point(network: symbp.Network) -> Point:
    rng = np.random.default_rng(1)
    return random_point(network, rng.normal(size=network.n_params), np.dtype(float), rng, 4)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.sizes))
def test_cost_and_gradient(network: symbp.Network) -> None:
    point = _point(network)
    cost, gradient = interpret.gradient(make_plan(symbp.derive(network)), point.w, point.X, point.Y)
    assert cost == pytest.approx(plain.cost(network, point.w, point.X, point.Y), rel=1e-14)
    np.testing.assert_allclose(gradient, plain_tape(network, point).values, rtol=0, atol=1e-13)


def test_a_replaced_equation_shows() -> None:
    network, point = NETWORKS[0], _point(NETWORKS[0])
    derivation = symbp.derive(network)
    doubled = derivation["D.5, k=1"].statement
    broken = derivation.replace("D.5, k=1", equation(doubled.lhs, 2 * doubled.rhs))
    _, gradient = interpret.gradient(make_plan(broken), point.w, point.X, point.Y)
    first = 9 * 5
    np.testing.assert_allclose(gradient[:first], 2 * plain_tape(network, point).values[:first], atol=1e-13)
    np.testing.assert_allclose(gradient[first:], plain_tape(network, point).values[first:], atol=1e-13)


@pytest.mark.parametrize(
    ("unit", "cost"),
    [*((unit, "half_squared_error") for unit in ("gelu", "mish", "swish")), *(("tanh", c) for c in REAL)],
)
def test_every_function_has_a_value(unit: str, cost: str) -> None:
    network = symbp.Network(2, [symbp.Dense(3, unit), symbp.Dense(2)], cost)
    rng = np.random.default_rng(2)
    w, X = rng.normal(size=network.n_params), rng.normal(size=(5, 2))
    Y = rng.choice([-1.0, 1.0], size=(5, 2))
    found = interpret.gradient(make_plan(symbp.derive(network)), w, X, Y)
    expected = interpreted(network).value_and_gradient(w, X, Y)
    assert found[0] == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-13)

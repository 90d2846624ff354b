"""Places where a formula switches: found, their declared derivative stated, proved and compiled."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import sympy

import symbp
from symbp.derivation.describe import describe
from symbp.derivation.kinks import kinks, switches
from symbp.derivation.oracles.panel import Panel
from symbp.derivation.records import equation
from symbp.errors import DerivationError
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network
from tests.plain_python import interpreted

z, h, y = sympy.symbols("z h y", real=True)
alpha, q, delta = sympy.symbols("alpha q delta", real=True)


@pytest.mark.parametrize(
    ("formula", "places"),
    [
        ("0 if z <= 0 else z", [0]),
        ("0 if z <= -3 else (1 if z >= 3 else z/6 + 1/2)", [-3, 3]),
        ("abs(z - 1) + abs(2*z)", [0, 1]),
        ("z if z**2 <= 4 else 2*z", [-2, 2]),
        ("z if -1 < z < 1/2 else 0", [-1, sympy.Rational(1, 2)]),
        ("z if abs(z - 1) <= 2 else 0", [-1, 1, 3]),
        ("sin(z)", []),
        ("z if exp(z) > 1 else 0", []),  # no closed form is looked for
    ],
)
def test_switches(formula: str, places: list[Any]) -> None:
    assert sorted(switches(parse_formula(formula, ("z",)), z)) == places


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("0 if z <= 0 else z", [(0, 0, 1, 0)]),
        ("0 if z < 0 else z", [(0, 0, 1, 1)]),  # the branch at 0 is the other one
        ("max(0, z)", [(0, 0, 1, 0)]),
        ("max(z, -1)", [(-1, 0, 1, 0)]),
        ("abs(z)", [(0, -1, 1, 0)]),
        ("z/(1 + abs(z))", []),  # smooth
        ("exp(z) - 1 if z <= 0 else z", []),
        ("z**2/2 if abs(z) <= 1 else abs(z) - 1/2", []),
    ],
)
def test_kinks_and_their_declared_slope(formula: str, expected: list[tuple[Any, ...]]) -> None:
    found = kinks(parse_formula(formula, ("z",)), z, {})
    assert [(k.at, k.left, k.right, k.declared) for k in found] == expected


TABLE: dict[str, list[tuple[Any, ...]]] = {
    "relu": [(0, 0, 1, 0)],
    "leaky_relu": [(0, alpha, 1, alpha)],
    "hard_sigmoid": [(-3, 0, sympy.Rational(1, 6), 0), (3, sympy.Rational(1, 6), 0, 0)],
    "mean_absolute_error": [(y, -1, 1, -1)],
    "quantile": [(y, -q, 1 - q, -q)],
    "hinge": [(1 / y, -y, 0, 0)],
    "huber": [],
    "softsign": [],
}


@pytest.mark.parametrize("name", TABLE)
def test_kinks_of_the_tables(name: str) -> None:
    record = ACTIVATIONS[name] if name in ACTIVATIONS else COSTS[name]
    found = [(k.at, k.left, k.right, k.declared) for k in describe(record).kinks]
    assert [tuple(map(sympy.simplify, k)) for k in found] == TABLE[name]


@pytest.mark.parametrize(
    ("cost", "slope"), [("mean_absolute_error", -1.0), ({"name": "quantile", "q": 0.25}, -0.25)]
)
def test_the_kernel_has_the_declared_slope_where_the_target_is_met(cost: Any, slope: float) -> None:
    trainer = interpreted(Network(1, [Dense(1, bias=False)], cost, name="kink"))
    assert trainer.value_and_gradient([2.0], [[1.0]], [2.0])[1][0] == slope


def test_hinge_at_its_kink() -> None:
    trainer = interpreted(Network(1, [Dense(1, bias=False)], "hinge", name="kink"))
    assert trainer.value_and_gradient([1.0], [[1.0]], [1])[1][0] == 0
    assert trainer.value_and_gradient([np.nextafter(1, 0)], [[1.0]], [1])[1][0] == -1
    with pytest.raises(ValueError, match=r"Y\[0, 0\] = 0.0: expected -1 or 1"):
        trainer.value_and_gradient([1.0], [[1.0]], [0])


def test_an_own_absolute_value_has_slope_0_at_0() -> None:
    own = symbp.Activation("own", "abs(z) + z/2")
    trainer = interpreted(Network(1, [Dense(1, own, bias=False)], "half_squared_error", name="kink"))
    assert trainer.jacobian([0.0], [[1.0]])[0, 0, 0] == 0.5


@pytest.mark.parametrize(
    ("network", "label"),
    [
        (Network(2, [Dense(3, "relu"), Dense(1)], "squared_error"), "1.3d, k=1"),
        (Network(2, [Dense(3, "tanh"), Dense(2, "leaky_relu")], "squared_error"), "1.8d"),
        (Network(2, [Dense(3, "tanh"), Dense(1)], "mean_absolute_error"), "2.1d"),
        (Network(2, [Dense(3, "tanh"), Dense(1)], "quantile"), "2.1d"),
        (Network(2, [Dense(3, "tanh"), Dense(1)], "hinge"), "2.1d"),
    ],
    ids=["hidden", "output", "mean_absolute_error", "quantile", "hinge"],
)
def test_another_value_at_the_kink_is_seen(network: Network, label: str) -> None:
    """Only the value at one point differs, which other oracles look at by chance at most."""
    derivation = symbp.derive(network)
    step = derivation[label]

    def turned(cases: sympy.Piecewise) -> sympy.Expr:
        """Give the place itself to the other branch: <= becomes <."""
        (value, test), (other, _) = cases.args
        strict = {sympy.Le: sympy.Lt, sympy.Ge: sympy.Gt}[type(test)]
        return sympy.Piecewise((value, strict(*test.args)), (other, True))

    right = step.statement.rhs.replace(lambda e: isinstance(e, sympy.Piecewise), turned)
    broken = equation(step.statement.lhs, right)
    assert broken != step.statement
    failed = {
        c.method
        for c in Panel(derivation).checks(dataclasses.replace(step, statement=broken))
        if not c.passed
    }
    assert "kink" in failed
    with pytest.raises(DerivationError, match="kink check failed: at"):
        derivation.replace(label, broken).prove()


@pytest.mark.parametrize("record", [*ACTIVATIONS.values(), *COSTS.values()], ids=lambda r: r.name)
def test_nothing_of_sympy_leaks_into_derivatives(record: Any) -> None:
    found = describe(record)
    for expr in (found.derivative, found.relation):
        if expr is not None:
            assert not expr.has(sympy.Heaviside, sympy.DiracDelta, sympy.Derivative, sympy.Subs, sympy.Max)


@pytest.mark.parametrize(
    ("formula", "parameters"),
    [
        ("max(abs(h - y) - width, 0)", {"width": 0.1}),  # support vector regression
        ("0 if abs(h - y) <= 0.3 else abs(h - y) - 0.3", {}),
    ],
)
def test_a_kink_beside_a_target_that_is_no_binary_fraction(formula: str, parameters: Any) -> None:
    """1/3 - 1/10 was rounded to the wrong side of it by the check, and 0.1 by the scan, which then warned."""
    cost = symbp.Cost("tube", formula, parameters=parameters)
    derivation = symbp.derive(Network(2, [Dense(1)], cost))
    derivation.prove()
    assert any(c.method == "kink" and c.passed for c in derivation.prove())
    found = kinks(cost.expression(), h, {y: sympy.Rational(1, 3)})
    assert [(k.left, k.right, k.declared) for k in found] == [(-1, 0, 0), (0, 1, 0)]


@pytest.mark.parametrize(
    "formula",
    [
        "tanh(z)/(1 + abs(0.1 - 0.3*z)) + z",  # the sign at 1/3 is 0, and that of a rounded difference is not
        "(z + 1)/(1 + abs(0.7*z))",
        "z + abs(z)/2",
    ],
)
def test_absolute_values_of_any_argument_are_proved(formula: str) -> None:
    activation = symbp.Activation("own", formula)
    symbp.derive(Network(2, [Dense(1, activation), Dense(1)], "squared_error")).prove()

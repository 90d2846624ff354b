"""Derivatives of activations, as found: right everywhere, and in terms of the output where possible."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from symbp.derivation.local import O, Z, derivative_in_output, simplify_entry
from symbp.functions import ACTIVATIONS, Activation

ELEMENTWISE = [record.formula for record in ACTIVATIONS.values() if not record.of_layer]
OWN = [
    "exp(z)",
    "log(1 + exp(z))",
    "1.7159*tanh(2*z/3)",
    "z/(1 + exp(-z))",
    "(sqrt(z**2 + 1) - 1)/2 + z",
    "z if z > 0 else exp(z) - 1",
    "0.1*z if z <= 0 else z",
    "0 if z < -1 else (1 if z > 1 else z/2 + 0.5)",
    "sin(z)",
    "atan(z)",
    "exp(-z**2)",
    "z/(1 + abs(z))",
    "tanh(z)**3",
]


@pytest.mark.parametrize("formula", [*ELEMENTWISE, *OWN])
def test_relation_is_the_derivative(formula: str) -> None:
    g = Activation("g", formula).expression()
    relation = derivative_in_output(g)
    with mpmath.workdps(40):
        value = sympy.lambdify(Z, g, "mpmath")
        slope = sympy.lambdify((Z, O), relation, "mpmath")
        for number in (-3.1, -0.7, -1e-3, 1e-3, 0.4, 2.9):
            at = mpmath.mpf(number)
            assert mpmath.almosteq(slope(at, value(at)), mpmath.diff(value, at), 1e-15, 1e-15)


@pytest.mark.parametrize(
    ("formula", "relation"),
    [
        ("z", sympy.Integer(1)),
        ("1/(1 + exp(-z))", O * (1 - O)),
        ("tanh(z)", 1 - O**2),
        ("exp(z)", O),
        ("0 if z <= 0 else z", sympy.Piecewise((0, O <= 0), (1, True))),
    ],
)
def test_relation_to_the_output_is_found(formula: str, relation: sympy.Expr) -> None:
    assert derivative_in_output(Activation("g", formula).expression()) == relation


@pytest.mark.parametrize("formula", ["sin(z)", "z/(1 + exp(-z))", "0.1*z if z <= 0 else z"])
def test_no_relation_is_invented(formula: str) -> None:
    assert derivative_in_output(Activation("g", formula).expression()).has(Z)


def test_kink_has_the_declared_value() -> None:
    relation = derivative_in_output(ACTIVATIONS["relu"].expression())
    assert relation.subs(O, 0) == 0
    assert not relation.has(sympy.Heaviside, sympy.DiracDelta)


def test_simplify_cancels_and_leaves_sums_alone() -> None:
    x, y = sympy.symbols("x y", real=True)
    assert simplify_entry((x - y) / (x * (1 - x)) * x * (1 - x)) == x - y
    inner = sympy.Sum(x, (sympy.Symbol("s", integer=True, positive=True), 1, 3))
    assert simplify_entry(y * inner / y) == 3 * x

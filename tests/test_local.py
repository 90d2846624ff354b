"""Derivatives of activations, as found: right everywhere, and in terms of the output where possible."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from symbp.algebra.nodes import Constant, with_numbers
from symbp.derivation.local import O, Z, derivative_in_output, simplify_entry
from symbp.functions import ACTIVATIONS, Activation

ELEMENTWISE = [record for record in ACTIVATIONS.values() if not record.of_layer]
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


@pytest.mark.parametrize("record", [*ELEMENTWISE, *(Activation("g", formula) for formula in OWN)])
def test_relation_is_the_derivative(record: Activation) -> None:
    g = record.expression()
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


@pytest.mark.parametrize(
    ("formula", "relation"),
    [
        ("0.1*z if z <= 0 else z", sympy.Piecewise((sympy.Rational(1, 10), O <= 0), (1, True))),
        ("0 if z <= -3 else (1 if z >= 3 else z/6 + 1/2)", None),
        ("exp(-z**2)", -2 * O * Z),
        ("z/(1 + exp(-z))", O + (1 - O) / (1 + sympy.exp(-Z))),
        ("z/(1 + abs(z))", 1 / (1 + sympy.Abs(Z)) ** 2),
        ("2*z if z <= 1 else z + 1", sympy.Piecewise((2, O <= 2), (1, True))),
    ],
)
def test_branches_parts_and_arguments_are_used(formula: str, relation: sympy.Expr | None) -> None:
    found = derivative_in_output(Activation("g", formula).expression())
    assert found == relation if relation is not None else not found.has(Z)


@pytest.mark.parametrize(
    "formula",
    [
        "-z if z <= 0 else z",  # the output is above 0 on both sides
        "z**2 if z <= 0 else z",
        "z + 1 if z <= 0 else z",  # a step: an output of 1/2 comes from both sides
        "exp(z) if z <= 0 else z",
        "1 if z <= 0 else z",
    ],
)
def test_branches_are_told_apart_by_the_output_only_where_that_is_sound(formula: str) -> None:
    found = derivative_in_output(Activation("g", formula).expression())
    assert all(test.has(Z) or test == True for _, test in found.args)  # noqa: E712


@pytest.mark.parametrize("alpha", [0, "0.3"])
def test_relations_hold_for_parameters(alpha: object) -> None:
    letter = Constant("alpha", 1, alpha)
    elu = sympy.Piecewise((letter * (sympy.exp(Z) - 1), Z <= 0), (Z, True))
    found = derivative_in_output(elu)
    assert found.args[0].expr == O + letter
    # With alpha = 0 every negative sum has the output 0, as the kink has: nothing can be asked of it.
    assert found.args[0].cond == ((O <= 0) if alpha else (Z <= 0))
    # alpha tanh has g' = alpha - o^2/alpha, which means nothing for alpha = 0.
    tanh = with_numbers(derivative_in_output(letter * sympy.tanh(Z)))
    at = {Z: sympy.Rational(1, 2), O: letter.value * sympy.tanh(sympy.Rational(1, 2))}
    assert abs(sympy.N(tanh.subs(at) - letter.value * (1 - sympy.tanh(sympy.Rational(1, 2)) ** 2))) < 1e-14


@pytest.mark.parametrize("formula", ["sin(z)", "z*exp(z)", "z*(1 + tanh(z))**2", "sqrt(1 + z**2)"])
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

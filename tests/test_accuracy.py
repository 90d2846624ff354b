"""Every function, value and derivative, in ulps: the text of the kernel against exact values.

The bounds stand beside what was measured; an error is counted in units in the last place of
the exact value, of the smallest normal number where the value is below it.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from sympy import exp, log, sqrt

from symbp.algebra.nodes import with_numbers
from symbp.derivation import local
from symbp.derivation.stability.choose import O, Z, largest, slope_form, value_form
from symbp.derivation.stability.limits import limit_of
from symbp.derivation.stability.numbers import exact
from symbp.derivation.stability.rules import rewrite
from symbp.derivation.stated import stated_formula
from symbp.functions import ACTIVATIONS
from tests.kernel_text import kernel_function

# The records as a derivation states them, with letters for parameters; and formulas of users.
FORMULAS = {
    name: stated_formula(record, 1) for name, record in ACTIVATIONS.items() if not record.of_layer
} | {
    "bent": (sqrt(Z**2 + 1) - 1) / 2 + Z,
    "log_cosh": log(sympy.cosh(Z)),
    "expm1": exp(Z) - 1,
    "log1p": log(1 + Z**2),
    "log_sigmoid": log(1 / (1 + exp(-Z))),
    "bent_identity": Z / sqrt(1 + Z**2),
    "cubic_over_square": Z**3 / (1 + Z**2),
    "square_times_gaussian": Z**2 * exp(-(Z**2)),
    "gumbel": exp(-exp(-Z)),
    "lorentzian": Z / (4 + (Z - 1) ** 2),
}
# Those whose derivative is computed from the output: g' loses its own digits where it is below
# 1e-16 of its largest value (tanh beyond 18: 1 - o^2 is 0 instead of 1e-16), so its error is
# counted in ulps of at least its largest value near 0. It is measured, and kept only below 4:
# the other way costs an exponential for every unit of the backward pass, and next to the
# gradients of units that are not saturated the difference is nothing.
FROM_OUTPUT = {
    *("relu", "leaky_relu", "elu", "selu", "hard_sigmoid", "sigmoid", "tanh", "scaled_tanh"),
    *("gaussian", "exp", "expm1"),
}

# name -> bounds: in ulps at the points below (value and derivative in float64, then in float32),
# and at random points, there in ulps plus what a change of z by one ulp makes (a computed z**2
# or z**3 in an exponent is such a change: gaussian at 18 is 187 ulps off, and so is exp(-z**2)
# of the number next to it). Beside each, what was measured.
BOUNDS: dict[str, tuple[tuple[int, int, int, int], int]] = {
    "identity": ((0, 0, 0, 0), 0),  # (0, 0, 0, 0), 0
    "relu": ((0, 0, 0, 0), 0),  # (0, 0, 0, 0), 0
    "leaky_relu": ((1, 1, 1, 1), 2),  # (0.48, 0.0, 0.28, 0.0), 0.3
    "elu": ((1, 1, 1, 1), 2),  # (0.39, 0.05, 0.06, 0.08), 0.7
    "selu": ((2, 1, 2, 2), 3),  # (0.76, 0.29, 0.63, 0.29), 1.2
    "softplus": ((1, 1, 1, 1), 3),  # (0.4, 0.27, 0.3, 0.3), 1.3
    "sigmoid": ((2, 1, 2, 1), 4),  # (0.86, 0.11, 0.7, 0.0), 2.7
    "hard_sigmoid": ((1, 1, 1, 1), 2),  # (0.48, 0.33, 0.03, 0.33), 0.5
    "tanh": ((1, 1, 1, 1), 2),  # (0.2, 0.05, 0.0, 0.0), 0.9
    "scaled_tanh": ((1, 1, 1, 1), 4),  # (0.47, 0.39, 0.73, 0.31), 1.6
    "softsign": ((1, 3, 1, 1), 3),  # (0.38, 2.39, 0.39, 0.26), 1.0
    "arctan": ((1, 2, 1, 1), 2),  # (0.41, 0.9, 0.12, 0.45), 0.8
    "sin": ((1, 1, 2, 2), 2),  # (0.43, 0.34, 0.56, 0.83), 0.3
    "gaussian": ((1, 1, 1, 1), 3),  # (0.1, 0.0, 0.0, 0.0), 0.7
    "swish": ((1, 2, 2, 2), 3),  # (0.49, 0.55, 0.88, 1.3), 1.5
    "mish": ((2, 2, 2, 2), 3),  # (0.95, 0.93, 0.88, 1.3), 2.2
    "gelu": ((1, 1, 1, 1), 4),  # (0.33, 0.43, 0.09, 0.13), 1.2
    "gelu_tanh": ((1, 1, 1, 1), 3),  # (0.33, 0.43, 0.09, 0.13), 1.5
    "exp": ((2, 2, 2, 2), 2),  # (0.54, 0.54, 0.8, 0.8), 0.5
    "bent": ((2, 1, 2, 2), 3),  # (0.6, 0.28, 0.71, 0.55), 0.9
    "log_cosh": ((2, 1, 1, 1), 2),  # (0.63, 0.2, 0.48, 0.0), 0.9
    "expm1": ((1, 1, 1, 1), 2),  # (0.49, 0.46, 0.2, 0.2), 0.7
    "log1p": ((2, 2, 2, 1), 2),  # (0.9, 0.6, 0.51, 0.46), 0.6
    "log_sigmoid": ((1, 1, 1, 1), 3),  # (0.4, 0.27, 0.3, 0.3), 1.2
    "bent_identity": ((2, 4, 2, 4), 4),
    "cubic_over_square": ((2, 4, 2, 4), 4),
    "square_times_gaussian": ((2, 2, 2, 2), 6),
    "gumbel": ((2, 2, 2, 2), 4),
    "lorentzian": ((4, 4, 4, 4), 6),
}
POINTS = (0.0, 1e-8, 40.0, 800.0)
SMALLEST = {"float64": 1e-300, "float32": 1e-30}
DTYPES = ("float64", "float32")
CASES = [(name, dtype) for name in FORMULAS for dtype in DTYPES]


class Computed:
    """Value and derivative of a function as kernels compute them, and exactly."""

    def __init__(self, name: str, dtype: str) -> None:
        formula = FORMULAS[name]
        derivative = sympy.diff(formula, Z)
        relation = local.derivative_in_output(formula).subs(local.O, O)
        self.slope_expression = with_numbers(slope_form(formula, relation).expression)
        self.value_kernel = kernel_function(with_numbers(value_form(formula).expression), (Z,), dtype)
        self.slope_kernel = kernel_function(self.slope_expression, (Z, O), dtype)
        self.value_exact, self.slope_exact = (rewrite(with_numbers(e))[0] for e in (formula, derivative))
        self.floor = largest(derivative) if self.slope_expression.has(O) else 0.0
        self.number, self.info = np.dtype(dtype).type, np.finfo(dtype)

    def true_limit(self, of: str, sign: int) -> float | None:
        return limit_of(self.value_exact if of == "value" else self.slope_exact, sign)

    def value_error(self, z: float, moved: bool = False) -> float:
        return self.error(self.value_kernel(z), self.value_exact, z, 0.0, moved)

    def slope_error(self, z: float, moved: bool = False) -> float:
        return self.error(self.slope_kernel(z, self.value_kernel(z)), self.slope_exact, z, self.floor, moved)

    def error(
        self, computed: float, formula: sympy.Expr, z: float, floor: float, moved: bool = False
    ) -> float:
        true = exact(formula, {"z": z})
        if abs(true) > float(self.info.max):
            assert math.isinf(computed)
            return 0.0
        assert math.isfinite(computed), (z, computed)
        tiny = float(self.info.tiny)
        if abs(true) < tiny and abs(computed) <= tiny:
            return 0.0
        most = float(np.nextafter(self.info.max, self.number(0)))  # the largest number has none above it
        unit = float(np.spacing(self.number(min(max(float(abs(true)), floor, tiny), most))))
        if moved:
            beside = float(np.nextafter(self.number(z), self.number(np.inf)))
            unit += float(abs(exact(formula, {"z": beside}) - true))
        return float(abs(true - float(computed))) / unit


def test_every_function_has_bounds() -> None:
    assert BOUNDS.keys() == FORMULAS.keys()


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_ulps_where_functions_are_difficult(name: str, dtype: str) -> None:
    computed = Computed(name, dtype)
    value_bound, slope_bound = BOUNDS[name][0][:2] if dtype == "float64" else BOUNDS[name][0][2:]
    for size in (*POINTS, SMALLEST[dtype]):
        for z in map(float, map(computed.number, (size, -size))):
            assert computed.value_error(z) <= value_bound, z
            assert computed.slope_error(z) <= slope_bound, z


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_ulps_at_random_points(name: str, dtype: str) -> None:
    computed, bound = Computed(name, dtype), BOUNDS[name][1]
    for z in map(float, np.random.default_rng(1).uniform(-20, 20, 60).astype(dtype)):
        assert computed.value_error(z, moved=True) <= bound, z
        assert computed.slope_error(z, moved=True) <= bound, z


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_ulps_where_powers_leave_the_type(name: str, dtype: str) -> None:
    """To the ends of the type: what is computed is the value, or infinite where that is too large."""
    computed = Computed(name, dtype)
    exponents = (
        (5, 10, 12, 13, 15, 19, 19.5, 25, 37, 38.4) if dtype == "float32" else (13, 103, 154.5, 160, 308)
    )
    for size in (*(10.0**e for e in exponents), float(computed.info.max)):
        for z in map(float, map(computed.number, (size, -size))):
            if name == "sin" or math.isinf(z):
                continue  # its kernels call libm there
            assert computed.value_error(z) <= 4, z
            assert computed.slope_error(z) <= 4, z


# Where the limit is infinite and NaN is computed: infinity minus infinity.
NO_INFINITY = {("bent", "value", -1)}


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_infinity_and_nan(name: str, dtype: str) -> None:
    """At infinity a kernel has the limit of value and derivative; where there is none (sin), NaN."""
    computed = Computed(name, dtype)
    for sign in (1, -1):
        z = sign * math.inf
        value = computed.value_kernel(z)
        for of, found in (("value", value), ("derivative", computed.slope_kernel(z, value))):
            limit = computed.true_limit(of, sign)
            if limit is None:
                assert math.isnan(found) == (name == "sin"), of
            elif (name, of, sign) in NO_INFINITY:
                assert math.isnan(found)
            else:
                assert found == pytest.approx(limit, rel=1e-6, abs=float(computed.info.tiny)), of
    assert math.isnan(computed.value_kernel(math.nan))
    if computed.slope_expression.free_symbols:  # the slope of the identity is 1
        assert math.isnan(computed.slope_kernel(math.nan, math.nan))


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_from_the_output_are_those_that_are_said_to_be(name: str) -> None:
    assert Computed(name, "float64").slope_expression.has(O) == (name in FROM_OUTPUT)


@pytest.mark.parametrize("name", FORMULAS)
def test_nothing_of_sympys_own_reaches_a_kernel(name: str) -> None:
    formula = FORMULAS[name]
    computed = Computed(name, "float64")
    for expr in (value_form(formula).expression, computed.slope_expression):
        assert not expr.has(sympy.Heaviside, sympy.DiracDelta, sympy.Derivative, sympy.sign)

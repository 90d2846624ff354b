"""The tape against complex steps of the very same NumPy code."""

import math

import mpmath
import numpy as np
import pytest
import sympy

from symbp.run.evaluate import evaluate, real_erf
from symbp.run.plain import Z
from symbp.run.tape import Variable, gradient

rng = np.random.default_rng(0)
MATRIX = rng.normal(size=(4, 3))
ROW = rng.normal(size=3)


def complex_steps(function, x):
    derivatives = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[place] += 1e-100j
        derivatives[place] = function(moved).imag / 1e-100
    return derivatives


FUNCTIONS = {
    "add, broadcast": lambda x: np.sum((x + ROW) * (ROW + x)),
    "subtract": lambda x: np.sum((x - 2.0) * (1.0 - x) * MATRIX),
    "divide": lambda x: np.sum(x / (3 + x * x) + 1 / (x + 5.0) + ROW / (4 - x)),
    "power": lambda x: np.sum(x**3 + (x * x + 1) ** -1.5 + (x * x) ** 0.5),
    "power of negative numbers": lambda x: np.sum((x - 10.0) ** 2 + (x - 10.0) ** -3),
    "matmul": lambda x: np.sum((x @ MATRIX.T) @ (x @ x.T)),
    "constant @ variable": lambda x: np.sum(MATRIX.T @ x * 0.5),
    "exp, log": lambda x: np.sum(np.log(1 + np.exp(-x))),
    "expm1, sqrt": lambda x: np.sum(np.expm1(x) * np.sqrt(x * x + 1)),
    "sin, cos, arctan": lambda x: np.sum(np.sin(x) * np.cos(2 * x) - np.arctan(x)),
    "sinh, cosh": lambda x: np.sum(np.sinh(x) / np.cosh(2 * x)),
    "log1p": lambda x: np.sum(np.log1p(x * x) * x),
    "where": lambda x: np.sum(np.where(np.real(x) > 0.1, x * x, -x) * MATRIX),
    "where, constant branch": lambda x: np.sum(np.where(np.real(x) > 0.1, 0.0, x)),
    "sum over an axis": lambda x: np.sum(np.sum(x * x, axis=1) * np.arange(4)),
    "sum, kept axis": lambda x: np.sum(np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True) * MATRIX),
    "slices": lambda x: np.sum(x[:, :-1].T @ x) + np.sum(x[1:3, 2] * np.arange(2)),
    "repeated index": lambda x: np.sum(x[[0, 0, 2]] * MATRIX[:3]),
    "reshape": lambda x: np.sum(x.reshape(2, 6) * np.arange(6.0)),
    "the same operand twice": lambda x: np.sum(x * x - x / x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_operation(name):
    function, x = FUNCTIONS[name], rng.normal(size=(4, 3))
    variable = Variable(x)
    value = function(variable)
    assert value.value == pytest.approx(function(x), rel=1e-14)
    np.testing.assert_allclose(gradient(value, variable), complex_steps(function, x), rtol=1e-13, atol=1e-13)


def test_erf():
    """NumPy has none: its value is that of math, and the slope that of mpmath's own derivative."""
    x = rng.normal(size=5)
    variable = Variable(x)
    value = np.sum(real_erf(variable))
    assert value.value == pytest.approx(sum(map(math.erf, x)), rel=1e-15)
    slopes = [float(mpmath.diff(mpmath.erf, mpmath.mpf(number))) for number in x]
    np.testing.assert_allclose(gradient(value, variable), slopes, rtol=1e-13)
    stepped = evaluate(sympy.erf(Z), {Z: x + 1e-100j})
    np.testing.assert_allclose(stepped.imag / 1e-100, slopes, rtol=1e-13)
    assert evaluate(sympy.erf(Z), {Z: x}).dtype == np.float64


def test_independent_variable_has_zero_gradient():
    x = Variable(np.ones(3))
    assert np.array_equal(gradient(np.sum(np.exp(x) * 0), x), np.zeros(3))
    y = Variable(np.ones(3), x.tape)
    assert np.array_equal(gradient(np.sum(x), y), np.zeros(3))


def test_gradient_is_of_scalars_only():
    x = Variable(np.ones(3))
    with pytest.raises(ValueError, match="scalar"):
        gradient(x * 2, x)


def test_unknown_operations_are_refused():
    x = Variable(np.ones(3))
    with pytest.raises(TypeError):
        np.arcsinh(x)
    with pytest.raises(TypeError):
        2.0**x  # the exponent must be a constant
    with pytest.raises(TypeError):
        np.cumsum(x)
    with pytest.raises(TypeError):
        x @ np.ones(3)  # matrices only


def test_nan_is_not_swallowed():
    x = Variable(np.array([1.0, np.nan]))
    assert np.isnan(gradient(np.sum(x * x), x)[1])

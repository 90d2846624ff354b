"""The plain network against the hand-written oracle, and the walk over formulas."""

import itertools

import numpy as np
import pytest
import sympy

from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network
from symbp.run import plain
from symbp.run.evaluate import evaluate
from symbp.run.tape import Variable, gradient
from tests.oracle import ACTIVATIONS as ACTIVATIONS_BY_HAND
from tests.oracle import COSTS as COSTS_BY_HAND
from tests.oracle import Oracle

HIDDEN = ("identity", "relu", "tanh", "sigmoid")
Z = sympy.Symbol("z", real=True)


def data(network, seed=0, n=6):
    rng = np.random.default_rng(seed)
    w, X = rng.normal(scale=0.7, size=network.n_params), rng.normal(size=(n, network.inputs))
    units = network.sizes[-1]
    if network.cost.targets == "distribution":
        return w, X, rng.dirichlet(np.ones(units), size=n)
    if network.cost.targets == "unit_interval":
        return w, X, rng.uniform(size=(n, units))
    return w, X, rng.normal(size=(n, units))


def fitting_outputs():
    for cost, output in itertools.product(COSTS_BY_HAND, ACTIVATIONS_BY_HAND):
        if COSTS[cost].output in ("real", ACTIVATIONS[output].output):
            yield cost, output


def check(network):
    oracle, (w, X, Y) = Oracle.of(network), data(network)
    assert oracle.n_params == network.n_params
    np.testing.assert_allclose(plain.predict(network, w, X), oracle.predict(w, X), rtol=1e-12, atol=1e-14)
    assert plain.cost(network, w, X, Y) == pytest.approx(oracle.cost(w, X, Y), rel=1e-12)
    variable = Variable(w)
    np.testing.assert_allclose(
        gradient(plain.cost(network, variable, X, Y), variable),
        oracle.gradient(w, X, Y),
        rtol=1e-10,
        atol=1e-13,
    )


@pytest.mark.parametrize(("cost", "output"), list(fitting_outputs()))
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("bias", [True, False])
def test_all_activations_and_costs(cost, output, hidden, bias):
    layers = [Dense(5, hidden, bias), Dense(4, "tanh", not bias), Dense(3, output, bias)]
    check(Network(4, layers, cost))


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("biases", ["all", "none", "alternate"])
def test_depths_and_biases(depth, biases):
    flags = {"all": [True] * 4, "none": [False] * 4, "alternate": [True, False] * 2}[biases]
    hidden = [Dense(3 + k, HIDDEN[k], flags[k]) for k in range(depth)]
    check(Network(4, [*hidden, Dense(3, "softmax", flags[3])], "cross_entropy"))
    check(Network(1, [*hidden, Dense(1, "identity", flags[3])], "squared_error"))


def test_oracle_against_central_differences():
    """The hand-written backpropagation itself, checked without anything of symbp."""
    oracle = Oracle((3, 4, 3), ("sigmoid", "softmax"), "half_squared_error", (True, False))
    rng = np.random.default_rng(0)
    w, X, Y = rng.normal(size=oracle.n_params), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    steps = np.eye(w.size) * 1e-5
    numeric = [(oracle.cost(w + e, X, Y) - oracle.cost(w - e, X, Y)) / 2e-5 for e in steps]
    np.testing.assert_allclose(oracle.gradient(w, X, Y), numeric, atol=1e-9)
    by_h = oracle.predict(w, X) - Y
    contracted = np.einsum("pq,pqw->w", by_h, oracle.jacobian(w, X)) / len(X)
    np.testing.assert_allclose(oracle.gradient(w, X, Y), contracted, rtol=1e-12, atol=1e-15)


def test_softmax_does_not_overflow():
    network = Network(2, [Dense(3, "softmax")], "cross_entropy")
    w, X, _ = data(network)
    for scale in (1, 1e3, 1e5):
        for kind in (float, complex):
            h = plain.predict(network, (scale * w).astype(kind), X)
            np.testing.assert_allclose(h.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("formula", "invariant"),
    [
        ("exp(z)/sum(exp(z))", True),
        ("exp(-2*z)/sum(exp(-2*z))", True),
        ("z/sum(z)", False),
        ("exp(z)/(1 + sum(exp(z)))", False),
        ("tanh(z)", False),
    ],
)
def test_only_shift_invariant_formulas_are_shifted(formula, invariant):
    assert plain.is_shift_invariant(parse_formula(formula, ("z",))) is invariant


FORMULAS = {
    "tanh(z)": np.tanh,
    "abs(z)": np.abs,
    "sqrt(z**2 + 1) - 1/3": lambda z: np.sqrt(z**2 + 1) - 1 / 3,
    "sin(z)*cos(z) + atan(z)": lambda z: np.sin(z) * np.cos(z) + np.arctan(z),
    "log(1 + exp(z))": lambda z: np.log1p(np.exp(z)),
    "0 if z <= 0 else z": lambda z: np.maximum(z, 0),
    "exp(z) - 1 if z < 0 else z": lambda z: np.where(z < 0, np.expm1(z), z),
    "-1 if z < -1 else (1 if z > 1 else z)": lambda z: np.clip(z, -1, 1),
    "1/(1 + abs(z))**(3/2)": lambda z: (1 + np.abs(z)) ** -1.5,
    "2": lambda z: 2.0,
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_values_of_formulas(formula):
    z = np.array([[-3.0, -1.0, -1e-9, 0.0, 1e-9, 0.4, 2.5]])
    expression = parse_formula(formula, ("z",))
    expected = FORMULAS[formula](z)
    np.testing.assert_allclose(evaluate(expression, {Z: z}), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(np.real(evaluate(expression, {Z: z + 0j})), expected, rtol=1e-13, atol=1e-15)
    if expression.has(Z):
        np.testing.assert_allclose(
            evaluate(expression, {Z: Variable(z)}).value, expected, rtol=1e-13, atol=1e-15
        )


def test_tanh_is_exact_near_zero_and_far_out():
    z = np.array([1e-300, -1e-300, 1e-12, 40.0, -800.0, 0.0])
    np.testing.assert_allclose(evaluate(sympy.tanh(Z), {Z: z}), np.tanh(z), rtol=1e-15)


@pytest.mark.parametrize("formula", ["0 if z <= 0 else z", "tanh(z)", "abs(z)", "exp(z)/sum(exp(z))"])
def test_nan_is_not_swallowed(formula):
    network = Network(1, [Dense(2, Activation("own", formula))], "squared_error")
    assert np.isnan(plain.predict(network, np.array([np.nan, 0, 1, 0.0]), np.ones((1, 1)))).any()


def test_own_functions():
    network = Network(
        2,
        [Dense(3, Activation("bent", "(sqrt(z**2 + 1) - 1)/2 + z")), Dense(1)],
        Cost("fourth", "(h - y)**4"),
    )
    w, X, Y = data(network)
    W1, W2 = plain.unpack(network, w)
    c = X @ W1[:, :2].T + W1[:, 2]
    h = ((np.sqrt(c**2 + 1) - 1) / 2 + c) @ W2[:, :3].T + W2[:, 3]
    np.testing.assert_allclose(plain.predict(network, w, X), h, rtol=1e-13)
    assert plain.cost(network, w, X, Y) == pytest.approx(((h - Y) ** 4).sum() / len(X), rel=1e-13)


def test_unknown_function_is_refused():
    with pytest.raises(TypeError, match="gamma"):
        evaluate(sympy.gamma(Z), {Z: np.ones(1)})

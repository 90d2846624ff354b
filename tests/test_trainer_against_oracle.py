"""Generated trainers against the hand-written network: every function, batch size and shape.

Most run as plain Python (milliseconds); the compiled ones are few.
"""

import numpy as np
import pytest

import symbp
from symbp.functions import ACTIVATIONS, COSTS
from symbp.network import Dense, Network
from tests.covering import every_pair
from tests.oracle import ACTIVATIONS as ACTIVATIONS_BY_HAND
from tests.oracle import COSTS as COSTS_BY_HAND
from tests.oracle import Oracle
from tests.plain_python import interpreted

HIDDEN = ("identity", "relu", "tanh", "sigmoid")


def data(network, n, seed=0):
    rng = np.random.default_rng(seed)
    w, X = rng.normal(scale=0.7, size=network.n_params), rng.normal(size=(n, network.inputs))
    units = network.sizes[-1]
    if network.cost.targets == "distribution":
        Y = rng.multinomial(64, np.full(units, 1 / units), size=n) / 64
    elif network.cost.targets == "unit_interval":
        Y = rng.uniform(size=(n, units))
    else:
        Y = rng.normal(size=(n, units))
    return w, X, Y


def check(module, network, n=5, rtol=1e-11):
    dtype, oracle = module.DTYPE, Oracle.of(network)
    w, X, Y = (values.astype(dtype) for values in data(network, n))
    exact = [values.astype(float) for values in (w, X, Y)]
    J, g = module.value_and_gradient(w, X, Y)
    assert isinstance(J, float)
    assert pytest.approx(oracle.cost(*exact), rel=rtol) == J
    for found, expected in (
        (g, oracle.gradient(*exact)),
        (module.predict(w, X), oracle.predict(*exact[:2])),
        (module.jacobian(w, X), oracle.jacobian(*exact[:2])),
        (module.input_gradient(w, X, Y), oracle.input_gradient(*exact)),
        (module.input_jacobian(w, X), oracle.input_jacobian(*exact[:2])),
    ):
        assert found.dtype == dtype
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def fitting(cost, output, hidden):
    return COSTS[cost].output in ("real", ACTIVATIONS[output].output)


@pytest.mark.parametrize(
    ("cost", "output", "hidden"), every_pair(COSTS_BY_HAND, ACTIVATIONS_BY_HAND, HIDDEN, legal=fitting)
)
def test_all_activations_and_costs(cost, output, hidden):
    bias = hidden in ("relu", "tanh")
    network = Network(3, [Dense(4, hidden, bias), Dense(2, output, not bias)], cost)
    check(interpreted(network), network)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("biases", ["all", "none", "alternate"])
def test_depths_and_biases(depth, biases):
    flags = {"all": [True] * 4, "none": [False] * 4, "alternate": [True, False] * 2}[biases]
    hidden = [Dense(2 + k, HIDDEN[-k], flags[k]) for k in range(depth)]
    for output in (Dense(3, "softmax", flags[3]), Dense(1, "sigmoid", flags[3])):
        cost = "cross_entropy" if output.units == 3 else "binary_cross_entropy"
        network = Network(2, [*hidden, output], cost)
        check(interpreted(network), network)


COMPILED = Network(5, [Dense(7, "relu"), Dense(6, "tanh", False), Dense(3, "softmax")], "cross_entropy")


@pytest.fixture(scope="module", params=["float64", "float32"])
def trainer(request, tmp_path_factory):
    target = {"float64": "portable", "float32": "host"}[request.param]
    path = tmp_path_factory.mktemp("compiled") / "trainer.py"
    return symbp.generate(COMPILED, path, prove=False, dtype=request.param, target=target, batch_size=4)


def test_compiled_with_any_number_of_rows(trainer):
    """Also beyond the chunk of rows that a kernel holds at once."""
    for n in (1, 2, 33, 255, 256, 257, 600):
        check(trainer.module, COMPILED, n, rtol=1e-10 if trainer.dtype == "float64" else 2e-4)
    report = symbp.verify(trainer)
    assert report.ok, report


def test_labels_are_rows():
    network = Network(3, [Dense(4, "tanh"), Dense(3, "softmax")], "cross_entropy")
    module = interpreted(network)
    w, X, _ = data(network, 7)
    labels = np.array([0, 2, 1, 1, 0, 2, 2])
    for a, b in zip(
        module.value_and_gradient(w, X, labels),
        module.value_and_gradient(w, X, np.eye(3)[labels]),
        strict=True,
    ):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 4, 10, 100])
def test_fit_is_stochastic_gradient_descent(shuffle, batch_size):
    network = Network(3, [Dense(4, "tanh"), Dense(2)], "half_squared_error")
    w, X, Y = data(network, 10)
    start, oracle = w.copy(), Oracle.of(network)
    found, history = interpreted(network).fit(
        w, X, Y, epochs=3, batch_size=batch_size, learning_rate=0.2, shuffle=shuffle, seed=5
    )
    assert np.array_equal(w, start)
    rng, rows, expected = np.random.default_rng(5), np.arange(10), start.copy()
    for _ in range(3):
        if shuffle:
            rng.shuffle(rows)
        for first in range(0, 10, batch_size):
            batch = rows[first : first + batch_size]
            expected -= 0.2 * oracle.gradient(expected, X[batch], Y[batch])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert len(history) == 3


def test_the_same_seed_trains_bitwise_the_same(trainer):
    _, X, Y = data(COMPILED, 30)
    runs = [trainer.fit(trainer.init_params(1), X, Y, epochs=4, seed=seed) for seed in (7, 7, 8)]
    assert np.array_equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not np.array_equal(runs[0][0], runs[2][0])
    assert runs[0][0].dtype == trainer.dtype


def test_a_cost_that_explodes_stops():
    network = Network(3, [Dense(4), Dense(2)], "squared_error")
    w, X, Y = data(network, 30)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=r"epoch \d+, batch \d+, with learning rate 100"),
    ):
        interpreted(network).fit(w, X, Y, epochs=100, batch_size=4, learning_rate=100.0)

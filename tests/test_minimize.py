"""SciPy's optimisers on a real problem, and what goes wrong in one line."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

import symbp
from symbp.errors import DataError, SpecError, SymbpError, TrainingError
from symbp.network import Dense, Network
from tests.fake_trainer import fake_trainer

NET = Network(4, [Dense(5, "tanh"), Dense(3, "softmax")], "cross_entropy", name="iris")


@pytest.fixture(scope="module")
def iris():
    data = load_iris()
    X = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    return X, np.eye(3)[data.target]


@pytest.fixture(scope="module")
def trainer():
    return fake_trainer(NET)  # the oracle's gradient: nothing has to be compiled


def test_a_much_lower_cost_in_as_many_evaluations(trainer, iris):
    w = 0.3 * trainer.init_params(0)
    found, history = trainer.minimize(w, *iris, maxiter=60)
    assert history.evaluations <= 100
    assert history == sorted(history, reverse=True)
    assert history[-1] == trainer.value_and_gradient(found, *iris)[0]
    _, descent = trainer.fit(w, *iris, epochs=history.evaluations, learning_rate=0.5)
    assert history[-1] < 0.2 * descent[-1]
    assert history[-1] < 0.02
    assert found.shape == w.shape
    assert found.dtype == np.float64


@pytest.mark.parametrize("method", ["BFGS", "CG", "TNC", "SLSQP", "Newton-CG", "trust-constr"])
def test_every_method_lowers_the_cost(method, trainer, iris):
    w = 0.3 * trainer.init_params(0)
    before, _ = trainer.value_and_gradient(w, *iris)
    calls = []
    options = {"maxfun": 40} if method == "TNC" else {"maxiter": 8}
    _, history = trainer.minimize(w, *iris, method, callback=lambda *call: calls.append(call), **options)
    assert history[-1] < 0.5 * before
    assert [n for n, _, _ in calls] == list(range(1, len(history) + 1))
    assert [cost for _, _, cost in calls] == history
    assert isinstance(history.message, str)
    assert not history.converged


def test_convergence_is_told(iris):
    line = Network(4, [Dense(1)], "half_squared_error")
    trainer = fake_trainer(line)
    X = iris[0]
    y = (X @ np.array([1.0, -2.0, 3.0, 0.5]) + 1)[:, None]
    found, history = trainer.minimize(np.zeros(5), X, y)
    assert history.converged
    np.testing.assert_allclose(found, [1, -2, 3, 0.5, 1], atol=1e-3)


def test_float32_stays_float32(iris):
    trainer = fake_trainer(NET, "float32")
    found, history = trainer.minimize(trainer.init_params(0), *iris, maxiter=5)
    assert found.dtype == np.float32
    assert history[-1] < history[0]


def test_mistakes_are_one_line(trainer, iris, monkeypatch):
    w = trainer.init_params(0)
    with pytest.raises(SpecError, match="method = 'LBFGS': expected one with gradients; did you mean"):
        trainer.minimize(w, *iris, "LBFGS")
    with pytest.raises(SpecError, match="L-BFGS-B: Unknown solver options: maxitr"):
        trainer.minimize(w, *iris, maxitr=3)
    far = pytest.raises(TrainingError, match=r"the cost became (nan|inf) in evaluation 1 of L-BFGS-B: start")
    with far, np.errstate(all="ignore"):
        trainer.minimize(np.full_like(w, 1e308), *iris)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(SymbpError, match=r"pip install 'symbp\[scipy\]'"):
        trainer.minimize(w, *iris)


def test_shapes_are_checked_and_the_kernels_serve(tmp_path, iris):
    X, Y = iris
    trainer = symbp.generate(NET, tmp_path / "iris.py", l2=1e-3, prove=False, target="portable")
    w = trainer.init_params(0)
    with pytest.raises(DataError, match="X has shape"):
        trainer.minimize(w, X[:, :3], Y)
    with pytest.raises(DataError, match="w has shape"):
        trainer.minimize(w[:-1], X, Y)
    found, history = trainer.minimize(w, X, Y, maxiter=40)
    assert history[-1] == trainer.value_and_gradient(found, X, Y)[0]
    assert np.array_equal(w, trainer.init_params(0))
    assert history[-1] < 0.1


def test_weights_of_samples_and_classes(iris):
    """Weights that leave samples out lead where their absence leads; those of a class hold for each of it."""
    network = Network(4, [Dense(3, "softmax")], "cross_entropy", name="weighted", weighted=True)
    trainer = fake_trainer(network, sample_weights=lambda Y, **given: _weights(Y, **given))
    X, Y = iris
    kept = np.arange(len(X)) % 3 == 0
    w, ends = trainer.init_params(0), {"maxiter": 15}
    by_weights, _ = trainer.minimize(w, X, Y, sample_weight=3.0 * kept, **ends)
    by_absence, _ = trainer.minimize(w, X[kept], Y[kept], **ends)
    np.testing.assert_allclose(by_weights, by_absence, rtol=1e-5, atol=1e-6)
    by_class, _ = trainer.minimize(w, X, Y, class_weight={0: 2.0, 1: 1.0, 2: 1.0}, **ends)
    by_samples, _ = trainer.minimize(w, X, Y, sample_weight=1.0 + Y[:, 0], **ends)
    np.testing.assert_array_equal(by_class, by_samples)
    with pytest.raises(DataError, match="weighted"):
        fake_trainer(NET).minimize(fake_trainer(NET).init_params(0), X, Y, sample_weight=np.ones(len(X)))


def _weights(Y, sample_weight=None, class_weight=None):
    v = np.ones(len(Y)) if sample_weight is None else np.asarray(sample_weight)
    return v if class_weight is None else v * (Y @ [class_weight[n] for n in range(Y.shape[1])])


@pytest.mark.parametrize("what", ["w", "X"])
def test_a_number_that_is_none_is_named(trainer, iris, what) -> None:
    w, (X, Y) = trainer.init_params(0), iris
    w, X = w.copy(), X.copy()
    {"w": w, "X": X.reshape(-1)}[what][9] = np.nan
    place = {"w": "w[9]", "X": "X[2, 1]"}[what]
    with pytest.raises(DataError, match=re.escape(f"{place} is nan: expected finite numbers")):
        trainer.minimize(w, X, Y)

"""Penalties: stated once, differentiated by SymPy, never on a bias, known to every way to the gradient."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbp
from symbp.derivation.oracles.panel import Panel
from symbp.errors import DerivationError, ExpressionError, SpecError
from symbp.functions import PENALTIES, Parameter, Penalty
from symbp.network import Dense, Network
from symbp.run.trainer import Trainer
from symbp.run.verify import verify
from tests.oracle import Oracle
from tests.plain_python import interpreted

NET = Network(3, [Dense(4, "tanh"), Dense(2, bias=False)], "squared_error", name="tiny")
PERCEPTRON = Network(3, [Dense(2, "sigmoid")], "squared_error")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
# What one weight adds, and its derivative, typed in from the papers.
BY_HAND = {
    "l2": ({"l2": 0.25}, lambda w: 0.125 * w**2, lambda w: 0.25 * w),
    "l1": ({"l1": 0.5}, lambda w: 0.5 * abs(w), lambda w: 0.5 * np.sign(w)),
    "elastic_net": (
        {"l1": 0.5, "l2": 0.25},
        lambda w: 0.5 * abs(w) + 0.125 * w**2,
        lambda w: 0.5 * np.sign(w) + 0.25 * w,
    ),
}


def regular(network):
    """Return which entries of the flat vector are no bias."""
    masks = []
    for k, (rows, columns) in enumerate(network.shapes):
        mask = np.zeros((rows, columns), bool)
        mask[:, : network.sizes[k]] = True
        masks.append(mask.ravel())
    return np.concatenate(masks)


def test_every_penalty_is_tested():
    assert set(BY_HAND) == set(PENALTIES)
    assert all(penalty.source for penalty in PENALTIES.values())


@pytest.mark.parametrize("network", [NET, PERCEPTRON], ids=["hidden", "perceptron"])
@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cost_and_gradient_have_it(network, name, dtype):
    strengths, value, slope = BY_HAND[name]
    module = interpreted(network, dtype=dtype, **strengths)
    w = module.init_params(1)
    w[3] = 0.25  # the first bias: it must not count
    w[1] = 0.0  # at the kink of |w| the derivative is 0
    cost, gradient = module.value_and_gradient(w, X, Y)
    oracle, mask = Oracle.of(network), regular(network)
    exact = w.astype(float)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    assert cost == pytest.approx(oracle.cost(exact, X, Y) + value(exact[mask]).sum(), rel=tolerance)
    expected = oracle.gradient(exact, X, Y) + np.where(mask, slope(exact), 0)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)
    assert gradient.dtype == dtype
    # The history reports the same cost: one batch, no update before it.
    _, history = module.fit(w, X, Y, epochs=1, batch_size=len(X), shuffle=False)
    assert history[0] == pytest.approx(cost, rel=tolerance)


def test_batches_add_it_once_each():
    module = interpreted(NET, l2=0.25)
    w = module.init_params(0)
    found, _ = module.fit(w, X, Y, epochs=1, batch_size=4, learning_rate=0.1, shuffle=False)
    for part in (slice(0, 4), slice(4, 7)):
        w = w - 0.1 * module.value_and_gradient(w, X[part], Y[part])[1]
    np.testing.assert_allclose(found, w, rtol=1e-13)


def test_a_penalty_that_is_not_finite_stops_the_training():
    module = interpreted(NET, l2=1.0)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="epoch 1, batch 1"):
        module.fit(np.full(NET.n_params, 1e200), X, Y, epochs=1)


@pytest.mark.parametrize("options", [{"l2": 0.1}, {"l1": 0.1}, {"l1": 0.1, "l2": 0.3}])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_verify_knows_it(options, dtype):
    small = Network(2, [Dense(2, "tanh"), Dense(1)], "squared_error")
    report = verify(Trainer(Path("plain.py"), interpreted(small, dtype=dtype, **options), ""))
    assert report.ok, report
    assert "SymPy direct" in report.table()


def test_an_own_penalty_goes_all_the_way():
    penalty = Penalty("log", "s*log(1 + w**2) if w > 0 else s*w**2", (Parameter("s", 0.25),), "mine")
    derivation = symbp.derive(NET, penalty=penalty)
    derivation.prove()
    assert "Omega^k" in derivation.text()
    module = interpreted(NET, penalty=penalty)
    w = module.init_params(0)
    _, gradient = module.value_and_gradient(w, X, Y)
    slope = np.where(w > 0, 0.5 * w / (1 + w**2), 0.5 * w)
    expected = Oracle.of(NET).gradient(w, X, Y) + np.where(regular(NET), slope, 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    assert verify(Trainer(Path("plain.py"), module, "")).ok


def test_without_a_penalty_nothing_is_there():
    derivation = symbp.derive(NET)
    assert not [label for label in derivation.labels if label.startswith(("2.1p", "2.1r"))]
    module = interpreted(NET)
    assert not hasattr(module, "_penalty")
    assert "penalty" not in derivation.text()


@pytest.mark.parametrize(
    "label", ["2.1p, k=1", "2.1ra, k=2", "2.1rf", "2.1p", "2.1ra", "2.1r", "2.1rb", "2.1rb, k=1"]
)
def test_a_broken_equation_is_found(label):
    options = {"l1": 0.5, "l2": 0.25}
    derivation = symbp.derive(NET, **options)
    statement = derivation[label].statement
    factor = 1 + sympy.Rational(1, 1000)
    broken = derivation.replace(label, sympy.Eq(statement.lhs, factor * statement.rhs, evaluate=False))
    assert not all(found.passed for found in Panel(broken).checks(broken[label]))
    if "ra, k=" in label or label in ("2.1p, k=1", "2.1p", "2.1ra", "2.1rf"):
        report = verify(Trainer(Path("plain.py"), interpreted(NET, broken, **options), ""))
        assert not report.ok


def test_a_bias_that_is_penalised_is_found():
    derivation = symbp.derive(NET, l2=0.25)
    statement = derivation["2.1p"].statement
    (total,) = statement.rhs.atoms(sympy.Sum)
    (s, low, high), *rest = total.limits
    longer = sympy.Sum(total.function, (s, low, high + 1), *rest)
    broken = derivation.replace("2.1p", sympy.Eq(statement.lhs, longer, evaluate=False))
    with pytest.raises(DerivationError, match=r"^2\.1p: "):
        broken.prove()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("3", "does not depend on w"),
        ("v**2", "unknown name 'v'"),
        ("sum(w)", "sum"),
        ("w**w", "exponent"),
        (3, "formula 3 is not text"),
    ],
)
def test_a_wrong_penalty_is_one_line(formula, message):
    with pytest.raises(ExpressionError, match=message):
        Penalty("mine", formula).read()


def test_wrong_strengths():
    for bad in (-1, math.nan, "x"):
        with pytest.raises(SpecError, match="l2 = "):
            symbp.TrainOptions(l2=bad)
    with pytest.raises(SpecError, match="give one or the other"):
        symbp.TrainOptions(l1=0.1, penalty="l2")
    with pytest.raises(SpecError, match="penalty 'l2': unknown parameter 'strength'"):
        symbp.TrainOptions(penalty={"name": "l2", "strength": 1})


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        ("sqrt(w**2 + 1/100)", lambda w: w / np.sqrt(w**2 + 0.01)),
        ("w*exp(-w**2)", lambda w: np.exp(-(w**2)) * (1 - 2 * w**2)),
        ("log(1 + exp(w))", lambda w: 1 / (1 + np.exp(-w))),
    ],
)
@pytest.mark.parametrize(
    ("target", "batch"),
    [("portable", 7), ("x86-64-v3", 7), ("x86-64-v4", 1)],
    ids=["loops", "blocks", "in registers"],
)
def test_a_penalty_whose_derivative_has_its_root_or_exponential_in_it(formula, slope, target, batch):
    """They were shared through an array that neither the penalty's kernel nor a fused step has."""
    options = {"penalty": Penalty("own", formula), "target": target, "batch_size": batch}
    module = interpreted(NET, **options)
    w = module.init_params(0)
    _, gradient = module.value_and_gradient(w, X, Y)
    expected = Oracle.of(NET).gradient(w, X, Y) + np.where(regular(NET), slope(w), 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    expected = w
    for start in range(0, len(X), batch):
        part = slice(start, start + batch)
        expected = expected - 0.1 * module.value_and_gradient(expected, X[part], Y[part])[1]
    found, _ = module.fit(w, X, Y, epochs=1, batch_size=batch, learning_rate=0.1, shuffle=False)
    np.testing.assert_allclose(found, expected, rtol=1e-12)

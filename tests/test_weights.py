"""Sample and class weights: stated in the cost, derived, compiled, and refused where they do not fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import symbp
from symbp.algebra.nodes import Node
from symbp.cli import main
from symbp.derivation.oracles.mutants import mutants
from symbp.derivation.oracles.panel import Panel
from symbp.errors import DataError, GradientError, SpecError
from symbp.network import Dense, Network
from symbp.run.data import read_table
from symbp.run.model import Model
from symbp.run.trainer import Trainer
from symbp.run.verify import verify
from symbp.spec import Spec
from tests.fake_trainer import fake_trainer
from tests.oracle import Oracle
from tests.plain_python import interpreted
from tests.test_trainer_against_oracle import data

CLASSES = Network(3, [Dense(4, "tanh"), Dense(3, "softmax", False)], "cross_entropy", weighted=True)
BINARY = Network(3, [Dense(2, "relu", False), Dense(1, "sigmoid")], "binary_cross_entropy", weighted=True)
REGRESSION = Network(2, [Dense(2)], "squared_error", weighted=True)
NETWORKS = (CLASSES, BINARY, REGRESSION)


def point(network, n, dtype="float64"):
    v = np.random.default_rng(9).uniform(0, 3, n)
    v[0] = 0
    return tuple(values.astype(dtype) for values in (*data(network, n), v))


@pytest.mark.parametrize("network", NETWORKS)
def test_the_derivation_is_proved_and_every_fault_is_seen(network):
    derivation = symbp.derive(network)
    panel = Panel(derivation)
    weighted = [
        step for step in derivation.steps if any(node.kind == "v" for node in step.statement.rhs.atoms(Node))
    ]
    labels = {step.label for step in weighted}
    assert {"2.1", "2.1d", "D.1f"} <= labels <= {"2.1", "2.1d", "2.1s", "D.1f", "D.1fs"}
    for step in weighted:
        assert all(check.passed for check in panel.checks(step))
        for fault, statement in mutants(step.statement):
            checks = panel.checks(dataclasses.replace(step, statement=statement))
            assert not all(check.passed for check in checks), (step.label, fault)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("network", NETWORKS)
def test_value_and_gradients(network, dtype):
    module, oracle = interpreted(network, dtype=dtype), Oracle.of(network)
    w, X, Y, v = point(network, 7, dtype)
    rtol = 1e-12 if dtype == "float64" else 2e-5
    J, g = module.value_and_gradient(w, X, Y, v)
    exact = [values.astype(float) for values in (w, X, Y, v)]
    assert pytest.approx(oracle.cost(*exact), rel=rtol) == J
    np.testing.assert_allclose(g, oracle.gradient(*exact), rtol=rtol, atol=rtol)
    by_inputs = module.input_gradient(w, X, Y, v)
    np.testing.assert_allclose(by_inputs, oracle.input_gradient(*exact), rtol=rtol, atol=rtol)
    assert g.dtype == by_inputs.dtype == dtype
    assert not by_inputs[0].any()  # its weight is 0


def test_without_weights_each_sample_counts_once():
    plain = Network(CLASSES.inputs, CLASSES.layers, CLASSES.cost)
    w, X, Y, _ = point(CLASSES, 6)
    for a, b in zip(
        interpreted(CLASSES).value_and_gradient(w, X, Y),
        interpreted(plain).value_and_gradient(w, X, Y),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_whole_weights_are_repetitions():
    w, X, Y, _ = point(BINARY, 5)
    v = np.array([0, 1, 3, 2, 1])
    module = interpreted(BINARY)
    weighted, repeated = (
        module.value_and_gradient(w, X, Y, v),
        module.value_and_gradient(w, np.repeat(X, v, axis=0), np.repeat(Y, v, axis=0)),
    )
    # J averages over the rows that are there: weights are used as given, not normalised.
    assert weighted[0] * 5 == pytest.approx(repeated[0] * 7, rel=1e-13)
    np.testing.assert_allclose(weighted[1] * 5, repeated[1] * 7, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_fit_descends_the_weighted_cost(batch_size):
    module, oracle = interpreted(CLASSES), Oracle.of(CLASSES)
    w, X, Y, v = point(CLASSES, 10)
    found, history = module.fit(
        w, X, Y, epochs=2, batch_size=batch_size, learning_rate=0.2, seed=5, sample_weight=v
    )
    rng, rows, expected = np.random.default_rng(5), np.arange(10), w.copy()
    for epoch in range(2):
        rng.shuffle(rows)
        cost = 0.0
        for first in range(0, 10, batch_size):
            batch = rows[first : first + batch_size]
            cost += oracle.cost(expected, X[batch], Y[batch], v[batch]) * len(batch) / 10
            expected -= 0.2 * oracle.gradient(expected, X[batch], Y[batch], v[batch])
        assert history[epoch] == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_class_weights():
    module = interpreted(CLASSES)
    Y = np.array([0, 1, 1, 1, 2, 0])
    np.testing.assert_allclose(module.sample_weights(Y, None, "balanced"), 6 / (3 * np.bincount(Y))[Y])
    present = np.array([0, 0, 0, 2])  # a class that does not occur is none of the k
    np.testing.assert_allclose(module.sample_weights(present, None, "balanced"), [2 / 3, 2 / 3, 2 / 3, 2])
    v = np.arange(6.0)
    by_hand = v * np.array([0.5, 1, 1, 1, 3, 0.5])
    for labels in (Y, np.eye(3)[Y]):
        np.testing.assert_array_equal(module.sample_weights(labels, v, {0: 0.5, 2: 3}), by_hand)
    binary = interpreted(BINARY)
    np.testing.assert_array_equal(binary.sample_weights([1, 0, 0, 0], None, {1: 3.0}), [3, 1, 1, 1])
    np.testing.assert_allclose(binary.sample_weights([1, 0, 0, 0], None, "balanced"), [2, *[2 / 3] * 3])
    w, X, _, _ = point(CLASSES, 6)
    options = {"epochs": 1, "batch_size": 6, "learning_rate": 0.1}
    one, _ = module.fit(w, X, Y, class_weight={0: 0.5, 2: 3}, sample_weight=v, **options)
    other, _ = module.fit(w, X, Y, sample_weight=by_hand, **options)
    np.testing.assert_array_equal(one, other)


def trainer(network, tmp_path):
    return Trainer(tmp_path, interpreted(network), "")


@pytest.mark.parametrize(
    ("network", "Y", "weights", "message"),
    [
        (CLASSES, [0, 1, 2], {"sample_weight": [1, -1, 1]}, r"sample_weight\[1\] = -1.0: expected a finite"),
        (CLASSES, [0, 1, 2], {"sample_weight": [1, 1, np.nan]}, r"sample_weight\[2\] = nan"),
        (CLASSES, [0, 1, 2], {"sample_weight": [np.inf, 1, 1]}, r"sample_weight\[0\] = inf"),
        (CLASSES, [0, 1, 2], {"sample_weight": [1, 1]}, r"sample_weight has shape \(2,\), expected \(3,\)"),
        (CLASSES, [0, 1, 2], {"sample_weight": np.ones((3, 1))}, r"has shape \(3, 1\)"),
        (
            CLASSES,
            [0, 1, 2],
            {"sample_weight": ["a", 1, 1]},
            "sample_weight: expected an array",
        ),
        (CLASSES, [0, 1, 2], {"sample_weight": {0: 1}}, "sample_weight: expected an array"),
        (
            CLASSES,
            [0, 1, 2],
            {"sample_weight": [[1], [1, 2], [3]]},
            "sample_weight: expected an array",
        ),
        (CLASSES, [0, 1, 2], {"class_weight": "balance"}, "'balance': expected 'balanced' or a dict"),
        (CLASSES, [0, 1, 2], {"class_weight": [1, 2, 3]}, "expected 'balanced' or a dict"),
        (CLASSES, [0, 1, 2], {"class_weight": {3: 1}}, "3 is no label; expected whole numbers from 0 to 2"),
        (CLASSES, [0, 1, 2], {"class_weight": {"a": 1}}, "'a' is no label"),
        (CLASSES, [0, 1, 2], {"class_weight": {0: -1}}, r"class_weight\[0\] = -1"),
        (CLASSES, [0, 1, 2], {"class_weight": {0: "x"}}, r"class_weight\[0\] = 'x'"),
        (
            CLASSES,
            [[0.5, 0.5, 0], [1, 0, 0]],
            {"class_weight": {0: 1}},
            r"Y\[0\] = \[.*\] belongs to no",
        ),
        (BINARY, [0, 0.5], {"class_weight": {0: 1}}, "belongs to no single class; use sample_weight"),
        (REGRESSION, [[0, 1], [1, 0]], {"class_weight": {0: 1}}, "the targets of cost squared_error are no"),
    ],
)
def test_weights_that_do_not_fit_are_one_line(network, Y, weights, message, tmp_path):
    X = np.zeros((len(Y), network.inputs))
    with pytest.raises(DataError, match=message) as caught:
        trainer(network, tmp_path).fit(np.zeros(network.n_params), X, Y, **weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("argument", [{"sample_weight": [1, 1]}, {"class_weight": "balanced"}])
def test_a_network_without_weights_says_what_to_do(argument, tmp_path):
    plain = trainer(Network(3, [Dense(2, "softmax")], "cross_entropy"), tmp_path)
    w, X, Y = np.zeros(8), np.zeros((2, 3)), [0, 1]
    with pytest.raises(DataError, match=rf"{next(iter(argument))}: .*declare weighted = true in "):
        plain.fit(w, X, Y, **argument)
    with pytest.raises(DataError, match="weighted=True"):
        plain.sample_weights(Y, **argument)
    if "sample_weight" in argument:
        for function in (plain.value_and_gradient, plain.input_gradient):
            with pytest.raises(DataError, match="has no sample weights"):
                function(w, X, Y, [1, 1])
    np.testing.assert_array_equal(plain.sample_weights(Y), [1, 1])
    plain.fit(w, X, Y, epochs=1)


@pytest.mark.parametrize("network", NETWORKS)
def test_verify_knows_the_weights(network):
    report = verify(fake_trainer(network))
    assert report.ok, report
    assert verify(fake_trainer(network, "float32")).ok


def test_verify_finds_weights_that_are_left_out():
    oracle = Oracle.of(CLASSES)

    def value_and_gradient(w, X, Y, sample_weight):
        return float(oracle.cost(w, X, Y, sample_weight)), oracle.gradient(w, X, Y)

    def input_gradient(w, X, Y, sample_weight):
        return oracle.input_gradient(w, X, Y)

    broken = fake_trainer(CLASSES, value_and_gradient=value_and_gradient, input_gradient=input_gradient)
    failed = {(row.quantity, row.first) for row in verify(broken).rows if not row.passed}
    assert failed == {("gradient", "delta recursion"), ("input gradient", "delta recursion")}


def test_declaration():
    text = '[network]\ninputs = 2\nweighted = true\ncost = "squared_error"\nlayers = [{units = 1}]\n'
    spec = Spec.from_text(text)
    assert spec.network.weighted
    assert Spec.from_text(spec.to_toml()) == spec
    assert spec.network != Spec.from_text(text.replace("true", "false")).network
    assert "weighted" not in Spec.from_text(text.replace("true", "false")).to_toml()
    with pytest.raises(SpecError, match="weighted = 1: expected true or false"):
        Spec.from_text(text.replace("true", "1"))
    assert Network(2, [Dense(1)], "squared_error").with_sample_weights() == REGRESSION_OF_ONE


REGRESSION_OF_ONE = Network(2, [Dense(1)], "squared_error", weighted=True)


def test_a_gradient_of_a_weighted_network_takes_the_sample_weights():
    with pytest.raises(GradientError, match=r"takes 3 positional arguments but 4 were given"):
        symbp.check_gradient(REGRESSION, lambda weights, X, Y: weights)


# On the command line --------------------------------------------------------------------------

SPEC = """
[network]
name = "skewed"
inputs = 1
cost = "cross_entropy"
layers = [{units = 2, activation = "softmax"}]
[train]
epochs = 30
target = "portable"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "s.toml").write_text(SPEC)
    rows = ["a,weight,y", *(f"{n % 7},{n % 3},{'no' if n % 10 else 'yes'}" for n in range(40))]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_train_with_weights(folder, capsys):
    arguments = ["train", "s.toml", "--data", "s.csv", "--target", "y", "--sample-weight", "weight"]
    assert main([*arguments, "--class-weight", "balanced", "--validation-fraction", "0.2"]) == 0
    assert "training: cost" in capsys.readouterr().out
    model = Model.load("skewed_model.npz")
    assert model.spec.network.weighted
    assert model.feature_names == ("a",)  # the weight is no input
    assert main(["predict", "skewed_model.npz", "--data", "s.csv"]) == 0
    capsys.readouterr()
    (folder / "s.csv").write_text("a,weight,y\n1,-2,yes\n2,1,no\n")
    assert main(arguments) == 2
    assert "row 1 (line 2), column 'weight': sample weight -2; expected at least 0" in capsys.readouterr().err
    (folder / "s.csv").write_text("a,weight,y\n1,nan,yes\n2,1,no\n")
    assert main(arguments) == 2
    assert "'weight': nan is not a finite number" in capsys.readouterr().err
    assert main([*arguments[:-1], "wight"]) == 2
    assert "no column 'wight'" in capsys.readouterr().err
    assert main([*arguments[:-1], "y"]) == 2
    assert "column 'y' is a target; it cannot be the weight" in capsys.readouterr().err


def test_weights_of_an_npz_file(folder):
    network = Spec.from_toml("s.toml").network
    np.savez("s.npz", X=np.zeros((3, 1)), Y=[0, 1, 1], v=[1, 2, 3], wide=np.ones((3, 2)))
    np.testing.assert_array_equal(read_table("s.npz", "Y", network, "v").weights, [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="wide is of type float64 and shape"):
        read_table("s.npz", "Y", network, "wide")
    with pytest.raises(DataError, match="no array 'u'"):
        read_table("s.npz", "Y", network, "u")

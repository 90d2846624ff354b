"""verify must pass on right trainers and fail, naming the weight, on each way that is wrong."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbp
from symbp.errors import DerivationError, SpecError, TrainerError
from symbp.functions import Activation, Cost
from symbp.network import Dense, Network
from symbp.run import paths
from symbp.run.direct import tree_size, why_not
from symbp.run.point import KINK_MARGIN, LARGEST_SUM, random_point
from symbp.run.report import Report, Row, name_of_weight, relative_errors
from symbp.run.trainer import Trainer
from symbp.run.verify import verify
from tests.fake_trainer import fake_trainer
from tests.oracle import Oracle
from tests.plain_python import interpreted

XOR = Network(2, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "binary_cross_entropy", name="xor")
IRIS = Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy", name="iris")
DIGITS = Network(64, [Dense(32, "relu"), Dense(10, "softmax")], "cross_entropy", name="digits")
NO_BIAS = Network(3, [Dense(4, "tanh", False), Dense(2, "identity", False)], "half_squared_error")
PERCEPTRON = Network(3, [Dense(2, "sigmoid")], "squared_error")
METHODS = ("delta recursion", "T-product", "plain NumPy (tape)", "complex step", "SymPy direct")


def changed_gradient(network, position, factor):
    """Return a value_and_gradient whose derivative at `position` is wrong by `factor`."""
    oracle = Oracle.of(network)

    def value_and_gradient(w, X, Y):
        g = oracle.gradient(w, X, Y)
        g[position] *= factor
        return float(oracle.cost(w, X, Y)), g

    return value_and_gradient


def in_plain_python(network, derivation):
    """Return the trainer of a derivation without compiling it: the same statements, in milliseconds."""
    return Trainer(Path("plain.py"), interpreted(network, derivation), "")


@pytest.mark.parametrize("network", [XOR, IRIS, DIGITS, NO_BIAS, PERCEPTRON])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_trainers_pass(network, dtype):
    report = verify(fake_trainer(network, dtype))
    assert report.ok, report
    pairs = {(row.first, row.second) for row in report.rows if row.quantity == "gradient"}
    methods = METHODS if why_not(network) is None else METHODS[:-1]
    assert pairs == set(itertools.combinations(methods, 2))
    assert {row.quantity for row in report.rows} == {
        *("gradient", "input gradient", "input Jacobian", "prediction", "cost", "update")
    }
    assert report.worst < (1e-13 if dtype == "float64" else 2e-5)


def test_many_seeds_raise_no_false_alarm():
    hidden = [Dense(1, "relu"), Dense(9, "sigmoid"), Dense(2, "relu", False), Dense(5, "tanh")]
    network = Network(3, [*hidden, Dense(3, "softmax")], "cross_entropy")
    for seed in range(40):
        for dtype in ("float64", "float32"):
            report = verify(fake_trainer(network, dtype), seed=seed, samples=1 + seed % 6)
            assert report.ok, report


@pytest.mark.parametrize("factor", [-1, 0, 2, 1 + 1e-9])
@pytest.mark.parametrize("position", [0, 39, 40, 66])
def test_a_wrong_kernel_gradient_is_found_and_named(position, factor):
    report = verify(fake_trainer(IRIS, value_and_gradient=changed_gradient(IRIS, position, factor)))
    assert not report.ok
    for row in report.rows:
        blamed = row.first == "delta recursion" and row.quantity == "gradient"
        if row.second != "complex step":
            assert row.passed is not blamed
        assert row.passed or row.place == name_of_weight(IRIS, position)
    assert "FAILED" in report.table()
    assert name_of_weight(IRIS, position) in str(report)


def test_a_wrong_jacobian_is_found():
    def jacobian(w, X):
        found = Oracle.of(IRIS).jacobian(w, X)
        found[:, 1, 7] *= -1
        return found

    failed = [row for row in verify(fake_trainer(IRIS, jacobian=jacobian)).rows if not row.passed]
    assert len(failed) == 3
    assert all("T-product" in (row.first, row.second) for row in failed)
    assert {row.place for row in failed} == {"w^1_2,3"}


@pytest.mark.parametrize("factor", [-1, 0, 1 + 1e-9, np.nan])
def test_a_wrong_input_gradient_is_found_and_named(factor):
    def input_gradient(w, X, Y):
        found = Oracle.of(IRIS).input_gradient(w, X, Y)
        found[3, 1] *= factor
        return found

    failed = [row for row in verify(fake_trainer(IRIS, input_gradient=input_gradient)).rows if not row.passed]
    assert {(row.quantity, row.first) for row in failed} == {("input gradient", "delta recursion")}
    assert {row.place for row in failed} == {"dJ/dx_2, sample 4"}
    assert len(failed) == 3


@pytest.mark.parametrize("factor", [-1, 0, 1 + 1e-9, np.nan])
def test_a_wrong_input_jacobian_is_found_and_named(factor):
    def input_jacobian(w, X):
        found = Oracle.of(IRIS).input_jacobian(w, X)
        found[3, 2, 1] *= factor
        return found

    failed = [row for row in verify(fake_trainer(IRIS, input_jacobian=input_jacobian)).rows if not row.passed]
    places = {row.place for row in failed if row.quantity == "input Jacobian"}
    assert places == {"dh_3/dx_2, sample 4"}
    assert sum(row.quantity == "input Jacobian" for row in failed) == 2
    assert all("T-product" in (row.first, row.second) for row in failed)


def test_many_inputs_and_outputs_are_sampled():
    wide = Network(400, [Dense(50, "tanh", False), Dense(30)], "squared_error")
    report = verify(fake_trainer(wide), samples=2)
    assert report.ok, report
    compared = {(row.quantity, row.first, row.second): row.compared for row in report.rows}
    assert compared["input gradient", "delta recursion", "T-product"] == 2 * 400
    assert compared["input Jacobian", "T-product", "plain NumPy (tape)"] == 2 * 20 * 400
    assert compared["input Jacobian", "T-product", "complex step"] == 2 * 20 * 300


def test_a_wrong_cost_is_found():
    def value_and_gradient(w, X, Y):
        oracle = Oracle.of(XOR)
        return float(oracle.cost(w, X, Y)) * (1 + 1e-9), oracle.gradient(w, X, Y)

    failed = [
        r for r in verify(fake_trainer(XOR, value_and_gradient=value_and_gradient)).rows if not r.passed
    ]
    assert [row.quantity for row in failed] == ["cost"]


def test_a_wrong_prediction_is_found():
    def predict(w, X):
        h = Oracle.of(IRIS).predict(w, X)
        h[3 % len(h), 1] += 1e-9
        return h

    rows = verify(fake_trainer(IRIS, predict=predict)).rows
    assert not next(row for row in rows if row.quantity == "prediction").passed


@pytest.mark.parametrize("way", ["plain_tape", "sympy_direct", "complex_step"])
def test_a_wrong_oracle_is_found(monkeypatch, way):
    right = getattr(paths, way)

    def wrong(*arguments):
        g = right(*arguments)
        return replace(g, values=np.where(g.at == 5, 1.5 * g.values, g.values))

    monkeypatch.setattr(paths, way, wrong)
    report = verify(fake_trainer(XOR))
    failed = [row for row in report.rows if not row.passed and row.quantity == "gradient"]
    assert len(failed) == 4
    assert {row.place for row in failed} == {"w^1_2,3 (bias)"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_fail(value):
    report = verify(fake_trainer(XOR, value_and_gradient=changed_gradient(XOR, 4, value)))
    assert not report.ok
    assert np.isnan(report.worst)
    report = verify(fake_trainer(XOR, predict=lambda w, X: np.full((len(X), 1), value)))
    assert not report.ok
    assert not verify(fake_trainer(XOR, value_and_gradient=lambda w, X, Y: (value, np.zeros(13)))).ok


@pytest.mark.filterwarnings("ignore:.*the cost is NaN there:symbp.SymbpWarning")
def test_nan_in_all_ways_fails():
    """The cost is NaN wherever: agreement on NaN is no agreement."""
    network = Network(2, [Dense(1)], Cost("log_of_a_negative", "log(-1 - h**2)*y"))
    with np.errstate(all="ignore"):
        trainer = fake_trainer(
            network,
            predict=lambda w, X: X @ w[:2, None] + w[2],
            value_and_gradient=lambda w, X, Y: (np.nan, np.full(3, np.nan)),
            jacobian=lambda w, X: np.full((len(X), 1, 3), np.nan),
            input_gradient=lambda w, X, Y: np.full((len(X), 2), np.nan),
            input_jacobian=lambda w, X: np.full((len(X), 1, 2), np.nan),
            fit=lambda w, X, Y, **options: (np.full(3, np.nan), [np.nan]),
        )
        assert not verify(trainer).ok


def test_wrong_shapes_are_errors():
    with pytest.raises(TrainerError, match=r"gradient has shape \(12,\); expected \(13,\)"):
        verify(fake_trainer(XOR, value_and_gradient=lambda w, X, Y: (0.0, np.zeros(12))))
    with pytest.raises(TrainerError, match="Jacobian"):
        verify(fake_trainer(XOR, jacobian=lambda w, X: np.zeros((1, 13))))
    with pytest.raises(TrainerError, match=r"input gradient has shape \(2,\); expected \(5, 2\)"):
        verify(fake_trainer(XOR, input_gradient=lambda w, X, Y: np.zeros(2)))
    with pytest.raises(TrainerError, match="input Jacobian"):
        verify(fake_trainer(XOR, input_jacobian=lambda w, X: np.zeros((5, 2))))
    with pytest.raises(TrainerError, match="weights"):
        verify(fake_trainer(XOR, init_params=lambda seed: np.zeros(12)))


def test_tolerance_can_be_given():
    broken = changed_gradient(XOR, 3, 1 + 1e-6)
    assert not verify(fake_trainer(XOR, value_and_gradient=broken)).ok
    assert verify(fake_trainer(XOR, value_and_gradient=broken), tolerance=1e-4).ok


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"samples": 0}, "samples = 0: expected a whole number of at least 1"),
        ({"seed": "a"}, "seed = 'a': expected a whole number of at least 0"),
        ({"tolerance": -1.0}, "tolerance = -1.0: expected a positive number"),
    ],
)
def test_numbers_that_are_none(given, message):
    with pytest.raises(SpecError, match=message):
        verify(fake_trainer(XOR), **given)


def test_a_name_is_no_trainer():
    with pytest.raises(SpecError, match=r"verify: 'x_trainer.py' is a name; .* symbp.load"):
        verify("x_trainer.py")


def test_the_same_seed_gives_the_same_report():
    assert verify(fake_trainer(XOR), seed=4) == verify(fake_trainer(XOR), seed=4)
    assert verify(fake_trainer(XOR), seed=4) != verify(fake_trainer(XOR), seed=5)


def test_own_functions_with_kinks():
    """The oracles among themselves; complex steps go along abs and branches."""
    leaky = Activation("leaky", "z/10 if z <= 0 else z")
    fold = Activation("fold", "abs(z) - atan(z)/2")
    wave = Activation("wave", "sin(z)*sqrt(1 + z**2) + cos(z)")
    huber = Cost("own_huber", "(h - y)**2/2 if abs(h - y) <= 1 else abs(h - y) - 1/2")
    network = Network(2, [Dense(3, leaky), Dense(2, fold), Dense(1, wave)], huber)
    rng = np.random.default_rng(2)
    point = random_point(network, rng.normal(size=network.n_params), np.dtype(np.float64), rng, 5)
    tape = paths.plain_tape(network, point).values
    np.testing.assert_allclose(paths.complex_step(network, point, rng).values, tape, rtol=1e-12, atol=1e-14)


def test_sympy_direct_handles_kinks():
    network = Network(2, [Dense(3, "relu"), Dense(1)], Cost("mae", "abs(h - y)"))
    rng = np.random.default_rng(2)
    point = random_point(network, rng.normal(size=network.n_params), np.dtype(np.float64), rng, 5)
    np.testing.assert_allclose(
        paths.sympy_direct(network, point).values,
        paths.plain_tape(network, point).values,
        rtol=1e-12,
        atol=1e-14,
    )


def test_large_networks_are_not_given_to_sympy():
    assert why_not(XOR) is None
    assert "67 weights" in why_not(IRIS)
    chain = Network(1, [Dense(1, "relu", False)] * 40, "squared_error")
    assert tree_size(chain) > 2**40
    assert "nodes" in why_not(chain)
    assert "SymPy direct: left out" in str(verify(fake_trainer(chain)))


def test_complex_steps_take_some_weights_of_each_layer():
    wide = Network(400, [Dense(50, "tanh"), Dense(2)], "squared_error")
    rng = np.random.default_rng(0)
    point = random_point(wide, rng.normal(size=wide.n_params), np.dtype(np.float64), rng, 2)
    weights = paths.complex_step(wide, point, rng).at
    assert 200 <= len(weights) <= 300
    assert (np.diff(weights) > 0).all()
    assert (weights >= 401 * 50).sum() == 102


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_point_is_fair(dtype):
    rng = np.random.default_rng(0)
    point = random_point(DIGITS, 50 * rng.normal(size=DIGITS.n_params), np.dtype(dtype), rng, 5)
    sums = Oracle.of(DIGITS).forward(point.w, point.X)[1]
    assert max(np.abs(c).max() for c in sums) < LARGEST_SUM + 1e-6
    assert np.abs(sums[0]).min() > KINK_MARGIN
    for values in (point.w, point.X, point.Y):
        assert values.dtype == np.float64
        assert np.array_equal(values.astype(dtype), values)
    assert (point.w != 0).all()
    assert np.array_equal(point.Y.sum(axis=1), np.ones(5))
    assert set(np.unique(point.Y[0])) == {0, 1}
    assert len(np.unique(point.Y[1])) > 2


def test_names_of_weights():
    assert name_of_weight(IRIS, 0) == "w^1_1,1"
    assert name_of_weight(IRIS, 4) == "w^1_1,5 (bias)"
    assert name_of_weight(IRIS, 5) == "w^1_2,1"
    assert name_of_weight(IRIS, 66) == "w^2_3,9 (bias)"
    assert name_of_weight(NO_BIAS, 2) == "w^1_1,3"
    with pytest.raises(IndexError):
        name_of_weight(IRIS, 67)


def test_relative_errors():
    a, b = np.array([1.0, 0.0, 1e-9, np.nan, np.inf, 2.0]), np.array([1.0, 0.0, 2e-9, np.nan, np.inf, 1.0])
    np.testing.assert_allclose(relative_errors(a, b, 1e-3), [0, 0, 1e-6, np.nan, np.nan, 0.5])
    np.testing.assert_allclose(relative_errors(a, b, 0.0), [0, 0, 0.5, np.nan, np.nan, 0.5])


def test_a_report_of_nothing_is_not_ok():
    assert not Report("nothing", ()).ok
    assert not Row("gradient", "a", "b", 0, 0.0, "", 1e-12).passed


def test_table():
    report = verify(fake_trainer(XOR, "float32"))
    lines = report.table().splitlines()
    assert lines[0] == "xor: 13 weights, 5 random samples, float32, seed 0"
    assert lines[1].split() == ["compared", "numbers", "worst", "error", "where", "tolerance"]
    assert lines[-1] == "all comparisons passed"
    assert "float32" in lines[-2]
    assert max(len(line) for line in lines[1:-2]) <= 110


# Generated trainers ------------------------------------------------------------------


def test_a_network_is_compiled_first():
    report = verify(Network(2, [Dense(2, "softmax")], "cross_entropy"), seed=1)
    assert report.ok, report
    assert report.worst < 1e-14


def test_a_broken_derivation_fails():
    """The numbers judge: a trainer that would not pass its own checks is verified all the same."""
    derivation = symbp.derive(XOR)
    assert verify(in_plain_python(XOR, derivation)).ok
    right = derivation["D.5, k=1"].statement
    broken = derivation.replace("D.5, k=1", sympy.Eq(right.lhs, -right.rhs, evaluate=False))
    report = verify(broken)
    failed = {(row.quantity, row.first, row.second) for row in report.rows if not row.passed}
    assert failed == {
        *(("gradient", "delta recursion", other) for other in METHODS[1:]),
        *(("input gradient", "delta recursion", other) for other in METHODS[1:4]),
        ("update", "kernel, 3 steps", "formulas of sgd"),
    }
    places = {row.place[:4] for row in report.rows if not row.passed}
    assert places == {"w^1_", "dJ/d"}


@pytest.mark.parametrize(
    ("label", "blamed"),
    [
        ("1.3, k=1", "prediction"),
        ("1.3d, k=1", "delta recursion"),
        ("D.5, k=1", "delta recursion"),
        ("D.6a, k=2", "delta recursion"),
        ("D.6b, k=1", "delta recursion"),
        ("2.12, k=1", "T-product"),
        ("D.5f, k=1", "delta recursion"),
        ("2.12f, k=1", "T-product"),
        ("2.17a, k=1", "T-product"),
        ("2.17af, k=1", "T-product"),
        ("X.2", "input gradient"),
        ("X.13", "input gradient"),
        ("X.13, k=1", "input gradient"),
        ("X.9, k=1", "input Jacobian"),
        ("X.9f, k=1", "input Jacobian"),
        ("X.10, k=1", "input Jacobian"),
        ("2.17b, k=2", "T-product"),
        ("1.8d", "T-product"),
        ("D.1f", "delta recursion"),
        ("2.1s", "cost"),
    ],
)
@pytest.mark.parametrize("factor", [-1, 1 + sympy.Rational(1, 10**9)])
def test_every_broken_equation_is_found(label, blamed, factor):
    network = Network(2, [Dense(2, "tanh"), Dense(2, "softmax")], "cross_entropy")
    derivation = symbp.derive(network)
    right = derivation[label].statement
    broken = derivation.replace(label, sympy.Eq(right.lhs, factor * right.rhs, evaluate=False))
    failed = [row for row in verify(in_plain_python(network, broken)).rows if not row.passed]
    assert any(blamed in (row.quantity, row.first, row.second) for row in failed), failed


def test_a_derivation_for_any_network_has_no_trainer():
    with pytest.raises(symbp.SymbpError, match="any architecture"):
        verify(symbp.derive())


@pytest.mark.parametrize("change", ["twice the step", "another sign", "step cubed"])
def test_a_broken_update_is_found(change):
    derivation = symbp.derive(XOR)
    right = derivation["2.2"].statement
    weight = next(t for t in right.rhs.args if not t.has(sympy.Symbol("eta", real=True)))
    step = right.rhs - weight
    broken_step = {"twice the step": 2 * step, "another sign": -step, "step cubed": step**3}[change]
    broken = derivation.replace("2.2", sympy.Eq(right.lhs, weight + broken_step, evaluate=False))
    with pytest.raises(DerivationError, match=r"^2\.2: "):
        broken.prove()
    report = verify(in_plain_python(XOR, broken))
    assert {row.quantity for row in report.rows if not row.passed} == {"update"}

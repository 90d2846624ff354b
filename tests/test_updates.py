"""Update rules, schedules and clipping: from the text to the kernel, against rules written by hand."""

from __future__ import annotations

import inspect
import math
import platform
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbp
from symbp.derivation.oracles.panel import Panel
from symbp.errors import DataError, DerivationError, PlanError
from symbp.functions import OPTIMIZERS, SCHEDULES, Schedule
from symbp.network import Dense, Network
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.plan.check import check
from symbp.plan.hoist import hoist
from symbp.plan.lower import lower
from symbp.plan.passes import make_plan
from symbp.plan.program import Sweep
from symbp.run.trainer import Trainer
from symbp.run.verify import verify
from tests.plain_python import interpreted

NET = Network(2, [Dense(3, "tanh"), Dense(2, bias=False)], "squared_error", name="tiny")
WIDE = Network(2, [Dense(64, "tanh"), Dense(2, bias=False)], "squared_error", name="wide")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(11, 2)), RNG.normal(size=(11, 2))
EXACT = {"rtol": 1e-13, "atol": 1e-15}


def trainer_of(**options):
    """Return a trainer whose kernels are plain functions."""
    return Trainer(Path("plain.py"), interpreted(NET, **options), "")


# The rules as textbooks give them, typed in by hand: (w, g, state, t, rate) -> w; state is changed.


def _adam(w, g, s, t, rate, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    return w - rate * (s["m"] / (1 - b1**t)) / (np.sqrt(s["v"] / (1 - b2**t)) + eps)


def _adamw(w, g, s, t, rate):
    return _adam(w, g, s, t, rate) - rate * 0.01 * w


def _nadam(w, g, s, t, rate, b1=0.9, b2=0.999):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    ahead = b1 * s["m"] / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
    return w - rate * ahead / (np.sqrt(s["v"] / (1 - b2**t)) + 1e-8)


def _momentum(w, g, s, t, rate):
    s["v"] = 0.9 * s.get("v", 0) - rate * g
    return w + s["v"]


def _nesterov(w, g, s, t, rate):
    # In the variables at which the gradient is taken: theta = w - 0.9 v.
    theta = w - 0.9 * s.get("v", 0)
    s["v"] = 0.9 * s.get("v", 0) - rate * g
    return theta + s["v"] + 0.9 * s["v"]


def _rmsprop(w, g, s, t, rate):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g * g
    return w - rate * g / (np.sqrt(s["v"]) + 1e-8)


def _adagrad(w, g, s, t, rate):
    s["v"] = s.get("v", 0) + g * g
    return w - rate * g / (np.sqrt(s["v"]) + 1e-8)


BY_HAND = {
    "sgd": lambda w, g, s, t, rate: w - rate * g,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adam": _adam,
    "adamw": _adamw,
    "nadam": _nadam,
}


def test_every_rule_is_tested():
    assert set(BY_HAND) == set(OPTIMIZERS)
    assert all(rule.source for rule in OPTIMIZERS.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_is_the_one_written_by_hand(name):
    trainer = trainer_of(optimizer=name)
    start, state, expected = trainer.init_params(1), {}, trainer.init_params(1)
    for t in range(1, 6):
        _, g = trainer.value_and_gradient(expected, X, Y)
        expected = BY_HAND[name](expected, g, state, t, 0.01)
    found, history = trainer.fit(
        start, X, Y, epochs=5, batch_size=len(X), learning_rate=0.01, shuffle=False, progress=False
    )
    np.testing.assert_allclose(found, expected, **EXACT)
    assert len(history) == 5
    assert set(history.state["states"]) == set(OPTIMIZERS[name].states) == set(state)
    for key, values in history.state["states"].items():
        np.testing.assert_allclose(values, state[key], **EXACT)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_run_goes_on_where_it_ended(name):
    trainer = trainer_of(optimizer=name, schedule="cosine", clip_norm=0.5, batch_size=4)
    w = trainer.init_params(0)
    options = {"shuffle": False, "progress": False}
    whole, history = trainer.fit(w, X, Y, epochs=6, **options)
    half, first = trainer.fit(w, X, Y, epochs=2, total_epochs=6, **options)
    kept = {key: np.copy(value) for key, value in first.state["states"].items()}
    again, second = trainer.fit(half, X, Y, epochs=4, state=first.state, **options)
    assert np.array_equal(again, whole)
    assert [*first, *second] == history
    assert second.state["step"] == 18  # three batches of 11 samples for six epochs
    assert second.state["epochs"] == 6
    assert all(np.array_equal(first.state["states"][key], kept[key]) for key in kept)  # not changed
    assert trainer.fit(w, X, Y, epochs=0, state=first.state, **options)[1].state["step"] == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: "adam", "expected history.state"),
        (lambda s: {}, "expected history.state"),
        (lambda s: {**s, "optimizer": "sgd"}, "it is of the optimizer sgd, this trainer's is adam"),
        (lambda s: {**s, "states": {}}, "it is of the optimizer adam"),
        (
            lambda s: {**s, "states": {**s["states"], "m": np.zeros(3)}},
            r"m has shape \(3,\), expected \(15,\)",
        ),
        (lambda s: {**s, "step": -1}, "state: step = -1"),
        (lambda s: {**s, "epochs": 1.5}, r"state: epochs = 1\.5"),
    ],
)
def test_a_wrong_state_is_one_line(change, message):
    trainer = trainer_of(optimizer="adam")
    w = trainer.init_params(0)
    _, history = trainer.fit(w, X, Y, epochs=1)
    with pytest.raises(DataError, match=message):
        trainer.fit(w, X, Y, epochs=1, state=change(history.state))
    with pytest.raises(DataError, match="total_epochs = 1: expected a whole number of at least 2"):
        trainer.fit(w, X, Y, epochs=1, state=history.state, total_epochs=1)


# Schedules --------------------------------------------------------------------------------


SHAPES = {
    "step": lambda n, per, end: 0.5 ** (n // per // 10),
    "exponential": lambda n, per, end: 0.95 ** (n // per),
    "cosine": lambda n, per, end: (1 + math.cos(math.pi * n / end)) / 2,
    "warmup": lambda n, per, end: min(1.0, (n + 1) / 100),
    "warmup_cosine": lambda n, per, end: (
        (n + 1) / 100 if n < 100 else (1 + math.cos(math.pi * (n - 100) / (end - 100))) / 2
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_schedule_has_its_shape(name):
    module = interpreted(NET, schedule=name)
    per, epochs = 9, 37
    end = per * epochs
    for done in range(end):
        found = module._rate(0.25, done + 1, end, done // per, epochs)
        assert found == pytest.approx(0.25 * SHAPES[name](done, per, end), rel=1e-13)


def test_a_constant_schedule_costs_nothing():
    assert set(SHAPES) | {"constant"} == set(SCHEDULES)
    module = interpreted(NET)
    assert not hasattr(module, "_rate")
    assert "2.2s" not in symbp.derive(NET)


def test_rates_reach_the_updates():
    halved = Schedule("halved", "rate/2 if epoch >= 1 else rate")
    trainer = trainer_of(schedule=halved)
    w = trainer.init_params(0)
    options = {"batch_size": 11, "shuffle": False, "learning_rate": 0.1, "progress": False}
    found, _ = trainer.fit(w, X, Y, epochs=2, **options)
    middle = w - 0.1 * trainer.value_and_gradient(w, X, Y)[1]
    np.testing.assert_allclose(found, middle - 0.05 * trainer.value_and_gradient(middle, X, Y)[1], **EXACT)


# Clipping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_clipping_keeps_the_direction(factor, dtype):
    trainer = trainer_of(clip_norm=1.0, dtype=dtype)
    w = trainer.init_params(0)
    g = trainer.value_and_gradient(w, X, Y)[1].astype(float)
    norm = float(np.linalg.norm(g))
    found, _ = trainer.fit(w, X, Y, epochs=1, batch_size=11, learning_rate=1.0, clip_norm=factor * norm)
    change = w.astype(float) - found
    np.testing.assert_allclose(
        change, g * min(1.0, factor), rtol=1e-13 if dtype == "float64" else 1e-4, atol=1e-6
    )
    assert found.dtype == dtype


def test_a_gradient_that_is_not_a_number_stays_one():
    module = interpreted(NET, clip_norm=1.0)
    for bad in (np.nan, np.inf):
        w, gradient = np.zeros(15), np.ones(15)
        gradient[3] = bad
        with np.errstate(all="ignore"):
            module._update(w, gradient, 0.1, 1.0)
        assert not np.isfinite(w[3])


def test_a_large_float32_gradient_does_not_overflow():
    module = interpreted(NET, clip_norm=1.0, dtype="float32")
    w, gradient = np.zeros(15, np.float32), np.full(15, 1e30, np.float32)
    module._update(w, gradient, np.float32(1), 1.0)
    np.testing.assert_allclose(w, -1 / math.sqrt(15), rtol=1e-6)
    assert w.dtype == np.float32


def test_clip_norm_of_a_trainer_without():
    trainer = trainer_of()
    with pytest.raises(DataError, match="this trainer does not clip"):
        trainer.fit(trainer.init_params(0), X, Y, epochs=1, clip_norm=1.0)
    clipped = trainer_of(clip_norm=1.0)
    for bad in (-1.0, 0, math.nan, "x"):
        with pytest.raises(DataError, match="clip_norm = "):
            clipped.fit(clipped.init_params(0), X, Y, epochs=1, clip_norm=bad)


# Faults -----------------------------------------------------------------------------------


FAULTY = {"schedule": "cosine", "clip_norm": 1.0}


@pytest.mark.parametrize("label", ["2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.2.5", "2.2s", "2.2c.2", "2.2c.3"])
def test_a_broken_equation_changes_page_and_kernel_and_is_found(label):
    derivation = symbp.derive(NET, "adam", **FAULTY)
    right = derivation[label]
    factor = 1 + sympy.Rational(1, 1000)
    faulty = sympy.Eq(right.statement.lhs, factor * right.statement.rhs, evaluate=False)
    broken = derivation.replace(label, faulty)
    checks = Panel(broken).checks(broken[label])
    assert not all(found.passed for found in checks)
    assert all(found.passed for found in Panel(derivation).checks(right))
    writer = LatexWriter(get("smatrix"), NET.sizes)
    assert writer.equation(broken[label].statement) != writer.equation(right.statement)
    trainer = Trainer(Path("plain.py"), interpreted(NET, broken, optimizer="adam", **FAULTY), "")
    assert {row.quantity for row in verify(trainer).rows if not row.passed} == {"update"}


def test_the_unbroken_equations_pass():
    symbp.derive(NET, "adam", **FAULTY).prove()
    assert verify(trainer_of(optimizer="adam", **FAULTY)).ok


def test_the_norm_runs_over_all_weights():
    derivation = symbp.derive(NET, clip_norm=1.0)
    statement = derivation["2.2c.1"].statement
    (total,) = statement.rhs.atoms(sympy.Sum)
    (symbol, low, high), *rest = total.limits
    short = sympy.Sum(total.function, (symbol, low, high - 1), *rest)
    broken = derivation.replace(
        "2.2c.1", sympy.Eq(statement.lhs, statement.rhs.xreplace({total: short}), evaluate=False)
    )
    assert not all(found.passed for found in Panel(broken).checks(broken["2.2c.1"]))
    with pytest.raises(PlanError, match="does not run over all weights"):
        make_plan(broken)


def test_another_update_than_the_derivation_states_is_refused(tmp_path):
    derivation = symbp.derive(NET, "adam")
    with pytest.raises(DerivationError, match="states another update"):
        symbp.generate(derivation, tmp_path / "t.py", optimizer="sgd", prove=False)


# The plan ---------------------------------------------------------------------------------


def test_what_all_weights_share_leaves_the_loop():
    program = make_plan(symbp.derive(NET, "adam"))
    (sweep,) = [s for s in program.kernel("update").statements if isinstance(s, Sweep)]
    assert {x.name for x in sweep.value.free_symbols if x.name in ("step", "eta")} == {"eta"}
    shared = [s for s in program.kernel("update").statements if not isinstance(s, Sweep)]
    assert [s.origin.label for s in shared] == ["2.2.3", "2.2.4"]


def test_the_checker_refuses_doubles_in_the_loop():
    program = lower(symbp.derive(NET, "adam"))
    with pytest.raises(PlanError, match=r"2\.2\.3\) m_hat\[\]: \['step'\] is no number of the weights' type"):
        check(program, "no hoisting")
    check(hoist(program), "hoisting")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_float32_update_stays_float32(name):
    module = interpreted(
        NET, optimizer=name, dtype="float32", clip_norm=1.0, schedule="cosine", l1=0.1, l2=0.1
    )
    w, history = module.fit(module.init_params(0), X, Y, epochs=2, batch_size=4)
    assert w.dtype == np.float32
    assert all(value.dtype == np.float32 for value in history.state["states"].values())
    kernel = module.__dict__["_update"]
    seen = []
    w, g = np.ones(15, np.float32), np.ones(15, np.float32)
    arguments = {"clip_norm": 1.0, "step": 2, "states": np.ones((len(module.STATES), 15), np.float32)}
    _, _, _, *names = inspect.signature(kernel).parameters
    kernel(w, g, np.float32(0.1), *(arguments[n] for n in names))
    seen.append(w.dtype)
    assert seen == [np.float32]


# Compiled ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Adam in float32 with all that an update may have; loading runs the self-test."""
    path = tmp_path_factory.mktemp("adam") / "adam.py"
    return symbp.generate(WIDE, path, optimizer="adam", dtype="float32", **FAULTY, l2=1e-3, prove=False)


def test_the_compiled_update_is_verified(compiled):
    compiled.module.self_test()
    report = verify(compiled)
    assert report.ok, report
    w, history = compiled.fit(compiled.init_params(0), X, Y, epochs=3, batch_size=4)
    plain = interpreted(WIDE, optimizer="adam", dtype="float32", **FAULTY, l2=1e-3)
    expected, costs = plain.fit(compiled.init_params(0), X, Y, epochs=3, batch_size=4)
    np.testing.assert_allclose(w, expected, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(history, costs, rtol=1e-5)
    assert w.dtype == history.state["states"]["v"].dtype == np.float32


def test_a_wrong_update_fails_the_self_test(compiled):
    values = compiled.module.TEST_UPDATE
    for position in range(1, 4):  # the weight and both states
        row = list(values[0])
        row[position] *= 1.01
        try:
            compiled.module.TEST_UPDATE = (tuple(row), *values[1:])
            with pytest.raises(AssertionError, match=r"update \(2\.2\)"):
                compiled.module.self_test()
        finally:
            compiled.module.TEST_UPDATE = values


@pytest.mark.skipif(platform.machine() != "x86_64", reason="looks for x86 instructions")
def test_the_update_vectorises(compiled):
    (assembly,) = compiled.module._update.inspect_asm().values()
    assert re.search(r"\bv?sqrtps\b", assembly)  # four or more roots at once
    assert re.search(r"\bv?divps\b", assembly)

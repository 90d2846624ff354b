"""Steps of one sample whose weights stay in registers: when, and that they are the step's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symbp
from symbp.derivation.derive import derive
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.program import Access, Map
from symbp.plan.resident import TIMES, is_upright, resident_rows, spread_arrays
from symbp.plan.tiles import RESIDENT, Schedule
from symbp.render.writer import trainer_source
from symbp.run import interpret
from symbp.spec import Spec, TrainOptions
from symbp.target import TARGETS
from tests.plain_python import interpreted

TINY = Network(4, [Dense(16, "relu"), Dense(3, "softmax")], "cross_entropy", name="tiny")
V4 = TARGETS["x86-64-v4"]
RATE = 0.1

NETWORKS = {
    "perceptron": Network(5, [Dense(3, "softmax")], "cross_entropy"),
    "one": Network(1, [Dense(1, "tanh"), Dense(1)], "half_squared_error"),
    "two": TINY,
    "three": Network(3, [Dense(2, "tanh"), Dense(3, "sigmoid"), Dense(1)], "half_squared_error"),
    "four": Network(
        2, [Dense(3, "sigmoid"), Dense(2, "tanh"), Dense(3, "elu"), Dense(2)], "half_squared_error"
    ),
    "wide": Network(2, [Dense(17, "softplus"), Dense(2, "softmax")], "cross_entropy"),
    "no bias": Network(
        3, [Dense(9, "relu", bias=False), Dense(2, "sigmoid", bias=False)], "binary_cross_entropy"
    ),
}


def plan(network: Network, **options: object):
    spec = Spec(network, TrainOptions(target="x86-64-v4", batch_size=1, **options))
    schedule = Schedule(V4, spec.train.dtype, 1)
    return make_plan(derive(network, spec.train.training), schedule)


def has(program) -> bool:
    return any(kernel.name == RESIDENT for kernel in program.kernels)


def data(network: Network, samples: int):
    rng = np.random.default_rng(1)
    outputs = network.sizes[-1]
    w, X = rng.normal(size=network.n_params), rng.normal(size=(samples, network.inputs))
    if network.cost.targets == "classes" or network.layers[-1].activation.name == "softmax":
        return w, X, np.eye(outputs)[rng.integers(outputs, size=samples)]
    return w, X, rng.uniform(size=(samples, outputs))


def steps(program, w, X, Y):
    """The weights after one step for each sample, as the statements of the ordinary step give them."""
    costs = []
    for n in range(len(X)):
        cost, w, _ = interpret.step(program, w, X[n : n + 1], Y[n : n + 1], RATE, np.zeros((0, 0)))
        costs.append(cost)
    return w, np.mean(costs)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_are_those_of_the_ordinary_step(name):
    network = NETWORKS[name]
    program = plan(network)
    assert has(program)
    w, X, Y = data(network, 4)
    module = interpreted(network, dtype="float64", batch_size=1, target="x86-64-v4")
    assert hasattr(module, "_epoch_in_registers")
    found, history = module.fit(w, X, Y, epochs=1, learning_rate=RATE, shuffle=False)
    expected, cost = steps(program, w, X, Y)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert history[0] == pytest.approx(cost, rel=1e-13)
    assert np.abs(found - w).min() > 0 or name == "two"  # a neuron of relu may sleep


@pytest.mark.parametrize(
    "options",
    [{"optimizer": "momentum"}, {"optimizer": "adam"}, {"optimizer": "adam", "schedule": "cosine"}],
    ids=["momentum", "adam", "schedule"],
)
def test_what_the_update_rule_keeps_stays_in_registers(options):
    """Twice, one after the other: states come and go, too. The same from kernels for larger batches."""
    network = NETWORKS["three"]
    w, X, Y = data(network, 5)
    results = []
    for batch in (1, 8):
        module = interpreted(network, dtype="float64", batch_size=batch, target="x86-64-v4", **options)
        assert hasattr(module, "_epoch_in_registers") == (batch == 1)
        given = {"epochs": 2, "batch_size": 1, "shuffle": False, "seed": 0}
        first, history = module.fit(w, X, Y, **given)
        again, history = module.fit(first, X, Y, state=history.state, **given)
        results.append((first, again, *history.state["states"].values()))
        assert len(results[-1]) == (4 if "adam" in options.values() else 3)
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


PENALTIES = [{"l2": 0.3}, {"l1": 0.2}, {"l1": 0.1, "l2": 0.2, "optimizer": "momentum"}]


@pytest.mark.parametrize("name", ["one", "three", "wide", "no bias"])
@pytest.mark.parametrize("options", PENALTIES, ids=["l2", "l1", "both"])
def test_a_penalty_is_part_of_cost_and_gradient(name, options):
    """The same from the kernels for larger batches, which add it in another way."""
    network = NETWORKS[name]
    w, X, Y = data(network, 5)
    results = []
    for batch in (1, 8):
        module = interpreted(network, dtype="float64", batch_size=batch, target="x86-64-v4", **options)
        assert hasattr(module, "_epoch_in_registers") == (batch == 1)
        given = {"epochs": 2, "batch_size": 1, "learning_rate": RATE, "shuffle": False}
        found, history = module.fit(w, X, Y, **given)
        results.append((found, history))
    np.testing.assert_allclose(*(found for found, _ in results), rtol=0, atol=1e-13)
    np.testing.assert_allclose(*(history for _, history in results), rtol=1e-13)
    without = interpreted(network, dtype="float64", batch_size=1, target="x86-64-v4")
    plain, _ = without.fit(w, X, Y, **given)
    assert np.abs(plain - results[0][0]).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_penalty_compiled(dtype, tmp_path):
    """Rows that end inside a register, whose other numbers are no weights."""
    network = Network(3, [Dense(5, "tanh"), Dense(2, "softmax")], "cross_entropy", name="penalised")
    w, X, Y = data(network, 20)
    options = {"l1": 0.02, "l2": 0.1}
    given = {"epochs": 1, "learning_rate": 0.05, "shuffle": False}
    trainer = symbp.generate(
        network, tmp_path / "one.py", dtype=dtype, batch_size=1, target="x86-64-v4", prove=False, **options
    )
    found, history = trainer.fit(w, X, Y, **given)
    module = interpreted(network, dtype="float64", batch_size=8, target="x86-64-v4", **options)
    expected, costs = module.fit(w, X, Y, batch_size=1, **given)
    tolerance = 40 * len(X) * np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert history[0] == pytest.approx(costs[0], rel=float(tolerance))


def test_a_penalty_of_what_stands_beyond_a_row_is_noticed():
    """Sums over whole registers: rows have NaN beyond their end in plain Python."""
    network = NETWORKS["three"]
    w, X, Y = data(network, 2)
    module = interpreted(network, dtype="float64", batch_size=1, target="x86-64-v4", l2=0.3)
    module.rows_sum = lambda rows, size: rows.sum()
    with pytest.raises(FloatingPointError):
        module.fit(w, X, Y, epochs=1, shuffle=False)


def test_weights_of_samples():
    network = replace(NETWORKS["three"], weighted=True, cost="huber")
    w, X, Y = data(network, 5)
    shares = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
    results = []
    for batch in (1, 8):
        module = interpreted(network, dtype="float64", batch_size=batch, target="x86-64-v4")
        assert hasattr(module, "_epoch_in_registers") == (batch == 1)
        results.append(module.fit(w, X, Y, epochs=1, batch_size=1, shuffle=False, sample_weight=shares)[0])
    np.testing.assert_allclose(*results, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled(dtype, tmp_path):
    """Rows that end inside a register: what stands beyond them must not matter, log(0) for instance."""
    own = symbp.Activation("hill", "log(z**2 + 1/2)")  # not 0 at 0
    network = Network(3, [Dense(5, own), Dense(2, "softmax")], "cross_entropy", name="hill")
    w, X, Y = data(network, 40)
    trainer = symbp.generate(network, tmp_path / "one.py", dtype=dtype, batch_size=1, prove=False)
    found, history = trainer.fit(w, X, Y, epochs=1, learning_rate=0.05, shuffle=False)
    module = interpreted(network, dtype="float64", batch_size=8, target="x86-64-v4")
    expected, costs = module.fit(w, X, Y, epochs=1, batch_size=1, learning_rate=0.05, shuffle=False)
    tolerance = 40 * len(X) * np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert history[0] == pytest.approx(costs[0], rel=float(tolerance))
    again, _ = trainer.fit(w, X, Y, epochs=1, learning_rate=0.05, shuffle=False, threads=2)
    np.testing.assert_array_equal(again, found)
    with pytest.raises(symbp.errors.TrainingError, match="epoch 1, batch 1"):
        trainer.fit(np.full_like(w, np.finfo(dtype).max), X, Y, epochs=1, shuffle=False)


def test_when():
    assert not has(make_plan(symbp.derive(TINY), Schedule(V4, "float32", 2)))
    assert has(make_plan(symbp.derive(TINY), Schedule(TARGETS["x86-64-v3"], "float32", 1)))
    assert not has(make_plan(symbp.derive(TINY), Schedule(TARGETS["x86-64-v3"], "float64", 1)))
    assert not has(make_plan(symbp.derive(TINY), Schedule(TARGETS["portable"], "float32", 1)))
    assert has(plan(TINY, l2=0.1))
    assert not has(plan(TINY, clip_norm=1.0))
    # As many as there is room for, and one more.
    room = TIMES * V4.registers
    most = Network(room - 2, [Dense(16, "tanh"), Dense(1, bias=False)], "half_squared_error")
    assert sum(r.registers(16) for r in resident_rows(plan(most, dtype="float32"))) == room
    assert has(plan(most, dtype="float32"))
    assert not has(plan(replace(most, inputs=room - 1), dtype="float32"))


def test_layers_take_turns():
    assert [is_upright(k, 3) for k in (1, 2, 3)] == [True, False, True]
    spread = spread_arrays(plan(NETWORKS["three"]).kernel(RESIDENT))
    assert {"C1", "D1", "BIAS1", "C3", "D3", "BIAS3", "Y"} <= spread
    assert spread.isdisjoint({"X", "C2", "O2", "D2", "BIAS2"})


def test_a_kernel_that_mixes_both_kinds_is_refused():
    kernel = plan(TINY).kernel(RESIDENT)
    (slope,) = (s for s in kernel.statements if isinstance(s, Map) and s.target.array == "D2")
    (index,) = slope.target.indices
    mixed = replace(slope, value=slope.value + Access("D1", index))
    statements = tuple(mixed if s is slope else s for s in kernel.statements)
    assert spread_arrays(replace(kernel, statements=statements)) is None


def test_a_lost_statement_is_noticed(monkeypatch):
    """Without the update of one bias the weights differ from those of the ordinary step."""
    network = NETWORKS["three"]
    w, X, Y = data(network, 4)
    spec = Spec(network, TrainOptions(target="x86-64-v4", batch_size=1))
    text = trainer_source(symbp.derive(network), spec, prove=False)
    line = "bias2 = bias2 - learning_rate*gbias2"
    assert text.count(line) == 1
    monkeypatch.setattr("tests.plain_python.trainer_source", lambda *_: text.replace(line, "pass"))
    found, _ = interpreted(network, dtype="float64", batch_size=1, target="x86-64-v4").fit(
        w, X, Y, epochs=1, learning_rate=RATE, shuffle=False
    )
    assert np.abs(found - steps(plan(network), w, X, Y)[0]).max() > 1e-3

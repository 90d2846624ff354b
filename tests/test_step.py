"""The fused step of training: the same weights as gradient, penalty and update one after the other."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
import sympy

import symbp
from symbp.errors import PlanError
from symbp.functions import OPTIMIZERS
from symbp.network import Dense, Network
from symbp.plan.check import check
from symbp.plan.held import Held
from symbp.plan.passes import make_plan
from symbp.plan.program import Fused, Reduce
from symbp.plan.step import is_fused
from symbp.plan.tiles import Schedule
from symbp.run import interpret
from symbp.target import TARGETS
from tests.plain_python import interpreted

V4 = Schedule(TARGETS["x86-64-v4"], "float64", 8)
TYPICAL = Network(5, [Dense(17, "relu"), Dense(9, "tanh", bias=False), Dense(3, "softmax")], "cross_entropy")
NETWORKS = {
    "typical": TYPICAL,
    "no hidden layer": Network(3, [Dense(2, "sigmoid")], "binary_cross_entropy"),
    "one of everything": Network(1, [Dense(1, "tanh", bias=False), Dense(1)], "half_squared_error"),
    "no bias": Network(4, [Dense(33, "sigmoid", bias=False), Dense(2, bias=False)], "huber"),
    "odd": Network(7, [Dense(45, "leaky_relu"), Dense(10, "softsign"), Dense(1, "sigmoid")], "log_cosh"),
    "wide": Network(3, [Dense(21, "relu"), Dense(150, "softmax")], "cross_entropy"),
    "two pieces": Network(3, [Dense(5, "tanh"), Dense(22)], "mean_absolute_error"),
    "deep": Network(3, [*[Dense(3, "relu")] * 6, Dense(2)], "squared_error"),
    "weighted": Network(3, [Dense(4, "elu"), Dense(3, "softmax")], "cross_entropy", weighted=True),
}


def data(network, n, dtype):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, network.inputs)).astype(dtype)
    units = network.sizes[-1]
    distribution = network.cost.targets == "distribution"
    Y = rng.integers(units, size=n) if distribution else rng.random((n, units)).astype(dtype)
    return X, Y


def step_by_step(module, w, X, Y, batch, rate, epochs):
    """Gradient, penalty and update of every batch, by the functions that keep a gradient."""
    w, states, count, costs = w.copy(), module._state(None)[0], 0, []
    steps = epochs * -(-len(X) // batch)
    for epoch in range(epochs):
        total = 0.0
        for start in range(0, len(X), batch):
            rows = slice(start, start + batch)
            cost, gradient = module.value_and_gradient(w, X[rows], Y[rows])
            count += 1
            now = module._rate(rate, count, steps, epoch, epochs) if hasattr(module, "_rate") else rate
            given = {"w": w, "gradient": gradient, "learning_rate": module.F(now), "step": count}
            given |= {"states": states, "clip_norm": module.CLIP_NORM}
            module._update(*(given[name] for name in inspect.signature(module._update).parameters))
            total += cost * len(X[rows])
        costs.append(total / len(X))
    return w, states, costs


def compare(network, n=19, batch=8, dtype="float64", **options):
    module = interpreted(network, dtype=dtype, batch_size=batch, **options)
    X, Y = data(network, n, dtype)
    start = module.init_params(0) + module.F(0.05)
    w, history = module.fit(start, X, Y, epochs=2, batch_size=batch, learning_rate=0.05, shuffle=False)
    expected, states, costs = step_by_step(module, start, X, Y, batch, 0.05, 2)
    tolerance = 1e-11 if dtype == "float64" else 2e-4
    assert w.dtype == dtype
    moved = np.abs(expected - start).max()
    assert moved > 0
    np.testing.assert_allclose(w, expected, rtol=0, atol=tolerance * moved)
    np.testing.assert_allclose(history, costs, rtol=tolerance)
    for kept, right in zip(history.state["states"].values(), states, strict=True):
        np.testing.assert_allclose(kept, right, rtol=0, atol=tolerance * max(np.abs(right).max(), 1e-30))
    return module


@pytest.mark.parametrize("name", ["typical", "odd", "wide"])
@pytest.mark.parametrize("threads", [1, 2])
def test_weights_that_stay_in_the_workspace_between_epochs_are_the_same(name, threads):
    """Three epochs of one call, and of three calls that go on where the last one ended."""
    module = interpreted(NETWORKS[name], batch_size=32, optimizer="adam")
    module.WORTHWHILE = 1
    X, Y = data(NETWORKS[name], 70, "float64")
    options = {"batch_size": 32, "learning_rate": 0.05, "shuffle": False, "threads": threads}
    whole, _ = module.fit(module.init_params(0), X, Y, epochs=3, **options)
    w, state = module.init_params(0), None
    for _ in range(3):
        w, history = module.fit(w, X, Y, epochs=1, state=state, **options)
        state = history.state
    np.testing.assert_array_equal(w, whole)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_shape(name):
    assert hasattr(compare(NETWORKS[name]), "_descend")


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "portable"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_target(target, dtype):
    assert hasattr(compare(TYPICAL, dtype=dtype, target=target), "_descend")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "further", [{}, {"l1": 0.01, "l2": 0.02, "schedule": "cosine"}], ids=["alone", "more"]
)
def test_every_rule(optimizer, further):
    module = compare(NETWORKS["no hidden layer"], optimizer=optimizer, **further)
    assert hasattr(module, "_descend")


@pytest.mark.parametrize("units", [2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("further", [{"optimizer": "adam"}, {"l1": 0.01, "l2": 0.02, "optimizer": "nadam"}])
def test_layers_that_are_kept_upright(units, bias, further):
    """Wide layers below narrow ones: rows of inputs fill registers, rows of neurons would not.

    Of two neurons the forward pass reads them as they are, of three it reads a copy.
    """
    layers = [Dense(17, "relu"), Dense(units, "tanh", bias=bias), Dense(16)]
    network = Network(9, layers, "half_squared_error")
    assert upright(network, 64) == [False, True, False]
    module = compare(network, n=70, batch=64, target="x86-64-v4", **further)
    assert hasattr(module, "_lay") == (units == 3)


def upright(network, batch):
    schedule = replace(V4, batch_size=batch)
    layers = make_plan(symbp.derive(network), schedule).layers
    return [Held(n, layer, schedule).upright for n, layer in enumerate(layers, 1)]


def test_weights_are_turned_only_for_large_batches():
    """The first products of a step wait for the copy."""
    network = Network(64, [Dense(2)], "squared_error")
    assert upright(network, 1) == [False]
    assert upright(network, 256) == [True]


@pytest.mark.parametrize("batch", [1, 2, 3, 16, 19, 40])
def test_every_batch(batch):
    compare(TYPICAL, batch=batch)


def test_a_larger_batch_than_the_file_was_written_for():
    module = interpreted(TYPICAL, batch_size=1)
    X, Y = data(TYPICAL, 30, "float64")
    start = module.init_params(0)
    w, _ = module.fit(start, X, Y, epochs=1, batch_size=13, learning_rate=0.1, shuffle=False)
    expected, *_ = step_by_step(module, start, X, Y, 13, 0.1, 1)
    np.testing.assert_allclose(w, expected, atol=1e-13)


@pytest.mark.parametrize("formula", ["h*y", "exp(h)*y", "h*y + h**2"])
def test_costs_that_are_products(formula):
    compare(Network(2, [Dense(3, "tanh"), Dense(1)], symbp.Cost("own", formula)), n=11, batch=4)


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam", "l2": 0.01, "schedule": "cosine"}])
def test_batches_too_large_for_a_cache_are_taken_in_parts(options):
    module = interpreted(TYPICAL, batch_size=30, **options)
    X, Y = data(TYPICAL, 70, "float64")
    start = module.init_params(0)
    fitted = {}
    for whole, chunk in ((30, 256), (29, 7), (29, 30), (29, 256)):
        module.AT_ONCE, module.CHUNK = whole, chunk
        fitted[whole, chunk], history = module.fit(
            start, X, Y, epochs=2, batch_size=30, learning_rate=0.1, shuffle=False
        )
        taken = module._Team(1, 30)
        assert taken.steps is (module._epoch if whole == 30 else module._epoch_in_parts)
        assert len(history) == 2
    for w in fitted.values():
        np.testing.assert_allclose(w, fitted[30, 256], rtol=1e-12, atol=1e-12)
        assert np.abs(w - start).max() > 0.01


def test_clipping_needs_the_whole_gradient_first():
    assert not hasattr(compare(TYPICAL, clip_norm=0.5), "_descend")


@pytest.mark.parametrize(
    ("formula", "more", "fused"),
    [
        ("w = w - learning_rate*tanh(gradient)", {}, True),
        ("w = w - learning_rate*tanh(gradient)", {"elementary": "libm"}, False),
        ("w = w - learning_rate*sin(gradient)", {}, False),  # it holds for some arguments only
    ],
)
def test_a_rule_with_a_function_is_fused_where_vectors_have_it(formula, more, fused):
    rule = symbp.UpdateRule("soft", formula, learning_rate=0.1)
    assert hasattr(compare(TYPICAL, optimizer=rule, **more), "_descend") == fused


def test_own_names_do_not_clash():
    """Quantities with the names of arrays, indices and functions of the emitted step."""
    rule = symbp.UpdateRule(
        "clash",
        "V = mu*V + gradient\nload = V*V\ni = V - load\nw = w - learning_rate*i",
        states={"V": 0},
        parameters=(symbp.Parameter("mu", 0.9, "decay"),),
        learning_rate=0.1,
    )
    assert hasattr(compare(NETWORKS["no bias"], optimizer=rule), "_descend")


def test_a_cost_that_diverges_ends_the_epoch_before_the_update():
    module = interpreted(NETWORKS["no bias"])
    X, Y = data(NETWORKS["no bias"], 8, "float64")
    start = module.init_params(0)
    work, w = module._workspace(4), start.copy()
    bad = X.copy()
    bad[5] = np.nan
    cost, batch = module._epoch(w, bad, Y, np.arange(8), 4, 0.1, True, True, work)
    assert batch == 1
    assert np.isnan(cost)
    first = start.copy()
    module._epoch(first, X[:4], Y[:4], np.arange(4), 4, 0.1, True, True, module._workspace(4))
    np.testing.assert_array_equal(w, first)  # the batch before it has been used, this one has not


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}, {"optimizer": "nadam", "l2": 0.1}])
def test_the_interpreter_agrees(options):
    """The fused program, run as NumPy from its equations, against the program that keeps a gradient."""
    derivation = symbp.derive(TYPICAL, **options)
    program = make_plan(derivation, V4)
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=program.n_params), rng.normal(size=(6, 5))
    Y = np.eye(3)[rng.integers(3, size=6)]
    states = np.zeros((len(derivation.training.rule.states), program.n_params))
    cost, found, kept = interpret.step(program, w, X, Y, 0.1, states)
    module = interpreted(TYPICAL, batch_size=8, **options)
    expected, history = module.fit(
        w, X, Y.argmax(axis=1), epochs=1, batch_size=6, learning_rate=0.1, shuffle=False
    )
    assert cost == pytest.approx(history[0], rel=1e-13)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    for state, right in zip(kept, history.state["states"].values(), strict=True):
        np.testing.assert_allclose(state, right, atol=1e-13)


def test_a_replaced_equation_shows_in_the_fused_step():
    derivation = symbp.derive(TYPICAL)
    statement = derivation["D.5f, k=1"].statement
    broken = derivation.replace("D.5f, k=1", sympy.Eq(statement.lhs, 2 * statement.rhs, evaluate=False))
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=derivation.network.n_params), rng.normal(size=(6, 5))
    Y, none = np.eye(3)[rng.integers(3, size=6)], np.zeros((0, 0))
    (_, right, _), (_, wrong, _) = (
        interpret.step(make_plan(d, V4), w, X, Y, 0.1, none) for d in (derivation, broken)
    )
    first = 17 * 6
    np.testing.assert_allclose((wrong - w)[:first], 2 * (right - w)[:first], atol=1e-13)
    np.testing.assert_allclose(wrong[first:], right[first:], atol=1e-13)


# The plan and its checker ------------------------------------------------------------------


@pytest.fixture(scope="module")
def program():
    return make_plan(symbp.derive(TYPICAL), V4)


def test_the_gradient_is_never_stored(program):
    assert is_fused(program)
    kernel = program.kernel("descend")
    fused = [s for s in kernel.statements if isinstance(s, Fused) and s.update]
    assert len(fused) == 5  # three layers, two of them with a bias
    assert all(kernel.array(s.reduce.target.array).role == "register" for s in fused)
    assert all(s.reduce.tile is not None for s in fused)
    assert {a.name for a in program.workspace}.isdisjoint({"G1", "G2", "G3"})


def _broken(program, change):
    def one(statement):
        return change(statement) if isinstance(statement, Fused) and len(statement.loops) == 2 else statement

    kernels = (
        replace(k, statements=tuple(map(one, k.statements))) if k.name == "descend" else k
        for k in program.kernels
    )
    return replace(program, kernels=tuple(kernels))


def _with_tile(**changes):
    def change(fused):
        return replace(fused, reduce=replace(fused.reduce, tile=replace(fused.reduce.tile, **changes)))

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with_tile(widths=(8,)), "blocks of"),
        (_with_tile(rows=None), "the tile runs over"),
        (_with_tile(height=0), "blocks of"),
    ],
)
def test_the_checker_sees_wrong_tiles(program, change, reason):
    broken = _broken(program, change)
    with pytest.raises(PlanError, match=reason):
        check(broken, "a test")


def test_the_checker_sees_a_register_read_later(program):
    kernel = program.kernel("descend")
    fused = next(s for s in kernel.statements if isinstance(s, Fused) and s.update)
    later = replace(fused.update[0], loops=fused.loops, value=fused.reduce.target)
    broken = replace(kernel, statements=(*kernel.statements, later))
    kernels = tuple(broken if k.name == "descend" else k for k in program.kernels)
    with pytest.raises(PlanError, match="before it is written"):
        check(replace(program, kernels=kernels), "a test")


def test_portable_has_no_vectors():
    program = make_plan(symbp.derive(TYPICAL))
    assert not is_fused(program)
    statements = [s for k in program.kernels for s in k.statements]
    assert not any(isinstance(s, Fused) or (isinstance(s, Reduce) and s.tile) for s in statements)

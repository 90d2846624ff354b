"""Products with a few outputs, a sample in each lane: when, and that only the order of sums is another."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan.narrow import PART, is_narrow
from symbp.plan.passes import make_plan
from symbp.plan.program import Abreast
from symbp.plan.tiles import Schedule
from symbp.render.writer import trainer_source
from symbp.run import interpret
from symbp.spec import Spec, TrainOptions
from symbp.target import TARGETS
from tests.plain_python import interpreted

V4 = Schedule(TARGETS["x86-64-v4"], "float32", 32)


def softmax(outputs: int, hidden: int = 32, **options: bool) -> Network:
    return Network(
        3, [Dense(hidden, "tanh"), Dense(outputs, "softmax", **options)], "cross_entropy", name="narrow"
    )


def narrow(network: Network, schedule: Schedule = V4) -> list[str]:
    statements = make_plan(symbp.derive(network), schedule).kernel("measure").statements
    parts = [part for s in statements if isinstance(s, Abreast) for part in s.parts]
    return [part.target.array for part in parts if is_narrow(part)]


def test_when():
    assert V4.lanes // PART == 4
    assert narrow(softmax(2)) == narrow(softmax(4)) == ["C2"]
    assert narrow(softmax(2, hidden=15)) == []  # a row of weights fills no register
    # Of turned blocks: whole ones, and of outputs that leave a quarter of their registers empty.
    many = Schedule(TARGETS["x86-64-v4"], "float32", 128)
    assert narrow(softmax(5), many) == narrow(softmax(12), many) == ["C2"]
    assert narrow(softmax(5, hidden=33), many) == narrow(softmax(13), many) == []
    # A register for each of 10 outputs and of 8 neurons below: of 32, not of 16.
    assert narrow(softmax(10), Schedule(TARGETS["x86-64-v4"], "float64", 128)) == ["C2"]
    assert narrow(softmax(10), Schedule(TARGETS["x86-64-v3"], "float32", 128)) == []
    assert narrow(softmax(2), Schedule(TARGETS["x86-64-v4"], "float32", 1)) == []
    assert narrow(softmax(2), Schedule(TARGETS["x86-64-v3"], "float32", 32)) == ["C2"]
    assert narrow(softmax(7), Schedule(TARGETS["x86-64-v3"], "float32", 32)) == []


def test_weights_are_not_turned_for_it():
    program = make_plan(symbp.derive(softmax(2)), V4)
    assert all(kernel.name != "lay" for kernel in program.kernels)
    measure = program.kernel("measure")
    assert {"W2", "V2"} <= {array.name for array in measure.arrays}  # the bias stays where it was
    assert measure.array("C2").role == "register"


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 20])
@pytest.mark.parametrize(
    ("outputs", "hidden", "bias"),
    [
        *((1, 8, True), (2, 8, True), (2, 13, False), (1, 33, True)),
        *((3, 8, True), (3, 24, False), (3, 40, True)),
    ],
)
def test_the_equations_run_as_numpy_agree(outputs, hidden, bias, rows):
    last, cost = (Dense(outputs, "softmax", bias=bias), "cross_entropy")
    if outputs == 1:
        last, cost = Dense(1, "sigmoid", bias=bias), "binary_cross_entropy"
    network = Network(3, [Dense(hidden, "tanh"), last], cost, name="narrow")
    program = make_plan(symbp.derive(network), Schedule(TARGETS["x86-64-v4"], "float64", 32))
    assert any(
        is_narrow(p) for s in program.kernel("measure").statements if isinstance(s, Abreast) for p in s.parts
    )
    module = interpreted(network, dtype="float64", batch_size=32, target="x86-64-v4")
    rng = np.random.default_rng(outputs)
    w, X = rng.normal(size=program.n_params), rng.normal(size=(rows, 3))
    Y = np.eye(outputs)[rng.integers(outputs, size=rows)] if outputs > 1 else rng.random((rows, 1))
    expected, found, _ = interpret.step(program, w, X, Y, 0.1, np.zeros((0, 0)))
    fitted, history = module.fit(w, X, Y, epochs=1, batch_size=rows, learning_rate=0.1, shuffle=False)
    assert history[0] == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(fitted, found, rtol=0, atol=1e-13)


INNER = """
@_kernel
def products_{count}_{size}(x, weights, y, rows):
    for p in range(0, rows, LANES):
        store_columns(y, p, inner(x, p, weights, {count}, {size}), {count})
"""
TURNED = """
@_kernel
def turned_{count}_{size}(x, weights, y, rows):
    for p in range(0, rows, LANES):
        c = spread(F(0.0), {numbers})
        for s in range(0, {size}*LANES, LANES):
            c = add_inner(c, x, p, weights, s)
        store_columns(y, p, c, {count})
"""


@pytest.mark.parametrize(
    ("target", "dtype"),
    [("x86-64-v4", "float32"), ("x86-64-v4", "float64"), ("x86-64-v3", "float64"), ("aarch64", "float32")],
)
def test_compiled(target, dtype):
    """Rows that end inside a register, beside NaN that belongs to nobody."""
    network = Network(3, [Dense(64, "tanh"), Dense(1, "sigmoid")], "binary_cross_entropy", name="narrow")
    spec = Spec(network, TrainOptions(dtype=dtype, target=target, batch_size=128))
    text = trainer_source(symbp.derive(spec.network), spec, prove=False)
    assert "def inner(" in text
    text = text[: text.index("@_kernel\ndef _forward")].replace("cache=known, ", "")
    shapes = [(1, 16), (2, 19), (4, 33)]
    module = types.ModuleType(f"narrow_{dtype}_{target.replace('-', '_')}")
    sys.modules[module.__name__] = module
    exec(text + "".join(INNER.format(count=n, size=size) for n, size in shapes), module.__dict__)
    rng = np.random.default_rng(0)
    for count, size in shapes:
        rows = 2 * module.LANES
        x = np.full((rows + 1, size), np.nan, dtype)
        x[:rows] = rng.integers(-9, 9, size=(rows, size))  # sums are exact
        weights = np.full((count + 1, size + 5), np.nan, dtype)
        weights[:count, :size] = rng.integers(-9, 9, size=(count, size))
        y = np.zeros((rows, count), dtype)
        getattr(module, f"products_{count}_{size}")(x, weights, y, rows)
        np.testing.assert_array_equal(y, x[:rows] @ weights[:count, :size].T)


@pytest.mark.parametrize(
    ("target", "dtype", "outputs"),
    [("x86-64-v4", "float32", 10), ("x86-64-v4", "float64", 5), ("x86-64-v3", "float32", 5)],
)
def test_turned_blocks_compiled(target, dtype, outputs):
    """Beside NaN that belongs to nobody."""
    spec = Spec(softmax(outputs), TrainOptions(dtype=dtype, target=target, batch_size=128))
    text = trainer_source(symbp.derive(spec.network), spec, prove=False)
    assert "def add_inner(" in text
    text = text[: text.index("@_kernel\ndef _forward")].replace("cache=known, ", "")
    lanes = TARGETS[target].lanes(dtype)
    module = types.ModuleType(f"turned_{dtype}_{target.replace('-', '_')}")
    sys.modules[module.__name__] = module
    exec(text + TURNED.format(count=outputs, size=3, numbers=outputs * lanes), module.__dict__)
    rng = np.random.default_rng(0)
    rows, size = 2 * module.LANES, 3 * module.LANES
    x = np.full((rows + 1, size + 1), np.nan, dtype)
    x[:rows, :size] = rng.integers(-9, 9, size=(rows, size))  # sums are exact
    weights = np.full((outputs + 1, size + 2), np.nan, dtype)
    weights[:outputs, :size] = rng.integers(-9, 9, size=(outputs, size))
    y = np.zeros((rows, outputs), dtype)
    getattr(module, f"turned_{outputs}_3")(x, weights, y, rows)
    np.testing.assert_array_equal(y, x[:rows, :size] @ weights[:outputs, :size].T)


@pytest.mark.parametrize(
    ("outputs", "hidden", "right", "wrong"),
    [
        (2, 8, "inner(O1, p, W2, 2, 8)", "inner(O1, p, W2, 2, 7)"),
        (3, 16, "for s in range(0, 16, LANES):", "for s in range(8, 16, LANES):"),
    ],
    ids=["along rows", "turned blocks"],
)
def test_a_lost_term_is_noticed(outputs, hidden, right, wrong, monkeypatch):
    network = softmax(outputs, hidden)
    spec = Spec(network, TrainOptions(target="x86-64-v4", batch_size=32))
    text = trainer_source(symbp.derive(network), spec, prove=False)
    assert text.count(right) == 1
    program = make_plan(symbp.derive(network), Schedule(TARGETS["x86-64-v4"], "float64", 32))
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=program.n_params), rng.normal(size=(8, 3))
    Y = np.eye(outputs)[rng.integers(outputs, size=8)]
    cost, _, _ = interpret.step(program, w, X, Y, 0.1, np.zeros((0, 0)))
    for taken in (right, wrong):
        changed = text.replace(right, taken)
        monkeypatch.setattr("tests.plain_python.trainer_source", lambda *_, changed=changed: changed)
        module = interpreted(network, dtype="float64", batch_size=32, target="x86-64-v4")
        _, history = module.fit(w, X, Y, epochs=1, batch_size=8, learning_rate=0.1, shuffle=False)
        assert (abs(history[0] - cost) < 1e-12) == (taken == right)

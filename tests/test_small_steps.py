"""Steps of one sample and of tiny networks: what waits for what, and what is compiled for it."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.program import ROWS, Abreast, Reduce, parts_of
from symbp.plan.tiles import CHAINS, Schedule
from symbp.render.trainer_view import COMPACT
from symbp.render.writer import trainer_source
from symbp.run import interpret
from symbp.spec import Spec, TrainOptions
from symbp.target import TARGETS
from tests.plain_python import interpreted

TINY = Network(4, [Dense(16, "relu"), Dense(3, "softmax")], "cross_entropy", name="tiny")
V4 = TARGETS["x86-64-v4"]


def source(network: Network, **options: object) -> str:
    spec = Spec(network, TrainOptions(target="x86-64-v4", dtype="float32", **options))
    return trainer_source(symbp.derive(network), spec, prove=False)


def test_one_sample_stands_in_all_lanes():
    alone = make_plan(symbp.derive(TINY), Schedule(V4, "float32", 1))
    found = {k.name: s.lanes for k in alone.kernels for s in k.statements if isinstance(s, Abreast)}
    assert found["measure"] == 1
    assert found["forward"] == 16  # calls with many samples
    text = source(TINY, batch_size=1)
    assert "c2 = numbers(C2, p, 3)" in text
    assert "def numbers(" not in source(TINY, batch_size=2)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("network", [TINY, Network(3, [Dense(1, "tanh"), Dense(1)], "huber", weighted=True)])
def test_one_sample_after_the_other(network, batch):
    """A trainer of one sample a step, called with more of them too; the last batch is smaller."""
    module = interpreted(network, dtype="float64", batch_size=1, target="x86-64-v4")
    program = make_plan(symbp.derive(network), Schedule(V4, "float64", 1))
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=program.n_params), rng.normal(size=(batch, network.inputs))
    outputs = network.sizes[-1]
    Y = np.eye(outputs)[rng.integers(outputs, size=batch)] if outputs > 1 else rng.normal(size=(batch, 1))
    if network.weighted:
        fitted, history = module.fit(w, X, Y, epochs=1, batch_size=batch, learning_rate=0.1, shuffle=False)
        whole = interpreted(network, dtype="float64", batch_size=8, target="x86-64-v3")
        expected, costs = whole.fit(w, X, Y, epochs=1, batch_size=batch, learning_rate=0.1, shuffle=False)
        assert history[0] == pytest.approx(costs[0], rel=1e-13)
    else:
        fitted, history = module.fit(w, X, Y, epochs=1, batch_size=batch, learning_rate=0.1, shuffle=False)
        cost, expected, _ = interpret.step(program, w, X, Y, 0.1, np.zeros((0, 0)))
        assert history[0] == pytest.approx(cost, rel=1e-13)
    np.testing.assert_allclose(fitted, expected, rtol=0, atol=1e-13)


def test_small_blocks_have_several_sums():
    program = make_plan(symbp.derive(TINY), Schedule(V4, "float32", 1))
    reduces = [
        part
        for kernel in program.kernels
        for s in kernel.statements
        for part in parts_of(s)
        if isinstance(part, Reduce) and part.tile is not None
    ]
    chains = {part.tile.chains for part in reduces}
    assert chains == {1, 2, CHAINS}
    for part in reduces:
        tile = part.tile
        registers = tile.height * -(-tile.widths[0] // 16)
        assert tile.chains == 1 or tile.chains * registers <= V4.products
        assert tile.chains == 1 or part.over[0].extent != ROWS


@pytest.mark.parametrize("inputs", [2, 3, 4, 5, 6, 7, 8, 9, 11])
def test_sums_in_chains_leave_nothing_out(inputs):
    """Terms that are no multiple of the chains."""
    network = Network(inputs, [Dense(2)], "half_squared_error", name="chains")
    module = interpreted(network, batch_size=1, target="x86-64-v4")
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=network.n_params), rng.normal(size=(1, inputs))
    expected = w.reshape(2, -1)[:, :-1] @ x[0] + w.reshape(2, -1)[:, -1]
    np.testing.assert_allclose(module.predict(w, x)[0], expected, rtol=1e-14)
    _, costs = module.fit(w, x, np.zeros((1, 2)), epochs=1, batch_size=1)
    assert costs[0] == pytest.approx((expected**2).sum() / 2, rel=1e-14)


def test_kernels_of_small_steps_are_part_of_the_loop():
    small = source(TINY, batch_size=1)
    assert "@_inlined\ndef _measure(" in small
    large = source(Network(64, [Dense(64, "relu"), Dense(10, "softmax")], "cross_entropy"), batch_size=64)
    assert COMPACT < 3 * 64 * 64 * 64
    assert "@_shared\ndef _measure(" in large


def test_no_literal_compiles_a_function_anew():
    """Numba compiles a function for each literal that it is called with."""
    text = source(TINY, batch_size=1)
    body = text[text.index("def _pack(") : text.index("def _epoch(")]
    for call in re.findall(r"transpose\((.*)\)", body):
        assert not re.search(r", \d", call), call
    assert "share(" not in body

"""Inputs of a batch that a step reads where they are: when, and that rows in any order are the right ones."""

from __future__ import annotations

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.tiles import NEAR, Schedule
from symbp.target import TARGETS
from tests.plain_python import interpreted

NET = Network(5, [Dense(9, "tanh"), Dense(3, "softmax")], "cross_entropy", name="gather")


def copies(network: Network, batch: int, dtype: str = "float32", target: str = "x86-64-v4") -> bool:
    program = make_plan(symbp.derive(network), Schedule(TARGETS[target], dtype, batch))
    of_step = {array.name for name in ("measure", "descend") for array in program.kernel(name).arrays}
    assert ("XB" in of_step) != ("X" in {array.name for array in program.kernel("descend").arrays})
    assert "XB" in {array.name for array in program.kernel("forward").arrays}  # others hold more samples
    return "XB" in of_step


def wide(inputs: int, units: int) -> Network:
    return Network(inputs, [Dense(units, "relu"), Dense(3, "softmax")], "cross_entropy", name="gather")


def test_when():
    assert not copies(NET, 32)
    assert not copies(wide(64, 64), NEAR // 256)
    assert copies(wide(64, 64), NEAR // 256 + 1)
    assert copies(wide(64, 64), NEAR // 256, "float64")
    assert not copies(wide(8, 80), 32)  # blocks of two registers and of three
    assert copies(wide(8, 96), 32)
    assert copies(wide(8, 96), 32, target="aarch64")
    # What outputs read is read a sample in each lane: by neighbouring rows.
    assert copies(Network(5, [Dense(2, "softmax")], "cross_entropy", name="gather"), 32)


@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3"])
@pytest.mark.parametrize("bias", [True, False])
def test_shuffled_rows_and_a_batch_that_is_not_full(target, bias):
    """As kernels do that copy the inputs first: the same weights."""
    network = Network(5, [Dense(9, "tanh", bias=bias), Dense(3, "softmax")], "cross_entropy", name="gather")
    derivation = symbp.derive(network)
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=network.n_params), rng.normal(size=(23, 5))
    Y = np.eye(3)[rng.integers(3, size=23)]
    found = []
    for batch in (32, 2**14):
        module = interpreted(network, derivation, dtype="float64", batch_size=batch, target=target)
        found.append(module.fit(w, X, Y, epochs=2, batch_size=9, learning_rate=0.1, seed=3)[0])
    np.testing.assert_allclose(*found, rtol=0, atol=1e-13)
    module = interpreted(network, derivation, dtype="float64", batch_size=32, target=target)
    for threads in (1, 2, 3):
        module.WORTHWHILE = 1
        again, _ = module.fit(w, X, Y, epochs=2, batch_size=9, learning_rate=0.1, seed=3, threads=threads)
        np.testing.assert_array_equal(again, found[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled(dtype, tmp_path):
    rng = np.random.default_rng(0)
    w, X = rng.normal(size=NET.n_params), rng.normal(size=(43, 5))
    labels = rng.integers(3, size=43)
    trainer = symbp.generate(NET, tmp_path / "gather.py", dtype=dtype, batch_size=16, prove=False)
    given = {"epochs": 2, "batch_size": 16, "learning_rate": 0.1, "seed": 3}
    found, _ = trainer.fit(w, X, labels, **given)
    expected, _ = interpreted(NET, dtype="float64", batch_size=2**14).fit(w, X, labels, **given)
    np.testing.assert_allclose(found, expected, rtol=0, atol=500 * np.finfo(dtype).eps)


def test_rows_in_their_order_instead_are_noticed(monkeypatch):
    monkeypatch.setattr(
        "symbp.render.tile_printer.VectorPrinter._of_row",
        lambda self, expr, row: f"{expr.array}[start + p, {self.index(expr.indices[1])}]",
    )
    with pytest.raises(AssertionError):
        test_shuffled_rows_and_a_batch_that_is_not_full("x86-64-v4", True)

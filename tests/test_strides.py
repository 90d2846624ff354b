"""Rows of arrays that would begin at multiples of half a page are parted, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan import strides
from symbp.plan.passes import make_plan
from symbp.plan.tiles import Schedule
from symbp.run import interpret
from symbp.target import BITS, TARGETS
from tests.plain_python import interpreted


def network(*widths: int) -> Network:
    hidden = [Dense(n, "relu") for n in widths[1:-1]]
    return Network(widths[0], [*hidden, Dense(widths[-1], "identity")], "squared_error", name="strides")


def rows(net: Network, dtype: str, target: str = "x86-64-v4") -> dict[str, int]:
    """The bytes of a row of each work array."""
    program = make_plan(symbp.derive(net), Schedule(TARGETS[target], dtype, 32))
    size = BITS[dtype] // 8
    return {a.name: int(a.axes[-1]) * size for a in program.workspace if len(a.axes) == 2}


@pytest.mark.parametrize(("width", "dtype"), [(256, "float64"), (512, "float32"), (768, "float64")])
@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3", "aarch64"])
def test_no_row_is_a_multiple_of_half_a_page(width, dtype, target):
    found = rows(network(width, width, 7), dtype, target)
    assert {"XB", "O1", "D1", "V1"} <= set(found)
    assert not [name for name, length in found.items() if length % strides.STRIDE == 0]
    whole = width * BITS[dtype] // 8
    assert found["O1"] == found["V1"] == whole + TARGETS[target].line


def test_other_rows_stay_as_they_are():
    assert rows(network(256, 256, 7), "float32")["O1"] == 1024
    assert rows(network(100, 255, 7), "float64")["O1"] == 255 * 8


def test_what_is_handed_over_has_no_gaps():
    """Outputs are copied as a whole, and arrays with one long loop are a row of numbers."""
    assert rows(network(3, 256), "float64")["H"] == 2048
    smooth = Network(3, [Dense(256, "softplus"), Dense(2, "identity")], "squared_error", name="strides")
    program = make_plan(symbp.derive(smooth), Schedule(TARGETS["x86-64-v4"], "float64", 32, "libm"))
    flat = {
        access.array
        for kernel in program.kernels
        for statement in kernel.statements
        if getattr(statement, "flat", False)
        for access in statement.accesses()
    }
    assert flat
    axes = {array.name: array.axes[-1] for array in program.workspace}
    assert {axes[name] for name in flat} <= {256, 2}


def test_a_step_is_the_same():
    net = network(3, 256, 2)
    program = make_plan(symbp.derive(net), Schedule(TARGETS["x86-64-v4"], "float64", 32))
    module = interpreted(net, dtype="float64", batch_size=32, target="x86-64-v4")
    rng = np.random.default_rng(0)
    w, X, Y = rng.normal(size=program.n_params), rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    expected, found, _ = interpret.step(program, w, X, Y, 0.1, np.zeros((0, 0)))
    fitted, history = module.fit(w, X, Y, epochs=1, batch_size=9, learning_rate=0.1, shuffle=False)
    assert history[0] == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(fitted, found, rtol=0, atol=1e-12)


def test_rows_that_are_not_parted_are_noticed(monkeypatch):
    monkeypatch.setattr(strides, "STRIDE", 2**30)
    with pytest.raises(AssertionError):
        test_no_row_is_a_multiple_of_half_a_page(256, "float64", "x86-64-v4")

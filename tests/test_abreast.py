"""Samples side by side in registers: softmax, cost and delta of a few outputs, with no memory between."""

from __future__ import annotations

import functools
import sys
import types

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan.abreast import WIDEST, put_abreast
from symbp.plan.passes import make_plan
from symbp.plan.program import Abreast, Fused, parts_of
from symbp.plan.tiles import Schedule
from symbp.render.writer import trainer_source
from symbp.run import interpret
from symbp.spec import Spec, TrainOptions
from symbp.target import TARGETS
from tests.plain_python import interpreted

V3 = Schedule(TARGETS["x86-64-v3"], "float64", 8)


def softmax(outputs: int) -> Network:
    return Network(3, [Dense(5, "relu"), Dense(outputs, "softmax")], "cross_entropy", name="softmax")


def joined(network: Network, kernel: str, schedule: Schedule = V3) -> list[Abreast]:
    program = make_plan(symbp.derive(network), schedule)
    return [s for s in program.kernel(kernel).statements if isinstance(s, Abreast)]


def test_softmax_cost_and_delta_are_one_loop():
    program = make_plan(symbp.derive(softmax(10)), V3)
    kernel = program.kernel("measure")
    (found,) = [s for s in kernel.statements if isinstance(s, Abreast)]
    targets = [part.target.array for part in found.parts]
    assert targets == ["MU", "E", "H_sum", "ZETA", "D2", "LSE", "cost"]
    stored = [name for name in targets if kernel.array(name).role == "work"]
    assert stored == ["D2"]  # what descend reads
    # The cost's division comes last, after the loop, and the way back begins below the outputs.
    assert kernel.statements[-1].target.array == "cost"
    assert program.kernel("descend").statements[0].target.array != "D2"


def test_what_others_read_is_stored():
    kernel = make_plan(symbp.derive(softmax(3)), V3).kernel("forward")
    (found,) = [s for s in kernel.statements if isinstance(s, Abreast)]
    stored = {p.target.array for p in found.parts if kernel.array(p.target.array).role == "work"}
    assert {"H", "E", "MU"} <= stored  # the cost of value_and_gradient reads E and MU


def test_wide_rows_stay_rows():
    wide, narrow = (
        [p.target.array for s in joined(softmax(n), "measure") for p in s.parts] for n in (17, 16)
    )
    assert WIDEST == 16
    assert "E" in narrow
    assert wide == ["LSE"]  # a number for each sample


def test_cheap_maps_stay_where_the_sum_is():
    """A relu of three neurons is done in the registers that the sums are in."""
    network = Network(3, [Dense(3, "relu"), Dense(17)], "half_squared_error")
    program = make_plan(symbp.derive(network), Schedule(TARGETS["x86-64-v4"], "float32", 8))
    assert not any(isinstance(s, Abreast) for s in program.kernel("measure").statements)
    first = next(s for s in program.kernel("measure").statements if isinstance(s, Fused))
    assert first.target.array == "O1"


def test_own_functions_of_narrow_layers_too():
    own = symbp.Activation("own", "z/(1 + exp(-z)) + tanh(z)")
    network = Network(3, [Dense(2, own), Dense(1, "sigmoid")], "binary_cross_entropy")
    found = joined(network, "measure", Schedule(TARGETS["x86-64-v4"], "float32", 8))
    assert {part.target.array for s in found for part in s.parts} >= {"O1", "D2", "cost"}


def test_libm_has_no_functions_of_registers():
    schedule = Schedule(TARGETS["x86-64-v3"], "float64", 8, "libm")
    for found in joined(softmax(3), "measure", schedule):
        assert not any("exp" in str(part.value) for part in found.parts)


def test_the_pass_keeps_every_statement_in_order():
    program = make_plan(symbp.derive(softmax(3)), V3)
    again = put_abreast(program, V3)
    for before, after in zip(program.kernels, again.kernels, strict=True):
        parts = [[part for s in kernel.statements for part in parts_of(s)] for kernel in (before, after)]
        assert parts[0] == parts[1]


@functools.cache
def text_and_program(outputs):
    network = softmax(outputs) if outputs > 1 else Network(3, [Dense(1, "sigmoid")], "binary_cross_entropy")
    module = interpreted(network, dtype="float64", batch_size=8, target="x86-64-v4")
    return module, make_plan(symbp.derive(network), Schedule(TARGETS["x86-64-v4"], "float64", 8))


@pytest.mark.parametrize("outputs", [1, 2, 3, 8, 9, 10, 16, 17])
@pytest.mark.parametrize("rows", [1, 7, 8, 9, 16])
def test_the_equations_run_as_numpy_agree(outputs, rows):
    """The emitted text as plain Python beside the statements one by one; the last block is cut."""
    module, program = text_and_program(outputs)
    rng = np.random.default_rng(outputs)
    w, X = rng.normal(size=program.n_params), rng.normal(size=(rows, 3))
    Y = np.eye(outputs)[rng.integers(outputs, size=rows)] if outputs > 1 else rng.random((rows, 1))
    cost, found, _ = interpret.step(program, w, X, Y, 0.1, np.zeros((0, 0)))
    fitted, history = module.fit(w, X, Y, epochs=1, batch_size=rows, learning_rate=0.1, shuffle=False)
    assert history[0] == pytest.approx(cost, rel=1e-13)
    np.testing.assert_allclose(fitted, found, rtol=0, atol=1e-13)


def test_a_nan_is_not_swallowed():
    module = interpreted(softmax(3), batch_size=4)
    X = np.zeros((5, 3))
    X[4, 0] = np.nan
    with np.errstate(invalid="ignore"):
        H = module.predict(module.init_params(0), X)
        cost, gradient = module.value_and_gradient(module.init_params(0), X, np.zeros(5, int))
    assert np.isnan(H[4]).all()
    assert np.isfinite(H[:4]).all()
    assert np.isnan(cost)
    assert np.isnan(gradient).any()


COLUMNS = """
@_kernel
def there_and_back{width}(x, y, line, rows, count):
    for p in range(0, count, LANES):
        store_columns(y, p, columns(x, p, {width}), {width})
        store_columns(line, p, register_sum(columns_at(x, rows, p, count, {width})), 1)
"""


@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3", "aarch64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_columns(target, dtype):
    """Registers are columns: loaded, chosen by rows, summed and stored, for odd widths on every machine."""
    spec = Spec(softmax(3), TrainOptions(dtype=dtype, target=target))
    text = trainer_source(symbp.derive(spec.network), spec, prove=False)
    text = text[: text.index("@_kernel\ndef _forward")].replace("cache=known, ", "")
    widths = (1, 2, 3, 7, 10, 16)
    module = types.ModuleType(f"columns_{dtype}_{target.replace('-', '_')}")
    sys.modules[module.__name__] = module
    exec(text + "".join(COLUMNS.format(width=width) for width in widths), module.__dict__)
    rng = np.random.default_rng(0)
    count = 2 * module.LANES + 3
    for width in widths:
        x = rng.integers(-99, 99, size=(4 * module.LANES, width)).astype(dtype)  # sums are exact
        y, line, rows = np.zeros_like(x), np.zeros(4 * module.LANES, dtype), rng.permutation(count)
        getattr(module, f"there_and_back{width}")(x, y, line, rows, count)
        np.testing.assert_array_equal(y[: 3 * module.LANES], x[: 3 * module.LANES])
        expected = x[rows].sum(axis=1)
        np.testing.assert_array_equal(line[:count], expected)
        np.testing.assert_array_equal(line[count : 3 * module.LANES], expected[-1])  # the last row again

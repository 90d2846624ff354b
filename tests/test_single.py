"""Outputs of one sample, for compiled code that asks for one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

import symbp
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.program import ROWS, Loop
from symbp.plan.tiles import Schedule
from symbp.target import TARGETS
from tests.plain_python import interpreted
from tests.test_step import NETWORKS, data

PENDULUM = Network(3, [Dense(20, "tanh"), Dense(17, "tanh"), Dense(2)], "half_squared_error", "pendulum")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"target": "portable"}, {"dtype": "float32"}])
def test_as_predict(name, options):
    network = NETWORKS[name]
    module = interpreted(network, **options)
    X, _ = data(network, 5, module.DTYPE.name)
    w = module.init_params(1) + module.F(0.05)
    prepared, h = module.prepare(w), np.empty(network.sizes[-1], module.DTYPE)
    tolerance = 4 * np.finfo(module.DTYPE).eps
    for x, expected in zip(X, module.predict(w, X), strict=True):
        module.predict_one(prepared, x, h)
        np.testing.assert_allclose(h, expected, rtol=tolerance, atol=tolerance)


def test_the_copy_of_the_weights_is_the_caller_s():
    module = interpreted(NETWORKS["typical"])
    X, _ = data(NETWORKS["typical"], 1, "float64")
    w, h = module.init_params(0), np.empty(3)
    prepared = module.prepare(w)
    expected = module.predict(w, X)[0]
    w[:] = 0
    module.predict_one(prepared, X[0], h)
    np.testing.assert_allclose(h, expected, rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_in_it_runs_over_samples(target):
    program = make_plan(symbp.derive(PENDULUM), Schedule(TARGETS[target]))
    for name in ("prepare", "answer"):
        loops = {loop for s in program.kernel(name).statements for loop in s.loops if isinstance(loop, Loop)}
        assert loops
        assert all(loop.extent != ROWS for loop in loops)
    assert not any("W" in s.target.array for s in program.kernel("answer").statements)


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    path = tmp_path_factory.mktemp("single") / "pendulum_trainer.py"
    return symbp.generate(PENDULUM, path, prove=False, dtype="float32")


def test_from_compiled_code(trainer):
    predict_one = trainer.module.predict_one

    @njit
    def run(prepared, x, steps):
        """The outputs move the inputs."""
        h = np.empty(2, np.float32)
        for _ in range(steps):
            predict_one(prepared, x, h)
            x[0] += h[0]
            x[1] -= h[1]
        return x

    w = trainer.init_params(0)
    x = run(trainer.module.prepare(w), np.ones(3, np.float32), 7)
    expected = np.ones((1, 3), np.float32)
    for _ in range(7):
        h = trainer.predict(w, expected)
        expected[0, 0] += h[0, 0]
        expected[0, 1] -= h[0, 1]
    np.testing.assert_allclose(x, expected[0], rtol=1e-5)


def test_the_test_vector_covers_it(trainer):
    trainer.module.self_test("predict_one")
    trainer.module.TEST_OUTPUTS, right = [[2.0, 2.0]], trainer.module.TEST_OUTPUTS
    with pytest.raises(AssertionError, match=r"output \(1\.8\)"):
        trainer.module.self_test("predict_one")
    trainer.module.TEST_OUTPUTS = right


def test_what_does_not_fit(trainer):
    prepared, h = trainer.module.prepare(trainer.init_params(0)), np.empty(2, np.float32)
    predict_one = trainer.module.predict_one
    with pytest.raises(ValueError, match="expected x of 3 and h of 2 numbers"):
        predict_one(prepared, np.ones(4, np.float32), h)
    with pytest.raises(ValueError, match="expected x of 3 and h of 2 numbers"):
        predict_one(prepared, np.ones(3, np.float32), np.empty(1, np.float32))
    if trainer.module.__dict__.get("LANES"):
        for wrong in (np.ones(3), np.ones((3, 2), np.float32)[:, 0]):
            with pytest.raises(
                TypingError, match="expected an array of type float32 whose numbers lie side by side"
            ):
                predict_one(prepared, wrong, h)

"""Threads that share the steps of an epoch: the same weights, however many there are."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import symbp
from symbp.errors import DataError
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.step import BY_SAMPLES, BY_WEIGHTS, STEP, samples_together
from symbp.plan.tiles import Schedule
from symbp.target import TARGETS
from tests.plain_python import interpreted
from tests.test_step import NETWORKS, TYPICAL, data

RATE = 0.05


def in_threads(module, threads, network, n=43, batch=20, dtype="float64", **options):
    """Train with as many threads, however little there is to do."""
    module.WORTHWHILE = 1
    X, Y = data(network, n, dtype)
    start = module.init_params(0)
    options = {"epochs": 2, "batch_size": batch, "learning_rate": RATE, "shuffle": True, **options}
    return module.fit(start, X, Y, threads=threads, **options)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"optimizer": "adam", "l2": 0.01, "schedule": "cosine"}])
def test_the_weights_do_not_depend_on_the_threads(name, options):
    network = NETWORKS[name]
    module = interpreted(network, batch_size=32, **options)
    alone, costs = in_threads(module, 1, network, 70, 32)
    for threads in (2, 3):
        w, history = in_threads(module, threads, network, 70, 32)
        assert module._worthwhile(threads, 32) > 1
        np.testing.assert_array_equal(w, alone)
        np.testing.assert_allclose(history, costs, rtol=1e-14)
        for kept, right in zip(history.state["states"].values(), costs.state["states"].values(), strict=True):
            np.testing.assert_array_equal(kept, right)


def test_gradients_that_are_kept_are_added_in_the_order_of_the_threads():
    module = interpreted(TYPICAL, clip_norm=0.1, l2=0.01)
    alone, costs = in_threads(module, 1, TYPICAL)
    for threads in (2, 3, 5):
        first, history = in_threads(module, threads, TYPICAL)
        again, _ = in_threads(module, threads, TYPICAL)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_allclose(first, alone, rtol=1e-12)
        np.testing.assert_allclose(history, costs, rtol=1e-12)


@pytest.mark.parametrize(
    ("first", "last", "step"), [(0, 10, 1), (0, 10, 4), (3, 17, 5), (0, 3, 8), (0, 0, 4)]
)
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_a_loop_is_shared_without_gap_and_overlap(first, last, step, threads):
    share = interpreted(NETWORKS["no hidden layer"]).share
    assert share(first, last, step, None) == (first, last)
    parts = [share(first, last, step, (thread, threads, None, None)) for thread in range(threads)]
    assert parts[0][0] == first
    assert parts[-1][1] == last
    assert all(a[1] == b[0] or a[1] == last for a, b in itertools.pairwise(parts))
    rounds = [i for low, high in parts for i in range(low, high, step)]
    assert rounds == list(range(first, last, step))


def test_every_kernel_of_a_step_is_shared_in_one_way():
    program = make_plan(symbp.derive(TYPICAL, l2=0.1), Schedule(TARGETS["x86-64-v4"], "float32", 64))
    assert {*BY_SAMPLES, *BY_WEIGHTS, "penalise"} == set(STEP)
    assert samples_together(program) == 16  # a lane each, and whole blocks
    for name in BY_SAMPLES:
        written = {s.target.array for s in program.kernel(name).statements}
        roles = {program.kernel(name).array(a) for a in written}
        assert all(array.axes[:1] == ("rows",) or array.name == "cost" for array in roles)
    for name in BY_WEIGHTS:
        written = {s.target.array for s in program.kernel(name).statements}
        assert not any("rows" in program.kernel(name).array(a).axes for a in written)


# Compiled ------------------------------------------------------------------------------------

COMPILED = Network(20, [Dense(40, "tanh"), Dense(3, "softmax")], "cross_entropy", "threads")


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    path = tmp_path_factory.mktemp("threads") / "trainer.py"
    return symbp.generate(
        COMPILED, path, prove=False, dtype="float32", optimizer="momentum", batch_size=32, target="x86-64-v3"
    )


def test_compiled(trainer):
    alone, _ = in_threads(trainer.module, 1, COMPILED, 500, 96, "float32")
    for threads in (2, 3, 5):
        for _ in range(5):
            w, _ = in_threads(trainer.module, threads, COMPILED, 500, 96, "float32")
            np.testing.assert_array_equal(w, alone)


def test_through_the_public_interface(trainer):
    X, Y = data(COMPILED, 200, "float32")
    fits = [trainer.fit(trainer.init_params(0), X, Y, epochs=2, threads=threads)[0] for threads in (1, 2)]
    np.testing.assert_array_equal(*fits)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", None])
def test_a_wrong_number_of_threads(trainer, threads):
    X, Y = data(COMPILED, 10, "float32")
    with pytest.raises((DataError, ValueError), match=r"threads = .*: expected a whole number of at least 1"):
        trainer.module.fit(trainer.init_params(0), X, Y, threads=threads)


def test_small_batches_are_not_worth_a_thread(trainer):
    module = trainer.module
    module.WORTHWHILE = 100 * module.PRODUCTS
    assert module._worthwhile(4, 99) == 1
    assert module._worthwhile(4, 200) == 2
    assert module._worthwhile(4, 100_000) == 4
    module.WORTHWHILE = 1
    assert module._worthwhile(4, module.TOGETHER) == 1


def test_nobody_waits_for_ever_when_training_ends_early(tmp_path, trainer):
    """A cost that diverges, and a callback that fails: the process goes on, and ends."""
    program = """
        import numpy as np, importlib.util, sys
        spec = importlib.util.spec_from_file_location("threads_trainer", sys.argv[1])
        module = importlib.util.module_from_spec(spec)
        sys.modules["threads_trainer"] = module
        spec.loader.exec_module(module)
        module.WORTHWHILE = 1
        rng = np.random.default_rng(0)
        X, Y = rng.normal(size=(300, 20)), rng.integers(3, size=300)
        w = module.init_params(0)
        options = dict(epochs=5, batch_size=64, threads=3)
        try:
            module.fit(w, X, Y, learning_rate=3e38, **options)
        except FloatingPointError as error:
            print("diverged", "in epoch" in str(error))

        def stop(epoch, epochs, cost):
            if epoch == 2:
                raise KeyboardInterrupt

        try:
            module.fit(w, X, Y, callback=stop, **options)
        except KeyboardInterrupt:
            print("stopped")
        print(np.isfinite(module.fit(w, X, Y, **options)[0]).all())
    """
    script = tmp_path / "ends.py"
    script.write_text(textwrap.dedent(program))
    found = subprocess.run(
        [sys.executable, script, trainer.path], capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout.split() == ["diverged", "True", "stopped", "True"]


def test_an_interrupt_before_one_s_own_part(trainer, monkeypatch):
    """The others wait for an epoch that this thread never begins: they take no part in it, and fit ends."""
    module, call, share = trainer.module, trainer.module._Team._call, trainer.module._Team._share
    called, shared = [], []

    def interrupted(team, given):
        call(team, given)
        called.append(given)
        if len(called) == 2:
            time.sleep(0.05)
            raise KeyboardInterrupt

    def counted(team, thread):
        shared.append(thread)
        return share(team, thread)

    monkeypatch.setattr(module._Team, "_call", interrupted)
    monkeypatch.setattr(module._Team, "_share", counted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        in_threads(module, 3, COMPILED, 500, 96, "float32", epochs=4)
    assert threading.active_count() == before
    assert sorted(shared) == [0, 1, 2]  # the first epoch of each
    assert called[2:] == [None]  # which tells the others that it is over


def test_threads_that_have_gone_to_sleep_are_woken(trainer):
    slow = {"epochs": 3, "callback": lambda *epoch: time.sleep(0.05)}
    before = threading.active_count()
    fits = [in_threads(trainer.module, n, COMPILED, 200, 96, "float32", **slow)[0] for n in (1, 3)]
    np.testing.assert_array_equal(*fits)
    assert threading.active_count() == before


def test_portable_works_alone():
    module = interpreted(TYPICAL, target="portable")
    X, Y = data(TYPICAL, 30, "float64")
    fits = [
        module.fit(module.init_params(0), X, Y, epochs=1, learning_rate=RATE, threads=threads)[0]
        for threads in (1, 4)
    ]
    np.testing.assert_array_equal(*fits)

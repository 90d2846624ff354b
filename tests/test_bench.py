"""The benchmark: what it measures, that wrong implementations are not timed, what it reports. No times."""

from __future__ import annotations

import gc
import itertools
import threading
from dataclasses import replace
from typing import ClassVar

import llvmlite.binding
import numpy as np
import pytest

import symbp
from symbp.bench import measure, peak, peers, problem, reference, workloads
from symbp.bench.measure import Effort
from symbp.bench.peers.interface import Absent, Training
from symbp.bench.peers.numpy import Peer as NumPy
from symbp.bench.peers.numpy import Predictor as Answers
from symbp.bench.problem import COMPARED_STEPS
from symbp.bench.records import LeftOut, Result, Task
from symbp.bench.workloads import STANDARD, WORKLOADS
from symbp.errors import SpecError
from symbp.plan.operations import of_kernel, total
from symbp.plan.passes import make_plan
from symbp.plan.program import Reduce
from tests.bench_workloads import LONE, ODD, TWO

# What is measured ----------------------------------------------------------------------


@pytest.mark.parametrize("workload", [*STANDARD, ODD, TWO, LONE], ids=lambda each: each.name)
def test_operations_are_those_of_the_program(workload):
    """2 for every multiplication within a sum over an index: forward, W^T delta and dW."""
    plan = make_plan(symbp.derive(workload.network()))
    count = 0
    for name in ("forward", "sensitivities", "gradient"):
        kernel = plan.kernel(name)
        sums = tuple(each for each in kernel.statements if isinstance(each, Reduce))
        counts = of_kernel(replace(kernel, statements=sums), workload.batch)
        count += total(n for label, n in counts.items() if not label.startswith("2.1")).multiplications
    assert workload.flops == 2 * count


def test_an_epoch_has_the_compared_steps_and_fits_a_cache():
    for workload in WORKLOADS.values():
        assert workload.steps > COMPARED_STEPS
        if workload.purpose == "train":
            assert workload.steps * workload.batch * workload.sizes[0] <= 2**20


@pytest.mark.parametrize("workload", [ODD, TWO, LONE, WORKLOADS["W3"]], ids=lambda each: each.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_problem(workload, dtype):
    given, again = (problem.problem(workload, dtype) for _ in range(2))
    assert np.array_equal(given.X, again.X)
    n = workload.steps * workload.batch
    assert given.X.shape == (n, workload.sizes[0])
    assert {given.X.dtype, given.Y.dtype, *(w.dtype for w in given.weights)} == {np.dtype(dtype)}
    assert np.array_equal(given.Y.argmax(axis=1), given.labels)
    assert np.all(given.Y.sum(axis=1) == 1)
    few = given.first(2)
    assert few.steps == 2
    assert few.batch(1) == slice(workload.batch, 2 * workload.batch)


@pytest.mark.parametrize("name", ["W1", "W3", "W4", "N1", "N3", "B2"])
def test_the_compared_steps_keep_clear_of_the_kink(name):
    given = problem.problem(WORKLOADS[name], "float32").first(COMPARED_STEPS)
    for step in range(COMPARED_STEPS):
        weights = problem.right_weights(given.first(step))
        sums, _ = reference.weighted_sums(weights, given.X[given.batch(step)].astype(float), "relu")
        assert min(np.abs(layer).min() for layer in sums) >= problem.CLEAR_OF_KINK


@pytest.mark.parametrize("workload", [ODD, TWO, LONE], ids=lambda each: each.name)
def test_the_reference_against_differences(workload):
    given = problem.problem(workload, "float64").first(1)
    arguments = given.X, given.Y, workload.activation
    found = reference.gradient(given.weights, *arguments)
    for k, i, j in [
        (k, *np.unravel_index(n, w.shape)) for k, w in enumerate(given.weights) for n in range(w.size)
    ]:
        costs = []
        for shift in (1e-6, -1e-6):
            moved = [matrix.copy() for matrix in given.weights]
            moved[k][i, j] += shift
            costs.append(reference.cost(moved, *arguments))
        assert found[k][i, j] == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_choosing_workloads():
    assert [each.name for each in workloads.chosen([])] == ["W1", "W2", "W3", "W4", "W5", "W6"]
    assert [each.name for each in workloads.chosen(["W3", "W1", "W3"])] == ["W3", "W1"]
    swept = [each.name for each in workloads.chosen(["B2"], sweep=True)]
    assert swept[0] == "B2"
    assert len(swept) == len(set(swept)) == len(workloads.BY_WIDTH) + len(workloads.BY_BATCH)
    with pytest.raises(SpecError, match=r"--workload W7: no such workload; known: W1, W2, .*W6"):
        workloads.chosen(["W7"])
    with pytest.raises(SpecError, match=r"--workload N47: no such workload; did you mean 'N\d+'\?"):
        workloads.chosen(["N47"])


def test_the_peak_is_of_multiply_adds():
    """Every chain and lane of x <- x/2 + 1/2 tends to 1, and none is left out as equal to another."""
    run = peak._compiled("float64", 4)
    assert run(np.float64(0.5), 1) == pytest.approx(
        4 * sum(0.75 + 0.005 * n for n in range(peak.ACCUMULATORS))
    )
    assert run(np.float64(0.5), 100) == 4 * peak.ACCUMULATORS
    if llvmlite.binding.get_host_cpu_features().get("fma"):
        (code,) = run.inspect_asm().values()
        assert code.count("vfmadd") >= peak.ACCUMULATORS


def test_threads_run_together(monkeypatch):
    monkeypatch.setattr(peak, "REPEATS", 3)
    monkeypatch.setattr(peak.time, "perf_counter", itertools.count().__next__)
    ran = []
    # Two starts and two ends are four readings of a clock that counts them.
    assert peak._together(lambda: ran.append(threading.current_thread().name), 2) == 3
    assert len(ran) == 6
    assert len(set(ran)) == 2


# Who is timed, and how -------------------------------------------------------------------


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Measure on a workload with implementations that are given as classes, in no time."""

    def run(workload, classes, dtype="float64", **options):
        monkeypatch.setitem(WORKLOADS, workload.name, workload)
        monkeypatch.setattr(peers, "prepare", lambda name, setting: classes[name](setting))
        found = []
        task = Task(workload.name, dtype, 1, tuple(classes))
        measure.measure(task, Effort(2, 1e-9), tmp_path, found.append, **options)
        return {each.implementation: each for each in found}

    return run


class Wrong(NumPy):
    """Right until something is broken in a subclass."""


class HastyRate(Wrong):
    def place(self, problem):
        super().place(problem)
        self._rate *= problem.dtype.type(1.001)


class NoMean(Wrong):
    def place(self, problem):
        super().place(problem)
        self._share = problem.dtype.type(1)


class OtherOrder(Wrong):
    def place(self, problem):
        super().place(problem)
        self._batches.reverse()


class OneBatchLess(Wrong):
    def place(self, problem):
        super().place(problem)
        self._batches.pop()


class StaleBias(Wrong):
    def _update(self, k, o, delta):
        kept = self._b[k].copy()
        super()._update(k, o, delta)
        self._b[k] = kept


class NoSlope(Wrong):
    def _step_relu(self, x, y):
        super()._step_relu(np.abs(x), y)


class Idle(Wrong):
    def run(self, epochs):
        pass


class NotANumber(Wrong):
    def weights(self):
        return [matrix * np.nan for matrix in super().weights()]


class OtherShape(Wrong):
    def weights(self):
        return [matrix.T for matrix in super().weights()]


class Single(Wrong):
    """float32 where float64 was asked for."""

    def place(self, given):
        narrow = [matrix.astype(np.float32) for matrix in given.weights]
        super().place(
            replace(given, X=given.X.astype(np.float32), Y=given.Y.astype(np.float32), weights=narrow)
        )


MUTANTS = Wrong.__subclasses__()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.__name__)
def test_a_wrong_implementation_is_not_timed(mutant, measured, monkeypatch):
    timed = []
    monkeypatch.setattr(measure, "_timed", lambda training, epochs: timed.append(training) or 1.0)
    found = measured(ODD, {"numpy": mutant, "sklearn": Wrong})
    assert isinstance(found["numpy"], LeftOut)
    assert found["numpy"].kind == "wrong"
    assert isinstance(found["sklearn"], Result)
    assert {type(training) for training in timed} == {Wrong}


ASKED = replace(ODD, name="asked", purpose="predict")


class NoBias(Answers):
    def place(self, problem):
        super().place(problem)
        self._b = [b * 0 for b in self._b]


class NoSign(Answers):
    def place(self, problem):
        super().place(replace(problem, X=np.abs(problem.X)))


class LastBatchMissing(Answers):
    def place(self, problem):
        super().place(problem)
        self._outputs[:] = 0
        self._batches.pop()


class Silent(Answers):
    def outputs(self):
        return super().outputs() * 0


class Rounded(Answers):
    def outputs(self):
        return super().outputs().astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("mutant", Answers.__subclasses__(), ids=lambda each: each.__name__)
def test_wrong_outputs_are_not_timed(mutant, measured, monkeypatch):
    timed = []
    monkeypatch.setattr(measure, "_timed", lambda given, epochs: timed.append(type(given)) or 1.0)
    found = measured(ASKED, {"numpy": mutant, "sklearn": Answers})
    assert isinstance(found["numpy"], LeftOut)
    assert found["numpy"].reason.startswith("outputs off by ")
    assert isinstance(found["sklearn"], Result)
    assert set(timed) == {Answers}


def test_outputs_count_the_forward_pass_alone():
    assert ASKED.flops == 2 * 5 * (5 * 7 + 7 * 3 + 3 * 4)
    assert {each.purpose for each in workloads.chosen([], predict=True)} == {"predict"}
    assert {each.purpose for each in workloads.chosen([])} == {"train"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("workload", [ASKED, *workloads.PREDICTIONS[:4]], ids=lambda each: each.name)
def test_outputs_have_a_bound_that_rounding_explains(workload, dtype):
    gate = measure._Gate(problem.problem(workload, dtype).first(COMPARED_STEPS))
    assert gate.bound < 500 * np.finfo(dtype).eps


def test_a_bound_that_rounding_explains():
    for workload, dtype in itertools.product([ODD, TWO, LONE, *STANDARD[:4]], ["float32", "float64"]):
        gate = measure._Gate(problem.problem(workload, dtype).first(COMPARED_STEPS))
        assert gate.bound < 5000 * np.finfo(dtype).eps


def test_what_fails_and_what_is_late(measured):
    class Broken(NumPy):
        def run(self, epochs):
            raise RuntimeError("out of\norder")

    class Nowhere(NumPy):
        def place(self, problem):
            raise Absent("pip install it")

    asked = []

    def in_time():
        asked.append(True)
        return len(asked) < 4

    prepared, ready = [], []
    found = measured(
        ODD,
        {"numpy": Broken, "jax": Nowhere, "sklearn": Wrong, "c_naive": Wrong},
        preparing=prepared.append,
        in_time=in_time,
        before_rounds=lambda: ready.append(True),
    )
    assert (found["numpy"].kind, found["numpy"].reason) == ("failed", "RuntimeError: out of order")
    assert (found["jax"].kind, found["jax"].reason) == ("absent", "pip install it")
    assert found["c_naive"].kind == "late"
    assert isinstance(found["sklearn"], Result)  # its first round is taken in any case
    assert prepared == ["numpy", "jax", "sklearn"]
    assert len(ready) == 1
    measured(ODD, {"numpy": Broken}, before_rounds=lambda: ready.append(True))
    assert len(ready) == 1  # nothing to time


class Clocked(Training):
    """Takes a second for a step and ten for a call, on a clock of its own."""

    now = 0.0
    log: ClassVar[list[tuple[str, int, bool]]] = []

    def place(self, problem):
        self.problem = problem
        self.reset()

    def reset(self):
        self.fresh = True

    def run(self, epochs):
        assert self.fresh
        self.fresh = False
        Clocked.now += 10 + epochs * self.problem.steps
        self.log.append((type(self).__name__, epochs * self.problem.steps, gc.isenabled()))

    def weights(self):
        return problem.right_weights(self.problem)


class Other(Clocked):
    pass


def test_calls_are_long_and_peers_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(measure.time, "perf_counter", lambda: Clocked.now)
    monkeypatch.setitem(WORKLOADS, "odd", ODD)
    monkeypatch.setattr(peers, "prepare", lambda name, given: {"jax": Clocked, "numpy": Other}[name](given))
    found = []
    Clocked.log.clear()
    task = Task("odd", "float64", 1, ("jax", "numpy"))
    measure.measure(task, Effort(3, 4000.0), tmp_path, found.append)
    rounds = Clocked.log[-12:]
    before, timed = rounds[::2], rounds[1::2]
    assert [each[0] for each in before] == [each[0] for each in timed] == ["Clocked", "Other"] * 3
    assert all(steps >= 3000 and not collecting for _, steps, collecting in timed)
    assert all(0 < short[1] <= long[1] for short, long in zip(before, timed, strict=True))
    assert gc.isenabled()
    for each in found:
        assert 1 < each.seconds_per_step_min == each.seconds_per_step_median < 1.01
        assert each.gflops == pytest.approx(ODD.flops / each.seconds_per_step_min / 1e9)
        assert each.error == 0

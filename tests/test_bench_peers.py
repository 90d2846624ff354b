"""The peers of the benchmark: right, or absent with the remedy; and how symbp is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symbp.bench import measure, peers, problem, reference, workloads
from symbp.bench.peers import PEERS, c_source
from symbp.bench.peers import symbp as ours
from symbp.bench.peers.compiled_c import CompiledC
from symbp.bench.peers.interface import Absent
from symbp.bench.problem import COMPARED_STEPS
from symbp.errors import SpecError
from tests.bench_workloads import ODD, TWO

SLOW_HERE = {"symbp", "torch_compiled", "pytensor"}  # seconds of compiling; symbp below, end to end
BOTH = [(ODD, "float32"), (TWO, "float64")]
# Numba compiles for each type and number of layers; one of both is enough.
TAKEN = {"numba_blas": [(ODD, "float64"), (replace(ODD, name="odd_tanh", activation="tanh"), "float64")]}
CASES = [
    pytest.param(name, *case, id=f"{name}-{case[0].name}-{case[1]}")
    for name in PEERS
    if name not in SLOW_HERE
    for case in TAKEN.get(name, BOTH)
]


@pytest.mark.parametrize(("name", "workload", "dtype"), CASES)
def test_peers_are_right_or_say_why_they_are_absent(name, workload, dtype, tmp_path):
    few = problem.problem(workload, dtype).first(COMPARED_STEPS)
    gate = measure._Gate(few)
    try:
        training = peers.prepare(name, workload, dtype, 1, tmp_path)
    except Absent as absent:
        training, reason = None, str(absent)
    if training is None:
        assert "install" in reason
        return
    assert gate.error(training) <= gate.bound
    training.run(1)
    training.reset()
    training.run(1)  # from the start again
    assert reference.relative_error(training.weights(), few.weights, gate._after) <= gate.bound
    assert {matrix.dtype for matrix in training.weights()} == {np.dtype(dtype)}
    assert _halved(np.finfo(float).tiny) > 0, "it took subnormal numbers from the whole process"


def _halved(number: float) -> float:
    return float((np.full(1, number) / 2)[0])


def test_choosing_peers():
    assert peers.chosen([]) == tuple(PEERS)
    assert peers.chosen(["jax", "numpy", "symbp"]) == ("symbp", "numpy", "jax")
    with pytest.raises(SpecError, match=r"--peer torch: no such peer; did you mean 'torch_eager'\?"):
        peers.chosen(["torch"])


def test_absent_peers(tmp_path, monkeypatch):
    with pytest.raises(Absent, match="one thread only"):
        peers.prepare("c_naive", ODD, "float64", 2, tmp_path)
    monkeypatch.setenv("CC", "no_such_compiler -O2")
    with pytest.raises(Absent, match=r"no C compiler .CC=no_such_compiler -O2 is not there.; install gcc"):
        peers.prepare("c_naive", ODD, "float64", 1, tmp_path)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    for name, entry in PEERS.items():
        if entry.needs:
            with pytest.raises(Absent, match=r"\w+ is not installed; pip install 'symbp\[(bench|peers)\]'"):
                peers.prepare(name, ODD, "float64", 1, tmp_path)


def test_c_that_does_not_compile(tmp_path):
    class Peer(CompiledC):
        source = staticmethod(lambda workload, dtype: c_source.naive(workload, dtype) + "no C")

    with pytest.raises(Absent, match=r"does not compile it: .*error|no C compiler"):
        Peer(ODD, "float64", 1, tmp_path)


class Fit:
    """What the peer needs of a trainer: it keeps how ``fit`` was called."""

    def __init__(self):
        self.calls = []

    def fit(self, w, X, Y, **options):
        self.calls.append((len(X), options))
        return w + 1, []

    def unpack(self, w):
        return [w]


def test_symbp_is_called_as_a_user_would(tmp_path, monkeypatch):
    made = []
    trainer = Fit()
    monkeypatch.setattr(ours, "generate", lambda *given, **options: made.append(options) or trainer)
    few = problem.problem(ODD, "float32").first(4)
    training = ours.Peer(ODD, "float32", 1, tmp_path)
    training.place(few)
    training.run(7)
    training.run(7)
    options = {"epochs": 7, "shuffle": False, "progress": False, "threads": 1}
    assert trainer.calls == [(4 * ODD.batch, options)] * 2
    start = np.concatenate([matrix.ravel() for matrix in few.weights])
    assert np.array_equal(training.weights()[0], start + 1 + 1)
    training.reset()
    assert np.array_equal(training.weights()[0], start)
    assert (made[0]["batch_size"], made[0]["dtype"]) == (ODD.batch, "float32")
    assert made[0]["learning_rate"] == workloads.LEARNING_RATE


def test_symbp_trains_with_as_many_threads(tmp_path, monkeypatch):
    trainer = Fit()
    monkeypatch.setattr(ours, "generate", lambda *given, **options: trainer)
    training = ours.Peer(ODD, "float32", 2, tmp_path)
    training.place(problem.problem(ODD, "float32").first(1))
    training.run(1)
    assert trainer.calls[0][1]["threads"] == 2


def test_every_peer_has_its_module_and_its_extra():
    folder = Path(peers.__file__).parent
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    for name, entry in PEERS.items():
        assert (folder / f"{name}.py").is_file()
        for extra in entry.needs.values():
            assert f"\n{extra[7:-2]} = [" in project

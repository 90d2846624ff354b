"""The peers of the benchmark: right, or absent with the remedy; and how symbp is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit

from symbp.bench import measure, peers, problem, workloads
from symbp.bench.peers import PEERS, c_source
from symbp.bench.peers import symbp as ours
from symbp.bench.peers.compiled_c import CompiledC, Dialect
from symbp.bench.peers.interface import Absent, Setting
from symbp.bench.problem import COMPARED_STEPS
from symbp.errors import SpecError
from tests.bench_workloads import ODD, TWO

SLOW_HERE = {"symbp", "torch_compiled", "pytensor"}  # seconds of compiling; symbp below, end to end
ASKED = replace(ODD, name="odd_asked", purpose="predict")
BOTH = [(ODD, "float32"), (TWO, "float64"), (ASKED, "float64"), (replace(ASKED, batch=1), "float32")]
# Numba compiles for each type and number of layers; one of both is enough.
TANH = replace(ODD, name="odd_tanh", activation="tanh")
TAKEN = {"numba_blas": [(each, "float64") for each in (ODD, TANH, ASKED)]}
# Trained only.
TRAINED = {"torch_compiled", "pytensor"}
CASES = [
    pytest.param(name, *case, id=f"{name}-{case[0].name}-{case[0].batch}-{case[1]}")
    for name in PEERS
    if name not in SLOW_HERE
    for case in TAKEN.get(name, BOTH)
]


@pytest.mark.parametrize(("name", "workload", "dtype"), CASES)
def test_peers_are_right_or_say_why_they_are_absent(name, workload, dtype, tmp_path):
    few = problem.problem(workload, dtype).first(COMPARED_STEPS)
    gate = measure._Gate(few)
    try:
        training = peers.prepare(name, Setting(workload, dtype, 1, tmp_path))
    except Absent as absent:
        training, reason = None, str(absent)
    if training is None:
        assert "install" in reason
        return
    assert gate.error(training) <= gate.bound
    training.run(1)
    training.reset()
    training.run(1)  # from the start again
    assert gate.of(training.found()) <= gate.bound
    assert {matrix.dtype for matrix in training.found()} == {np.dtype(dtype)}
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
        peers.prepare("c_naive", Setting(ODD, "float64", 2, tmp_path))
    monkeypatch.setenv("CC", "no_such_compiler -O2")
    with pytest.raises(Absent, match=r"no C compiler .CC=no_such_compiler -O2 is not there.; install gcc"):
        peers.prepare("c_naive", Setting(ODD, "float64", 1, tmp_path))
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    for name, entry in PEERS.items():
        if entry.needs:
            with pytest.raises(Absent, match=r"\w+ is not installed; pip install 'symbp\[(bench|peers)\]'"):
                peers.prepare(name, Setting(ODD, "float64", 1, tmp_path))


def test_c_that_does_not_compile(tmp_path):
    faulty = Dialect("faulty", lambda workload, dtype: c_source.naive(workload, dtype) + "no C")
    with pytest.raises(Absent, match=r"does not compile it: .*error|no C compiler"):
        CompiledC(faulty, Setting(ODD, "float64", 1, tmp_path))


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
    training = ours.Peer(Setting(ODD, "float32", 1, tmp_path))
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
    training = ours.Peer(Setting(ODD, "float32", 2, tmp_path))
    training.place(problem.problem(ODD, "float32").first(1))
    training.run(1)
    assert trainer.calls[0][1]["threads"] == 2


def test_predictions_of_one_sample_after_another(tmp_path, monkeypatch):
    """A compiled loop over predict_one, from weights that are prepared once."""
    prepared = []

    def predict_one(w, x, h):
        h[:] = w[: len(h)] + x[0]

    module = SimpleNamespace(prepare=lambda w: prepared.append(1) or w, predict_one=njit(predict_one))
    monkeypatch.setattr(ours, "generate", lambda *given, **options: SimpleNamespace(module=module))
    few = problem.problem(replace(ASKED, batch=1), "float64").first(3)
    peer = ours.Predictor(Setting(few.workload, "float64", 1, tmp_path))
    peer.place(few)
    peer.run(2)
    start = few.weights[0].ravel()[:4]
    np.testing.assert_array_equal(peer.outputs(), start + few.X[:, :1])
    assert prepared == [1]


def test_predictions_batch_after_batch(tmp_path, monkeypatch):
    asked = []

    def predict(w, X):
        asked.append(len(X))
        return X[:, :4] + w[0]

    monkeypatch.setattr(ours, "generate", lambda *given, **options: SimpleNamespace(predict=predict))
    few = problem.problem(ASKED, "float64").first(3)
    peer = ours.Predictor(Setting(ASKED, "float64", 1, tmp_path))
    peer.place(few)
    peer.run(2)
    assert asked == [ASKED.batch] * 3 * 2
    np.testing.assert_array_equal(peer.outputs(), few.X[:, :4] + few.weights[0][0, 0])
    with pytest.raises(Absent, match="predict has one thread only"):
        ours.Predictor(Setting(ASKED, "float64", 2, tmp_path))


@pytest.mark.parametrize("name", sorted(TRAINED))
def test_some_are_trained_only(name, tmp_path, monkeypatch):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda module: module)
    monkeypatch.setattr(peers.importlib, "import_module", lambda module: SimpleNamespace(Peer=None))
    with pytest.raises(Absent, match="takes no part in predictions"):
        peers.prepare(name, Setting(ASKED, "float64", 1, tmp_path))


def test_every_peer_has_its_module_and_its_extra():
    folder = Path(peers.__file__).parent
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    for name, entry in PEERS.items():
        assert (folder / f"{name}.py").is_file()
        for extra in entry.needs.values():
            assert f"\n{extra[7:-2]} = [" in project

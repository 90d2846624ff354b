"""The processes of a benchmark: those that die or dawdle, their environments, compile times."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symbp.bench import choice as choosing
from symbp.bench import compile_time, held, processes, session, worker
from symbp.bench.choice import choice
from symbp.bench.processes import Findings
from symbp.bench.records import Task
from symbp.bench.worker import Job
from symbp.bench.workloads import chosen
from symbp.errors import SpecError
from symbp.target import TARGETS


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# Prepares peers as it is told: by their names.
FAKE = """
import json, os, sys, time
job = json.loads(sys.stdin.read())
def say(event, number, **data):
    print(json.dumps({"event": event, "task": number, **data}), flush=True)
for number, task in enumerate(job["tasks"]):
    say("peak", number, dtype=task["dtype"], threads=task["threads"], flops=1e9 + number)
    for peer in task["peers"]:
        say("preparing", number, peer=peer)
        if peer == "c_naive":
            print("Illegal instruction", file=sys.stderr)
            os._exit(3)
        if peer == "sklearn":
            time.sleep(60)
        record = {"workload": task["workload"], "implementation": peer, "dtype": task["dtype"],
            "threads": task["threads"], "seconds_per_step_min": 1.0, "seconds_per_step_median": 1.0,
            "gflops": 1.0, "fraction_of_peak": None, "error": 0.0, "error_bound": 1.0}
        say("result", number, record=record)
"""


@pytest.fixture
def fake_worker(monkeypatch):
    started = []

    def start(variables, complaints):
        process = subprocess.Popen(
            [sys.executable, "-c", FAKE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    monkeypatch.setattr(processes, "_start", start)
    return started


def test_a_process_that_dies_costs_only_the_culprit(fake_worker):
    names = ("symbp", "c_naive", "jax")
    tasks = tuple(Task(workload, "float32", 1, names) for workload in ("W1", "W2"))
    findings, shown = Findings(), []
    processes.run(
        Job(tasks, 1, 1.0, "."), 1, findings, lambda task, peer: shown.append((task.workload, peer))
    )
    assert [(each.workload, each.implementation) for each in findings.results] == [
        ("W1", "symbp"),
        ("W1", "jax"),
        ("W2", "symbp"),
        ("W2", "jax"),
    ]
    for each in findings.left_out:
        assert (each.implementation, each.kind) == ("c_naive", "failed")
        assert each.reason == "its process ended with status 3: Illegal instruction"
    assert len(findings.left_out) == 2
    assert len(fake_worker) == 3
    assert findings.peaks == {("float32", 1): 1e9 + 1}
    assert sum(peer == "" for _, peer in shown) == len(findings.results) + len(findings.left_out)


def test_a_process_that_dawdles_is_ended(fake_worker, monkeypatch):
    monkeypatch.setattr(processes, "_GRACE", 0.0)
    names = ("symbp", "sklearn", "jax")
    tasks = tuple(Task(workload, "float32", 1, names) for workload in ("W1", "W2"))
    findings = Findings()
    processes.run(Job(tasks, 1, 1.0, ".", until=time.time() + 1), 1, findings, lambda task, peer: None)
    assert [each.implementation for each in findings.results] == ["symbp"]
    assert {each.kind for each in findings.left_out} == {"late"}
    assert len(findings.left_out) == 5
    assert fake_worker[0].poll() is not None


def test_an_interrupt_ends_the_process(fake_worker):
    def interrupted(task, peer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.run(Job((Task("W1", "float32", 1, ("sklearn",)),), 1, 1.0, "."), 1, Findings(), interrupted)
    assert fake_worker[0].poll() is not None


def test_a_job_travels():
    job = Job((Task("W1", "float32", 2, ("symbp", "jax")),), 3, 0.5, "/tmp", (0, 1), 7.5)
    assert Job.from_json(job.json()) == job


def test_the_environment_limits_every_library(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    told = worker.environment(1)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        assert told[name] == "1"
    assert told["XLA_FLAGS"].split()[0] == "--mine"
    assert worker.environment(2)["VECLIB_MAXIMUM_THREADS"] == "2"
    assert worker.environment(2)["XLA_FLAGS"] == "--mine"


def test_a_target_holds_every_library(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    monkeypatch.setattr(held, "host_features", lambda: TARGETS["x86-64-v4"].features)
    told = worker.environment(1, held.checked("x86-64-v3"))
    assert told["NUMBA_CPU_NAME"] == "x86-64-v3"
    assert told["XLA_FLAGS"].split()[:2] == ["--mine", "--xla_cpu_max_isa=AVX2"]
    for name in ("host", "portable", "aarch64"):
        assert worker.environment(1, name) == worker.environment(1)
    taken = choice(chosen(["W1"]), [], ["1"], ["numpy"], True, False, "x86-64-v3")
    assert {task.target for task in taken.tasks} == {"x86-64-v3"}
    monkeypatch.setattr(held, "host_features", lambda: frozenset({"avx2", "fma"}))
    with pytest.raises(SpecError, match=r"--target x86-64-v4: .*cannot run it, it has no avx512bw"):
        held.checked("x86-64-v4")


def test_numba_keeps_to_the_target(tmp_path):
    """A worker that is held to AVX2 emits none of the registers of AVX-512."""
    if not TARGETS["x86-64-v3"].features <= held.host_features():
        pytest.skip("needs AVX2")
    script = tmp_path / "peak.py"
    script.write_text(
        "import numpy as np\n"
        "from symbp.bench import peak\n"
        "run = peak._compiled('float32', 16)\n"
        "run(np.float32(0.5), 1)\n"
        "print(*run.inspect_asm().values())\n"
    )
    root = str(Path(processes.__file__).parents[2])
    told = {**os.environ, **worker.environment(1, "x86-64-v3"), "PYTHONPATH": root}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env=told)
    assert re.search(r"vfmadd\w+ps\s.*ymm", done.stdout)
    assert "zmm" not in done.stdout


def test_several_threads_have_a_process_for_each_peer(monkeypatch):
    monkeypatch.setattr(choosing.machine, "core_count", lambda: 2)
    taken = choice(chosen(["W1"]), [], ["1", "2"], ["jax", "numpy"], False, False)
    groups = [(threads, [task.peers for task in tasks]) for threads, tasks in session._processes(taken)]
    assert groups == [
        (1, [("numpy", "jax"), ("numpy", "jax")]),
        (2, [("numpy",), ("numpy",)]),
        (2, [("jax",), ("jax",)]),
    ]


def test_what_is_measured_by_default(monkeypatch):
    monkeypatch.setattr(choosing.machine, "core_count", lambda: 4)

    def default(quick, sweep, names=()):
        return choice(chosen([]), [], [], names, quick, sweep)

    assert (default(False, False).dtypes, default(False, False).threads) == (("float32", "float64"), (1, 2))
    assert (default(True, False).dtypes, default(True, False).threads) == (("float32",), (1,))
    assert default(True, False).slow == ("torch_compiled", "pytensor")
    assert default(True, False, ["pytensor"]).slow == default(False, False).slow == ()
    monkeypatch.setattr(choosing.machine, "core_count", lambda: 1)
    assert default(False, False).threads == (1,)


def test_compile_time(tmp_path):
    """Of a file that counts how often it was imported, and is slower the first time."""
    file = tmp_path / "w1_float32_trainer.py"
    file.write_text(
        "import pathlib, time\n"
        "mark = pathlib.Path(__file__).with_name('compiled')\n"
        "if not mark.exists():\n"
        "    time.sleep(1)\n"
        "    mark.touch()\n"
        "def init_params(seed): return 0\n"
        "def fit(w, X, labels, *, epochs, batch_size, shuffle):\n"
        "    assert X.shape == (1, 4) and labels.shape == (1,)\n"
        "    assert epochs == batch_size == 1 and not shuffle\n"
    )
    found = compile_time.compile_time(file, "W1", "float32")
    assert found.cold_seconds >= 1 > found.cached_seconds >= 0
    assert found.libraries_seconds > 0
    assert compile_time.compile_time(file, "W1", "float32", 0.01) is None
    assert not (tmp_path / "compiled").exists()  # a copy was used
    file.write_text("raise SystemExit(2)")
    with pytest.raises(subprocess.CalledProcessError):
        compile_time.compile_time(file, "W1", "float32")

"""The benchmark as a program: processes that die or dawdle, the report, the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from symbp.bench import choice as choosing
from symbp.bench import compile_time, held, plot, processes, session, worker
from symbp.bench.choice import choice
from symbp.bench.command import Files, Wanted, bench
from symbp.bench.markdown import markdown, number
from symbp.bench.peers import PEERS
from symbp.bench.processes import Findings
from symbp.bench.records import CompileTime, LeftOut, Machine, Report, Result, Task
from symbp.bench.worker import Job
from symbp.bench.workloads import WIDTHS, WORKLOADS, chosen, described
from symbp.cli import main
from symbp.errors import DataError, SpecError, SymbpError
from symbp.files import is_own_output
from symbp.target import TARGETS

RESULT_KEYS = {
    "workload",
    "implementation",
    "dtype",
    "threads",
    "seconds_per_step_min",
    "seconds_per_step_median",
    "gflops",
    "fraction_of_peak",
    "error",
}


def result(workload, name, seconds, dtype="float32", threads=1):
    return Result(workload, name, dtype, threads, seconds, 2 * seconds, 5.0, 0.25, 1e-7, 1e-5)


def report(*results, left_out=(), compile_times=()):
    peaks = {"float32": {"1": 100.0, "2": 190.0}, "float64": {"1": 50.0}}
    machine = Machine(
        "Z80", 2, True, peaks, (0.5, float("nan")), {"python": "3.11"}, "2026-01-02T03:04:05+00:00"
    )
    names = described(chosen(["W1", "W3", "N3", "B2"]))
    protocol = {"rounds": 40, "learning_rate": 0.01}
    return Report(machine, protocol, names, tuple(results), tuple(left_out), tuple(compile_times))


FULL = report(
    result("W1", "symbp", 2e-7),
    result("W1", "jax", 5e-7),
    result("W3", "jax", 1.234e-5),
    result("N3", "symbp", 1e-6),
    result("B2", "symbp", 2e-6),
    result("W1", "numpy", 3e-5, "float32", 2),
    result("W1", "numpy", 3e-5, "float64"),
    left_out=[
        LeftOut("W3", "symbp", "float32", 1, "wrong", "weights off", float("inf")),
        LeftOut("W1", "sklearn", "float32", 1, "absent", "sklearn is not installed"),
        LeftOut("W3", "sklearn", "float32", 1, "absent", "sklearn is not installed"),
    ],
    compile_times=[CompileTime("W1", "float32", 0.5, 3.25, 0.25)],
)


# The report ------------------------------------------------------------------------------


def test_json():
    read = json.loads(FULL.json())
    assert next(iter(read)) == "about"
    assert all(set(each) >= RESULT_KEYS for each in read["results"])
    assert set(read["machine"]) >= {"cpu", "cores", "peak_gflops", "versions", "date"}
    assert read["protocol"]["rounds"] == 40
    assert read["left_out"][0]["error"] is None  # JSON knows no infinity
    assert read["machine"]["load_average"] == [0.5, None]
    again = Report.from_json(FULL.json())
    assert again.json() == FULL.json()
    assert again.results == FULL.results
    assert is_own_output(FULL.json().encode())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"about": "x"}', FULL.json().replace('"gflops"', '"flops"')]
)
def test_no_report(text):
    with pytest.raises(DataError, match="not a report of symbp bench"):
        Report.from_json(text)


def test_markdown():
    text = markdown(FULL)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"]
    first = {row[0]: row[1:] for row in rows[:6]}
    assert first[""] == ["W1", "W3", "N3", "B2"]
    assert first["network, batch"][1] == "64-32-10 relu, 32"
    assert first["symbp"] == ["0.2", "wrong", "1", "2"]
    assert first["its share of the peak"] == ["25.0 %", "-", "25.0 %", "25.0 %"]
    assert first[PEERS["jax"].title] == ["0.5 [2.5]", "12.3", "-", "-"]
    assert ["NumPy", "30"] in rows
    assert "at the width before" not in text  # no two widths that are neighbours
    assert ["float32, nothing in the cache", "3.25"] in rows
    assert "- symbp WRONG (W3 float32 1): weights off" in text
    assert text.count("sklearn is not installed") == 1
    assert "100 float32 with 1 thread, 190 float32 with 2 threads, 50 float64 with 1 thread" in text
    assert "medians 100 % above minima" in text
    assert is_own_output(text.encode())


def test_outputs_have_a_table_of_their_own():
    both = Report(
        replace(FULL.machine, target="x86-64-v3"),
        FULL.protocol,
        described(chosen(["W1"], predict=True)),
        (result("W1", "symbp", 1e-6), result("P1", "symbp", 1e-7)),
    )
    text = markdown(both)
    training, outputs = (part for part in text.split("\n\n") if part[:1] == "|")
    assert "W1" in training
    assert "P1" not in training
    assert "0.1" in outputs
    assert "W1" not in outputs
    assert "Held to the instructions of x86-64-v3. " in text
    unheld = replace(result("W1", "jax", 1e-7), fraction_of_peak=1.01)
    told = "Held to the instructions of x86-64-v3, but for JAX, one call an epoch, faster than their peak. "
    assert told in markdown(replace(both, results=(*both.results, unheld)))
    assert Report.from_json(both.json()).machine.target == "x86-64-v3"
    assert "<!-- operations of a batch's outputs -->" in plot.plot(both, ".svg").decode()


def test_a_table_of_many_workloads_has_them_as_rows():
    names = [f"N{n}" for n in WIDTHS]
    many = Report(
        FULL.machine,
        FULL.protocol,
        described(chosen(names)),
        tuple(result(name, "symbp", 1e-6) for name in names),
    )
    speeds, steps = (part for part in markdown(many).split("\n\n") if part[:1] == "|")
    assert len(speeds.splitlines()) == len(names) + 2
    # The same time for more operations: less for each.
    flops = [WORKLOADS[name].flops for name in ("N45", "N46")]
    head, _, ours = steps.splitlines()
    assert ours.split("|")[head.split("|").index(" N46 to N45 ")].strip() == f"{flops[0] / flops[1]:.2f}"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0632, 3, "0.0632"),
        (1234.5, 3, "1234"),
        (99.96, 3, "100"),
        (12345678.0, 3, "12345678"),
        (1.0, 2, "1"),
    ],
)
def test_numbers(value, digits, text):
    assert number(value, digits) == text


def test_plot():
    content = plot.plot(report(result("W1", "jax", 1e-6), result("B2", "symbp", 1e-6)), ".svg")
    assert is_own_output(content[:4096])
    for text in ("measured peak", PEERS["jax"].title, PEERS["symbp"].title, "batch of 64-64-64-10", "W1"):
        assert f"<!-- {text} -->" in content.decode()
    content = plot.plot(report(result("W1", "symbp", 1e-6)), ".png")
    assert content.startswith(b"\x89PNG")
    assert is_own_output(content[:4096])


# Processes -------------------------------------------------------------------------------

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


# The command -----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_end_to_end(capsys, monkeypatch):
    """A tiny network through the real processes; symbp is compiled, and right."""
    monkeypatch.setattr(session, "compile_time", lambda *given: CompileTime(*given[1:3], 1.0, 2.0, 3.0))
    monkeypatch.setattr(session.measure, "FULL", session.measure.Effort(2, 1e-4))
    wanted = ("--workload", "W1", "--peer", "symbp,numpy", "--dtype", "float64", "--threads", "1")
    files = ("--output", "all.json", "--markdown", "all.md", "--plot", "all.svg")
    assert main(("bench", *wanted, *files)) == 0
    out, err = capsys.readouterr()
    found = Report.from_json(Path("all.json").read_text())
    assert [each.implementation for each in found.results] == ["symbp", "numpy"]
    peak = found.machine.peak_gflops["float64"]["1"]
    for each in found.results:
        assert 0 <= each.error <= each.error_bound < 1e-12
        assert 0 < each.seconds_per_step_min <= each.seconds_per_step_median
        assert each.fraction_of_peak == pytest.approx(each.gflops / peak)
    assert found.left_out == ()
    assert found.protocol["rounds"] == 2
    assert [each.cached_seconds for each in found.compile_times] == [3.0]
    assert found.workloads[0]["sizes"] == [4, 16, 3]
    assert {"python", "symbp", "numba", "numpy"} <= set(found.machine.versions)
    assert out == Path("all.md").read_text()
    assert "W1 float64, 1 thread" in err
    assert "wrote all.svg" in err


def test_the_status_tells_whether_symbp_is_right(monkeypatch, capsys):
    monkeypatch.setattr(session, "run", lambda chosen, show: FULL)
    assert bench(Wanted(("W1",)), Files()) == 1
    monkeypatch.setattr(session, "run", lambda chosen, show: report(result("W1", "symbp", 1.0)))
    assert bench(Wanted(("W1",)), Files()) == 0
    assert "W1" in capsys.readouterr().out


def never(*given):
    raise AssertionError("measured")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workload", "W8"), "--workload W8: no such workload; known: W1, W2, W3, W4, W5, W6"),
        (("--peer", "jaxx"), "--peer jaxx: no such peer; did you mean 'jax'?"),
        (("--target", "x86-64-v5"), "--target x86-64-v5: no such target; did you mean 'x86-64-v4'?"),
        (("--dtype", "float16"), "--dtype float16: no such type; did you mean 'float64'?"),
        (("--threads", "two"), "--threads two: expected a whole number of at least 1"),
        (("--threads", "1,0"), "--threads 0: expected a whole number of at least 1"),
        (("--threads", "100000"), "--threads 100000: only "),
        (("--plot", "speed.jpg"), "--plot speed.jpg: the name of a plot ends in .png or .svg"),
        (("--output", "no/where.json"), "no/where.json: there is no directory no; make it first"),
        (("--markdown", "mine.md"), "mine.md: exists and was not written by symbp; add --force"),
        (("--quick", "x"), "unexpected extra argument"),
    ],
)
def test_bad_input(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(session, "run", never)
    Path("mine.md").write_text("my notes\n")
    assert main(("bench", *arguments)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert Path("mine.md").read_text() == "my notes\n"


def test_a_plot_needs_matplotlib(monkeypatch):
    monkeypatch.setattr(plot.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SymbpError, match=r"matplotlib is not installed; pip install 'symbp\[bench\]'"):
        plot.check("a.png")


def test_nothing_to_measure(capsys, monkeypatch):
    def run(job, threads, findings, show):
        findings.left_out += [
            LeftOut(task.workload, name, task.dtype, task.threads, "absent", f"no {name}; install it")
            for task in job.tasks
            for name in task.peers
        ]

    monkeypatch.setattr(processes, "run", run)
    assert main(("bench", "--peer", "c_naive,jax", "--output", "all.json")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == (
        "symbp: error: nothing could be measured: c_naive: no c_naive; install it; jax: no jax; install it"
    )
    assert not Path("all.json").exists()

"""The benchmark from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbp.bench import plot, processes, session
from symbp.bench.command import bench
from symbp.bench.records import CompileTime, LeftOut, Report
from symbp.cli import main
from symbp.errors import SymbpError
from tests.bench_reports import FULL, report, result


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
    assert bench(workloads=("W1",)) == 1
    monkeypatch.setattr(session, "run", lambda chosen, show: report(result("W1", "symbp", 1.0)))
    assert bench(workloads=("W1",)) == 0
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

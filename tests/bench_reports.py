"""A report of a benchmark that nobody has run."""

from __future__ import annotations

from symbp.bench.records import CompileTime, LeftOut, Machine, Report, Result
from symbp.bench.workloads import chosen, described


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

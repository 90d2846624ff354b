"""A run of the benchmark: which tasks in which processes, and what comes of them.

With one thread, all peers of a workload share one process, held on one core, and are timed in
turn. With several, each peer has a process of its own: pools of threads that spin while they
wait would slow the others down.
"""

from __future__ import annotations

import dataclasses
import datetime
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from symbp.bench import machine, measure, processes
from symbp.bench.choice import Choice
from symbp.bench.compile_time import compile_time
from symbp.bench.peers import OURS, PEERS
from symbp.bench.peers.compiled_c import version as c_compiler
from symbp.bench.peers.symbp import trainer_file
from symbp.bench.problem import COMPARED_STEPS
from symbp.bench.processes import Findings
from symbp.bench.records import CompileTime, LeftOut, Machine, Report, Result, Task
from symbp.bench.worker import Job
from symbp.bench.workloads import LEARNING_RATE, WORKLOADS, described
from symbp.errors import SymbpError
from symbp.values import counted

# --quick is done in two minutes; this leaves room for the start and the end.
QUICK_SECONDS = 105.0
# Of which this is for the compile times.
_QUICK_COMPILE_SECONDS = 30.0
_SLOW = "compiles too long for --quick; --peer {} takes it in"

Show = Callable[[str, int, int], None]


def run(chosen: Choice, show: Show = lambda what, done, of: None) -> Report:
    """Measure what was chosen.

    Parameters
    ----------
    chosen : Choice
    show : callable
        Told what goes on, how many measurements are through, and of how many.

    Raises
    ------
    SymbpError
        If nothing at all could be measured; says why.
    """
    until = time.time() + QUICK_SECONDS if chosen.quick else None
    date, load = datetime.datetime.now(datetime.UTC), machine.load()
    findings, times = Findings(), []
    total = len(chosen.tasks) * len(chosen.peers)

    def progress(task: Task, peer: str) -> None:
        what = f"{task.workload} {task.dtype}, {counted(task.threads, 'thread')}"
        through = len(findings.results) + len(findings.left_out)
        show(f"{what}: {PEERS[peer].title}" if peer else what, through, total)

    for task in chosen.tasks:
        findings.left_out += [
            LeftOut(task.workload, name, task.dtype, task.threads, "late", _SLOW.format(name))
            for name in chosen.slow
        ]
    with tempfile.TemporaryDirectory(prefix="symbp_bench_") as folder:
        for threads, tasks in _processes(chosen):
            job = Job(tasks, *_effort(chosen), folder, _held_on(threads), _timing_until(chosen, until))
            processes.run(job, threads, findings, progress)
        if 1 in chosen.threads:
            times = list(_compile_times(chosen, Path(folder), findings, until, show, total))
    if not findings.results:
        raise SymbpError(_nothing(findings.left_out))
    return _report(chosen, findings, times, date, load)


def _protocol(chosen: Choice) -> dict[str, float]:
    rounds, seconds = _effort(chosen)
    return {
        "rounds": rounds,
        "seconds_of_a_call": seconds,
        "compared_steps": COMPARED_STEPS,
        "learning_rate": LEARNING_RATE,
    }


def _effort(chosen: Choice) -> tuple[int, float]:
    effort = measure.QUICK if chosen.quick else measure.FULL
    return effort.rounds, effort.seconds


def _timing_until(chosen: Choice, until: float | None) -> float | None:
    """Leave some of the time for the compile times, which are of symbp only."""
    return until - _QUICK_COMPILE_SECONDS if until is not None and OURS in chosen.peers else until


def _processes(chosen: Choice) -> Iterator[tuple[int, tuple[Task, ...]]]:
    """Yield the number of threads and the tasks of every process."""
    names = tuple(name for name in chosen.peers if name not in chosen.slow)
    for threads in chosen.threads:
        tasks = [task for task in chosen.tasks if task.threads == threads]
        for group in [names] if threads == 1 else [(name,) for name in names]:
            yield threads, tuple(dataclasses.replace(task, peers=group) for task in tasks)


def _held_on(threads: int) -> tuple[int, ...] | None:
    """Return the last cores: the system's own work prefers the first."""
    cores = machine.cores()
    return None if cores is None else cores[-threads:]


def _compile_times(
    chosen: Choice, folder: Path, findings: Findings, until: float | None, show: Show, total: int
) -> Iterator[CompileTime]:
    trained = [each for each in findings.results if WORKLOADS[each.workload].purpose == "train"]
    for result in [each for each in trained if each.implementation == OURS and each.threads == 1]:
        left = None if until is None else until - time.time()
        if left is not None and left <= 0:
            return
        show(f"{result.workload} {result.dtype}: compile time", total, total)
        file = trainer_file(folder, result.workload, result.dtype)
        try:
            found = compile_time(file, result.workload, result.dtype, left, chosen.target)
        except subprocess.CalledProcessError as error:
            lines = str(error.stderr).splitlines() or ["no message"]
            raise SymbpError(f"{file.name} does not run in a fresh process: {lines[-1]}") from None
        if found is not None:
            yield found


def _nothing(left_out: list[LeftOut]) -> str:
    reasons = dict.fromkeys(f"{each.implementation}: {each.reason}" for each in left_out)
    return f"nothing could be measured: {'; '.join(reasons)}"


def _report(
    chosen: Choice, findings: Findings, times: list[CompileTime], date: datetime.datetime, load: float
) -> Report:
    order = {
        (task.workload, task.dtype, task.threads, name): number
        for number, (task, name) in enumerate((task, name) for task in chosen.tasks for name in PEERS)
    }

    def place(each: Result | LeftOut) -> int:
        return order[each.workload, each.dtype, each.threads, each.implementation]

    results = [
        dataclasses.replace(
            each, fraction_of_peak=each.gflops * 1e9 / findings.peaks[each.dtype, each.threads]
        )
        for each in sorted(findings.results, key=place)
    ]
    took_part = {each.implementation for each in results}
    return Report(
        _machine(took_part, findings, date, load, chosen.target),
        _protocol(chosen),
        described(chosen.workloads),
        tuple(results),
        tuple(sorted(findings.left_out, key=place)),
        tuple(times),
    )


def _machine(
    took_part: set[str], findings: Findings, date: datetime.datetime, load: float, target: str
) -> Machine:
    versions = machine.versions(name for peer in sorted(took_part) for name in PEERS[peer].versions)
    compiler = c_compiler() if any(name.startswith("c_") for name in took_part) else None
    peaks: dict[str, dict[str, float]] = {}
    for (dtype, threads), flops in sorted(findings.peaks.items()):
        peaks.setdefault(dtype, {})[str(threads)] = flops / 1e9
    return Machine(
        machine.processor(),
        machine.core_count(),
        machine.cores() is not None,
        peaks,
        (load, machine.load()),
        versions | ({"c": compiler} if compiler else {}),
        date.isoformat(timespec="seconds"),
        target,
    )

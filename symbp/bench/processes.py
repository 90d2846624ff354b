"""Running workers: one after the other, each told its threads; what dies is reported, the rest goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import symbp.bench
from symbp.bench.records import LeftOut, Result, Task
from symbp.bench.worker import Job, environment

# What a worker that keeps its time needs to end; one that does not is ended.
_GRACE = 3.0


@dataclasses.dataclass
class Findings:
    """What the workers have told.

    Attributes
    ----------
    results : list of Result
    left_out : list of LeftOut
    peaks : dict
        (dtype, threads) -> operations per second, the most of all tries.
    """

    results: list[Result] = dataclasses.field(default_factory=list)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    peaks: dict[tuple[str, int], float] = dataclasses.field(default_factory=dict)

    def done(self, task: Task) -> set[str]:
        """Return the peers of the task that are through."""
        key = (task.workload, task.dtype, task.threads)
        found: Sequence[Result | LeftOut] = [*self.results, *self.left_out]
        return {each.implementation for each in found if (each.workload, each.dtype, each.threads) == key}


def run(job: Job, threads: int, findings: Findings, show: Callable[[Task, str], None]) -> None:
    """Do the job in a process of its own; in another one, without the culprit, if it dies.

    Parameters
    ----------
    job : Job
    threads : int
    findings : Findings
        To be added to.
    show : callable
        Told task and peer when one is prepared, and with an empty name when one is through.
    """
    tasks = list(job.tasks)
    while tasks:
        at = _once(dataclasses.replace(job, tasks=tuple(tasks)), threads, findings, show)
        if at is None:
            return
        number, peer, reason = at
        late = job.until is not None and time.time() >= job.until
        if peer is None or late:
            for task in tasks[number:]:
                kind = "late" if late else "failed"
                _leave_out(findings, task, task.peers, kind, reason, show)
            return
        _leave_out(findings, tasks[number], [peer], "failed", reason, show)
        tasks = [_remaining(task, findings) for task in tasks[number:]]
        tasks = [task for task in tasks if task.peers]


def _remaining(task: Task, findings: Findings) -> Task:
    done = findings.done(task)
    return dataclasses.replace(task, peers=tuple(peer for peer in task.peers if peer not in done))


def _leave_out(
    findings: Findings,
    task: Task,
    names: Sequence[str],
    kind: str,
    reason: str,
    show: Callable[[Task, str], None],
) -> None:
    for name in names:
        if name not in findings.done(task):
            findings.left_out.append(LeftOut(task.workload, name, task.dtype, task.threads, kind, reason))
            show(task, "")


def _once(
    job: Job, threads: int, findings: Findings, show: Callable[[Task, str], None]
) -> tuple[int, str | None, str] | None:
    """Run one worker; if it did not end well, return the task and the peer it was at, and why."""
    number, peer = 0, None
    with tempfile.TemporaryFile() as complaints:
        process = _start(environment(threads, job.tasks[0].target), complaints)
        timer = _limit(process, job.until)
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(job.json())
            process.stdin.close()
            for line in process.stdout:
                event = json.loads(line)
                number = event["task"]
                if event["event"] == "preparing":
                    peer = event["peer"]
                    show(job.tasks[number], peer)
                else:
                    _take(event, findings)
                    if event["event"] != "peak":
                        show(job.tasks[number], "")
            status = process.wait()
        finally:
            if timer is not None:
                timer.cancel()
            _end(process)
            process.wait()
        if status == 0:
            return None
        if job.until is not None and time.time() >= job.until:
            return number, peer, "no time was left for it"
        return number, peer, f"its process ended with status {status}: {_last_line(complaints)}"


def _take(event: dict[str, Any], findings: Findings) -> None:
    if event["event"] == "result":
        findings.results.append(Result(**event["record"]))
    elif event["event"] == "left_out":
        findings.left_out.append(LeftOut(**event["record"]))
    else:
        key = (event["dtype"], event["threads"])
        findings.peaks[key] = max(findings.peaks.get(key, 0.0), event["flops"])


def _start(variables: dict[str, str], complaints: IO[bytes]) -> subprocess.Popen[str]:
    root = str(Path(symbp.bench.__file__).parents[2])  # the worker runs this symbp, wherever it was found
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "symbp.bench.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        encoding="utf-8",
        env={**os.environ, **variables, "PYTHONPATH": path},
        start_new_session=True,  # it is ended with all that it has started, compilers for example
    )


def _end(process: subprocess.Popen[str]) -> None:
    """End the worker and what it has started; what is gone already is gone."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _limit(process: subprocess.Popen[str], until: float | None) -> threading.Timer | None:
    if until is None:
        return None
    timer = threading.Timer(max(0.0, until + _GRACE - time.time()), _end, [process])
    timer.daemon = True
    timer.start()
    return timer


def _last_line(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "no message")

"""A process that measures: ``python -m symbp.bench.worker``, a job on stdin, events on stdout.

It has the number of threads in its environment before any library is imported, and is held
on as many cores. The job and the events are one JSON object on a line each.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from symbp.bench.held import held_to
from symbp.bench.records import LeftOut, Result, Task

# What OpenMP, the BLAS libraries and Numba read when they start.
_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
# Of the time that is left, a task may prepare peers for this share of its part; the rest is for rounds.
_PREPARING = 0.9


@dataclasses.dataclass(frozen=True)
class Job:
    """What one process shall do.

    Attributes
    ----------
    tasks : tuple of Task
        All with the same number of threads and the same target.
    rounds, seconds
        As in :class:`symbp.bench.measure.Effort`.
    folder : str
        Where peers may write.
    cores : tuple of int or None
        To be held on.
    until : float or None
        When it must be done, as ``time.time()`` counts.
    """

    tasks: tuple[Task, ...]
    rounds: int
    seconds: float
    folder: str
    cores: tuple[int, ...] | None = None
    until: float | None = None

    def json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        read = json.loads(text)
        tasks = tuple(Task(**{**each, "peers": tuple(each["peers"])}) for each in read.pop("tasks"))
        cores = read.pop("cores")
        return cls(tasks, cores=None if cores is None else tuple(cores), **read)


def environment(threads: int, target: str = "host") -> dict[str, str]:
    """Return the variables that tell the libraries their threads and instructions, and to use no GPU."""
    limits = dict.fromkeys(_LIMITS, str(threads)) | held_to(target)
    alone = "--xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
    flags = " ".join(filter(None, [os.environ.get("XLA_FLAGS"), limits.get("XLA_FLAGS"), alone]))
    return limits | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


def main() -> None:
    """Do the job."""
    job = Job.from_json(sys.stdin.read())
    # Libraries print what they like: events have a channel of their own.
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if job.cores is not None:
        os.sched_setaffinity(0, job.cores)
    for number, task in enumerate(job.tasks):
        _do(job, number, task, events)


def _do(job: Job, number: int, task: Task, events: TextIO) -> None:
    from symbp.bench.measure import Effort, measure
    from symbp.bench.peak import peak_flops

    def say(event: str, **data: Any) -> None:
        print(json.dumps({"event": event, "task": number, **data}), file=events)

    def tell(found: Result | LeftOut) -> None:
        say("result" if isinstance(found, Result) else "left_out", record=dataclasses.asdict(found))

    def peak() -> None:
        say("peak", dtype=task.dtype, threads=task.threads, flops=peak_flops(task.dtype, task.threads))

    share = float("inf")
    if job.until is not None:
        now = time.time()
        share = now + _PREPARING * (job.until - now) / (len(job.tasks) - number)
    measure(
        task,
        Effort(job.rounds, job.seconds),
        Path(job.folder),
        tell,
        lambda name: say("preparing", peer=name),
        lambda: time.time() < share,
        peak,
    )


if __name__ == "__main__":
    main()

"""One workload, several peers: compared with float64 first, then timed in turn.

The weights after three steps, or the outputs of as many batches, decide whether a peer is timed at
all. Then every round times one call of each peer, so that what disturbs the machine disturbs all
alike; a call takes so many steps that the time of the call itself does not count, and starts from
the same weights. An epoch that is not timed goes before it: threads of the peer before may still
spin, and the caches hold what that one needed.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.bench import peers, reference
from symbp.bench.peers.interface import Absent, Implementation, Setting
from symbp.bench.problem import COMPARED_STEPS, Problem, problem, right_outputs, right_weights
from symbp.bench.records import LeftOut, Result, Task
from symbp.bench.workloads import WORKLOADS, Workload

Event = Result | LeftOut


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    rounds : int
    seconds : float
        Of one call, at least.
    """

    rounds: int
    seconds: float


# Many short calls: on a machine that does something else, too, some of them are left alone.
FULL, QUICK = Effort(80, 0.01), Effort(20, 0.01)


@dataclass
class _Ready:
    """A peer whose results are right, and the steps of one of its calls."""

    implementation: Implementation
    error: float
    steps: int
    epochs: int
    seconds: list[float]


def measure(
    task: Task,
    effort: Effort,
    folder: Path,
    tell: Callable[[Event], None],
    preparing: Callable[[str], None] = lambda name: None,
    in_time: Callable[[], bool] = lambda: True,
    before_rounds: Callable[[], None] = lambda: None,
) -> None:
    """Measure the peers of a task.

    Parameters
    ----------
    task : Task
    effort : Effort
    folder : Path
        Where peers may write.
    tell : callable
        Given a :class:`Result` or :class:`LeftOut` for every peer; the fraction of peak is
        left NaN, as the peak is only known at the end of the run.
    preparing : callable
        Told the name of a peer before it is prepared: if the process dies, it was that one.
    in_time : callable
        Whether another peer may be prepared; also asked before each round after the first.
    before_rounds : callable
        Called when peers are ready; not if there is none to time.
    """
    workload = WORKLOADS[task.workload]
    given = problem(workload, task.dtype)
    gate = _Gate(given.first(COMPARED_STEPS))
    setting = Setting(workload, task.dtype, task.threads, folder, task.target)

    def left_out(name: str, kind: str, reason: object, error: float | None = None) -> None:
        text = " ".join(str(reason).split())
        tell(LeftOut(task.workload, name, task.dtype, task.threads, kind, text, error))

    ready: dict[str, _Ready] = {}
    for name in task.peers:
        if not in_time():
            left_out(name, "late", "no time was left for it")
            continue
        preparing(name)
        try:
            implementation = peers.prepare(name, setting)
            error = gate.error(implementation)
            if not error <= gate.bound:
                reason = f"{gate.what} off by {error:.1e}, rounding explains {gate.bound:.1e}"
                left_out(name, "wrong", reason, error)
                continue
            steps, epochs = _calibrated(implementation, given, effort.seconds)
        except Absent as reason:
            left_out(name, "absent", reason)
        except Exception as fault:  # whatever a library raises: the others go on
            left_out(name, "failed", f"{type(fault).__name__}: {fault}")
        else:
            ready[name] = _Ready(implementation, error, steps, epochs, [])
    if not ready:
        return
    before_rounds()
    _rounds(ready, effort.rounds, in_time)
    for name, each in ready.items():
        tell(_result(task, workload, name, each, gate.bound))


class _Gate:
    """Compares with float64 what a peer finds in the compared steps.

    The error is the largest one over the largest change: of weights from where they start, of
    outputs from 0.
    """

    def __init__(self, few: Problem) -> None:
        self._few = few
        if few.workload.purpose == "train":
            self.what = "change of the weights"
            self._before, self._right = few.weights, right_weights(few)
            self.bound = reference.error_bound(
                few.weights, self._right, few.workload.batch, COMPARED_STEPS, few.dtype
            )
        else:
            self.what = "outputs"
            self._right = [right_outputs(few)]
            self._before = [np.zeros_like(self._right[0])]
            X = few.X.astype(np.float64)
            self.bound = reference.outputs_bound(few.wide, X, few.workload.activation, few.dtype)

    def error(self, implementation: Implementation) -> float:
        """Let the peer take the compared steps from the start; return its error."""
        implementation.place(self._few)
        implementation.run(1)
        return self.of(implementation.found())

    def of(self, found: Sequence[NDArray[Any]]) -> float:
        """Return the error of what was found."""
        return reference.relative_error(found, self._before, self._right)


def _calibrated(implementation: Implementation, given: Problem, seconds: float) -> tuple[int, int]:
    """Return with how many steps, and how often, a call takes so many seconds.

    More steps are tried until they are enough or all. Their first call is not counted: it may
    compile. The steps that are returned are in place.
    """
    steps = COMPARED_STEPS
    while True:
        taken = _timed(implementation, 1)
        if taken >= seconds or steps == given.steps:
            return steps, math.ceil(seconds / taken)
        # What the call itself takes makes the estimate too small: twice as many.
        steps = min(given.steps, math.ceil(2 * steps * seconds / taken))
        implementation.place(given.first(steps))
        implementation.run(1)


def _timed(implementation: Implementation, epochs: int) -> float:
    implementation.reset()
    start = time.perf_counter()
    implementation.run(epochs)
    return time.perf_counter() - start


def _rounds(ready: dict[str, _Ready], rounds: int, in_time: Callable[[], bool]) -> None:
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            if number and not in_time():
                return
            for each in ready.values():
                _timed(each.implementation, 1)
                each.seconds.append(_timed(each.implementation, each.epochs) / (each.steps * each.epochs))
    finally:
        gc.enable()


def _result(task: Task, workload: Workload, name: str, each: _Ready, bound: float) -> Result:
    best = min(each.seconds)
    return Result(
        task.workload,
        name,
        task.dtype,
        task.threads,
        best,
        float(np.median(each.seconds)),
        workload.flops / best / 1e9,
        float("nan"),
        each.error,
        bound,
    )

"""What a run of the benchmark found, and its JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from symbp.errors import DataError

# Says to symbp.files that symbp wrote the file, which may then be written again.
ABOUT = "speed of training, measured by symbp bench"


@dataclass(frozen=True)
class Task:
    """Peers that are timed in turn on one workload.

    Attributes
    ----------
    workload, dtype : str
    threads : int
    peers : tuple of str
    target : str
        The machine to whose instructions all are held; ``host`` if to none.
    """

    workload: str
    dtype: str
    threads: int
    peers: tuple[str, ...]
    target: str = "host"


@dataclass(frozen=True)
class Result:
    """One implementation on one workload.

    Attributes
    ----------
    workload, implementation, dtype : str
        Names of a workload and of a peer, and ``float32`` or ``float64``.
    threads : int
    seconds_per_step_min, seconds_per_step_median : float
        Over the rounds; a round is one call that takes many steps, or predicts many batches.
    gflops : float
        From the minimum, by the workload's count of operations; 10^9 per second.
    fraction_of_peak : float
        Of the multiply-adds per second that the same run measured with as many threads.
    error, error_bound : float
        Largest difference of a weight to float64 after three steps, over the largest change of
        a weight, or of an output over the largest; and what rounding explains.
    """

    workload: str
    implementation: str
    dtype: str
    threads: int
    seconds_per_step_min: float
    seconds_per_step_median: float
    gflops: float
    fraction_of_peak: float
    error: float
    error_bound: float


@dataclass(frozen=True)
class LeftOut:
    """An implementation that was not timed.

    Attributes
    ----------
    workload, implementation, dtype : str
    threads : int
    kind : str
        ``absent`` (not installed, or cannot do it), ``wrong`` (weights outside the bound),
        ``failed`` (an exception or a crash), ``late`` (no time was left).
    reason : str
        One line; for an absent one, with the remedy.
    error : float or None
        Of a wrong one, as in :class:`Result`.
    """

    workload: str
    implementation: str
    dtype: str
    threads: int
    kind: str
    reason: str
    error: float | None = None


@dataclass(frozen=True)
class CompileTime:
    """How long symbp's trainer takes from its import to the end of its first step, in a fresh process.

    Attributes
    ----------
    workload, dtype : str
    libraries_seconds : float
        Importing NumPy and Numba, before.
    cold_seconds : float
        With nothing in Numba's cache.
    cached_seconds : float
        In the next process.
    """

    workload: str
    dtype: str
    libraries_seconds: float
    cold_seconds: float
    cached_seconds: float


@dataclass(frozen=True)
class Machine:
    """Where and when it was measured.

    Attributes
    ----------
    cpu : str
    cores : int
        That the run was allowed to use.
    pinned : bool
        Whether a process with n threads was held on n cores.
    peak_gflops : dict
        dtype -> number of threads, as text -> measured multiply-adds, 2 operations each.
    load_average : tuple of float
        Processes that wanted to run before and after, as the system counts them; NaN if it does not.
    versions : dict
        Of Python, symbp and every library that took part.
    date : str
        When the run began, ISO 8601, UTC.
    target : str
        The machine to whose instructions all were held; ``host`` if to none.
    """

    cpu: str
    cores: int
    pinned: bool
    peak_gflops: dict[str, dict[str, float]]
    load_average: tuple[float, float]
    versions: dict[str, str]
    date: str
    target: str = "host"


@dataclass(frozen=True)
class Report:
    """All that a run found.

    Attributes
    ----------
    machine : Machine
    protocol : dict
        Rounds, the least seconds of a timed call, compared steps and learning rate.
    workloads : tuple of dict
        Name, sizes, activation, batch and flops of each.
    results : tuple of Result
    left_out : tuple of LeftOut
    compile_times : tuple of CompileTime
    """

    machine: Machine
    protocol: dict[str, float]
    workloads: tuple[dict[str, Any], ...]
    results: tuple[Result, ...]
    left_out: tuple[LeftOut, ...] = ()
    compile_times: tuple[CompileTime, ...] = ()
    about: str = field(default=ABOUT)

    def json(self) -> str:
        """Return the report as JSON; numbers that are not finite become null."""
        fields = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        ordered = {"about": fields.pop("about"), **fields}
        return json.dumps(_plain(ordered), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Return the report that :meth:`json` wrote.

        Raises
        ------
        DataError
            If it is something else.
        """
        try:
            read = json.loads(text)
            if read.pop("about") != ABOUT:
                raise KeyError("about")
            machine = read.pop("machine")
            before, after = (float("nan") if each is None else each for each in machine.pop("load_average"))
            return cls(
                Machine(**machine, load_average=(before, after)),
                read.pop("protocol"),
                tuple(read.pop("workloads")),
                tuple(Result(**each) for each in read.pop("results")),
                tuple(LeftOut(**each) for each in read.pop("left_out")),
                tuple(CompileTime(**each) for each in read.pop("compile_times")),
                **read,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"not a report of symbp bench: {error}") from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value

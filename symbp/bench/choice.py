"""What a run shall measure: checked, and completed with what is usual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbp.bench import machine, peers
from symbp.bench.held import checked
from symbp.bench.peers import PEERS
from symbp.bench.records import Task
from symbp.bench.workloads import Workload
from symbp.errors import SpecError
from symbp.functions.names import nearest
from symbp.values import counted

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Choice:
    """What to measure, checked.

    Attributes
    ----------
    workloads : tuple of Workload
    dtypes : tuple of str
    threads : tuple of int
    peers : tuple of str
    quick : bool
    all_peers : bool
        Whether none was named; --quick then leaves out those that compile long.
    target : str
        The machine to whose instructions all are held, or ``host``.
    """

    workloads: tuple[Workload, ...]
    dtypes: tuple[str, ...]
    threads: tuple[int, ...]
    peers: tuple[str, ...]
    quick: bool = False
    all_peers: bool = True
    target: str = "host"

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All that is to be measured, the slow peers of --quick included."""
        return tuple(
            Task(workload.name, dtype, threads, self.peers, self.target)
            for threads in self.threads
            for dtype in self.dtypes
            for workload in self.workloads
        )

    @property
    def slow(self) -> tuple[str, ...]:
        """The peers that --quick leaves out."""
        leave = self.quick and self.all_peers
        return tuple(name for name in self.peers if leave and PEERS[name].slow)


def choice(
    workloads: tuple[Workload, ...],
    dtypes: Iterable[str],
    threads: Iterable[str],
    names: Iterable[str],
    quick: bool,
    sweep: bool,
    target: str = "host",
) -> Choice:
    """Check what was asked for, and put in what was not.

    Raises
    ------
    SpecError
        If a name or a number is not acceptable.
    """
    names = tuple(names)
    few = quick or sweep  # one thread, float32
    dtypes = tuple(dict.fromkeys(dtypes)) or (DTYPES[:1] if few else DTYPES)
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise SpecError(f"--dtype {dtype}: no such type{nearest(dtype, DTYPES)}")
    most = machine.core_count()
    counts = tuple(dict.fromkeys(_threads(each, most) for each in threads))
    if not counts:
        counts = (1,) if few or most == 1 else (1, 2)
    return Choice(workloads, dtypes, counts, peers.chosen(names), quick, not names, checked(target))


def _threads(text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SpecError(f"--threads {text}: expected a whole number of at least 1")
    if int(text) > most:
        raise SpecError(f"--threads {text}: only {counted(most, 'core')} may be used here")
    return int(text)

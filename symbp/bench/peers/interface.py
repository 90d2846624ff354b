"""What the measurement asks of every peer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import Workload


class Absent(Exception):
    """A peer takes no part; the message says why, and what to install."""


class Training(ABC):
    """One implementation of one workload: plain gradient descent in a fixed order of the batches.

    Parameters
    ----------
    workload : Workload
    dtype : {"float32", "float64"}
        Of every array.
    threads : int
    folder : Path
        Where files may be written.

    Raises
    ------
    Absent
        If it cannot do it here.
    """

    def __init__(self, workload: Workload, dtype: str, threads: int, folder: Path) -> None:
        self.workload = workload
        self.dtype = dtype
        self.threads = threads
        self.folder = folder

    @abstractmethod
    def place(self, problem: Problem) -> None:
        """Bring the data to where they are needed, and start from the problem's weights; not timed."""

    @abstractmethod
    def reset(self) -> None:
        """Return to the start weights of the problem; not timed."""

    @abstractmethod
    def run(self, epochs: int) -> None:
        """Go through all batches of the problem so many times, and be done on return; timed."""

    @abstractmethod
    def weights(self) -> Arrays:
        """Return W_1, ..., W_{L+1}, bias in the last column."""

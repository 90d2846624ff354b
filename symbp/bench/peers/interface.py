"""What the measurement asks of every peer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import Workload


class Absent(Exception):
    """A peer takes no part; the message says why, and what to install."""


@dataclass(frozen=True)
class Setting:
    """What a peer is prepared for.

    Attributes
    ----------
    workload : Workload
    dtype : {"float32", "float64"}
        Of every array.
    threads : int
        How many it shall use; the process has set up the libraries for it.
    folder : Path
        Where files may be written.
    target : str
        The machine that code is made for, a key of :data:`symbp.target.TARGETS`; or ``host``.
    """

    workload: Workload
    dtype: str
    threads: int
    folder: Path
    target: str = "host"


class Implementation(ABC):
    """One implementation of one workload.

    Parameters
    ----------
    setting : Setting

    Raises
    ------
    Absent
        If it cannot do it here.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.workload = setting.workload
        self.dtype = setting.dtype

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
    def found(self) -> Arrays:
        """Return what is compared with float64."""


class Training(Implementation):
    """Plain gradient descent in a fixed order of the batches."""

    @abstractmethod
    def weights(self) -> Arrays:
        """Return W_1, ..., W_{L+1}, bias in the last column."""

    def found(self) -> Arrays:
        return self.weights()


class Predicting(Implementation):
    """The outputs of a network for batch after batch, weights unchanged."""

    def reset(self) -> None:
        """Nothing is changed by a run."""

    _outputs: NDArray[Any]

    def outputs(self) -> NDArray[Any]:
        """Return the outputs of the last run for all samples, shape (steps * batch, N_{L+1})."""
        return self._outputs

    def found(self) -> Arrays:
        return [self.outputs()]

"""symbp's own trainer, generated, compiled and called as any user would.

What is timed is a whole call of ``fit``, for many epochs without shuffling: checking of the
data, copies and bookkeeping are part of it, and nothing is subtracted. The trainer is generated
without the proofs of its derivation, which do not change it: the comparison of the weights
stands in for them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symbp.bench.peers.interface import Training
from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE, Workload
from symbp.run.generate import generate


def trainer_file(folder: Path, workload: str, dtype: str) -> Path:
    """Return where the trainer of a workload is written."""
    return folder / f"{workload.lower()}_{dtype}_trainer.py"


class Peer(Training):
    """``Trainer.fit``."""

    def __init__(self, workload: Workload, dtype: str, threads: int, folder: Path) -> None:
        super().__init__(workload, dtype, threads, folder)
        self._threads = threads
        self.trainer = generate(
            workload.network(),
            trainer_file(folder, workload.name, dtype),
            prove=False,
            learning_rate=LEARNING_RATE,
            batch_size=workload.batch,
            dtype=dtype,
            shuffle=False,
        )

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._start = np.concatenate([matrix.ravel() for matrix in problem.weights])
        self.reset()

    def reset(self) -> None:
        self._w = self._start

    def run(self, epochs: int) -> None:
        self._w, _ = self.trainer.fit(
            self._w,
            self.problem.X,
            self.problem.Y,
            epochs=epochs,
            shuffle=False,
            progress=False,
            threads=self._threads,
        )

    def weights(self) -> Arrays:
        return list(self.trainer.unpack(self._w))

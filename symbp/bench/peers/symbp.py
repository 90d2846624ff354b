"""symbp's own trainer, generated, compiled and called as any user would.

What is timed is a whole call of ``fit``, for many epochs without shuffling: checking of the
data, copies and bookkeeping are part of it, and nothing is subtracted. Outputs of a batch are
a call of ``predict``; those of one sample after another, ``predict_one`` in compiled code, with
weights prepared once. The trainer is generated without the proofs of its derivation, which do
not change it: the comparison with float64 stands in for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from symbp.bench.peers.interface import Absent, Predicting, Setting, Training
from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE
from symbp.run.generate import generate
from symbp.run.trainer import Trainer


def trainer_file(folder: Path, workload: str, dtype: str) -> Path:
    """Return where the trainer of a workload is written."""
    return folder / f"{workload.lower()}_{dtype}_trainer.py"


def _trainer(setting: Setting) -> Trainer:
    return generate(
        setting.workload.network(),
        trainer_file(setting.folder, setting.workload.name, setting.dtype),
        prove=False,
        learning_rate=LEARNING_RATE,
        batch_size=setting.workload.batch,
        dtype=setting.dtype,
        shuffle=False,
        target=setting.target,
    )


class Peer(Training):
    """``Trainer.fit``."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.trainer = _trainer(setting)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._start = problem.flat
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
            threads=self.setting.threads,
        )

    def weights(self) -> Arrays:
        return list(self.trainer.unpack(self._w))


class Predictor(Predicting):
    """``Trainer.predict``, and ``predict_one`` for batches of one sample."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        if setting.threads > 1:
            raise Absent("predict has one thread only")
        self.trainer = _trainer(setting)
        if self.workload.batch == 1:
            self._one_by_one = _loop(self.trainer.module.predict_one)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._w = problem.flat
        self._batches = [problem.batch(step) for step in range(problem.steps)]
        self._outputs = np.empty_like(problem.Y)
        if self.workload.batch == 1:
            self._prepared = self.trainer.module.prepare(self._w)

    def run(self, epochs: int) -> None:
        if self.workload.batch == 1:
            self._one_by_one(self._prepared, self.problem.X, self._outputs, epochs)
            return
        for _ in range(epochs):
            for rows in self._batches:
                self._outputs[rows] = self.trainer.predict(self._w, self.problem.X[rows])


def _loop(predict_one: Any) -> Any:
    @njit
    def one_by_one(prepared, X, outputs, epochs):  # type: ignore[no-untyped-def]
        for _ in range(epochs):
            for p in range(len(X)):
                predict_one(prepared, X[p], outputs[p])

    return one_by_one

"""The whole path in one command, on real data: scikit-learn's handwritten digits.

1,797 images of 8 x 8 pixels, 10 classes. A third of them, drawn by a fixed seed, is
held out and seen only once, for the last line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import symbp
from symbp.errors import SymbpError
from symbp.files import atomic_write, check_output
from symbp.network import Dense, Network
from symbp.run.score import score
from symbp.run.split import held_out
from symbp.spec import Spec, TrainOptions

SPEC = Spec(
    Network(64, [Dense(32, "relu"), Dense(10, "softmax")], "cross_entropy", name="digits"),
    TrainOptions("sgd", learning_rate=0.1, batch_size=32, epochs=60, dtype="float64"),
)
HELD_OUT = 1 / 3
LEAST_ACCURACY = 0.95


class Stage:
    """One line of the report; the stage itself says what came out of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.result = ""
        self.seconds = 0.0


@contextmanager
def stage(name: str) -> Iterator[Stage]:
    """Time the block, then print its line."""
    current = Stage(name)
    start = time.perf_counter()
    yield current
    current.seconds = time.perf_counter() - start
    print(f"{name:<9}{current.seconds:8.2f} s   {current.result}", flush=True)


def run_demo(directory: str | Path) -> bool:
    """Derive, prove, typeset, compile, verify, train and test; return whether all came out right.

    Parameters
    ----------
    directory : path
        Where ``digits.toml``, ``derivation.tex`` and ``trainer.py`` are written.

    Raises
    ------
    SymbpError
        If scikit-learn is missing or the files cannot be written.
    """
    directory = _prepare(Path(directory))
    X, Y = _digits()
    train, test = held_out(len(X), HELD_OUT, seed=0)
    print("network  64-32-10, relu, softmax, cross-entropy")
    print(f"data     {len(X)} images of handwritten digits, {len(test)} of them held out")

    with stage("derive") as this:
        derivation = symbp.derive(SPEC.network)
        this.result = f"{len(derivation.steps)} steps"
    with stage("prove") as this:
        checks = derivation.prove()
        this.result = f"{len(checks)} checks passed"
    with stage("typeset") as this:
        this.result = str(atomic_write(directory / "derivation.tex", derivation.latex()))
    with stage("compile") as this:
        trainer = symbp.generate(SPEC.network, directory / "trainer.py", **vars(SPEC.train))
        this.result = f"{trainer.path}, {trainer.n_params} weights"
    with stage("verify") as this:
        report = symbp.verify(trainer)
        this.result = f"worst gradient error {report.worst:.1e}"
    with stage("train") as this:
        weights, history = trainer.fit(trainer.init_params(), X[train], Y[train], progress=True)
    steps = len(history) * -(-len(train) // SPEC.train.batch_size)
    with stage("test") as this:
        result = score(trainer, weights, X[test], Y[test])
        this.result = str(result)
    assert result.accuracy is not None
    return bool(report.ok and result.accuracy >= LEAST_ACCURACY and steps)


def _prepare(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SymbpError(f"{directory}: cannot be made: {error.strerror}") from None
    for name in ("digits.toml", "derivation.tex", "trainer.py"):
        check_output(directory / name)
    return directory


def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SymbpError("the demo needs scikit-learn: pip install 'symbp[demo]'") from None
    digits = load_digits()
    return digits.data / 16, digits.target.astype(np.int64)

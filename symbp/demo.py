"""The whole path in one command, on real data: scikit-learn's handwritten digits.

1,797 images of 8 x 8 pixels, 10 classes. A third of them, drawn by a fixed seed, is
held out and seen only once, for the last line.
"""

from __future__ import annotations

import math
import sys
import time
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
    # Chosen on a quarter of the images to train on; the held-out third had no say.
    TrainOptions("sgd", learning_rate=0.2, batch_size=16, epochs=100),
)
HELD_OUT = 1 / 3
LEAST_ACCURACY = 0.95


class Stage:
    """One line of the report: a name, the time the block took, and what came out of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.result = ""

    def __enter__(self) -> Stage:
        self._start = time.perf_counter()
        if sys.stdout.isatty():  # the line of the result is written over it
            print(f"{self.name:<8}    ...", end="\r", flush=True)
        return self

    @property
    def seconds(self) -> float:
        """The time since the block began."""
        return time.perf_counter() - self._start

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            print(f"{self.name:<8}{self.seconds:7.2f} s   {self.result}", flush=True)
        elif sys.stdout.isatty():
            print(flush=True)


def run_demo(directory: str | Path) -> bool:
    """Derive, prove, typeset, compile, verify, train and test; return whether all came out right.

    Parameters
    ----------
    directory : path
        Where ``derivation.tex`` and ``trainer.py`` are written.

    Raises
    ------
    SymbpError
        If scikit-learn is missing or the files cannot be written.
    """
    directory = _prepare(Path(directory))
    X, Y = _digits()
    seen, unseen = held_out(len(X), HELD_OUT, seed=0)
    network, options = SPEC.network, SPEC.train
    print(
        f"{len(X)} images of handwritten digits, {len(unseen)} of them held out; network 64-32-10", flush=True
    )

    with Stage("derive") as this:
        derivation = symbp.derive(network, **options.stated)
        this.result = f"{len(derivation.steps)} steps"
    with Stage("prove") as this:
        derivation = derivation.checked()
        checks = derivation.prove()
        this.result = f"{len(derivation.steps)} steps proved by {len(checks)} checks"
    with Stage("typeset") as this:
        this.result = f"wrote {atomic_write(directory / 'derivation.tex', derivation.latex())}"
    with Stage("compile") as this:
        trainer = symbp.generate(derivation, directory / "trainer.py", **vars(options))
        # Numba compiles what fits when it is first called; the rate below is that of training.
        trainer.fit(trainer.init_params(), X[seen[:1]], Y[seen[:1]], epochs=1, progress=False)
        this.result = f"wrote {directory / 'trainer.py'}, {trainer.n_params:,} weights, {trainer.dtype}"
    with Stage("verify") as this:
        report = symbp.verify(trainer)
        verdict = "all agree" if report.ok else "FAILED"
        this.result = f"{len(report.rows)} comparisons, {verdict}; worst gradient error {report.worst:.1e}"
    with Stage("train") as this:
        weights, history = trainer.fit(trainer.init_params(), X[seen], Y[seen], progress=True)
        steps = len(history) * math.ceil(len(seen) / options.batch_size)
        this.result = f"{len(history)} epochs, {steps / this.seconds:,.0f} steps per second"
    with Stage("test") as this:
        result = score(trainer, weights, X[unseen], Y[unseen])
        assert result.accuracy is not None  # cross_entropy has classes
        this.result = f"accuracy {100 * result.accuracy:.2f} % on the images held out"
    return report.ok and result.accuracy >= LEAST_ACCURACY


def _prepare(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SymbpError(f"{directory}: cannot be made: {error.strerror}") from None
    for name in ("derivation.tex", "trainer.py"):
        check_output(directory / name)
    return directory


def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SymbpError("the demo needs scikit-learn: pip install 'symbp[demo]'") from None
    digits = load_digits()
    return digits.data / 16, digits.target.astype(np.int64)

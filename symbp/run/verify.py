"""Every way to the gradients against every other, at a random point.

::

    Trainer --> Point --> five gradients, ways to dJ/dx and dh/dx --> Row for each pair --> Report
"""

from __future__ import annotations

import tempfile
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symbp.errors import SpecError, TrainerError
from symbp.network import Network
from symbp.run import by_inputs, direct, paths, plain
from symbp.run.generate import generate
from symbp.run.point import Point, random_point
from symbp.run.report import Report, Row, name_of_weight, relative_errors, worst
from symbp.run.scale import gradient_scale
from symbp.run.trainer import Trainer
from symbp.run.verify_update import update_row
from symbp.run.ways import pairs
from symbp.values import positive_number, whole_number

if TYPE_CHECKING:
    from symbp.derivation.records import Derivation

MOST_SAMPLES = 10_000
# The paths are exact up to rounding; a few hundred operations of it are allowed for.
TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-4}


def verify(
    what: Trainer | Network | Derivation, *, seed: int = 0, samples: int = 5, tolerance: float | None = None
) -> Report:
    """Compare every way to the gradients with every other, and costs and predictions with the plain network.

    Parameters
    ----------
    what : Trainer, Network or Derivation
        For the latter two a trainer is generated in a temporary directory.
    seed : int
        Starts the generator of weights and data.
    samples : int
        n, the number of samples, at least 1.
    tolerance : float, optional
        The largest relative error of a comparison with the kernels; by default 1e-12 in
        float64 and 1e-4 in float32. The ways that run outside the kernels always compute
        in float64 and are held to 1e-12.

    Returns
    -------
    Report
        ``report.ok`` tells whether all agree; ``print(report)`` shows the worst weights.

    Raises
    ------
    TrainerError
        If an array of the trainer has the wrong shape.
    SpecError
        If `what` is nothing that can be verified, or a number is not acceptable.
    """
    samples = whole_number("samples", samples, 1, MOST_SAMPLES)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    tolerance = None if tolerance is None else positive_number("tolerance", tolerance)
    if isinstance(what, Trainer):
        return _verify_trainer(what, seed, samples, tolerance)
    if isinstance(what, (str, PathLike)):
        raise SpecError(f"verify: {str(what)!r} is a name; a trainer's file is read by symbp.load")
    with tempfile.TemporaryDirectory(prefix="symbp_verify_") as folder:
        # Without its own checks: here the numbers judge.
        trainer = generate(what, Path(folder) / "trainer.py", prove=False)
        return _verify_trainer(trainer, seed, samples, tolerance)


def _verify_trainer(trainer: Trainer, seed: int, samples: int, tolerance: float | None) -> Report:
    network, rng = trainer.network, np.random.default_rng(seed)
    start = np.asarray(trainer.init_params(rng), dtype=np.float64)
    if start.shape != (network.n_params,):
        raise TrainerError(f"the trainer has {start.size} weights; the network has {network.n_params}")
    # A number that is not finite is found and reported below; NumPy need not warn of it.
    with np.errstate(all="ignore"):
        penalty = trainer.spec.train.regularisation
        point = random_point(network, start, trainer.dtype, rng, samples, penalty)
        value, delta = paths.delta_recursion(trainer, point)
        gradients = [
            delta,
            paths.t_product(trainer, point),
            paths.plain_tape(network, point),
            paths.complex_step(network, point, rng),
        ]
        notes = []
        reason = direct.why_not(network)
        if reason is None:
            gradients.append(paths.sympy_direct(network, point))
        else:
            notes.append(f"SymPy direct: left out, {reason}.")
        compiled = TOLERANCE[trainer.dtype] if tolerance is None else tolerance
        exact, name = TOLERANCE[np.dtype(np.float64)], partial(name_of_weight, network)
        rows = [
            *_values(trainer, point, value, compiled),
            *pairs("gradient", gradients, gradient_scale(network, point, rng), name, compiled, exact),
            *by_inputs.rows(trainer, point, rng, compiled, exact),
            update_row(trainer, point, rng, compiled),
        ]
    if trainer.dtype != np.float64:
        notes.append(
            f"The kernels compute in {trainer.dtype}: their rounding is about 1e-7 an operation, hence their "
            f"tolerance of {compiled:.0e}. The other ways compute in float64 at the same point."
        )
    size = f"{network.n_params:,} weights, {samples} random samples, {trainer.dtype}, seed {seed}"
    return Report(f"{network.name}: {size}", tuple(rows), tuple(notes))


def _values(trainer: Trainer, point: Point, value: float, tolerance: float) -> list[Row]:
    """Compare the kernel's cost and predictions with those of the plain network."""
    network, dtype = trainer.network, trainer.dtype
    h = paths.of_shape(
        trainer.predict(point.w.astype(dtype), point.X.astype(dtype)), point.Y.shape, "prediction"
    )
    expected = plain.predict(network, point.w, point.X)
    error, at = worst(relative_errors(h, expected, float(np.max(np.abs(expected)))))
    sample, unit = divmod(at, h.shape[1])
    place = f"h_{unit + 1}, sample {sample + 1}"
    J = plain.cost(network, point.w, point.X, point.Y, point.v, point.penalty)
    cost_error, _ = worst(relative_errors(np.array([value]), np.array([J]), 0.0))
    return [
        Row("prediction", "kernel", "plain NumPy", h.size, error, place, tolerance),
        Row("cost", "kernel", "plain NumPy", 1, cost_error, "J", tolerance),
    ]

"""Derivatives by the inputs, way against way: rows of the report of ``verify``."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.network import Network
from symbp.run import paths, plain
from symbp.run.point import Point
from symbp.run.report import Row, relative_errors, worst
from symbp.run.scale import LAYER_SHARE, sizes_before_cancellation
from symbp.run.tape import Variable, gradient
from symbp.run.trainer import Trainer

Floats = NDArray[np.float64]
# The tape walks back once for every output.
MOST_OUTPUTS = 20


@dataclass(frozen=True)
class Way:
    """dJ/dx, shape (n, inputs), or dh/dx, shape (n, outputs, inputs), as one method gives it.

    Attributes
    ----------
    method : str
    values : ndarray, float64
        The last axis runs over `inputs`.
    inputs : ndarray of int
        Positions of the inputs, ascending.
    compiled : bool
        Whether it was computed by the kernels, in the trainer's dtype.
    """

    method: str
    values: Floats
    inputs: NDArray[np.int_]
    compiled: bool = False


def rows(
    trainer: Trainer, point: Point, rng: np.random.Generator, tolerance: float, exact: float
) -> list[Row]:
    """Compare dJ/dx and dh/dx of the kernels with the T-product, the tape and complex steps.

    Parameters
    ----------
    trainer : Trainer
    point : Point
    rng : Generator
        Chooses the inputs and outputs that are compared in a large network.
    tolerance, exact : float
        The largest relative error of a comparison with a kernel, and of one without.
    """
    network, dtype = trainer.network, trainer.dtype
    w, X, Y = (values.astype(dtype) for values in (point.w, point.X, point.Y))
    outputs = _some(network.sizes[-1], MOST_OUTPUTS, rng)
    stepped = _some(network.inputs, paths.affordable_steps(network), rng)
    every = np.arange(network.inputs)
    (n, n_0), n_out = point.X.shape, network.sizes[-1]
    found = paths.of_shape(
        trainer.input_gradient(w, X, Y, **paths.sample_weight(trainer, point)), (n, n_0), "input gradient"
    )
    jacobian = paths.of_shape(trainer.input_jacobian(w, X), (n, n_out, n_0), "input Jacobian")
    by_outputs = paths.cost_by_outputs(trainer, point)
    costs = [
        Way("delta recursion", found, every, True),
        Way("T-product", np.einsum("pq,pqj->pj", by_outputs, jacobian) / n, every, True),
        Way("plain NumPy (tape)", _tape_gradient(network, point), every),
        Way("complex step", _complex_gradient(network, point, stepped), stepped),
    ]
    predictions = [
        Way("T-product", jacobian[:, outputs], every, True),
        Way("plain NumPy (tape)", _tape_jacobian(network, point, outputs), every),
        Way("complex step", _complex_jacobian(network, point, outputs, stepped), stepped),
    ]
    of_cost = sizes_before_cancellation(lambda at: _tape_gradient(network, at), point, rng)
    of_output = sizes_before_cancellation(lambda at: _tape_jacobian(network, at, outputs), point, rng)
    result = []
    for quantity, ways, sizes in (
        ("input gradient", costs, of_cost),
        ("input Jacobian", predictions, of_output),
    ):
        scale = LAYER_SHARE * float(np.max(sizes))
        for a, b in itertools.combinations(ways, 2):
            allowed = tolerance if a.compiled or b.compiled else exact
            result.append(_row(quantity, a, b, scale, outputs, allowed))
    return result


def _row(quantity: str, a: Way, b: Way, scale: float, outputs: NDArray[np.int_], tolerance: float) -> Row:
    inputs, of_a, of_b = np.intersect1d(a.inputs, b.inputs, assume_unique=True, return_indices=True)
    errors = relative_errors(a.values[..., of_a], b.values[..., of_b], scale)
    error, flat = worst(errors)
    sample, *output, at = (int(x) for x in np.unravel_index(flat, errors.shape))
    of = f"h_{outputs[output[0]] + 1}" if output else "J"
    place = f"d{of}/dx_{inputs[at] + 1}, sample {sample + 1}"
    return Row(quantity, a.method, b.method, errors.size, error, place, tolerance)


def _tape_gradient(network: Network, point: Point) -> Floats:
    X = Variable(point.X)
    return gradient(plain.cost(network, point.w, X, point.Y, point.v), X)


def _tape_jacobian(network: Network, point: Point, outputs: NDArray[np.int_]) -> Floats:
    # The samples do not meet, so the sum over them keeps every derivative apart.
    X = Variable(point.X)
    H = plain.predict(network, point.w, X)
    return np.stack([gradient(np.sum(H[:, int(q)]), X) for q in outputs], axis=1)


def _complex_gradient(network: Network, point: Point, inputs: NDArray[np.int_]) -> Floats:
    values = np.empty((len(point.X), len(inputs)))
    for sample, column in np.ndindex(values.shape):
        X = point.X.astype(np.complex128)
        X[sample, inputs[column]] += 1j * paths.STEP
        values[sample, column] = plain.cost(network, point.w, X, point.Y, point.v).imag / paths.STEP
    return values


def _complex_jacobian(
    network: Network, point: Point, outputs: NDArray[np.int_], inputs: NDArray[np.int_]
) -> Floats:
    columns = []
    for position in inputs:
        X = point.X.astype(np.complex128)
        X[:, position] += 1j * paths.STEP  # in all samples at once, which do not meet
        columns.append(plain.predict(network, point.w, X)[:, outputs].imag / paths.STEP)
    return np.stack(columns, axis=-1)


def _some(size: int, most: int, rng: np.random.Generator) -> NDArray[np.int_]:
    """Return all positions, or as many as are affordable, ascending."""
    chosen: NDArray[Any] = np.arange(size) if size <= most else np.sort(rng.choice(size, most, replace=False))
    return chosen

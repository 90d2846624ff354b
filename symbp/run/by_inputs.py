"""Derivatives by the inputs, way against way: rows of the report of ``verify``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from symbp.network import Network
from symbp.run import paths, plain
from symbp.run.evaluate import Floats
from symbp.run.point import Point
from symbp.run.report import Row
from symbp.run.scale import LAYER_SHARE, sizes_before_cancellation
from symbp.run.tape import Variable, gradient
from symbp.run.trainer import Trainer
from symbp.run.ways import Way, pairs

# The tape walks back once for every output.
MOST_OUTPUTS = 20


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
    outputs = paths.some(np.arange(network.sizes[-1]), MOST_OUTPUTS, rng)
    stepped = paths.some(np.arange(network.inputs), paths.affordable_steps(network), rng)
    (n, n_0), n_out = point.X.shape, network.sizes[-1]
    found = paths.of_shape(
        trainer.input_gradient(w, X, Y, **paths.sample_weight(trainer, point)), (n, n_0), "input gradient"
    )
    jacobian = paths.of_shape(trainer.input_jacobian(w, X), (n, n_out, n_0), "input Jacobian")
    by_outputs = paths.cost_by_outputs(trainer, point)
    costs = [
        Way.whole("delta recursion", found, True),
        Way.whole("T-product", np.einsum("pq,pqj->pj", by_outputs, jacobian) / n, True),
        Way.whole("plain NumPy (tape)", _tape_gradient(network, point)),
        Way("complex step", _complex_gradient(network, point, stepped), stepped),
    ]
    predictions = [
        Way.whole("T-product", jacobian[:, outputs], True),
        Way.whole("plain NumPy (tape)", _tape_jacobian(network, point, outputs)),
        Way("complex step", _complex_jacobian(network, point, outputs, stepped), stepped),
    ]
    of_cost = sizes_before_cancellation(lambda at: _tape_gradient(network, at), point, rng)
    of_output = sizes_before_cancellation(lambda at: _tape_jacobian(network, at, outputs), point, rng)
    return [
        *_pairs("input gradient", costs, of_cost, outputs, tolerance, exact),
        *_pairs("input Jacobian", predictions, of_output, outputs, tolerance, exact),
    ]


def _pairs(
    quantity: str, ways: list[Way], sizes: Floats, outputs: NDArray[np.int_], tolerance: float, exact: float
) -> Iterator[Row]:
    scale = np.full(sizes.shape[-1], LAYER_SHARE * float(np.max(sizes)))

    def place(sample: int, *others: int) -> str:
        *output, at = others
        of = f"h_{outputs[output[0]] + 1}" if output else "J"
        return f"d{of}/dx_{at + 1}, sample {sample + 1}"

    return pairs(quantity, ways, scale, place, tolerance, exact)


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

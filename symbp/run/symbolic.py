"""A gradient that is given as SymPy matrices: its symbols, and a function that evaluates it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbp.errors import GradientError
from symbp.network import Network
from symbp.run.layouts import refuse_transposed
from symbp.values import shown


@dataclass(frozen=True)
class NetworkSymbols:
    """The symbols of one sample of a network.

    Attributes
    ----------
    W : tuple of sympy.Matrix
        W_k of shape (N_k, N_{k-1} + 1), entries ``w1_2_3``: layer 1, neuron 2, input 3; the
        bias is the last column.
    x, y : sympy.Matrix
        Columns of N_0 inputs and N_{L+1} targets.
    """

    W: tuple[sympy.Matrix, ...]
    x: sympy.Matrix
    y: sympy.Matrix


def network_symbols(network: Network) -> NetworkSymbols:
    """Return the symbols in which :func:`symbp.check_gradient` reads a SymPy gradient.

    Returns
    -------
    NetworkSymbols
        ``W[k - 1]`` is W_k, of shape (N_k, N_{k-1} + 1) with a bias; ``x`` and ``y`` are columns.

    Raises
    ------
    GradientError
        If `network` is no Network.
    """
    if not isinstance(network, Network):
        raise GradientError(f"network_symbols: {shown(network)} is no Network")

    def entry(name: str) -> sympy.Symbol:
        return sympy.Symbol(name, real=True)

    matrices = tuple(
        sympy.Matrix(rows, columns, lambda i, j, k=k: entry(f"w{k}_{i + 1}_{j + 1}"))
        for k, (rows, columns) in enumerate(network.shapes, 1)
    )
    x = sympy.Matrix([entry(f"x{i + 1}") for i in range(network.inputs)])
    y = sympy.Matrix([entry(f"y{i + 1}") for i in range(network.sizes[-1])])
    return NetworkSymbols(matrices, x, y)


def as_function(network: Network, gradient: Sequence[Any]) -> Callable[..., list[Any]]:
    """Return (weights, X, Y) -> [dJ/dW_k], averaged over the samples, of SymPy matrices.

    Raises
    ------
    GradientError
        If they are not one matrix per layer in the symbols of :func:`network_symbols`.
    """
    symbols = network_symbols(network)
    if isinstance(gradient, (str, bytes)) or not isinstance(gradient, Sequence):
        raise GradientError("expected a text, a function (weights, X, Y), or one SymPy matrix per layer")
    if len(gradient) != len(network.layers):
        raise GradientError(f"{len(gradient)} matrices: expected {len(network.layers)}, one per layer")
    refuse_transposed([getattr(matrix, "shape", ()) for matrix in gradient], network.shapes)
    known = {s for part in (*symbols.W, symbols.x, symbols.y) for s in part}
    for k, (matrix, shape) in enumerate(zip(gradient, network.shapes, strict=True), 1):
        if not isinstance(matrix, sympy.MatrixBase):
            raise GradientError(f"the gradient of W_{k} is {type(matrix).__name__}: expected a SymPy matrix")
        if matrix.shape != shape:
            hint = "; it is transposed" if matrix.shape == shape[::-1] else ""
            raise GradientError(f"the gradient of W_{k} has shape {matrix.shape}: expected {shape}{hint}")
        if unknown := sorted(map(str, matrix.free_symbols - known)):
            raise GradientError(
                f"the gradient of W_{k} contains {unknown[0]!r}: expected symbols of network_symbols(network)"
            )
    arguments = [*symbols.W, symbols.x, symbols.y]
    functions = [sympy.lambdify(arguments, matrix, "numpy", cse=True) for matrix in gradient]

    def function(weights: Any, X: Any, Y: Any) -> list[Any]:
        # Where a parameter is a matrix, lambdify's functions take its entries in a row.
        entries = [matrix.ravel() for matrix in weights]
        samples = list(zip(X, Y, strict=True))
        return [
            np.mean([np.asarray(f(*entries, *sample), dtype=float) for sample in samples], axis=0)
            for f in functions
        ]

    return function

"""The network written plainly: the forward pass and the cost in NumPy, nothing else.

This is the definition of the network, independent of the derivation, the plan and the
kernels, and the ground on which the oracles stand. The same lines run on float64 arrays,
on complex arrays (complex step) and on variables of the tape, because every branch is
decided by the real part of what it compares.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symbp.functions.parse import Total
from symbp.network import Network

# An ndarray of float64 or complex128, or a Variable of the tape: NumPy's own operations
# choose what happens.
AnyArray = Any
Z, H, Y, SHIFT = sympy.symbols("z h y mu", real=True)


def unpack(network: Network, w: AnyArray) -> list[AnyArray]:
    """Return W_1, ..., W_{L+1} of shape (N_k, M_k): row-major, in layer order, bias last."""
    matrices, start = [], 0
    for rows, columns in network.shapes:
        matrices.append(w[start : start + rows * columns].reshape(rows, columns))
        start += rows * columns
    return matrices


def weighted_sums(network: Network, k: int, matrix: AnyArray, o: AnyArray) -> AnyArray:
    """Return c^k, shape (n, N_k), of layer k with the outputs o^{k-1}, shape (n, N_{k-1}) (000, eq. 2.6)."""
    if not network.has_bias(k):
        return o @ matrix.T
    return o @ matrix[:, :-1].T + matrix[:, -1]


def activate(network: Network, k: int, c: AnyArray) -> AnyArray:
    """Return the outputs of layer k, shape (n, N_k), from its weighted sums (000, eq. 1.3 and 1.8)."""
    formula = network.layer(k).activation.expression()
    if is_shift_invariant(formula):
        # Softmax overflows for c > 709 as it stands, and has the same value after the shift.
        c = c - np.max(np.real(c), axis=-1, keepdims=True)
    return evaluate(formula, {Z: c})


def predict(network: Network, w: AnyArray, X: AnyArray) -> AnyArray:
    """Return the model's outputs h, shape (n, N_{L+1}), for flat weights w and inputs X, shape (n, N_0)."""
    o = X
    for k, matrix in enumerate(unpack(network, w), start=1):
        o = activate(network, k, weighted_sums(network, k, matrix, o))
    return o


def cost(network: Network, w: AnyArray, X: AnyArray, Y: AnyArray) -> AnyArray:
    """Return J: the cost summed over outputs and averaged over the n samples; targets of shape (n, N_{L+1})."""
    h = predict(network, w, X)
    return np.sum(evaluate(network.cost.expression(), {H: h, Y_SYMBOL: Y})) / X.shape[0]

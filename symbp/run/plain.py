"""The network written plainly: the forward pass and the cost in NumPy, nothing else.

This is the definition of the network, independent of the derivation, the plan and the
kernels, and the ground on which the oracles stand. The same lines run on float64 arrays,
on complex arrays (complex step) and on variables of the tape.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import sympy

from symbp.functions import Penalty
from symbp.functions.parse import Total
from symbp.network import Network
from symbp.run.evaluate import AnyArray, evaluate

Z, H, Y = sympy.symbols("z h y", real=True)


def unpack(network: Network, w: AnyArray) -> list[AnyArray]:
    """Return W_1, ..., W_{L+1} of shape (N_k, M_k): row-major, in layer order, bias last."""
    matrices, start = [], 0
    for rows, columns in network.shapes:
        matrices.append(w[start : start + rows * columns].reshape(rows, columns))
        start += rows * columns
    return matrices


def weighted_sums(network: Network, k: int, matrix: AnyArray, o: AnyArray) -> AnyArray:
    """Return c^k, shape (n, N_k), from W_k and the outputs of layer k - 1 (000, eq. 2.6)."""
    return o @ matrix[:, :-1].T + matrix[:, -1] if network.has_bias(k) else o @ matrix.T


def activate(network: Network, k: int, c: AnyArray) -> AnyArray:
    """Return the outputs of layer k from its weighted sums; both (n, N_k) (000, eq. 1.3 and 1.8)."""
    formula = network.layer(k).activation.expression()
    if is_shift_invariant(formula):
        # Softmax as it stands overflows at c = 710, and has the same value after a shift.
        c = c - np.max(np.real(c), axis=-1, keepdims=True)
    return evaluate(formula, {Z: c})


def layers(network: Network, w: AnyArray, X: AnyArray) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Yield the weighted sums and the outputs of layers k = 1, ..., L + 1.

    Parameters
    ----------
    network : Network
    w : array, shape (n_params,)
    X : array, shape (n, N_0)
    """
    o = X
    for k, matrix in enumerate(unpack(network, w), start=1):
        c = weighted_sums(network, k, matrix, o)
        o = activate(network, k, c)
        yield c, o


def predict(network: Network, w: AnyArray, X: AnyArray) -> AnyArray:
    """Return the predictions h, shape (n, N_{L+1})."""
    *_, (_, h) = layers(network, w, X)
    return h


def cost(
    network: Network,
    w: AnyArray,
    X: AnyArray,
    Y_rows: AnyArray,
    sample_weights: AnyArray = None,
    penalty: Penalty | None = None,
) -> AnyArray:
    """Return J: summed over the outputs, averaged over the n samples; targets of shape (n, N_{L+1}).

    A sample's cost is multiplied by its weight, shape (n,), where the network has such weights.
    With a penalty, that of every regular weight is added.
    """
    costs = evaluate(network.cost.expression(), {H: predict(network, w, X), Y: Y_rows})
    if network.weighted:
        costs = costs * sample_weights[:, None]
    data = np.sum(costs) / X.shape[0]
    return data if penalty is None else data + penalty_of(network, w, penalty)


def penalty_of(network: Network, w: AnyArray, penalty: Penalty) -> AnyArray:
    """Return the penalty of all regular weights; the last column of a layer with bias is free."""
    formula = penalty.expression()
    (symbol,) = formula.free_symbols
    parts = [
        np.sum(evaluate(formula, {symbol: matrix[:, : network.sizes[k]]}))
        for k, matrix in enumerate(unpack(network, w))
    ]
    return functools.reduce(lambda a, b: a + b, parts)


@functools.cache
def is_shift_invariant(formula: sympy.Expr) -> bool:
    """Return whether sigma(z - mu) = sigma(z) for a function of the whole layer, proved by SymPy.

    A sum over units may take the shift out as a factor: sum(exp(z - mu)) = exp(-mu) sum(exp(z)).
    """
    mu = sympy.Symbol("mu", real=True)
    totals = {total: sympy.Dummy("total") for total in formula.atoms(Total)}
    factors = {}
    for total, name in totals.items():
        summand = total.args[0]
        factor = sympy.simplify(summand.subs(Z, Z - mu) / summand)
        if factor.has(Z):
            return False
        factors[name] = factor * name
    unshifted = formula.xreplace(totals)
    shifted = unshifted.subs(Z, Z - mu).xreplace(factors)
    return bool(totals) and sympy.simplify(shifted - unshifted) == 0

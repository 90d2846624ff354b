"""The gradient as SymPy differentiates the whole cost: one composed expression, no chain rule of ours.

The expression of a network grows with the product of its widths (a network of 300
weights takes SymPy minutes), so this way is open to small networks only.
"""

from __future__ import annotations

from collections.abc import Iterator

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from symbp.functions.parse import Total
from symbp.network import Network
from symbp.run import plain
from symbp.run.plain import H, Y, Z
from symbp.run.point import Point

MAX_WEIGHTS = 60
MAX_NODES = 2000
DIGITS = 30


def why_not(network: Network) -> str | None:
    """Return why the network is too large for this way, or None if it is not."""
    if network.n_params > MAX_WEIGHTS:
        return f"{network.n_params:,} weights; the limit is {MAX_WEIGHTS}"
    nodes = tree_size(network)
    return f"an expression of {nodes:,} nodes; the limit is {MAX_NODES:,}" if nodes > MAX_NODES else None


def direct_gradient(network: Network, point: Point) -> NDArray[np.float64]:
    """Return dJ/dw, shape (n_params,), differentiated by SymPy and evaluated with 30 digits."""
    w = sympy.symbols(f"w:{network.n_params}", real=True)
    x = sympy.symbols(f"x:{network.inputs}", real=True)
    y = sympy.symbols(f"y:{network.sizes[-1]}", real=True)
    cost = _cost_of_one_sample(network, w, x, y)
    gradient = sympy.lambdify([w, x, y], [sympy.diff(cost, v) for v in w], "mpmath", cse=True)
    with mpmath.workdps(DIGITS):
        exact = [_exact(values) for values in (point.w, *point.X, *point.Y)]
        n = len(point.X)
        samples = zip(exact[1 : n + 1], exact[n + 1 :], strict=True)
        sums = [
            mpmath.fsum(v * term for v, term in zip(_exact(point.v), terms, strict=True)) / n
            for terms in zip(*(gradient(exact[0], *s) for s in samples), strict=True)
        ]
    return np.array([float(value) for value in sums]) + _penalty_gradient(network, point)


def _penalty_gradient(network: Network, point: Point) -> NDArray[np.float64]:
    """Return SymPy's derivative of the penalty by every weight; 0 for biases."""
    found = np.zeros_like(point.w)
    if point.penalty is None:
        return found
    formula = point.penalty.expression()
    (symbol,) = formula.free_symbols
    derivative = sympy.diff(formula, symbol)
    matrices = zip(plain.unpack(network, found), plain.unpack(network, point.w), network.sizes, strict=False)
    for into, weights, regular in matrices:
        for (i, j), w in np.ndenumerate(weights[:, :regular]):
            into[i, j] = float(derivative.subs(symbol, sympy.Float(float(w), DIGITS)).evalf(DIGITS))
    return found


def tree_size(network: Network) -> int:
    """Return the number of nodes of the composed cost's tree, without building it."""
    o = 1
    for k, (rows, columns) in enumerate(network.shapes, start=1):
        c = columns * (o + 2) + 1
        o = _nodes(network.layer(k).activation.expression(), rows, {Z: c})
    return network.sizes[-1] * _nodes(network.cost.expression(), 1, {H: o, Y: 1})


def _nodes(formula: sympy.Basic, units: int, sizes: dict[sympy.Symbol, int]) -> int:
    if formula.is_Symbol:
        return sizes[formula]
    copies = units if isinstance(formula, Total) else 1
    return 1 + copies * sum(_nodes(argument, units, sizes) for argument in formula.args)


def _cost_of_one_sample(
    network: Network, w: tuple[sympy.Symbol, ...], x: tuple[sympy.Symbol, ...], y: tuple[sympy.Symbol, ...]
) -> sympy.Expr:
    weights = iter(w)
    o: list[sympy.Expr] = list(x)
    for k, (rows, _) in enumerate(network.shapes, start=1):
        inputs = [*o, sympy.S.One] if network.has_bias(k) else o
        sums = [_weighted_sum(weights, inputs) for _ in range(rows)]
        o = _outputs(network.layer(k).activation.expression(), sums)
    formula = network.cost.expression()
    return sympy.Add(*(formula.subs({H: h, Y: t}, simultaneous=True) for h, t in zip(o, y, strict=True)))


def _weighted_sum(weights: Iterator[sympy.Symbol], inputs: list[sympy.Expr]) -> sympy.Expr:
    return sympy.Add(*(next(weights) * value for value in inputs))


def _outputs(formula: sympy.Expr, sums: list[sympy.Expr]) -> list[sympy.Expr]:
    """Return the layer's outputs: each Total is written out over the units."""
    totals = {total: sympy.Add(*(total.args[0].subs(Z, c) for c in sums)) for total in formula.atoms(Total)}
    return [formula.xreplace(totals).subs(Z, c) for c in sums]


def _exact(values: NDArray[np.float64]) -> list[mpmath.mpf]:
    return [mpmath.mpf(float(value)) for value in values]

"""The usual mistakes in a gradient written by hand, each as a change of the right equations.

A suspect is the gradient that one mistake gives. Mistakes of calculus are changes of an
equation of the derivation, from which the gradient is derived anew; mistakes of averaging
and of layout are changes of the right numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import KroneckerDelta

from symbp.algebra.nodes import ActivateDerivative, Node, q, r
from symbp.derivation.records import Derivation, equation
from symbp.errors import SymbpError
from symbp.network import Network
from symbp.plan.passes import make_plan
from symbp.run import interpret
from symbp.run.point import Point

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspect:
    """One mistake and the gradient that it gives, shape (n_params,)."""

    reason: str
    gradient: Floats


def suspects(derivation: Derivation, point: Point, right: Floats) -> Iterator[Suspect]:
    """Yield the suspects, the simplest mistakes first.

    Parameters
    ----------
    derivation : Derivation
        Of a network, unbroken.
    point : Point
    right : ndarray, shape (n_params,)
    """
    network = derivation.network
    assert network is not None
    yield Suspect("nothing but a constant factor", right)
    yield from _of_layout(network, right)
    yield from _of_samples(derivation, point)
    for reason, label, statement in _broken_equations(derivation, network):
        found = _gradient_with(derivation, label, statement, point)
        if found is not None:
            yield Suspect(f"{reason} (equation {label})", found)


def _gradient_with(derivation: Derivation, label: str, statement: Any, point: Point) -> Floats | None:
    """Derive the gradient anew with one equation changed; None where nothing follows from it."""
    try:
        program = make_plan(derivation.replace(label, statement))
        with np.errstate(all="ignore"):
            return interpret.gradient(program, point.w, point.X, point.Y, point.v)[1]
    except SymbpError:
        return None


# Mistakes of calculus: (reason, label, the equation with the mistake) --------------------

Broken = Iterator[tuple[str, str, Any]]


def _broken_equations(derivation: Derivation, network: Network) -> Broken:
    yield from _output(derivation)
    last = network.hidden + 1
    for layer in range(last - 1, 0, -1):
        label = f"D.5, k={layer}"
        statement = derivation[label].statement
        yield f"the factor g' is missing in delta of layer {layer}", label, _change(statement, _without_slope)
        at_output = _slope_at_output(network, layer)
        yield (
            f"g' of layer {layer} is taken at the output instead of the weighted sum",
            label,
            _change(statement, at_output),
        )
        if network.sizes[layer] == network.sizes[layer + 1]:
            swapped = _change(statement, _swapped)
            yield f"W_{layer + 1} is not transposed on the way back to layer {layer}", label, swapped
            if network.sizes[layer - 1] == network.sizes[layer]:
                yield (
                    f"W_{layer} stands where W_{layer + 1} belongs in delta of layer {layer}",
                    label,
                    _change(statement, _layer_before("w")),
                )
    yield from _all_hidden(derivation)
    for layer in range(last, 0, -1):
        label = f"D.6a, k={layer}"
        statement = derivation[label].statement
        if layer > 1:
            yield (
                f"the gradient of W_{layer} takes weighted sums of layer {layer - 1} instead of its outputs",
                label,
                _change(statement, _sums_for_outputs),
            )
        if network.sizes[layer - 1] == network.sizes[layer] and layer < last:
            yield (
                f"the gradient of W_{layer} is off by one layer: it takes the outputs of layer {layer}",
                label,
                _change(statement, _outputs_one_later),
            )


def _output(derivation: Derivation) -> Broken:
    slope = derivation["1.8d"].statement
    plain = equation(slope.lhs, KroneckerDelta(q, r))
    yield "the derivative of the output activation is missing in delta of the output layer", "1.8d", plain
    fused = derivation["D.1f"].statement
    layer = fused.lhs.layer
    own_slope = slope.rhs.subs(q, r)
    if own_slope != 1:
        yield (
            "the derivative of the output activation is once too often in delta of the output layer",
            "D.1f",
            equation(fused.lhs, fused.rhs * own_slope),
        )
    difference = Node("h", layer, (r,)) - Node("y", layer, (r,))
    if fused.rhs != difference:
        yield (
            "delta of the output layer is h - y, which belongs to another cost",
            "D.1f",
            equation(fused.lhs, difference),
        )


def _all_hidden(derivation: Derivation) -> Broken:
    if "D.5, k=2" in derivation:  # with one hidden layer it is the case above
        general = derivation["D.5"].statement
        yield (
            "the factor g' is missing in delta of every hidden layer",
            "D.5",
            _change(general, _without_slope),
        )


def _change(statement: Any, change: Callable[[Any], Any]) -> Any:
    return equation(statement.lhs, change(statement.rhs))


def _without_slope(expr: Any) -> Any:
    return expr.replace(ActivateDerivative, lambda layer, argument: sympy.S.One)


def _slope_at_output(network: Network, layer: int) -> Callable[[Any], Any]:
    formula = network.layer(layer).activation.expression()
    (z,) = formula.free_symbols or {sympy.Symbol("z", real=True)}
    slope = sympy.diff(formula, z)

    def change(expr: Any) -> Any:
        return expr.replace(
            ActivateDerivative, lambda at, argument: slope.subs(z, Node("o", at, argument.indices))
        )

    return change


def _nodes(kind: str, change: Callable[[Node], Any]) -> Callable[[Any], Any]:
    return lambda expr: expr.replace(lambda e: isinstance(e, Node) and e.kind == kind, change)


_swapped = _nodes("w", lambda e: Node("w", e.layer, e.indices[::-1]))
_sums_for_outputs = _nodes("o", lambda e: Node("c", e.layer, e.indices, e.sample))
_outputs_one_later = _nodes("o", lambda e: Node("o", e.layer + 1, e.indices, e.sample))


def _layer_before(kind: str) -> Callable[[Any], Any]:
    return _nodes(kind, lambda e: Node(kind, e.layer - 1, e.indices))


# Mistakes of averaging -------------------------------------------------------------------


def _of_samples(derivation: Derivation, point: Point) -> Iterator[Suspect]:
    if len(point.X) == 1:
        return
    program = make_plan(derivation)
    if np.any(point.v != 1):
        _, plain = interpret.gradient(program, point.w, point.X, point.Y)
        yield Suspect("the weights of the samples are left out", plain)
    for name, sample in (("first", slice(0, 1)), ("last", slice(-1, None))):
        _, alone = interpret.gradient(program, point.w, point.X[sample], point.Y[sample], point.v[sample])
        yield Suspect(f"only the {name} sample counts", alone)


# Mistakes of layout ----------------------------------------------------------------------


def _of_layout(network: Network, right: Floats) -> Iterator[Suspect]:
    matrices = _matrices(network, right)
    yield Suspect(
        "the matrices are flattened column by column instead of row by row",
        np.concatenate([matrix.ravel(order="F") for matrix in matrices]),
    )
    for layer, matrix in enumerate(matrices, 1):
        if matrix.shape[0] == matrix.shape[1] - int(network.has_bias(layer)) > 1:
            turned = [m.copy() for m in matrices]
            turned[layer - 1][:, : len(matrix)] = matrix[:, : len(matrix)].T
            yield Suspect(f"the gradient of W_{layer} is transposed", _flat(turned))
    biased = [network.has_bias(layer) for layer in range(1, len(matrices) + 1)]
    if any(biased):
        first = [np.roll(m, 1, axis=1) if b else m for m, b in zip(matrices, biased, strict=True)]
        yield Suspect("the bias is the first column of each W instead of the last", _flat(first))
        none = [
            m * np.append(np.ones(m.shape[1] - 1), 0) if b else m
            for m, b in zip(matrices, biased, strict=True)
        ]
        yield Suspect("the gradients of the biases are 0", _flat(none))
        apart = [*(m[:, :-1] if b else m for m, b in zip(matrices, biased, strict=True))]
        apart += [m[:, -1:] for m, b in zip(matrices, biased, strict=True) if b]
        yield Suspect("all biases stand behind all other weights", _flat(apart))
    if len(matrices) > 1:
        yield Suspect("the layers stand in reverse order", _flat(matrices[::-1]))


def _matrices(network: Network, flat: Floats) -> list[Floats]:
    parts = np.split(flat, np.cumsum([rows * columns for rows, columns in network.shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, network.shapes, strict=True)]


def _flat(matrices: list[Floats]) -> Floats:
    return np.concatenate([matrix.ravel() for matrix in matrices])


# A penalty that one side has and the other has not ----------------------------------------


@dataclass(frozen=True)
class Penalty:
    """Where the difference to the right gradient is a multiple of the weights."""

    where: str
    strength: float


def penalty(network: Network, w: Floats, difference: Floats, floor: float) -> Penalty | None:
    """Return the penalty on the squared weights that explains a difference, if one does.

    Parameters
    ----------
    difference : ndarray, shape (n_params,)
        Given gradient minus right gradient.
    floor : float
        The size of rounding errors in it.
    """
    is_bias = np.concatenate(
        [
            np.tile(np.arange(columns) == columns - 1, rows) & network.has_bias(layer)
            for layer, (rows, columns) in enumerate(network.shapes, 1)
        ]
    )
    everything = np.ones_like(is_bias)
    for where, mask in (
        ("the biases", is_bias),
        ("all weights but the biases", ~is_bias),
        ("all weights, the biases too", everything),
    ):
        size = float(w[mask] @ w[mask])
        if not size:
            continue
        strength = float(difference[mask] @ w[mask]) / size
        if abs(strength) > floor and np.max(np.abs(difference - strength * np.where(mask, w, 0.0))) <= floor:
            return Penalty(where, strength)
    return None


def scaled(suspect: Suspect, factor: float) -> Suspect:
    """Return the suspect times a factor."""
    return dataclasses.replace(suspect, gradient=factor * suspect.gradient)

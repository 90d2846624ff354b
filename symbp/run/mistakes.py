"""The usual mistakes in a gradient written by hand, each as a change of the right equations.

A suspect is the gradient that one mistake gives. Mistakes of calculus are changes of equations
of the derivation, from which the gradient is derived anew: in one layer, and in all of them at
once. Mistakes of averaging and of layout are changes of the right numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import KroneckerDelta

from symbp.algebra.nodes import ActivateDerivative, Node, q, r
from symbp.derivation.records import Derivation, equation
from symbp.errors import SymbpError
from symbp.network import Network
from symbp.plan.passes import make_plan
from symbp.plan.program import Program
from symbp.run import interpret
from symbp.run.evaluate import Floats
from symbp.run.mistakes_of_layout import of_layout
from symbp.run.mistakes_of_parts import biases_of
from symbp.run.mistakes_of_slopes import Suspect, costs_of_others, is_of_layer, slopes_of_others
from symbp.run.point import Point
from symbp.run.reference import Reference

# The statements that a mistake changes, by label.
Changed = Mapping[str, Any]


def of_numbers(derivation: Derivation, point: Point, right: Floats) -> Iterator[Suspect]:
    """Yield what changes of the right numbers give: a constant factor, another layout, other samples.

    Parameters
    ----------
    derivation : Derivation
        Of a network, unbroken.
    point : Point
    right : ndarray, shape (n_params,)
    """
    assert derivation.network is not None
    yield Suspect("nothing but a constant factor", right)
    for reason, found in of_layout(derivation.network, right):
        yield Suspect(reason, found)
    yield from _of_samples(derivation, point)


def calculus(right: Reference, layers: tuple[int, ...]) -> Iterator[Suspect]:
    """Yield what mistakes of calculus give, the simplest first.

    Parameters
    ----------
    right : Reference
    layers : tuple of int
        The layers with wrong derivatives: a mistake in delta of a layer shows in it and below, one
        in the derivatives by its weights in it alone.
    """
    derivation, network, point = right.derivation, right.network, right.point
    for reason, changed in _broken_equations(derivation, network, layers):
        found = _gradient_with(changed, right)
        if found is not None:
            labels = _few(tuple(changed))
            yield Suspect(f"{reason} (equation{'s' if len(changed) > 1 else ''} {labels})", found)
    yield from slopes_of_others(network, point, layers)
    yield from costs_of_others(network, point)
    yield from _without_biases(derivation, point)


def _few(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) if len(labels) <= 3 else f"{labels[0]} to {labels[-1]}"


def _gradient_with(changed: Changed, right: Reference) -> Floats | None:
    """Derive the gradient anew with equations changed; None where nothing follows from them."""
    key, p = frozenset(changed.items()), right.point
    if key not in right.wrong:
        right.wrong[key] = _program_with(changed, right.derivation)
    if (program := right.wrong[key]) is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return interpret.gradient(program, p.w, p.X, p.Y, p.v)[1]
    except SymbpError:
        return None


def _program_with(changed: Changed, derivation: Derivation) -> Program | None:
    try:
        return make_plan(derivation.replaced(changed))
    except SymbpError:
        return None


# Mistakes of calculus: (reason, the equations with the mistake) ------------------------------

Broken = Iterator[tuple[str, Changed]]
Change = Callable[[Any], Any]  # of a right side
# (derivation, network, layer) -> the changed statements; None where shapes do not allow it.
Breaks = Callable[[Derivation, Network, int], Changed | None]


@dataclass(frozen=True)
class Kind:
    """A mistake that can be made in any layer.

    Attributes
    ----------
    one : str
        What it is in layer {k}; {before} and {after} are its neighbours.
    all : str
        What it is in every layer at once.
    change : callable
    """

    one: str
    all: str
    change: Breaks


def _broken_equations(derivation: Derivation, network: Network, layers: tuple[int, ...]) -> Broken:
    yield from _output(derivation)
    last = network.hidden + 1
    for kind in KINDS:
        found = {}
        for layer in range(last, 0, -1):
            changed = kind.change(derivation, network, layer)
            if changed is not None:
                found[layer] = changed
                if layers[-1:] == (layer,):
                    yield kind.one.format(k=layer, before=layer - 1, after=layer + 1), changed
        if len(found) > 1:
            yield kind.all, {label: s for changed in found.values() for label, s in changed.items()}
    if network.hidden:
        slopes = {layer: _no_slope(derivation, network, layer) or {} for layer in range(1, last)}
        everywhere = {label: s for changed in slopes.values() for label, s in changed.items()}
        yield (
            "the factor g' is missing in delta of every layer, the output layer too",
            everywhere | {"1.8d": _plain_output(derivation)},
        )


def _output(derivation: Derivation) -> Broken:
    slope = derivation["1.8d"].statement
    words = "the derivative of the output activation is missing in delta of the output layer"
    yield words, {"1.8d": _plain_output(derivation)}
    fused = derivation["D.1f"].statement
    layer = fused.lhs.layer
    own_slope = slope.rhs.subs(q, r)
    if own_slope != 1:
        yield (
            "the derivative of the output activation is once too often in delta of the output layer",
            {"D.1f": equation(fused.lhs, fused.rhs * own_slope)},
        )
    diagonal = KroneckerDelta(q, r) * own_slope
    if sympy.expand(diagonal - slope.rhs) != 0 and not slope.rhs.has(ActivateDerivative):
        yield (
            "of the derivative of the output activation only the diagonal is taken",
            {"1.8d": equation(slope.lhs, diagonal)},
        )
    difference = Node("h", layer, (r,)) - Node("y", layer, (r,))
    if fused.rhs != difference:
        yield (
            "delta of the output layer is h - y, which belongs to another cost",
            {"D.1f": equation(fused.lhs, difference)},
        )


def _plain_output(derivation: Derivation) -> Any:
    return equation(derivation["1.8d"].statement.lhs, KroneckerDelta(q, r))


# One kind of mistake in any layer --------------------------------------------------------


def _in_delta(find: Callable[[Derivation, Network, int], Change | None]) -> Breaks:
    """Return what changes delta of a hidden layer: by what is found for the layer, if anything is."""

    def made(derivation: Derivation, network: Network, layer: int) -> Changed | None:
        change = find(derivation, network, layer) if layer <= network.hidden else None
        label = f"D.5, k={layer}"
        return None if change is None else {label: _changed(derivation[label].statement, change)}

    return made


def _changed(statement: Any, change: Change) -> Any:
    return equation(statement.lhs, change(statement.rhs))


def _nodes(kind: str, change: Callable[[Node], Any]) -> Change:
    return lambda expr: expr.replace(lambda e: isinstance(e, Node) and e.kind == kind, change)


def _slopes(put: Callable[[Any, Any], Any]) -> Change:
    """Return what puts something, made of layer and weighted sum, in place of g'."""
    return lambda expr: expr.replace(ActivateDerivative, put)


_no_slope = _in_delta(lambda *where: _slopes(lambda layer, argument: sympy.S.One))
_value_for_slope = _in_delta(lambda *where: _slopes(lambda layer, argument: argument.but("o")))


def _slope_of(formula: Any, kind: str, by: int = 0) -> Change:
    """Return what puts the derivative of a formula, at weighted sums or outputs, in place of g'.

    They are those of the layer itself, or of the one that comes so many layers later.
    """
    (z,) = formula.free_symbols or {sympy.Symbol("z", real=True)}
    slope = sympy.diff(formula, z)
    return _slopes(lambda layer, argument: slope.subs(z, Node(kind, layer + by, argument.indices)))


@_in_delta
def _slope_at_output(derivation: Derivation, network: Network, layer: int) -> Change:
    return _slope_of(network.layer(layer).activation.expression(), "o")


@_in_delta
def _slope_in_outputs_at_sum(derivation: Derivation, network: Network, layer: int) -> Change | None:
    """Return what gives g', written in terms of the output, the weighted sum: 1 - c^2 for tanh."""
    slope = derivation[f"1.3d, k={layer}"].statement.rhs
    if not any(node.kind == "o" for node in slope.atoms(Node)):
        return None
    at_sum = _nodes("o", lambda e: e.but("c"))(slope)
    (index,) = {index for node in slope.atoms(Node) for index in node.indices}
    return _slopes(lambda k, argument: at_sum.xreplace({index: argument.indices[0]}))


def _slope_of_layer(by: int) -> Breaks:
    """Return what takes g' of another layer, at the weighted sums of that layer."""

    def found(derivation: Derivation, network: Network, layer: int) -> Change | None:
        other, sizes = layer + by, network.sizes
        if other < 1 or sizes[other] != sizes[layer] or is_of_layer(network, other):
            return None
        return _slope_of(network.layer(other).activation.expression(), "c", by)

    return _in_delta(found)


@_in_delta
def _not_transposed(derivation: Derivation, network: Network, layer: int) -> Change | None:
    square = network.sizes[layer] == network.sizes[layer + 1]
    return _nodes("w", lambda e: e.but(indices=e.indices[::-1])) if square else None


@_in_delta
def _weights_before(derivation: Derivation, network: Network, layer: int) -> Change | None:
    alike = len(set(network.sizes[layer - 1 : layer + 2])) == 1
    return _nodes("w", lambda e: e.but(layer=e.layer - 1)) if alike else None


def _inputs(change: Callable[[Node], Any], fits: Callable[[Network, int], bool]) -> Breaks:
    """Return what changes the outputs in the gradient of the weights."""

    def made(derivation: Derivation, network: Network, layer: int) -> Changed | None:
        if not fits(network, layer):
            return None
        label = f"D.6a, k={layer}"
        return {label: _changed(derivation[label].statement, _nodes("o", change))}

    return made


def _sensitivities(by: int) -> Breaks:
    """Return what takes delta of another layer in the gradient of weights and biases."""

    def made(derivation: Derivation, network: Network, layer: int) -> Changed | None:
        sizes, other = network.sizes, layer + by
        if not 1 <= other < len(sizes) or sizes[layer] != sizes[other]:
            return None
        change = _nodes("delta", lambda e: e.but(layer=e.layer + by))
        labels = [f"D.6a, k={layer}", *(f"D.6b, k={layer}" for _ in range(network.has_bias(layer)))]
        return {label: _changed(derivation[label].statement, change) for label in labels}

    return made


KINDS = (
    Kind(
        "the factor g' is missing in delta of layer {k}",
        "the factor g' is missing in delta of every hidden layer",
        _no_slope,
    ),
    Kind(
        "g' of layer {k} is taken at the output instead of the weighted sum",
        "g' is taken at the outputs instead of the weighted sums in every hidden layer",
        _slope_at_output,
    ),
    Kind(
        "g stands in place of g' in delta of layer {k}",
        "g stands in place of g' in delta of every hidden layer",
        _value_for_slope,
    ),
    Kind(
        "g' of layer {k} is written in terms of the output, and is given the weighted sum",
        "g' is written in terms of the outputs, and is given the weighted sums in every hidden layer",
        _slope_in_outputs_at_sum,
    ),
    Kind(
        "g' of layer {after} stands in place of g' of layer {k}: it is off by one layer",
        "g' is off by one layer in every delta: that of the next layer for that of the layer itself",
        _slope_of_layer(+1),
    ),
    Kind(
        "g' of layer {before} stands in place of g' of layer {k}: it is off by one layer",
        "g' is off by one layer in every delta: that of the layer before for that of the layer itself",
        _slope_of_layer(-1),
    ),
    Kind(
        "W_{after} is not transposed on the way back to layer {k}",
        "no W is transposed on the way back",
        _not_transposed,
    ),
    Kind(
        "W_{k} stands where W_{after} belongs in delta of layer {k}",
        "W is off by one layer in every delta: that of the layer itself for that of the next",
        _weights_before,
    ),
    Kind(
        "the gradient of W_{k} takes weighted sums of layer {before} instead of its outputs",
        "the gradients of all W take weighted sums instead of outputs",
        _inputs(lambda e: e.but("c"), lambda network, layer: layer > 1),
    ),
    Kind(
        "the gradient of W_{k} is off by one layer: it takes the outputs of layer {k}",
        "the gradients of all W are off by one layer: they take the outputs of the layer itself",
        _inputs(
            lambda e: e.but(layer=e.layer + 1),
            lambda network, layer: (
                layer <= network.hidden and network.sizes[layer - 1] == network.sizes[layer]
            ),
        ),
    ),
    Kind(
        "the gradient of W_{k} is off by one layer: it takes the outputs two layers before",
        "the gradients of all W are off by one layer: they take the outputs two layers before",
        _inputs(
            lambda e: e.but(layer=e.layer - 1),
            lambda network, layer: layer > 1 and network.sizes[layer - 1] == network.sizes[layer - 2],
        ),
    ),
    Kind(
        "the gradient of W_{k} is off by one layer: it takes delta of layer {after}",
        "the gradients of all W are off by one layer: they take delta of the next layer",
        _sensitivities(+1),
    ),
    Kind(
        "the gradient of W_{k} is off by one layer: it takes delta of layer {before}",
        "the gradients of all W are off by one layer: they take delta of the layer before",
        _sensitivities(-1),
    ),
)


def _without_biases(derivation: Derivation, point: Point) -> Iterator[Suspect]:
    """The weighted sums are computed without the biases."""
    assert derivation.network is not None
    biases = biases_of(derivation.network)
    if biases.any():
        w = np.where(biases, 0.0, point.w)
        _, found = interpret.gradient(make_plan(derivation), w, point.X, point.Y, point.v)
        yield Suspect("the biases are left out of the weighted sums", found)


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

"""Is a gradient that somebody else wrote down right, and if not, what is likely wrong with it?

::

    given gradient + right gradient at random points --> comparison --> suspects --> report
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.derivation.derive import derive
from symbp.errors import DerivationError, GradientError
from symbp.network import Network
from symbp.plan.passes import make_plan
from symbp.run import interpret, plain
from symbp.run.paths import plain_tape
from symbp.run.point import Point, random_point
from symbp.run.report import name_of_weight, relative_errors
from symbp.run.scale import gradient_scale
from symbp.run.suspects import penalty, suspects
from symbp.run.symbolic import as_function

Floats = NDArray[np.float64]
LISTED = 5  # worst weights in the report
# Two ways that share nothing but the network give the right gradient; they must agree.
AGREEMENT = 1e-10

GradientFunction = Callable[..., Any]


@dataclass(frozen=True)
class Difference:
    """One weight at which the gradients differ.

    Attributes
    ----------
    weight : str
        Such as ``w^2_1,4``: layer 2, neuron 1, input 4.
    given, right : float
    error : float
        Relative to the size of the gradient of the weight's layer.
    """

    weight: str
    given: float
    right: float
    error: float


@dataclass(frozen=True)
class GradientReport:
    """The result of :func:`check_gradient`.

    Attributes
    ----------
    ok : bool
    compared : int
        How many derivatives were compared.
    error, tolerance : float
        The worst relative error, and the largest that is accepted.
    worst : tuple of Difference
        The weights with the largest errors, worst first; empty if all are right.
    layers : tuple of int
        The layers with wrong derivatives, counted from 1.
    reason : str or None
        The likeliest mistake: the one that gives just these numbers; None if none does.
    """

    ok: bool
    compared: int
    error: float
    tolerance: float
    worst: tuple[Difference, ...] = ()
    layers: tuple[int, ...] = ()
    reason: str | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"right: {self.compared:,} derivatives, worst relative error {self.error:.1e}"
        lines = [
            f"wrong: worst relative error {self.error:.1e}, tolerance {self.tolerance:.0e}, "
            f"in {_layers(self.layers)} of {self.compared:,} derivatives compared"
        ]
        head = f"  {'weight':<16}{'given':>16}{'right':>16}{'error':>10}"
        lines += [head]
        lines += [f"  {d.weight:<16}{d.given:>16.8g}{d.right:>16.8g}{d.error:>10.1e}" for d in self.worst]
        if self.reason is None:
            lines.append("no mistake that symbp knows gives these numbers")
        else:
            lines.append(f"likeliest reason: {self.reason}")
        return "\n".join(lines)


def check_gradient(
    network: Network,
    gradient: GradientFunction | Sequence[Any],
    *,
    layout: str = "matrices",
    samples: int = 5,
    seed: int = 0,
    tolerance: float = 1e-6,
) -> GradientReport:
    """Compare a gradient of your own with the derived one at a random point.

    Parameters
    ----------
    network : Network
        Whose cost J, averaged over the samples, is meant.
    gradient : callable or sequence of sympy.Matrix
        A function (weights, X, Y) -> gradient with X of shape (n, N_0) and Y of shape
        (n, N_{L+1}); or dJ/dW_k of one sample for every layer, as SymPy matrices in the
        symbols of :func:`symbp.network_symbols`.
    layout : {"matrices", "separate", "flat"}
        What the function takes as weights and returns: a list [W_1, ...] of shape
        (N_k, N_{k-1} + 1) with the bias as last column; a list of pairs (W_k, b_k); or one
        flat vector (n_params,) of the matrices, row by row.
    samples : int
        n.
    seed : int
    tolerance : float
        The largest relative error that is accepted.

    Returns
    -------
    GradientReport
        ``report.ok``; ``print(report)`` names the worst weights and the likeliest mistake.

    Raises
    ------
    GradientError
        If the function fails, or what it returns does not have the shape of the weights.
    DerivationError
        If the derivation itself disagrees with automatic differentiation.
    """
    if layout not in LAYOUTS:
        raise GradientError(f"layout = {layout!r}: expected one of {', '.join(LAYOUTS)}")
    if samples < 1:
        raise GradientError(f"samples = {samples}: expected at least 1")
    if network.weighted:
        raise GradientError("the network has sample weights: check the gradient of the same network without")
    rng = np.random.default_rng(seed)
    start = rng.normal(scale=0.5, size=network.n_params)
    point = random_point(network, start, np.dtype(np.float64), rng, samples)
    derivation = derive(network)
    right = interpret.gradient(make_plan(derivation), point.w, point.X, point.Y)[1]
    scale = gradient_scale(network, point, rng)
    if np.max(relative_errors(right, plain_tape(network, point).values, scale)) > AGREEMENT:
        raise DerivationError("the derivation disagrees with automatic differentiation; please report it")

    function = gradient if callable(gradient) else as_function(network, gradient)
    given = _given(network, function, "matrices" if not callable(gradient) else layout, point)
    errors = relative_errors(given, right, scale)
    bad = ~(errors <= tolerance)  # a NaN is bad
    worst = np.argsort(-np.nan_to_num(errors, nan=np.inf), kind="stable")
    error = float(errors[worst[0]])
    if not bad.any():
        return GradientReport(True, len(errors), error, tolerance)
    differences = tuple(
        Difference(name_of_weight(network, int(n)), float(given[n]), float(right[n]), float(errors[n]))
        for n in worst[:LISTED]
        if bad[n]
    )
    reason = None
    if np.isfinite(given).all():
        reason = _reason(derivation, point, given, right, scale, tolerance)
    else:
        reason = "a value that is not finite"
    return GradientReport(
        False, len(errors), error, tolerance, differences, _wrong_layers(network, bad), reason
    )


def _reason(
    derivation: Any, point: Point, given: Floats, right: Floats, scale: Floats, tolerance: float
) -> str | None:
    """Return the first mistake whose gradient is the given one, perhaps times a constant."""
    network = derivation.network
    floor = tolerance * float(np.max(scale))
    if (found := penalty(network, point.w, given - right, floor)) is not None:
        return (
            f"the derivative of a penalty on {found.where} stands in it: "
            f"{found.strength:.6g} times the weight is added"
        )
    for suspect in suspects(derivation, point, right):
        size = float(suspect.gradient @ suspect.gradient)
        if not size or suspect.gradient.shape != given.shape:
            continue
        factor = float(given @ suspect.gradient) / size
        if not factor or np.max(relative_errors(given, factor * suspect.gradient, scale)) > tolerance:
            continue
        return _with_factor(suspect.reason, factor, suspect.gradient is right, point)
    return None


def _with_factor(reason: str, factor: float, only_factor: bool, point: Point) -> str:
    samples, outputs = point.Y.shape
    known = {
        -1.0: "the sign is wrong",
        2.0: "a factor 2 too much",
        0.5: "a factor 1/2 too much",
        float(samples): "the factor 1/m is missing: a sum over the samples instead of their mean",
        1 / samples: "the factor 1/m stands in it twice",
        1 / outputs: "it is averaged over the outputs, where the cost sums over them",
    }
    words = next((text for value, text in known.items() if abs(factor - value) < 1e-6 * abs(value)), None)
    if words is None:
        words = f"it is {factor:.6g} times the right one"
    if only_factor:
        return words
    return reason if abs(factor - 1) < 1e-6 else f"{reason}; and {words}"


# What goes in and comes out ---------------------------------------------------------------


def _given(network: Network, function: GradientFunction, layout: str, point: Point) -> Floats:
    weights = LAYOUTS[layout][0](network, point.w.copy())
    try:
        returned = function(weights, point.X.copy(), point.Y.copy())
    except Exception as error:
        raise GradientError(f"the gradient function failed: {type(error).__name__}: {error}") from error
    return LAYOUTS[layout][1](network, returned)


def _to_matrices(network: Network, w: Floats) -> Any:
    return plain.unpack(network, w)


def _to_pairs(network: Network, w: Floats) -> Any:
    matrices = plain.unpack(network, w)
    return [
        (matrix[:, :-1], matrix[:, -1]) if network.has_bias(k) else (matrix, None)
        for k, matrix in enumerate(matrices, 1)
    ]


def _from_flat(network: Network, returned: Any) -> Floats:
    return _array(returned, (network.n_params,), "the gradient")


def _from_matrices(network: Network, returned: Any) -> Floats:
    parts = _parts(network, returned, "one matrix per layer")
    return np.concatenate(
        [
            _array(part, shape, f"the gradient of W_{k}").ravel()
            for k, (part, shape) in enumerate(zip(parts, network.shapes, strict=True), 1)
        ]
    )


def _from_pairs(network: Network, returned: Any) -> Floats:
    rows = []
    for k, (part, shape) in enumerate(
        zip(_parts(network, returned, "one pair (dW, db) per layer"), network.shapes, strict=True), 1
    ):
        if not isinstance(part, (tuple, list)) or len(part) != 2:
            raise GradientError(f"layer {k}: expected a pair (dW, db), got {type(part).__name__}")
        if network.has_bias(k):
            regular = _array(part[0], (shape[0], shape[1] - 1), f"the gradient of W_{k}")
            bias = _array(part[1], (shape[0],), f"the gradient of b_{k}")
            rows.append(np.column_stack([regular, bias]).ravel())
        else:
            rows.append(_array(part[0], shape, f"the gradient of W_{k}").ravel())
    return np.concatenate(rows)


def _parts(network: Network, returned: Any, expected: str) -> list[Any]:
    if not isinstance(returned, (list, tuple)) or len(returned) != len(network.layers):
        found = f"{len(returned)} parts" if isinstance(returned, (list, tuple)) else type(returned).__name__
        raise GradientError(f"the gradient function returned {found}: expected a list, {expected}")
    return list(returned)


def _array(value: Any, shape: tuple[int, ...], what: str) -> Floats:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise GradientError(f"{what} is {type(value).__name__}: expected numbers of shape {shape}") from None
    if array.shape != shape:
        hint = "; it is transposed" if array.T.shape == shape and array.ndim == 2 else ""
        raise GradientError(f"{what} has shape {array.shape}: expected {shape}{hint}")
    return array


LAYOUTS: dict[str, tuple[Callable[[Network, Floats], Any], Callable[[Network, Any], Floats]]] = {
    "matrices": (_to_matrices, _from_matrices),
    "separate": (_to_pairs, _from_pairs),
    "flat": (lambda network, w: w, _from_flat),
}


def _wrong_layers(network: Network, bad: NDArray[np.bool_]) -> tuple[int, ...]:
    ends = np.cumsum([rows * columns for rows, columns in network.shapes])
    return tuple(k for k, part in enumerate(np.split(bad, ends[:-1]), 1) if part.any())


def _layers(numbers: tuple[int, ...]) -> str:
    return f"layer{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"

"""What a gradient of somebody else takes and returns: weights and gradient, in three layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symbp.errors import GradientError
from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats
from symbp.run.point import Point

GradientFunction = Callable[..., Any]


def of_function(network: Network, function: GradientFunction, layout: str, point: Point) -> Floats:
    """Return the gradient that a function gives at a point, as a flat vector.

    Raises
    ------
    GradientError
        If the function fails, or what it returns does not have the shape of the weights.
    """
    weights = LAYOUTS[layout][0](network, point.w.copy())
    data = (point.X.copy(), point.Y.copy(), *([point.v.copy()] if network.weighted else []))
    try:
        returned = function(weights, *data)
    except Exception as error:
        said = " ".join(str(error).split())  # theirs may have several lines
        raise GradientError(f"the gradient function failed: {type(error).__name__}: {said}") from error
    return LAYOUTS[layout][1](network, returned)


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
    refuse_transposed([np.shape(part) for part in parts], network.shapes)
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


def refuse_transposed(found: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]]) -> None:
    """Say so at once where the gradients of several layers are transposed.

    Raises
    ------
    GradientError
    """
    turned = [
        k for k, (a, b) in enumerate(zip(found, expected, strict=True), 1) if a != b and a[::-1] == tuple(b)
    ]
    if len(turned) > 1:
        first = turned[0] - 1
        raise GradientError(
            f"the gradients of {', '.join(f'W_{k}' for k in turned)} are transposed: "
            f"that of W_{turned[0]} has shape {found[first]}, expected {expected[first]}"
        )


def _array(value: Any, shape: tuple[int, ...], what: str) -> Floats:
    try:
        given = np.asarray(value)
        array = given.real.astype(np.float64)
    except (TypeError, ValueError):
        raise GradientError(f"{what} is {type(value).__name__}: expected numbers of shape {shape}") from None
    if np.iscomplexobj(given):
        raise GradientError(f"{what} is complex: expected real numbers of shape {shape}")
    if array.shape != shape:
        hint = "; it is transposed" if array.T.shape == shape and array.ndim == 2 else ""
        raise GradientError(f"{what} has shape {array.shape}: expected {shape}{hint}")
    return array


LAYOUTS: dict[str, tuple[Callable[[Network, Floats], Any], Callable[[Network, Any], Floats]]] = {
    "matrices": (plain.unpack, _from_matrices),
    "separate": (_to_pairs, _from_pairs),
    "flat": (lambda network, w: w, _from_flat),
}

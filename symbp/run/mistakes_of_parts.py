"""Parts of a gradient, the weights and the biases of each layer: what a mistake may be confined to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbp.network import Network
from symbp.run import plain
from symbp.run.evaluate import Floats

Mask = NDArray[np.bool_]
ROUND = 1e-6


def parts_of(network: Network) -> Iterator[tuple[str, Mask]]:
    """Yield the weights without biases, and the biases, of every layer, each with where they stand."""
    for k, inputs in enumerate(network.sizes[:-1], 1):
        for name, columns in (("weights", slice(None, inputs)), ("biases", slice(inputs, None))):
            mask = np.zeros(network.n_params, dtype=bool)
            plain.unpack(network, mask)[k - 1][:, columns] = True
            if mask.any():
                yield f"the {name} of layer {k}", mask


def biases_of(network: Network) -> Mask:
    """Return where the biases of all layers stand."""
    found = np.zeros(network.n_params, dtype=bool)
    for name, mask in parts_of(network):
        found |= mask & name.startswith("the biases")
    return found


def places(names: Sequence[str], given: Sequence[str]) -> str:
    """Return in words which of the given parts are meant."""
    for kind in ("weights", "biases"):
        whole = [name for name in given if name.startswith(f"the {kind}")]
        if len(whole) > 1 and list(names) == whole:
            return f"the {kind} of every layer"
    numbers = list(dict.fromkeys(name.rpartition(" ")[2] for name in names))
    whole = [name for name in given if name.rpartition(" ")[2] in numbers]
    if list(names) == whole and len(whole) > len(numbers):
        return "W_" + " and W_".join(numbers)
    return ", ".join(names)


# A penalty that one side has and the other has not ----------------------------------------


@dataclass(frozen=True)
class Penalised:
    """Where the difference to the right gradient is a multiple of the weights."""

    where: str
    strength: float


def penalty(network: Network, w: Floats, difference: Floats, floor: float) -> Penalised | None:
    """Return the penalty on the squared weights that explains a difference, if one does.

    Parameters
    ----------
    network : Network
    w : ndarray, shape (n_params,)
    difference : ndarray, shape (n_params,)
        Given gradient minus right gradient.
    floor : float
        The size of rounding errors in it.
    """
    biases = biases_of(network)
    candidates = [
        ("the biases", biases),
        ("all weights but the biases", ~biases),
        ("all weights, the biases too", np.ones_like(biases)),
        *parts_of(network),
    ]
    for where, mask in candidates:
        size = float(w[mask] @ w[mask])
        if not size:
            continue
        strength = float(difference[mask] @ w[mask]) / size
        if mask.sum() == 1 and abs(strength - float(f"{strength:.3g}")) > ROUND * abs(strength):
            continue  # any error of one number is a multiple of the weight; a strength is a round number
        if abs(strength) > floor and np.max(np.abs(difference - strength * np.where(mask, w, 0.0))) <= floor:
            return Penalised(where, strength)
    return None

"""How good predictions are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.network import Network

if TYPE_CHECKING:
    from symbp.run.trainer import Trainer


class Score(NamedTuple):
    """The mean cost, and the share of right classes (None where there are no classes)."""

    cost: float
    accuracy: float | None

    def __str__(self) -> str:
        text = f"cost {self.cost:.6g}"
        return text if self.accuracy is None else f"{text}, accuracy {100 * self.accuracy:.2f} %"


def score(
    trainer: Trainer, w: ArrayLike, X: ArrayLike, Y: NDArray[Any], sample_weight: ArrayLike | None = None
) -> Score:
    """Return cost and accuracy of the weights `w` on samples `X` with targets `Y`.

    Sample weights count in the cost; the accuracy is the share of all samples.
    """
    cost, _ = trainer.value_and_gradient(w, X, Y, sample_weight)
    network = trainer.network
    if not is_classifier(network):
        return Score(cost, None)
    H = trainer.predict(w, X)
    right = predicted_classes(H) == _target_classes(Y, network)
    return Score(cost, float(np.mean(right)))


def is_classifier(network: Network) -> bool:
    """Return whether outputs are probabilities of classes that exclude each other."""
    single = network.cost.targets == "unit_interval" and network.sizes[-1] == 1
    return network.cost.targets == "distribution" or single


def predicted_classes(H: NDArray[Any]) -> NDArray[np.intp]:
    """Return the most probable class of each row; a single output is the probability of class 1."""
    if H.shape[1] == 1:
        return (H[:, 0] > 0.5).astype(np.intp)
    classes: NDArray[np.intp] = np.argmax(H, axis=1)
    return classes


def _target_classes(Y: NDArray[Any], network: Network) -> NDArray[Any]:
    if network.sizes[-1] == 1:
        return (Y.reshape(-1) > 0.5).astype(np.intp)
    return Y if Y.ndim == 1 else Y.argmax(axis=1)

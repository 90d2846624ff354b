"""What every generated trainer module offers, as a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]
# (epochs done, epochs in all, mean cost of the last one)
Callback = Callable[[int, int, float], None]


@runtime_checkable
class TrainerModule(Protocol):
    """The public names of a generated module; their meaning is told in its own text."""

    NAME: str
    SIZES: tuple[int, ...]
    BIASES: tuple[bool, ...]
    N_PARAMS: int
    DTYPE: np.dtype[Any]
    BATCH_SIZE: int
    LEARNING_RATE: float
    EPOCHS: int
    SPEC: str

    def init_params(self, rng_or_seed: int | np.random.Generator = 0) -> FloatArray: ...

    def unpack(self, w: FloatArray) -> list[FloatArray]: ...

    def predict(self, w: ArrayLike, X: ArrayLike) -> FloatArray: ...

    # For compiled code: what prepare returns is passed to predict_one(prepared, x, h).
    def prepare(self, w: ArrayLike) -> Any: ...

    predict_one: Any

    # A module whose cost has sample weights also takes sample_weight, and fit class_weight.
    def value_and_gradient(
        self, w: ArrayLike, X: ArrayLike, Y: ArrayLike, **weights: Any
    ) -> tuple[float, FloatArray]: ...

    def jacobian(self, w: ArrayLike, X: ArrayLike) -> FloatArray: ...

    def input_gradient(self, w: ArrayLike, X: ArrayLike, Y: ArrayLike, **weights: Any) -> FloatArray: ...

    def input_jacobian(self, w: ArrayLike, X: ArrayLike) -> FloatArray: ...

    def fit(
        self,
        w: ArrayLike,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        shuffle: bool = True,
        seed: int = 0,
        callback: Callback | None = None,
        clip_norm: float | None = None,
        state: dict[str, Any] | None = None,
        total_epochs: int | None = None,
        threads: int = 1,
        **weights: Any,
    ) -> tuple[FloatArray, list[float]]: ...

    def self_test(self, *functions: str) -> None: ...

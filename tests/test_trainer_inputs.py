"""What a trainer is given and cannot take: one line that names it, before anything is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbp
from symbp.errors import DataError
from symbp.run.trainer import Trainer

X = np.zeros((3, 4))
Y = np.array([0, 1, 2])


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    path = Path(__file__).parent.parent / "generated" / "iris_4_8_3" / "trainer.py"
    return symbp.load(path, self_test=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([["a", 0, 0, 0]], "X: expected an array of real numbers (could not convert string to float: 'a')"),
        ([[1, 2, 3, 4], [1]], "X: expected an array of real numbers ("),
        (X * 1j, "X: expected an array of real numbers (a complex number)"),
        (None, "X has shape (), expected (n, 4)"),
        (np.zeros(4), "X has shape (4,), expected (n, 4)"),
        (np.zeros((3, 5)), "X has shape (3, 5), expected (n, 4)"),
    ],
    ids=["words", "ragged", "complex", "nothing", "one row", "too wide"],
)
def test_inputs(trainer: Trainer, values: Any, message: str) -> None:
    w = trainer.init_params(0)
    for function in (trainer.predict, trainer.jacobian, trainer.input_jacobian):
        with pytest.raises(DataError) as caught:
            function(w, values)
        assert str(caught.value).startswith(message)
    for function in (trainer.value_and_gradient, trainer.input_gradient, trainer.fit):
        with pytest.raises(DataError) as caught:
            function(w, values, Y)
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b", "c"], "labels of type <U1: expected whole numbers from 0 to 2"),
        ([0, 1], "Y has shape (2,), expected (3,) or (3, 3)"),
        ([0, 1, 3], "Y[2] = 3: expected a label from 0 to 2"),
        (np.full((3, 3), 1j), "Y: expected an array of real numbers (a complex number)"),
        (np.full((3, 3), 0.5), "Y[0] sums to 1.5: expected numbers >= 0 that sum to 1"),
    ],
    ids=["words", "too few", "beyond", "complex", "sum"],
)
def test_targets(trainer: Trainer, values: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        trainer.fit(trainer.init_params(0), X, values)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 1.5}, "epochs = 1.5: expected a whole number of at least 0"),
        ({"batch_size": 0}, "batch_size = 0: expected a whole number of at least 1"),
        ({"learning_rate": "fast"}, "learning_rate = 'fast': expected a positive number"),
        ({"learning_rate": True}, "learning_rate = True: expected a positive number"),
        ({"learning_rate": 0}, "learning_rate = 0: expected a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate = nan: expected a positive number"),
        ({"clip_norm": 1}, "clip_norm: this trainer does not clip"),
        ({"seed": "now"}, "seed = 'now': expected a whole number of at least 0"),
        ({"seed": -1}, "seed = -1: expected a whole number of at least 0"),
    ],
)
def test_options(trainer: Trainer, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        trainer.fit(trainer.init_params(0), X, Y, **options)
    assert str(caught.value).startswith(message)


def test_start_weights(trainer: Trainer) -> None:
    with pytest.raises(DataError, match=r"^seed = 'now': expected a whole number of at least 0"):
        trainer.init_params("now")
    start = trainer.init_params(np.random.default_rng(4))
    np.testing.assert_array_equal(start, trainer.init_params(4))
    with pytest.raises(DataError, match=r"^w: expected an array of real numbers"):
        trainer.predict(list("w" * trainer.n_params), X)


def test_weights_that_are_not_finite_are_named_before_the_learning_rate_is_blamed(trainer: Trainer) -> None:
    w = trainer.init_params(0)
    w[7] = np.nan
    with pytest.raises(DataError, match=r"^w\[7\] is nan: expected finite numbers$"):
        trainer.fit(w, X, Y)
    far = X.copy()
    far[1, 2] = np.inf
    with pytest.raises(DataError, match=r"^X\[1, 2\] is inf: expected finite numbers$"):
        trainer.fit(trainer.init_params(0), far, Y)


def test_a_count_that_is_a_text_is_shown_as_one(trainer: Trainer) -> None:
    with pytest.raises(DataError, match=r"^epochs = '2': expected a whole number"):
        trainer.fit(trainer.init_params(0), X, Y, epochs="2")  # type: ignore[arg-type]

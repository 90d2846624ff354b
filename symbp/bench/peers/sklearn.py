"""scikit-learn's MLPClassifier: a call of ``partial_fit`` is one epoch, batch after batch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from symbp.bench.peers.interface import Predicting, Training
from symbp.bench.peers.separate import Arrays, join, split
from symbp.bench.problem import Problem
from symbp.bench.workloads import LEARNING_RATE


class _TwoColumns:
    """Labels 0 and 1 as rows of two, in place of scikit-learn's single column."""

    def transform(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.eye(2, dtype=np.int64)[labels]


class Peer(Training):
    """Gradient descent without momentum, penalty or shuffling."""

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self.model = _model(problem)
        self.reset()

    def reset(self) -> None:
        _set(self.model, self.problem)

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            self.model.partial_fit(self.problem.X, self.problem.labels)

    def weights(self) -> Arrays:
        return join(self.model.coefs_, self.model.intercepts_)


class Predictor(Predicting):
    """A call of ``predict_proba`` for each batch."""

    def place(self, problem: Problem) -> None:
        self.model = _model(problem)
        _set(self.model, problem)
        self._outputs = np.empty_like(problem.Y)
        self._batches = problem.batches(problem.X, self._outputs)

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            for x, h in self._batches:
                h[...] = self.model.predict_proba(x)


def _model(problem: Problem) -> Any:
    """Return a classifier of the network's shape."""
    sizes = problem.workload.sizes
    model = MLPClassifier(
        sizes[1:-1],
        activation=problem.workload.activation,
        solver="sgd",
        alpha=0.0,
        batch_size=problem.workload.batch,
        learning_rate_init=LEARNING_RATE,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=False,
        random_state=0,
    )
    classes = np.arange(sizes[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the batch is larger than these few samples
        model.partial_fit(np.zeros((len(classes), sizes[0]), problem.dtype), classes, classes=classes)
    if len(classes) == 2:
        _give_two_outputs(model)
    return model


def _set(model: Any, problem: Problem) -> None:
    """Give the model the weights of the problem."""
    weights, biases = split(problem)
    for own, given in zip(model.coefs_, weights, strict=True):
        own[...] = given
    for own, given in zip(model.intercepts_, biases, strict=True):
        own[...] = given


def _give_two_outputs(model: Any) -> None:
    """Make the single logistic output, which scikit-learn has for two classes, a softmax of two.

    The other implementations have two, and the same weights must come out.
    """
    model._label_binarizer = _TwoColumns()
    model.out_activation_, model.n_outputs_ = "softmax", 2
    model.coefs_[-1] = np.repeat(model.coefs_[-1], 2, axis=1)
    model.intercepts_[-1] = np.repeat(model.intercepts_[-1], 2)
    del model._optimizer  # it holds arrays of the old shapes

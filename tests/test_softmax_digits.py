"""Softmax with cross entropy keeps its digits however far one output is ahead: J and dJ/dc.

As log(sum of exp) - c the cost of a sample that is right by a margin of 40 is the difference of two
numbers near each other, of which nothing is left, and so is h - 1. Here kernels of every layout run on
weighted sums that are given, against mpmath.
"""

from __future__ import annotations

import functools

import mpmath
import numpy as np
import pytest

import symbp
from symbp import Dense, Network
from symbp.algebra.nodes import MaxOver, Node
from symbp.derivation.records import equation
from tests.covering import every_pair
from tests.plain_python import interpreted

MARGINS = (0.0, 0.25, 3.0, 20.0, 40.0, 80.0, 700.0)
LARGEST = {"float32": 80.0, "float64": 700.0}  # beyond, exponentials leave the normal numbers


def network(classes: int) -> Network:
    """Two inputs, both 1: the weight of one is the weighted sum, that of the other is 0 and takes a step."""
    return Network(2, [Dense(classes, "softmax", bias=False)], "cross_entropy", name="one")


def samples(classes: int, dtype: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weighted sums and targets: right and wrong by each margin, ties, and targets between 0 and 1.

    The sums are multiples of 1/8, so that their differences are exact.
    """
    rng = np.random.default_rng(classes)
    found = []
    for margin in (m for m in MARGINS if m <= LARGEST[dtype]):
        first = rng.integers(classes)
        sums = -margin - rng.integers(0, 16, classes) / 8
        sums[first] = 0
        sums += rng.integers(-80, 80) / 8
        tied = np.where(np.arange(classes) == (first + 1) % classes, sums[first], sums)
        right, wrong = np.eye(classes)[first], np.eye(classes)[(first + 1) % classes]
        found += [(sums, right), (sums, wrong), (tied, right), (sums, 0.75 * right + 0.25 * wrong)]
    return found


def exact(sums: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return J and dJ/dc of one sample; 700 digits leave some beside 1 of exp(-1400)."""
    with mpmath.workdps(700):
        exponentials = [mpmath.exp(float(c)) for c in sums]
        total = mpmath.fsum(exponentials)
        outputs = [e / total for e in exponentials]
        J = -mpmath.fsum(float(y) * mpmath.log(h) for y, h in zip(targets, outputs, strict=True) if y)
        slopes = [float(h - float(y)) for y, h in zip(targets, outputs, strict=True)]
    return float(J), np.array(slopes)


def allowed(classes: int) -> float:
    """Return the units in the last place that the operations make: n - 1 half ones are those of a sum of n.

    An exponential and log1p make 2 each at most, the products, quotients and differences half a unit each.
    """
    return (classes - 1) / 2 + 6


@functools.cache
def trainer(classes: int, dtype: str, target: str, batch_size: int):
    return interpreted(network(classes), dtype=dtype, target=target, batch_size=batch_size)


def far(found, expected, dtype: str) -> float:
    """Return the largest error in units in the last place of the exact values; NaN is far."""
    kind = np.dtype(dtype).type
    units = np.spacing(np.maximum(np.abs(expected).astype(kind), np.finfo(kind).tiny)).astype(float)
    error = np.abs(np.asarray(found, float) - expected) / units
    return float(np.where(np.isnan(error), np.inf, error).max())


TARGETS = ("portable", "x86-64-v3", "x86-64-v4")
CASES = every_pair((2, 3, 10, 16, 17, 45), ("float32", "float64"), TARGETS, (1, 4))


@pytest.mark.parametrize(("classes", "dtype", "target", "batch_size"), CASES)
def test_cost_and_sensitivities_have_all_digits(classes, dtype, target, batch_size):
    module = trainer(classes, dtype, target, batch_size)
    kind = np.dtype(dtype).type
    for sums, targets in samples(classes, dtype):
        J, slopes = exact(sums, targets)
        w = np.stack([sums, np.zeros(classes)], axis=1).reshape(-1).astype(kind)
        X, Y = np.ones((1, 2), kind), targets[None, :].astype(kind)
        cost, gradient = module.value_and_gradient(w, X, Y)
        after, history = module.fit(w, X, Y, epochs=1, batch_size=batch_size, learning_rate=1.0)
        for found in (cost, history[0]):
            assert far(found, J, dtype) <= allowed(classes), (sums, targets)
        if set(targets) == {0.0, 1.0}:  # between them h - y has a root
            for found in (gradient.reshape(-1, 2)[:, 1], -after.reshape(-1, 2)[:, 1]):
                assert far(found, slopes, dtype) <= allowed(classes), (sums, targets)


def test_the_samples_tell_the_plain_forms():
    """What log(sum of exp) - c and h - y are in the type is far off at these samples."""
    worst = [0.0, 0.0]
    for sums, targets in samples(3, "float64"):
        J, slopes = exact(sums, targets)
        e = np.exp(sums - sums.max())
        cost = (targets * (sums.max() + np.log(e.sum()) - sums)).sum()
        worst[0] = max(worst[0], far(cost, J, "float64"))
        worst[1] = max(worst[1], far(e / e.sum() - targets, slopes, "float64"))
    assert min(worst) > 1e6


@pytest.mark.parametrize(("classes", "dtype", "target", "batch_size"), CASES)
def test_a_class_that_cannot_be_costs_nothing_where_it_is_not_asked_for(classes, dtype, target, batch_size):
    """Its weighted sum is minus infinity: the others are as if the class were not there."""
    module = trainer(classes, dtype, target, batch_size)
    kind = np.dtype(dtype).type
    X = np.array([[2, 1]], kind)
    for sums, targets in samples(classes, dtype):
        absent = int(np.argmin(targets))
        if targets[absent]:
            continue
        left = np.delete(np.arange(classes), absent)
        w = np.stack([sums / 2, np.zeros(classes)], axis=1).astype(kind)
        w[absent, 0] = np.finfo(kind).min  # twice that leaves the type
        J, slopes = exact(sums[left], targets[left])
        Y, wrong = targets[None, :].astype(kind), np.eye(classes)[[absent]].astype(kind)
        cost, gradient = module.value_and_gradient(w.reshape(-1), X, Y)
        _, history = module.fit(w.reshape(-1), X, Y, epochs=1, batch_size=batch_size, learning_rate=1.0)
        for found in (cost, history[0]):
            assert far(found, J, dtype) <= allowed(classes), (sums, targets)
        gradient = gradient.reshape(-1, 2)[:, 1]
        assert gradient[absent] == 0
        if set(targets) == {0.0, 1.0}:
            assert far(gradient[left], slopes, dtype) <= allowed(classes), (sums, targets)
        assert module.value_and_gradient(w.reshape(-1), X, wrong)[0] == np.inf


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", ["portable", "x86-64-v4"])
def test_a_nan_stays_one_wherever_it_stands(dtype, target):
    for classes in (3, 17):
        module = trainer(classes, dtype, target, 4)
        for place in range(classes):
            w = np.zeros((classes, 2))
            w[place, 0] = np.nan
            cost, gradient = module.value_and_gradient(w.reshape(-1), np.ones((2, 2)), np.eye(classes)[:2])
            assert np.isnan(cost)
            assert np.isnan(gradient).all()


def failed(derivation: symbp.Derivation) -> set[str]:
    """Return the labels of the steps that are not proved."""
    return {step.label for step in derivation.checked().steps if not step.proved}


def test_breaking_the_sum_without_the_largest_is_seen():
    """By the proofs of the steps that use it, and by what the kernels compute."""
    derivation = symbp.derive(network(3))
    rest = derivation["1.8s.4"].statement
    (largest,) = rest.rhs.atoms(MaxOver)
    broken = derivation.replace("1.8s.4", equation(rest.lhs, rest.rhs + largest))
    assert {"2.1s", "D.1fs"} <= failed(broken)
    point = np.zeros(6), np.ones((1, 2)), np.eye(3)[:1]
    module = interpreted(network(3), broken)
    assert module.value_and_gradient(*point)[0] == pytest.approx(np.log(4))
    assert trainer(3, "float64", "portable", 4).value_and_gradient(*point)[0] == pytest.approx(np.log(3))


@pytest.mark.parametrize("label", ["2.1s", "D.1fs"])
def test_breaking_what_is_computed_from_it_is_seen(label):
    derivation = symbp.derive(network(3))
    statement = derivation[label].statement
    (rest,) = (n for n in statement.rhs.atoms(Node) if n.kind in ("rest", "lse"))
    broken = derivation.replace(label, equation(statement.lhs, statement.rhs.xreplace({rest: 2 * rest})))
    assert label in failed(broken)

"""A gradient written by hand: right ones pass, each usual mistake is found and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symbp
from symbp.errors import GradientError
from symbp.testing import assert_gradient

# Two square layers, so that transposed matrices and neighbouring layers have fitting shapes.
NETWORK = symbp.Network(
    3,
    [symbp.Dense(4, "tanh"), symbp.Dense(4, "sigmoid"), symbp.Dense(2, "softmax")],
    "cross_entropy",
)
Matrices = list[np.ndarray[Any, Any]]


def _softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def by_hand(mistake: str = "") -> Callable[[Matrices, Any, Any], Matrices]:
    """Return the textbook's backpropagation of NETWORK, with one mistake in it."""

    def gradient(W: Matrices, X: Any, Y: Any) -> Matrices:
        z1 = X @ W[0][:, :-1].T + W[0][:, -1]
        a1 = np.tanh(z1)
        z2 = a1 @ W[1][:, :-1].T + W[1][:, -1]
        a2 = 1 / (1 + np.exp(-z2))
        h = _softmax(a2 @ W[2][:, :-1].T + W[2][:, -1])
        d3 = (h - Y) * (h * (1 - h) if mistake == "slope twice" else 1)
        slope2 = {"no slope 2": 1.0, "at output": (s := 1 / (1 + np.exp(-a2))) * (1 - s)}.get(
            mistake, a2 * (1 - a2)
        )
        d2 = d3 @ W[2][:, :-1] * slope2
        back = W[1][:, :-1].T if mistake == "not transposed" else W[1][:, :-1]
        d1 = d2 @ back * (1.0 if mistake == "no slope 1" else 1 - a1**2)
        before3 = z2 if mistake == "weighted sums" else a2
        before2 = a2 if mistake == "one layer off" else a1
        m = 1 if mistake == "no 1/m" else len(X)
        keep = slice(-1, None) if mistake == "last sample" else slice(None)
        m = 1 if mistake == "last sample" else m
        parts = [(d1, X), (d2, before2), (d3, before3)]
        out = [np.column_stack([d[keep].T @ a[keep], d[keep].sum(axis=0)]) / m for d, a in parts]
        if mistake == "bias regularised":
            for g, w in zip(out, W, strict=True):
                g[:, -1] += 0.3 * w[:, -1]
        if mistake == "transposed":
            out[1][:, :-1] = out[1][:, :-1].T.copy()
        if mistake == "no bias":
            for g in out:
                g[:, -1] = 0
        if mistake == "sign":
            out = [-g for g in out]
        if mistake == "transposed and no 1/m":
            out[1][:, :-1] = out[1][:, :-1].T.copy()
            out = [g * len(X) for g in out]
        return out

    return gradient


REASONS = {
    "no 1/m": "the factor 1/m is missing",
    "sign": "the sign is wrong",
    "slope twice": "the derivative of the output activation is once too often",
    "no slope 1": "the factor g' is missing in delta of layer 1",
    "no slope 2": "the factor g' is missing in delta of layer 2",
    "at output": "g' of layer 2 is taken at the output",
    "not transposed": "W_2 is not transposed on the way back to layer 1",
    "weighted sums": "the gradient of W_3 takes weighted sums of layer 2",
    "one layer off": "the gradient of W_2 is off by one layer",
    "last sample": "only the last sample counts",
    "bias regularised": "a penalty on the biases stands in it: 0.3 times the weight",
    "transposed": "the gradient of W_2 is transposed",
    "no bias": "the derivatives by the biases of every layer are 0",
    "transposed and no 1/m": "the gradient of W_2 is transposed; and the factor 1/m is missing",
}


def test_the_right_gradient_is_right() -> None:
    report = symbp.check_gradient(NETWORK, by_hand())
    assert report.ok
    assert report.compared == NETWORK.n_params
    assert report.error < 1e-12
    assert_gradient(NETWORK, by_hand(), samples=1, seed=3)


@pytest.mark.parametrize("mistake", REASONS)
def test_each_mistake_is_named(mistake: str) -> None:
    report = symbp.check_gradient(NETWORK, by_hand(mistake))
    assert not report.ok
    assert REASONS[mistake] in (report.reason or "")
    assert report.worst[0].error == report.error > report.tolerance


def test_the_report_names_layers_and_weights() -> None:
    report = symbp.check_gradient(NETWORK, by_hand("no slope 1"))
    assert report.layers == (1,)
    assert {difference.weight[:4] for difference in report.worst} == {"w^1_"}
    with pytest.raises(AssertionError, match="likeliest reason: the factor g'"):
        assert_gradient(NETWORK, by_hand("no slope 1"))


def test_an_unknown_mistake_is_not_explained_away() -> None:
    def gradient(W: Matrices, X: Any, Y: Any) -> Matrices:
        out = by_hand()(W, X, Y)
        out[0][1, 2] += 0.01
        return out

    report = symbp.check_gradient(NETWORK, gradient)
    assert not report.ok
    assert report.reason is None
    assert [difference.weight for difference in report.worst] == ["w^1_2,3"]
    assert "no mistake that symbp knows" in str(report)


def test_other_layouts() -> None:
    network = symbp.Network(3, [symbp.Dense(2, "tanh", bias=False), symbp.Dense(1)], "half_squared_error")

    def pairs(W: Any, X: Any, Y: Any) -> Any:
        (W1, none), (W2, b2) = W
        assert none is None
        a = np.tanh(X @ W1.T)
        d = (a @ W2.T + b2 - Y) / len(X)
        return [((d @ W2 * (1 - a**2)).T @ X, None), (d.T @ a, d.sum(axis=0))]

    def flat(w: Any, X: Any, Y: Any) -> Any:
        W1, W2 = w[:6].reshape(2, 3), w[6:].reshape(1, 3)
        (g1, _), (g2, b2) = pairs([(W1, None), (W2[:, :2], W2[:, 2])], X, Y)
        return np.concatenate([g1.ravel(), np.column_stack([g2, b2]).ravel()])

    assert symbp.check_gradient(network, pairs, layout="separate").ok
    assert symbp.check_gradient(network, flat, layout="flat").ok
    reordered = symbp.check_gradient(network, lambda *a: flat(*a)[[0, 3, 1, 4, 2, 5, 6, 7, 8]], layout="flat")
    assert "column by column" in (reordered.reason or "")


def test_a_gradient_as_sympy_matrices() -> None:
    network = symbp.Network(2, [symbp.Dense(2, "tanh"), symbp.Dense(1)], "half_squared_error")
    names = symbp.network_symbols(network)
    one = sympy.Matrix([1])
    a = (names.W[0] * names.x.col_join(one)).applyfunc(sympy.tanh)
    d2 = names.W[1] * a.col_join(one) - names.y
    d1 = (names.W[1][:, :2].T * d2).multiply_elementwise(a.applyfunc(lambda o: 1 - o**2))
    right = [d1 * names.x.col_join(one).T, d2 * a.col_join(one).T]
    assert symbp.check_gradient(network, right).ok
    wrong = symbp.check_gradient(network, [2 * right[0], right[1]])
    assert wrong.layers == (1,)
    with pytest.raises(GradientError, match="contains 'q'"):
        symbp.check_gradient(network, [right[0] * sympy.Symbol("q"), right[1]])
    with pytest.raises(GradientError, match=r"shape \(2, 2\): expected \(2, 3\)"):
        symbp.check_gradient(network, [right[0][:, :2], right[1]])
    with pytest.raises(GradientError, match="network_symbols: 3 is no Network"):
        symbp.network_symbols(3)  # type: ignore[arg-type]


def _two_lines(W: Matrices, X: Any, Y: Any) -> Matrices:
    raise ValueError("one\n  two")


BAD = {
    "fails": (lambda W, X, Y: 1 / 0, "the gradient function failed: ZeroDivisionError"),
    "number": (lambda W, X, Y: 3.0, "returned float: expected a list, one matrix per layer"),
    "too few": (lambda W, X, Y: by_hand()(W, X, Y)[:2], "returned 2 parts"),
    "shape": (
        lambda W, X, Y: [g.T for g in by_hand()(W, X, Y)],
        r"the gradients of W_2, W_3 are transposed: that of W_2 has shape \(5, 4\), expected \(4, 5\)",
    ),
    "one shape": (
        lambda W, X, Y: [g.T if len(g) == 2 else g for g in by_hand()(W, X, Y)],
        r"W_3 has shape \(5, 2\): expected \(2, 5\); it is transposed",
    ),
    "text": (lambda W, X, Y: ["a", "b", "c"], "expected numbers of shape"),
    "complex": (
        lambda W, X, Y: [g * 1j for g in by_hand()(W, X, Y)],
        r"the gradient of W_1 is complex: expected real numbers of shape \(4, 4\)",
    ),
    "fails in two lines": (_two_lines, "the gradient function failed: ValueError: one two$"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_checked_is_one_line(case: str) -> None:
    function, message = BAD[case]
    with pytest.raises(GradientError, match=message) as caught:
        symbp.check_gradient(NETWORK, function)
    assert "\n" not in str(caught.value)


def test_values_that_are_not_finite() -> None:
    report = symbp.check_gradient(NETWORK, lambda W, X, Y: [g * np.nan for g in by_hand()(W, X, Y)])
    assert not report.ok
    assert report.reason == "a value that is not finite"


def test_options() -> None:
    with pytest.raises(GradientError, match="layout = 'rows': expected one of"):
        symbp.check_gradient(NETWORK, by_hand(), layout="rows")
    with pytest.raises(GradientError, match="samples = 0"):
        symbp.check_gradient(NETWORK, by_hand(), samples=0)
    with pytest.raises(GradientError, match="one SymPy matrix per layer"):
        symbp.check_gradient(NETWORK, 3)


def test_weights_of_samples() -> None:
    network = symbp.Network(3, [symbp.Dense(2)], "half_squared_error", weighted=True)

    def gradient(W: Matrices, X: Any, Y: Any, v: Any) -> Matrices:
        difference = (X @ W[0][:, :-1].T + W[0][:, -1] - Y) * v[:, None] / len(X)
        return [np.column_stack([difference.T @ X, difference.sum(axis=0)])]

    assert symbp.check_gradient(network, gradient).ok
    report = symbp.check_gradient(network, lambda W, X, Y, v: gradient(W, X, Y, np.ones_like(v)))
    assert report.reason == "the weights of the samples are left out"

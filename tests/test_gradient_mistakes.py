"""The same mistake made in every layer: named as one mistake, for functions, SymPy matrices and text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symbp
from symbp.run import mistakes

Dense = symbp.Dense
# Square layers, so that every mistake has fitting shapes.
NET = symbp.Network(3, [Dense(3, "tanh"), Dense(3, "sigmoid"), Dense(3, "tanh")], "half_squared_error")
TANH = (np.tanh, lambda z: 1 - np.tanh(z) ** 2)
SIGMOID = (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2)
FUNCTIONS = (TANH, SIGMOID, TANH)


def by_hand(mistake: str = "", m: float = 0.0) -> Callable[..., list[Any]]:
    """Return backpropagation through NET with one mistake, made in all layers alike."""

    def gradient(W: list[Any], X: Any, Y: Any) -> list[Any]:
        sums, outputs = [], [X]
        for w, (g, _) in zip(W, FUNCTIONS, strict=True):
            sums.append(outputs[-1] @ w[:, :-1].T + w[:, -1])
            outputs.append(g(sums[-1]))

        def slope(k: int) -> Any:
            g, prime = FUNCTIONS[k]
            return {
                "no slope": 1.0,
                "no slope at all": 1.0,
                "at outputs": prime(outputs[k + 1]),
                "no prime": g(sums[k]),
                "of sigmoid": SIGMOID[1](sums[k]),
            }.get(mistake, prime(sums[k]))

        delta = [outputs[-1] - Y]
        if mistake != "no slope at all":
            delta[0] = delta[0] * FUNCTIONS[-1][1](sums[-1])
        for k in (1, 0):
            w = W[k] if mistake == "weights of the layer itself" else W[k + 1]
            back = w[:, :-1].T if mistake == "untransposed" else w[:, :-1]
            delta.insert(0, delta[0] @ back * slope(k))
        inputs = {
            "sums": [X, *sums[:-1]],
            "outputs of the layer": [*outputs[1:-1], outputs[-2]],
            "outputs before": [X, *outputs[:-2]],
        }.get(mistake, outputs[:-1])
        used = {"delta after": [*delta[1:], delta[-1]], "delta before": [delta[0], *delta[:-1]]}.get(
            mistake, delta
        )
        found = [
            np.column_stack([d.T @ a, d.sum(axis=0)]) / (m or len(X))
            for d, a in zip(used, inputs, strict=True)
        ]
        for g, w in zip(found, W, strict=True):
            if mistake == "transposed":
                g[:, :-1] = g[:, :-1].T.copy()
            if mistake == "biases regularised":
                g[:, -1] += 0.1 * w[:, -1]
            if mistake == "biases summed":
                g[:, -1] *= len(X)
        return found

    return gradient


EVERYWHERE = {
    "no slope": "the factor g' is missing in delta of every hidden layer",
    "no slope at all": "the factor g' is missing in delta of every layer, the output layer too",
    "at outputs": "g' is taken at the outputs instead of the weighted sums in every hidden layer",
    "no prime": "g stands in place of g' in delta of every hidden layer",
    "of sigmoid": "g' of layer 1 is that of sigmoid",
    "untransposed": "no W is transposed on the way back",
    "weights of the layer itself": "W is off by one layer in every delta",
    "sums": "the gradients of all W take weighted sums instead of outputs",
    "outputs of the layer": "the gradients of all W are off by one layer: they take the outputs of the layer",
    "outputs before": "the gradients of all W are off by one layer: they take the outputs two layers before",
    "delta after": "the gradients of all W are off by one layer: they take delta of the next layer",
    "delta before": "the gradients of all W are off by one layer: they take delta of the layer before",
    "transposed": "the gradients of all W are transposed",
    "biases regularised": "a penalty on the biases stands in it: 0.1 times the weight",
    "biases summed": "in the derivatives by the biases of every layer: the factor 1/m is missing",
}


def test_without_a_mistake_it_is_right() -> None:
    assert symbp.check_gradient(NET, by_hand()).ok


@pytest.mark.parametrize("mistake", EVERYWHERE)
def test_a_mistake_in_every_layer_is_one_mistake(mistake: str) -> None:
    report = symbp.check_gradient(NET, by_hand(mistake))
    assert not report.ok
    assert EVERYWHERE[mistake] in (report.reason or "")


def test_a_mistake_is_derived_for_the_first_gradient_only(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[object] = []
    usual = mistakes.make_plan
    monkeypatch.setattr(mistakes, "make_plan", lambda *given: derived.append(given) or usual(*given))
    network = symbp.Network(2, [Dense(2, "tanh"), Dense(2)], "half_squared_error", name="again")
    wrong = "dJ/dW^k = 2 W^k"  # none of the mistakes gives it, so all are tried
    first = symbp.check_gradient(network, wrong)
    assert not first.ok
    count = len(derived)
    again = symbp.check_gradient(network, wrong)
    assert again.reason == first.reason
    # What needs nothing derived anew is planned each time.
    assert len(derived) - count < count / 2


@pytest.mark.parametrize("mistake", ["no slope", "untransposed", "transposed"])
def test_with_a_factor_besides(mistake: str) -> None:
    reason = symbp.check_gradient(NET, by_hand(mistake, m=1.0)).reason or ""
    assert reason.startswith(EVERYWHERE[mistake])
    assert "; and the factor 1/m is missing" in reason


def of_sympy(network: symbp.Network, mistake: str = "") -> list[sympy.Matrix]:
    """Return dJ/dW of one sample, in SymPy's matrices, with a mistake in every layer."""
    names, one = symbp.network_symbols(network), sympy.Matrix([1])
    W1, W2 = names.W
    o = (W1 * names.x.col_join(one)).applyfunc(sympy.tanh)
    d2 = W2 * o.col_join(one) - names.y
    slope = o.applyfunc(lambda v: 1 if mistake == "no slope" else 1 - v**2)
    back = W2[:, :2] if mistake == "untransposed" else W2[:, :2].T
    found = [(back * d2).multiply_elementwise(slope) * names.x.col_join(one).T, d2 * o.col_join(one).T]
    if mistake == "transposed":
        found = [f[:, :2].T.row_join(f[:, 2]) for f in found]
    if mistake == "biases regularised":
        found = [f[:, :2].row_join(f[:, 2] + w[:, 2] / 4) for f, w in zip(found, names.W, strict=True)]
    return [3 * f for f in found] if mistake == "factor" else found


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        ("no slope", "the factor g' is missing in delta of layer 1"),
        ("untransposed", "W_2 is not transposed on the way back to layer 1"),
        ("transposed", "the gradients of all W are transposed"),
        ("biases regularised", "a penalty on the biases stands in it: 0.25 times the weight"),
        ("factor", "it is 3 times the right one"),
    ],
)
def test_sympy_matrices(mistake: str, reason: str) -> None:
    network = symbp.Network(2, [Dense(2, "tanh"), Dense(2)], "half_squared_error")
    assert symbp.check_gradient(network, of_sympy(network)).ok
    assert reason in (symbp.check_gradient(network, of_sympy(network, mistake)).reason or "")


# One line for each layer, and in each the same mistake.
LINES = {
    "smatrix": "delta_3 = (h - y) .* g'^3(c_3)/m; delta_2 = (Wbar_3^T delta_3) .* g'^2(c_2);"
    "delta_1 = (Wbar_2^T delta_2) .* g'^1(c_1);"
    "dJ/dW_1 = delta_1 a_1^T; dJ/dW_2 = delta_2 a_2^T; dJ/dW_3 = delta_3 a_3^T",
    "nielsen": "delta^3 = (a^3 - y) .* sigma'(z^3); delta^2 = ((W^3)^T delta^3) .* sigma'(z^2);"
    "delta^1 = ((W^2)^T delta^2) .* sigma'(z^1);"
    "dC/dW^1 = delta^1 (a^0)^T/m; dC/dW^2 = delta^2 (a^1)^T/m; dC/dW^3 = delta^3 (a^2)^T/m;"
    "dC/db^1 = delta^1/m; dC/db^2 = delta^2/m; dC/db^3 = delta^3/m",
}
OBLONG = symbp.Network(4, [Dense(3, "tanh"), Dense(5, "sigmoid"), Dense(2, "tanh")], "half_squared_error")
EXCHANGED = [part for k in "123" for part in (f"delta_{k} a_{k}^T", f"a_{k} delta_{k}^T")]
# (notation, what is replaced and by what, ..., the likeliest reason)
IN_LINES = (
    ("smatrix", "bar_3^T", "bar_3", "bar_2^T", "bar_2", "Wbar is not transposed, in 2 lines"),
    ("nielsen", "/m", "", "the factor 1/m is missing"),
    ("nielsen", " .* sigma'(z^2)", "", " .* sigma'(z^1)", "", "the factor sigma' is missing, in 2 lines"),
    ("smatrix", *EXCHANGED, "the gradient is transposed, in 3 lines"),
    ("smatrix", "'^2(c_2)", "^2(c_2)", "'^1(c_1)", "^1(c_1)", "g stands in place of g', in 2 lines"),
    ("smatrix", "^2(c_2)", "^2(o_2)", "^1(c_1)", "^1(o_1)", "o stands in place of c, in 2 lines"),
    ("nielsen", " (a^2)^T", "", " (a^1)^T", "", " (a^0)^T", "", "the factor a is missing, in 3 lines"),
    (
        "smatrix",
        "delta_1 a_1",
        "a_1",
        "delta_2 a_2",
        "a_2",
        "delta_3 a_3",
        "a_3",
        "delta is missing, in 3 lines",
    ),
    (
        "smatrix",
        "(Wbar_3^T delta_3)",
        "delta_3",
        "(Wbar_2^T delta_2)",
        "delta_2",
        "Wbar is missing, in 2 lines",
    ),
    (
        "nielsen",
        "(W^3)^T delta^3",
        "(W^3)^T delta^2",
        "(W^2)^T delta^2",
        "(W^2)^T delta^1",
        "delta is off by one",
    ),
    ("nielsen", "(a^2)", "(a^3)", "(a^1)", "(a^2)", "(a^0)", "(a^1)", "a is off by one layer, in 3 lines"),
)


@pytest.mark.parametrize("case", IN_LINES, ids=lambda case: case[-1])
@pytest.mark.parametrize("network", [NET, OBLONG], ids=["square", "oblong"])
def test_the_same_mistake_in_every_line(network: symbp.Network, case: tuple[str, ...]) -> None:
    notation, *changes, reason = case
    text = LINES[notation]
    assert symbp.check_gradient(network, text, notation=notation).ok
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    report = symbp.check_gradient(network, text, notation=notation)
    assert not report.ok
    assert reason in (report.reason or "")

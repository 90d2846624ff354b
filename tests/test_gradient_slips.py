"""Gradients with the slips that people make, in each notation: whether the named reason is the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symbp
from symbp.errors import FormulaError
from tests.test_gradient_mistakes import FUNCTIONS, NET, by_hand

Dense = symbp.Dense
NETS = {
    "sigmoids": symbp.Network(3, [Dense(4, "sigmoid"), Dense(2, "sigmoid")], "half_squared_error"),
    "tanhs": symbp.Network(3, [Dense(5, "tanh"), Dense(4, "tanh"), Dense(1, "tanh")], "squared_error"),
    "plain": symbp.Network(
        3,
        [
            Dense(4, "sigmoid", bias=False),
            Dense(5, "sigmoid", bias=False),
            Dense(2, "sigmoid", bias=False),
        ],
        "half_squared_error",
    ),
}
NIELSEN = (
    "delta^L = (a^L - y) .* sigma'(z^L); delta^l = ((W^{l+1})^T delta^{l+1}) .* sigma'(z^l);"
    "dC_x/dW^l = delta^l (a^{l-1})^T; dC_x/db^l = delta^l"
)
BISHOP = (
    "delta_i^(k) = sigma'(a_i^(k)) sum_{j=1}^{N_{k+1}} delta_j^(k+1) w_{ji}^(k+1);"
    "dE_n/dw_{ij}^(k) = delta_i^(k) z_j^(k-1)"
)
LFD = "delta^(l) = theta'(s^(l)) .* (Wbar^(l+1) delta^(l+1)); de/dW^(l) = x^(l-1) (delta^(l))^T"
NG = (
    "delta^(L) = (a^(L) - y) .* g'(z^(L)); delta^(l) = ((Thetabar^(l))^T delta^(l+1)) .* g'(z^(l));"
    "dJ/dTheta^(l) = delta^(l+1) (a^(l))^T/m"
)
SMATRIX = "delta_k = S_k^T delta_{k+1}; dJ/dW_k = delta_k a_k^T"
RIGHT = (
    ("nielsen", "sigmoids", NIELSEN),
    ("bishop", "plain", BISHOP),
    ("lfd", "tanhs", LFD),
    ("ng", "sigmoids", NG),
    ("smatrix", "tanhs", SMATRIX),
)
# (notation, right text, network, what is replaced and by what, ..., the reason)
SLIPS = (
    ("nielsen", NIELSEN, "sigmoids", " .* sigma'(z^L)", "", "the factor sigma' is missing"),
    (
        "nielsen",
        NIELSEN,
        "sigmoids",
        "(z^L)",
        "(a^L)",
        "(z^l)",
        "(a^l)",
        "a stands in place of z, in 2 lines",
    ),
    (
        "nielsen",
        NIELSEN,
        "sigmoids",
        "sigma'(z^L)",
        "a^L .* (1 - a^L)",
        "sigma'(z^l)",
        "z^l .* (1 - z^l)",
        "z stands in place of a",
    ),
    ("nielsen", NIELSEN, "sigmoids", "(z^l)", "(z^{l+1})", "z is off by one layer"),
    ("nielsen", NIELSEN, "sigmoids", "dC_x/db^l = delta^l", "dC_x/db^l = 1", "the factor delta is missing"),
    (
        "nielsen",
        NIELSEN,
        "sigmoids",
        "dC_x/dW^l = delta^l (a^{l-1})^T",
        "dC_x/dw^l_{jk} = a^{l-1}_j delta^l_k",
        "the gradient is transposed: the indices j and k are exchanged",
    ),
    ("bishop", BISHOP, "plain", "delta_i^(k) z_j", "delta_j^(k) z_i", "the indices i and j are exchanged"),
    ("bishop", BISHOP, "plain", "^{N_{k+1}}", "^{N_k}", "the range of a sum is wrong"),
    ("bishop", BISHOP, "plain", "w_{ji}", "w_{ij}", "w is transposed: its indices are exchanged"),
    ("bishop", BISHOP, "plain", "z_j^(k-1)", "z_j^(k)", "z is off by one layer"),
    ("lfd", LFD, "tanhs", "x^(l-1) (delta^(l))^T", "delta^(l) x^(l-1)", "the outer product is missing a ^T"),
    ("lfd", LFD, "tanhs", "Wbar", "W", "W stands in place of Wbar"),
    (
        "lfd",
        LFD,
        "tanhs",
        "theta'(s^(l))",
        "(1 - (s^(l))^2)",
        "g' is written in terms of the outputs, and is given the weighted sums in every hidden layer",
    ),
    (
        "ng",
        NG,
        "sigmoids",
        "Thetabar",
        "Theta",
        "g'(z^(l))",
        "a^(l) .* (1 - a^(l))",
        "an entry for the bias stands in it",
    ),
    ("ng", NG, "sigmoids", "delta^(l+1) (a^(l))^T", "a^(l) delta^(l+1)", "the outer product is missing a ^T"),
    ("smatrix", SMATRIX, "tanhs", "S_k^T", "S_k", "S is not transposed"),
    ("smatrix", SMATRIX, "tanhs", "S_k^T", "S_{k+1}^T", "S is off by one layer"),
)


@pytest.mark.parametrize(("notation", "network", "text"), RIGHT)
def test_without_a_slip_it_is_right(notation: str, network: str, text: str) -> None:
    assert symbp.check_gradient(NETS[network], text, notation=notation).ok


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip[0]}: {slip[-1]}")
def test_slips_in_texts(slip: tuple[str, ...]) -> None:
    notation, text, network, *changes, reason = slip
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    report = symbp.check_gradient(NETS[network], text, notation=notation)
    assert not report.ok
    assert reason in (report.reason or "")


def test_a_change_of_a_layer_that_is_not_there_is_no_fault() -> None:
    """Changes that are tried reach beyond the last layer."""
    text = BISHOP.replace("^{N_{k+1}}", "^{3}")
    assert not symbp.check_gradient(NETS["plain"], text, notation="bishop").ok


@pytest.mark.parametrize(
    ("notation", "network", "text"),
    [
        ("bishop", "plain", BISHOP.replace("{j=1}^{N_{k+1}}", "j")),
        ("bishop", "plain", BISHOP.replace("{j=1}^{N_{k+1}}", "{j}")),
        ("bishop", "plain", BISHOP.replace("{j=1}^{N_{k+1}}", "j^{N_{k+1}}")),
        ("lfd", "tanhs", "s_j^(l) = sum_i w_{ij}^(l) x_i^(l-1); " + LFD),
        ("smatrix", "tanhs", "dJ/dW_k = sum_p delta_{k,p} a_{k,p}^T"),
        ("nielsen", "sigmoids", NIELSEN.replace("W", "w")),
    ],
)
def test_sums_without_limits_and_small_letters_of_matrices(notation: str, network: str, text: str) -> None:
    assert symbp.check_gradient(NETS[network], text, notation=notation).ok


def test_a_sum_over_an_index_that_is_not_there() -> None:
    with pytest.raises(FormulaError, match="nothing in the sum has the index q"):
        symbp.check_gradient(NETS["tanhs"], "dJ/dW_k = sum_q delta_k a_k^T")


# Functions and SymPy -----------------------------------------------------------------------

# 2 inputs and a bias, 3 units: the whole matrix is a square.
SQUARE = symbp.Network(2, [Dense(3, "tanh"), Dense(1)], "half_squared_error")


def _of_square(W: Any, x: Any, y: Any, one: Any) -> list[Any]:
    outputs = (W[0] * x.col_join(one)).applyfunc(sympy.tanh)
    last = W[1] * outputs.col_join(one) - y
    first = (W[1][:, :3].T * last).multiply_elementwise(outputs.applyfunc(lambda v: 1 - v**2))
    return [first * x.col_join(one).T, last * outputs.col_join(one).T]


def test_a_whole_square_matrix_is_transposed() -> None:
    names = symbp.network_symbols(SQUARE)
    first, last = _of_square(names.W, names.x, names.y, sympy.Matrix([1]))
    assert symbp.check_gradient(SQUARE, [first, last]).ok
    report = symbp.check_gradient(SQUARE, [first.T, last])
    assert report.reason == "the gradient of W_1 is transposed, with the bias"


def test_rows_are_not_columns() -> None:
    def flat(w: Any, X: Any, Y: Any) -> Any:
        W = [w[: NET.n_params // 3 * (k + 1)][NET.n_params // 3 * k :].reshape(3, 4) for k in range(3)]
        return np.concatenate([g.ravel(order="F") for g in by_hand()(W, X, Y)])

    report = symbp.check_gradient(NET, flat, layout="flat")
    assert report.reason == "the matrices are flattened column by column instead of row by row"


def _slopes(by: int, layers: tuple[int, ...]) -> Callable[..., list[Any]]:
    """Return backpropagation through NET that takes g' of another layer in some deltas."""

    def gradient(W: list[Any], X: Any, Y: Any) -> list[Any]:
        sums, outputs = [], [X]
        for w, (g, _) in zip(W, FUNCTIONS, strict=True):
            sums.append(outputs[-1] @ w[:, :-1].T + w[:, -1])
            outputs.append(g(sums[-1]))
        delta = [(outputs[-1] - Y) * FUNCTIONS[-1][1](sums[-1])]
        for k in (1, 0):
            taken = k + by if k in layers else k
            delta.insert(0, delta[0] @ W[k + 1][:, :-1] * FUNCTIONS[taken][1](sums[taken]))
        return [np.column_stack([d.T @ a, d.sum(0)]) / len(X) for d, a in zip(delta, outputs, strict=False)]

    return gradient


@pytest.mark.parametrize(
    ("by", "layers", "reason"),
    [
        (1, (1,), "g' of layer 3 stands in place of g' of layer 2: it is off by one layer"),
        (1, (0,), "g' of layer 2 stands in place of g' of layer 1: it is off by one layer"),
        (-1, (1,), "g' of layer 1 stands in place of g' of layer 2: it is off by one layer"),
        (1, (0, 1), "g' is off by one layer in every delta: that of the next layer"),
    ],
)
def test_the_slope_of_another_layer(by: int, layers: tuple[int, ...], reason: str) -> None:
    assert symbp.check_gradient(NET, _slopes(0, layers)).ok
    assert (symbp.check_gradient(NET, _slopes(by, layers)).reason or "").startswith(reason)

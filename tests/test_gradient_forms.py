"""Gradients as text as documents write them: one sample's cost, chain rule, accumulators, penalties."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbp
from symbp.cli import main
from symbp.errors import FormulaError, SpecError
from symbp.notation import NOTATIONS, get
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.testing import assert_gradient

Dense = symbp.Dense
NET = symbp.Network(3, [Dense(4, "tanh"), Dense(2, "sigmoid")], "half_squared_error")
NETWORKS = {
    "mixed": symbp.Network(
        3,
        [Dense(4, "tanh"), Dense(2, "sigmoid", bias=False), Dense(2, "softmax")],
        "cross_entropy",
        weighted=True,
    ),
    "perceptron": symbp.Network(3, [Dense(2, "sigmoid")], "half_squared_error"),
}
# Steps whose lines together give the whole gradient.
PRINTED = (
    ("A.2",),
    ("A.3",),
    ("A.3m",),
    ("A.4", "A.6", "A.7"),
    ("A.4", "A.5", "A.7"),
    ("A.8", "A.8b"),
    ("2.1ra", "2.1rb"),
    ("A.4", "A.6", "A.8b", "A.8"),
    ("D.1f", "D.5m", "D.6m"),
)


@functools.cache
def derivation(name: str) -> symbp.Derivation:
    return symbp.derive(NETWORKS[name], l2=0.25)


@pytest.mark.parametrize("writer", [TextWriter, LatexWriter])
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_what_the_pages_print_of_samples_and_penalties(
    name: str, notation: str, writer: type[Writer]
) -> None:
    network, found = NETWORKS[name], derivation(name)
    write = writer(get(notation), network.sizes, [layer.bias for layer in network.layers])
    for labels in PRINTED:
        lines = [
            str(printed.relation)
            for label in labels
            for printed in write.printed(found[label].statement, found[label].assumes)
        ]
        assert_gradient(network, "\n".join(lines), notation=notation, l2=0.25, samples=3)


OF_ONE_SAMPLE = {
    "smatrix": (
        "dE/dW_k = m delta_k a_k^T",
        "dJ_p/dW_k = m delta_k a_k^T",
        "dJ^p/dW_k = m delta_k^p (a_k^p)^T",
    ),
    "ng": ("dE/dTheta^(l) = delta^(l+1) (a^(l))^T", "dJ_p/dTheta^(l) = delta^(l+1) (a^(l))^T"),
    "lfd": ("de/dW^(l) = x^(l-1) (delta^(l))^T", "de_n/dW^(l) = x_n^(l-1) (delta_n^(l))^T"),
    "bishop": ("de/dW^(k) = delta^(k) (z^(k-1))^T", "dE_n/dw_{ij}^(k) = delta_i^(k) z_j^(k-1)"),
    "nielsen": ("dC_x/dW^l = delta^l (a^{l-1})^T; dC_x/db^l = delta^l",),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_cost_of_one_sample(notation: str) -> None:
    for text in OF_ONE_SAMPLE[notation]:
        assert_gradient(NET, text, notation=notation)
    m = get(notation).glyph("m").text
    first, *_ = OF_ONE_SAMPLE[notation]
    report = symbp.check_gradient(NET, first.replace(";", f"/{m};") + f"/{m}", notation=notation)
    assert report.reason == "a factor 1/m too much: it is the derivative of the cost of one sample"
    assert report.worst[0].weight.rpartition(" ")[2].startswith("p=")  # at which sample
    # With the letter of the average the same formula lacks the factor.
    average = get(notation).glyph("J").text
    cost = first[1 : first.index("/")]
    report = symbp.check_gradient(NET, first.replace(f"d{cost}/", f"d{average}/"), notation=notation)
    assert "the factor 1/m is missing" in (report.reason or "")


@pytest.mark.parametrize(
    ("notation", "text", "weights"),
    [
        (
            "lfd",
            "dE/dw_{0j}^(1) = 9; dE/dW^(1) = x^(0) (delta^(1))^T/N",
            {f"w_{{0{j}}}^{{(1)}}" for j in (1, 2, 3, 4)},
        ),
        ("nielsen", "dC/db^2 = 9 delta^2", {"b_1^2", "b_2^2"}),
        ("ng", "dJ/dtheta_{i0}^(2) = 9", {"theta_{10}^{(2)}", "theta_{20}^{(2)}"}),
    ],
)
def test_wrong_weights_have_their_names_in_the_notation(notation: str, text: str, weights: set[str]) -> None:
    report = symbp.check_gradient(NET, text, notation=notation)
    assert {difference.weight for difference in report.worst} == weights


def test_the_average_is_not_the_gradient_of_each_sample() -> None:
    text = "de/dW^(l) = (1/N) sum_{n=1}^N x_n^(l-1) (delta_n^(l))^T"
    report = symbp.check_gradient(NET, text, notation="lfd")
    assert not report.ok
    assert report.reason == "it is the average over the samples, not the derivative of the cost of one sample"
    assert_gradient(NET, text.replace("de/", "dE/"), notation="lfd")


@pytest.mark.parametrize(("notation", "cost"), [("lfd", "J"), ("nielsen", "J"), ("ng", "C"), ("bishop", "Q")])
def test_a_cost_that_the_notation_does_not_have(notation: str, cost: str) -> None:
    letter = "Theta" if notation == "ng" else "W"
    with pytest.raises(FormulaError, match=f"the notation {notation} has no cost {cost!r}: it is"):
        symbp.check_gradient(NET, f"d{cost}/d{letter}^1 = 0", notation=notation)
    with pytest.raises(FormulaError, match="has at most the letter of a sample"):
        symbp.check_gradient(NET, "dJ_{1,2}/dW^1 = 0")


CHAIN_RULE = {
    "smatrix": (
        "dJ/dw_{ij}^k = dJ/dc_i^k dc_i^k/dw_{ij}^k",
        "dJ/dw_{ij}^k = sum_{p=1}^m sum_{q=1}^{N_{L+1}} dJ/dh_q^p dh_q^p/dw_{ij}^k",
        "delta_k = (dJ/dc_k)^T; dJ/dW_k = delta_k a_k^T",
        "delta_k = (delta_{k+1}^T dc_{k+1}/dc_k)^T; dJ/dW_k = delta_k a_k^T",
    ),
    "ng": (
        "dJ/dtheta_{ij}^(l) = sum_{q=1}^{s_{l+1}}"
        " dJ/da_q^(l+1) da_q^(l+1)/dz_i^(l+1) dz_i^(l+1)/dtheta_{ij}^(l)",
        "delta^(l) = dE/dz^(l); dJ/dTheta^(l) = delta^(l+1) (a^(l))^T/m",
    ),
    "lfd": (
        "dE/dw_{ij}^(l) = dE/ds_j^(l) ds_j^(l)/dw_{ij}^(l)",
        "delta_j^(l) = de/dx_j^(l) theta'(s_j^(l)); dE/dw_{ij}^(l) = (1/N) x_i^(l-1) delta_j^(l)",
    ),
    "bishop": (
        "dE/dw_{ij}^(k) = (1/m) sum_{n=1}^m dE_n/da_i^(k) da_i^(k)/dw_{ij}^(k)",
        "delta^(k) = (da^(k+1)/da^(k))^T delta^(k+1); dE/dW^(k) = delta^(k) (z^(k-1))^T/m",
    ),
    "nielsen": (
        "dC/dw^l_{jk} = dC/dz^l_j dz^l_j/dw^l_{jk}; dC/db^l_j = dC/dz^l_j dz^l_j/db^l_j",
        "delta^l = dC_x/da^l .* sigma'(z^l); dC/dW^l = delta^l (a^{l-1})^T/m; dC/db^l = delta^l/m",
        r"\\frac{\\partial C}{\\partial W^l} = \\frac{\\partial C}{\\partial z^l} (a^{l-1})^T;"
        r"\\frac{\\partial C}{\\partial b^l} = \\frac{\\partial C}{\\partial z^l}".replace("\\\\", "\\"),
    ),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_chain_rule_forms(notation: str) -> None:
    for text in CHAIN_RULE[notation]:
        assert_gradient(NET, text, notation=notation)


def test_other_signs() -> None:
    for text in (
        "∂J/∂W_k = δ_k a_kᵀ",
        "partial J/partial W_k = delta_k a_k^T",
        "dJ/dW[k] = delta[k] @ a[k].T",
    ):
        assert_gradient(NET, text)


def test_wrong_chain_rule_forms() -> None:
    report = symbp.check_gradient(NET, "dE/dw_{ij}^(l) = dE/dx_j^(l) ds_j^(l)/dw_{ij}^(l)", notation="lfd")
    assert report.reason == "x stands in place of s"
    assert "s in place of x at column 18" in (report.correction or "")
    report = symbp.check_gradient(NET, "dC/dw^l_{jk} = dC/dz^{l+1}_j dz^l_j/dw^l_{jk}", notation="nielsen")
    assert not report.ok
    assert report.reason == "z is off by one layer"
    softmax = NETWORKS["mixed"]
    text = "delta_3 = (dJ/dh dh/dc_3)^T; dJ/dW_k = delta_k a_k^T"  # the whole Jacobian, not its diagonal
    assert_gradient(softmax, text)


BAD = {
    "dJ/dw_{ij}^k = dJ/dc_i^k dc_k/dw_{ij}^k": "write both with indices, or both without",
    "dJ/dW_k = dc_k/dW_k": "a column by a matrix: write it entry by entry",
    "dJ/dW_k = ddelta_k/dc_k": "delta is nothing that is differentiated",
    "dJ/dW_k = dJ/dy": "y is nothing that is differentiated by",
    "dJ/dW_k = dc_k/dq": "unknown name 'q'",
    "delta_k = delta_k + c_k; dJ/dW_k = delta_k a_k^T": "delta is defined by itself",
    "D_k = D_k; dJ/dW_k = D_k": "D is defined by itself",
    "D_{ijr}^k = 1; dJ/dW_k = D_k": "only columns with one index, or matrices with two",
}


@pytest.mark.parametrize("text", BAD)
def test_derivatives_that_make_no_sense_are_one_line(text: str) -> None:
    with pytest.raises(FormulaError, match=BAD[text]) as caught:
        symbp.check_gradient(NET, text)
    assert "\n" not in str(caught.value)


ACCUMULATED = (
    "Delta^(l) = 0; Delta^(l) := Delta^(l) + delta^(l+1) (a^(l))^T; D^(l) = Delta^(l)/m;"
    "dJ/dTheta^(l) = D^(l)",
    "Delta_{ij}^(l) += a_j^(l) delta_i^(l+1); dJ/dTheta_{ij}^(l) = (1/m) Delta_{ij}^(l)",
    "dJ/dTheta^(l) = Delta^(l)/m",
    "mine^(l) += delta^(l+1) (a^(l))^T; dJ/dTheta^(l) = mine^(l)/m",
    "dJ/dTheta^(l) = (1/m) sum_{p=1}^m delta^(l+1) (a^(l))^T",
)
WITH_PENALTY = (
    "Delta_{ij}^(l) += a_j^(l) delta_i^(l+1); D_{ij}^(l) = (1/m) Delta_{ij}^(l) + lambda Theta_{ij}^(l);"
    "D_{i0}^(l) = (1/m) Delta_{i0}^(l); dJ/dTheta_{ij}^(l) = D_{ij}^(l)"
)


def test_the_accumulators_of_001() -> None:
    for text in ACCUMULATED:
        assert_gradient(NET, text, notation="ng")
    report = symbp.check_gradient(NET, ACCUMULATED[0].replace("/m", ""), notation="ng")
    assert "the factor 1/m is missing" in (report.reason or "")
    report = symbp.check_gradient(NET, ACCUMULATED[1].replace("a_j^(l) ", ""), notation="ng")
    assert not report.ok


def test_the_penalty_of_001() -> None:
    assert_gradient(NET, WITH_PENALTY, notation="ng", l2=0.25)
    for old, new, reason in (
        (
            "D_{i0}^(l) = (1/m) Delta_{i0}^(l);",
            "",
            "a penalty on the biases stands in it: 0.25 times the weight",
        ),
        ("+ lambda Theta", "+ (lambda/m) Theta", "the penalty is divided by m"),
        ("(1/m) Delta", "Delta", "the factor 1/m is missing"),
    ):
        assert old in WITH_PENALTY
        report = symbp.check_gradient(NET, WITH_PENALTY.replace(old, new), notation="ng", l2=0.25)
        assert not report.ok
        assert reason in (report.reason or "")
    # Without lambda dJ/dTheta is what the pages call so; the cost with the penalty has a tilde.
    assert_gradient(NET, "dJ/dTheta^(l) = Delta^(l)/m", notation="ng", l2=0.25)
    report = symbp.check_gradient(NET, "dJ~/dTheta^(l) = Delta^(l)/m", notation="ng", l2=0.25)
    assert report.reason == "the derivative of the penalty is missing"
    with pytest.raises(FormulaError, match="lambda is the strength of a penalty, and none is given"):
        symbp.check_gradient(NET, WITH_PENALTY, notation="ng")
    with pytest.raises(FormulaError, match="the parameters of the penalty are lambda_1, lambda_2"):
        symbp.check_gradient(NET, "dJ/dW_k = lambda_3 W_k", l1=0.5, l2=0.25)
    with pytest.raises(SpecError, match="l2 = -1"):
        symbp.check_gradient(NET, "dJ/dW_k = delta_k a_k^T", l2=-1)


def test_a_penalty_of_another_kind() -> None:
    text = "dJ~/dw_{ij}^k = Delta_{ij}^k/m + lambda_1 sign(w_{ij}^k) + lambda_2 w_{ij}^k; "
    bias = "dJ~/dw_{i,N_{k-1}+1}^k = Delta_{i,N_{k-1}+1}^k/m"
    assert_gradient(NET, text + bias, l1=0.5, l2=0.25)
    assert not symbp.check_gradient(NET, text.replace("lambda_1", "lambda_2") + bias, l1=0.5, l2=0.25).ok


def by_hand(added: float, of_biases: float = 0.0) -> Callable[..., list[Any]]:
    """Return the gradient of NET, with this times the weights added to it."""

    def gradient(W: list[Any], X: Any, Y: Any) -> list[Any]:
        o = np.tanh(X @ W[0][:, :-1].T + W[0][:, -1])
        h = 1 / (1 + np.exp(-(o @ W[1][:, :-1].T + W[1][:, -1])))
        d2 = (h - Y) * h * (1 - h) / len(X)
        d1 = d2 @ W[1][:, :-1] * (1 - o**2)
        found = [np.column_stack([d.T @ a, d.sum(axis=0)]) for d, a in ((d1, X), (d2, o))]
        for g, w in zip(found, W, strict=True):
            g[:, :-1] += added * w[:, :-1]
            g[:, -1] += of_biases * w[:, -1]
        return found

    return gradient


def test_a_function_with_a_penalty() -> None:
    assert_gradient(NET, by_hand(0.0))
    assert_gradient(NET, by_hand(0.25), l2=0.25)
    for wrong, reason in (
        (by_hand(0.0), "the derivative of the penalty is missing"),
        (by_hand(0.5), "the derivative of the penalty stands in it twice"),
        (by_hand(0.05), "the penalty is divided by m: it is no average over the samples"),
        (by_hand(0.25, 0.25), "a penalty on the biases stands in it: 0.25 times the weight"),
    ):
        assert reason in (symbp.check_gradient(NET, wrong, l2=0.25).reason or "")


SPEC = """[network]
name = "line"
inputs = 3
cost = "half_squared_error"
layers = [ {units = 2, activation = "tanh"} ]

[train]
l2 = 0.5
"""


def test_the_penalty_of_the_spec_and_parts_on_the_command_line(tmp_path, capsys) -> None:
    spec, gradient = tmp_path / "line.toml", tmp_path / "gradient.txt"
    spec.write_text(SPEC, encoding="utf-8")
    gradient.write_text(
        "dJ/dw_{ij}^1 = Delta_{ij}^1/m + lambda w_{ij}^1\ndJ/dw_{i4}^1 = Delta_{i4}^1/m", encoding="utf-8"
    )
    command = ["verify", str(spec), "--gradient", str(gradient)]
    assert main(command) == 0
    gradient.write_text("dC/dW^1 = delta^1 x^T/m", encoding="utf-8")
    assert main([*command, "--notation", "nielsen"]) == 1
    out = capsys.readouterr().out
    assert "right as far as it goes: 6 derivatives" in out
    assert "not given: biases of layer 1" in out
    assert main([*command, "--notation", "nielsen", "--partial"]) == 0
    assert main(["verify", str(spec), "--partial"]) == 2
    gradient.write_text("dJ/dW_1 = x delta_1^T/m", encoding="utf-8")
    capsys.readouterr()
    assert main(command) == 1
    out = capsys.readouterr().out
    assert "is 3 x 2: expected 2 x 4" in out
    assert "likeliest reason: the gradient is transposed; and the factor 1/m stands in it twice" in out

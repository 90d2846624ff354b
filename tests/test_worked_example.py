"""Worked examples: document 002's, exact fractions, the plain NumPy network, and numbers that do not fit."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
from sympy import Eq

import symbp
from symbp.derivation.numbers import Example, work
from symbp.errors import DataError
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.given import read
from symbp.render.example import FORMATS
from tests.oracle import Oracle

DOCUMENT_002 = Network(
    1, [Dense(2, "tanh"), Dense(1, "tanh"), Dense(1, "tanh")], "squared_error", name="example"
)
NUMBERS_002 = "x = 2; y = 1; W1 = [[0.3, 0.1], [0.4, 0.2]]; W2 = [[1, -3, 0.2]]; W3 = 2, 1"


def example(network: Network, text: str) -> Example:
    return work(symbp.derive(network), read(text, network))


def flat(worked: Example) -> list[float]:
    return [float(value) for gradient in worked.gradients for row in gradient.rows for value in row]


def test_document_002() -> None:
    worked = example(DOCUMENT_002, NUMBERS_002)
    values = {str(v.quantity): round(float(v.value), 6) for v in (*worked.forward, *worked.backward)}
    assert (values["c[1, 1]"], values["c[1, 2]"]) == (0.7, 1.0)
    assert (values["o[1, 1]"], values["o[1, 2]"]) == (0.604368, 0.761594)
    assert (values["c[2, 1]"], values["o[2, 1]"]) == (-1.480415, -0.901546)
    assert (values["c[3, 1]"], values["h[3, 1]"]) == (-0.803091, -0.665761)
    assert values["J[3]"] == 2.774761
    assert values["delta[3, 1]"] == -1.854864
    assert values["delta[2, 1]"] == -0.694518
    assert (values["delta[1, 1]"], values["delta[1, 2]"]) == (-0.440838, 0.875040)
    assert [[round(float(v), 6) for v in row] for row in worked.gradients[0].rows] == [
        [-0.881677, -0.440838],  # the bias is the last column here, the first row there
        [1.750080, 0.875040],
    ]
    assert [round(float(v), 6) for v in worked.gradients[1].rows[0]] == [-0.419745, -0.528941, -0.694518]
    assert [round(float(v), 6) for v in worked.gradients[2].rows[0]] == [1.672245, -1.854864]


# Document 003, figure 4: two inputs, two hidden layers of two, one output, no bias. The page leaves
# its numbers open; these are checked to fifteen digits against differences of its own formulas.
FIGURE_4 = Network(2, [Dense(n, "sigmoid", bias=False) for n in (2, 2, 1)], "half_squared_error")
NUMBERS_4 = (
    "x = 0.35, 0.9; y = 0.5; W1 = [[0.1, 0.8], [0.4, 0.6]]; W2 = [[0.3, -0.9], [1.2, 0.7]]; W3 = 0.5, 0.2"
)


def test_figure_4_of_003_through_the_seven_steps() -> None:
    worked = example(FIGURE_4, NUMBERS_4)
    values = {str(v.quantity): v.value for v in (*worked.forward, *worked.backward)}
    weights = [sympy.Matrix(matrix) for matrix in worked.given.weights]

    def run(k: int, sums: sympy.Matrix) -> tuple[list[sympy.Matrix], sympy.Expr]:
        """Go on from the weighted sums of layer k; return those of all later layers, and E."""
        found = [sums]
        for matrix in weights[k:]:
            found.append(matrix * found[-1].applyfunc(lambda a: 1 / (1 + sympy.exp(-a))))
        z = 1 / (1 + sympy.exp(-found[-1][0]))
        return found, (z - worked.given.targets[0]) ** 2 / 2

    change = sympy.Float("1e-20", 60)
    first = (weights[0] * sympy.Matrix(worked.given.inputs)).evalf(60)
    sums, cost = run(1, first)
    assert abs(values["J[3]"] - cost) < 1e-15
    for k, layer in enumerate(sums, 1):
        for i, value in enumerate(layer, 1):
            assert abs(values[f"c[{k}, {i}]"] - value) < 1e-15
            moved = [layer + by * sympy.eye(len(layer))[:, i - 1] for by in (change, -change)]
            up, down = (run(k, at)[1] for at in moved)
            assert abs((up - down) / (2 * change) - values[f"delta[{k}, {i}]"]) < 1e-15
    printed = FORMATS["text"](worked, "bishop", 9)
    assert f"{float(values['delta[1, 2]']):.9f}" in printed


NETWORKS = [
    (Network(3, [Dense(4, "tanh"), Dense(3, "softmax")], "cross_entropy"), "x=1,-2,1/3; y=2; seed=4"),
    (Network(2, [Dense(1, "sigmoid")], "binary_cross_entropy"), "x=0.5 2; y=1; seed=1"),
    (Network(2, [Dense(3, "relu", bias=False), Dense(2)], "half_squared_error"), "x=[1, -1]; y=1,0; seed=7"),
    (
        Network(1, [Dense(2, "tanh"), Dense(3, "relu"), Dense(2)], "squared_error"),
        "x=-1.5; y=[0.1, 2]; seed=5",
    ),
    (Network(2, [Dense(3, "sigmoid"), Dense(2, "softmax")], "squared_error"), "x=1,2; y=1,0; seed=2"),
]


@pytest.mark.parametrize(("network", "text"), NETWORKS, ids=lambda p: str(getattr(p, "sizes", "")))
def test_against_the_plain_network(network: Network, text: str) -> None:
    worked = example(network, text)
    oracle = Oracle.of(network)
    given = worked.given
    w = np.array([float(v) for matrix in given.weights for row in matrix for v in row])
    X = np.array([[float(v) for v in given.inputs]])
    Y = np.array([[float(v) for v in given.targets]])
    h = [float(v.value) for v in worked.forward if v.label == "1.8"]
    np.testing.assert_allclose(h, oracle.predict(w, X)[0], rtol=1e-13)
    assert float(worked.forward[-1].value) == pytest.approx(oracle.cost(w, X, Y), rel=1e-13)
    np.testing.assert_allclose(flat(worked), oracle.gradient(w, X, Y), rtol=1e-12, atol=1e-15)


OTHERS = [
    (Network(1, [Dense(2, "swish"), Dense(1, "gelu")], "huber"), "x=1/2; y=-3; seed=2"),
    (Network(2, [Dense(1, "leaky_relu"), Dense(2, "elu")], "log_cosh"), "x=1,-2; y=1,0; seed=3"),
    (Network(1, [Dense(1, "mish"), Dense(2, "softmax")], "cross_entropy", weighted=True), "x=3; y=1; v=5/2"),
    (Network(1, [Dense(1, "tanh", bias=False), Dense(1, "tanh")], "hinge"), "x=1/2; y=-1; seed=9"),
]


@pytest.mark.parametrize(
    ("network", "text"), OTHERS, ids=lambda p: getattr(getattr(p, "cost", None), "name", "")
)
def test_against_small_changes_of_the_weights(network: Network, text: str) -> None:
    """Values have 50 digits, so a change of 1e-12 tells 20 digits of each derivative."""
    derivation, given, change = symbp.derive(network), read(text, network), sympy.Rational(1, 10**12)

    def cost(k: int, row: int, column: int, by: sympy.Rational) -> sympy.Float:
        matrices = [[list(line) for line in matrix] for matrix in given.weights]
        matrices[k][row][column] += by
        return work(derivation, replace(given, weights=matrices)).forward[-1].value

    for k, gradient in enumerate(work(derivation, given).gradients):
        for row, values in enumerate(gradient.rows):
            for column, value in enumerate(values):
                up, down = (cost(k, row, column, by) for by in (change, -change))
                assert abs((up - down) / (2 * change) - value) < 1e-18


def test_the_weight_of_the_sample() -> None:
    network, text = OTHERS[2]
    twice, once = example(network, text.replace("5/2", "2")), example(network, text.replace("; v=5/2", ""))
    np.testing.assert_allclose(flat(twice), 2 * np.array(flat(once)), rtol=1e-14)
    assert "v = 2" in FORMATS["text"](twice)
    with pytest.raises(DataError, match="v = -1: the weight of a sample is at least 0"):
        read("x=3; y=1; v=-1", network)
    with pytest.raises(DataError, match="'v' is no quantity of this network"):
        read("x=1/2; y=1; v=1", OTHERS[0][0])


@pytest.mark.parametrize("notation", sorted(NOTATIONS))
@pytest.mark.parametrize("form", FORMATS)
def test_every_notation(form: str, notation: str) -> None:
    worked = example(OTHERS[2][0], OTHERS[2][1])
    assert "2.5000" in FORMATS[form](worked, notation, 4)


def test_fractions_stay_fractions() -> None:
    network = Network(2, [Dense(2, "relu"), Dense(1)], "half_squared_error")
    worked = example(network, "x = 1/3, 2; y = 1; W1 = [[1, 1, 1/7], [-1, 0.5, 0]]; W2 = 3, -1/2, 0.1")
    values = [v.value for v in (*worked.forward, *worked.backward)]
    values += [v for g in worked.gradients for row in g.rows for v in row]
    assert all(isinstance(value, sympy.Rational) for value in values)
    assert worked.forward[0].value == sympy.Rational(1, 3) + 2 + sympy.Rational(1, 7)


def test_numbers_come_from_the_derivation() -> None:
    """A broken equation gives other numbers: nothing else computes them."""
    derivation = symbp.derive(DOCUMENT_002)
    given = read(NUMBERS_002, DOCUMENT_002)
    right = flat(work(derivation, given))
    for label in ("2.6b", "D.5", "D.6"):
        step = derivation[label].statement
        broken = derivation.replace(label, Eq(step.lhs, -step.rhs, evaluate=False))
        assert flat(work(broken, given)) != right, label


@pytest.mark.tex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_without_overfull_boxes(tmp_path: Path) -> None:
    for number, (network, text) in enumerate(((DOCUMENT_002, NUMBERS_002), NETWORKS[0])):
        name = f"e{number}"
        (tmp_path / f"{name}.tex").write_text(FORMATS["latex"](example(network, text)), encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
        assert run.returncode == 0, run.stdout[-2000:]
        assert "Overfull" not in (tmp_path / f"{name}.log").read_text(errors="replace")


def test_html_has_every_number() -> None:
    page = FORMATS["html"](example(DOCUMENT_002, NUMBERS_002), digits=4)
    for value in ("-0.6658", "-1.8549", "0.8750", "<math"):
        assert value in page
    assert "http" not in page.replace("http://www.w3.org/1998/Math/MathML", "")


def test_markdown_has_every_number() -> None:
    page = FORMATS["markdown"](example(DOCUMENT_002, NUMBERS_002), digits=4)
    for value in ("-0.6658", "-1.8549", "0.8750", r"\begin{bmatrix}"):
        assert value in page


def test_the_s_matrices_are_the_steps_of_delta() -> None:
    worked = example(DOCUMENT_002, NUMBERS_002)
    delta = {str(v.quantity): v.value for v in worked.backward if v.label[:2] == "D."}
    (first,) = (step for step in worked.steps if step.layer == 1)
    assert (len(first.rows), len(first.rows[0])) == (1, 2)
    for s in (1, 2):
        assert float(first.rows[0][s - 1] * delta["delta[2, 1]"] - delta[f"delta[1, {s}]"]) == pytest.approx(
            0
        )
    for notation in NOTATIONS:
        assert "S-matrices" in FORMATS["text"](worked, notation)


PENALISED = Network(
    2, [Dense(2, "tanh", bias=False), Dense(2, "relu"), Dense(1)], "half_squared_error", weighted=True
)


@pytest.mark.parametrize("network", [PENALISED, NETWORKS[1][0]], ids=["mixed", "perceptron"])
def test_a_penalty_is_in_the_example(network: Network) -> None:
    """Against differences of the cost with the penalty, and of weights typed in by hand."""
    derivation = symbp.derive(network, l1=0.5, l2=0.25)
    given = read("x = 1, -2; y = 1; seed = 6", network)
    worked, half = work(derivation, given), sympy.Rational(1, 2)
    weights = [v for k, matrix in enumerate(given.weights) for row in matrix for v in row[: network.sizes[k]]]
    data = next(v.value for v in worked.forward if v.label == "2.1")
    added = sum(half * abs(w) + sympy.Rational(1, 8) * w**2 for w in weights)
    assert abs(worked.forward[-1].value - data - added) < 1e-40
    for plain, penalised, matrix in zip(worked.gradients, worked.penalised, given.weights, strict=True):
        inputs = network.sizes[plain.layer - 1]
        for own, whole, w in zip(plain.rows, penalised.rows, matrix, strict=True):
            slopes = [half * sympy.sign(v) + v / 4 for v in w[:inputs]] + [0] * (len(w) - inputs)
            assert all(abs(b - a - c) < 1e-40 for a, b, c in zip(own, whole, slopes, strict=True))
    for form, page in FORMATS.items():
        for notation in NOTATIONS:
            text = page(worked, notation)
            assert "Gradients with the penalty" in text, (form, notation)
            assert "1/4" in text or r"\tfrac{1}{4}" in text  # the strength


def test_without_a_penalty_there_is_no_word_of_it() -> None:
    assert all(
        "with the penalty" not in page(example(DOCUMENT_002, NUMBERS_002)) for page in FORMATS.values()
    )

"""A gradient as text, in the letters of each notation: what pages print is right, mistakes are placed."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

import symbp
from symbp.cli import main
from symbp.errors import FormulaError, GradientError, RenderError, SpecError
from symbp.notation import NOTATIONS, get
from symbp.notation.text import TextWriter
from symbp.testing import assert_gradient

NETWORKS = {
    "biases": symbp.Network(
        3,
        [symbp.Dense(4, "tanh"), symbp.Dense(5, "softplus"), symbp.Dense(2, "sigmoid")],
        "half_squared_error",
    ),
    "one without bias": symbp.Network(
        3, [symbp.Dense(4, "tanh"), symbp.Dense(4, "sigmoid", bias=False), symbp.Dense(2)], "squared_error"
    ),
    "no bias": symbp.Network(
        2, [symbp.Dense(3, "elu", bias=False), symbp.Dense(2, "softmax", bias=False)], "cross_entropy"
    ),
    "perceptron": symbp.Network(5, [symbp.Dense(1, "sigmoid")], "binary_cross_entropy"),
    "weighted": symbp.Network(
        2, [symbp.Dense(3, "tanh"), symbp.Dense(2)], "half_squared_error", weighted=True
    ),
}
SQUARE = symbp.Network(
    3, [symbp.Dense(4, "tanh"), symbp.Dense(4, "sigmoid"), symbp.Dense(4, "tanh")], "half_squared_error"
)
OBLONG = symbp.Network(
    3, [symbp.Dense(5, "tanh"), symbp.Dense(4, "sigmoid"), symbp.Dense(2, "tanh")], "half_squared_error"
)
# The same gradient in the matrices of each notation.
IN_MATRICES = {
    "smatrix": "delta_3 = (h - y) .* g'^3(c_3)/m; delta_k = (Wbar_{k+1}^T delta_{k+1}) .* g'^k(c_k); "
    "dJ/dW_k = delta_k a_k^T",
    "ng": "delta^(L) = (a^(L) - y) .* g'(z^(L)); delta^(l) = ((Thetabar^(l))^T delta^(l+1)) .* g'(z^(l)); "
    "dJ/dTheta^(l) = 1/m delta^(l+1) (a^(l))^T",
    "lfd": "delta^(L) = (x^(L) - y) .* theta'(s^(L)); "
    "delta^(l) = theta'(s^(l)) .* [W^(l+1) delta^(l+1)]_1^{d^(l)}; dE/dW^(l) = x^(l-1) (delta^(l))^T/N",
    "bishop": "delta^(K) = (z^(K) - y) .* sigma'(a^(K)); "
    "delta^(k) = ((Wbar^(k+1))^T delta^(k+1)) .* sigma'(a^(k)); dE/dW^(k) = delta^(k) (z^(k-1))^T/m",
    "nielsen": "delta^L = (a^L - y) .* sigma'(z^L); delta^l = ((W^{l+1})^T delta^{l+1}) .* sigma'(z^l); "
    "dC/dW^l = delta^l (a^{l-1})^T/m; dC/db^l = delta^l/m",
}


@functools.cache
def printed(name: str, notation: str, pattern: str) -> list[str]:
    """Return the equations of a network's page with these numbers, as the terminal shows them."""
    network = NETWORKS[name]
    derivation = symbp.derive(network)
    writer = TextWriter(get(notation), network.sizes, [layer.bias for layer in network.layers])
    steps = [derivation[label] for label in derivation.labels if re.fullmatch(pattern, label)]
    return [str(p.relation) for step in steps for p in writer.printed(step.statement, step.assumes)]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_what_the_pages_print_is_right(name: str, notation: str) -> None:
    network = NETWORKS[name]
    last = {k for k in range(1, len(network.layers) + 1) if network.has_bias(k)}
    for pattern in (r"D\.6", r"D\.6m"):
        report = symbp.check_gradient(network, ";".join(printed(name, notation, pattern)), notation=notation)
        assert report.ok, report
        assert report.compared == network.n_params
    for pattern in (r"D\.6a", r"D\.6[ab], k=.*"):
        text = ";".join(printed(name, notation, pattern))
        report = symbp.check_gradient(network, text, notation=notation, partial=True)
        assert report.ok, report
        if pattern.endswith("k=.*"):
            assert report.compared == network.n_params
        elif notation == "smatrix":
            assert report.left_out == tuple(f"biases of layer {k}" for k in sorted(last))


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("recursion", [r"D\.5", r"D\.5m", r"D\.5f, k=.*"])
def test_the_whole_recursion_is_right(notation: str, recursion: str) -> None:
    for name in ("biases", "one without bias"):
        lines = [line for part in (r"D\.1f", recursion, r"D\.6m") for line in printed(name, notation, part)]
        assert_gradient(NETWORKS[name], "\n".join(lines), notation=notation)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_matrices_of_all_samples(notation: str) -> None:
    assert_gradient(SQUARE, IN_MATRICES[notation], notation=notation, samples=3)


MISTAKES = {
    # (notation, what is replaced, by what): (likeliest reason, what would be right)
    ("ng", " .* g'(z^(l))", ""): ("the factor g' is missing", "times g'(z)"),
    ("smatrix", ")/m", ")"): ("the factor 1/m is missing", "divided by m"),
    ("bishop", "z^(K) - y", "y - z^(K)"): ("the sign is wrong", "with a minus in front"),
    ("nielsen", "a^L - y", "a^L + y"): ("a sign is wrong", "a minus in place of the plus"),
    ("bishop", "z^(k-1)", "a^(k-1)"): ("a stands in place of z", "z in place of a"),
    ("lfd", "W^(l+1)", "W^(l)"): ("W is off by one layer", "W of one layer later"),
    ("smatrix", "g'^k(c_k)", "g^k(c_k)"): ("g stands in place of g'", "g with its prime"),
    ("lfd", "(delta^(l))^T", "delta^(l)"): ("delta is not transposed", "delta transposed"),
    ("ng", "a^(L) - y", "2 (a^(L) - y)"): ("a factor 2 too much", "without the first factor"),
    ("nielsen", "((W^{l+1})^T", "(W^{l+1}"): ("W is not transposed", "W transposed"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_named_and_placed(case: tuple[str, str, str]) -> None:
    notation, old, new = case
    text = IN_MATRICES[notation]
    assert old in text
    reason, right = MISTAKES[case]
    for network in (SQUARE, OBLONG):  # where shapes differ the same mistakes do not fit, and are still named
        report = symbp.check_gradient(network, text.replace(old, new), notation=notation)
        assert not report.ok
        assert reason in (report.reason or "")
        assert right in (report.correction or "")


def test_one_layer_alone() -> None:
    report = symbp.check_gradient(SQUARE, "delta^2 (o^1)^T")
    assert not report.ok  # not all of it is there
    assert report.partial
    assert report.compared == 16
    assert report.left_out == ("weights of layer 1", "biases of layer 2", "weights of layer 3")
    assert str(report).startswith("right as far as it goes: 16 derivatives")
    assert str(report).endswith("not given: weights of layer 1, biases of layer 2, weights of layer 3")
    with pytest.raises(AssertionError, match="not given: weights of layer 1"):
        assert_gradient(SQUARE, "delta^2 (o^1)^T")
    assert_gradient(SQUARE, "delta^2 (o^1)^T", partial=True)
    assert not symbp.check_gradient(SQUARE, "2 delta^2 (o^1)^T", partial=True).ok
    twice = symbp.check_gradient(SQUARE, {2: "delta^2 (a^2)^T/m"})
    assert twice.reason == "the factor 1/m stands in it twice"
    assert "delta was taken for the derivative of the average cost: it holds the factor 1/m" in str(twice)
    pair = {3: ("delta^3 (a^2)^T/m", "delta^3/m")}
    assert symbp.check_gradient(SQUARE, pair, notation="nielsen").compared == 20


def test_a_quantity_of_ones_own() -> None:
    text = "Delta^l = delta^(l+1) (a^l)^T; D^l = Delta^l/m; dJ/dTheta^l = D^l + 0.5 Theta^l"
    report = symbp.check_gradient(SQUARE, text, notation="ng")
    # Of the weights alone, not of every sample: 0.5 and not 0.5 m times the weight.
    assert "all weights, the biases too stands in it: 0.5 times the weight" in (report.reason or "")
    text = "Delta_k = delta_k a_k^T; dJ/dW_k = sum_{p=1}^m Delta_k"
    assert_gradient(SQUARE, text)  # delta holds the factor 1/m here
    text = "dJ/dW_k = sum_{p=1}^m delta_k^p (a_k^p)^T + (1/m) sum_{p=1}^m dE^p/dW_k"
    assert symbp.check_gradient(SQUARE, text).reason == "a factor 2 too much"


def test_other_ways_to_write() -> None:
    for text in (
        "delta[k] @ a[k].T",
        r"\delta_k \, a_k^{\top}".replace(r"\,", ""),
        "δ_k a_kᵀ",
        "-(-delta_k) a_k^T",
    ):
        assert_gradient(SQUARE, text)
    slope = symbp.Network(2, [symbp.Dense(3, "tanh"), symbp.Dense(1)], "half_squared_error")
    for text in ("(1 - (o^1)^2)", "tanh'(c^1)", "g'^1(c^1)", "(1 - tanh(c^1)^2)"):
        assert_gradient(slope, {1: f"(Wbar_2^T (h - y) .* {text}) x^T/m"}, partial=True)


BAD = {
    "unknown": ("dJ/dW_k = delta_k q_k^T", r"column 19: unknown name 'q' in the notation smatrix; "),
    "nearest": ("dJ/dW_k = delt_k a_k^T", "unknown name 'delt'.*did you mean 'delta'"),
    "cyclic": ("delta_k = delta_k; dJ/dW_k = delta_k a_k^T", "delta is defined by itself"),
    "in a circle": ("u_k = v_k; v_k = u_k; dJ/dW_k = u_k", "is defined by itself"),
    "derivative": ("dJ/dW_k = dJ a_k^T", "dJ: a derivative is written dJ/dw"),
    "asked for": ("dJ/dW_k = dJ/dW_k", "dJ/dW is what is asked for; it stands on the left"),
    "of neurons": ("dJ/dc_k = delta_k", "a gradient is the derivative by weights, not by 'c'"),
    "brackets": ("dJ/dW_k = (delta_k a_k^T", r"expected '\)' instead of the end"),
    "nothing": ("", "an empty text"),
    "no gradient": ("delta_k = c_k", "no line gives a derivative of the cost"),
    "character": ("dJ/dW_k = delta_k.__class__", "the character '.' has no place"),
    "call": ("dJ/dW_k = __import__('os')", "expected a quantity instead of '_'"),
    "layer": ("dJ/dW_9 = delta_9 a_9^T", r"the layers of weights are 1\.\.3"),
    "index": ("dJ/dw_{ij}^k = delta_i^k a_q^k", "'q' is no index or layer here"),
    "power": ("dJ/dW_k = (delta_k)^k", "an exponent is a whole number"),
    "long": ("delta_k " * 300, "the limit is 2,000"),
    "deep": ("(" * 100 + "c_1" + ")" * 100, "nested more than 60 deep"),
    "long sum": ("dJ/dW_k = sum_{i=1}^{1000000000} c_i^1", "a sum of 1,000,000,000 terms"),
    "index twice": (
        "dJ/dW_1 = sum_{p=1}^m sum_{p=1}^m delta_1^p (a_1^p)^T",
        "p stands for something already",
    ),
    "line twice": ("dJ/dW_k = delta_k a_k^T; dJ/dW_k = 3", "W of this layer is given twice"),
    "three indices": ("delta_{i,j,l}^k = 1; dJ/dW_k = delta_k a_k^T", "only columns with one index"),
    "which": ("c^2 (o^1)^T", "the gradient of which weights"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_text_is_one_line_with_its_place(case: str) -> None:
    text, message = BAD[case]
    with pytest.raises(GradientError, match=message) as caught:
        symbp.check_gradient(SQUARE, text)
    assert "\n" not in str(caught.value)
    if "column" in str(caught.value):
        _, caret = caught.value.excerpt  # type: ignore[attr-defined]
        assert caret.strip() == "^"


def test_softmax_has_no_slope_entry_by_entry() -> None:
    network = NETWORKS["no bias"]
    assert_gradient(network, "delta_2 = (h - y)/m; dJ/dW_k = delta_k a_k^T")
    report = symbp.check_gradient(network, "delta_2 = (h - y)/m .* g'^2(c_2); dJ/dW_k = delta_k a_k^T")
    assert "softmax is a function of the whole layer" in (report.misfit or "")
    assert "without the second factor" in (report.correction or "")


MISFITS = {
    "dJ/dw_{ij}^k = delta_i^k a_7^k": ("there is no entry 7 in this layer: they are 1..", None),
    "dJ/dW_k = a_k delta_k^T": (
        "layer 1 is 4 x 5: expected 5 x 4; it is transposed",
        "the gradient is transposed",
    ),
    "dJ/dW_k = delta_{k+1} a_k^T": ("", "delta is off by one layer"),
    "delta_1 = g'^1(c_1) .* (Wbar_2 delta_2); dJ/dW_k = a_k delta_k^T": (
        "the first has 5 columns, the second 4 rows",
        "Wbar is not transposed; and the gradient is transposed",
    ),
    "dJ/dW_k = a_k delta_k^T/m": (
        "it is transposed",
        "the gradient is transposed; and the factor 1/m stands in",
    ),
    "dJ/dW_1 = a_1 delta_1^T; dJ/dW_2 = a_2 delta_2^T; dJ/dW_3 = a_3 delta_3^T": (
        "it is transposed",
        "the gradient is transposed, in 3 lines",
    ),
}


@pytest.mark.parametrize("text", MISFITS)
def test_what_does_not_fit_is_a_report_with_the_likeliest_mistake(text: str) -> None:
    misfit, reason = MISFITS[text]
    report = symbp.check_gradient(OBLONG, text)
    assert not report.ok
    assert misfit in (report.misfit or "")
    assert reason is None or reason in (report.reason or "")
    assert report.compared == 0
    head, line, caret, *_ = str(report).splitlines()
    assert head.startswith("wrong: gradient ")
    assert line.strip()[:9] == text[:9]
    assert caret.strip() == "^"


def test_0_is_the_matrix_of_zeros() -> None:
    network = symbp.Network(3, [symbp.Dense(4, "tanh"), symbp.Dense(2)], "half_squared_error")
    weights, biases = "dC/dW^l = delta^l (a^{l-1})^T / m", "dC/db^l = delta^l / m"
    for text, reason in (
        (f"{weights}; dC/db^l = 0", "the derivatives by the biases of every layer are 0"),
        (f"dC/dW^l = 0; {biases}", "the derivatives by the weights of every layer are 0"),
    ):
        report = symbp.check_gradient(network, text, notation="nielsen")
        assert (report.ok, report.misfit, report.reason) == (False, None, reason)


def test_bad_options() -> None:
    for options, message in (
        ({"tolerance": -1}, "tolerance = -1: expected a positive number"),
        ({"tolerance": float("nan")}, "expected a positive number"),
        ({"samples": 2.5}, "samples = 2.5"),
    ):
        with pytest.raises(GradientError, match=message):
            symbp.check_gradient(SQUARE, "delta_k a_k^T", **options)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="seed = 'x'"):
        symbp.check_gradient(SQUARE, "delta_k a_k^T", seed="x")  # type: ignore[arg-type]
    with pytest.raises(GradientError, match="3 is no Network"):
        symbp.check_gradient(3, "delta_k a_k^T")  # type: ignore[arg-type]
    assert not symbp.check_gradient(SQUARE, "dJ/dW_1 = W_1/0").ok
    with pytest.raises(RenderError, match="did you mean 'nielsen'"):
        symbp.check_gradient(SQUARE, "delta_1", notation="nielson")
    with pytest.raises(SpecError, match="the layer = 4: the limit is 3"):
        symbp.check_gradient(SQUARE, {4: "delta_4 a_4^T"})
    with pytest.raises(GradientError, match="expected a text such as"):
        symbp.check_gradient(SQUARE, {1: np.eye(3)})


def test_many_layers() -> None:
    deep = symbp.Network(
        2, [*(symbp.Dense(2, "tanh") for _ in range(41)), symbp.Dense(1)], "half_squared_error"
    )
    text = "delta_42 = (h - y)/m; delta_k = g'^k(c_k) .* (Wbar_{k+1}^T delta_{k+1}); dJ/dW_k = delta_k a_k^T"
    assert_gradient(deep, text, samples=1)
    with pytest.raises(FormulaError, match="more than 40 definitions inside each other"):
        symbp.check_gradient(deep, "u_k = 2 u_{k+1}; dJ/dW_1 = c_1 u_1^T")


SPEC = """[network]
name = "line"
inputs = 3
cost = "half_squared_error"
layers = [ {units = 2, activation = "tanh"} ]
"""


def test_on_the_command_line(tmp_path, capsys) -> None:
    spec, gradient = tmp_path / "line.toml", tmp_path / "gradient.txt"
    spec.write_text(SPEC, encoding="utf-8")
    gradient.write_text("# one layer\ndC/dW^1 = delta^1 x^T/m\ndC/db^1 = delta^1/m\n", encoding="utf-8")
    command = ["verify", str(spec), "--gradient", str(gradient)]
    assert main([*command, "--notation", "nielsen"]) == 0
    assert capsys.readouterr().out.startswith("right: 8 derivatives")
    gradient.write_text("delta^1 x^T", encoding="utf-8")
    assert main([*command, "--notation", "nielsen", "--samples", "3"]) == 1
    assert "the factor 1/m is missing" in capsys.readouterr().out
    gradient.write_text("delta^1 q^T", encoding="utf-8")
    assert main(command) == 2
    problem, formula, caret = capsys.readouterr().err.splitlines()
    assert problem.startswith("symbp: error: gradient 'delta^1 q^T', column 9: unknown name 'q'")
    assert (formula.strip(), caret.index("^") - 4) == ("delta^1 q^T", 8)
    for wrong in (["verify", str(spec), "--samples", "3"], ["verify", "t.py", "--gradient", str(gradient)]):
        assert main(wrong) == 2
    assert main(["verify", str(spec), "--gradient", str(tmp_path / "none.txt")]) == 2
    gradient.write_bytes(b"\xff\xfe")
    assert main(command) == 2
    assert "expected text in UTF-8" in capsys.readouterr().err

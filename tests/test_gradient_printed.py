"""Gradients copied word for word from a page, with its conditions, its operators and its mistakes."""

from __future__ import annotations

import pytest

import symbp
from symbp.errors import FormulaError

Dense = symbp.Dense
# The network of 001's figure 5 with the cost that its delta^(3) belongs to.
FIGURE_5 = symbp.Network(3, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "binary_cross_entropy")
OBLONG = symbp.Network(3, [Dense(4, "sigmoid"), Dense(2, "sigmoid")], "half_squared_error")
PLAIN = symbp.Network(3, [Dense(4, "tanh"), Dense(2, "tanh")], "half_squared_error")

ERROR_AT_3 = r"\delta_1^{(3)} = (a_1^{(3)} - y^{(i)})"
GENERAL = r"\frac{\partial}{\partial \Theta^{(l)}} J(\Theta) = a^{(l)} \cdot \delta^{(l+1)}"
OUTER = "the outer product is missing a ^T: two columns stand side by side"
MEAN = "the factor 1/m is missing: a sum over the samples instead of their mean"
VECTOR = r"\delta^{(2)} = (\theta^{(2)})^T \cdot \delta^{(3)} .* g'(Z^{(2)})"
WRITTEN_OUT = r"\delta^{(2)} = (\theta^{(2)})^T \cdot \delta^{(3)} .* (a^{(2)} .* (1 - a^{(2)}))"
COMPONENTS = "\n".join(
    rf"\delta_{j}^{{(2)}} = \theta_{{1{j}}}^{{(2)}} \cdot \delta_1^{{(3)}}" for j in (1, 2, 3)
)
# Lines of 001 as they are printed: what is wrong with them.
PAGES = {
    (ERROR_AT_3, VECTOR, GENERAL): ("Theta stands in place of Thetabar", OUTER, MEAN),
    (ERROR_AT_3, WRITTEN_OUT, GENERAL): ("an entry for the bias stands in it", OUTER, MEAN),
    (ERROR_AT_3, COMPONENTS, GENERAL): (OUTER, "the factor g' is missing in delta of layer 1", MEAN),
}


@pytest.mark.parametrize("lines", PAGES)
def test_001_word_for_word(lines: tuple[str, ...]) -> None:
    report = symbp.check_gradient(FIGURE_5, "\n".join(lines), notation="ng")
    assert not report.ok
    said = (report.reason or "").split("; and ")
    assert len(said) == len(PAGES[lines])
    for words, expected in zip(said, PAGES[lines], strict=True):
        assert words.startswith(expected)


ALGORITHM = r"""
\delta^{(L)} = a^{(L)} - y^{(i)}
\Delta_{ij}^l = 0
\Delta_{ij}^l = \Delta_{ij}^l + SHARE
D_{ij}^l = \frac{1}{m} \Delta_{ij}^l + \lambda \theta_{ij}^l \text{ if } j \neq 0
D_{ij}^l = \frac{1}{m} \Delta_{ij}^l \quad \text{if } j = 0 \text{ (No regularization term)}
\frac{\partial}{\partial \theta_{ij}^{(l)}} J(\Theta) = D_{ij}^{(l)}
"""
PRINTED, MEANT = r"a^{(l)} \cdot \delta^{(l+1)}", r"a_j^{(l)} \cdot \delta_i^{(l+1)}"


def test_the_algorithm_of_001_with_its_conditions() -> None:
    right = symbp.check_gradient(FIGURE_5, ALGORITHM.replace("SHARE", MEANT), notation="ng", l2=0.1)
    assert right.ok
    assert right.compared == FIGURE_5.n_params
    report = symbp.check_gradient(FIGURE_5, ALGORITHM.replace("SHARE", PRINTED), notation="ng", l2=0.1)
    assert not report.ok
    assert report.reason == "whole columns stand where entries with the indices i and j belong"


def test_without_the_line_for_the_biases_they_are_not_given() -> None:
    lines = [line for line in ALGORITHM.replace("SHARE", MEANT).splitlines() if "j = 0" not in line]
    report = symbp.check_gradient(FIGURE_5, "\n".join(lines), notation="ng", l2=0.1)
    assert not report.ok
    everywhere = "\n".join(lines).replace(r"\text{ if } j \neq 0", "")
    reason = symbp.check_gradient(FIGURE_5, everywhere, notation="ng", l2=0.1).reason or ""
    assert reason.startswith("the derivative of a penalty on the biases stands in it")


@pytest.mark.parametrize("condition", ["if j = 0", "for j == 0", r"\quad \text{for } j = 0", ", if j = 0."])
@pytest.mark.parametrize("other", ["if j != 0", "for j > 0", r"\text{if } j \geq 1", "if j ≠ 0 (no bias)"])
def test_conditions(condition: str, other: str) -> None:
    text = (
        f"dJ/dtheta_{{ij}}^(l) = a_j^(l) delta_i^(l+1)/m {other}\n"
        f"dJ/dtheta_{{ij}}^(l) = delta_i^(l+1)/m {condition}"
    )
    assert symbp.check_gradient(OBLONG, text, notation="ng").ok
    wrong = text.replace(f"delta_i^(l+1)/m {condition}", f"2 delta_i^(l+1)/m {condition}")
    report = symbp.check_gradient(OBLONG, wrong, notation="ng")
    assert {difference.weight.split("_")[1][2] for difference in report.worst} == {"0"}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("if j > 1", "a line is for the bias (j = 0), for the others (j != 0), or for all"),
        ("if k = 0", "the condition is on 'k', which is no index of the left side"),
    ],
)
def test_other_conditions(condition: str, message: str) -> None:
    text = f"dJ/dtheta_{{ij}}^(l) = a_j^(l) delta_i^(l+1)/m {condition}"
    with pytest.raises(FormulaError) as error:
        symbp.check_gradient(OBLONG, text, notation="ng")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "left",
    [
        "dC/dW^l",
        "d/dW^l C",
        "dC(W)/dW^l",
        "d/dW^l C(W, b)",
        r"\frac{\partial}{\partial W^l} C",
        r"\frac{\partial C(W, b)}{\partial W^l}",
        r"\frac{\partial}{\partial W^l} C(W)",
        "∂/∂W^l C(W)",
    ],
)
def test_derivatives_as_operators_and_costs_with_their_variables(left: str) -> None:
    text = f"{left} = delta^l (a^{{l-1}})^T/m; dC/db^l = delta^l/m"
    assert symbp.check_gradient(OBLONG, text, notation="nielsen").ok


def test_a_power_of_m_is_a_power() -> None:
    text = "dC/dW^l = delta^l (a^{l-1})^T m/m^2; dC/db^1 = delta^1/m^2; dC/db^2 = delta^2/m"
    report = symbp.check_gradient(OBLONG, text, notation="nielsen")
    assert report.reason == "in the derivatives by the biases of layer 1: the factor 1/m stands in it twice"


def test_an_entry_that_is_left_out() -> None:
    lines = (ERROR_AT_3, COMPONENTS.partition("\n")[2], GENERAL)
    with pytest.raises(FormulaError, match="not all entries of delta are given: that with the number 1"):
        symbp.check_gradient(FIGURE_5, "\n".join(lines), notation="ng")


# g' as it is written for sigmoid and for tanh, and what is said of it.
SIGMOID = {
    "(1 - A)^2": "g' of {place} is written (1 - o)^2, and not o (1 - o) with o for the output",
    "1 - A": "g' of {place} is written 1 - o, and not o (1 - o) with o for the output",
    "A": "g stands in place of g' in delta of {layer}",
    "A^2": "g' of {place} is written o^2, and not o (1 - o) with o for the output",
    "A (1 + A)": "a sign is wrong",
    "A (1 - Z)": "z stands in place of abar",
    "1 - A^2": "g' of {place} is that of tanh, written in terms of the output",
}
TANH = {
    "1 - A": "a square is missing in g' of {place}",
    "1 + A^2": "a sign is wrong",
    "A": "g stands in place of g' in delta of {layer}",
    "(1 - A)^2": "g' of {place} is written (1 - o)^2, and not 1 - o^2 with o for the output",
    "(1 + A)^2": "g' of {place} is written (1 + o)^2, and not 1 - o^2 with o for the output",
    "A (1 - A)": "g' of {place} is that of sigmoid, written in terms of the output",
}


@pytest.mark.parametrize(("network", "slopes"), [(OBLONG, SIGMOID), (PLAIN, TANH)], ids=["sigmoid", "tanh"])
def test_slips_in_slopes_of_texts(network: symbp.Network, slopes: dict[str, str]) -> None:
    for slope, words in slopes.items():
        written = slope.replace(" (", " .* (").replace("A", "abar^(l)").replace("Z", "z^(l)")
        written = written.replace("abar^(l)^2", "(abar^(l))^2")
        text = (
            "delta^(L) = (a^(L) - y) .* g'(z^(L));"
            f"delta^(l) = ((Thetabar^(l))^T delta^(l+1)) .* ({written});"
            "dJ/dTheta^(l) = delta^(l+1) (a^(l))^T/m"
        )
        reason = symbp.check_gradient(network, text, notation="ng").reason or ""
        assert reason.startswith(words.format(place="layer 1", layer="layer 1")), (slope, reason)


def test_a_slip_in_the_slope_of_every_layer_is_one_mistake() -> None:
    text = (
        "delta^(L) = (a^(L) - y) .* (1 - a^(L))^2;"
        "delta^(l) = ((Thetabar^(l))^T delta^(l+1)) .* (1 - abar^(l))^2;"
        "dJ/dTheta^(l) = delta^(l+1) (a^(l))^T/m"
    )
    report = symbp.check_gradient(OBLONG, text, notation="ng")
    assert report.reason == "g' of every layer is written (1 - o)^2, and not o (1 - o) with o for the output"


SUMS = {
    # notation: the recursion in derivatives by weighted sums, and the gradient
    "nielsen": (
        r"\frac{\partial C}{\partial z^l} ="
        r" (W^{l+1})^T \frac{\partial C}{\partial z^{l+1}} \odot \sigma'(z^l)",
        "dC/dW^l = dC/dz^l (a^{l-1})^T; dC/db^l = dC/dz^l",
    ),
    "smatrix": (
        "dJ/dc_k = (Wbar_{k+1}^T dJ/dc_{k+1}) .* g'^k(c_k)",
        "dJ/dW_k = dJ/dc_k a_k^T",
    ),
    "ng": (
        "dJ/dz_i^(l) = g'(z_i^(l)) sum_j Theta_{ji}^(l) dJ/dz_j^(l+1)",
        "dJ/dTheta_{ij}^(l) = dJ/dz_i^(l+1) a_j^(l)",
    ),
    "bishop": (
        r"\frac{\partial e}{\partial a^{(k)}} = \sigma'(a^{(k)}) \odot"
        r" (Wbar^{(k+1)T} \frac{\partial e}{\partial a^{(k+1)}})",
        "de/dW^(k) = de/da^(k) z^{(k-1)T}",
    ),
}


@pytest.mark.parametrize("notation", SUMS)
def test_derivatives_by_weighted_sums_are_the_sensitivities(notation: str) -> None:
    recursion, gradient = SUMS[notation]
    assert symbp.check_gradient(OBLONG, f"{recursion}\n{gradient}", notation=notation).ok
    wrong = recursion.replace("'", "", 1)
    report = symbp.check_gradient(OBLONG, f"{wrong}\n{gradient}", notation=notation)
    assert not report.ok
    assert "stands in place of" in (report.reason or "")


def test_an_unusual_factor_on_one_block_is_said() -> None:
    text = "dC/dW^l = delta^l (a^{l-1})^T/m; dC/db^1 = 0.3 delta^1/m; dC/db^2 = delta^2/m"
    report = symbp.check_gradient(OBLONG, text, notation="nielsen")
    assert report.reason == "in the derivatives by the biases of layer 1: it is 0.3 times the right one"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delta^1/m/m", "the factor 1/m stands in it twice"),
        ("delta^1", "the factor 1/m is missing"),
        ("2 delta^1/m", "a factor 2 too much"),
        ("-delta^1/m", "the sign is wrong"),
    ],
)
def test_a_factor_on_one_block(change: str, reason: str) -> None:
    text = f"dC/dW^l = delta^l (a^{{l-1}})^T/m; dC/db^1 = {change}; dC/db^2 = delta^2/m"
    report = symbp.check_gradient(OBLONG, text, notation="nielsen")
    assert (report.reason or "").startswith(f"in the derivatives by the biases of layer 1: {reason}")

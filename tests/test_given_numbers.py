"""Numbers that a worked example is given: as each notation has them, and those that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy

import symbp
from symbp.cli import main
from symbp.derivation.numbers import work
from symbp.errors import DataError
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.given import read
from symbp.notation.weights import WeightLayout
from symbp.render.example import FORMATS, shown
from tests.test_worked_example import DOCUMENT_002, NETWORKS, NUMBERS_002, OTHERS, example

TOML = """
[network]
name = "example"
inputs = 2
cost = "half_squared_error"
layers = [{units = 3, activation = "relu", bias = false}, {units = 1}]
"""


def test_text_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "e.toml"
    spec.write_text(TOML)
    assert main(["derive", str(spec), "--numbers", "x = 1, 1/2; y = 1; seed = 1"]) == 0
    out = capsys.readouterr().out
    for part in ("Given", "Forward", "Backward", "Gradients", "(D.5, k=1)", "1/2"):
        assert part in out
    assert main(["derive", str(spec), "--numbers", "x = 1, 1/2; y = 1", "--digits", "3"]) == 0
    assert "0.500" in capsys.readouterr().out


def test_options_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "e.toml"
    spec.write_text(TOML)
    for options in (["--prove"], ["--components"]):
        assert main(["derive", str(spec), "--numbers", "x = 1, 2; y = 1", *options]) == 2
        assert "--numbers works one example; leave --prove and --components out" in capsys.readouterr().err
    assert main(["derive", str(spec), "--numbers", "x = 1, 2; y = 1", "--translate", "ng"]) == 2
    assert "--numbers works one example; leave --translate out" in capsys.readouterr().err
    assert main(["derive", str(spec), "--digits", "3"]) == 2
    assert "--digits needs --numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (sympy.Rational(1, 3), None, "1/3"),
        (sympy.Rational(1, 3), 3, "0.333"),
        (sympy.Rational(123456, 1234567), None, "0.099999"),
        (sympy.Integer(-7), 3, "-7"),
        (sympy.Float("1e-9", 50), None, "1.000000e-9"),
        (sympy.Float("2.5e12", 50), 2, "2.50e+12"),
        (sympy.Float(0, 50), 2, "0.00"),
        (sympy.Integer(1234567890), None, "1234567890"),
        (sympy.Integer(10) ** 30, None, "1.000000e+30"),
        (sympy.Float("1e-173718", 50), None, "1.000000e-173718"),
    ],
)
def test_how_numbers_are_shown(value: sympy.Number, digits: int | None, text: str) -> None:
    assert shown(value, digits) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "numbers: x is missing; expected something like 'x = 2, 1; y = 1'"),
        ("x = 1, 2", "numbers: y is missing"),
        ("x = 1; y = 1", "numbers: x has 1 value, but the network takes 2"),
        ("x = 1, 2; y = 1, 2", "numbers: y has 2 values, but the network gives 1"),
        ("x = 1, two; y = 1", "numbers: x: 'two' is not a number such as 2, -0.5, 1e-3 or 1/3"),
        ("x = 1, nan; y = 1", "'nan' is not a number"),
        ("x = 1, 1/0; y = 1", "x: 1/0 divides by 0"),
        ("x = 1, 9**9; y = 1", "'9**9' is not a number"),
        ("x = 1, 1e9999; y = 1", "'1e9999' is not a number"),
        ("x = 1e99999, 2; y = 1", "'1e99999' is not a number"),
        ("x = 1, 2; y = 1; z = 3", "'z' is no quantity of this network; known: x, y, w, seed, W1, W2"),
        ("x = 1, 2; y = 1; W3 = 1", "'W3' is no quantity of this network; known: x, y, w, seed, W1, W2"),
        ("x = 1, 2; x = 1, 2; y = 1", "'x' is given twice"),
        ("x = 1, 2; y", "'y': expected something like 'x = 2, 1'"),
        ("x = 1, 2; y = 1; seed = -1", "seed = '-1': expected a whole number of at least 0"),
        ("x = 1, 2; y = 1; seed = 9999999999999999999", "of at least 0 with at most 18 digits"),
        ("x = 1, 2; y = 1; w = 1, 2", "w has 2 values, but the network takes 10"),
        ("x = 1, 2; y = 1; w = 1; W1 = 2", "give w or W1, W2, ..., not both"),
        ("x = 1, 2; y = 1; W1 = 1, 2", "W1 is 3 x 2; 2 values are given"),
        ("x = 1, 2; y = 1; W1 = [[1, 2, 3], [4, 5, 6]]", "W1 is 3 x 2; given are 2 rows of 3"),
        ("x = 1, 2; y = 1; W1 = [[1, 2], [3, 4], [5]]", "W1 is 3 x 2; given are 3 rows of 1 and 2"),
        ("x = 1, 2; y = 1; W1 = [[1, 2]", "W1 is 3 x 2; given are 0 rows of nothing"),
    ],
)
def test_numbers_that_do_not_fit(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "e.toml"
    spec.write_text(TOML)
    assert main(["derive", str(spec), "--numbers", text]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


# Document 002's weights, typed in as each notation has them on its pages.
WEIGHTS_002 = {
    "smatrix": "W1 = [[0.3, 0.1], [0.4, 0.2]]; W_2 = [[1, -3, 0.2]]; W3 = 2, 1",
    "ng": "Theta^(1) = [[0.1, 0.3], [0.2, 0.4]]; Theta2 = [[0.2, 1, -3]]; \u0398_3 = [[1, 2]]",
    "lfd": "W^(1) = [[0.1, 0.2], [0.3, 0.4]]; W^{(2)} = [[0.2], [1], [-3]]; W3 = [[1], [2]]",
    "bishop": "W1 = [[0.1, 0.3], [0.2, 0.4]]; W2 = [[0.2, 1, -3]]; W[3] = 1, 2",
    "nielsen": "W^1 = [[0.3], [0.4]]; b^1 = [0.1, 0.2]; W2 = [[1, -3]]; b2 = 0.2; W3 = 2; b3 = [[1]]",
}


GRADIENTS_002 = {
    "smatrix": [[[-0.881677, -0.440838], [1.750080, 0.875040]], [[-0.419745, -0.528941, -0.694518]]],
    "ng": [[[-0.440838, -0.881677], [0.875040, 1.750080]], [[-0.694518, -0.419745, -0.528941]]],
    "lfd": [[[-0.440838, 0.875040], [-0.881677, 1.750080]], [[-0.694518], [-0.419745], [-0.528941]]],
    "bishop": [[[-0.440838, -0.881677], [0.875040, 1.750080]], [[-0.694518, -0.419745, -0.528941]]],
    "nielsen": [
        [[-0.881677], [1.750080]],
        [[-0.440838], [0.875040]],
        [[-0.419745, -0.528941]],
        [[-0.694518]],
    ],
}


def test_every_notation_is_tested() -> None:
    assert set(WEIGHTS_002) == set(GRADIENTS_002) == set(NOTATIONS)


@pytest.mark.parametrize("notation", WEIGHTS_002)
def test_weights_are_read_and_gradients_shown_as_the_notation_has_them(notation: str) -> None:
    layout = WeightLayout(NOTATIONS[notation], DOCUMENT_002)
    given = read(f"x = 2; y = 1; {WEIGHTS_002[notation]}", DOCUMENT_002, NOTATIONS[notation])
    assert given == read(NUMBERS_002, DOCUMENT_002)
    one_list = [
        v for k in (1, 2, 3) for part in layout.theirs(k, given.weights[k - 1]) for r in part for v in r
    ]
    flat_text = "x = 2; y = 1; w = " + ", ".join(map(str, one_list))
    assert read(flat_text, DOCUMENT_002, NOTATIONS[notation]) == given
    worked = work(symbp.derive(DOCUMENT_002), given)
    shown_ = [
        [[round(float(v), 6) for v in row] for row in part]
        for gradient in worked.gradients
        for part in layout.theirs(gradient.layer, gradient.rows)
    ]
    assert shown_[: len(GRADIENTS_002[notation])] == GRADIENTS_002[notation]
    page = FORMATS["text"](worked, notation)
    first, *_ = GRADIENTS_002[notation]
    for row in first:
        assert "".join(f"{value:13.6f}" for value in row)[1:] in page
    assert layout.sentence in page


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(("network", "text"), NETWORKS, ids=lambda p: str(getattr(p, "sizes", "")))
def test_a_seed_gives_the_same_network_in_every_notation(network: Network, text: str, notation: str) -> None:
    assert read(text, network, NOTATIONS[notation]) == read(text, network)
    layout = WeightLayout(NOTATIONS[notation], network)
    for k, (rows, columns) in enumerate(network.shapes, 1):
        ours = tuple(tuple((n, m) for m in range(columns)) for n in range(rows))
        assert layout.ours(k, layout.theirs(k, ours)) == ours
        shapes = [(len(part), len(part[0])) for part in layout.theirs(k, ours)]
        assert shapes == [(array.rows, array.columns) for array in layout.arrays(k)]


@pytest.mark.parametrize(
    ("notation", "text", "message"),
    [
        (
            "lfd",
            "W1 = [[1, 2], [3, 4], [5, 6]]",
            "W1 is 2 x 3 in the notation lfd; given are 3 rows of 2; it is transposed",
        ),
        ("lfd", "W2 = 1, 2, 3", "W2 is 4 x 1 in the notation lfd; 3 values are given"),
        (
            "ng",
            "W1 = 1",
            "'W1' is no quantity of this network in the notation ng; known: x, y, w, seed, Theta1, Theta2",
        ),
        ("ng", "Theta^(3) = 1", "'Theta3' is no quantity of this network in the notation ng"),
        (
            "nielsen",
            "b1 = 1, 2",
            "'b1' is no quantity of this network in the notation nielsen; known: x, y, w, seed, W1, W2, b2",
        ),
        ("nielsen", "b2 = 1, 2", "b2 is 1 x 1 in the notation nielsen; 2 values are given"),
        ("nielsen", "w = 1; b2 = 1", "give w or W1, W2, ..., not both"),
        ("bishop", "W^(1) = 1; W1 = 2", "'W1' is given twice"),
    ],
)
def test_numbers_that_do_not_fit_the_notation(notation: str, text: str, message: str) -> None:
    network = Network(2, [Dense(3, "relu", bias=False), Dense(1)], "half_squared_error")
    with pytest.raises(DataError) as caught:
        read(f"x = 1, 2; y = 1; {text}", network, NOTATIONS[notation])
    assert message in str(caught.value)


def test_targets_of_other_costs() -> None:
    classes = NETWORKS[0][0]
    assert read("x=1,2,3; y=1", classes).targets == (0, 1, 0)
    assert read("x=1,2,3; y=0.5,1/4,1/4", classes).targets[1] == sympy.Rational(1, 4)
    with pytest.raises(DataError, match=r"y = 3: expected a label 0..2 or 3 shares"):
        read("x=1,2,3; y=3", classes)
    with pytest.raises(DataError, match="y sums to 2"):
        read("x=1,2,3; y=1,1,0", classes)
    with pytest.raises(DataError, match="targets between 0 and 1"):
        read("x=1,2; y=2", NETWORKS[1][0])
    with pytest.raises(DataError, match="'hinge' takes targets -1 or 1"):
        read("x=1; y=0", OTHERS[3][0])
    with pytest.raises(DataError, match="an example has at most 500"):
        read("x=1; y=1", Network(1, [Dense(300, "tanh"), Dense(1)], "squared_error"))


def test_values_that_are_not_finite() -> None:
    with pytest.warns(symbp.SymbpWarning, match="no finite value at h = 0"):
        network = Network(1, [Dense(1)], symbp.Cost("inverse", "1/h + y"))
    with (
        pytest.warns(symbp.SymbpWarning, match="no real value at h = 0"),
        pytest.raises(DataError, match=r"\(2.1\) J\[1\] is not a finite number here"),
    ):
        example(network, "x = 1; y = 1; w = 0, 0")


@pytest.mark.parametrize("x", ["-1e30", "-1e400"])
def test_values_that_cannot_be_written_down(x: str) -> None:
    network = Network(1, [Dense(1, "sigmoid"), Dense(1)], "half_squared_error")
    worked = example(network, f"x = {x}; y = 1; w = 1, 0, 1, 0")
    for form in FORMATS:
        with pytest.raises(DataError, match="too large or too small to write down; give smaller inputs"):
            FORMATS[form](worked)

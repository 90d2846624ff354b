"""The source documents: what the checks find in them, and that it is the checks that find it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from symbp.derivation.derive import derive
from symbp.derivation.documents.decide import Judge, verdict
from symbp.derivation.documents.language.reader import read, read_expression
from symbp.derivation.documents.language.text import written_ranges, written_statement
from symbp.derivation.documents.library import NAMES, audit, get
from symbp.derivation.documents.records import Equation, Family, Setting
from symbp.errors import DocumentError
from symbp.functions import PENALTIES, Training
from symbp.network import Dense, Network
from symbp.render.audit import _as_latex

# What is wrong in the documents, as found; the method that finds it.
ERRATA = {
    "000": {"section 1.7, x_i": "shapes", "1.8": "names", "2.16, i < j": "shapes"},
    "001": {
        "E": "shapes",
        "delta(3), component": "numbers",
        "delta(2), component 1": "numbers",
        "delta(2), component 2": "numbers",
        "delta(2), component 3": "numbers",
        "g'(Z(2))": "shapes",
        "delta(2), vector": "shapes",
        "delta(2), vector with a": "shapes",
        "dJ/dTheta": "shapes",
        "algorithm, delta(L)": "numbers",
        "algorithm, Delta": "shapes",
        "dJ/dtheta = D": "numbers",
    },
    "002": {
        "tanh'": "shapes",
        "after 2, e": "shapes",
        "example, x(3)": "numbers",
        "example, delta(3), expression": "numbers",
        "example, delta(2), expression": "numbers",
        "remark 5, epoch": "numbers",
    },
    "003": {
        "3.1, a_1": "numbers",
        "23": "numbers",
        "26, W": "shapes",
        "32": "numbers",
        "table 2, row 4": "shapes",
        "table 2, row 5": "shapes",
        "table 2, row 6": "shapes",
        "table 2, row 7": "shapes",
        "38": "range",
        "5.2, delta(K)": "range",
        "5.2, loop": "range",
    },
    "004": {
        "1": "numbers",
        "2": "numbers",
        "3": "numbers",
        "6": "numbers",
        "23": "shapes",
        "24": "shapes",
        "26": "names, shapes",
        "28": "names, shapes",
        "29": "shapes",
        "30": "shapes",
    },
}

NUMBERED = {
    "000": [f"1.{n}" for n in range(1, 9)] + [f"2.{n}" for n in range(1, 18)],
    "001": [str(n) for n in range(1, 5)],
    "002": ["1", "2"],
    "003": [str(n) for n in range(1, 42) if n != 16],  # the page numbers an empty line (16)
    "004": [str(n) for n in range(1, 31)],
}


@pytest.mark.parametrize("name", NAMES)
def test_errata_found(name: str) -> None:
    found = {v.number: v.method for v in audit(name) if v.verdict == "erratum"}
    assert found == ERRATA[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_numbered_equation_is_there_once(name: str) -> None:
    numbers = [equation.number for equation in get(name).equations]
    assert len(numbers) == len(set(numbers))
    for number in NUMBERED[name]:
        assert any(re.fullmatch(rf"{re.escape(number)}(, .*)?", found) for found in numbers), number


@pytest.mark.parametrize("name", NAMES)
def test_the_statement_decides_and_nothing_else(name: str) -> None:
    """With the right form in the place of the printed one, the same equation is proved."""
    document = get(name)
    judges: dict[str, Judge] = {}
    for equation in document.equations:
        if equation.right:
            where = equation.right_where or equation.where
            corrected = replace(equation, printed=equation.right, claim="", where=where)
            assert verdict(document, corrected, judges).verdict == "proved"


def test_an_erratum_needs_a_right_form_that_holds() -> None:
    wrong = Equation("x", "z[l] == W[l] @ a[l-1]", "1 <= l <= L")
    for right in ("", "z[l] == W[l] @ a[l-1] - b[l]"):
        with pytest.raises(DocumentError, match="does not hold either"):
            verdict(get("004"), replace(wrong, right=right), {})


@pytest.mark.parametrize("name", NAMES)
def test_steps_exist(name: str) -> None:
    network = Network(2, [Dense(3, "tanh"), Dense(1, "sigmoid")], "half_squared_error")
    # The D of 001 has a penalty, the updates of 002 have none.
    plain, penalised = derive(network), derive(network, Training(penalty=PENALTIES["l2"]))
    labels = {label.partition(",")[0] for label in (*plain.labels, *penalised.labels)}
    for equation in get(name).equations:
        assert set(equation.steps) <= labels
        assert bool(equation.steps) != bool(equation.place), equation.number


@pytest.mark.parametrize("name", NAMES)
def test_neighbouring_layers_differ(name: str) -> None:
    for setting in get(name).settings.values():
        if setting.sizes and not setting.fixed:
            for widths in (*setting.widths, setting.small):
                assert all(a != b for a, b in pairwise(widths)), widths


@pytest.mark.parametrize("name", NAMES)
def test_statements_are_written_as_they_are_read(name: str) -> None:
    for equation in get(name).equations:
        printed = (equation.printed,) if isinstance(equation.printed, str) else equation.printed
        for text in (*printed, equation.claim, equation.right):
            if text:
                statement = read(text, equation.where)
                again = read(written_statement(statement), written_ranges(statement.ranges))
                assert again == statement


def test_worked_example_of_002() -> None:
    details = {v.number: v.detail for v in audit("002")}
    assert "0.6043678 (printed 0.6)" in details["example, x(1)"]
    assert "-1.854864" in details["example, delta(3)"]
    assert "xL is -0.665761, -0.66 is -0.660000" in details["example, x(3)"]
    assert "is -1.873808" in details["example, delta(3), expression"]
    assert "is -0.704900" in details["example, delta(2), expression"]
    gradients = {
        "dW(1)": (-0.440838, 0.875040, -0.881677, 1.750080),
        "dW(2)": (-0.694518, -0.419745, -0.528941),
        "dW(3)": (-1.854864, 1.672245),
    }
    for name, values in gradients.items():
        computed = re.findall(r"(-?[\d.]+) \(printed", details[f"example, {name}"])
        assert [round(float(value), 6) for value in computed] == list(values)


def test_function_of_the_layer_cannot_hide_a_wrong_slope() -> None:
    """What holds for tanh only is not taken for a statement on every function."""
    setting = Setting((Family("u"),), get("002").settings["network"].functions, ((1,),), sizes="")
    at = Judge(setting)
    slope = "dtheta(u) == 1 - theta(u)**2"
    assert at.find(slope, named="slope").holds
    unknown = at.find(slope)
    assert (unknown.holds, unknown.method) == (False, "symbols")


@pytest.mark.parametrize(
    ("text", "where", "method"),
    [
        ("z[l] == W[l] @ q[l-1]", "1 <= l <= L", "names"),
        ("z[l] == W[l] @ a[l-1] + b", "1 <= l <= L", "names"),
        ("z[l] == softmax(a[l])", "1 <= l <= L", "names"),
        ("z[l] == W[l] @ a[l] + b[l]", "1 <= l <= L", "shapes"),
        ("z[l] == (W[l] @ a[l-1])*b[l-1]", "1 <= l <= L", "shapes"),
        ("z[l][k] == W[l]", "1 <= l <= L, 1 <= k <= N[l]", "shapes"),
        ("z[l][1] == w[l][1, 9]", "1 <= l <= L", "range"),
        ("z[9][1] == 1", "", "range"),
        ("z[l] == W[l] @ a[l-1] - b[l]", "1 <= l <= L", "numbers"),
        ("D(C, q[l]) == 0", "1 <= l <= L", "names"),
        ("D(C, z[l] + b[l]) == 0", "1 <= l <= L", "names"),
        ("z[l] == z[l]", "2 <= l <= 1", "range"),
    ],
)
def test_each_method_finds_its_faults(text: str, where: str, method: str) -> None:
    finding = Judge(get("004").settings["network"]).find(text, where)
    assert not finding.holds
    assert (finding.method, bool(finding.detail)) == (method, True)


# As they stand on the page, where it is not what it should be.
PRINTED = {
    ("000", "2.1"): r"J = -\frac{1}{m}\, \sum_{i=1}^{m} \sum_{j=1}^{N_{L + 1}} y^{i}_{j}\, "
    r"\ln\left(h^{i}_{j}\right)",
    ("000", "2.16, j <= i"): r"\mathbf{T}_{j}^{i} = \mathbf{S}_{i}\, \dots\, \mathbf{S}_{j}",
    ("001", "4, column"): r"\hat{y} = a^{(3)} = \begin{bmatrix} a^{(3)}_{1} \end{bmatrix}",
    ("001", "figure 6, de/da"): r"\frac{\partial e}{\partial a} = \frac{\partial e}{\partial d}\, "
    r"\frac{\partial d}{\partial a} = -10\, \frac{\partial}{\partial a}\left(a + b\right) "
    r"= -10 \cdot 1 = -10",
    ("000", "1.8"): r"\sigma_{i}\left(\mathbf{c}\right) = \frac{\exp\left(c_{i}\right)}"
    r"{\sum_{j=1}^{N} \exp\left(c_{j}\right)}",
    ("001", "E"): r"E = \hat{y} - y = {\left(f\left(X\, \Theta^{(1)}\right)\, \Theta^{(2)} - y\right)}^{2}",
    ("001", "algorithm, delta(L)"): r"\delta^{(L)} = a^{(L)} - y^{(i)}",
    ("001", "algorithm, Delta"): r"\Delta^{l}_{ij} = \Delta^{l}_{ij} + a^{(l)}\, \delta^{(l + 1)}",
    ("003", "12"): r"y = \sum_{j}^{N} w^{(2)}_{j}\, a_{j}",
    ("003", "23"): r"z^{(k)}_{1} = \sigma\left(a^{(k)}_{i}\right) = \sigma\left(x_{1}\, w^{(1)}_{11} "
    r"+ x_{2}\, w^{(2)}_{12}\right)",
    ("004", "4"): r"z^{l}_{k} = \sum_{j} w^{l}_{kj}\, a^{l - 1}_{j} + b^{l}_{k}",
    ("004", "8"): r"W^{l} = W^{l} - \alpha\, \frac{\partial C}{\partial W^{l}}",
    ("004", "14"): r"\frac{\partial C}{\partial z^{L}} ,\quad \frac{\partial C}{\partial z^{l}} ,\quad "
    r"\frac{\partial z^{l}}{\partial W^{l}} ,\quad \frac{\partial z^{l}}{\partial b^{l}}",
    ("004", "26"): r"\frac{\partial z^{l}}{W^{l}} = "
    r"\frac{\partial}{\partial W^{l}}\left(W^{l}\, a^{l - 1} + b^{l}\right) = a^{l - 1}",
}


@pytest.mark.parametrize(("name", "number"), PRINTED)
def test_slips_are_quoted_as_printed(name: str, number: str) -> None:
    (found,) = [v for v in audit(name) if v.number == number]
    shown, _ = _as_latex(found, found.printed, found.where)
    assert shown == PRINTED[name, number]


@pytest.mark.parametrize("name", NAMES)
def test_words_are_quoted_where_no_equation_is_printed(name: str) -> None:
    for equation in get(name).equations:
        assert equation.printed or equation.quote
        assert equation.claim or equation.printed


def test_a_column_keeps_its_bias_component_in_every_document() -> None:
    """The same slip has the same verdict: a column with its bias is not the column without."""
    found = {(name, v.number): v for name in NAMES for v in audit(name)}
    same = [("001", "g'(Z(2))"), ("001", "delta(2), vector with a"), ("002", "tanh'")]
    assert {(found[key].verdict, found[key].method) for key in same} == {("erratum", "shapes")}


def test_right_under_a_convention_that_the_page_states() -> None:
    """001 takes Theta and a without the bias in a remark; 002 says nothing of the kind of its tanh'."""
    said = {(name, v.number) for name in NAMES for v in audit(name) if "Right under the conv" in v.detail}
    assert said == {("001", n) for n in ("g'(Z(2))", "delta(2), vector", "delta(2), vector with a")}


def test_a_convention_is_decided_by_a_check() -> None:
    document = get("001")
    (product,) = [e for e in document.equations if e.number == "delta(2), vector"]
    wrong = replace(product, printed=str(product.printed).replace("*dg(z[2])", ""))
    with pytest.raises(DocumentError, match="wrong under the convention too"):
        verdict(document, wrong, {})


def test_a_layer_that_a_loop_leaves_out() -> None:
    """Each weight, says the page: the same formula is right if the loop begins one layer later."""
    document = get("003")
    (loop,) = [e for e in document.equations if e.number == "5.2, loop"]
    every = verdict(document, replace(loop, where=loop.right_where), {})
    assert every.verdict == "proved"
    assert "no w left out" in every.detail
    assert "w[3] is left out" in verdict(document, loop, {}).detail
    assert verdict(document, replace(loop, every=""), {}).verdict == "proved"


def test_limits_that_are_not_printed() -> None:
    at = Judge(get("004").settings["network"])
    where = "1 <= l <= L, 1 <= k <= N[l]"
    assert at.find("z[l][k] == sum(w[l][k, j]*a[l-1][j], j, N[l-1]) + b[l][k]", where).holds
    assert at.find("z[l][k] == sum(w[l][k, j]*a[l-1][j], j) + b[l][k]", where).holds
    nowhere = at.find("z[l][k] == sum(b[l][k], j)", where)
    assert (nowhere.holds, nowhere.method) == (False, "names")
    assert "nothing says where j ends" in nowhere.detail


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x') == 1",
        "a.b == 1",
        "a == (lambda: 1)()",
        "[x for x in y] == 1",
        "a == 'text'",
        "a = 1",
        "a",
        "a < b",
        "a == b < c",
        "a == b[0][1][2]",
        "a == f(x, y=1)",
        "a == ",
        "",
    ],
)
def test_what_is_not_of_the_language(text: str) -> None:
    with pytest.raises(DocumentError):
        read(text)


def test_ranges_of_the_language() -> None:
    with pytest.raises(DocumentError, match="expected ranges"):
        read("a == b", "l > 1")
    with pytest.raises(DocumentError, match="column"):
        read_expression("a if b else c")

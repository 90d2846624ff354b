"""Jupyter: what a derivation and its steps show of themselves."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

import symbp
from symbp.derivation.records import equation
from symbp.errors import RenderError
from tests.test_html import Reader
from tests.test_page import compile_latex, complaints

KINDS = ["text/html", "text/latex", "text/markdown", "text/plain"]


@pytest.fixture(scope="module")
def derivation():
    layers = [symbp.Dense(3, "sigmoid"), symbp.Dense(1, "sigmoid")]
    return symbp.derive(symbp.Network(2, layers, "half_squared_error", name="a_b")).checked()


def test_a_derivation_shows_itself(derivation):
    bundle = derivation._repr_mimebundle_()
    assert list(bundle) == KINDS
    assert Reader(bundle["text/html"]).count("math") > 50
    assert bundle["text/html"].startswith('<div class="symbp">')
    assert bundle["text/markdown"] == derivation.markdown()
    assert bundle["text/plain"] == derivation.text()
    for shown in bundle.values():
        assert all(label in shown for label in ("2.17", "D.5, k=1"))


def test_a_step_shows_itself(derivation):
    bundle = derivation["D.5, k=1"]._repr_mimebundle_()
    assert list(bundle) == KINDS
    page = Reader(bundle["text/html"])
    assert page.count("math") == 1
    assert page.values("alttext")[0].startswith("delta_s^1 = ")
    assert r"\tag{D.5, k=1}" in bundle["text/latex"]
    assert bundle["text/latex"] == derivation["D.5, k=1"]._repr_latex_()
    assert bundle["text/markdown"].count("$$") == 2
    assert bundle["text/plain"].startswith("(D.5, k=1)    delta_s^1 = ")
    assert "ok: " in bundle["text/plain"]


def test_a_step_knows_its_network(derivation):
    """T of the last hidden layer, which is layer 1 here and L in general."""
    assert r"\mathbf{T}_1^1" in derivation["2.16, k=1"]._repr_latex_()
    assert r"\mathbf{T}_k^L" in symbp.derive()["2.17"]._repr_latex_()


def test_a_notebook_may_choose(derivation):
    assert list(derivation._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    step = derivation["2.17"]
    assert list(step._repr_mimebundle_(exclude=["text/html", "text/plain"])) == KINDS[1:3]


def test_a_step_that_nobody_checked_says_so():
    bundle = symbp.derive()["2.8"]._repr_mimebundle_()
    assert "NOT PROVED" in bundle["text/html"]
    assert "NOT CHECKED" in bundle["text/plain"]


def test_a_step_shows_the_verdicts_once_its_derivation_is_proved():
    network = symbp.Network(2, [symbp.Dense(1)], "squared_error")
    derivation = symbp.derive(network)
    step = derivation["D.1f"]
    derivation.prove()
    assert "ok: types, mpmath" in step._repr_mimebundle_()["text/plain"]
    broken = dataclasses.replace(step, statement=equation(step.statement.lhs, -step.statement.rhs))
    assert "NOT CHECKED" in broken._repr_mimebundle_()["text/plain"]


def test_steps_of_a_changed_derivation_show_themselves_too(derivation):
    statement = derivation["2.12"].statement
    broken = derivation.replace("2.12", equation(statement.lhs, -statement.rhs))
    before, after = (d["2.12, k=1"]._repr_latex_() for d in (derivation, broken))
    assert before != after


def test_written_out_steps_show_themselves_too(derivation):
    written = derivation.components()
    assert r"\tag{D.5[2], k=1}" in written["D.5[2], k=1"]._repr_latex_()
    assert r"\tag{D.5[2], k=1}" in written.checked()["D.5[2], k=1"]._repr_latex_()


def test_styles_stay_in_the_cell(derivation):
    """A rule for body or h1 alone would change the notebook around it."""
    (style,) = derivation._repr_mimebundle_(include=["text/html"])["text/html"].split("</style>")[:-1]
    rules = style.split("<style>")[1]
    selectors = [part.rsplit("}", 1)[-1] for part in rules.split("{")[:-1]]
    for selector in selectors:
        if "@media" not in selector:
            assert all(one.strip().startswith(".symbp") for one in selector.split(",")), selector


@pytest.mark.tex
def test_its_latex_needs_amsmath_alone(derivation, tmp_path):
    body = derivation._repr_latex_() + derivation["2.17"]._repr_latex_()
    source = (
        r"\documentclass{article}\usepackage{amsmath}\usepackage[a3paper]{geometry}\begin{document}"
        f"\n{body}\n" + r"\end{document}"
    )
    assert complaints(compile_latex(source, tmp_path)) == []


def test_numba_is_not_imported():
    program = (
        "import sys, symbp\n"
        "net = symbp.Network(1, [symbp.Dense(1)], 'squared_error')\n"
        "symbp.derive(net).checked()._repr_mimebundle_()\n"
        "assert 'numba' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_derivation_and_its_steps_show_themselves_in_another_notation() -> None:
    shown = symbp.derive(
        symbp.Network(2, [symbp.Dense(3, "tanh"), symbp.Dense(1)], "squared_error")
    ).in_notation("ng")
    for kind, expected in (
        ("text/plain", "delta_i^{(l)} = g'(z_i^{(l)})"),
        ("text/latex", r"\theta_{ji}^{(l)}"),
        ("text/markdown", r"\theta_{ji}^{(l)}"),
        ("text/html", "<mi>θ</mi>"),
    ):
        assert expected in shown._repr_mimebundle_(include=[kind])[kind]
        assert expected in shown["D.5"]._repr_mimebundle_(include=[kind])[kind]
    assert "theta" in shown.checked()["D.5"]._repr_mimebundle_()["text/plain"]
    with pytest.raises(RenderError, match="did you mean 'nielsen'"):
        shown.in_notation("nielson")
    bare = symbp.Network(2, [symbp.Dense(3, "tanh", bias=False), symbp.Dense(1, bias=False)], "squared_error")
    step = symbp.derive(bare).in_notation("nielsen")["2.6m"]
    assert "z^l = W^l a^{l-1}\n" in step._repr_mimebundle_()["text/plain"]

"""Pages: complete, true to the derivation, and LaTeX that a real TeX accepts without complaint."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from symbp.derivation.components import components
from symbp.derivation.derive import derive
from symbp.derivation.records import Check, Derivation, Step, equation
from symbp.derivation.resolved import resolved_label
from symbp.errors import RenderError
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.layout import Relation
from symbp.render import escape, page, web
from symbp.render.breaking import break_terms
from symbp.render.drawing import is_small
from symbp.render.outline import FURTHER, outline, section_title, split_label
from tests.covering import every_pair
from tests.golden import GENERATED, REFERENCES
from tests.needs import missing

NETWORKS = {
    "generic": None,
    "perceptron": Network(3, [Dense(2)], "squared_error", "perceptron"),
    "xor": Network(2, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "binary_cross_entropy", "xor_2_3_1"),
    "iris": Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy", "iris_4_8_3"),
    "mixed": Network(
        3, [Dense(4, "relu"), Dense(3, "tanh", bias=False), Dense(1)], "half_squared_error", "mixed_bias"
    ),
    "digits": Network(64, [Dense(32, "relu"), Dense(10, "softmax")], "cross_entropy", "digits_64_32_10"),
    "deepest_drawn": Network(
        8, [*(Dense(8, "relu") for _ in range(4)), Dense(8, "softmax")], "cross_entropy", "deepest_drawn"
    ),
    "long": Network(
        5, [*(Dense(3 + n % 4, "tanh") for n in range(39)), Dense(2)], "half_squared_error", "forty_layers"
    ),
    "wide": Network(
        784, [Dense(256, "relu"), Dense(128, "tanh"), Dense(10, "softmax")], "cross_entropy", "wide"
    ),
    "deep": Network(7, [*(Dense(5, "sigmoid") for _ in range(6)), Dense(1)], "squared_error", "deep"),
}
FORMATS = {"latex": page.latex, "html": web.html, "text": page.text, "markdown": page.markdown}
# How the number of an equation stands on a page.
MARKS = {
    "latex": r"\tag{{{}}}",
    "html": 'aria-label="equation {}"',
    "text": "\n({})",
    "markdown": "**({})**",
}


def with_checks(derivation: Derivation, **failed: str) -> Derivation:
    """Mark every step as checked, without running the oracles."""

    def checks(step: Step) -> tuple[Check, ...]:
        detail = failed.get(step.label)
        return (Check(step.label, "types", True, ""), Check(step.label, "jets", detail is None, detail or ""))

    return replace(derivation, steps=tuple(replace(s, checks=checks(s)) for s in derivation.steps))


@functools.cache
def derived(name: str) -> Derivation:
    return with_checks(derive(NETWORKS[name]))


@pytest.fixture
def iris() -> Derivation:
    return derived("iris")


# LaTeX through a real TeX ---------------------------------------------------------------------


def compile_latex(source: str, directory: Path) -> str:
    """Compile twice, as an author would, and return the log of the second run."""
    if shutil.which("pdflatex") is None:
        missing("pdflatex is not installed")
    (directory / "page.tex").write_text(source)
    for _ in range(2):
        result = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
            cwd=directory,
            capture_output=True,
            # A font that has to be made as bitmaps is a mistake of the page.
            env={**os.environ, "MKTEXPK": "0", "max_print_line": "1000"},
        )
        assert result.returncode == 0, result.stdout.decode(errors="replace")[-2000:]
    return (directory / "page.log").read_text(errors="replace")


def complaints(log: str) -> list[str]:
    return [
        line
        for line in log.splitlines()
        if re.search(r"Overfull|undefined|^!|Warning|pdfTeX warning|pk>", line)
    ]


@pytest.mark.tex
@pytest.mark.parametrize(
    "name", sorted(NETWORKS.keys() - {"iris", "digits"})
)  # those are in the reference output
def test_pdflatex_has_nothing_to_complain_about(name, tmp_path):
    assert complaints(compile_latex(page.latex(derived(name)), tmp_path)) == []


@pytest.mark.tex
def test_pdflatex_takes_components(tmp_path):
    written = with_checks(components(derive(NETWORKS["xor"])))
    assert complaints(compile_latex(page.latex(written), tmp_path)) == []


@pytest.mark.tex
def test_faults_of_an_article_are_complained_about(tmp_path):
    faults = {
        r"\begin{document}": r"\begin{document}\noindent\rule{2\linewidth}{1pt}\ref{nowhere}\par ",
        r"\hypertarget{eq-2.7}": r"\hypertarget{eq-2.7x}",
    }
    source = page.latex(derived("perceptron"))
    for old, new in faults.items():
        assert old in source
        source = source.replace(old, new)
    found = complaints(compile_latex(source, tmp_path))
    for words in ("Overfull", "nowhere", "eq-2.7}"):
        assert any(words in line for line in found), words


@pytest.mark.tex
@pytest.mark.parametrize("spec", REFERENCES, ids=lambda spec: spec.network.name)
def test_pdflatex_takes_the_reference_output(spec, tmp_path):
    source = (GENERATED / spec.network.name / "derivation.tex").read_text()
    assert complaints(compile_latex(source, tmp_path)) == []


@pytest.mark.tex
@pytest.mark.parametrize("name", ["generic", "mixed"])
@pytest.mark.parametrize("notation", [n for n in NOTATIONS if n != "smatrix"])
def test_pdflatex_takes_every_notation(notation, name, tmp_path):
    source = page.latex(derived(name), notation, translate="smatrix")
    assert complaints(compile_latex(source, tmp_path)) == []


@pytest.mark.parametrize(
    ("form", "notation", "name"), every_pair(FORMATS, NOTATIONS, ["generic", "mixed", "perceptron"])
)
def test_a_step_is_on_the_page_or_named_as_saying_nothing_new(form, notation, name):
    derivation = derived(name)
    printed = FORMATS[form](derivation, notation)
    silent = ", ".join(re.findall(r"In this notation (.*) would say nothing", printed))
    left_out = silent.replace(", k=", " k=").split(", ")  # a label with a layer has a comma itself
    for label in derivation.labels:
        # Where functions were put in, that form stands for both.
        replaced = ", k=" in label and resolved_label(label) in derivation
        expected = 0 if replaced or label.replace(", ", " ") in left_out else 1
        assert printed.count(MARKS[form].format(label)) == expected, label


def test_no_step_that_an_oracle_objects_to_is_left_out():
    silent = with_checks(derive(None), **{"1.6": "at k = 1"})
    assert "(1.6) " in page.text(silent, "ng")
    assert "\n(1.6) " not in page.text(derived("generic"), "ng")


def test_a_network_with_biases_is_marked_where_the_document_has_none():
    assert "Document 003 has no biases." in page.text(derived("mixed"), "bishop")
    network = Network(2, [Dense(2, "sigmoid", bias=False), Dense(1, bias=False)], "half_squared_error")
    printed = page.text(with_checks(derive(network)), "bishop")
    assert "Document 003 has no biases." not in printed
    assert "a_i^{(k)} = sum_{j=1}^{N_{k-1}} w_{ij}^{(k)} z_j^{(k-1)}" in printed
    assert "zbar" not in printed
    assert "Wbar" not in printed


@pytest.mark.tex
def test_pdflatex_takes_failed_and_very_long_equations(tmp_path):
    c = sympy.Symbol("c", real=True)
    long = sum(sympy.sin(n * c) ** n * sympy.exp(-(c**n)) / (1 + c**2) for n in range(2, 12))
    wide = sympy.exp(long) * (1 + long) ** 2 * sympy.tanh(long)
    base = with_checks(derive(NETWORKS["mixed"]), **{"2.11": '50% of {x} & \\y_1 ^ ~ # $ < > | " differ'})
    more = tuple(
        Step(f"Z.{n}", "rule_with_100%", equation(c, value), ("2.11", "Y.7"), "a_b " * 60)
        for n, value in enumerate((long, wide))
    )
    source = page.latex(replace(base, steps=base.steps + more))
    assert complaints(compile_latex(source, tmp_path)) == []


@pytest.mark.tex
@pytest.mark.parametrize("name", ["50%_off", "a_b_" * 10])
def test_the_name_is_escaped(name, tmp_path, iris):
    network = Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy")
    object.__setattr__(network, "name", name)  # no declaration accepts a percent sign
    source = page.latex(replace(iris, network=network))
    assert escape.latex(name) in source
    assert complaints(compile_latex(source, tmp_path)) == []


# What is on a page ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_has_a_section(name):
    assert {label for label in derive(NETWORKS[name]).labels if section_title(label) == FURTHER} == set()


@pytest.mark.parametrize("name", ["generic", "iris", "mixed"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_step_is_on_the_page(name, form):
    derivation = derived(name)
    printed = FORMATS[form](derivation)
    for label in derivation.labels:
        # Where functions were put in, that form stands for both.
        expected = 0 if ", k=" in label and resolved_label(label) in derivation else 1
        assert printed.count(MARKS[form].format(label)) == expected, label


def test_an_instance_that_is_not_proved_is_shown_beside_its_better_form():
    derivation = derive(NETWORKS["iris"])
    assert "\n(D.5, k=1)" not in page.text(with_checks(derivation))  # only in the table of steps
    printed = page.text(with_checks(derivation, **{"D.5, k=1": "at s = 1"}))
    assert "\n(D.5, k=1)" in printed
    assert "\n(D.5f, k=1)" in printed


def test_a_step_of_no_known_label_is_shown():
    stray = Step("Z.1", "rule", equation(sympy.Symbol("u"), sympy.Symbol("v")), (), "because")
    base = derived("generic")
    assert outline(replace(base, steps=(*base.steps, stray)))[-1].title == FURTHER


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("label", ["2.8", "2.12f, k=1", "D.5f, k=1", "X.10", "X.13, k=1", "1.8"])
def test_a_changed_equation_changes_the_page(form, label, iris):
    statement = iris[label].statement
    changed = equation(statement.lhs, -statement.rhs)
    steps = tuple(replace(s, statement=changed) if s.label == label else s for s in iris.steps)
    assert FORMATS[form](replace(iris, steps=steps)) != FORMATS[form](iris)


@pytest.mark.parametrize("form", FORMATS)
def test_a_broken_equation_changes_what_follows_from_it(form):
    network = NETWORKS["xor"]
    right = derive(network)
    statement = right["2.12"].statement
    broken = right.replace("2.12", equation(statement.lhs, -statement.rhs))
    before, after = (FORMATS[form](with_checks(d)).splitlines() for d in (right, broken))
    assert sum(a != b for a, b in zip(before, after, strict=False)) > 2


@pytest.mark.parametrize(
    ("form", "word"),
    [("latex", "not proved"), ("html", "not proved"), ("text", "NOT PROVED"), ("markdown", "Not proved")],
)
def test_a_failed_check_is_shown_loudly(form, word, iris):
    assert word not in FORMATS[form](iris)
    printed = FORMATS[form](with_checks(iris, **{"2.11": "at k = 1"}))
    assert word in printed.split("Notation")[0]
    assert "CHECK FAILED: jets: at k = 1" in printed


@pytest.mark.parametrize("form", FORMATS)
def test_an_unchecked_step_is_not_passed_off_as_proved(form, iris):
    steps = tuple(replace(s, checks=()) if s.label == "2.3" else s for s in iris.steps)
    printed = FORMATS[form](replace(iris, steps=steps))
    assert "no oracle has checked this step" in printed
    assert f"{len(steps) - 1} of {len(steps)} steps are proved" in printed


def test_long_networks_leave_out_the_middle_but_never_a_failure():
    derivation = derive(NETWORKS["long"])
    printed = page.text(with_checks(derivation))
    assert "Layers 4 to 37 are left out" in printed
    assert "(2.6b, k=3)" in printed
    assert "(2.6b, k=20)" not in printed
    assert "(2.6b, k=20)" in page.text(with_checks(derivation, **{"2.6b, k=20": "at r = 1"}))


def test_conditions_and_sources_are_named(iris):
    printed = page.text(iris)
    assert "chain rule from 2.11b, 1.3: the output of a neuron" in printed
    assert "for 1 <= k < l <= L + 1  ok: types, jets" in printed
    assert r"from \hyperlink{eq-2.11b}{2.11b}, \hyperlink{eq-1.3}{1.3}" in page.latex(iris)


def test_links_lead_somewhere():
    for name in ("iris", "long"):
        source = page.latex(derived(name))
        assert set(re.findall(r"\\hyperlink\{([^}]*)\}", source)) <= set(
            re.findall(r"\\hypertarget\{([^}]*)\}", source)
        )


def test_small_networks_are_drawn_and_their_matrices_written_out():
    source = page.latex(derived("mixed"))
    assert source.count(r"\node[neuron]") == 3 + 4 + 3 + 1
    assert source.count(r"\node[bias]") == 2  # the second layer has none
    assert source.count(r"\draw[connection]") == 4 * 4 + 4 * 3 + 4 * 1
    assert r"\mathbf{T}_1^2 = \mathbf{S}_2 \mathbf{S}_1 = \begin{bmatrix}" in source
    assert r"w_{34}^2 \frac{dg^1}{dc_4^1}" in source
    assert not is_small(NETWORKS["digits"])
    assert r"\begin{tikzpicture}" not in page.latex(derived("digits"))


@pytest.mark.parametrize("form", FORMATS)
def test_unknown_notation_is_an_error(form, iris):
    with pytest.raises(RenderError, match="unknown notation 'bishopp'"):
        FORMATS[form](iris, notation="bishopp")


def test_pages_are_the_same_under_every_hash_seed():
    program = (
        "from tests.test_page import derived, FORMATS\n"
        "import sys\n"
        "for form in FORMATS.values(): sys.stdout.write(form(derived('mixed')))"
    )
    root = Path(__file__).parents[1]
    # A set, and with one more seed: that of this process, which every run chooses anew.
    outputs = {"".join(form(derived("mixed")) for form in FORMATS.values()).encode()} | {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "77")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_text_fits_a_terminal():
    for name in ("generic", "iris", "digits"):
        assert max(map(len, page.text(derived(name)).splitlines())) <= 120


# Breaking lines -------------------------------------------------------------------------------


def test_terms_are_distributed_over_lines():
    relation = Relation("x", "=", ("aaaa", "+ bbbb", "- cccc"))
    assert break_terms(relation, [4, 4, 6, 6], 100, "*") == [["aaaa", "+ bbbb", "- cccc"]]
    assert break_terms(relation, [4, 4, 6, 6], 15, "*") == [["aaaa", "+ bbbb"], ["- cccc"]]
    assert break_terms(relation, [4, 4, 6, 6], 1, "*") == [["aaaa"], ["+ bbbb"], ["- cccc"]]


def test_a_long_product_is_broken_between_factors():
    term = "a (b + c (d + e)) (f + g) exp(h (i))"
    lines = break_terms(Relation("x", "=", (term,)), [4, len(term)], 24, "*")
    assert lines == [["a (b + c (d + e))"], ["* (f + g) exp(h (i))"]]


def test_labels_are_split_into_number_and_layer():
    assert split_label("2.6b, k=12") == ("2.6b", 12)
    assert split_label("2.6b") == ("2.6b", None)

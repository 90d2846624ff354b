"""Pages in headless Chromium: every formula is there, nothing is raw, nothing overflows a telephone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sympy

import symbp
from symbp.derivation.components import components
from symbp.derivation.derive import derive
from symbp.derivation.documents import library
from symbp.derivation.documents.library import NAMES
from symbp.derivation.records import Derivation, Step, equation
from symbp.functions import Activation, Cost
from symbp.network import Dense, Network
from symbp.render import audit, web
from tests.browser import chromium, faults, measure
from tests.golden import GENERATED, REFERENCES
from tests.test_page import NETWORKS, derived, with_checks

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def own_functions() -> Derivation:
    bent = Activation("bent", "(sqrt(z**2 + 1) - 1)/2 + z")
    leaky = Activation("leaky", "0.01*z if z <= 0 else z")
    quartic = Cost("quartic", "(h - y)**4 + abs(h - y)")
    return with_checks(derive(Network(3, [Dense(4, bent), Dense(3, leaky), Dense(2)], quartic, "own")))


def odd() -> Derivation:
    """A failed check, steps that nobody checked, equations far too long, text that is no HTML."""
    c = sympy.Symbol("c", real=True)
    long = sum(sympy.sin(n * c) ** n * sympy.exp(-(c**n)) / (1 + c**2) for n in range(2, 12))
    wide = sympy.exp(long) * (1 + long) ** 2 * sympy.tanh(long)
    base = with_checks(derive(NETWORKS["mixed"]), **{"2.11": "50% of <script>alert(1)</script> & </b>"})
    more = tuple(
        Step(f"X.{n}", "rule_<b>", equation(c, value), ("2.11", "Y.7"), "a_b " * 60 + "w" * 90)
        for n, value in enumerate((long, wide))
    )
    return replace(base, steps=base.steps + more)


PAGES = {
    **{name: lambda name=name: derived(name) for name in ("generic", "perceptron", "mixed", "wide", "deep")},
    "deepest_drawn": lambda: derived("deepest_drawn"),
    "own_functions": own_functions,
    "components": lambda: with_checks(components(derive(NETWORKS["xor"]))),
    "odd": odd,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_faults(name, browser, tmp_path):
    source = web.html(PAGES[name]())
    file = tmp_path / "page.html"
    file.write_text(source, encoding="utf-8")
    assert faults(source, measure(browser, file, 360, "dark"), 360) == []
    if name in ("mixed", "odd"):
        assert faults(source, measure(browser, file, 1200, "light"), 1200) == []


@pytest.mark.parametrize("spec", REFERENCES, ids=lambda spec: spec.network.name)
def test_reference_pages_have_no_faults(spec, browser):
    file = GENERATED / spec.network.name / "derivation.html"
    assert faults(file.read_text(encoding="utf-8"), measure(browser, file), 360) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_audit_has_no_faults(name, browser, tmp_path):
    source = audit.page(name, "html")
    file = tmp_path / "audit.html"
    file.write_text(source, encoding="utf-8")
    assert faults(source, measure(browser, file, 360, "dark"), 360) == []
    if name == "003":
        assert faults(source, measure(browser, file, 1200, "light"), 1200) == []
    entries = sum(
        bool(found.printed) + bool(found.claim) + bool(found.right) for found in library.audit(name)
    )
    assert source.count('<math display="block"') == entries


LONG = Network(
    7,
    [Dense(n, name) for n, name in ((16, "gelu"), (12, "mish"), (13, "swish"), (11, "elu"), (1, "sigmoid"))],
    "binary_cross_entropy",
)


@cache
def long_formulas() -> Derivation:
    return with_checks(derive(LONG))


@pytest.mark.parametrize("notation", ["bishop", "nielsen"])
def test_long_formulas_are_broken_into_lines(notation, browser, tmp_path):
    file = tmp_path / "long.html"
    file.write_text(web.html(long_formulas(), notation), encoding="utf-8")
    assert measure(browser, file, 1200)["scrolled"] == []


def test_the_tables_of_a_page_fit_a_telephone(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(web.html(derived("mixed")), encoding="utf-8")
    assert [text for text in measure(browser, file, 360)["scrolled"] if text.startswith("TABLE")] == []


def test_light_and_dark_differ(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(web.html(derived("perceptron")), encoding="utf-8")
    light, dark = (measure(browser, file, scheme=s)["ground"] for s in ("light", "dark"))
    assert light != dark


def test_a_cell_of_a_notebook_has_no_faults(browser, tmp_path):
    source = f'<!DOCTYPE html><html lang="en"><body>{web.cell(derived("mixed"))}</body></html>'
    file = tmp_path / "cell.html"
    file.write_text(source, encoding="utf-8")
    assert faults(source, measure(browser, file, 800), 800) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("(a + b)*c", {"a": -12, "b": 14, "c": -10}),
        ("y = w1*a1 + w2*a2; a1 = v1*x; a2 = v2*x", None),
        ("exp(-x**2)/(1 + exp(-x**2))", {"x": 0.5}),
        ("(x if x > 0 else 0)*abs(y) + max(x, sqrt(y))", {"x": "1e-9", "y": 7}),
        (";".join(f"a{n + 1} = a{n} + 1" for n in range(30)), {"a0": 0}),
    ],
)
def test_a_computation_graph_has_no_faults(text, at, browser, tmp_path):
    graph = symbp.chain(text, at)
    file = tmp_path / "graph.html"
    cell = f'<!DOCTYPE html><html lang="en"><body>{graph._repr_mimebundle_()["text/html"]}</body></html>'
    for source in (graph.html(), cell):
        file.write_text(source, encoding="utf-8")
        assert faults(source, measure(browser, file, 360, "light"), 360) == []
    source = graph.html()
    file.write_text(source, encoding="utf-8")
    assert faults(source, measure(browser, file, 1200, "dark"), 1200) == []


# Every kind of fault is found -----------------------------------------------------------------

BROKEN = [
    ("</math>", "<b>x</b></math>", "not parsed as it is written"),
    ("<mi>w</mi>", r"<mi>\omega</mi>", "omega"),
    ("<main>", "<main><p>$x$</p>", "raw text: '$x$'"),
    ("<main>", "<main><math alttext='x'></math>", "without a size"),
    ("<main>", "<main><math><mi>x</mi></math>", "without alttext"),
    ("<main>", "<main><merror>x</merror>", "an error element"),
    ("<main>", '<main><div style="width: 900px">x</div>', "reaches to 9"),
    ("<main>", '<main><div class="scroll" style="height: 5px">x<br>y</div>', "cut off below"),
    ("<main>", '<main><p style="color: #ccc">x</p>', "contrast"),
    ("<main>", "<main><h4>x</h4>", "headings out of order"),
    ("<main>", "<main><script>nothing()</script>", "nothing is not defined"),
    ("<main>", '<main><img src="nowhere.png" alt="">', "asks for"),
    ('lang="en"', "", "no language"),
]


def test_every_kind_of_fault_is_found(browser: Any, tmp_path: Path) -> None:
    source = web.html(derived("perceptron"))
    for old, new, _ in BROKEN:
        assert old in source
        source = source.replace(old, new, 1)
    file = tmp_path / "page.html"
    file.write_text(source, encoding="utf-8")
    found = faults(source, measure(browser, file, 360), 360)
    for old, new, fault in BROKEN:
        assert any(fault in line for line in found), f"{new} in place of {old} is not found"

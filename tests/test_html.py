"""Web pages: one file that needs nothing else, links that lead somewhere, text that stays text."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from symbp.derivation.components import components
from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.derivation.resolved import RULE
from symbp.functions import Activation
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.render import svg, web
from symbp.render.drawing import Drawing, Neuron
from symbp.render.escape import slug
from tests.test_page import NETWORKS, derived, with_checks

# Elements without an end tag.
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Collects elements, and insists that each one is closed by its own end tag."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] or "" for _, found in self.elements if attribute in found]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture(params=["generic", "perceptron", "mixed", "long", "components"])
def derivation(request: pytest.FixtureRequest) -> Derivation:
    if request.param == "components":
        return with_checks(components(derive(NETWORKS["xor"])))
    return derived(request.param)


def test_it_is_one_file_that_asks_for_nothing(derivation):
    source = web.html(derivation)
    page = Reader(source)
    tags = Counter(tag for tag, _ in page.elements)
    assert not tags.keys() & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"@import|url\((?!#)|https?:", source)
    assert all(link.startswith("#") for link in page.values("href"))
    assert not any(name.startswith("on") for _, found in page.elements for name in found)


def test_anchors_are_unique_and_links_lead_to_them(derivation):
    page = Reader(web.html(derivation))
    names = page.values("id")
    assert len(names) == len(set(names))
    assert {link[1:] for link in page.values("href")} <= set(names)


def test_every_equation_has_an_anchor(derivation):
    source = web.html(derivation)
    numbers = re.findall(r'<a class="number" href="#([^"]*)" aria-label="equation ([^"]*)">', source)
    assert set(dict(numbers)) <= set(Reader(source).values("id"))
    left_out = "are left out" in source
    # Where functions were put in, that form stands for both.
    in_other_form = {step.uses[0] for step in derivation.steps if step.rule == RULE}
    shown = set(derivation.labels) - in_other_form
    assert left_out or sorted(label for _, label in numbers) == sorted(shown)
    assert all(anchor == f"eq-{label}" for anchor, label in numbers if "=" not in label and "[" not in label)


def test_an_equation_shows_its_reason_conditions_and_checks():
    source = web.html(derived("mixed"))
    (step,) = re.findall(r'<div class="step" id="eq-2.11">.*?</details>', source, re.S)
    words = " ".join("".join(Reader(step + "</div></div>").words).split())
    assert "from 2.11b, 1.3: the output of a neuron" in words
    assert '<a href="#eq-2.11b">2.11b</a>' in step
    assert 'alttext="1 &lt;= k &lt; l &lt;= L + 1"' in step
    assert "types, jets" in words
    assert '<th scope="row">jets</th><td>passed</td>' in step


def test_the_contents_name_every_section(derivation):
    source = web.html(derivation)
    (contents,) = re.findall(r"<nav.*?</nav>", source, re.S)
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", source)
    assert re.findall(r"<a [^>]*>(.*?)</a>", contents) == titles
    assert titles[-1] == "Checks"


def test_names_of_the_user_are_escaped():
    evil = "<script>alert('1')</script>&\"}}{{ 7*7 }}"
    activation = Activation("own", "2*z")
    network = Network(2, [Dense(2, activation), Dense(1)], "half_squared_error")
    base = with_checks(derive(network), **{"2.11": evil})
    for named in (activation, network):
        object.__setattr__(named, "name", evil)  # no declaration accepts it
    page = Reader(web.html(base))
    assert page.count("script") == 0
    # As the title, the heading, an activation in table, drawing and layer's heading, a failed check.
    assert sum(evil in words for words in page.words) >= 7


def test_a_network_is_drawn():
    source = web.html(derived("mixed"))
    assert source.count('<g class="neuron"') == 3 + 4 + 3 + 1
    assert source.count('<g class="bias"') == 2  # the second layer has none
    assert source.count("<line ") == 4 * 4 + 4 * 3 + 4 * 1
    assert 'aria-label="network of layers with 3, 4, 3, 1 neurons"' in source
    assert "<svg" not in web.html(derived("wide"))


def test_arrows_run_between_circles():
    neurons = (Neuron("a", "0.00", "0.50", "x", False), Neuron("b", "3.20", "-0.50", "h", False))
    drawn = svg.picture(Drawing(neurons, (("a", "b"),), (("0.00", "-1.40", "inputs"),)))
    (x1, y1, x2, y2), (a, b) = drawn.lines[0], drawn.circles
    assert a.y < b.y  # y goes down in SVG, and up in the drawing
    assert (x1 - a.x) ** 2 + (y1 - a.y) ** 2 == pytest.approx(svg.RADIUS**2, rel=0.02)
    assert (b.x - x2) ** 2 + (b.y - y2) ** 2 == pytest.approx((svg.RADIUS + svg.GAP) ** 2, rel=0.02)
    for x, y in ((a.x, a.y), (b.x, b.y)):
        assert svg.RADIUS <= x <= drawn.width - svg.RADIUS
        assert svg.RADIUS <= y <= drawn.height - svg.RADIUS


def test_slugs():
    assert slug("S-matrices and T-product") == "s-matrices-and-t-product"
    assert slug("This network: output, cost.") == "this-network-output-cost"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_notation_is_well_formed(notation):
    network = Network(2, [Dense(3, "tanh", bias=False), Dense(2, "softmax")], "cross_entropy")
    source = web.html(derive(network), notation, translate="nielsen" if notation == "ng" else "ng")
    formulas = re.findall(r"<math.*?</math>", source, re.DOTALL)
    assert len(formulas) > 100
    for formula in formulas:
        ElementTree.fromstring(formula)
    assert "\\" not in re.sub(r"<[^>]*>", "", source)
    assert "From this notation to that of document" in source

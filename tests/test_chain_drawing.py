"""The drawing of a computation graph: no label on another one, none on a node, no edge through a node."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import symbp
from tests.browser import chromium

FAN = [f"a{i} = v{i}*x" for i in range(9)]
GRAPHS: dict[str, tuple[str, dict[str, object] | None]] = {
    "fan": (f"y = {' + '.join(f'w{i}*a{i}' for i in range(9))};" + "; ".join(FAN), None),
    "parallel": ("x*x*x + a*x*a", {"x": 3, "a": 2}),
    "long": (
        "y = exp(-x**2/(2*sigma**2))*cos(omega*x + phi); z = log(1 + y**2)/sqrt(1 + x**2)",
        None,
    ),
    "neuron": ("1/(1 + exp(-(w1*x1 + w2*x2 + b)))", {"w1": 0.5, "x1": 1.25, "w2": -0.75, "x2": 2, "b": 0.3}),
    "cell": (
        "f = sigmoid(wf*h + b1); i = sigmoid(wi*h + b2); c = f*c0 + i*tanh(wc*h);"
        "o = sigmoid(wo*h); y = o*tanh(c)",
        None,
    ),
    "norm": ("x/sqrt(x**2 + y**2 + z**2)", {"x": 1.2345678, "y": 2, "z": -3}),
}

BOXES = """() => {
  const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const all = s => Array.from(document.querySelectorAll(s));
  const ends = l => { const m = l.getScreenCTM();
    const at = (n, scale, start) => l[n].baseVal.value * scale + start;
    return ['1', '2'].map(n => [at('x' + n, m.a, m.e), at('y' + n, m.d, m.f)]); };
  return {labels: all('.graph .local').map(box), nodes: all('.graph circle').map(box),
          edges: all('.graph line').map(ends)};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_stands_on_anything_else(browser: Any, name: str, tmp_path: Path) -> None:
    page = tmp_path / "graph.html"
    page.write_text(symbp.chain(*GRAPHS[name]).html(), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.goto(page.as_uri())
    found = tab.evaluate(BOXES)
    tab.close()
    assert found["labels"]
    assert found["nodes"]
    for a, b in combinations(found["labels"], 2):
        assert not _meet(a, b), name
    for label in found["labels"]:
        for left, top, right, bottom in found["nodes"]:
            middle, radius = ((left + right) / 2, (top + bottom) / 2), (right - left) / 2
            assert _from_box(middle, label) >= radius - 1, name
    for start, end in found["edges"]:
        for left, top, right, bottom in found["nodes"]:
            middle, radius = ((left + right) / 2, (top + bottom) / 2), (right - left) / 2
            assert _from_way(middle, start, end) >= radius - 1, name


def test_a_long_derivative_has_a_number_that_the_list_explains() -> None:
    graph = symbp.chain(*GRAPHS["long"])
    web, latex = graph.html(), graph.latex()
    assert '<span class="local">(1)</span>' in web
    assert '<span class="mark">(1)</span>' in web
    assert "a number in the drawing stands for a long one" in web
    assert "{(1)} (n" in latex
    assert r"\text{(1)}\quad" in latex
    assert "a number in the drawing" not in symbp.chain("a*b").html()


def test_words_are_no_products_in_latex() -> None:
    page = symbp.chain("y = wf*h").latex()
    assert r"h \, \mathit{wf}" in page


def _meet(a: Any, b: Any) -> bool:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return bool(wide > 1 and high > 1)


def _from_box(point: Any, box: Any) -> float:
    x = max(box[0] - point[0], 0, point[0] - box[2])
    y = max(box[1] - point[1], 0, point[1] - box[3])
    return math.hypot(x, y)


def _from_way(point: Any, start: Any, end: Any) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = point[0] - start[0], point[1] - start[1]
    along = min(1.0, max(0.0, (px * dx + py * dy) / (dx * dx + dy * dy)))
    return math.hypot(px - along * dx, py - along * dy)

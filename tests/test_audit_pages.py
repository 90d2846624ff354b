"""The audit's pages: text, HTML, LaTeX and JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symbp.cli import main
from symbp.derivation.documents.language.reader import read
from symbp.derivation.documents.library import NAMES, get
from symbp.derivation.documents.shapes import Shapes
from symbp.render.audit import page
from symbp.render.audit_latex import LatexStatements
from symbp.render.audit_mathml import MathMLStatements


def test_json_has_one_object_for_each_equation() -> None:
    found = json.loads(page(None, "json"))
    empty = [entry for entry in found if entry["verdict"] == "empty"]
    assert [(entry["document"], entry["equation"]) for entry in empty] == [("003", "16")]
    assert "empty line" in empty[0]["detail"]
    assert all(entry["step"] for entry in found)
    found = [entry for entry in found if entry["verdict"] != "empty"]
    assert len(found) == sum(len(get(name).equations) for name in NAMES)
    for entry in found:
        assert {"document", "equation", "verdict", "printed", "right", "method", "detail"} <= set(entry)
        assert entry["verdict"] in ("proved", "erratum")
        assert entry["printed"]
        assert entry["claim"] or not entry["quote"] or entry["printed"] != entry["quote"]
        assert (entry["printed"] == entry["right"]) == (entry["verdict"] == "proved")
        assert entry["detail"]


@pytest.mark.parametrize("form", ["text", "html", "latex"])
def test_pages_say_which_step_an_equation_is(form: str) -> None:
    found = " ".join(page("003", form).split())
    for words in (
        "step X.13m",
        "steps 1.3, h",
        "names for the entries",
        "worked example of figure 1, a graph",
    ):
        assert words in found


def test_text_shows_the_counterexample(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "004"]) == 0
    out = capsys.readouterr().out
    assert "30 equations: 20 proved, 10 errata." in out
    assert "z[l+1][m] is 0.167817, sum(w[l+1][m, k] * a[l][k], k) + b[l][m] is" in " ".join(out.split())


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.articles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name in ("src", "href") and "//" in (value or "") for name, value in attrs)
        self.articles += tag == "article"
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_whole_and_self_contained() -> None:
    tags = _Tags()
    tags.feed(page(None, "html"))
    assert not tags.open
    assert tags.articles == sum(len(get(name).equations) for name in NAMES)


@pytest.mark.tex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_without_overfull_boxes(tmp_path: Path) -> None:
    (tmp_path / "audit.tex").write_text(page(None, "latex"), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "audit.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    log = (tmp_path / "audit.log").read_text(errors="replace")
    assert "Overfull" not in log
    assert "undefined" not in log


def test_unknown_document_and_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "04"]) == 2
    assert "unknown document '04'; did you mean '004'?" in capsys.readouterr().err
    assert main(["audit", "ng"]) == 2
    assert "unknown document 'ng'; the notation ng is that of document 001" in capsys.readouterr().err
    assert main(["audit", "004", "--format", "pdf"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_output_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "a.json"
    assert main(["audit", "004", "--output", str(target)]) == 0
    assert len(json.loads(target.read_text())) == 30
    mine = tmp_path / "mine.html"
    mine.write_text("my work")
    assert main(["audit", "004", "--output", str(mine)]) == 2
    assert mine.read_text() == "my work"


@pytest.mark.parametrize(
    ("writer", "expected"),
    [(LatexStatements, r"2\, \left(k\, l\right)"), (MathMLStatements, "(</mo><mrow><mi>k</mi>")],
)
def test_a_product_that_is_a_second_factor_keeps_its_brackets(writer, expected) -> None:
    shapes = Shapes(get("000").settings["network"])
    assert expected in writer(shapes).statement(read("m == 2*(k*l)", ""))

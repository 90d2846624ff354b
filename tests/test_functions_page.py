"""``symbp functions``: the table in its three formats."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy

from symbp.cli import main
from symbp.derivation.describe import describe
from symbp.derivation.inverse import relation_to_output
from symbp.derivation.local import O, Z
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.parse import parse_formula
from symbp.render.functions_page import FORMATS, functions_page

RECORDS = [*ACTIVATIONS.values(), *COSTS.values()]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {form: functions_page(RECORDS, form) for form in FORMATS}


@pytest.mark.parametrize("form", FORMATS)
def test_every_function_has_its_entry(pages: dict[str, str], form: str) -> None:
    page = pages[form]
    heading = {"text": r"(?m)^{}$", "markdown": r"(?m)^### {}$", "latex": r"\\subsection\*{{{}}}"}[form]
    for record in RECORDS:
        name = record.name if form == "text" else record.name.replace("_", r"\_")
        assert len(re.findall(heading.format(re.escape(name)), page)) == 1
    assert page.count("source") == len(RECORDS)


def test_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", "silu"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "swish",
        "    g           z/(1 + exp(-z))",
        "    g'          1/(1 + exp(-z)) + z exp(-z)/((1 + exp(-z))^2)",
        "    by output   o + (1 - o)/(1 + exp(-z))",
        "    range       [-0.27846, oo)",
        "    source      Ramachandran, Zoph and Le 2017, arXiv:1710.05941 (also called SiLU)",
    ]


def test_a_cost_with_a_kink_and_a_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", "quantile", "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert "- outputs: any number; targets: any number" in out
    assert "- parameter $q$: a number between 0 and 1; default 0.5" in out
    assert "- kink at $h = y$: slope $-q$ on the left, $1 - q$ on the right; declared there: $-q$" in out


@pytest.mark.parametrize(
    ("formula", "relation"),
    [
        ("log(1 + exp(z))", 1 - sympy.exp(-O)),
        ("atan(z)", sympy.cos(O) ** 2),
        ("1/(1 + exp(-z))", O * (1 - O)),
        ("2*atan(3*z) + 1", None),
        ("sin(z)", None),
        ("z*exp(z)", None),
        ("z/(1 + abs(z))", None),
    ],
)
def test_relation_to_the_output(formula: str, relation: sympy.Expr | None) -> None:
    found = relation_to_output(parse_formula(formula, ("z",)))
    if relation is None and found is not None:
        # What is found beyond the list must be right: no letter but o, and g' at a point.
        assert found.free_symbols <= {O, Z}
        g = parse_formula(formula, ("z",))
        at = sympy.Rational(1, 3)
        assert abs(sympy.N(found.subs({O: g.subs(Z, at), Z: at}) - g.diff(Z).subs(Z, at))) < 1e-12
    else:
        assert found == relation


def test_a_softmax_is_described_by_its_jacobian() -> None:
    found = describe(ACTIVATIONS["softmax"])
    assert found.range is None
    assert "KroneckerDelta" in str(found.derivative)


@pytest.mark.tex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_latex_page_compiles(pages: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "functions.tex").write_text(pages["latex"])
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "functions.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout

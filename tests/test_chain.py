"""Computation graphs: the documents' examples, any expression, and bad input in one line."""

from __future__ import annotations

import html
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy

import symbp
from symbp.cli import main
from symbp.errors import ExpressionError, GraphError
from symbp.functions.parse import parse_formula

_I, _X = sympy.symbols("i x")


def test_001_figure_6() -> None:
    chain = symbp.chain("(a + b)*c", {"a": -12, "b": 14, "c": -10})
    assert chain["y"].value == -20
    assert chain["u1"].value == 2
    assert [chain.derivative(name) for name in ("c", "u1", "a", "b")] == [2, -10, -10, -10]
    assert "dy/da = dy/du1 * du1/da = (-10) * 1 = -10" in chain.text()


def test_003_figure_1() -> None:
    chain = symbp.chain("y = 2*a; a = 3*x", {"x": 1})
    assert [(e.source, e.target, e.value) for e in chain.edges] == [("x", "a", 3), ("a", "y", 2)]
    assert chain.derivative("x") == 6
    assert "dy/dx = dy/da * da/dx = 2 * 3 = 6" in chain.text()


def test_003_figure_2() -> None:
    chain = symbp.chain("y = 2*a1 + a2; a1 = 3*x; a2 = -x", {"x": 7})
    assert chain.derivative("x") == 5
    products = [[edge.value for edge in path] for path in chain.paths("x")]
    assert products == [[3, 2], [-1, 1]]
    assert "= 2 * 3 + 1 * (-1) = 5" in chain.text()


def test_003_figure_3() -> None:
    n = 4
    lines = [f"a{i} = v{i}*x" for i in range(1, n + 1)]
    lines.append("y = " + " + ".join(f"w{i}*a{i}" for i in range(1, n + 1)))
    chain = symbp.chain("; ".join(lines))
    v, w = ([sympy.Symbol(f"{c}{i}", real=True) for i in range(1, n + 1)] for c in "vw")
    assert sympy.expand(chain.derivative("x") - sum(a * b for a, b in zip(v, w, strict=True))) == 0
    assert len(chain.paths("x")) == n


EXPRESSIONS = [
    "exp(-x**2)/(1 + exp(-x**2))",
    "x*y*z - x/y + 3",
    "tanh(x*y) + sin(z)**3",
    "sqrt(x**2 + y**2 + z**2)",
    "log(1 + exp(x)) - 0.5*x",
    "x",
    "(x if x > 0 else 0)*y",
    "x/(y*z) + 1/(x*y)",
    "(x + y)*(x + y)*exp(x + y)",
    "abs(x) + cos(2*x)",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_derivatives_are_those_of_the_whole(text: str) -> None:
    """Against SymPy's derivative of the whole expression, which knows nothing of the graph."""
    whole = parse_formula(text, ("x", "y", "z"))
    source = random.Random(text)
    at = {s.name: sympy.Rational(source.randint(100, 999), 100) for s in whole.free_symbols}
    values = {s: at[s.name] for s in whole.free_symbols}
    chain, symbolic = symbp.chain(text, at), symbp.chain(text)
    assert sympy.N(chain[chain.output].value - whole.subs(values), 30) == 0
    for symbol in whole.free_symbols:
        expected = whole.diff(symbol).subs(values)
        assert abs(sympy.N(chain.derivative(symbol.name) - expected, 30)) < 1e-25
        along_paths = sum(sympy.prod([e.value for e in path]) for path in chain.paths(symbol.name))
        assert abs(sympy.N(along_paths - expected, 30)) < 1e-25
        formula = symbolic.derivative(symbol.name)
        forward = {s: chain[s.name].value for s in formula.free_symbols}
        assert abs(sympy.N(formula.subs(forward) - expected, 30)) < 1e-25


def test_equal_parts_are_one_node() -> None:
    chain = symbp.chain("exp(x)/(1 + exp(x))", {"x": 0})
    assert [str(v.formula) for v in chain.vertices].count("exp(x)") == 1
    assert chain.derivative("x") == sympy.Rational(1, 4)


WRITTEN = {
    # text: (nodes in print, number of edges, derivative by x)
    "x + x": ({"y": "x + x"}, 2, "2"),
    "x - x": ({"y": "-x + x"}, 2, "0"),
    "x*x": ({"y": "x*x"}, 2, "2*x"),
    "x/x": ({"y": "x/x"}, 2, "0"),
    "2*x + 3*x": ({"y": "3*x + 2*x"}, 2, "5"),
    "a*x + x*a": ({"u1": "a*x", "y": "u1 + u1"}, 4, "2*a"),
    "2*(a + x)": ({"u1": "a + x", "y": "2*u1"}, 3, "2"),
    "exp(x)*exp(a)": ({"u1": "exp(x)", "u2": "exp(a)", "y": "u1*u2"}, 4, "u2*exp(x)"),
    "log(exp(x))": ({"u1": "exp(x)", "y": "log(u1)"}, 2, "exp(x)/u1"),
    "sqrt(x)**2": ({"u1": "sqrt(x)", "y": "u1**2"}, 2, "u1/sqrt(x)"),
    "x*exp(x)": ({"u1": "exp(x)", "y": "u1*x"}, 3, "u1 + x*exp(x)"),
    "x + x + x": ({"y": "x + x + x"}, 3, "3"),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_is_drawn_as_it_is_written(text: str) -> None:
    nodes, edges, derivative = WRITTEN[text]
    graph = symbp.chain(text)
    assert {v.name: str(v.formula) for v in graph.vertices if v.formula is not None} == nodes
    assert len(graph.edges) == edges
    assert str(graph["x"].derivative) == derivative


def test_two_edges_between_the_same_nodes() -> None:
    graph = symbp.chain("x*x + a", {"x": 3, "a": 1})
    assert graph["x"].gradient == 6
    assert "dy/dx = dy/du1 * x + dy/du1 * x = 1 * 3 + 1 * 3 = 6" in graph.text()
    bends = [line for line in graph.latex().splitlines() if "bend left" in line]
    assert ["bend left=-" in line for line in bends] == [True, False]
    lines = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"', graph.html())
    assert len(lines) == len(set(lines)) == len(graph.edges) == 4


def test_functions_that_stand_for_formulas_are_taken_apart() -> None:
    graph = symbp.chain("sigmoid(x)*(1 - sigmoid(x))", {"x": 0})
    assert graph["x"].gradient == 0
    assert sum(str(v.formula).startswith("exp") for v in graph.vertices) == 1  # one sigmoid, used twice


def test_sympy_expressions_and_mappings() -> None:
    a, b = sympy.symbols("a b")
    assert symbp.chain(a * b + b, {"a": 2, "b": 0.1}).derivative("b") == 3
    chain = symbp.chain({"y": 2 * a, "a": "3*x"}, {"x": "1/3"})
    assert chain["y"].value == 2
    assert chain.derivative("x") == 6


def test_a_power_with_a_variable_exponent() -> None:
    a, n = sympy.symbols("a n", real=True)
    for formula in ("a**n", a**n):
        chain = symbp.chain(formula, {"a": 2, "n": 3})
        assert chain["y"].value == 8
        assert [chain.derivative(name) for name in "an"] == [12, 8 * sympy.log(2)]
    # 0^(n-1), not 0^n/0.
    assert symbp.chain("x = a**n; y = x*b", {"a": 2, "n": 2, "b": 0}).derivative("a") == 0
    with pytest.raises(GraphError, match=r"dy/dn = a\*\*n\*log\(a\) has no finite real value there"):
        symbp.chain("a**n", {"a": -2, "n": 3})


def test_large_and_small_values_are_written_down() -> None:
    assert "y = exp(x) = 1.97007e+434" in symbp.chain("exp(x)", {"x": 1000}).text()
    assert "y = exp(x) = 5.07596e-435" in symbp.chain("exp(x)", {"x": -1000}).text()
    assert "1.78215e+95424" in symbp.chain("9**x", {"x": 100000}).text()
    for text, at in (("a**b**c**d", dict.fromkeys("abcd", 9)), ("exp(exp(exp(x)))", {"x": 100})):
        with pytest.raises(GraphError, match="too large or small to write down"):
            symbp.chain(text, at)


@pytest.mark.parametrize(
    ("text", "at", "sides", "taken"),
    [
        ("abs(x)", {"x": 0}, "-1 to the left and 1 to the right", 0),
        ("x if x > 0 else 0", {"x": 0}, "0 to the left and 1 to the right", 0),
        ("x if x >= 0 else 0", {"x": 0}, "0 to the left and 1 to the right", 1),
        ("max(x, y)", {"x": 1, "y": 1}, "0 to the left and 1 to the right", 1),
    ],
)
def test_a_kink_is_named(text: str, at: dict[str, int], sides: str, taken: int) -> None:
    chain = symbp.chain(text, at)
    assert f"has a kink at x = {at['x']}: its derivative is {sides}; {taken} is taken." in chain.remarks[0]
    for form in ("text", "latex", "markdown", "html"):
        assert "has a kink at" in getattr(chain, form)()


@pytest.mark.parametrize(
    ("text", "at"),
    [("abs(x)", {"x": 1}), ("x**2 if x > 0 else 0", {"x": 0}), ("abs(x)**3", {"x": 2}), ("abs(x)", None)],
)
def test_no_kink_where_there_is_none(text: str, at: dict[str, int] | None) -> None:
    assert symbp.chain(text, at).remarks == ()


def test_a_comparison_is_no_assignment() -> None:
    assert symbp.chain("x if x >= 2 else 2*x", {"x": 1}).derivative("x") == 2
    assert symbp.chain("y = x if x <= 2 else 2*x", {"x": 1}).derivative("x") == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", "(a + b)*c", "--at", "a = -12; b = 14, c = -10"]) == 0
    assert "dy/da = dy/du1 * du1/da = (-10) * 1 = -10" in capsys.readouterr().out
    page = tmp_path / "graph.HTML"
    assert main(["chain", "y = 2*a; a = 3*x", "-o", str(page)]) == 0
    assert "<math" in page.read_text(encoding="utf-8")


def test_decimals_are_exact() -> None:
    assert symbp.chain("3*x", {"x": 0.1})["y"].value == sympy.Rational(3, 10)


def test_shows_itself() -> None:
    bundle = symbp.chain("(a + b)*c", {"a": 1, "b": 2, "c": 3})._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"}
    assert r"\frac{\partial y}{\partial a}" in bundle["text/markdown"]
    assert bundle["text/html"].count("<circle") == 5
    plain = symbp.chain("a*b")._repr_mimebundle_(include=["text/plain"])
    assert set(plain) == {"text/plain"}
    assert "text/html" not in symbp.chain("a*b")._repr_mimebundle_(exclude=["text/html"])


def test_the_web_page_says_what_the_text_says() -> None:
    """Every line of the text is the alternative of a formula, and every edge is drawn with its derivative."""
    for text, at in (("(a + b)*c", {"a": -12, "b": 14, "c": "1/3"}), (EXPRESSIONS[0], None)):
        chain = symbp.chain(text, at)
        page = chain.html()
        said = [html.unescape(x) for x in re.findall(r'display="block" alttext="([^"]*)"', page)]
        assert said == [line.strip() for line in chain.text().splitlines() if line.startswith("  ")]
        assert page.count("<line ") == page.count('class="local"') == len(chain.edges)
        assert page.count("<circle ") == len(chain.vertices)


def test_own_names_are_written_as_they_are() -> None:
    """No name becomes a letter of some notation, and a number at its end is a subscript."""
    at = {"eta": 1, "L": 2, "N": "-1.234e-9", "w12": -3, "beta1": 1}
    page = symbp.chain("y = eta*L + m*w12 + beta1; m = 2*N", at).html()
    for shown in ("<mi>η</mi>", "<mi>L</mi>", "<mi>m</mi>", "<mi>N</mi>"):
        assert shown in page
    assert "<msub><mi>w</mi><mi>12</mi></msub>" in page
    assert "<msub><mi>β</mi><mi>1</mi></msub>" in page
    assert "<mn>1.234</mn><mo>&#x22C5;</mo><msup><mn>10</mn><mrow>" in page


def test_a_large_graph_is_not_drawn() -> None:
    page = symbp.chain(";".join(f"a{n + 1} = a{n} + 1" for n in range(60))).html()
    assert "<svg" not in page
    assert "61 nodes: too many for a drawing." in page


@pytest.mark.tex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("(a + b)*c", {"a": -12, "b": 14, "c": -10}),
        ("y = w1*a1 + w2*a2; a1 = v1*x; a2 = v2*x", None),
        (EXPRESSIONS[0], {"x": 0.5}),
    ],
)
def test_latex_compiles_without_overfull_boxes(
    text: str, at: dict[str, float] | None, tmp_path: Path
) -> None:
    (tmp_path / "g.tex").write_text(symbp.chain(text, at).latex(), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "g.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in (tmp_path / "g.log").read_text(errors="replace")


@pytest.mark.parametrize(
    ("expression", "at", "message"),
    [
        ("a = b; b = a", None, "names are defined by each other: a -> b -> a"),
        ("a = a + 1", None, "names are defined by each other: a -> a"),
        ("a = b; b = c; c = d + b", None, "b -> c -> b"),
        ("y = a + b; z = c", None, "nothing uses y nor z"),
        ("y = x; y = 2*x", None, "'y' is defined twice"),
        ("x + 1", {}, "no value for x; give all inputs: x"),
        ("alpha + 1", {"alpa": 1}, "'alpa' is no input of this graph; did you mean 'alpha'?"),
        ("1/x", {"x": 0}, "y = 1/x has no finite real value there"),
        ("sqrt(x)", {"x": -1}, "has no finite real value"),
        ("sqrt(x)", {"x": 0}, "dy/dx = 1/(2*sqrt(x)) has no finite real value there"),
        ("a == b", None, "== compares; one = gives a name"),
        (sympy.Sum(_I * _X, (_I, 1, 3)), None, "Sum is no operation of a graph"),
        (sympy.Derivative(sympy.Function("f")(_X), _X), None, "Derivative is no operation of a graph"),
        (sympy.Heaviside(_X), {"x": 0}, "is no number there"),
        ("2 + 3", None, "the formula has no variable"),
        ("y = 2", None, "the formula has no variable"),
        ("sum(x)", None, "sum(...) is over the units of a layer"),
        ("exp = x", None, "'exp' is no name for a quantity"),
        ("a.b = x", None, "is no name for a quantity"),
        ("x; y = 2", None, "expected an assignment such as"),
        ("x", {"x": "two"}, "x = 'two': expected a number such as 2, -0.5 or 1/3"),
        ("x", {"x": float("nan")}, "x = nan: expected a finite number"),
        ("x", {"x": float("inf")}, "x = inf: expected a finite number"),
        ("x", {"x": True}, "x = True: expected a number"),
        ("x", {"x": None}, "x = None: expected a number"),
        ("x", [1], "expected the values of the inputs"),
        (None, None, "None is no formula: expected a text or a SymPy expression"),
        ([1, 2], None, "is no formula"),
        (sympy.Matrix([1, 2]), None, "is no formula"),
        (sympy.I * sympy.Symbol("x"), None, "is no formula for a real number"),
        (True, None, "expected a number"),
        ({}, None, "no formula"),
        (" ; ", None, ""),
    ],
)
def test_bad_input(expression: object, at: object, message: str) -> None:
    with pytest.raises((GraphError, ExpressionError)) as error:
        symbp.chain(expression, at)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "x +", "import os", "x.y", "__import__('os')", "x[0]", "f(x)", "'x'", "x y"]
)
def test_what_is_no_formula(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        symbp.chain(text)
    assert "\n" not in str(error.value)


def test_no_such_node() -> None:
    with pytest.raises(GraphError, match="no node 'z'"):
        symbp.chain("x + 1").derivative("z")


def test_too_many_nodes() -> None:
    lines = ";".join(f"a{n + 1} = a{n} + 1" for n in range(1001))
    with pytest.raises(GraphError, match="1,001 nodes; the limit is 1,000"):
        symbp.chain(lines)
    deep = ";".join(f"a{n + 1} = a{n} + 1" for n in range(900))
    assert symbp.chain(deep, {"a0": 0}).derivative("a0") == 1

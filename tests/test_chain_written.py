"""Assignments stay as they are written; pi and e are numbers; a formula may begin with a minus."""

from __future__ import annotations

import pytest
import sympy

import symbp
from symbp.cli import main

ASSIGNED = {
    # text: (the first node in print, edges, derivative of the output by x)
    "q = x + x; y = q*q": ("x + x", 4, "4*q"),
    "t = 0*x + y; z = t*a": ("0*x + y", 4, "0"),
    "t = x*1; y = t*t": ("1*x", 3, "2*t"),
    "y = x**1 + a": ("a + x**1", 2, "1"),
    "y = (x + x)*a": ("a*(x + x)", 2, "2*a"),
    "y = (x - x)*a": ("a*(-x + x)", 2, "0"),
    "y = (x*a)**2": ("(a*x)**2", 2, "2*a**2*x"),
    "y = 2*(x + a)*b": ("2*b*(a + x)", 3, "2*b"),
    "y = log(exp(x)) + a": ("a + log(exp(x))", 2, "1"),
    "y = sqrt(x**2)*a": ("a*sqrt(x**2)", 2, "a*Abs(x)/x"),
    "y = -x**2/(2*a**2)": ("-x**2/(2*a**2)", 2, "-x/a**2"),
    "y = 1/(1 + exp(-x)) + 0*a": ("0*a + 1/(1 + exp(-x))", 2, "exp(-x)/(1 + exp(-x))**2"),
    "y = a*x; a = 3": ("3", 2, "a"),
}


@pytest.mark.parametrize("text", ASSIGNED)
def test_an_assignment_stays_as_it_is_written(text: str) -> None:
    printed, edges, derivative = ASSIGNED[text]
    graph = symbp.chain(text)
    first = next(vertex for vertex in graph.vertices if vertex.formula is not None)
    assert str(first.formula) == printed
    assert len(graph.edges) == edges
    assert str(graph["x"].derivative) == derivative


@pytest.mark.parametrize("text", ["y + 0*x", "y*1 + x*0", "x**0*y", "y + x - x", "0*x*y"])
def test_no_variable_is_lost(text: str) -> None:
    graph = symbp.chain(text, {"x": 3, "y": 2})
    assert graph["x"].gradient == 0
    assert {vertex.name for vertex in graph.vertices if vertex.formula is None} == {"x", "y"}


def test_a_formula_alone_and_the_same_with_a_name_are_one_graph() -> None:
    for text in ("x + x", "x*x*x", "a*x", "exp(x)", "x/a", "-x"):
        alone, named = symbp.chain(text), symbp.chain(f"y = {text}")
        assert alone.vertices == named.vertices
        assert alone.edges == named.edges


def test_pi_and_e_are_numbers() -> None:
    graph = symbp.chain("2*pi*r + e**r", {"r": 1})
    assert graph["y"].value == 2 * sympy.pi + sympy.E
    assert graph["r"].gradient == 2 * sympy.pi + sympy.E
    assert [vertex.name for vertex in graph.vertices if vertex.formula is None] == ["r"]
    assert [remark.partition(";")[0] for remark in graph.remarks] == [
        "e is the number 2.71828..., the base of exp",
        "pi is the number 3.14159...",
    ]
    assert symbp.chain("y = pi*r; z = y*e").derivative("r") == sympy.pi * sympy.E


def test_pi_and_e_that_have_a_value_are_variables() -> None:
    graph = symbp.chain("pi*r", {"r": 2, "pi": 3})
    assert (graph["y"].value, graph["pi"].gradient, graph.remarks) == (6, 2, ())
    figure = symbp.chain("d = a + b; e = d*c", {"a": -12, "b": 14, "c": -10})  # as 001 writes figure 6
    assert (figure.output, figure["e"].value, figure.remarks) == ("e", -20, ())


def test_the_way_past_other_nodes_has_another_sign_than_the_whole_derivative() -> None:
    """The whole derivative by x is the sum over both paths, of which one is a single edge."""
    assert "dy/dx = dy/du1 * du1/dx + (u1)" not in symbp.chain("x*exp(x)").text()
    assert "dy/dx = dy/du1 * du1/dx + u1 = u1 + x*exp(x)" in symbp.chain("x*exp(x)").text()


@pytest.mark.parametrize("text", ["-x", "-x**2 + h", "-(a + b)*c", "-at", "-format"])
def test_a_formula_may_begin_with_a_minus(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", text]) == 0
    assert capsys.readouterr().out == symbp.chain(text).text()


def test_a_wrong_option_is_still_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", "-x", "--fromat", "html"]) == 2
    assert "No such option" in capsys.readouterr().err


def test_a_number_with_a_name_is_said_once() -> None:
    assert "\n  two = 2\n" in symbp.chain("two = 2; y = two*x", {"x": 1}).text()

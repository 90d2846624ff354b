"""MathML: well formed, of MathML Core, without leftovers, and of the value that the expression has."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET

import pytest
import sympy
from sympy import And, Or, Sum

from symbp.algebra import matrices, nodes
from symbp.algebra.nodes import KINDS, Constant, L, Node, Width, i, index, j, k, r, s
from symbp.derivation.derive import derive
from symbp.errors import RenderError
from symbp.functions import ACTIVATIONS, COSTS, OPTIMIZERS, SCHEDULES, Training
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS, get
from symbp.notation.letters import Letter, letter
from symbp.notation.mathml import MathMLWriter, formula
from symbp.spec import TrainOptions
from tests.test_notation import QUANTITIES

EVERY_NOTATION = pytest.mark.parametrize("notation", NOTATIONS.values(), ids=NOTATIONS.keys())

# The presentation elements of MathML Core that a printer may use, and how many children each takes.
CHILDREN = {
    "math": None,
    "mrow": None,
    "mtable": None,
    "mtr": None,
    "mtd": None,
    "msqrt": None,
    "mi": 0,
    "mn": 0,
    "mo": 0,
    "mtext": 0,
    "mspace": 0,
    "mfrac": 2,
    "msub": 2,
    "msup": 2,
    "msubsup": 3,
    "munder": 2,
    "mover": 2,
    "munderover": 3,
}
ATTRIBUTES = {
    "alttext",
    "display",
    "class",
    "form",
    "stretchy",
    "lspace",
    "rspace",
    "mathvariant",
    "accent",
    "width",
}


def parsed(printed: str) -> ET.Element:
    """Return the formula as a tree that has been found to be MathML Core."""
    tree = ET.fromstring(formula(printed, "words"))
    for element in tree.iter():
        count = CHILDREN[element.tag]
        assert count is None or count == len(element), ET.tostring(element)
        assert set(element.attrib) <= ATTRIBUTES
        if element.tag in ("mi", "mn"):
            assert element.text
            assert element.text.strip() == element.text
            assert not re.search(r"[\\$^_{}()<>]", element.text), element.text
        if element.tag not in ("mi", "mn", "mo", "mtext"):
            assert not (element.text or "").strip(), f"text between elements: {element.text}"
        assert not (element.tail or "").strip(), f"text between elements: {element.tail}"
    return tree


def shown(printed: str) -> str:
    """Return the characters one sees."""
    return re.sub(r"[\s\u2061-\u2063]", "", "".join(parsed(printed).itertext()))


# Everything that a derivation holds ------------------------------------------------------------


@EVERY_NOTATION
def test_every_quantity_is_mathml(notation):
    for quantity in QUANTITIES:
        printed = shown(MathMLWriter(notation).expression(quantity))
        own_names = {cls.__name__ for cls in type(quantity).__mro__ if cls.__module__.startswith("symbp.")}
        assert printed, quantity
        assert not any(name in printed for name in own_names | {"Str", "Tuple"}), quantity


def networks() -> dict[str, tuple[Network, str]]:
    """Return networks that hold every record of the tables, with an optimizer for each."""
    found = {}
    for name, activation in ACTIVATIONS.items():
        layers = [Dense(2, activation)] if activation.of_layer else [Dense(3, activation), Dense(2)]
        found[f"activation {name}"] = (Network(2, layers, "squared_error"), "sgd")
    fitting = {"real": "identity", "positive": "exp", "unit_interval": "sigmoid", "distribution": "softmax"}
    for name, cost in COSTS.items():
        found[f"cost {name}"] = (Network(2, [Dense(2, fitting[cost.output])], name), "sgd")
    for name in OPTIMIZERS:
        found[f"optimizer {name}"] = (Network(2, [Dense(1)], "squared_error"), name)
    return found


RECORDS = networks()


@functools.cache
def derivation_with(name):
    network, optimizer = RECORDS[name]
    return derive(network, Training(OPTIMIZERS[optimizer]))


@EVERY_NOTATION
@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_mathml(name, notation):
    for step in derivation_with(name).steps:
        check_statement(notation.name, RECORDS[name][0].sizes, step.statement, step.assumes)


@functools.cache  # four in five steps are those of any network
def check_statement(notation, sizes, statement, assumes):
    writer = MathMLWriter(get(notation), sizes)
    printed = shown(writer.equation(statement))
    assert re.search("[=←]", printed)
    assert not re.search(r"Piecewise|Max|Softplus|Derivative|\bexp\b|sqrt|log1p|\*", printed), printed
    for condition in writer.conditions(assumes):
        parsed(condition)


@EVERY_NOTATION
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_mathml_with_clipping_and_penalty(name, notation):
    options = TrainOptions("adam", schedule=name, clip_norm=1.0, l1=0.1, l2=0.1)
    writer = MathMLWriter(notation)
    for step in derive(None, options.training).steps:
        if step.label.startswith(("2.1p", "2.1r", "2.2")):
            assert re.search("[=←]", shown(writer.equation(step.statement)))


@EVERY_NOTATION
def test_every_glyph_is_a_letter(notation):
    for glyph in notation.symbols.values():
        found = letter(glyph.latex)
        assert found.characters
        assert not re.search(r"[\\{}]", found.characters)


# Letters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("w", Letter("w")),
        ("w'", Letter("w", primes=1)),
        (r"\delta", Letter("δ")),
        (r"\lambda", Letter("λ")),
        (r"\Lambda", Letter("Λ")),
        (r"\varepsilon", Letter("ε")),
        (r"\mathbf{S}", Letter("\U0001d412", upright=True)),
        (r"\mathbf S", Letter("\U0001d412", upright=True)),
        (r"\boldsymbol{\delta}", Letter("\U0001d739")),
        (r"\boldsymbol{\Theta}", Letter("\U0001d723")),
        (r"\mathcal{C}", Letter("\U0001d49e", upright=True)),
        (r"\mathcal{L}", Letter("\u2112", upright=True)),  # one of those that Unicode had before
        (r"\mathrm{net}", Letter("net", upright=True)),
        (r"\hat{y}", Letter("y", accent="^")),
        (r"\hat{\mathbf{y}}", Letter("\U0001d432", upright=True, accent="^")),
    ],
)
def test_letters(latex, expected):
    assert letter(latex) == expected


@pytest.mark.parametrize("latex", [r"\frac{a}{b}", r"\nosuch{x}", "a_b", "", r"\mathbf{}", "a+b", "<i>"])
def test_what_is_no_letter_is_an_error(latex):
    with pytest.raises(RenderError, match="MathML"):
        letter(latex)


# Structure -------------------------------------------------------------------------------------

X, Z = (index(name) for name in "xz")
U = sympy.Symbol("u", real=True)


def written(expression: sympy.Expr) -> str:
    return MathMLWriter(get("smatrix")).expression(expression)


def test_scripts_products_and_signs():
    assert written(nodes.weight(1, r, 65)) == (
        "<msubsup><mi>w</mi><mrow><mi>r</mi><mo>,</mo><mn>65</mn></mrow><mn>1</mn></msubsup>"
    )
    assert written(X * Z) == "<mi>x</mi><mo>&#x2062;</mo><mi>z</mi>"
    assert written(X - Z) == "<mi>x</mi> <mo>&#x2212;</mo><mi>z</mi>"
    assert written(-X) == '<mo form="prefix">&#x2212;</mo><mi>x</mi>'
    assert written(sympy.sin(X)) == (
        "<mrow><mi>sin</mi><mo>&#x2061;</mo>"
        '<mrow><mo stretchy="false">(</mo><mi>x</mi><mo stretchy="false">)</mo></mrow></mrow>'
    )


def test_a_transpose_stands_above_the_subscript():
    column = matrices.DeltaColumn(L + 1)
    for matrix, tag in ((column, "msubsup"), (matrices.ChainMatrix(L, k), "msup"), (column + column, "msup")):
        tree = parsed(MathMLWriter(get("smatrix")).expression(sympy.Transpose(matrix)))
        assert tree[0][0].tag == tag
        assert tree[0][0][-1].text == "\U0001d5b3"


def test_sums_have_their_limits_below_and_above():
    tree = parsed(written(Sum(nodes.prediction(r), (r, 1, 3))))
    (total,) = tree.iter("munderover")
    assert ["".join(part.itertext()) for part in total] == ["∑", "r=1", "3"]


def test_cases_are_a_table_of_values_and_conditions():
    tree = parsed(written(sympy.Piecewise((0, U <= 0), (U, True))))
    cells = [["".join(cell.itertext()).replace(" ", "") for cell in row] for row in tree.iter("mtr")]
    assert cells == [["0", "if\u00a0u≤0"], ["u", "otherwise"]]


def test_brackets_are_as_tall_as_what_they_hold():
    assert 'stretchy="false">(' in written((X + Z) * X)
    assert "<mo>(</mo>" in written((X + 1 / Z) * X)


def test_constants_are_letters_with_their_layer():
    assert shown(written(Constant("alpha", 2, "0.01"))) == "α2"
    assert shown(written(Constant("alpha", 0, "0.01"))) == "α"
    assert shown(written(Constant("slope", 0, "0.01"))) == "slope"


def test_junctions_and_numbers():
    assert "and" in shown(written(And(X < 2, Z < 3, evaluate=False)))
    assert "or" in shown(written(Or(X < 2, Z < 3, evaluate=False)))
    assert shown(written(sympy.pi * sympy.E)) == "eπ"
    assert shown(written(sympy.Rational("0.044715"))) == "0.044715"
    assert shown(written(sympy.Float("-0.5"))) == "−0.5"


def test_what_has_no_mathml_is_an_error():
    with pytest.raises(RenderError, match="there is no MathML for"):
        written(sympy.Derivative(sympy.Function("f")(X), X))


def test_names_are_escaped():
    assert written(sympy.Symbol("a<b&c")) == "<mi>a&lt;b&amp;c</mi>"
    assert 'alttext="a &lt; b &amp; &quot;c&quot;"' in formula("<mi>a</mi>", 'a < b & "c"')


# Value -----------------------------------------------------------------------------------------


def read(element: ET.Element) -> str:
    """Return Python for a formula of plain arithmetic, by its structure alone."""
    inner = [read(child) for child in element]
    match element.tag:
        case "mi" | "mn":
            return element.text or ""
        case "mo":
            signs = {"\u2062": "*", "\u2212": "-", "\u2061": "", "+": "+", "(": "(", ")": ")"}
            return signs[element.text or ""]
        case "mfrac":
            return f"(({inner[0]})/({inner[1]}))"
        case "msup":
            return f"({inner[0]})**({inner[1]})"
        case "msqrt":
            return f"sqrt({''.join(inner)})"
        case "mrow" | "math":
            return "".join(inner)
    raise AssertionError(element.tag)


@pytest.mark.parametrize(
    "expression",
    [
        -(X - Z) / (X * Z),
        X / (Z / (X + 1)) - Z**2 / X,
        (X + Z) * (X - Z) ** 2 / (2 * X),
        -X * (-Z) ** 3 - (X - (Z - 1)),
        1 / (X + 1 / Z),
        (-X / Z) ** 2,
        X ** (Z - 1),
        sympy.sqrt(X + Z) * sympy.Rational(-3, 4),
        sympy.sin(X - Z) ** 2 * sympy.tanh(-X),
        (X - Z) * -(X + Z),
        sympy.Rational("0.0125") * X - sympy.Rational(2, 3),
    ],
    ids=str,
)
def test_what_is_printed_has_the_value_it_had(expression):
    """Read the MathML back by its structure and compare values."""
    point = {X: sympy.Rational(3, 7), Z: sympy.Rational(5, 4)}
    names = {"x": point[X], "z": point[Z], "sqrt": sympy.sqrt, "sin": sympy.sin, "tanh": sympy.tanh}
    program = re.sub(r"(?<![\w.])(\d+(\.\d+)?)", r"R('\1')", read(parsed(written(expression))))
    value = eval(program, {**names, "R": sympy.Rational})
    assert sympy.simplify(value - expression.subs(point)) == 0, program


def test_the_bias_and_the_chain_are_those_of_the_notation():
    writer = MathMLWriter(get("smatrix"), (2, 3, 1))
    assert shown(writer.expression(Node("T", 1, (r, s)))) == "[\U0001d4131" + "1]rs"
    assert shown(writer.expression(nodes.weight(k, i, Width(k - 1) + 1))) == "wi,Nk−1+1k"
    assert shown(writer.expression(matrices.ChainMatrix(L, k))) == "\U0001d413kL"
    assert len(KINDS["w"].extents(L)) == 2
    assert shown(writer.expression(nodes.weight(k, i, j))) == "wijk"

"""Notations and printers: the equations of 000 as 000 prints them, and nothing without a glyph."""

from __future__ import annotations

import re
import sys

import pytest
import sympy
from sympy import Ge, Identity, KroneckerDelta, Le, Lt, Sum, Transpose

import symbp
from symbp import notation as notation_package
from symbp.algebra import matrices, nodes
from symbp.algebra.nodes import KINDS, L, Node, Partial, Width, i, index, j, k, l, q, r, s
from symbp.derivation.derive import derive
from symbp.errors import RenderError
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS, get, structure
from symbp.notation.latex import LatexWriter
from symbp.notation.legend import legend
from symbp.notation.records import Glyph, Notation
from symbp.notation.text import TextWriter
from symbp.notation.training import GLYPHS
from symbp.render import page

W_IJ = nodes.weight(k, i, j)
BOTH = pytest.mark.parametrize("writer", [LatexWriter, TextWriter])
EVERY_NOTATION = pytest.mark.parametrize("notation", NOTATIONS.values(), ids=NOTATIONS.keys())

QUANTITIES = [
    *(Node(kind, k, (r, s)[: len(KINDS[kind].extents(k))]) for kind in KINDS),
    *(Node(kind, 2, (3, 65)[: len(KINDS[kind].extents(2))], 7) for kind in KINDS if KINDS[kind].sampled),
    Partial(nodes.pre_activation(l, r), W_IJ),
    nodes.Activate(k, nodes.pre_activation(k, i)),
    nodes.ActivateDerivative(k, nodes.pre_activation(k, i)),
    nodes.ActivateDerivative(k, 2 * nodes.pre_activation(k, i)),
    nodes.MaxOver(nodes.pre_activation(k, s), (s, 1, Width(k))),
    nodes.Softplus(nodes.pre_activation(k, s)),
    nodes.Width(k),
    nodes.Inputs(k),
    nodes.HasBias(k),
    KroneckerDelta(r, i),
    Identity(Width(k)),
    matrices.StepMatrix(k),
    matrices.StepProduct(l, k),
    matrices.StepProduct(sympy.Integer(3), sympy.Integer(1)),
    matrices.ChainMatrix(L, k),
    matrices.PreActivationColumn(k, W_IJ),
    matrices.OutputRow(q),
    matrices.UnitColumn(k, i),
    matrices.DeltaColumn(k),
    matrices.DeltaColumn(k, nodes.p),
    matrices.WeightMatrix(k),
    matrices.RegularWeights(k),
    matrices.BiasColumn(k),
    matrices.GradientMatrix(matrices.WeightMatrix(k)),
    matrices.InputColumn(k),
    matrices.InputColumn(k, nodes.p),
    matrices.WeightedSums(k),
    matrices.OutputColumn(k),
    matrices.OutputColumn(sympy.Integer(0)),
    matrices.Activated(k),
    matrices.Slopes(k),
    matrices.Hadamard(matrices.Slopes(k), matrices.DeltaColumn(k)),
    matrices.MatrixSum(matrices.DeltaColumn(k, nodes.p), (nodes.p, 1, nodes.m)),
    matrices.Updated(matrices.WeightMatrix(k)),
    structure.Turned(matrices.WeightMatrix(k)),
    structure.Rows(structure.Turned(matrices.WeightMatrix(k)), Width(k)),
    Transpose(matrices.DeltaColumn(k)),
    sympy.Piecewise((0, nodes.pre_activation(k, i) <= 0), (nodes.pre_activation(k, i), True)),
    sympy.Abs(nodes.pre_activation(k, i)) ** 2 / sympy.sqrt(nodes.m),
]


@EVERY_NOTATION
@BOTH
def test_every_quantity_prints(writer, notation):
    for quantity in QUANTITIES:
        printed = writer(notation).expression(quantity)
        own_names = {cls.__name__ for cls in type(quantity).__mro__ if cls.__module__.startswith("symbp.")}
        assert printed, quantity
        assert not any(name in printed for name in own_names | {"Str(", "Tuple"}), quantity
        assert printed.count("{") == printed.count("}"), quantity


@EVERY_NOTATION
def test_text_is_one_ascii_line_without_backslashes(notation):
    for step in derive().steps:
        line = TextWriter(notation).equation(step.statement)
        assert line.isascii()
        assert "\\" not in line
        assert "\n" not in line


def test_every_matrix_class_and_kind_is_tried():
    tried = {type(x) for x in QUANTITIES}
    bases = {matrices.NeuronColumn}  # never an object of its own
    assert _subclasses(matrices.LayerMatrix) - bases <= tried
    assert {x.kind for x in QUANTITIES if isinstance(x, Node)} == set(KINDS)


def _subclasses(cls):
    return {cls} - {matrices.LayerMatrix} | {s for sub in cls.__subclasses__() for s in _subclasses(sub)}


@EVERY_NOTATION
def test_every_notation_has_a_glyph_for_everything(notation):
    assert set(NOTATIONS["smatrix"].symbols) <= set(notation.symbols)
    assert set(KINDS) <= {*notation.symbols, *GLYPHS}
    assert all(glyph.text.isascii() for glyph in notation.symbols.values())


# Document 000, equation by equation, but for spaces, which LaTeX does not see.
PRINTED = {
    "2.2": r"w_{ij}^k \leftarrow w_{ij}^k - \eta \frac{\partial J}{\partial w_{ij}^k}",
    "2.3": (
        r"\frac{\partial J}{\partial w_{ij}^k} = \sum_{p=1}^m \sum_{q=1}^{N_{L+1}}"
        r" \frac{\partial J}{\partial h_q^p} \frac{\partial h_q^p}{\partial w_{ij}^k}"
    ),
    "2.4": (
        r"\frac{\partial h_q}{\partial w_{ij}^k} = \sum_{r=1}^{N_{L+1}}"
        r" \frac{\partial \sigma_q}{\partial c_r^{L+1}} \frac{\partial c_r^{L+1}}{\partial w_{ij}^k}"
    ),
    "2.6": r"c_r^l = \sum_{s=1}^{N_{l-1}+1} w_{rs}^l a_s^l",
    "2.7": (
        r"\frac{\partial c_r^l}{\partial w_{ij}^k} = \sum_{s=1}^{N_{l-1}+1} \left("
        r" \frac{\partial w_{rs}^l}{\partial w_{ij}^k} a_s^l"
        r" + w_{rs}^l \frac{\partial a_s^l}{\partial w_{ij}^k} \right)"
    ),
    "2.8": r"\frac{\partial c_r^k}{\partial w_{ij}^k} = \delta_{ri} a_j^k",
    "2.11": (
        r"\frac{\partial c_r^l}{\partial w_{ij}^k} = \sum_{s=1}^{N_{l-1}}"
        r" w_{rs}^l \frac{dg^{l-1}}{dc_s^{l-1}} \frac{\partial c_s^{l-1}}{\partial w_{ij}^k}"
    ),
    "2.12": r"[\mathbf{S}_{l-1}]_{rs} = w_{rs}^l \frac{dg^{l-1}}{dc_s^{l-1}}",
    "2.13": (
        r"\frac{\partial \mathbf{c}_l}{\partial w_{ij}^k} ="
        r" \mathbf{S}_{l-1} \frac{\partial \mathbf{c}_{l-1}}{\partial w_{ij}^k}"
    ),
    "2.14": (
        r"\frac{\partial \mathbf{c}_l}{\partial w_{ij}^k} = \mathbf{S}_{l-1} \mathbf{S}_{l-2} \dots"
        r" \mathbf{S}_{k+1} \mathbf{S}_k \frac{\partial \mathbf{c}_k}{\partial w_{ij}^k}"
    ),
    "2.15": (
        r"\frac{\partial \mathbf{c}_l}{\partial w_{ij}^k} ="
        r" \mathbf{T}_k^{l-1} \frac{\partial \mathbf{c}_k}{\partial w_{ij}^k}"
    ),
    "2.17": (
        r"\frac{\partial h_q}{\partial w_{ij}^k} = \frac{\partial \sigma_q}{\partial \mathbf{c}^{L+1}}"
        r" \mathbf{T}_k^L \frac{\partial \mathbf{c}_k}{\partial w_{ij}^k}"
    ),
}

TEXT = {
    "2.2": "w_{ij}^k <- w_{ij}^k - eta dJ/dw_{ij}^k",
    "2.6": "c_r^l = sum_{s=1}^{N_{l-1}+1} w_{rs}^l a_s^l",
    "2.10": "dc_k/dw_{ij}^k = a_j^k [delta_{1i}, delta_{2i}, ..., delta_{N_k,i}]^T",
    "2.12": "[S_{l-1}]_{rs} = w_{rs}^l g'^{l-1}(c_s^{l-1})",
    "2.17": "dh_q/dw_{ij}^k = dsigma_q/dc^{L+1} T_k^L dc_k/dw_{ij}^k",
    "D.4": "delta_k = S_k^T delta_{k+1}",
    "D.5": "delta_s^k = g'^k(c_s^k) sum_{r=1}^{N_{k+1}} w_{rs}^{k+1} delta_r^{k+1}",
    "D.6": "dJ/dw_{ij}^k = sum_{p=1}^m delta_i^{k,p} a_j^{k,p}",
}


@pytest.mark.parametrize("label", PRINTED)
def test_equations_are_printed_as_document_000_prints_them(label):
    assert LatexWriter(get("smatrix")).equation(derive()[label].statement) == PRINTED[label]


@pytest.mark.parametrize("label", TEXT)
def test_equations_as_text(label):
    assert TextWriter(get("smatrix")).equation(derive()[label].statement) == TEXT[label]


c, h, y = nodes.pre_activation(1, r), nodes.prediction(r), nodes.target(r)


@pytest.mark.parametrize(
    ("expression", "as_text", "as_latex"),
    [
        (nodes.weight(1, r, 65), "w_{r,65}^1", "w_{r,65}^1"),
        (nodes.delta(12, i, nodes.p), "delta_i^{12,p}", r"\delta_i^{12,p}"),
        (nodes.output(0, s, nodes.p), "x_s^p", "x_s^p"),
        ((h - y) / nodes.m, "(h_r - y_r)/m", r"\frac{h_r - y_r}{m}"),
        ((h - y) ** 2 / 2, "(h_r - y_r)^2/2", r"\frac{(h_r - y_r)^2}{2}"),
        (2 * (h - y), "2 h_r - 2 y_r", "2 h_r - 2 y_r"),
        (h * (1 - h), "h_r (1 - h_r)", "h_r (1 - h_r)"),
        (1 - h**2, "1 - (h_r)^2", "1 - (h_r)^2"),
        (1 / (1 + sympy.exp(-c)), "1/(1 + exp(-c_r^1))", r"\frac{1}{1 + e^{-c_r^1}}"),
        (
            -Sum(y * sympy.log(h), (r, 1, 3)) / nodes.m,
            "-(1/m) sum_{r=1}^3 y_r log(h_r)",
            r"-\frac{1}{m} \sum_{r=1}^3 y_r \ln(h_r)",
        ),
        (Sum(-y * sympy.log(h), (r, 1, 3)), "-sum_{r=1}^3 y_r log(h_r)", r"-\sum_{r=1}^3 y_r \ln(h_r)"),
        (sympy.Rational(1, 2) * h, "h_r/2", r"\frac{h_r}{2}"),
        (sympy.Rational("0.044715") * h, "0.044715 h_r", "0.044715 h_r"),
        (sympy.Rational("-0.05"), "-0.05", "-0.05"),
        (sympy.Rational(-1, 3), "-1/3", r"-\frac{1}{3}"),
        (h - (y - c), "h_r + c_r^1 - y_r", "h_r + c_r^1 - y_r"),
        (nodes.MaxOver(h, (r, 1, 3)), "max_{r=1}^3 h_r", r"\max_{1 \le r \le 3} h_r"),
    ],
)
def test_reading_order_and_brackets(expression, as_text, as_latex):
    assert TextWriter(get("smatrix")).expression(expression) == as_text
    assert LatexWriter(get("smatrix")).expression(expression) == as_latex


def test_what_is_printed_as_text_has_the_value_it_had():
    """Read the text of random expressions back with Python and compare values."""
    x, z = (index(name) for name in ("x", "z"))
    point = {x: sympy.Rational(3, 7), z: sympy.Rational(5, 4)}
    expressions = [
        -(x - z) / (x * z),
        x / (z / (x + 1)) - z**2 / x,
        (x + z) * (x - z) ** 2 / (2 * x),
        -x * (-z) ** 3 - (x - (z - 1)),
        1 / (x + 1 / z),
        (-x / z) ** 2,
        x ** (z - 1),
    ]
    for expression in expressions:
        text = TextWriter(get("smatrix")).expression(expression)
        value = eval(_with_stars(text), {"x": point[x], "z": point[z]})
        assert sympy.nsimplify(value - expression.subs(point)) == 0, text


def _with_stars(text: str) -> str:
    """Make Python of printed text: the space between factors becomes a star."""
    powers = re.sub(r"\^\{([^}]*)\}", r"**(\1)", text).replace("^", "**")
    return re.sub(r"(?<=[\w)]) (?=[\w(])", "*", powers)


def test_a_transposed_sum_keeps_its_brackets():
    both = sympy.MatAdd(matrices.DeltaColumn(k), matrices.DeltaColumn(l))
    assert TextWriter(get("smatrix")).expression(Transpose(both)) == "(delta_k + delta_l)^T"


def test_conditions_are_joined_to_chains():
    writer = TextWriter(get("smatrix"))
    assert writer.conditions((Lt(k, l), Le(l, L + 1))) == ("1 <= k < l <= L + 1",)
    assert writer.conditions((Le(1, k), Le(k, L + 1), Le(j, Width(k - 1)))) == (
        "1 <= k <= L + 1",
        "1 <= j <= N_{k-1}",
    )
    assert writer.conditions((Ge(nodes.Inputs(k), Width(k - 1) + 1),)) == ("N_{k-1} + 1 <= M_k",)
    assert writer.conditions((sympy.Eq(Sum(y, (r, 1, 3)), 1, evaluate=False),)) == ("sum_{r=1}^3 y_r = 1",)
    assert LatexWriter(get("smatrix")).conditions((Le(2, l), Le(l, L + 1))) == (r"2 \le l \le L + 1",)


@pytest.mark.parametrize("label", ["1.6b", "D.6b", "2.1rb", "A.8b", "A.11b"])
def test_an_equation_of_biases_says_which_layers_have_one(label):
    """By N_{k-1} + 1 <= M_k, or by beta where the author has no letter for the number of inputs."""
    layers = [Dense(3, "tanh"), Dense(2, "tanh", bias=False), Dense(1)]
    step = symbp.derive(Network(2, layers, "half_squared_error"), l2=0.1)[label]
    for name in NOTATIONS:
        if name == "nielsen" and label == "1.6b":  # it has no bias neuron
            continue
        writer = TextWriter(get(name), (2, 3, 2, 1), (True, False, True))
        said = [line for s in writer.structure.said(step.statement, step.assumes) for line in s.conditions]
        there = " ".join(writer.conditions(said))
        assert "<= M_k" in there or re.search(r"beta_\S+ = 1", there), name
        alike = TextWriter(get(name), (2, 3, 2, 1), (True, True, True))
        said = [line for s in alike.structure.said(step.statement, step.assumes) for line in s.conditions]
        assert "beta" not in " ".join(alike.conditions(said)), name


def test_another_notation_is_another_record():
    """Layers in brackets and shifted, W transposed, the bias first: 001 and 002 in small."""
    changed = {
        "w": Glyph(r"\theta", "theta", "sup", order=(1, 0)),
        "a": Glyph("a", "a", "sup"),
        "c": Glyph("z", "z", "sup", shift=1),
    }
    other = Notation(
        "other", "none", {**get("smatrix").symbols, **changed}, layer_brackets=("(", ")"), bias="first"
    )
    writer = TextWriter(other, widths=(64, 10))
    statement = derive()["2.6"].statement
    assert writer.equation(statement) == "z_r^{(l+1)} = sum_{s=0}^{N_{l-1}} theta_{sr}^{(l)} a_s^{(l)}"
    assert writer.expression(nodes.weight(1, r, 65)) == "theta_{0r}^{(1)}"
    assert writer.expression(nodes.weight(k, r, Width(k - 1) + 1)) == "theta_{0r}^{(k)}"


A_SIXTH = """
from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.smatrix import SMATRIX

SIXTH = Notation(
    name="sixth",
    source="sixth",
    symbols={**SMATRIX.symbols, "w": Glyph("v", "v", "sup", order=(1, 0)), "c": Glyph("u", "u", "sup")},
    layer_brackets=("[", "]"),
    bias="first",
    weights="from to",
    counted="weights",
    letters=Letters(layer="n", layers=("m", "n"), neurons=("b", "a"), by_role=True),
)
"""


def test_adding_a_notation_is_adding_one_file(tmp_path, monkeypatch):
    """A module dropped into the package is found, and derivations are written in it."""
    (tmp_path / "sixth.py").write_text(A_SIXTH)
    monkeypatch.setattr(notation_package, "__path__", [*notation_package.__path__, str(tmp_path)])
    found = notation_package.found()
    assert set(found) == {*NOTATIONS, "sixth"}
    monkeypatch.setattr(notation_package, "NOTATIONS", found)
    monkeypatch.delitem(sys.modules, "symbp.notation.sixth")
    printed = page.text(derive(Network(2, [Dense(3, "tanh"), Dense(1)], "half_squared_error")), "sixth", "ng")
    assert "u_b^{[n]} = sum_{a=0}^{N_{n-1}} v_{ab}^{[n]} a_a^{[n]}" in printed
    assert "v_{ab}^{[n]} theta_{ba}^{(n)}" in " ".join(printed.split())


def test_two_notations_of_one_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "seventh.py").write_text(A_SIXTH.replace('"sixth"', '"ng"'))
    monkeypatch.setattr(notation_package, "__path__", [*notation_package.__path__, str(tmp_path)])
    with pytest.raises(RenderError, match=r"'ng' is in symbp\.notation\.ng and in symbp\.notation\.sev"):
        notation_package.found()
    sys.modules.pop("symbp.notation.seventh")


def test_unknown_notation_names_the_nearest():
    with pytest.raises(RenderError, match=r"unknown notation 'smatrx'; did you mean 'smatrix'\?"):
        get("smatrx")
    with pytest.raises(RenderError, match=r"unknown notation 'NG'; did you mean 'ng'\?"):
        get("NG")


def test_legend_has_only_what_occurs():
    rows = dict(legend([derive()["2.6"].statement], TextWriter(get("smatrix"))))
    assert set(rows) == {"w_{ij}^k", "a_j^k", "c_i^k", "N_k"}
    everything = dict(legend([s.statement for s in derive().steps], LatexWriter(get("smatrix"))))
    assert {r"\mathbf{S}_k", r"\mathbf{T}_k^l", r"\delta_{ri}", r"\mathbf{c}^{L+1}", "g^k"} <= set(everything)


def test_a_sum_after_a_coefficient_keeps_its_brackets() -> None:
    """Without them the prefactor would bind the first term only."""
    network = Network(5, [Dense(4, "softmax")], "squared_error")
    statement = derive(network)["D.1f"].statement
    text = TextWriter(get("smatrix"), network.sizes).equation(statement)
    right = text.split(" = ", 1)[1]
    assert right.startswith("(2 h_r/m) (")
    assert right.endswith(")")

"""``symbp functions``: the table in its three formats."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.nodes import Constant, with_numbers
from symbp.cli import main
from symbp.derivation.describe import describe
from symbp.derivation.describe_training import describe_training
from symbp.derivation.inverse import relation_to_output
from symbp.derivation.local import O, Z
from symbp.derivation.relation import stated_slope
from symbp.derivation.stability.choose import O as OUTPUT
from symbp.derivation.stability.choose import slope_form, value_form
from symbp.derivation.stability.numbers import exact, rounded
from symbp.derivation.stability.report import errors_met
from symbp.derivation.stability.rules import rewrite
from symbp.functions import (
    ACTIVATIONS,
    COSTS,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    Activation,
    Cost,
    Penalty,
    Schedule,
    UpdateRule,
)
from symbp.functions.measured import measured
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network
from symbp.notation import get
from symbp.notation.mathml import MathMLWriter
from symbp.render.functions_page import FORMATS, functions_page

RECORDS = [*ACTIVATIONS.values(), *COSTS.values()]
TRAINING = [*OPTIMIZERS.values(), *SCHEDULES.values(), *PENALTIES.values()]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {form: functions_page([*RECORDS, *TRAINING], form) for form in FORMATS}


@pytest.mark.parametrize("form", FORMATS)
def test_every_function_has_its_entry(pages: dict[str, str], form: str) -> None:
    page = pages[form]
    heading = {"text": r"(?m)^{}$", "markdown": r"(?m)^### {}$", "latex": r"\\subsection\*{{{}}}"}[form]
    for record in (*RECORDS, *TRAINING):
        name = record.name if form == "text" else record.name.replace("_", r"\_")
        assert len(re.findall(heading.format(re.escape(name)), page)) == 1
        assert record.source
    assert page.count("source") == len(RECORDS) + len(TRAINING)


def test_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", "silu"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = {dtype: measured()["swish", dtype] for dtype in ("float64", "float32")}
    errors = "; ".join(f"g {e.value}, g' {e.derivative} ulp in {dtype}" for dtype, e in found.items())
    assert out.splitlines() == [
        "swish",
        "    g           z/(1 + exp(-z))",
        "    g'          1/(1 + exp(-z)) + z exp(-z)/((1 + exp(-z))^2)",
        "    by output   o + (1 - o)/(1 + exp(-z))",
        "    range       [-0.27846, oo)",
        "    stable form g = finite(z) sigmoid(z)",
        "    stable form g' = sigmoid(z) + finite(z) sigmoid(-z) sigmoid(z)",
        f"    errors      {errors}",
        "    source      Ramachandran, Zoph and Le 2017, arXiv:1710.05941 (also called SiLU)",
        "",
        "finite(u)",
        "    stands for  u",
        "    computed as min(max(u, -M), M)",
        "    reference   M is the largest number of the type: infinity times 0 would not be a number; "
        "only the side that needs it is limited",
        "",
        "sigmoid(u)",
        "    stands for  1/(1 + exp(-u))",
        "    computed as {exp(-abs(u)) if u <= 0; 1 otherwise}/(1 + exp(-abs(u)))",
        '    reference   Higham 2021, "What is the softmax function?", for two terms',
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
        ("2*atan(3*z) + 1", 6 * sympy.cos(O / 2 - sympy.Rational(1, 2)) ** 2),
        ("sin(z)", None),
        ("z*exp(z)", None),
        ("z/(1 + abs(z))", (1 - sympy.Abs(O)) ** 2),
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


STABLE = {"elu", "selu", "softplus", "softsign", "swish", "mish", "gelu", "gelu_tanh", "softmax"}
STABLE_COSTS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "log_cosh": "identity"}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_the_stable_form_is_the_one_that_a_derivation_takes(record: Activation | Cost) -> None:
    """The table says what the step 1.3s, 1.8s or 2.1s of a network with this function states."""
    found = describe(record)
    assert (found.stable is not None) == (record.name in {*STABLE, *STABLE_COSTS, "poisson"})
    if found.stable is None or isinstance(record, Cost) or record.of_layer:
        return
    steps = symbp.derive(Network(1, [Dense(1, record), Dense(1)], "squared_error"))
    z, o = steps["1.3d, k=1"].statement.lhs.args[1], steps["1.3, k=1"].statement.lhs
    letters = {c: sympy.Symbol(c.parameter, real=True) for c in steps["1.3, k=1"].statement.atoms(Constant)}
    letters |= {z: Z, o: sympy.Symbol("o", real=True)}
    for label, form in (("1.3s, k=1", found.stable), ("1.3ds, k=1", found.stable_derivative)):
        assert (form is None) == (label not in steps)
        assert form is None or form == steps[label].statement.rhs.xreplace(letters)


@pytest.mark.parametrize(("cost", "unit"), STABLE_COSTS.items())
def test_the_stable_form_of_a_cost_is_on_its_usual_outputs(cost: str, unit: str) -> None:
    assert f"outputs: {unit}\n" in functions_page([COSTS[cost]])


def test_a_softmax_is_described_by_its_jacobian() -> None:
    found = describe(ACTIVATIONS["softmax"])
    assert found.range is None
    assert "KroneckerDelta" in str(found.derivative)


def test_an_update_rule_is_told_as_its_assignments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["functions", "momentum"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "momentum",
        "    equations   v_{ij}^k <- gamma v_{ij}^k - eta dJ/dw_{ij}^k",
        "                w_{ij}^k <- w_{ij}^k + v_{ij}^k",
        "    rate        0.01 by default",
        "    state       v_{ij}^k, at first 0",
        "    parameter   gamma (momentum): a number of at least 0 and below 1; default 0.9",
        "    where       eta is the learning rate",
        "    source      Polyak 1964; Sutskever et al. 2013 (ICML), eq. 1 and 2",
    ]


@pytest.mark.parametrize("name", ["l1", "elastic_net"])
def test_the_kink_of_a_penalty_is_told(name: str) -> None:
    told = {form: functions_page([PENALTIES[name]], form) for form in ("text", "markdown", "latex")}
    line = "at w_{ij}^k = 0: slope -lambda_1 on the left, lambda_1 on the right; declared there: 0"
    assert f"    kink        {line}" in told["text"].splitlines()
    mathematics = "slope $-\\lambda_1$ on the left, $\\lambda_1$ on the right; declared there: $0$"
    assert mathematics in told["markdown"]
    assert mathematics in told["latex"]
    derivation = symbp.derive(None, penalty=PENALTIES[name])
    assert "its derivative is declared as 0" in derivation["2.1ra"].because


def test_a_penalty_without_a_kink_tells_of_none() -> None:
    assert "kink" not in functions_page([PENALTIES["l2"]])
    assert "kink" not in symbp.derive(None, penalty=PENALTIES["l2"])["2.1ra"].because
    own = Penalty("bridge", "l1*max(abs(w) - 1, 0)", PENALTIES["l1"].parameters)
    kinks = [line for line in functions_page([own]).splitlines() if line.startswith("    kink")]
    assert len(kinks) == 2


@pytest.mark.parametrize("record", TRAINING, ids=lambda record: record.name)
def test_the_table_states_what_derivations_state(record: UpdateRule | Schedule | Penalty) -> None:
    key = {UpdateRule: "optimizer", Schedule: "schedule", Penalty: "penalty"}[type(record)]
    derived = {str(step.statement) for step in symbp.derive(None, **{key: record}).steps}
    found = describe_training(record)
    assert {p.name for _, p in found.parameters} == {p.name for p in record.parameters}
    assert found.statements
    if record != SCHEDULES["constant"]:
        assert {str(statement) for statement in found.statements} <= derived
    for statement in found.statements:
        ElementTree.fromstring(f"<math>{MathMLWriter(get('smatrix')).expression(statement)}</math>")


def test_a_record_that_is_changed_changes_its_entry() -> None:
    """The table is not a text beside the record."""
    changed = dataclasses.replace(OPTIMIZERS["momentum"], assignments="v = gradient - momentum*v\nw = w - v")
    assert "v_{ij}^k <- dJ/dw_{ij}^k - gamma v_{ij}^k" in functions_page([changed])
    assert "lambda_2 (w_{rs}^l)^4" in functions_page([Penalty("four", "l2*w**4", PENALTIES["l2"].parameters)])


@pytest.mark.tex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_latex_page_compiles(pages: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "functions.tex").write_text(pages["latex"])
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "functions.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_rules_whose_decay_takes_biases_say_so() -> None:
    """Found in the formula: a weight without a gradient changes."""
    decays = {rule.name for rule in OPTIMIZERS.values() if describe_training(rule).decays}
    assert decays == {"adamw"}
    own = UpdateRule("shrinking", "w = (1 - 0.1*learning_rate)*w - learning_rate*gradient")
    assert describe_training(own).decays
    note = "biases decay like every other weight; the penalties leave biases out"
    assert note in functions_page([OPTIMIZERS["adamw"]])
    assert note not in functions_page([OPTIMIZERS["adam"]])


OWN = """
[network]
name = "own"
inputs = 2
cost = "mine"
layers = [{units = 3, activation = "bent"}, {units = 3, activation = "steep"}, {units = 1}]
[functions]
bent = "(sqrt(z**2 + 1) - 1)/2 + z"
steep = "z**3/(1 + abs(z)**3)"
mine = "(h - y)**4 + abs(h - y)"
"""


def _own(tmp_path: Path, *arguments: str) -> list[str]:
    (tmp_path / "own.toml").write_text(OWN)
    return ["functions", *arguments, "--spec", str(tmp_path / "own.toml")]


def test_own_functions_are_told_like_those_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_own(tmp_path)) == 0
    entries = {text.split("\n")[0]: text for text in capsys.readouterr().out.split("\n\n")}
    assert set(entries) >= {"bent", "steep", "mine", "hypot1less1(u)"}
    assert "    stable form g = z + hypot1less1(z)/2\n" in entries["bent"]
    assert "    errors      g 1.2, g' 1.5 ulp in float64; " in entries["bent"]
    assert "wrong" not in entries["bent"]
    assert (
        "    wrong       the value or derivative is not a number for |z| >= 5.64e+102 in float64"
        in (entries["steep"])
    )
    assert (
        "    kink        at h = y: slope -1 on the left, 1 on the right; declared there: 0" in entries["mine"]
    )
    assert "    wrong       the value itself overflows for |h| >= 1.16e+77 in float64" in entries["mine"]


@pytest.mark.parametrize(
    ("formula", "lines"),
    [
        # A pole has no least and greatest value; at it there is nothing to measure errors by.
        ("1/z", ["errors g 0.5, g' 0.93 ulp in float64; g 0.5, g' 0.78 ulp in float32"]),
        ("log(z)", ["errors g 0.49, g' 0.5 ulp in float64; g 0.48, g' 0.5 ulp in float32"]),
        ("exp(exp(z))", ["range (1, oo)"]),
        ("abs(z)**1.5", ["range [0, oo)"]),
        (
            "sqrt(abs(z))",
            ["range [0, oo)", "kink at z = 0: slope -oo on the left, oo on the right; none there"],
        ),
        ("1/abs(z)", ["kink at z = 0: slope oo on the left, -oo on the right; none there"]),
    ],
)
@pytest.mark.filterwarnings("ignore:.*is not real:symbp.SymbpWarning")
def test_poles_and_infinite_slopes_are_told(formula: str, lines: list[str]) -> None:
    told = [" ".join(line.split()) for line in functions_page([Activation("steep", formula)]).splitlines()]
    assert set(lines) <= set(told)
    heads = {line.split()[0] for line in told if line}
    assert heads & {"range", "kink"} == {line.split()[0] for line in lines} - {"errors"}


@pytest.mark.parametrize(
    ("formula", "low", "high"),
    [
        ("z**2/(1 + z**2)", 30, 50),  # at 10 the difference of two terms a hundred times as large
        ("z/(1 + z**2)", 1, 4),  # the root at 1 is measured by what is beside it
    ],
)
def test_errors_of_own_functions_are_in_units_of_the_exact_value(formula: str, low: int, high: int) -> None:
    for dtype in ("float32", "float64"):
        assert low < errors_met(parse_formula(formula, ("z",)), dtype)[1] < high


@pytest.mark.parametrize(("name", "first"), [("bent", "bent"), ("tanh", "tanh"), ("silu", "swish")])
def test_one_of_own_and_built_in_functions(
    name: str, first: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_own(tmp_path, name)) == 0
    assert capsys.readouterr().out.splitlines()[0] == first


def test_own_functions_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_own(tmp_path, "bnt")) == 2
    assert "unknown function 'bnt'; did you mean 'bent'?" in capsys.readouterr().err
    plain = tmp_path / "plain.toml"
    plain.write_text('[network]\nname = "p"\ninputs = 1\ncost = "squared_error"\nlayers = [{units = 1}]\n')
    assert main(["functions", "--spec", str(plain)]) == 2
    assert "it uses no function of its own" in capsys.readouterr().err


def test_where_a_derivative_fades_is_told() -> None:
    """Of those that kernels compute from an output that rounds, and of no others."""
    told = {
        name
        for name, record in ACTIVATIONS.items()
        if "where that rounds to its limit" in functions_page([record])
    }
    assert told == {"elu", "selu", "sigmoid", "tanh", "scaled_tanh"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["elu", "selu", "sigmoid", "tanh", "scaled_tanh"])
def test_a_derivative_that_fades_keeps_its_bound_and_its_sign(name: str, dtype: str) -> None:
    """From the rounded output; test_units.py measures whole kernels."""
    formula = ACTIVATIONS[name].expression()
    line = next(x for x in functions_page([ACTIVATIONS[name]]).splitlines() if "rounds to its limit" in x)
    bound = float(re.search(rf"([\d.e-]+) in {dtype}", line)[1])  # type: ignore[index]
    kind, z = np.dtype(dtype).type, sympy.Symbol("z", real=True)
    points = np.linspace(-60, 60, 961, dtype=dtype)
    stable = value_form(formula).expression
    value = np.array([float(exact(stable, {"z": x})) for x in points.tolist()]).astype(dtype)
    relation = with_numbers(slope_form(formula, stated_slope(formula).subs(O, OUTPUT)).expression)
    slopes = rounded(relation, {"z": points, "o": value}, kind)[0]
    true = rewrite(formula.diff(z))[0]
    for x, slope in zip(points.tolist(), slopes.tolist(), strict=True):
        assert slope >= 0
        assert abs(float(exact(true, {"z": x}) - slope)) <= bound

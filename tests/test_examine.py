"""What is said of a formula when it is declared, and of what the scan finds: short, once, with the place."""

from __future__ import annotations

import traceback
import warnings

import pytest

import symbp
from symbp.derivation.relation import relation_beside, why_beside
from symbp.derivation.stability.scan import Finding
from symbp.derivation.stability.sentences import told
from symbp.errors import ExpressionError, SymbpWarning
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network


def declared(formula: str, cost: str = "squared_error") -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        Network(2, [Dense(2, symbp.Activation("own", formula)), Dense(1)], cost)
    assert all(issubclass(w.category, SymbpWarning) for w in found)
    return [str(w.message).partition(f"formula {formula!r} ")[2] for w in found]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("z if z < 0 else z + 1", "jumps from 0 to 1 at z = 0: no derivative tells of that step"),
        ("z if abs(z) < 2 else 0*z", "jumps from 0 to -2 at z = -2: no derivative tells of that step"),
        ("z if z <= 3 else z**2", "jumps from 3 to 9 at z = 3: no derivative tells of that step"),
        ("log(z)", "is not real for z <= 0: outputs there are not finite"),
        (
            "sqrt(z)",
            "is not real for z < 0: outputs there are not finite; its derivative is not finite at z = 0",
        ),
        ("log(z - 2)", "is not real for z <= 2: outputs there are not finite"),
    ],
)
def test_what_is_told_of_an_activation(formula: str, told: str) -> None:
    assert declared(formula) == [told]


@pytest.mark.parametrize(
    "formula",
    [
        "max(z, 0)",
        "min(max(z, -1), 1)",
        "z if z < 1 else 2*z - 1",
        "z**2 if z > 0 else -z**2",
        "abs(z)",
        "tanh(z)",
    ],
)
def test_what_is_continuous_is_not_told_of(formula: str) -> None:
    assert declared(formula) == []


def test_a_cost_that_jumps_is_told_with_the_target() -> None:
    with pytest.warns(SymbpWarning, match=r"jumps from 2 to 1 at h = -?[\d.]+, y = -?[\d.]+: no derivative"):
        Network(2, [Dense(1)], symbp.Cost("own", "abs(h - y) if abs(h - y) < 1 else 2*abs(h - y)"))


def test_the_caret_is_a_note_of_the_exception() -> None:
    with pytest.raises(ExpressionError) as caught:
        symbp.Activation("own", "z + foo(z)*2").expression()
    shown = "".join(traceback.format_exception_only(caught.value))
    assert shown.endswith("\nz + foo(z)*2\n    ^\n")
    assert "\n" not in str(caught.value)


def finding(low: float, high: float, of: str = "value", kind: str = "nan", variable: str = "z") -> Finding:
    return Finding(low, high, kind, 1.0, of, "float64", variable)  # type: ignore[arg-type]


INF = float("inf")


@pytest.mark.parametrize(
    ("findings", "sentences"),
    [
        ([finding(3, INF)], ["the value is not a number for z >= 3"]),
        ([finding(-INF, -3), finding(3, INF)], ["the value is not a number for |z| >= 3"]),
        (
            [finding(3, INF), finding(4, INF, "derivative")],
            ["the value or derivative is not a number for z >= 3"],
        ),
        (
            [finding(3, 5), finding(6, 9), finding(500, INF)],
            ["the value is not a number for 3 <= z <= 9, for z >= 500"],
        ),
        ([finding(-2, 2)], ["the value is not a number for |z| <= 2"]),
        (
            [finding(3, INF), finding(2, 5, kind="overflow", variable="h")],
            ["the value is not a number for z >= 3", "the value overflows for 2 <= h <= 5"],
        ),
        (
            [finding(10.0**n, 2 * 10.0**n) for n in range(0, 20, 4)],
            [
                "the value is not a number for 1 <= z <= 2, for 1e+04 <= z <= 2e+04, "
                "for 1e+08 <= z <= 2e+08 and 2 more ranges"
            ],
        ),
    ],
)
def test_findings_are_one_sentence_for_each_thing(findings: list[Finding], sentences: list[str]) -> None:
    assert told(findings) == sentences


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("exp(-exp(-z))", "it loses digits"),
        ("z/(1 + abs(z))", "it loses digits"),
        ("sinh(z)", "beside what the value has needed, it takes no fewer calls"),
        ("z/sqrt(1 + z**2)", "beside what the value has needed, it takes no fewer calls"),
    ],
)
def test_a_relation_that_kernels_do_not_use_says_why(formula: str, reason: str) -> None:
    """The derivative has the value's own exponential at hand, say, and the relation needs a logarithm."""
    g = parse_formula(formula, ("z",))
    assert relation_beside(g) is not None
    assert why_beside(g).startswith(reason)
    own = symbp.Activation("own", formula)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        derivation = symbp.derive(Network(2, [Dense(2, own), Dense(1)], "squared_error"))
    assert derivation["1.3r, k=1"].because.endswith(why_beside(g))


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("log(h)", "is not real for h <= 0: the cost is NaN there"),
        ("sqrt(h - y)", "is not real for h < -0.7 at y = -0.7: the cost is NaN there"),
        ("log(h**2 - 1)", "is not real for -1 <= h <= 1: the cost is NaN there"),
        ("sqrt(y)*h", "is not real for any h at y = -2.6: the cost is NaN there"),
    ],
)
def test_a_cost_that_is_not_real_is_told_with_the_range(formula: str, told: str) -> None:
    with pytest.warns(SymbpWarning) as found:
        Network(2, [Dense(1)], symbp.Cost("own", formula))
    assert str(found[0].message) == f"cost 'own': formula {formula!r} {told}"


def test_the_range_of_a_cost_lies_where_its_outputs_do() -> None:
    with pytest.warns(SymbpWarning, match="not real for h >= 0.5: the cost is NaN there"):
        Network(2, [Dense(1, "sigmoid")], symbp.Cost("own", "log(0.5 - h)", output="unit_interval"))

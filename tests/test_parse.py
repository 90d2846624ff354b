"""Formulas as text: what is read, what is refused, and that nothing is ever executed."""

from __future__ import annotations

import random
import string

import pytest
import sympy

from symbp.errors import ExpressionError
from symbp.functions.parse import MAX_LENGTH, Total, parse_formula

z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("z", z),
        ("-z + 2", 2 - z),
        ("0.1*z", z / 10),
        ("1e-3", sympy.Rational(1, 1000)),
        ("1/(1 + exp(-z))", 1 / (1 + sympy.exp(-z))),
        ("(sqrt(z**2 + 1) - 1)/2 + z", (sympy.sqrt(z**2 + 1) - 1) / 2 + z),
        ("z**-2", z**-2),
        ("0 if z <= 0 else z", sympy.Piecewise((0, z <= 0), (z, True))),
        ("exp(z)/sum(exp(z))", sympy.exp(z) / Total(sympy.exp(z))),
    ],
)
def test_formula_is_read(text: str, value: sympy.Expr) -> None:
    assert parse_formula(text, ("z",)) == value


def test_decimals_are_exact() -> None:
    assert parse_formula("0.1 + 0.2", ("z",)) == sympy.Rational(3, 10)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x + 1", "unknown name 'x'"),
        ("tahn(z)", "did you mean 'tanh'"),
        ("z.real", "may stand here"),
        ("z[0]", "may stand here"),
        ("__import__('os')", "unknown function"),
        ("exp(z, 2)", "exactly one argument"),
        ("exp(x=z)", "exactly one argument"),
        ("lambda: z", "may stand here"),
        ("[z for z in z]", "may stand here"),
        ("'text'", "may stand here"),
        ("True", "may stand here"),
        ("1j", "may stand here"),
        ("z +", "invalid syntax"),
        ("", "expected a text"),
        ("z**z", "must be a number"),
        ("9**9999", "must be a number"),
        ("z if z else 1", "one comparison"),
        ("1 < z < 2", "may stand here"),
        ("1/0", "not a finite real number"),
        ("log(0)", "not a finite real number"),
        ("sqrt(-1)", "not a finite real number"),
        ("z" + "+z" * MAX_LENGTH, "the limit is"),
        ("(" * 60 + "z" + ")" * 60 + "**2" * 0 + "+" + "-" * 60 + "z", "nested more than"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason) as caught:
        parse_formula(text, ("z",))
    assert "\n" not in str(caught.value)


def test_hostile_text_is_refused_and_never_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is thrown at it, the answer is an expression or an ExpressionError, soon."""
    executed: list[str] = []
    monkeypatch.setattr("builtins.eval", lambda *a: executed.append("eval"))
    monkeypatch.setattr("builtins.exec", lambda *a: executed.append("exec"))
    rng = random.Random(0)
    pieces = [
        *"z()+-*/,.[]{}:;'\"\\#@!&|^~<>= \n\t\0é∂",
        *string.ascii_letters[:6],
        *(
            "exp",
            "log",
            "sum",
            "__class__",
            "import",
            "os",
            "lambda",
            "if",
            "else",
            "9e999",
            "0x1f",
            "**",
            "//",
        ),
    ]
    answers: list[sympy.Expr] = []
    refusals: list[str] = []
    for _ in range(3000):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 12)))
        try:
            answers.append(parse_formula(text, ("z",)))
        except ExpressionError as error:
            refusals.append(str(error))
    assert all(isinstance(value, sympy.Expr) for value in answers)
    assert all(len(message) < 400 for message in refusals)
    assert len(answers) > 10
    assert len(refusals) > 1000
    assert not executed

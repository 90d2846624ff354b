"""Formulas as text: what is read, what is refused, and that nothing is ever executed."""

from __future__ import annotations

import pytest
import sympy

from symbp.errors import ExpressionError
from symbp.functions.parse import MAX_LENGTH, MAX_NESTED, Total, parse_formula

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
        ("max(0, z)", sympy.Piecewise((0, z <= 0), (z, True))),
        ("max(z, 0)", sympy.Piecewise((0, z <= 0), (z, True))),
        ("min(z, 6)", sympy.Piecewise((6, z >= 6), (z, True))),
        ("z if z > 0 else 0", sympy.Piecewise((0, z <= 0), (z, True))),  # NaN goes on
        ("0 if z < -1 else 1 if z > 1 else z", sympy.Piecewise((0, z < -1), (1, z > 1), (z, True))),
        ("z**2 if -1 < z <= 1 else z", sympy.Piecewise((z**2, (z > -1) & (z <= 1)), (z, True))),
        ("1 if z < 0 or z > 1 else z", sympy.Piecewise((1, (z < 0) | (z > 1)), (z, True))),
        ("max(0, min(z, 6))", sympy.Piecewise((6, z >= 6), (0, z <= 0), (z, True))),
        ("sigmoid(2*z)", 1 / (1 + sympy.exp(-2 * z))),
        ("softplus(z)", sympy.log(1 + sympy.exp(z))),
        ("erf(z/sqrt(2))", sympy.erf(z / sympy.sqrt(2))),
        ("e**2*pi", sympy.E**2 * sympy.pi),
        (" z\n + 1\t", z + 1),
    ],
)
def test_formula_is_read(text: str, value: sympy.Expr) -> None:
    assert parse_formula(text, ("z",)) == value


def test_an_exponent_may_be_a_declared_whole_number() -> None:
    beta, step = sympy.symbols("beta1 step", real=True)
    names = ("beta1", "step")
    assert parse_formula("1 - beta1**step", names, exponents=("step",)) == 1 - beta**step
    with pytest.raises(ExpressionError, match="must be a number"):
        parse_formula("1 - beta1**step", names)
    with pytest.raises(ExpressionError, match="must be a number"):
        parse_formula("step**beta1", names, exponents=("step",))


def test_decimals_are_exact() -> None:
    assert parse_formula("0.1 + 0.2", ("z",)) == sympy.Rational(3, 10)
    long = "1.6732632423543772848170429916717"
    assert parse_formula(long, ("z",)) == sympy.Rational(int(long.replace(".", "")), 10**31)


@pytest.mark.parametrize(
    ("text", "place"),
    [("z + tahn(z)", "tahn"), ("z*2 + q", "q"), ("z**2 + (z^2)", "^"), ("z + 1/(2 - 2)", "2 - 2")],
)
def test_a_caret_stands_under_the_offending_place(text: str, place: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_formula(text, ("z",))
    formula, caret = caught.value.excerpt
    assert formula == text
    assert caret.strip() == "^"
    assert formula[len(caret) - 1 :].startswith(place)


def test_the_excerpt_of_a_long_formula_shows_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_formula("1.00000000000001*z + " * 9 + "q + " + "1.00000000000001*z + " * 9 + "z", ("z",))
    formula, caret = caught.value.excerpt
    assert len(formula) < 90
    assert formula[len(caret) - 1] == "q"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x + 1", "unknown name 'x'"),
        ("tahn(z)", "did you mean 'tanh'"),
        ("z.real", "may stand here"),
        ("z[0]", "column 2: the character .: brackets are"),
        ("z(2)", "column 2: a [*] may be missing before [(]; z is no function"),
        ("__import__(z)", "unknown function"),
        ("__import__('os')", "the character '"),
        ("z^2", r"column 2: the character \^: write \*\* for a power"),
        ("exp(z, 2)", "exactly one argument"),
        ("exp(x=z)", "exactly one argument"),
        ("lambda: z", "may stand here"),
        ("[z for z in z]", "column 1: the character .: brackets are"),
        ("'text'", "may stand here"),
        ("max(z)", "exactly 2 arguments"),
        ("exp(*z)", "exactly one argument"),
        ("(z := 1)", "may stand here"),
        ("z = 1", "a formula is a value"),
        ("exp", r"write exp\(...\)"),
        ("h + z", "unknown name 'h'.*h is the prediction"),
        ("((z**64)**64)**64", "size at most 64"),
        ("9**9**9", "size at most 64"),
        ("abs(z)**1.37", r"a denominator of at most 64, and this is 137/100; write exp\(b\*log\(a\)\)"),
        ("((1.0000001**64)**64)**64", "the power of so long a number"),
        ("(10**64)**64", "the power of so long a number"),
        ("1e300*1e10", "below 1e"),
        ("1e-400", "must be above"),
        ("0.1" + "1" * 40, "43 characters"),
        ("exp(exp(exp(exp(z))))", "exponentials nested"),
        ("exp(exp(exp(100)))", "not a finite real number"),
        ("(-8)**(1/3)", "not a finite real number"),
        ("sum(sum(z))", "a sum inside a sum"),
        ("z if 1 < z < 2 or 3 else 0", "a condition is a comparison"),
        ("1 if max(z, 0) > 1 else z", "without cases"),
        ("max(" * 5 + "z" + ", z**2), z**3), z**4), z**5), z**6)", "more than 16 cases"),
        ("z//2", "may stand here"),
        ("z@z", "the character @"),
        ("True", "may stand here"),
        ("1j", "may stand here"),
        ("z +", "column 4: the formula ends where a term is expected"),
        ("z**", "column 4: the formula ends where a term is expected"),
        ("*z", "column 1: a term is expected before '[*]'"),
        ("z + * 2", "column 5: a term is expected before '[*]', after '[+]'"),
        ("(z + )", "column 6: a term is expected before '[)]', after '[+]'"),
        ("(z + 1", "column 1: this [(] is never closed"),
        ("tanh(z", "column 5: this [(] is never closed"),
        ("z + 1)", "column 6: this [)] closes no bracket"),
        ("()", "column 2: nothing stands between the brackets"),
        ("1,5*z", "column 2: a comma separates the arguments of a function; a decimal point is [.]"),
        ("1.2.3*z", "column 4: a number has one decimal point"),
        ("z..z", "column 2: '[.]' has no place here"),
        ("2(z + 1)", "column 2: a [*] may be missing before [(]"),
        ("(z)(z)", "column 4: a [*] may be missing before [(]"),
        ("lambda*z", "column 1: lambda is a word that cannot be a name"),
        ("z if z > 0", "column 11: the other case is missing"),
        ("z \u2212 1", "column 3: the character .u2212: write - for a minus"),
        ("z\u00b2", "column 2: the character .xb2: write [*][*]2 for a square"),
        ("z\u00b72", "column 2: the character .xb7: write [*] for a product"),
        ("z z", "column 3: a [*] may be missing before z"),
        ("2z", "column 2: a [*] may be missing before z"),
        ("1e5 z", "column 5: a [*] may be missing before z"),
        ("(z + 1) 2", "column 9: a [*] may be missing before 2"),
        ("tanh z", "column 1: tanh is a function: write tanh(...)"),
        ("z if z", "column 7: the other case is missing"),
        ("", "expected a text"),
        ("((z + 1)**64 + 1)**64", "multiply out to more than"),
        ("(z + 1)**64*(z + 2)**64", "multiply out to more than"),
        ("z*1e299*1e299", "too large, too small"),
        ("z*1e-299*1e-299", "too large, too small"),
        ("2**z", "an exponent must be a number; write exp"),
        ("z**z", "must be a number"),
        ("9**9999", "must be a number"),
        ("z if z else 1", "a condition is a comparison"),
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


@pytest.mark.parametrize(
    ("text", "column"),
    [("", 0), ("  ", 0), ("z" + " + z" * 200, MAX_LENGTH), ("2*0x10", 2), ("z + 1_000", 4), ("0b1", 0)],
)
def test_every_refusal_shows_its_place(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_formula(text, ("z",))
    shown, caret = caught.value.excerpt
    assert f"column {column + 1}:" in str(caught.value)
    place = caret.index("^")
    stripped = text.strip()
    assert shown[place : place + 1] == stripped[column : column + 1]


@pytest.mark.parametrize("text", ["1e-3*z", "1E+3*z", "5.*z", ".5*z", "100*z"])
def test_plain_decimals_are_numbers(text: str) -> None:
    assert parse_formula(text, ("z",)).coeff(z) == sympy.Rational(text.removesuffix("*z"))


def test_functions_nest_only_so_far() -> None:
    """Each level makes the derivative longer by a factor that holds all others."""

    def nested(depth: int) -> str:
        return "erf(" * depth + "z" + ")" * depth

    parse_formula(nested(MAX_NESTED), ("z",))
    parse_formula("+".join(f"erf({n}*z)" for n in range(1, 30)), ("z",))  # beside each other
    deep = MAX_NESTED + 1
    for text in (nested(deep), "sqrt(1 + " * deep + "z**2" + ")" * deep, "1/(2 + " * deep + "z" + ")" * deep):
        with pytest.raises(ExpressionError, match=f"nested more than {MAX_NESTED} deep"):
            parse_formula(text, ("z",))

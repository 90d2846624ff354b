"""The rewrite system: every rule is proved, finds its pattern, and a broken one is not proved."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from sympy import Abs, Piecewise, Rational, Symbol, erf, exp, log, sqrt, tanh
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.named import (
    LETTERS,
    NAMED,
    NOTHING,
    LogAddExp,
    LogCosh,
    LogOneMinusExp,
    LogSoftplus,
    LogSoftplusSlope,
    Sigmoid,
    Softplus,
    Weighted,
    defined,
)
from symbp.derivation.stability.enclosure import X, is_enclosed, is_never_negative
from symbp.derivation.stability.far import AT_INFINITY, FAR_RULES, far_forms
from symbp.derivation.stability.numbers import exact
from symbp.derivation.stability.proof import equal
from symbp.derivation.stability.rules import RULES, TARGET_APART, rewrite
from symbp.derivation.stability.weightless import WEIGHTLESS, with_weights
from tests.kernel_text import kernel_function

Z, H, Y = (Symbol(name, real=True) for name in "zhy")
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
ALL = (*RULES, *FAR_RULES, AT_INFINITY, TARGET_APART, WEIGHTLESS)
EVERY_RULE_AT_ALL = pytest.mark.parametrize("rule", ALL, ids=[rule.name for rule in ALL])
EVERY_NAME = pytest.mark.parametrize("kind", NAMED, ids=[kind.title for kind in NAMED])

# Where both sides of a rule may be evaluated, beside the points that all share.
POINTS = {
    "log1mexp": (-1e-8, -0.3, -1.0, -40.0, -700.0),
    "log of exp": (0.3, 1.0, 40.0),
    "target apart": (0.0, 1e-8, -1e-8, 0.3, 40.0, -40.0, 700.0, -700.0),  # a root is at log(p/(1 - p))
    "log1p": (1e-300, 1e-8, -1e-8, 0.3, -0.3, 40.0, 800.0),
}
USUAL = (0.0, 1e-300, -1e-300, 1e-8, -1e-8, 0.3, -0.3, 1.0, -1.0, 40.0, -40.0, 800.0, -800.0)


@EVERY_RULE_AT_ALL
def test_both_sides_are_proved_equal(rule) -> None:
    assert equal(rule.statement.lhs, rule.statement.rhs)


@EVERY_RULE_AT_ALL
@pytest.mark.parametrize(
    "fault", [lambda e: -e, lambda e: 2 * e, lambda e: e + 1, lambda e: e + exp(-(Z**2))]
)
def test_a_broken_rule_is_not_proved(rule, fault) -> None:
    assert not equal(rule.statement.lhs, fault(rule.statement.rhs))


@EVERY_RULE_AT_ALL
def test_a_rule_with_another_argument_is_not_proved(rule) -> None:
    (u,) = (x for x in rule.statement.free_symbols if x.name == "u")
    for argument in (u + 1, 2 * u, u**2):
        broken = rule.statement.rhs.subs(u, argument)
        assert broken == rule.statement.rhs or not equal(rule.statement.lhs, broken)


@EVERY_RULE
def test_a_rule_finds_its_own_left_side(rule) -> None:
    found, used = rewrite(rule.statement.lhs)
    assert found == rule.statement.rhs
    assert rule.name in [r.name for r in used]
    assert rewrite(found) == (found, ())  # and is done with it


@pytest.mark.parametrize("rule", FAR_RULES, ids=[rule.name for rule in FAR_RULES])
def test_a_rule_for_arguments_of_every_size_finds_its_own_left_side(rule) -> None:
    found, used = next(iter(far_forms(rule.statement.lhs)))
    assert found == rule.statement.rhs
    assert used == (rule,)


@EVERY_RULE_AT_ALL
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_right_side_is_accurate(rule, dtype: str) -> None:
    """In ulps of the exact value of the *left* side, wherever it is a normal number."""
    letters = tuple(sorted(rule.statement.free_symbols, key=str, reverse=True))
    kernel = kernel_function(rule.statement.rhs, letters, dtype)
    number, info = np.dtype(dtype).type, np.finfo(dtype)
    compared = 0
    for point in POINTS.get(rule.name, USUAL):
        values = [float(number(point if letter.name == "u" else 0.25)) for letter in letters]
        # The rewritten side needs fewer digits to be exact; both are proved equal above.
        true = exact(rule.statement.rhs, {x.name: v for x, v in zip(letters, values, strict=True)})
        if float(info.tiny) < abs(true) < float(info.max):
            error = abs(true - float(kernel(*values))) / float(np.spacing(number(float(abs(true)))))
            assert error <= 3, (point, float(error))  # measured: at most 2.4 (sigmoid squared)
            compared += 1
        else:
            assert math.isfinite(kernel(*values)) or abs(true) > float(info.max)
    assert compared >= 3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_weight_of_0_makes_nothing_of_all_but_nan(dtype: str) -> None:
    U, V = LETTERS
    weighted = kernel_function(Weighted(U, V), LETTERS, dtype)
    for size in (0.0, 1e-30, 0.3, 1.0, 1e30, math.inf):
        for v in (size, -size):
            assert weighted(0.0, v) == weighted(-0.0, v) == 0
            assert weighted(0.5, v) == np.dtype(dtype).type(v) / 2
            assert math.isnan(weighted(math.nan, v))
    assert math.isnan(weighted(0.0, math.nan))
    assert math.isnan(weighted(0.5, math.nan))


def test_targets_weigh_what_may_be_infinite() -> None:
    def weighed(e: sympy.Expr) -> sympy.Expr:
        return with_weights(e, lambda f: f.free_symbols == {Y}, lambda f: f.has(Z))

    assert WEIGHTLESS.find(WEIGHTLESS.statement.lhs) == WEIGHTLESS.statement.rhs
    assert weighed(H * Y + 3 * H * Y * Z) == H * Y + 3 * H * Weighted(Y, Z)
    assert weighed((1 - Y) * Z * exp(Z) - Z) == Weighted(1 - Y, Z * exp(Z)) - Z
    assert weighed(Y**2 - H * Z) == Y**2 - H * Z


@EVERY_NAME
def test_a_named_function_is_its_definition(kind) -> None:
    function = kind(*LETTERS[: next(iter(kind.nargs))])
    stable = function.stable()
    if kind.has_limit:
        (limit, condition), *others = stable.args
        assert condition == (function.args[0] <= NOTHING)
        assert is_enclosed(function, limit)
        stable = Piecewise((function.defining(), condition), *others)
    assert equal(function.defining(), stable)
    for n, letter in enumerate(function.args, 1):
        assert equal(function.fdiff(n), function.defining().diff(letter))


@EVERY_NAME
def test_a_broken_branch_of_a_named_function_is_not_proved(kind) -> None:
    """Every branch counts: one that is off by a factor, a sign or a term is seen."""
    function = kind(*LETTERS[: next(iter(kind.nargs))])
    stable = function.stable()
    for cases in stable.atoms(Piecewise):
        for n, (value, condition) in enumerate(cases.args):
            for faulty in (2 * value + 1, value + exp(-Abs(function.args[0]))):
                if kind.has_limit and n == 0:
                    assert not is_enclosed(function, faulty)
                    continue
                branches = list(cases.args)
                branches[n] = (faulty, condition)
                broken = stable.xreplace({cases: Piecewise(*branches, evaluate=False)})
                assert not equal(function.defining(), broken)


def test_what_is_left_out_at_a_limit_is_below_half_a_unit() -> None:
    """x = exp(-40) against 2^-53: in the logarithm beside a size of 40, in the slope beside 1."""
    assert math.exp(NOTHING) < 2**-53 / 8


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (X - log(1 + X), True),
        (log(1 + X) - X + X**2 / 2, True),
        (log(1 + X) - X, False),
        (X / 2 - log(1 + X), False),  # it is from x = 2.6 on
        (log(1 + X) - X + X**2 / 3, False),
        (log(2 + X) - X - 1, False),  # not at 0
        (X**2 - X + 1, False),  # positive, but not by its coefficients: not proved
    ],
)
def test_bounds_are_proved_by_derivatives(claim: sympy.Expr, holds: bool) -> None:
    assert is_never_negative(claim) is holds


WRITTEN = {
    log(1 + log(1 + exp(Z)) - 1): LogSoftplus(Z),
    3 * log(log(1 + exp(2 * Z)) ** 3): 9 * LogSoftplus(2 * Z),
    exp(Z) / (1 + exp(Z)) / log(1 + exp(Z)): LogSoftplusSlope(Z),
    (1 - Y / log(1 + exp(Z))) / (1 + exp(-Z)): Sigmoid(Z) - Y * LogSoftplusSlope(Z),
    log(1 + exp(Z)): Softplus(Z),
    log(1 / (1 + exp(-Z))): -Softplus(-Z),
    log(1 - 1 / (1 + exp(-Z))): -Softplus(Z),
    log(exp(H - Y) / 2 + exp(Y - H) / 2): LogCosh(H - Y),
    log(exp(H) + exp(Y)): LogAddExp(H, Y),
    log(1 - exp(-(Z**2))): LogOneMinusExp(-(Z**2)),
    exp(Z) / (1 + exp(Z)): Sigmoid(Z),
    exp(-Z) / (1 + exp(-Z)) ** 2: Sigmoid(Z) * Sigmoid(-Z),
    exp(2 * Z) / (1 + exp(2 * Z)) ** 3: Sigmoid(2 * Z) * Sigmoid(-2 * Z) ** 2,
    (exp(Z) - exp(-Z)) / (exp(Z) + exp(-Z)): tanh(Z),
    3 * exp(Z) - 3: 3 * expm1(Z),
    Z * (1 - exp(-Z)): -Z * expm1(-Z),
    log(1 + Z**2): log1p(Z**2),
    sqrt(Z**2 + 4) - 2: Z**2 / (sqrt(Z**2 + 4) + 2),
    1 / (1 + Abs(Z)) - Z * sympy.sign(Z) / (1 + Abs(Z)) ** 2: 1 / (1 + Abs(Z)) ** 2,
    Piecewise((-1, Z < -1), (Z, Z < 1), (1, True)): Piecewise((-1, Z < -1), (1, Z >= 1), (Z, True)),
}


@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_rewriting(written: sympy.Expr) -> None:
    found, used = rewrite(written)
    assert found == WRITTEN[written]
    assert used
    assert equal(written, found)


@pytest.mark.parametrize(
    "formula", [Z, sympy.sin(Z), exp(-(Z**2)), Z**2 + 3 * Z, sympy.atan(Z), exp(Z) - 2, 2 - tanh(Z)]
)
def test_what_needs_no_rule_stays(formula: sympy.Expr) -> None:
    assert rewrite(formula) == (formula, ())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Abs(Z), Z),
        (Abs(Z), Piecewise((Z, Z > 0), (0, True))),
        (Piecewise((Z, Z > 0), (0, True)), Piecewise((0, Z < 0), (Z + 1, True))),  # differ at 0 and above
        (Piecewise((Z, Z > 1), (0, True)), Piecewise((0, Z < 1), (Z, True))),  # differ at 1 alone
        (log(1 + exp(Z)), Z),
        (erf(Z), tanh(Z)),
        (Z + Rational(1, 10**20), Z),
        (H - Y, Abs(H - Y)),
    ],
)
def test_different_expressions_are_not_proved_equal(left: sympy.Expr, right: sympy.Expr) -> None:
    assert not equal(left, right)


def test_nothing_is_factored_where_no_logarithm_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The factors searched for are sums of logarithms; factoring a numerator of high degree takes minutes."""
    factored = []
    monkeypatch.setattr(sympy, "factor", lambda e, **options: factored.append(e) or e)
    assert not equal((exp(Z) + Z) ** 12, (exp(Z) + Z) ** 12 + 1)
    assert not factored
    assert not equal(Z * log(Z**2 + 1) + log(Z**2 + 2), sympy.S.Zero)
    assert factored


def test_definitions_leave_no_name() -> None:
    expr = Softplus(Sigmoid(Z)) + LogCosh(expm1(Z)) + log1p(Z)
    assert not defined(expr).has(*NAMED, expm1, log1p)

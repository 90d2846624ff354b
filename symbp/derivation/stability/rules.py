"""The rewrite system: named rules, each from an expression that loses digits to one that does not.

A rule is stated as an equation in letters, which is proved (:func:`.proof.equal`), and finds
its left side at the root of an expression. Every application is proved once more, on the
expression itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Abs, Eq, Expr, Piecewise, Symbol, erf, exp, log, sign, tanh
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.named import (
    MAECHLER,
    Erfc,
    LogCosh,
    LogOneMinusExp,
    LogSoftplus,
    LogSoftplusSlope,
    SechSoftplus,
    Sigmoid,
    Softplus,
    TanhSoftplus,
)
from symbp.derivation.stability import patterns

U = Symbol("u", real=True)
P = Symbol("p", positive=True)


@dataclass(frozen=True)
class Rule:
    """One rule of the rewrite system.

    Attributes
    ----------
    name : str
    statement : sympy.Eq
        Left and right side in the letters u (real) and p (positive).
    reason : str
        What the left side does wrong.
    reference : str
        Where the right side is from.
    find : callable
        Expression -> the rewritten expression if the rule matches at its root, else None.
    whole : bool
        Whether the rule must see an expression before its parts are rewritten.
    """

    name: str
    statement: Eq
    reason: str
    reference: str
    find: Callable[[Expr], Expr | None]
    whole: bool = False


def rewrite(expr: Expr) -> tuple[Expr, tuple[Rule, ...]]:
    """Apply all rules, innermost first, until none matches.

    Returns
    -------
    expression : sympy.Expr
    used : tuple of Rule
        The rules that were applied, in the order of their first use.
    """
    used: dict[str, Rule] = {}

    def apply(e: Any, whole: bool) -> Any:
        match = _match(e, whole)
        if match is None:
            return e
        used.setdefault(match[1].name, match[1])
        return match[0]

    def walk(e: Any) -> Any:
        if not e.args or e.is_Symbol or isinstance(e, sympy.Sum):
            return e
        found = apply(e, whole=True)
        if found != e:
            return walk(found)
        if isinstance(e, Piecewise):
            parts = [(walk(value), condition) for value, condition in e.args]
            current = Piecewise(*parts, evaluate=False)
        else:
            arguments = [walk(a) for a in e.args]
            current = e if arguments == list(e.args) else e.func(*arguments)
        found = apply(current, whole=False)
        return current if found == current else walk(found)

    return walk(expr), tuple(used.values())


# The same parts of formulas are seen again in every derivative, and in every form that is tried.
@functools.lru_cache(maxsize=5000)
def _match(e: Any, whole: bool) -> tuple[Any, Rule] | None:
    """Return what the first rule that matches at the root makes of an expression, and the rule."""
    for rule in _WHOLE if whole else RULES:
        found = rule.find(e)
        if found is not None and found != e:
            return found, rule
    return None


_CANCELS = "the difference of two numbers that agree in almost all digits"

RULES: tuple[Rule, ...] = (
    Rule(
        "softplus",
        Eq(log(1 + exp(U)), Softplus(U), evaluate=False),
        "exp(u) overflows, and 1 + exp(u) loses a small exp(u)",
        f"{MAECHLER}, eq. 10",
        patterns.log_of_two_exponentials,
    ),
    Rule(
        "log-sigmoid",
        Eq(log(Sigmoid(U)), -Softplus(-U), evaluate=False),
        "the sigmoid underflows where its logarithm is -|u|",
        MAECHLER,
        patterns.log_of_sigmoid,
    ),
    Rule(
        "log of softplus",
        Eq(log(Softplus(U)), LogSoftplus(U), evaluate=False),
        "softplus underflows where its logarithm is u",
        LogSoftplus.reference,
        patterns.log_of_softplus,
    ),
    Rule(
        "sigmoid over softplus",
        Eq(Sigmoid(U) / Softplus(U), LogSoftplusSlope(U), evaluate=False),
        "both underflow where their ratio is 1",
        LogSoftplusSlope.reference,
        patterns.sigmoid_over_softplus,
    ),
    Rule(
        "log of exp",
        Eq(log(P * exp(U)), U + log(P), evaluate=False),
        "exp(u) overflows and underflows where its logarithm is u",
        "the definition of log",
        patterns.log_of_exponential,
    ),
    Rule(
        "log cosh",
        Eq(log(sympy.cosh(U)), LogCosh(U), evaluate=False),
        "cosh(u) overflows, and log(1 + small) has lost the small",
        LogCosh.reference,
        patterns.log_cosh,
    ),
    Rule(
        "expm1",
        Eq(exp(U) - 1, expm1(U), evaluate=False),
        f"for small u it is {_CANCELS}",
        "Kahan 1987; Higham 2002, section 1.14.1",
        patterns.exp_minus_one,
    ),
    Rule(
        "log1mexp",
        Eq(log(1 - exp(U)), LogOneMinusExp(U), evaluate=False),
        f"for small u, 1 - exp(u) is {_CANCELS}",
        LogOneMinusExp.reference,
        patterns.log_one_minus_exp,
    ),
    Rule(
        "log1p",
        Eq(log(1 + U), log1p(U), evaluate=False),
        "1 + u loses the digits of a small u",
        "Kahan 1987; Higham 2002, section 1.14.1",
        patterns.log_of_one_plus,
    ),
    Rule(
        "tanh",
        Eq((exp(U) - exp(-U)) / (exp(U) + exp(-U)), tanh(U), evaluate=False),
        "for large |u| it is infinity over infinity",
        "the definition of tanh",
        patterns.tanh_of_exponentials,
        whole=True,
    ),
    Rule(
        "sigmoid",
        Eq(exp(U) / (1 + exp(U)) ** 2, Sigmoid(U) * Sigmoid(-U), evaluate=False),
        "for large u it is infinity over infinity",
        Sigmoid.reference,
        patterns.quotient_of_exponentials,
        whole=True,
    ),
    Rule(
        "exp times sigmoid",
        Eq(exp(U) * Sigmoid(-U), Sigmoid(U), evaluate=False),
        "for large u it is infinity times 0",
        "numerator and denominator times exp(u)",
        patterns.exp_times_sigmoid,
    ),
    Rule(
        "1 - sigmoid",
        Eq(1 - Sigmoid(U), Sigmoid(-U), evaluate=False),
        f"for large u it is {_CANCELS}",
        "numerator and denominator over exp(u)",
        patterns.one_minus_sigmoid,
    ),
    Rule(
        "1 + tanh",
        Eq(1 + tanh(U), 2 * Sigmoid(2 * U), evaluate=False),
        f"for u far below 0 it is {_CANCELS}",
        "tanh(u) = 2 sigmoid(2u) - 1",
        patterns.one_plus_tanh,
    ),
    Rule(
        "1 - tanh^2",
        Eq(1 - tanh(U) ** 2, 4 * Sigmoid(2 * U) * Sigmoid(-2 * U), evaluate=False),
        f"for large |u| it is {_CANCELS}",
        "(1 - tanh(u))(1 + tanh(u))",
        patterns.one_minus_tanh_squared,
    ),
    Rule(
        "tanh of softplus",
        Eq(tanh(log(1 + exp(U))), TanhSoftplus(U), evaluate=False),
        "exp(u) overflows, and 1 + exp(u) loses a small exp(u)",
        TanhSoftplus.reference,
        patterns.tanh_of_softplus,
    ),
    Rule(
        "1 - tanh^2 of softplus",
        Eq(1 - TanhSoftplus(U) ** 2, SechSoftplus(U) ** 2, evaluate=False),
        f"for large u it is {_CANCELS}",
        "1 - tanh^2 = 1/cosh^2",
        patterns.one_minus_tanh_softplus_squared,
    ),
    Rule(
        "sinh over cosh",
        Eq(sympy.sinh(U) / sympy.cosh(U), tanh(U), evaluate=False),
        "for large |u| it is infinity over infinity",
        "the definition of tanh",
        patterns.sinh_over_cosh,
    ),
    Rule(
        "erfc",
        Eq(1 + erf(U), Erfc(-U), evaluate=False),
        f"for u far below 0 it is {_CANCELS}",
        "the definition of erfc; Abramowitz and Stegun 7.1.2",
        patterns.erfc,
    ),
    Rule(
        "conjugate root",
        Eq(sympy.sqrt(U**2 + 1) - 1, U**2 / (sympy.sqrt(U**2 + 1) + 1), evaluate=False),
        f"for small u it is {_CANCELS}",
        "(r - b)(r + b) = r^2 - b^2; Higham 2002, section 1.7",
        patterns.conjugate,
    ),
    Rule(
        "1 - cos",
        Eq(1 - sympy.cos(U), 2 * sympy.sin(U / 2) ** 2, evaluate=False),
        f"for small u it is {_CANCELS}",
        "half-angle formula; Higham 2002, section 1.7",
        patterns.one_minus_cos,
    ),
    Rule(
        "u sign(u)",
        Eq(U * sign(U), Abs(U), evaluate=False),
        "it hides what cancels",
        "the definition of |u|",
        patterns.sign_times,
    ),
    Rule(
        "common denominator",
        Eq(1 / (1 + U**2) - U**2 / (1 + U**2) ** 2, 1 / (1 + U**2) ** 2, evaluate=False),
        f"for large u it is {_CANCELS}",
        "fractions added before they are evaluated",
        patterns.common_denominator,
    ),
    Rule(
        "NaN passes",
        Eq(Piecewise((U, U > 0), (0, True)), Piecewise((0, U <= 0), (U, True)), evaluate=False),
        "a NaN fails every comparison: the last branch must show it",
        "IEEE 754, section 5.11",
        patterns.nan_passes,
    ),
)

# Only where it is wanted: by itself, a difference is shorter.
TARGET_APART = Rule(
    "target apart",
    Eq(Sigmoid(U) - P, (1 - P) * Sigmoid(U) - P * Sigmoid(-U), evaluate=False),
    f"for p = 1 and large u it is {_CANCELS}",
    "1 - sigmoid(u) = sigmoid(-u)",
    patterns.target_apart,
)

_WHOLE = tuple(rule for rule in RULES if rule.whole)

"""The form of an expression that kernels compute: as it is written where that is good enough.

Forms are proposed by the rules, proved equal, and measured by the scan in both types. The
first one without a finding is taken, else the one that is wrong at the fewest points.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from symbp.derivation.stability.numbers import NotReal, exact
from symbp.derivation.stability.proof import equal
from symbp.derivation.stability.rules import Rule, rewrite
from symbp.derivation.stability.scan import DTYPES, Finding, scan

Z = sympy.Symbol("z", real=True)
O = sympy.Symbol("o", real=True)
# What g' computed from the output may be wrong by, in units in the last place of the largest
# slope for |z| <= 1. The output rounds to its limit where the unit saturates, so the slope is
# 0 there instead of, say, 1e-20: next to other gradients that is nothing, and it saves an
# exponential for every unit of the backward pass.
RELATION_LIMIT = 4.0
_NEAR = (-1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Form:
    """An expression as kernels compute it.

    Attributes
    ----------
    expression : sympy.Expr
    rules : tuple of Rule
        The rules that made it; empty where it is as it was written.
    cured, left : tuple of Finding
        What is wrong with the expression as it was written, and what with this form.
    """

    expression: Any
    rules: tuple[Rule, ...]
    cured: tuple[Finding, ...]
    left: tuple[Finding, ...]

    @property
    def because(self) -> str:
        """Why, in one phrase: the first finding and the rules."""
        names = "; ".join(f"{rule.name}: {rule.reason} ({rule.reference})" for rule in self.rules)
        return f"as it is written, {self.cured[0]}. {names}" if self.cured else names


@functools.cache
def value_form(formula: Any) -> Form:
    """Return the form of g(z)."""
    return _choose([(formula, ())], formula, "value")


@functools.cache
def slope_form(formula: Any, relation: Any) -> Form:
    """Return the form of g'(z), given as found: in z and, where a relation exists, in the output o."""
    derivative = sympy.diff(formula, Z)
    through = {"o": (value_form(formula).expression, formula)} if relation.has(O) else {}
    found: tuple[Finding, ...] = ()
    if through:
        found = _scan(relation, "derivative", derivative, through, _largest(derivative), RELATION_LIMIT)
    if not found and (through or derivative.has(O)):
        return Form(relation, (), (), ())
    stable, used = rewrite(formula)
    candidates = [(derivative, ())] if through else [(relation, ())]
    candidates += [(derivative, ()), (sympy.diff(stable, Z), used)]
    return _choose(candidates, derivative, "derivative", as_written=relation, cured=found)


def stable_form(formula: Any) -> Any:
    """Return the stable form of an activation's formula in z, or None where it needs none."""
    form = value_form(formula)
    return form.expression if form.expression != formula else None


def best(
    candidates: Iterable[Any],
    of: Literal["value", "derivative"],
    cases: Iterable[Mapping[str, float]] = ({},),
    through: Mapping[str, tuple[Any, Any]] | None = None,
    variable: str = "z",
    domain: tuple[float, float] = (-math.inf, math.inf),
    floor: float = 0.0,
) -> Form:
    """Return the best form of an expression in several letters, of which one runs over the line.

    Parameters
    ----------
    candidates : iterable of sympy.Expr
        The expression as it is written, then others that are equal to it once the letters
        of `through` are put in.
    of : str
        What it is.
    cases : iterable of mapping
        Numbers of the other letters: each case is scanned.
    through, variable, domain, floor
        As for :func:`.scan.scan`.
    """
    written, *_ = given = list(candidates)
    return _choose(
        [(expr, ()) for expr in given], written, of, through, list(cases), variable, domain, floor=floor
    )


def _choose(
    candidates: list[tuple[Any, tuple[Rule, ...]]],
    reference: Any,
    of: Literal["value", "derivative"],
    through: Mapping[str, tuple[Any, Any]] | None = None,
    cases: list[Mapping[str, float]] | None = None,
    variable: str = "z",
    domain: tuple[float, float] = (-math.inf, math.inf),
    as_written: Any = None,
    cured: tuple[Finding, ...] = (),
    floor: float = 0.0,
) -> Form:
    as_written = candidates[0][0] if as_written is None else as_written
    true = {sympy.Symbol(name, real=True): value for name, (_, value) in (through or {}).items()}
    forms: list[Form] = []
    seen = set()
    for expr, used in [*candidates, *((rewrite(e)[0], (*used, *rewrite(e)[1])) for e, used in candidates)]:
        if expr in seen or not (expr == reference or equal(expr.xreplace(true), reference.xreplace(true))):
            continue
        seen.add(expr)
        left = _scan(expr, of, reference, through, floor, None, cases, variable, domain)
        forms.append(Form(expr, tuple(dict.fromkeys(used)), cured or (forms[0].left if forms else ()), left))
        if not left:
            break
    chosen = min(forms, key=lambda form: _weight(form.left))
    return Form(as_written, (), (), chosen.left) if chosen.expression == as_written else chosen


def _weight(findings: tuple[Finding, ...]) -> float:
    """How much of the line is wrong, in decades, weighted by how often weighted sums are there."""
    return sum(1.0 if math.isnan(f.low) else _place(f.high) - _place(f.low) for f in findings)


def _place(x: float) -> float:
    """Return where a number lies on the line of both signs, 0 at 0."""
    decade = math.log10(max(min(abs(x), 1e308), 1e-300)) + 300
    tiny, usual, huge = min(decade, 291), min(max(decade - 291, 0), 18), max(decade - 309, 0)
    return math.copysign(tiny + 10 * usual + huge / 100, x)


def _scan(
    expr: Any,
    of: Literal["value", "derivative"],
    reference: Any,
    through: Mapping[str, tuple[Any, Any]] | None,
    floor: float,
    limit: float | None,
    cases: list[Mapping[str, float]] | None = None,
    variable: str = "z",
    domain: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[Finding, ...]:
    return tuple(
        finding
        for dtype in reversed(DTYPES)
        for others in cases or [{}]
        for finding in scan(
            expr, dtype, of, reference, variable, others, through, domain, floor, limit
        )
    )


def _largest(derivative: Any) -> float:
    """Return the largest slope for |z| <= 1."""
    sizes = []
    for point in _NEAR:
        try:
            sizes.append(abs(float(exact(rewrite(derivative)[0], {"z": point}))))
        except (NotReal, OverflowError):
            continue
    return max(sizes, default=0.0)

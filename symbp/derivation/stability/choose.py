"""The form of an expression that kernels compute: as it is written where that is good enough.

Forms are proposed by the rules, proved equal, and measured by the scan in both types. The
first one without a finding is taken, else the one that is wrong at the fewest points.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from symbp.algebra.nodes import with_numbers
from symbp.derivation.stability.far import AT_INFINITY, bounded, far_forms
from symbp.derivation.stability.limits import at_infinity
from symbp.derivation.stability.numbers import NotReal, exact
from symbp.derivation.stability.proof import equal
from symbp.derivation.stability.rules import Rule, rewrite
from symbp.derivation.stability.scan import DTYPES, Finding, put_in, scan_expression
from symbp.derivation.stability.weightless import WEIGHTLESS, with_weights

Z = sympy.Symbol("z", real=True)
O = sympy.Symbol("o", real=True)
# What g' computed from the output may be wrong by, in units in the last place of the largest
# slope for |z| <= 1. The output rounds to its limit where the unit saturates, so the slope is
# 0 there instead of, say, 1e-20: next to other gradients that is nothing, and it saves an
# exponential for every unit of the backward pass.
RELATION_LIMIT = 4.0
_NEAR = (-1.0, -0.5, 0.0, 0.5, 1.0)


Of = Literal["value", "derivative"]
Values = tuple[tuple[str, float], ...]
Through = tuple[tuple[str, tuple[Any, Any]], ...]


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
        names = [f"{rule.name}: {rule.reason} ({rule.reference})" for rule in self.rules]
        return f"as it is written, {self.cured[0]}; " + ("; ".join(names) or "written by its stable factors")

    @property
    def differs(self) -> bool:
        """Whether it is another expression than the one that was written."""
        return bool(self.cured)


@functools.cache
def value_form(formula: Any) -> Form:
    """Return the form of g(z)."""
    return _choose([(formula, ()), rewritten(formula)], formula, "value")


@functools.cache
def slope_form(formula: Any, relation: Any) -> Form:
    """Return the form of g'(z), given as found: in z and, where a relation exists, in the output o."""
    through: Through = (("o", (value_form(formula).expression, formula)),) if relation.has(O) else ()
    # What was stated counts, right or wrong: no form may heal it.
    stated = put_in(relation, dict(through))
    found: tuple[Finding, ...] = ()
    if through:
        floor = largest(relation, None, through)
        found = _scan(relation, "derivative", stated, dict(through), floor, RELATION_LIMIT)
        if not found:
            asked = functools.partial(
                _at_infinity, reference=stated, through=dict(through), of="derivative", cases=None
            )
            form = _made_finite(Form(relation, (), asked(relation), ()), asked)
            return form if form.rules else Form(relation, (), (), ())
    stable, used = rewrite(formula)
    candidates = [
        (relation, ()),
        rewritten(sympy.diff(formula, Z)),
        rewritten(sympy.diff(stable, Z), used),
        rewritten(stated),
    ]
    return _choose(candidates, stated, "derivative", dict(through), cured=found)


def is_as_good(formula: Any, relation: Any) -> bool:
    """Whether g' computed from the output is right to a few units in its own last place, however small."""
    through = {"o": (value_form(formula).expression, formula)}
    return not _scan(relation, "derivative", put_in(relation, through), through, 0.0, RELATION_LIMIT)


def stable_form(formula: Any) -> Any:
    """Return the stable form of an activation's formula in z, or None where it needs none."""
    form = value_form(formula)
    return form.expression if form.expression != formula else None


@functools.cache
def best(
    candidates: tuple[tuple[Any, tuple[Rule, ...]], ...],
    of: Literal["value", "derivative"],
    cases: tuple[Values, ...],
    through: Through = (),
    variable: str = "z",
    domain: tuple[float, float] = (-math.inf, math.inf),
    floor: float = 0.0,
    harmless: bool = True,
) -> Form:
    """Return the best form of an expression in several letters, of which one runs over the line.

    Parameters
    ----------
    candidates : tuple of (sympy.Expr, rules)
        The expression as it is written, then others that are equal to it once the letters
        of `through` are put in, and the rules that made them.
    of : str
        What it is.
    cases : tuple of ((name, number), ...)
        Numbers of the other letters: each case is scanned.
    through, variable, domain, floor
        As for :func:`.scan.scan_expression`, the first one as pairs.
    harmless : bool
        Whether polynomials are taken as they are, unmeasured.
    """
    written = candidates[0][0]
    if harmless and is_harmless(written, in_cases=of == "derivative"):
        return Form(written, (), (), ())
    # All are equal, so the shortest one says what should come out.
    shortest = min((rewrite(put_in(expr, dict(through)))[0] for expr, _ in candidates), key=sympy.count_ops)
    return _choose(
        list(candidates),
        written,
        of,
        dict(through),
        [dict(c) for c in cases],
        variable,
        domain,
        floor=floor,
        true_value=shortest,
    )


def is_harmless(expr: Any, in_cases: bool = True) -> bool:
    """Whether an expression is a polynomial (in every case): it leaves the type only where its value does.

    One of output and weighted sum is not: where one is nearly infinite the other may be 0.
    """
    if {O, Z} <= expr.free_symbols:
        return False
    if not in_cases:
        return bool(expr.is_polynomial(*expr.free_symbols))
    cases = expr.atoms(sympy.Piecewise)
    parts = [expr, *(value for found in cases for value, _ in found.args)]
    letters = {found: sympy.Dummy(real=True) for found in cases}
    return all(_is_plain_polynomial(part.xreplace(letters)) for part in parts) and not any(
        _is_nothing_times(e) for e in expr.atoms(sympy.Mul)
    )


def _is_nothing_times(product: Any) -> bool:
    """Whether a product may be 0 times what has left the type: a case of 0 beside a letter."""
    cases = [f for f in product.args if isinstance(f, sympy.Piecewise)]
    zero = any(value == 0 for found in cases for value, _ in found.args)
    return zero and any(not f.is_number for f in product.args if f not in cases)


def _is_plain_polynomial(expr: Any) -> bool:
    return bool(expr.is_polynomial(*expr.free_symbols)) and not expr.has(sympy.Function)


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
    true_value: Any = None,
) -> Form:
    as_written = candidates[0][0] if as_written is None else as_written
    scanned = functools.partial(
        _scan,
        of=of,
        reference=true_value or reference,
        through=through,
        floor=floor,
        cases=cases,
        variable=variable,
        domain=domain,
    )
    forms: list[Form] = []
    for expr, used in _with_far_forms(candidates):
        if any(expr == form.expression for form in forms):
            continue
        if not (equal(expr, reference) or equal(*(put_in(e, through or {}) for e in (expr, reference)))):
            continue
        forms.append(Form(expr, used, cured, scanned(expr)))
        if not forms[-1].left:
            break
    chosen = min(forms, key=lambda form: _weight(form.left))
    written_at_infinity: tuple[Finding, ...] = ()
    if variable == "z":
        asked = functools.partial(
            _at_infinity, reference=true_value or reference, through=through, of=of, cases=cases
        )
        written_at_infinity = asked(as_written)
        if chosen.expression != as_written or written_at_infinity:
            chosen = _made_finite(chosen, asked)
    if chosen.expression == as_written:
        return Form(as_written, (), (), scanned(as_written, ends=True) if chosen.left else ())
    # The ends of ranges are only looked for where somebody will read them.
    left = scanned(chosen.expression, ends=True) if chosen.left else ()
    if cases is not None:
        return dataclasses.replace(chosen, cured=cured or forms[0].left or written_at_infinity, left=left)
    cured = cured or scanned(as_written, ends=True) or written_at_infinity
    return dataclasses.replace(chosen, cured=cured, left=left)


def _with_far_forms(
    candidates: list[tuple[Any, tuple[Rule, ...]]],
) -> Iterator[tuple[Any, tuple[Rule, ...]]]:
    """Yield the candidates, then what rules for arguments of every size make of them."""
    yield from candidates
    for expr, used in candidates:
        for found, more in far_forms(expr):
            yield found, tuple(dict.fromkeys((*used, *more)))


def _at_infinity(
    expr: Any,
    reference: Any,
    through: Mapping[str, tuple[Any, Any]] | None,
    of: Of,
    cases: list[Mapping[str, float]] | None,
) -> tuple[Finding, ...]:
    return tuple(
        finding for others in cases or [{}] for finding in at_infinity(expr, reference, through, of, others)
    )


def _made_finite(form: Form, asked: Callable[[Any], tuple[Finding, ...]]) -> Form:
    """Return the form with z kept finite, or weighed by its targets, if it has its limits only then."""
    if not asked(form.expression):
        return form
    weighed = with_weights(form.expression, _is_of_targets, lambda e: e.has(O, Z))
    ways = ((weighed, WEIGHTLESS), *((expr, AT_INFINITY) for expr in bounded(form.expression, Z)))
    for expr, rule in ways:
        if not asked(expr) and equal(expr, form.expression):
            return dataclasses.replace(form, expression=expr, rules=(*form.rules, rule))
    return form


def _is_of_targets(factor: Any) -> bool:
    return bool(factor.free_symbols) and not factor.has(O, Z)


def rewritten(expr: Any, used: tuple[Rule, ...] = ()) -> tuple[Any, tuple[Rule, ...]]:
    """Return the expression with the rules applied, and those of before and now."""
    found, more = rewrite(expr)
    return found, tuple(dict.fromkeys((*used, *more)))


def _weight(findings: tuple[Finding, ...]) -> float:
    """How much of the line is wrong, in decades, weighted by how often weighted sums are there."""
    return sum(1.0 if math.isnan(f.low) else 0.1 + _place(f.high) - _place(f.low) for f in findings)


def _place(x: float) -> float:
    """Return where a number lies on the line of both signs, 0 at 0."""
    decade = math.log10(max(min(abs(x), 1e308), 1e-300)) + 300
    tiny, usual, huge = min(decade, 291), min(max(decade - 291, 0), 18), max(decade - 309, 0)
    return math.copysign(tiny + 10 * usual + huge / 100, x)


def _scan(
    expr: Any,
    of: Literal["value", "derivative"],
    reference: Any,
    through: Mapping[str, tuple[Any, Any]] | None = None,
    floor: float = 0.0,
    limit: float | None = None,
    cases: list[Mapping[str, float]] | None = None,
    variable: str = "z",
    domain: tuple[float, float] = (-math.inf, math.inf),
    ends: bool = False,
    sparse: bool = False,
) -> tuple[Finding, ...]:
    return tuple(
        finding
        for dtype in reversed(DTYPES)
        for others in cases or [{}]
        for finding in scan_expression(
            expr, dtype, of, reference, variable, others, through, domain, floor, limit, ends, sparse
        )
    )


def largest(formula: Any, others: Mapping[str, float] | None = None, through: Through = ()) -> float:
    """Return the largest size of a formula in z for |z| <= 1: what errors next to 0 are measured by.

    A pole has none: measured by infinity, every error would be small.
    """
    stated = rewrite(with_numbers(put_in(formula, dict(through))))[0]
    letters = {letter.name for letter in stated.free_symbols}
    inner = tuple((name, with_numbers(true)) for name, (_, true) in through if name in letters)
    sizes = []
    for point in _NEAR:
        try:
            sizes.append(abs(float(exact(stated, {"z": point, **(others or {})}, inner))))
        except (NotReal, OverflowError):
            continue
    return max(filter(math.isfinite, sizes), default=0.0)

"""Stable forms of costs and of their derivatives by the weighted sums of output units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Sum

from symbp.algebra.nodes import Node
from symbp.derivation.records import Builder, equation
from symbp.derivation.stability.choose import Form, O, Z, best, largest, rewritten, value_form
from symbp.derivation.stability.rules import TARGET_APART, Rule, rewrite
from symbp.derivation.stability.scan import put_in
from symbp.derivation.stable import RULE, one_letter

if TYPE_CHECKING:
    from symbp.functions.records import Cost

Candidates = tuple[tuple[Any, tuple[Rule, ...]], ...]
Y = sympy.Symbol("y", real=True)
SAMPLES = sympy.Symbol("m", integer=True, positive=True)
# Targets for which costs are measured: both ends, and numbers between and beyond.
TARGETS = {
    "real": (0.0, 1.0, -2.5),
    "nonnegative": (0.0, 1.0, 2.5),
    "sign": (-1.0, 1.0),
    "unit_interval": (0.0, 1.0, 0.3),
    "distribution": (0.0, 1.0, 0.3),
}
# Beyond this many operations a product of factors is the only other form that is tried.
_SHORT = 40
_LINE = (-math.inf, math.inf)


@dataclass(frozen=True)
class CostForm:
    """The form of a cost, or of its derivative, for one output of one sample.

    Attributes
    ----------
    form : Form
        In the letters z (weighted sum), o (output) and y (target).
    back : dict
        What the letters stand for.
    weight : sympy.Expr
        The weight of the sample, 1 where samples have none.
    """

    form: Form
    back: dict[Any, Any]
    weight: Any

    @property
    def expression(self) -> Any:
        """The form in the network's own quantities."""
        return self.weight * self.form.expression.xreplace(self.back)


def cost(b: Builder, record: Cost, of_layer: bool) -> None:
    """Add the stable form of the cost (2.1s) where no other was found and it needs one."""
    found = None if "2.1s" in b else cost_form(b, record, of_layer)
    if found is None or not found.form.differs:
        return
    statement = b["2.1"]
    (total,) = statement.rhs.atoms(Sum)
    stable = statement.rhs.xreplace({total: Sum(found.expression, *total.limits)})
    b.add("2.1s", RULE, equation(statement.lhs, stable), found.form.because, ("2.1", "1.8"), functions=True)


def output_sensitivity(b: Builder, record: Cost) -> None:
    """Add the stable form of the sensitivities of output units (D.1fs), where they need one."""
    found = sensitivity_form(b, record)
    if found is not None and found.form.differs:
        stable = equation(b["D.1f"].lhs, found.expression / SAMPLES)
        b.add("D.1fs", RULE, stable, found.form.because, ("D.1f", "1.8"), functions=True)


def cost_form(b: Builder, record: Cost, of_layer: bool) -> CostForm | None:
    """Return the form of one summand of the cost, or None where it is no function of one output."""
    (total,) = b["2.1"].rhs.atoms(Sum)
    weight, plain = _weighted(total.function)
    letters = _letters(plain)
    if letters is None:
        return None
    h, y = letters
    summand = plain.xreplace({h: O, y: Y} if y is not None else {h: O})
    if not one_letter(summand, O, Y):
        return None
    cases = _cases(record, y)
    back = {O: h, Y: y} if y is not None else {O: h}
    if of_layer:
        forms: Candidates = ((summand, ()), rewritten(summand))
        domain = (0.0, 1.0) if record.output != "real" else _LINE
        return CostForm(best(forms, "value", cases, variable="o", domain=domain), back, weight)
    value = b["1.8"]
    formula = value.rhs.xreplace({Node("c", h.layer, value.lhs.indices): Z})
    if not one_letter(formula, Z):
        return None
    inside = summand.replace(lambda e: isinstance(e, sympy.log), lambda e: e.xreplace({O: formula}))
    through = (("o", (value_form(formula).expression, formula)),)
    forms = ((summand, ()), rewritten(summand), rewritten(inside))
    form = best(forms, "value", cases, through)
    if form.left:  # next to a root, where nothing keeps them, digits are no loss
        floor = max(largest(summand, dict(case), through) for case in cases)
        form = best(forms, "value", cases, through, floor=floor)
    return CostForm(form, {**back, Z: Node("c", h.layer, h.indices, h.sample)}, weight)


def sensitivity_form(b: Builder, record: Cost) -> CostForm | None:
    """Return the form of m delta of an output unit, or None where it is no function of one output."""
    statement, value = b["D.1f"], b["1.8"]
    weight, plain = _weighted(statement.rhs)
    letters = _letters(plain)
    (r,) = statement.lhs.indices
    c = Node("c", value.lhs.layer, (r,))
    formula = value.rhs.xreplace({Node("c", value.lhs.layer, value.lhs.indices): Z})
    if letters is None or not one_letter(formula, Z):
        return None
    h, y = letters
    rate = (plain * SAMPLES).xreplace({h: O, c: Z} | ({y: Y} if y is not None else {}))
    if not one_letter(rate, Z, O, Y):
        return None
    cases = _cases(record, y)
    through = (("o", (value_form(formula).expression, formula)),)
    # A unit whose own derivative needs a stable form keeps its digits here, too, however small it is.
    floor = 0.0 if "1.8ds" in b else max(largest(rate, dict(case), through) for case in cases)
    back = {Z: c, O: h, Y: y}
    apart = _apart(rate, formula)
    if apart is not None:
        form = best(((rate, ()), *apart), "derivative", cases, through, harmless=False)
        if not form.left:
            return CostForm(form, back, weight)
    forms: Candidates = ((rate, ()), _by_factors(b, h, y, c))
    if sympy.count_ops(rate) <= _SHORT:
        forms = (*forms, rewritten(rate), rewritten(put_in(rate, dict(through))))
    forms = (*forms, *((into_cases(expr), used) for expr, used in forms if into_cases(expr) != expr))
    form = best(forms, "derivative", cases, through, floor=floor)
    return CostForm(form, back, weight)


def _apart(rate: Any, formula: Any) -> Candidates | None:
    """Return output minus target, which is a difference of two numbers near 1, as one of small ones."""
    found = TARGET_APART.find(rate.xreplace({O: rewrite(formula)[0]}))
    return None if found is None else ((found, (TARGET_APART,)),)


def into_cases(product: Any) -> Any:
    """Multiply out a case distinction: its 0 is then 0, whatever stands beside it."""
    cases = [f for f in sympy.Mul.make_args(product) if isinstance(f, sympy.Piecewise)]
    if len(cases) != 1 or cases[0] == product or not any(value == 0 for value, _ in cases[0].args):
        return product
    rest = sympy.Mul(*(f for f in sympy.Mul.make_args(product) if f != cases[0]))
    return sympy.Piecewise(*((value * rest, test) for value, test in cases[0].args))


def _by_factors(b: Builder, h: Node, y: Any, c: Node) -> tuple[Any, tuple[Rule, ...]]:
    """Return m dJ/dh times g' of the output unit, each in its stable form."""
    own = b["2.1d"].lhs.wrt
    letters = {own: O, **({y.at_sample(own.sample): Y} if y is not None else {})}
    (index,) = own.indices
    to_unit = {index: h.indices[0]}
    slope = (_weighted(b["2.1d"].rhs)[1] * SAMPLES).xreplace(to_unit)
    slope = slope.xreplace({key.xreplace(to_unit): letter for key, letter in letters.items()})
    unit = b["1.8ds" if "1.8ds" in b else "1.8d"]
    kronecker = sympy.KroneckerDelta(unit.lhs.of.indices[0], unit.lhs.wrt.indices[0])
    factor = (unit.rhs / kronecker).xreplace({unit.lhs.of.indices[0]: h.indices[0]}).xreplace({c: Z, h: O})
    stable, used = rewritten(slope)
    return stable * factor, used


def _cases(record: Cost, y: Any) -> tuple[tuple[tuple[str, float], ...], ...]:
    if y is None:
        return ((),)
    return tuple((("y", target),) for target in TARGETS[record.targets])


def _weighted(expr: Any) -> tuple[Any, Any]:
    """Split an expression into the weight of its sample in the cost, 1 where it has none, and the rest."""
    weights = [n for n in expr.atoms(Node) if n.kind == "v"]
    return sympy.Mul(*weights), expr.xreplace(dict.fromkeys(weights, sympy.S.One))


def _letters(expr: Any) -> tuple[Any, Any] | None:
    """Return the one output and the one target (None if there is none) that an expression holds."""
    h, y = ([n for n in expr.atoms(Node) if n.kind == kind] for kind in ("h", "y"))
    if len(h) > 1 or len(y) > 1 or expr.has(Sum):
        return None
    own = Node("h", y[0].layer, y[0].indices, y[0].sample) if y else None
    head = h[0] if h else own
    return None if head is None else (head, y[0] if y else None)

"""Stable forms: other ways of writing the output and the cost that do not overflow.

Each is *found* in the network's own formulas, never chosen by name: a quotient of
exponentials is shifted by the largest exponent, and a cost that takes logarithms of an
exponential is written on the weighted sums. The 40-digit oracle checks each against the
form it replaces.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Sum

from symbp.algebra.nodes import Constant, MaxOver, Node, Partial, Softplus
from symbp.derivation import local
from symbp.derivation.records import Builder, Derivation, equation
from symbp.derivation.stability.choose import Form, O, Z, best, largest, rewritten, slope_form, value_form
from symbp.derivation.stability.rules import Rule
from symbp.derivation.stability.scan import put_in
from symbp.errors import DerivationError, SpecError

if TYPE_CHECKING:
    from symbp.functions.records import Cost

RULE = "stable form"
Candidates = tuple[tuple[Any, tuple[Rule, ...]], ...]
Y = sympy.Symbol("y", real=True)
# Targets for which costs are measured: both ends, and numbers between and beyond.
_TARGETS = {
    "real": (0.0, 1.0, -2.5),
    "nonnegative": (0.0, 1.0, 2.5),
    "sign": (-1.0, 1.0),
    "unit_interval": (0.0, 1.0, 0.3),
    "distribution": (0.0, 1.0, 0.3),
}


def label_of_form(steps: Builder | Derivation, label: str) -> str:
    """Return the label of a step's stable form (1.3s, k=1 for 1.3, k=1) where there is one, else its own."""
    head, comma, layer = label.partition(", k=")
    stable = f"{head}s{comma}{layer}"
    return stable if stable in steps else label


def hidden(b: Builder, layer: int) -> None:
    """Add the stable forms of g (1.3s) and of g' (1.3ds) of a hidden layer, where they need one."""
    value, slope = b[f"1.3, k={layer}"], b[f"1.3d, k={layer}"]
    c, o = slope.lhs.args[1], value.lhs
    formula, relation = value.rhs.xreplace({c: Z}), slope.rhs.xreplace({c: Z, o: O})
    if _one_letter(formula, Z):
        _add(b, f"1.3s, k={layer}", value, value_form(formula), {Z: c, O: o}, f"1.3, k={layer}")
        if _one_letter(relation, Z, O):
            form = slope_form(formula, relation)
            _add(b, f"1.3ds, k={layer}", slope, form, {Z: c, O: o}, f"1.3d, k={layer}", f"1.3, k={layer}")


def output_of_unit(b: Builder) -> None:
    """Add the stable forms of the output (1.8s) and its derivative (1.8ds) for one unit of the layer."""
    value, slope = b["1.8"], b["1.8d"]
    h, of = value.lhs, slope.lhs
    c = Node("c", h.layer, h.indices)
    formula = value.rhs.xreplace({c: Z})
    if not _one_letter(formula, Z) or not isinstance(of, Partial):
        return
    _add(b, "1.8s", value, value_form(formula), {Z: c, O: h}, "1.8")
    kronecker = sympy.KroneckerDelta(of.of.indices[0], of.wrt.indices[0])
    relation = (slope.rhs / kronecker).xreplace({c: Z, h: O})
    if _one_letter(relation, Z, O):
        form = slope_form(formula, relation)
        if form.differs:
            form = dataclasses.replace(form, expression=form.expression * kronecker)
            _add(b, "1.8ds", slope, form, {Z: c, O: h}, "1.8d", "1.8")


def cost(b: Builder, record: Cost, of_layer: bool) -> None:
    """Add the stable form of the cost (2.1s) where no other was found and it needs one."""
    if "2.1s" in b:
        return
    statement = b["2.1"]
    (total,) = statement.rhs.atoms(Sum)
    weight, plain = _weighted(total.function)
    letters = _letters(plain)
    if letters is None:
        return
    h, y = letters
    summand = plain.xreplace({h: O, y: Y} if y is not None else {h: O})
    if not _one_letter(summand, O, Y):
        return
    cases = _cases(record, y)
    if of_layer:
        forms: Candidates = ((summand, ()), rewritten(summand))
        domain = (0.0, 1.0) if record.output != "real" else _LINE
        form = best(forms, "value", cases, variable="o", domain=domain)
        back = {O: h}
    else:
        c = Node("c", h.layer, h.indices, h.sample)
        formula = b["1.8"].rhs.xreplace({Node("c", h.layer, b["1.8"].lhs.indices): Z})
        if not _one_letter(formula, Z):
            return
        inside = summand.replace(lambda e: isinstance(e, sympy.log), lambda e: e.xreplace({O: formula}))
        through = (("o", (value_form(formula).expression, formula)),)
        floor = max(largest(summand, dict(case), through) for case in cases)
        forms = ((summand, ()), rewritten(summand), rewritten(inside))
        form = best(forms, "value", cases, through, floor=floor)
        back = {O: h, Z: c}
    if form.differs:
        stable = weight * form.expression.xreplace({**back, Y: y})
        stable = statement.rhs.xreplace({total: Sum(stable, *total.limits)})
        b.add("2.1s", RULE, equation(statement.lhs, stable), form.because, ("2.1", "1.8"), functions=True)


def output_sensitivity(b: Builder, record: Cost) -> None:
    """Add the stable form of the sensitivities of output units (D.1fs), where they need one."""
    statement, value = b["D.1f"], b["1.8"]
    weight, plain = _weighted(statement.rhs)
    letters = _letters(plain)
    (r,) = statement.lhs.indices
    c = Node("c", value.lhs.layer, (r,))
    formula = value.rhs.xreplace({Node("c", value.lhs.layer, value.lhs.indices): Z})
    if letters is None or not _one_letter(formula, Z):
        return
    h, y = letters
    samples = sympy.Symbol("m", integer=True, positive=True)
    rate = (plain * samples).xreplace({h: O, c: Z} | ({y: Y} if y is not None else {}))
    if not _one_letter(rate, Z, O, Y):
        return
    cases = _cases(record, y)
    through = (("o", (value_form(formula).expression, formula)),)
    floor = max(largest(rate, dict(case), through) for case in cases)
    forms: Candidates = ((rate, ()), _by_factors(b, h, y, c))
    if sympy.count_ops(rate) <= _SHORT:
        forms = (*forms, rewritten(rate), rewritten(put_in(rate, dict(through))))
    form = best(forms, "derivative", cases, through, floor=floor)
    if form.differs:
        form = dataclasses.replace(form, expression=weight * form.expression / samples)
        _add(b, "D.1fs", statement, form, {Z: c, O: h, Y: y}, "D.1f", "1.8")


def _by_factors(b: Builder, h: Node, y: Any, c: Node) -> tuple[Any, tuple[Rule, ...]]:
    """Return m dJ/dh times g' of the output unit, each in its stable form."""
    own = b["2.1d"].lhs.wrt
    letters = {own: O, **({y.at_sample(own.sample): Y} if y is not None else {})}
    (index,) = own.indices
    to_unit = {index: h.indices[0]}
    slope = (_weighted(b["2.1d"].rhs)[1] * sympy.Symbol("m", integer=True, positive=True)).xreplace(to_unit)
    slope = slope.xreplace({key.xreplace(to_unit): letter for key, letter in letters.items()})
    unit = b["1.8ds" if "1.8ds" in b else "1.8d"]
    kronecker = sympy.KroneckerDelta(unit.lhs.of.indices[0], unit.lhs.wrt.indices[0])
    factor = (unit.rhs / kronecker).xreplace({unit.lhs.of.indices[0]: h.indices[0]}).xreplace({c: Z, h: O})
    stable, used = rewritten(slope)
    return stable * factor, used


def _cases(record: Cost, y: Any) -> tuple[tuple[tuple[str, float], ...], ...]:
    if y is None:
        return ((),)
    return tuple((("y", target),) for target in _TARGETS[record.targets])


# Beyond this many operations a product of factors is the only other form that is tried.
_SHORT = 40
_LINE = (-math.inf, math.inf)


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


def _one_letter(expr: Any, *letters: Any) -> bool:
    """Whether an expression holds only these letters, and numbers."""
    constants = expr.atoms(Constant)
    return bool(expr.free_symbols - constants <= set(letters)) and not expr.has(Sum)


def _add(b: Builder, label: str, statement: Any, form: Form, back: dict[Any, Any], *uses: str) -> None:
    if form.differs:
        right = form.expression.xreplace(back)
        b.add(label, RULE, equation(statement.lhs, right), form.because, uses, functions=True)


def shifted_output(b: Builder, output: Any) -> None:
    """Add the steps of the shifted quotient where the output is exp(u_q) / sum_s exp(u_s).

    exp(u) overflows for u > 709 in float64 (88 in float32); with the largest u taken off
    every exponent none is above 0, and the quotient is the same.
    """
    found = _quotient(output.rhs)
    if found is None:
        return
    exponential, total = found
    h = output.lhs
    neuron, layer = h.indices[0], h.layer
    (over, low, high) = total.limits[0]
    mu, e = Node("mu", layer), Node("e", layer, (neuron,))
    b.define(
        "1.8s.1",
        equation(mu, MaxOver(total.function.args[0], (over, low, high))),
        "the largest exponent",
        functions=True,
    )
    b.define(
        "1.8s.2", equation(e, sympy.exp(exponential.args[0] - mu)), "no exponent is above 0", functions=True
    )
    b.add(
        "1.8s.3",
        "shift",
        equation(h, e / Sum(e.xreplace({neuron: over}), (over, low, high))),
        "numerator and denominator divided by the same exponential",
        ("1.8", "1.8s.1", "1.8s.2"),
        functions=True,
    )


def _quotient(value: Expr) -> tuple[Expr, Sum] | None:
    """Return exp(u_q) and the sum of exp(u_s) if `value` is their quotient."""
    exponentials = [f for f in sympy.Mul.make_args(value) if isinstance(f, sympy.exp)]
    totals = [1 / f for f in sympy.Mul.make_args(value) if isinstance(1 / f, Sum)]
    if len(exponentials) != 1 or len(totals) != 1 or value != exponentials[0] / totals[0]:
        return None
    numerator, denominator = exponentials[0], totals[0]
    (over, *_), *rest = denominator.limits
    indices = numerator.free_symbols - denominator.free_symbols
    same = [q for q in indices if numerator.xreplace({q: over}) == denominator.function]
    return (numerator, denominator) if same and not rest else None


def cost_on_weighted_sums(b: Builder, output: Any, cost: Any, name: str) -> None:
    """Add the step of the cost on weighted sums where logarithms of the output simplify.

    log(h) is -inf as soon as h underflows, and 0 log(0) is NaN; written on the weighted
    sums the logarithm is finite wherever they are.
    """
    (total,) = cost.rhs.atoms(Sum)
    heads = [n for n in total.atoms(Node) if n.kind == "h"]
    if not total.has(sympy.log) or not heads:
        return
    head = heads[0]
    quotient = _quotient(output.rhs)
    logs = [e.args[0] for e in total.function.atoms(sympy.log) if e.has(head)]
    if quotient is not None and any(sympy.expand(argument.subs(head, 1)) == 0 for argument in logs):
        raise SpecError(
            f"cost {name!r} takes the logarithm of 1 - h, which a softmax rounds away as soon as one "
            "weighted sum is ahead by 38; use output activation 'sigmoid', or cost 'cross_entropy'"
        )
    neuron = output.lhs.indices[0]
    value = output.rhs.xreplace({neuron: head.indices[0]}).replace(
        lambda e: isinstance(e, Node), lambda e: e.at_sample(head.sample)
    )
    # Only inside logarithms: an output that stands outside is a number between 0 and 1.
    written = total.function.replace(lambda e: isinstance(e, sympy.log), lambda e: e.xreplace({head: value}))
    summand = _without_logs_of_outputs(written, head) if quotient or not value.has(Sum) else None
    if summand is None:
        return
    lse = Node("lse", head.layer, (), head.sample)
    uses = ["1.8", "2.1"]
    if summand.has(lse):
        _define_log_sum_exp(b, output)
        uses += ["1.8s.4"]
    stable = cost.rhs.xreplace({total: Sum(summand, *total.limits)})
    b.add(
        "2.1s",
        "cost on weighted sums",
        equation(cost.lhs, stable),
        "the logarithms of the outputs written out",
        tuple(uses),
        functions=True,
    )


def _without_logs_of_outputs(summand: Expr, head: Node) -> Expr | None:
    """Expand logarithms of outputs and name what is left: Softplus, log-sum-exp."""
    written = summand.replace(
        lambda e: isinstance(e, sympy.log),
        lambda e: sympy.expand_log(sympy.log(sympy.factor(sympy.together(e.args[0]))), force=True),
    )
    lse = Node("lse", head.layer, (), head.sample)
    written = written.replace(lambda e: isinstance(e, sympy.log), lambda e: _named(e, lse))
    if written.has(sympy.log):
        return None
    return local.simplify_entry(sympy.expand(written))


def _named(logarithm: Expr, lse: Node) -> Expr:
    argument = logarithm.args[0]
    if isinstance(argument, Sum) and isinstance(argument.function, sympy.exp):
        return lse
    if isinstance(argument, sympy.Add) and len(argument.args) == 2 and sympy.S.One in argument.args:
        (other,) = [a for a in argument.args if a != 1]
        if isinstance(other, sympy.exp):
            return Softplus(other.args[0])
    return logarithm


def _define_log_sum_exp(b: Builder, output: Any) -> None:
    found = _quotient(output.rhs)
    if found is None:
        raise DerivationError("1.8s.4: the output is no quotient of exponentials")
    over, low, high = found[1].limits[0]
    layer = output.lhs.layer
    e = Node("e", layer, (over,))
    b.define(
        "1.8s.4",
        equation(Node("lse", layer), Node("mu", layer) + sympy.log(Sum(e, (over, low, high)))),
        "the logarithm of the sum of exponentials, shifted",
        functions=True,
    )

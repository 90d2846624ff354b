"""The stable forms of a record, for the table of functions: those that the steps 1.3s, 1.8s and 2.1s take."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import L, Node, Width, cost, m, p, pre_activation, prediction, q, target
from symbp.derivation import local, shifted, stable_costs
from symbp.derivation.records import Builder, equation
from symbp.derivation.relation import stated_slope
from symbp.derivation.stability.choose import O, slope_form, value_form
from symbp.derivation.stated import stated_formula
from symbp.functions import ACTIVATIONS, Activation, Cost

# What an output unit usually is where a cost asks for outputs of a kind.
USUAL = {"real": "identity", "positive": "exp", "unit_interval": "sigmoid", "distribution": "softmax"}
_LAST = L + 1


def stable_activation(record: Activation) -> tuple[Expr | None, Expr | None]:
    """Return the forms of g and of g', in z and the output o; None where it is computed as it is written."""
    formula = stated_formula(record, 0)
    if record.of_layer:
        b = _output(record)
        return (_written_out(b, b["1.8s.3"].rhs) if "1.8s.3" in b else None), None
    relation = stated_slope(formula).xreplace({local.O: O})
    forms = value_form(formula), slope_form(formula, relation)
    value, slope = (form.expression if form.differs else None for form in forms)
    return value, slope


def stable_cost(record: Cost) -> Expr | None:
    """Return the form of the cost of one output, with output units as :data:`USUAL`."""
    unit = ACTIVATIONS[USUAL[record.output]]
    b = _output(unit)
    letters = {"h": prediction(q, p), "y": target(q, p)}
    summand = stated_formula(record, 0).xreplace({_letter(name): node for name, node in letters.items()})
    total = Sum(summand, (q, 1, Width(_LAST)), (p, 1, m)) / m
    b.define("2.1", equation(cost(), total), f"the cost is {record.name}", functions=True)
    shifted.cost_on_weighted_sums(b, b["1.8"], b["2.1"], record.name)
    stable_costs.cost(b, record, unit.of_layer)
    if "2.1s" not in b:
        return None
    (found,) = (e for e in b["2.1s"].rhs.atoms(Sum) if e.limits == total.args[1].limits)
    names = {node: _letter(name) for name, node in letters.items()}
    one = rules.without_samples(found.function.xreplace(names))
    return _written_out(b, one if unit.of_layer else one.xreplace({pre_activation(_LAST, q): local.Z}))


def _output(record: Activation) -> Builder:
    """State the output of a layer of any width, and the shift of its exponents."""
    b = Builder({})
    value = local.instantiate(stated_formula(record, 0), lambda n: pre_activation(_LAST, n), q, Width(_LAST))
    b.define("1.8", equation(prediction(q), value), f"the output activation is {record.name}", functions=True)
    if record.of_layer:
        shifted.shifted_output(b, b["1.8"])
    return b


def _written_out(b: Builder, value: Expr) -> Expr:
    """Put the auxiliary quantities of the shift in."""
    for label in ("1.8s.5", "1.8s.4", "1.8s.2", "1.8s.1"):
        if label in b:
            value = _put_in(value, b[label].lhs, b[label].rhs)
    return value


def _put_in(value: Expr, name: Node, definition: Expr) -> Expr:
    return value.replace(
        lambda e: isinstance(e, Node) and e.kind == name.kind,
        lambda e: definition.xreplace(dict(zip(name.indices, e.indices, strict=True))),
    )


def _letter(name: str) -> Any:
    return sympy.Symbol(name, real=True)

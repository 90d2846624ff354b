"""Stable forms of units: what kernels compute where functions overflow or lose digits as they are written.

Each is *found* in the network's own formulas, never chosen by name, and each is a step with
checks of its own. :mod:`.stable_costs` does the same for costs, :mod:`.shifted` for functions
of a whole layer.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import sympy
from sympy import Sum

from symbp.algebra.nodes import Constant, Node, Partial
from symbp.derivation.records import Builder, Derivation, equation
from symbp.derivation.stability.choose import Form, O, Z, slope_form, value_form

RULE = "stable form"


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
    if one_letter(formula, Z):
        add_form(b, f"1.3s, k={layer}", value, value_form(formula), {Z: c, O: o}, f"1.3, k={layer}")
        if one_letter(relation, Z, O):
            form = slope_form(formula, relation)
            add_form(b, f"1.3ds, k={layer}", slope, form, {Z: c, O: o}, f"1.3d, k={layer}", f"1.3, k={layer}")


def output_of_unit(b: Builder) -> None:
    """Add the stable forms of the output (1.8s) and its derivative (1.8ds) for one unit of the layer."""
    value, slope = b["1.8"], b["1.8d"]
    h, of = value.lhs, slope.lhs
    c = Node("c", h.layer, h.indices)
    formula = value.rhs.xreplace({c: Z})
    if not one_letter(formula, Z) or not isinstance(of, Partial):
        return
    add_form(b, "1.8s", value, value_form(formula), {Z: c, O: h}, "1.8")
    kronecker = sympy.KroneckerDelta(of.of.indices[0], of.wrt.indices[0])
    relation = (slope.rhs / kronecker).xreplace({c: Z, h: O})
    if one_letter(relation, Z, O):
        form = slope_form(formula, relation)
        if form.differs:
            form = dataclasses.replace(form, expression=form.expression * kronecker)
            add_form(b, "1.8ds", slope, form, {Z: c, O: h}, "1.8d", "1.8")


def one_letter(expr: Any, *letters: Any) -> bool:
    """Whether an expression holds only these letters, and numbers."""
    constants = expr.atoms(Constant)
    return bool(expr.free_symbols - constants <= set(letters)) and not expr.has(Sum)


def add_form(b: Builder, label: str, statement: Any, form: Form, back: dict[Any, Any], *uses: str) -> None:
    if form.differs:
        right = form.expression.xreplace(back)
        b.add(label, RULE, equation(statement.lhs, right), form.because, uses, functions=True)

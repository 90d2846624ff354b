"""Which of the ways to write g' a network's derivation states: what its kernels then compute.

A relation to the output that an exact ansatz finds (sigmoid, tanh, exp) is stated, and measured
where its stable form is chosen. One that is found through the inverse of g is stated only
where it saves a call, a root or a division and is as good as the derivative: (1 - \\|o\\|)^2 of
softsign, which has no digits left far from 0, is a step beside the derivative (1.3r).
"""

from __future__ import annotations

import functools
from typing import Any

import sympy
from sympy import Expr

from symbp.algebra.marks import Raised
from symbp.derivation import local
from symbp.derivation.inverse import relation_to_output
from symbp.derivation.stability.choose import O, is_as_good, slope_form, value_form

_CHEAP = (sympy.Abs, sympy.sign, sympy.Piecewise, Raised)


@functools.cache  # a deep network asks for the same activation in every layer
def stated_slope(formula: Expr) -> Expr:
    """Return g' as step 1.3d states it, in z and in :data:`.local.O`."""
    found = local.derivative_in_output(formula)
    through_inverse = None if found.has(local.O) else relation_to_output(formula)
    if through_inverse is None or why_beside(formula):
        return found
    return through_inverse


def relation_beside(formula: Expr) -> Expr | None:
    """Return the relation to the output alone that holds beside the stated g', where there is one."""
    if stated_slope(formula).has(local.O):
        return None
    return relation_to_output(formula)


@functools.cache
def why_beside(formula: Expr) -> str:
    """Say why kernels do not compute g' by its relation through the inverse of g; empty where they do."""
    through_inverse = relation_to_output(formula)
    assert through_inverse is not None
    relation = through_inverse.xreplace({local.O: O})
    value = value_form(formula).expression
    slope = slope_form(formula, local.derivative_in_output(formula)).expression
    if len(_dear(relation) - _dear(value)) >= len(_dear(slope) - _dear(value)):
        return (
            "beside what the value has needed, it takes no fewer calls, roots and divisions "
            "than the derivative"
        )
    if not is_as_good(formula, relation):
        return "it loses digits where the output has few of them left, and the derivative does not"
    return ""


def _dear(expr: Any) -> set[Any]:
    """Return the calls, roots and divisions of an expression."""
    return {
        e
        for e in sympy.preorder_traversal(expr)
        if (isinstance(e, sympy.Function) and not isinstance(e, _CHEAP))
        or (e.is_Pow and not e.is_number and (e.exp.is_negative or not e.exp.is_Integer))
    }

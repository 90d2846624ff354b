"""Stable forms: the rewritten equation is proved equal to the one it replaces."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Sum
from sympy.core.relational import Relational

from symbp.algebra import rules
from symbp.algebra.nodes import Node
from symbp.derivation.records import Check, Derivation, Step
from symbp.derivation.stability.proof import equal
from symbp.derivation.stable import RULE


def check_rewriting(derivation: Derivation, step: Step) -> Check | None:
    """Prove a stable form symbolically: definitions put in, branch by branch, over exponentials."""
    if step.rule != RULE:
        return None
    source = derivation[step.uses[0]].statement
    left, right = (_summand(side) for side in (source.rhs, step.statement.rhs))
    same = left[1] == right[1] and source.lhs == step.statement.lhs
    passed = same and (equal(left[0], right[0]) or _equal_with_outputs(derivation, step, left[0], right[0]))
    detail = f"equal to {step.uses[0]}" if passed else f"not proved equal to {step.uses[0]}"
    return Check(step.label, "rewriting", passed, detail)


def _equal_with_outputs(derivation: Derivation, step: Step, left: Any, right: Any) -> bool:
    """Compare both sides with the outputs written by the weighted sums."""
    definitions = [derivation[label].statement for label in step.uses[1:] if derivation[label].defines]
    for definition in definitions:
        left, right = (_put_in(definition, side) for side in (left, right))
    return bool(definitions) and equal(left, right)


def _put_in(definition: Any, expr: Any) -> Any:
    """Put the right side of a definition in place of every node that it defines.

    The conditions of case distinctions keep the node: SymPy would write a comparison of cases
    there, which no proof here reads. Both sides ask the same, or the proof fails.
    """

    def one(node: Node) -> Any:
        to_node = dict(zip(definition.lhs.indices, node.indices, strict=True))
        value = definition.rhs.xreplace(to_node)
        sample = node.sample
        if sample is None:
            return value
        return rules.at_sample(value, sample)

    kind = definition.lhs.kind
    conditions: dict[Any, Any] = {r: sympy.Dummy() for r in expr.atoms(Relational) if r.atoms(Node)}
    put = expr.xreplace(conditions).replace(lambda e: isinstance(e, Node) and e.kind == kind, one)
    return put.xreplace({dummy: r for r, dummy in conditions.items()})


def _summand(expr: Any) -> tuple[Any, Any]:
    """Split an average of a double sum into its summand and what stands around it."""
    totals = expr.atoms(Sum)
    if len(totals) != 1:
        return expr, None
    (total,) = totals
    place = sympy.Dummy("sum")
    return total.function, (expr.xreplace({total: place}).subs(place, 1), total.limits)

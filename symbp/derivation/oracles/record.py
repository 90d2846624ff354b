"""Equations that come from a record of functions: they say what the record says, kinks included."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Piecewise

from symbp.algebra.nodes import Node
from symbp.derivation import local
from symbp.derivation.architecture import stated_cost, stated_hidden, stated_output
from symbp.derivation.components import RULE as COMPONENT
from symbp.derivation.oracles.real import evaluate, number
from symbp.derivation.penalty import stated_of_penalty
from symbp.derivation.records import Check, Derivation, Step

_STEP = number(10) ** -25


def check_record(derivation: Derivation, step: Step) -> Check | None:
    """Compare a definition with the formula of its record, as expressions."""
    # A component is not what the record says but an instance of it: numbers check that.
    stated = None if step.rule == COMPONENT else _stated(derivation, step.label)
    if stated is None:
        return None
    passed = bool(step.statement.rhs == stated)
    detail = "what the record states" if passed else f"the record states {stated}"
    return Check(step.label, "record", passed, detail)


def _stated(derivation: Derivation, label: str) -> Any:
    network = derivation.network
    if derivation.training.penalty is not None and label.startswith(("2.1p", "2.1rf")):
        return stated_of_penalty(derivation.training.penalty, network, label)
    if network is None:
        return None
    if label == "1.8":
        return stated_output(network)
    if label == "2.1":
        return stated_cost(network)
    if label.startswith("1.3, k="):
        return stated_hidden(network, int(label.removeprefix("1.3, k=")))
    return None


def check_kinks(derivation: Derivation, step: Step) -> Check | None:
    """Compare g' with the branch that holds *at* each kink: that branch declares the value there."""
    if derivation.network is None or not step.label.startswith("1.3d, k="):
        return None
    formula = derivation.network.layer(int(step.label.removeprefix("1.3d, k="))).activation.expression()
    kinks = _kinks(formula)
    names = {node: local.Z if node.kind == "c" else _OUTPUT for node in step.statement.rhs.atoms(Node)}
    found = step.statement.rhs.xreplace(names)
    for kink in kinks:
        values = {"z": number(kink.p) / kink.q, "output": evaluate(formula, {"z": number(kink.p) / kink.q})}
        branch = next(value for value, condition in formula.args if condition.subs(local.Z, kink) == True)  # noqa: E712
        sides = (evaluate(branch, {"z": values["z"] + sign * _STEP}) for sign in (1, -1))
        slope = (next(sides) - next(sides)) / (2 * _STEP)
        if abs(evaluate(found, values) - slope) > number(10) ** -20:
            return Check(step.label, "kink", False, f"at z = {kink} the declared branch has slope {slope}")
    return (
        Check(step.label, "kink", True, f"the declared value at {', '.join(map(str, kinks))}")
        if kinks
        else None
    )


_OUTPUT = sympy.Symbol("output", real=True)


def _kinks(formula: Any) -> list[Any]:
    """Return the rational numbers at which a case distinction of the formula switches."""
    if not isinstance(formula, Piecewise):
        return []
    relations = {
        r for _, condition in formula.args for r in condition.atoms(sympy.core.relational.Relational)
    }
    points = {side for r in relations for side in r.args if side.is_Rational}
    return sorted(points)

"""What an update rule promises: nothing at learning rate 0, and to first order a lower cost."""

from __future__ import annotations

import random
from typing import Any

from sympy import Integer, Rational

from symbp.algebra.nodes import Node, Partial, cost, eta
from symbp.derivation.records import Check, Step

POINTS = 8


def check_descent(step: Step) -> Check:
    """Check (w_new - w) dJ/dw < 0 for a positive learning rate, exactly, at random points.

    The product is the first-order change of the cost that the change of one weight brings.
    """
    rng = random.Random(3)
    new_weight = step.statement.lhs
    weights = [Node("w", new_weight.layer, new_weight.indices)]
    gradients = [Partial(cost(), weights[0])]
    others = step.statement.rhs.xreplace(dict.fromkeys((weights[0], gradients[0]), Integer(1))).atoms(
        Node, Partial
    )
    if others:
        return Check(step.label, "descent", False, f"{others} is neither the weight nor its gradient")
    for _ in range(POINTS):
        weight, gradient = (Rational(rng.choice((-1, 1)) * rng.randint(1, 999), 100) for _ in range(2))
        at: dict[Any, Any] = {weights[0]: weight, gradients[0]: gradient}
        new = step.statement.rhs.xreplace(at)
        if new.subs(eta, 0) != weight:
            return Check(step.label, "descent", False, "learning rate 0 changes the weight")
        if not (new.subs(eta, Rational(rng.randint(1, 99), 1000)) - weight) * gradient < 0:
            return Check(step.label, "descent", False, f"the cost rises at gradient {gradient}")
    return Check(step.label, "descent", True, f"the cost falls to first order at {POINTS} points")

"""What an update rule promises: nothing at learning rate 0, and to first order a lower cost."""

from __future__ import annotations

import random
from typing import Any

from symbp.algebra.nodes import L, Node, eta, i, j, k
from symbp.derivation.oracles.interpret import Interpreter
from symbp.derivation.oracles.model import Key
from symbp.derivation.oracles.real import RealModel
from symbp.derivation.records import Check, Step

WEIGHTS = 20


def check_descent(step: Step, model: RealModel) -> Check:
    """Sum (w_new - w) dJ/dw over some weights, with dJ/dw by central differences; it must be negative."""
    rng = random.Random(3)
    new, old = step.statement.rhs, Node("w", k, (i, j))
    change: Any = 0
    for _ in range(WEIGHTS):
        layer = rng.randint(1, model.shape.last)
        row = rng.randint(1, model.shape.widths[layer])
        column = rng.randint(1, model.shape.inputs(layer))
        interpreter = Interpreter(model, {L: model.shape.hidden, k: layer, i: row, j: column})
        weight = interpreter.expression(old)
        if not model.same(interpreter.expression(new.xreplace({eta: 0 * eta})), weight):
            return Check(step.label, "descent", False, "learning rate 0 changes a weight")
        slope = model.partial(Key("J", model.shape.last, (), 1), Key("w", layer, (row, column), 1))
        change += (interpreter.expression(new) - weight) * slope
    passed = bool(change < 0)
    detail = f"the cost falls to first order in {WEIGHTS} weights" if passed else "the cost does not fall"
    return Check(step.label, "descent", passed, detail)

"""Whether putting functions into an equation kept its value.

Both sides are evaluated entry by entry with a random number for every quantity: the slopes
and the Jacobian of the outputs, wherever the plain equation names one, from the right sides of
1.3d and 1.8d, or of their stable forms, at that very neuron. No substitution into a sum, no
collapse and no factoring takes part, and the work does not grow with the depth of the network.
"""

from __future__ import annotations

import functools
import random
from typing import Any

from symbp.algebra.nodes import i, q, r
from symbp.derivation.oracles.cases import assignments
from symbp.derivation.oracles.interpret import Interpreter
from symbp.derivation.oracles.model import Key, NoSuchQuantity, NotApplicable, Shape
from symbp.derivation.oracles.real import Reals
from symbp.derivation.records import Check, Derivation, Step
from symbp.derivation.resolved import RULE
from symbp.derivation.stable import label_of_form
from symbp.values import counted


class LooseModel(Reals):
    """Every quantity is a random number of its own; only slopes come from equations."""

    def __init__(self, derivation: Derivation, shape: Shape) -> None:
        super().__init__(shape)
        self.derivation = derivation
        self.slope = functools.cache(self._slope)
        self._number = functools.cache(self._draw)

    def _draw(self, *place: Any) -> Any:
        drawn = random.Random(repr(place))
        return self.number(drawn.choice((-1, 1)) * drawn.randint(200, 1000), 1000)

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        return self._number(kind, layer, indices, sample)

    def partial(self, of: Key, wrt: Key) -> Any:
        if of.kind == "sigma":
            return self._right_side("1.8d", {q: of.indices[0], r: wrt.indices[0]})
        return self._number(str(of), str(wrt), of.sample)

    def _slope(self, layer: int, neuron: int, sample: int) -> Any:
        return self._right_side(f"1.3d, k={layer}", {i: neuron})

    def _right_side(self, label: str, env: dict[Any, int]) -> Any:
        step = self.derivation[label_of_form(self.derivation, label)]
        return Interpreter(self, env).expression(step.statement.rhs)


def check_put_in(derivation: Derivation, step: Step, shape: Shape) -> Check | None:
    """Compare a resolved equation with the plain one that it was made from."""
    if step.rule != RULE:
        return None
    plain = derivation[step.uses[0]].statement
    if step.statement.lhs != plain.lhs:
        return Check(step.label, "put in", False, f"{step.uses[0]} is an equation for something else")
    model, compared = LooseModel(derivation, shape), 0
    try:
        for env in assignments(step, shape, random.Random(step.label)):
            right, expected = (Interpreter(model, env).expression(e) for e in (step.statement.rhs, plain.rhs))
            if not model.same(right, expected):
                return Check(step.label, "put in", False, f"{shape}: not the value of {step.uses[0]}")
            compared += 1
    except (NoSuchQuantity, NotApplicable, ArithmeticError) as error:
        return Check(step.label, "put in", False, f"{shape}: {error}")
    return Check(
        step.label, "put in", compared > 0, f"the value of {step.uses[0]} in {counted(compared, 'case')}"
    )

"""All oracles of one derivation, and what they say of a step."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symbp.algebra.nodes import L, m
from symbp.derivation.oracles.cases import assignments
from symbp.derivation.oracles.descent import check_descent
from symbp.derivation.oracles.field import FieldModel
from symbp.derivation.oracles.interpret import Chains, Interpreter
from symbp.derivation.oracles.jets import JetModel
from symbp.derivation.oracles.model import Model, NoSuchQuantity, NotApplicable, Shape
from symbp.derivation.oracles.real import RealModel
from symbp.derivation.oracles.structure import check_induction, check_types
from symbp.derivation.records import Check, Derivation, Step

if TYPE_CHECKING:
    from symbp.network import Network

# Up to this product of weights and layers every step is also checked with the real functions;
# beyond it only the steps that hold those functions, whose cost does not grow with the step S.
REAL_WORK = 20_000


class Panel:
    """The oracles for the steps of one derivation.

    Parameters
    ----------
    derivation : Derivation
        Supplies the network, the recursion that an induction rests on, and the definitions
        of auxiliary quantities.
    """

    def __init__(self, derivation: Derivation) -> None:
        network = derivation.network
        self.derivation = derivation
        self.models: list[tuple[str, Model]] = [
            ("jets", JetModel(_small_shape(network))),
            ("field", FieldModel(_shape(network), seed=1)),
            ("mpmath", RealModel(network or _sample_network(), seed=2)),
        ]
        auxiliary = [step for step in derivation.steps if step.defines and step.label.startswith("1.8s")]
        self.chains: dict[str, Chains] = {method: {} for method, _ in self.models}
        self.definitions = {step.statement.lhs.kind: step.statement for step in auxiliary}

    def checks(self, step: Step) -> tuple[Check, ...]:
        """Ask every oracle about a step."""
        types = check_types(step)
        if not types.passed:
            return (types,)  # what is not typed cannot be evaluated
        return (types, *self._of_structure(step), *self._of_values(step))

    def _of_structure(self, step: Step) -> Iterator[Check]:
        induction = check_induction(self.derivation, step)
        if induction is not None:
            yield induction
        if step.label == "2.2":
            yield check_descent(step)

    def _of_values(self, step: Step) -> Iterator[Check]:
        if step.label == "2.2":
            return  # it defines the new weight; what it must do is the check of descent
        found = [
            check for check in (self._in_model(step, *model) for model in self.models) if check is not None
        ]
        yield from found
        if not found:
            yield self._no_case(step)

    def _in_model(self, step: Step, method: str, model: Model) -> Check | None:
        """Compare both sides in a model, for several layers and indices; None if it cannot say."""
        if isinstance(model, JetModel) and "k=" in step.label:
            return None  # an instance has the network's own sizes; the jets have theirs
        if step.functions and not isinstance(model, RealModel):
            return None  # the functions of jets and field are unspecified
        if isinstance(model, RealModel) and not step.functions and _work(model.network) > REAL_WORK:
            return None
        compared = 0
        try:
            for env in assignments(step, model.shape, random.Random(step.label)):
                left, right = Interpreter(model, env, self.definitions, self.chains[method]).sides(
                    step.statement
                )
                problem = None if _same(model, left, right) else "left and right differ"
                if step.label == "1.8s.2" and left > 1:
                    problem = "an exponent is above 0"
                if problem:
                    return Check(step.label, method, False, f"{model.shape}, {_at(env)}: {problem}")
                compared += 1
        except NotApplicable:
            return None
        except NoSuchQuantity as error:
            return Check(step.label, method, False, f"{model.shape}: {error}")
        return Check(step.label, method, True, f"{compared} cases on {model.shape}") if compared else None

    def _no_case(self, step: Step) -> Check:
        """Tell an equation about layers that the network does not have from one nobody can evaluate."""
        shape = self.models[-1][1].shape
        vacuous = not any(True for _ in assignments(step, shape, random.Random(0)))
        detail = f"speaks of no layer of {shape}" if vacuous else "no oracle can evaluate this equation"
        return Check(step.label, "range", vacuous, detail)


def _work(network: Network) -> int:
    return network.n_params * (network.hidden + 1)


def _shape(network: Network | None) -> Shape:
    if network is None:
        return Shape((3, 5, 2, 4, 3), (True, True, True, True))
    return Shape(network.sizes, tuple(network.has_bias(n) for n in range(1, network.hidden + 2)))


def _small_shape(network: Network | None) -> Shape:
    """A shape for the jets: two hidden layers if there are any, biases as in the network."""
    if network is None:
        return Shape((2, 2, 3, 2), (True, True, True))
    depth = min(network.hidden, 2)
    biases = [network.has_bias(n) for n in range(1, network.hidden + 2)]
    chosen = (*biases[:depth], biases[-1])
    if network.hidden >= 2 and len(set(biases)) == 2 and len(set(chosen)) == 1:
        chosen = (not chosen[0], *chosen[1:])
    return Shape((*(2, 2, 3, 2)[: depth + 1], 2), tuple(chosen))


def _sample_network() -> Network:
    from symbp.network import Dense, Network

    hidden = [Dense(3, "tanh"), Dense(2, "sigmoid")]
    return Network(2, [*hidden, Dense(3, "softmax")], "cross_entropy")


def _same(model: Model, left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.shape == right.shape and all(map(model.same, left.flat, right.flat))
    return not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray) and model.same(left, right)


def _at(env: dict[Any, int]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in env.items() if symbol not in (L, m))

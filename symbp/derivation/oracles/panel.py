"""All oracles of one derivation, and what they say of a step."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symbp.algebra import rules
from symbp.algebra.nodes import L, Node, m
from symbp.algebra.updates import batch
from symbp.derivation.oracles.cases import MANY, assignments
from symbp.derivation.oracles.field import FieldModel
from symbp.derivation.oracles.interpret import Chains, Descent, Interpreter, defined_name
from symbp.derivation.oracles.jets import JetModel
from symbp.derivation.oracles.model import Model, NoSuchQuantity, NotApplicable, Shape
from symbp.derivation.oracles.put_in import check_put_in
from symbp.derivation.oracles.real import RealModel
from symbp.derivation.oracles.record import check_kinks, check_record
from symbp.derivation.oracles.rewriting import check_rewriting
from symbp.derivation.oracles.structure import check_induction, check_types
from symbp.derivation.oracles.training import check_training, constant_check, slope_of
from symbp.derivation.records import Check, Derivation, Step, equation
from symbp.derivation.resolved import RULE
from symbp.derivation.samples import DESCENDS
from symbp.derivation.updates import is_update, multiples, stated_update
from symbp.values import counted

if TYPE_CHECKING:
    from symbp.functions import Penalty
    from symbp.network import Network

# Up to this product of weights and layers every step is also checked with the real functions;
# beyond it only the steps that hold those functions, whose cost does not grow with the step S.
REAL_WORK = 20_000
# Up to this number of weights the penalty of a network is summed with 40 digits.
MANY_WEIGHTS = 1_000
# Up to this width a layer is narrow, and its functions are tried at this many samples.
NARROW, MANY_SAMPLES = 2, 6
# Equations of one neuron, whose function may have branches: the slopes, and D.1 with the output's put in.
OF_ONE_NEURON = ("1.3", "D.1f")
# Whole numbers are soonest done, polynomials last.
_SOONEST = ("field", "mpmath", "jets")


class Panel:
    """The oracles for the steps of one derivation.

    Parameters
    ----------
    derivation : Derivation
        Supplies the network, the recursion that an induction rests on, and the definitions
        of auxiliary quantities.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        # The generic equations hold for any depth, so they are tried where every case of
        # their layers occurs, also for a network that has few layers.
        self.generic, self.batches = _generic(_biases(derivation.network), derivation.training.penalty)
        self.own: tuple[Oracle, ...] = ()
        if derivation.network is not None:
            own = derivation.network
            penalty = derivation.training.penalty
            self.own = (
                Oracle("field", FieldModel(_shape(own), seed=1)),
                Oracle("mpmath", RealModel(own, seed=2, samples=_samples(own), penalty=penalty)),
            )
        auxiliary = [step for step in derivation.steps if step.defines and step.label.startswith("1.8s")]
        self._definitions = tuple((defined_name(step.statement.lhs), step.statement) for step in auxiliary)
        self._defined = {step.statement.lhs.kind for step in auxiliary}

    def checks(self, step: Step) -> tuple[Check, ...]:
        """Ask every oracle about a step."""
        return tuple(self._each(step))

    def refutes(self, step: Step) -> bool:
        """Whether some oracle says that the step is wrong; after that no other one is asked."""
        return not all(check.passed for check in self._each(step, _SOONEST.index))

    def _each(self, step: Step, order: Callable[[str], int] | None = None) -> Iterator[Check]:
        """Ask one oracle after the other; those of values in another order than they are told in."""
        yield (types := check_types(step))
        if not types.passed:
            return  # what is not typed cannot be evaluated
        if is_update(step.label):
            yield from check_training(self.derivation, step)
            yield from self._of_norm(step)
            return
        if step.label.startswith("2.1p."):
            yield constant_check(step)
            return
        structured = False
        for check in self._of_structure(step):
            yield check
            structured = True
        if not (self._is_long(step) and structured):
            yield from self._of_values(step, order)

    def _of_structure(self, step: Step) -> Iterator[Check]:
        for ask in (check_induction, check_record, check_kinks, check_rewriting):
            if (check := ask(self.derivation, step)) is not None:
                yield check
        if self.own and (check := check_put_in(self.derivation, step, self.own[0].model.shape)) is not None:
            yield check

    def _is_long(self, step: Step) -> bool:
        """Whether a penalty runs over so many weights that only its record is compared."""
        network = self.derivation.network
        over_weights = step.label.startswith("2.1p, ") or step.label == "2.1rf"
        return over_weights and network is not None and network.n_params > MANY_WEIGHTS

    def _of_norm(self, step: Step) -> Iterator[Check]:
        """The norm of all gradients is the one definition of the update that a network can check."""
        if step.label == "2.2c.1":
            found = [self._in_model(step, oracle) for oracle in self.generic if oracle.method == "mpmath"]
            yield from (check for check in found if check is not None)

    def _of_values(self, step: Step, order: Callable[[str], int] | None) -> Iterator[Check]:
        oracles = self.own if step.functions or "k=" in step.label else self.generic
        if step.statement.has(batch):
            oracles = self.batches
        if order is not None:
            oracles = tuple(sorted(oracles, key=lambda oracle: order(oracle.method)))
        found = False
        for oracle in oracles:
            if (check := self._in_model(step, oracle)) is not None:
                yield check
                found = True
        if not found and step.rule != RULE:  # that rule has an oracle of its own
            yield Check(step.label, "range", False, "no oracle can evaluate this equation")

    def _in_model(self, step: Step, oracle: Oracle) -> Check | None:
        """Compare both sides in a model; a generic step needs that once for all networks."""
        if oracle in self.own:
            return _compare(step, oracle, self._definitions, self._descent(step.label))
        kinds = {node.kind for node in step.statement.atoms(Node)}
        used = self._definitions if kinds & self._defined else ()
        # Without what a model does not ask for: the reason, and how a page would print it.
        asked = Step(
            step.label, step.rule, step.statement, (), "", step.assumes, step.defines, step.functions
        )
        return _known(asked, oracle, used, self._descent(step.label))

    def _descent(self, label: str) -> Descent | None:
        """Return what the weight of an equation becomes in an update, from the record of the rule."""
        if label not in DESCENDS:
            return None
        training = self.derivation.training
        slope = slope_of(self.derivation)
        found = multiples(stated_update(training.rule, slope)[-1][1], slope)
        return None if found is None else Descent(DESCENDS[label], training.penalty is not None, *found)


@dataclass(frozen=True, eq=False)
class Oracle:
    """A model with a name, and the products of S-matrices evaluated in it so far."""

    method: str
    model: Model
    chains: Chains = field(default_factory=dict)


@functools.lru_cache(maxsize=8)
def _generic(
    biases: tuple[bool, ...], penalty: Penalty | None
) -> tuple[tuple[Oracle, ...], tuple[Oracle, ...]]:
    """Return the oracles for generic steps: of whole data, and of mini-batches."""
    whole = (
        Oracle("jets", JetModel(Shape((2, 2, 3, 2), biases[:3]))),
        Oracle("field", FieldModel(Shape((3, 5, 2, 4, 3), biases), seed=1)),
        Oracle("mpmath", RealModel(_sample_network(biases), seed=2, penalty=penalty)),
    )
    # Mini-batches of two, the second one too.
    four = Oracle("field", FieldModel(Shape((3, 2, 4), biases[:2], samples=4), seed=1))
    if penalty is None:
        return whole, (four, *whole[2:])
    # The field does not know the penalty.
    real = RealModel(_sample_network(biases), seed=2, samples=4, penalty=penalty)
    return whole, (four, Oracle("mpmath", real))


def _compare(
    step: Step, oracle: Oracle, definitions: tuple[tuple[Any, Any], ...], descent: Descent | None
) -> Check | None:
    """Compare both sides in a model, for several layers and indices; None if it cannot say."""
    method, model = oracle.method, oracle.model
    if isinstance(model, FieldModel) and step.functions:
        return None  # the functions of the field are unspecified
    grows = not step.functions or step.rule == RULE
    if isinstance(model, RealModel) and grows and _work(model.network) > REAL_WORK:
        return None
    compared, largest = 0, None
    try:
        for env, statement in _cases(step, model):
            interpreter = Interpreter(model, env, dict(definitions), oracle.chains)
            interpreter.descent = descent
            left, right = interpreter.sides(statement)
            if not _same(model, left, right):
                return Check(step.label, method, False, f"{model.shape}, {_at(env)}: left and right differ")
            compared += 1
            if step.label == "1.8s.2":
                largest = left if largest is None else max(left, largest)
    except NotApplicable:
        return None
    except NoSuchQuantity as error:
        return Check(step.label, method, False, f"{model.shape}: {error}")
    except ArithmeticError as error:  # only a replaced statement divides by 0
        return Check(step.label, method, False, f"{model.shape}: it has no value there: {error!r}")
    if step.label == "1.8s.2" and model.shape.widths[-1] <= MANY and not model.same(largest, 1):
        return Check(step.label, method, False, "the largest shifted exponent is not 0")
    if not compared:
        return None
    return Check(step.label, method, True, f"{counted(compared, 'case')} on {model.shape}")


# A verdict depends on nothing but the step, the model and the definitions that the step uses.
_known = functools.lru_cache(maxsize=16_384)(_compare)


def _cases(step: Step, model: Model) -> Iterator[tuple[dict[Any, int], Any]]:
    """Yield cases with the statement to try there.

    A function of one neuron is tried at every sample: at the first, the few neurons of a
    layer may all be on the same side of a kink.
    """
    everywhere = isinstance(model, RealModel) and step.functions and step.label.startswith(OF_ONE_NEURON)
    left, right = step.statement.args
    for env in assignments(step, model.shape, random.Random(step.label)):
        yield env, step.statement
        if everywhere:
            for p in range(2, model.shape.samples + 1):
                sample = sympy.Integer(p)
                yield env, equation(rules.at_sample(left, sample), rules.at_sample(right, sample))


def _work(network: Network) -> int:
    # A difference of J runs over all outputs, and a sum of such over all outputs once more.
    return network.n_params * (network.hidden + 1) + 4 * network.sizes[-1] ** 2


def _samples(network: Network) -> int:
    """A narrow layer has few neurons to try an equation at: try it at more samples."""
    return MANY_SAMPLES if min(network.sizes[1:]) <= NARROW else 2


def _shape(network: Network) -> Shape:
    return Shape(network.sizes, network.biases)


def _biases(network: Network | None) -> tuple[bool, ...]:
    """Four layers with biases, without, or mixed, as the network's equations have them."""
    kinds = {True} if network is None else set(network.biases)
    return (False, True, False, True) if len(kinds) == 2 else (kinds.pop(),) * 4


def _sample_network(biases: tuple[bool, ...]) -> Network:
    from symbp.network import Dense, Network

    hidden = [Dense(3, "tanh", biases[0]), Dense(2, "sigmoid", biases[1])]
    # No two widths are equal where that could hide a wrong layer.
    return Network(2, [*hidden, Dense(4, "softmax", biases[2])], "cross_entropy")


def _same(model: Model, left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.shape == right.shape and all(map(model.same, left.flat, right.flat))
    return not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray) and model.same(left, right)


def _at(env: dict[Any, int]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in env.items() if symbol not in (L, m))

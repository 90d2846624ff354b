"""The oracles: independent ways of telling whether a step is true.

types, induction
    The statement itself: shapes, indices, base and step.
jets
    SymPy's own derivative of a small composed network of unspecified functions, compared
    as polynomials: a proof for that shape and any functions.
field
    The same at the network's own sizes, with random numbers of a large prime field.
mpmath
    The network's real functions at 40 digits, against central differences.
descent
    For the update: a learning rate of 0 changes nothing, a small one lowers the cost.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Eq, Symbol

from symbp.algebra.matrices import OutputRow
from symbp.algebra.nodes import L, Node, Width, j, k, l, m
from symbp.derivation.oracles.descent import check_descent
from symbp.derivation.oracles.field import FieldModel
from symbp.derivation.oracles.interpret import Interpreter, integer
from symbp.derivation.oracles.jets import JetModel
from symbp.derivation.oracles.model import Model, NoSuchQuantity, NotApplicable, Shape
from symbp.derivation.oracles.real import RealModel
from symbp.derivation.oracles.structure import check_induction, check_types
from symbp.derivation.records import Check, Derivation, Step

if TYPE_CHECKING:
    from symbp.network import Network

# Up to this many weights every step is also checked with the real functions; beyond it only
# the steps that hold those functions (their cost does not grow with the layer's step S).
REAL_PARAMS = 4000
LAYER_PAIRS = 8
MANY = 8
_LAYERS = (k, l)


def check_all(derivation: Derivation) -> dict[str, tuple[Check, ...]]:
    """Ask every oracle about every step.

    Returns
    -------
    dict
        Label -> the checks of that step.
    """
    models = list(_models(derivation.network))
    return {step.label: tuple(_checks(derivation, step, models)) for step in derivation.steps}


def _models(network: Network | None) -> Iterator[tuple[str, str, Model]]:
    yield "jets", "2-2-3-2", JetModel(_small_shape(network))
    shape = _generic_shape() if network is None else _shape(network)
    yield "field", str(shape), FieldModel(shape, seed=1)
    real = _generic_network() if network is None else network
    yield "mpmath", "-".join(map(str, real.sizes)), RealModel(real, seed=2)


def _shape(network: Network) -> Shape:
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
    return Shape((2, 2, 3, 2)[: depth + 1] + (2,), tuple(chosen))


def _generic_shape() -> Shape:
    return Shape((3, 5, 2, 4, 3), (True, True, True, True))


def _generic_network() -> Network:
    from symbp.network import Dense, Network

    hidden = [Dense(3, "tanh"), Dense(2, "sigmoid")]
    return Network(2, [*hidden, Dense(3, "softmax")], "cross_entropy")


def _checks(derivation: Derivation, step: Step, models: list[tuple[str, str, Model]]) -> Iterator[Check]:
    types = check_types(step)
    yield types
    if not types.passed:
        return  # what is not typed cannot be evaluated
    induction = check_induction(derivation, step)
    if induction is not None:
        yield induction
    if step.label == "2.2":
        yield check_descent(step)
    found = [check for check in (_check_in_model(step, *model) for model in models) if check is not None]
    yield from found
    if not found and not step.label == "2.2":
        yield _no_case(step, models)


def _no_case(step: Step, models: list[tuple[str, str, Model]]) -> Check:
    """Tell an equation about layers that the network does not have from one nobody can evaluate."""
    _, where, model = models[-1]
    vacuous = not any(True for _ in _assignments(step, model.shape, random.Random(0)))
    detail = f"speaks of no layer of {where}" if vacuous else "no oracle can evaluate this equation"
    return Check(step.label, "range", vacuous, detail)


def _check_in_model(step: Step, method: str, where: str, model: Model) -> Check | None:
    """Compare both sides in a model, for several layers and indices; None if it cannot say."""
    if isinstance(model, JetModel) and "k=" in step.label:
        return None  # an instance has the network's own sizes; the jets have theirs
    if step.functions and not isinstance(model, RealModel):
        return None  # the functions of jets and field are unspecified
    if isinstance(model, RealModel) and not step.functions and model.network.n_params > REAL_PARAMS:
        return None
    rng = random.Random(step.label)
    compared = 0
    try:
        for env in _assignments(step, model.shape, rng):
            left, right = Interpreter(model, env).sides(step.statement)
            if not _same(model, left, right):
                return Check(step.label, method, False, f"{where}, {_at(env)}: left and right differ")
            compared += 1
    except NotApplicable:
        return None
    except NoSuchQuantity as error:
        return Check(step.label, method, False, f"{where}: {error}")
    if compared == 0:
        return None
    return Check(step.label, method, True, f"{compared} cases on {where}")


def _same(model: Model, left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.shape == right.shape and all(map(model.same, left.flat, right.flat))
    return not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray) and model.same(left, right)


def _at(env: dict[Any, int]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in env.items() if symbol not in (L, m))


def _assignments(step: Step, shape: Shape, rng: random.Random) -> Iterator[dict[Any, int]]:
    """Yield layers that meet the step's conditions, each with indices in their ranges."""
    fixed = {L: shape.hidden, m: shape.samples}
    free = {x for x in step.statement.free_symbols if isinstance(x, Symbol) and not isinstance(x, Node)}
    layers = [x for x in _LAYERS if x in free]
    choices = [fixed | dict(zip(layers, values, strict=True)) for values in _products(layers, shape)]
    allowed = [env for env in choices if all(_holds(c, env, shape) for c in step.assumes if not _on_data(c))]
    for env in _spread(allowed, rng):
        ranges = _ranges(step, free - set(layers) - set(fixed), env, shape)
        for indices in _index_choices(ranges, rng):
            yield env | indices


def _index_choices(ranges: dict[Any, int], rng: random.Random) -> Iterator[dict[Any, int]]:
    """Yield indices at random, all at their last value, and all equal: Kronecker deltas ask for that."""
    if len(ranges) == 1:  # every neuron, as far as that is cheap: some may be switched off
        ((symbol, high),) = ranges.items()
        yield from ({symbol: n} for n in range(1, min(high, MANY) + 1))
        return
    yield {symbol: rng.randint(1, high) for symbol, high in ranges.items()}
    yield dict(ranges)
    if len(ranges) > 1:
        one = rng.randint(1, min(ranges.values()))
        yield dict.fromkeys(ranges, one)
        # A weight met in its own row, at its last column.
        yield {symbol: high if symbol == j else min(one, high) for symbol, high in ranges.items()}


def _products(layers: list[Any], shape: Shape) -> Iterable[tuple[int, ...]]:
    every = range(0, shape.last + 1)
    if not layers:
        return [()]
    if len(layers) == 1:
        return [(a,) for a in every]
    return [(a, b) for a in every for b in every]


def _spread(environments: list[dict[Any, int]], rng: random.Random) -> list[dict[Any, int]]:
    """Keep the first, the last and some in between: a deep network has many pairs of layers."""
    if len(environments) <= LAYER_PAIRS:
        return environments
    inner = rng.sample(environments[1:-1], LAYER_PAIRS - 2)
    return [environments[0], *inner, environments[-1]]


def _on_data(condition: Any) -> bool:
    return bool(condition.atoms(Node))


def _holds(condition: Any, env: dict[Any, int], shape: Shape) -> bool:
    """Whether a condition on layers holds; one that also names an index bounds its range."""
    try:
        a, b = (integer(side, env, shape) for side in (condition.lhs, condition.rhs))
    except (KeyError, IndexError):
        return not isinstance(condition, Eq)
    return bool({"<=": a <= b, "<": a < b, ">=": a >= b, ">": a > b}[condition.rel_op])


def _ranges(step: Step, indices: set[Any], env: dict[Any, int], shape: Shape) -> dict[Any, int]:
    """Return the largest value of every index: from the left side, and from the step's conditions.

    An index that the left side does not have takes its range from the right.
    """
    bounds: dict[Any, int] = {}

    def bound(symbol: Any, extent: Any) -> None:
        if symbol in indices:
            high = integer(extent, env, shape)
            bounds[symbol] = min(high, bounds.get(symbol, high))

    def bound_by(side: Any, only: set[Any]) -> None:
        for node in sorted(side.atoms(Node), key=str):
            if any(x not in env and x not in indices for x in node.layer.free_symbols):
                continue
            for position, extent in zip(node.indices, node.extents, strict=True):
                if position in only:
                    bound(position, extent)
            if node.sample in only:
                bound(node.sample, m)
        for row in side.atoms(OutputRow):
            if row.args[0] in only:
                bound(row.args[0], Width(L + 1))

    bound_by(step.statement.lhs, indices)
    bound_by(step.statement.rhs, indices - set(bounds))
    for condition in step.assumes:
        if condition.lhs in bounds:
            bound(condition.lhs, condition.rhs)
    return dict(sorted(bounds.items(), key=lambda item: str(item[0])))

"""Whether the steps of one update are what the records say, and do what an update is for.

record
    The statement is what the record states.
text
    Several updates, with states that evolve: the statement gives the numbers that a second
    reader gets from the record's text.
clip
    The factor makes a long gradient as long as the largest norm, and leaves a short one alone.
descent
    From the initial states, at w = 0, the update lowers the cost to first order, and with
    learning rate 0 no weight changes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from sympy import Expr, Symbol, nan, oo, zoo

from symbp.algebra.nodes import Constant, Node, Partial, cost, w_ij
from symbp.algebra.updates import CLIPPED, PerWeight, clip_factor, penalised_cost, per_weight
from symbp.derivation.oracles.formula import evaluate, number
from symbp.derivation.oracles.real import DIGITS
from symbp.derivation.oracles.text import evaluate_text, mp, run_assignments
from symbp.derivation.records import Check, Derivation, Step
from symbp.derivation.updates import labels, stated_clipping, stated_schedule, stated_update
from symbp.errors import DerivationError

UPDATES, WEIGHTS = 3, 2
POINTS = 8


def slope_of(derivation: Derivation) -> Any:
    """Return what is differentiated for the update: the derivative of the minimised cost."""
    whole = cost() if derivation.training.penalty is None else penalised_cost(cost().layer)
    return Partial(whole, w_ij)


def check_training(derivation: Derivation, step: Step) -> Iterator[Check]:
    """Yield the checks of one step under 2.2."""
    head, _, tail = step.label.partition(".")[2].partition(".")
    if head in ("2p", "2s") and tail:
        yield constant_check(step)
        return
    try:
        if head == "2s":
            yield from _check_schedule(derivation, step)
        elif head == "2c":
            yield from _check_clipping(derivation, step)
        else:
            yield from _check_assignment(derivation, step)
    except (DerivationError, ArithmeticError) as error:  # what the statement speaks of has no value
        yield Check(step.label, "text", False, str(error))


def constant_check(step: Step) -> Check:
    """A parameter has the value that its letter knows."""
    left, right = step.statement.args
    passed = isinstance(left, Constant) and left.value == right
    return Check(step.label, "record", passed, "the value of the record" if passed else "another value")


def _compare(step: Step, stated: Any) -> Check:
    passed = bool(step.statement.rhs == stated)
    return Check(step.label, "record", passed, "what the record states" if passed else f"it states {stated}")


def _value(expr: Expr, values: dict[Any, Any]) -> Any:
    """Evaluate an expression in weights, states, gradients, parameters and counters."""
    known = {**values, **{c: number(c.value.p) / c.value.q for c in expr.atoms(Constant)}}
    letters = {quantity: Symbol(f"q{n}", real=True) for n, quantity in enumerate(known)}
    written = expr.xreplace(letters)
    strange = written.atoms(Node, Partial, PerWeight, Symbol) - set(letters.values())
    if strange:
        raise DerivationError(f"{', '.join(sorted(map(str, strange)))}: no value in this update")
    if written.has(nan, zoo, oo):
        raise DerivationError(f"{expr} is not finite")
    return evaluate(written, {letter.name: known[quantity] for quantity, letter in letters.items()})


def _same(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= mp.mpf(10) ** -DIGITS * max(1, abs(a), abs(b)))


def _draw(rng: random.Random, low: int = -999, high: int = 999) -> Any:
    return number(rng.randint(low, high) or 1) / 1000


# Assignments ------------------------------------------------------------------------------


def _check_assignment(derivation: Derivation, step: Step) -> Iterator[Check]:
    rule, slope = derivation.training.rule, _gradient(derivation)
    position = labels(rule).index(step.label)
    stated = stated_update(rule, slope)
    yield _compare(step, stated[position][1])
    name = rule.read()[position].name
    compared = 0
    for at, expected in _runs(derivation):
        found = _value(step.statement.rhs, at)
        if not _same(found, expected[name]):
            yield Check(step.label, "text", False, f"update {compared % UPDATES + 1}: {name} differs")
            return
        compared += 1
    yield Check(step.label, "text", True, f"{name} over {UPDATES} updates, {compared} numbers")
    if position == len(stated) - 1:
        yield check_descent(derivation, step)


def _gradient(derivation: Derivation) -> Any:
    return per_weight(CLIPPED) if derivation.training.clipped else slope_of(derivation)


def _runs(derivation: Derivation) -> Iterator[tuple[dict[Any, Any], dict[str, Any]]]:
    """Yield, for several updates of several weights, what is known and what the text makes of it."""
    rule, rng = derivation.training.rule, random.Random(5)
    slope = _gradient(derivation)
    given = {name: number(repr(value)) for name, value in rule.constants.items()}
    for _ in range(WEIGHTS):
        names: dict[str, Any] = {"w": _draw(rng)}
        names |= {name: number(repr(float(value))) for name, value in rule.states.items()}
        for step_number in range(1, UPDATES + 1):
            names |= {"gradient": _draw(rng), "learning_rate": _draw(rng, 1), "step": number(step_number)}
            after = run_assignments(rule.assignments, {**names, **given})
            yield _quantities(rule, slope, names, after), after
            names = {name: after[name] for name in ("w", *rule.states)}


def _quantities(rule: Any, slope: Any, before: dict[str, Any], after: dict[str, Any]) -> dict[Any, Any]:
    at: dict[Any, Any] = {w_ij: before["w"], slope: before["gradient"]}
    at |= {Symbol("eta", real=True): before["learning_rate"]}
    at |= {Symbol("step", integer=True, nonnegative=True): before["step"]}
    at |= {per_weight(name, "old"): before[name] for name in rule.states}
    for name, _ in rule.read()[:-1]:
        at[per_weight(name, "new" if name in rule.states else "own")] = after[name]
    return at


def check_descent(derivation: Derivation, step: Step) -> Check:
    """Check what the first update does: nothing at learning rate 0, and down at w = 0.

    The change of the weight times dJ/dw is the first-order change of the cost. At w = 0 a
    decay of the weights plays no part.
    """
    rng, rule = random.Random(3), derivation.training.rule
    slope = _gradient(derivation)
    constants = {name: number(repr(value)) for name, value in rule.constants.items()}
    states = {name: number(repr(float(value))) for name, value in rule.states.items()}
    for _ in range(POINTS):
        gradient = rng.choice((-1, 1)) * _draw(rng, 10)

        def new_weight(weight: Any, rate: Any, gradient: Any = gradient) -> Any:
            before = {"w": weight, "gradient": gradient, "learning_rate": rate, "step": number(1), **states}
            after = run_assignments(rule.assignments, {**before, **constants})
            return _value(step.statement.rhs, _quantities(rule, slope, before, after))

        weight = _draw(rng)
        if not _same(new_weight(weight, number(0)), weight):
            return Check(step.label, "descent", False, "learning rate 0 changes the weight")
        if not new_weight(number(0), _draw(rng, 1, 99)) * gradient < 0:
            return Check(step.label, "descent", False, f"the cost rises at gradient {mp.nstr(gradient, 4)}")
    return Check(step.label, "descent", True, f"the cost falls to first order at {POINTS} points")


# Schedule and clipping --------------------------------------------------------------------


def _check_schedule(derivation: Derivation, step: Step) -> Iterator[Check]:
    schedule, rng = derivation.training.schedule, random.Random(7)
    yield _compare(step, stated_schedule(schedule))
    constants = {name: number(repr(value)) for name, value in schedule.constants.items()}
    for n in range(POINTS):
        per_epoch, epochs = rng.randint(1, 40), rng.randint(2, 40)
        done = rng.randrange(per_epoch * epochs) if n else 0
        counts = {"step": done, "steps": per_epoch * epochs, "epoch": done // per_epoch, "epochs": epochs}
        given = {name: number(count) for name, count in counts.items()}
        rate = _draw(rng, 1)
        expected = evaluate_text(schedule.formula, {**given, **constants, "rate": rate})
        at = {
            Symbol(name, integer=True, nonnegative=True): value + (1 if name == "step" else 0)
            for name, value in given.items()
        }
        found = _value(step.statement.rhs, {**at, Symbol("eta_0", real=True): rate})
        if not _same(found, expected):
            yield Check(step.label, "text", False, f"the rate differs after {done} updates")
            return
    yield Check(step.label, "text", True, f"{POINTS} places of a run")


def _check_clipping(derivation: Derivation, step: Step) -> Iterator[Check]:
    slope = slope_of(derivation)
    stated = dict(zip(("1", "2", "3"), stated_clipping(slope), strict=True))
    yield _compare(step, stated[step.label.rpartition(".")[2]])
    if step.label == "2.2c.2":
        norm, largest = (Symbol(name, real=True) for name in ("gradient_norm", "clip_norm"))
        for length in (number(3), number(1) / 7, number(2)):
            factor = _value(step.statement.rhs, {norm: length, largest: number(2)})
            if not _same(factor * length, min(length, number(2))):
                yield Check(
                    step.label, "clip", False, f"a gradient of length {length} becomes another length"
                )
                return
        yield Check(step.label, "clip", True, "longer, shorter and equal gradients")
    if step.label == "2.2c.3":
        found = _value(step.statement.rhs, {clip_factor: number(3), slope: number(7)})
        yield Check(step.label, "clip", _same(found, number(21)), "the gradient times the factor")

"""Equation 2.2: one step of the optimiser, assignment by assignment, from its record.

The learning rate of a schedule (2.2s) and the clipping of gradients (2.2c) come before it.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, MatAdd, MatMul, Piecewise, Sum

from symbp.algebra.matrices import GradientMatrix, Updated, WeightMatrix
from symbp.algebra.nodes import Inputs as NumberOfInputs
from symbp.algebra.nodes import L, Node, Partial, Width, eta, i, j, k, l, r, s, w_ij, weight
from symbp.algebra.nodes import cost as cost_node
from symbp.algebra.updates import (
    CLIPPED,
    PerWeight,
    clip_factor,
    clip_norm,
    epoch,
    epochs,
    eta_0,
    gradient_norm,
    per_weight,
    step,
    steps,
)
from symbp.derivation.conditions import ANY_LAYER
from symbp.derivation.penalty import constants, define_constants, in_letters
from symbp.derivation.records import Builder, equation
from symbp.functions import Schedule, Training, UpdateRule


def train(b: Builder, training: Training, cost: Node) -> None:
    """Add the steps of one update.

    Parameters
    ----------
    b : Builder
    training : Training
    cost : Node
        What is minimised, with or without a penalty.
    """
    if not training.schedule.is_constant:
        _schedule(b, training.schedule)
    slope: Expr = Partial(cost, w_ij)
    if training.clipped:
        slope = _clip(b, slope)
    _update(b, training.rule, slope)


def _schedule(b: Builder, schedule: Schedule) -> None:
    stated = stated_schedule(schedule)
    define_constants(b, "2.2s", schedule, stated)
    b.define("2.2s", equation(eta, stated), f"learning-rate schedule {schedule.name}")


def stated_schedule(schedule: Schedule) -> Any:
    """Return the learning rate as the record states it; before update number t, t - 1 are done."""
    given = {"rate": eta_0, "step": step - 1, "steps": steps, "epoch": epoch, "epochs": epochs}
    return in_letters(schedule.read(), {**given, **constants(schedule)})


def _clip(b: Builder, slope: Partial) -> PerWeight:
    """Clip by the global norm (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, algorithm 1)."""
    norm, factor, clipped = stated_clipping(slope)
    b.define("2.2c.1", equation(gradient_norm, norm), "the norm of the gradient of all weights together")
    b.define("2.2c.2", equation(clip_factor, factor), "a longer gradient is scaled down to the largest norm")
    b.define("2.2c.3", equation(per_weight(CLIPPED), clipped), "its direction stays as it is", ANY_LAYER)
    return per_weight(CLIPPED)


def stated_clipping(slope: Partial) -> tuple[Any, Any, Any]:
    """Return norm, factor and clipped gradient. A norm that is NaN exceeds nothing: NaN stays NaN."""
    every = Sum(
        Partial(slope.of, weight(l, r, s)) ** 2, (s, 1, NumberOfInputs(l)), (r, 1, Width(l)), (l, 1, L + 1)
    )
    factor = Piecewise((clip_norm / gradient_norm, gradient_norm > clip_norm), (1, True))
    return sympy.sqrt(every), factor, clip_factor * slope


def _update(b: Builder, rule: UpdateRule, slope: Any) -> None:
    stated = stated_update(rule, slope)
    values = sympy.Tuple(*(value for _, value in stated))
    define_constants(b, "2.2p", rule, values)
    for label, (left, right) in zip(labels(rule), stated, strict=True):
        b.define(label, equation(left, right), f"update rule {rule.name}", ANY_LAYER)
    if "2.2" in b:
        _in_matrices(b, slope)


def _in_matrices(b: Builder, slope: Any) -> None:
    """Add 2.2 for all weights of a layer, where it is the weight and a multiple of the gradient."""
    found = multiples(b["2.2"].rhs, slope)
    if not isinstance(slope, Partial) or found is None or found[0] != 1:
        return
    weights = WeightMatrix(k)
    gradient = GradientMatrix(weights, *([] if slope.of == cost_node() else [slope.of]))
    b.add(
        "2.2m",
        "matrix form",
        equation(Updated(weights), MatAdd(weights, MatMul(found[1], gradient))),
        "2.2 for all weights of the layer",
        ("2.2",),
        ANY_LAYER,
    )


def multiples(updated: Any, slope: Any) -> tuple[Any, Any] | None:
    """Return how often the weight and its gradient stand in the new weight; None if it is no such sum."""
    whole = sympy.expand(updated)
    of_weight, of_slope = whole.coeff(w_ij), whole.coeff(slope)
    rest = sympy.expand(whole - of_weight * w_ij - of_slope * slope)
    if rest != 0 or any(factor.has(w_ij, slope) for factor in (of_weight, of_slope)):
        return None
    return of_weight, of_slope


def labels(rule: UpdateRule) -> tuple[str, ...]:
    """Return the label of every assignment: 2.2 for a single one, else 2.2.1, 2.2.2, ..."""
    count = len(rule.read())
    return ("2.2",) if count == 1 else tuple(f"2.2.{n}" for n in range(1, count + 1))


def stated_update(rule: UpdateRule, slope: Any) -> tuple[tuple[Any, Any], ...]:
    """Return left and right side of every assignment as the record states them.

    Parameters
    ----------
    rule : UpdateRule
    slope : Expr
        What stands for ``gradient``.
    """
    letters: dict[str, Any] = {
        "w": w_ij,
        "gradient": slope,
        "learning_rate": eta,
        "step": step,
        **constants(rule),
        **{name: per_weight(name, "old") for name in rule.states},
    }
    stated = []
    for name, value in rule.read():
        right = in_letters(value, letters)
        left = Node("w_new", k, (i, j)) if name == "w" else _assigned(rule, name)
        stated.append((left, right))
        letters[name] = left
    return tuple(stated)


def _assigned(rule: UpdateRule, name: str) -> PerWeight:
    return per_weight(name, "new" if name in rule.states else "own")


def is_update(label: str) -> bool:
    """Whether a label belongs to the update: to 2.2 and all that stands under it."""
    return label == "2.2" or label.startswith(("2.2.", "2.2p", "2.2s", "2.2c"))

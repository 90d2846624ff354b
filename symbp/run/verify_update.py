"""The compiled update against the records: several steps, with states that evolve.

The formulas of the records are evaluated in float64 over NumPy, line by line as they stand;
the gradient in them is that of the plain network. Penalty, clipping and schedule take part
as they were declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symbp.errors import TrainingError
from symbp.run import paths
from symbp.run.evaluate import Floats, evaluate
from symbp.run.point import Point
from symbp.run.report import Row, name_of_weight, relative_errors
from symbp.run.scale import gradient_scale

if TYPE_CHECKING:
    from symbp.run.trainer import Trainer

STEPS = 3
# The largest change of a step, as a share of the largest weight: not lost in the rounding of
# the weights, and small enough that a step leads to no other kind of place.
CHANGE = 1 / 16
# How far a gradient is moved to see how much an update makes of its rounding.
NUDGE = 1e-7


def update_row(trainer: Trainer, point: Point, rng: np.random.Generator, tolerance: float) -> Row:
    """Compare the changes of the weights in :data:`STEPS` updates over all samples."""
    rule = trainer.spec.train.optimizer
    largest, place, compared = 0.0, name_of_weight(trainer.network, 0), 0
    for error, at in _steps(trainer, point, rng):
        compared += point.w.size
        if not error <= largest:  # a NaN is larger than any number
            largest, place = error, name_of_weight(trainer.network, at)
        if np.isnan(error):
            break
    what = f"kernel, {STEPS} steps"
    return Row("update", what, f"formulas of {rule.name}", compared, largest, place, tolerance)


def _steps(trainer: Trainer, point: Point, rng: np.random.Generator) -> Any:
    """Yield the worst error of each step and the weight that has it."""
    by_hand = _ByHand(trainer, point)
    scale = gradient_scale(trainer.network, point, rng)
    w, state = point.w, None
    for step in range(STEPS):
        at = replace(point, w=w)
        gradient = paths.plain_tape(trainer.network, at).values
        if step == 0:
            by_hand.choose_rate(w, gradient)
        # Gradients below and above the largest norm take turns.
        clip = None if trainer.spec.train.clip_norm is None else (2.0 if step == 1 else 0.5) * _norm(gradient)
        stepped, state = _take_step(trainer, at, by_hand.rate, clip, state)
        nudged = gradient + NUDGE * scale * rng.choice([-1.0, 1.0], size=scale.size)
        # What rounding of the gradient does to the change, per relative rounding: an update that
        # divides by the gradient's size makes much of little where the gradient is 0.
        sensitivity = np.abs(
            by_hand.change(w, nudged, clip, step)[0] - by_hand.change(w, gradient, clip, step)[0]
        )
        change, by_hand.states = by_hand.change(w, gradient, clip, step)
        size = np.maximum(np.max(np.abs(change)), sensitivity / NUDGE)
        found = paths.of_shape(stepped, w.shape, "weights after a step")
        errors = relative_errors(found - w, change, size)
        worst = int(np.argmax(errors))
        yield float(errors[worst]), worst
        w = found


class _ByHand:
    """The rule, schedule and clipping of a declaration, carried out over NumPy arrays."""

    def __init__(self, trainer: Trainer, point: Point) -> None:
        train = trainer.spec.train
        self.rule, self.schedule = train.optimizer, train.schedule
        self.rate = 1.0
        self.states = {name: np.full(point.w.size, float(x)) for name, x in self.rule.states.items()}

    def choose_rate(self, w: Floats, gradient: Floats) -> None:
        """Make the largest change :data:`CHANGE` times the largest weight."""
        change, _ = self.change(w, gradient, None, 0)
        largest = float(np.max(np.abs(change)))
        if np.isfinite(largest) and largest > 0:
            self.rate = CHANGE * float(np.max(np.abs(w))) / largest

    def change(
        self, w: Floats, gradient: Floats, clip: float | None, step: int
    ) -> tuple[Floats, dict[str, Floats]]:
        """Return the change of the weights by update number step + 1, and the new states."""
        names: dict[str, Any] = {**self.rule.constants, **self.states, "w": w, "step": float(step + 1)}
        names["learning_rate"] = self.learning_rate(step)
        norm = _norm(gradient)
        names["gradient"] = gradient * (clip / norm) if clip is not None and norm > clip else gradient
        for name, formula in self.rule.read():
            names[name] = _value(formula, names)
        return names["w"] - w, {name: names[name] for name in self.rule.states}

    def learning_rate(self, step: int) -> float:
        """Return the rate after so many updates of :data:`STEPS`, one for each epoch."""
        counts = {"step": step, "steps": STEPS, "epoch": step, "epochs": STEPS}
        names = {**self.schedule.constants, **counts, "rate": self.rate}
        return float(_value(self.schedule.read(), names))


def _value(formula: sympy.Expr, names: Mapping[str, Any]) -> Any:
    return evaluate(formula, {symbol: names[symbol.name] for symbol in formula.free_symbols})


def _norm(gradient: Floats) -> float:
    return float(np.sqrt(np.sum(gradient**2)))


def _take_step(
    trainer: Trainer, point: Point, rate: float, clip: float | None, state: Any
) -> tuple[Any, Any]:
    """Take one step; a cost that is not finite on the way is found as NaN."""
    further = {"state": state, "clip_norm": clip, "total_epochs": STEPS if state is not None else None}
    if not trainer.spec.train.schedule.is_constant:
        further["total_epochs"] = STEPS
    try:
        stepped, history = trainer.fit(
            point.w.astype(trainer.dtype),
            point.X.astype(trainer.dtype),
            point.Y.astype(trainer.dtype),
            epochs=1,
            batch_size=len(point.X),
            learning_rate=rate,
            shuffle=False,
            progress=False,
            **further,
            **paths.sample_weight(trainer, point),
        )
    except TrainingError:
        return np.full_like(point.w, np.nan), None
    return stepped, getattr(history, "state", None)

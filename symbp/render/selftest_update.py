"""The part of the test vector that covers one update: weights, gradient and states of a pattern.

The expected values come from the text of the rule, read a second time and evaluated with 100
digits, not from the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbp.derivation.oracles.text import evaluate_text, mp, run_assignments
from symbp.errors import DerivationError

if TYPE_CHECKING:
    from symbp.spec import TrainOptions

STEP = 3
RATE = 0.125
CLIP = 0.25
STEPS, EPOCH, EPOCHS = 10, 1, 5
POSITIONS = 4  # besides the last one, which a vectorised loop treats on its own


@dataclass(frozen=True)
class UpdateVector:
    """What ``_update`` must give, and ``_rate`` where there is one.

    Attributes
    ----------
    rows : tuple
        Position, new weight and new states, for some weights.
    rate : float or None
        The scheduled learning rate of update :data:`STEP`.
    """

    rows: tuple[tuple[float, ...], ...]
    rate: float | None


def update_vector(
    train: TrainOptions,
    n_params: int,
    weight: Callable[[int], Any],
    gradient: Callable[[int], Any],
    state: Callable[[int], Any],
    length: Callable[[], Any],
) -> UpdateVector:
    """Compute what one update makes of the patterns.

    Parameters
    ----------
    train : TrainOptions
    n_params : int
    weight, gradient, state : callable
        Position -> number. States are taken without their signs: some stand under a root.
    length : callable
        Returns the norm of the whole gradient.
    """
    rule = train.optimizer
    factor = mp.mpf(1)
    if train.clip_norm is not None:
        norm = length()
        factor = CLIP / norm if norm > CLIP else factor
    constants = {name: mp.mpf(repr(value)) for name, value in rule.constants.items()}
    rows = []
    for t in sorted({*range(min(POSITIONS, n_params)), n_params - 1}):
        states = {name: abs(state(number * n_params + t)) for number, name in enumerate(rule.states)}
        given = {"w": weight(t), "gradient": factor * gradient(t), "learning_rate": mp.mpf(RATE)}
        after = run_assignments(rule.assignments, {**given, **constants, **states, "step": mp.mpf(STEP)})
        rows.append((t, *(float(after[name]) for name in ("w", *rule.states))))
    if not all(math.isfinite(x) for row in rows for x in row):
        raise DerivationError(f"optimizer {rule.name!r} is not finite at ordinary weights and gradients")
    return UpdateVector(tuple(rows), _rate(train))


def _rate(train: TrainOptions) -> float | None:
    schedule = train.schedule
    if schedule.is_constant:
        return None
    counts = {"step": STEP - 1, "steps": STEPS, "epoch": EPOCH, "epochs": EPOCHS, "rate": RATE}
    given = {name: mp.mpf(repr(value)) for name, value in {**counts, **schedule.constants}.items()}
    return float(evaluate_text(schedule.formula, given))

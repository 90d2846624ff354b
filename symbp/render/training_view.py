"""What the trainer's template needs to know of one update: arguments, states, options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbp.plan.training import symbols_of

if TYPE_CHECKING:
    from symbp.plan.program import Program
    from symbp.spec import TrainOptions


@dataclass(frozen=True)
class State:
    """One quantity that the rule keeps: its name, the name in the kernel, and how it starts."""

    name: str
    code: str
    initial: float


class TrainingView:
    """The shape of ``_update``, ``_epoch`` and ``fit``.

    Attributes
    ----------
    states : tuple of State
    penalised, scheduled, counted : bool
        Whether there is a penalty or a schedule, and whether anything depends on the number of
        the update.
    update, epoch : str
        The further arguments of ``_update`` and ``_epoch``, each after a comma.
    fused : bool
        Whether a step applies the update while gradients are in registers.
    rate : str
        What an epoch calls the learning rate of a step.
    factors : tuple of str
        Numbers of the update that all weights share, where the step is fused.
    factor_arguments, states_argument : str
        What they are computed from, and the states after a comma.
    clip_norm : float or None
    options : str
        What stands beside the optimiser in the file's header.
    """

    def __init__(self, program: Program, train: TrainOptions) -> None:
        kernels = {kernel.name: kernel for kernel in program.kernels}
        update = kernels["update"]
        names = [array.name for array in update.arrays if array.role == "state"]
        pairs = zip(train.optimizer.states.items(), names, strict=True)
        self.states = tuple(State(name, code, float(initial)) for (name, initial), code in pairs)
        self.penalised, self.scheduled = "penalty" in kernels, "rate" in kernels
        symbols = symbols_of(update)
        clipped = ["clip_norm"] if "clip_norm" in symbols else []
        steps = ["step"] if "step" in symbols else []
        states = ["states"] if self.states else []
        self.counted = bool(steps) or self.scheduled
        self.update = _further([*clipped, *steps, *states])
        counters = ["step"] if self.counted else []
        run = ["steps", "epoch", "epochs"] if self.scheduled else []
        self.epoch = _further([*clipped, *counters, *states, *run])
        self.rate = "rate" if self.scheduled else "learning_rate"
        self.fused = "descend" in kernels
        reads_inputs = self.fused and any(array.role == "data" for array in kernels["descend"].arrays)
        self.descend_from = "X, rows, start, " if reads_inputs else ""
        factors = kernels["factors"].statements if "factors" in kernels else ()
        self.factors = tuple(s.target.array for s in factors)
        self.factor_arguments = ", ".join(["learning_rate", *clipped, *steps])
        self.states_argument = _further(states)
        self.clip_norm = train.clip_norm
        self.options = _options(train)

    def step_arguments(self, data: str) -> dict[str, str]:
        """Return the arguments of the kernels of the fused step; `data` names X and the targets."""
        _, targets = data.split(", ", 1)
        numbers = _further(list(self.factors))
        vectors = f"w, work{self.states_argument}, team"
        return {
            "pack": vectors,
            "measure": f"{data}, rows, start, count, m, begin, work",
            "penalise": "cost, work",
            "lay": "work, team",
            "turn": "work, team",
            "back": f"{targets}, rows, start, count, m, begin, work",
            "descend": f"{self.descend_from}count, learning_rate{numbers}, work, team",
            "unpack": vectors,
        }


def _further(names: list[str]) -> str:
    return "".join(f", {name}" for name in names)


def _options(train: TrainOptions) -> str:
    parts = [f"{name} {value:g}" for name, value in train.optimizer.values.items()]
    if not train.schedule.is_constant:
        parts.append(f"schedule {train.schedule.name}")
    if train.clip_norm is not None:
        parts.append(f"clip_norm {train.clip_norm:g}")
    if train.regularisation is not None:
        values = ", ".join(f"{name} {value:g}" for name, value in train.regularisation.constants.items())
        parts.append(f"penalty {train.regularisation.name} ({values})")
    return _further(parts)

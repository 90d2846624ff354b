"""Network, spec or derivation -> a trainer file, loaded."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.derivation.stability.report import warn_of_own_functions
from symbp.errors import DerivationError, SpecError
from symbp.functions import PENALTIES
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.plan.explain import explain, table
from symbp.plan.passes import make_plan
from symbp.plan.tiles import Schedule
from symbp.render.writer import write_trainer
from symbp.run.load import load
from symbp.run.trainer import Trainer
from symbp.spec import Spec, TrainOptions
from symbp.target import target_of


def generate(
    what: Network | Spec | Derivation, path: str | Path, *, prove: bool = True, **options: Any
) -> Trainer:
    """Write the trainer of a network, load it and return it.

    Parameters
    ----------
    what : Network, Spec or Derivation
        A derivation of a network is taken as it is, with whatever was replaced in it.
    path : str or Path
        The file to write; it appears whole or not at all.
    prove : bool
        Whether every step of the derivation must pass its checks first. A trainer of a
        derivation that does not is only good for seeing that :func:`symbp.verify` fails, so
        its self-test is left out too.
    **options
        Options of :class:`symbp.spec.TrainOptions`: optimizer, learning_rate, batch_size,
        epochs, dtype, seed, shuffle, schedule, clip_norm, l1, l2, penalty, elementary, target.

    Returns
    -------
    Trainer

    Raises
    ------
    SpecError
        If an option is unknown or not acceptable.
    DerivationError
        If a step does not pass its checks.
    """
    spec = _spec(what, options)
    if Path(path).suffix != ".py":
        raise SpecError(f"{path}: a trainer's file name ends in .py")
    derivation = what if isinstance(what, Derivation) else derive(spec.network, spec.train.training)
    warn_of_own_functions(derivation, spec.train.dtype)
    write_trainer(derivation, spec, path, prove)
    return load(path, self_test=prove)


def schedule_table(spec: Spec) -> str:
    """Return how the kernels of a step of training are carried out, as a table in text."""
    train = spec.train
    schedule = Schedule(target_of(train.target), train.dtype, train.batch_size, train.elementary)
    program = make_plan(derive(spec.network, spec.train.training), schedule)
    return table(explain(program, schedule), schedule)


def _spec(what: Network | Spec | Derivation, options: dict[str, Any]) -> Spec:
    known = [field.name for field in fields(TrainOptions)]
    for name in options:
        if name not in known:
            raise SpecError(f"generate: unknown option {name!r}{nearest(name, known)}")
    if isinstance(what, Spec):
        given = {name: getattr(what.train, name) for name in known}
        if "optimizer" in options:  # another rule brings its own learning rate
            del given["learning_rate"]
        if {"l1", "l2", "penalty"} & set(options):  # and another penalty takes the place of all
            given |= {"l1": 0.0, "l2": 0.0, "penalty": None}
        return Spec(what.network, TrainOptions(**(given | options)))
    network = what.network if isinstance(what, Derivation) else what
    if network is None:
        raise DerivationError("this derivation is for any architecture; a trainer needs derive(network)")
    if not isinstance(network, Network):
        raise SpecError("generate: expected a Network, a Spec or the derivation of a network")
    if isinstance(what, Derivation):
        options = {**_as_derived(what, options), **options}
    return Spec(network, TrainOptions(**options))


def _as_derived(derivation: Derivation, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a derivation has stated; its equations decide what is compiled."""
    how = derivation.training
    stated: dict[str, Any] = {"optimizer": how.rule, "schedule": how.schedule}
    if how.penalty is not None and not {"l1", "l2", "penalty"} & set(options):
        strengths = how.penalty.constants
        stated |= strengths if how.penalty.name in PENALTIES else {"penalty": how.penalty}
    if how.clipped:
        stated["clip_norm"] = 1.0
    return stated

"""Write a trainer: derivation -> plan -> text, sealed with the hash of its content."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import sympy

from symbp.derivation.stability.report import told_of_own_functions
from symbp.errors import DerivationError
from symbp.files import atomic_write
from symbp.plan.passes import make_plan
from symbp.plan.tiles import Schedule
from symbp.render.environment import render
from symbp.render.seal import OPEN, seal
from symbp.render.selftest import test_vector
from symbp.render.trainer_view import TrainerView
from symbp.target import target_of
from symbp.version import __version__

if TYPE_CHECKING:
    from symbp.derivation.records import Derivation
    from symbp.spec import Spec


def trainer_source(derivation: Derivation, spec: Spec, prove: bool = True) -> str:
    """Return the text of the trainer of a derivation.

    Parameters
    ----------
    derivation : Derivation
        Of ``spec.network``.
    spec : Spec
        The network with its options for training.
    prove : bool
        Whether every step must pass its checks first; a mutation test turns it off.

    Returns
    -------
    str
        The same text for the same derivation, options and version, on every machine; the target
        ``host`` stands for the name of the machine's own.

    Raises
    ------
    DerivationError
        If a step does not pass its checks.
    """
    if derivation.network != spec.network:
        raise DerivationError("the derivation is of another network than the spec")
    if derivation.training != spec.train.training:
        raise DerivationError(
            "the derivation states another update than the options: give derive() the same optimizer, "
            "schedule, clip_norm and penalty"
        )
    if prove:
        derivation.prove()
    target = target_of(spec.train.target)
    spec = spec.for_target(target.name)
    train = spec.train
    program = make_plan(derivation, Schedule(target, train.dtype, train.batch_size, train.elementary))
    view = TrainerView(program, spec, test_vector(spec.network, train), target=target)
    # One line each: a name of the user's is an identifier, the rest is symbp's own text.
    notes = {"notes": told_of_own_functions(derivation, train.dtype)}
    text = render("numba", "trainer.py.j2", {**view.data(), **_provenance(), **notes})
    # Macros leave blank lines behind where they have nothing to say.
    return seal(re.sub(r"\n{4,}", "\n\n\n", text))


def _provenance() -> dict[str, str]:
    # SymPy's normal forms decide the text; its patch releases do not.
    return {
        "version": __version__,
        "sympy": ".".join(sympy.__version__.split(".")[:2]),
        "open_seal": OPEN,
    }


def write_trainer(derivation: Derivation, spec: Spec, path: str | Path, prove: bool = True) -> str:
    """Write the trainer to a file, all of it or nothing, and return its text."""
    text = trainer_source(derivation, spec, prove)
    atomic_write(path, text)
    return text

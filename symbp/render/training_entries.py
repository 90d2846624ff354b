"""Update rules, schedules and penalties for the table of functions, in print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.algebra.nodes import eta, w_ij
from symbp.algebra.updates import epoch, epochs, eta_0, step, steps
from symbp.derivation.describe_training import TrainingDescription, describe_training
from symbp.derivation.kinks import kinks
from symbp.derivation.penalty import constants, in_letters
from symbp.functions import Penalty, Schedule, UpdateRule
from symbp.functions.parameters import DOMAINS
from symbp.notation.writer import Writer

TrainingRecord = UpdateRule | Schedule | Penalty

# What the letters mean that the equations share, in the order in which they are told.
_MEANINGS: dict[Any, str] = {
    eta: "the learning rate",
    eta_0: "the learning rate that is given",
    step: "the number of the update: 1, 2, ...",
    steps: "the number of updates of the whole run",
    epoch: "whole epochs done before",
    epochs: "the number of epochs of the whole run",
}

_DECAYS = "biases decay like every other weight; the penalties leave biases out"


@dataclass(frozen=True)
class TrainingEntry:
    """One record as a template needs it; equations in print, text as text.

    Attributes
    ----------
    name : str
    equations : tuple of str
    rate : str
        The default learning rate of an update rule, else empty.
    states : tuple of (str, str)
        Letter, initial value.
    parameters : tuple of (str, str, str, str)
        Letter, name, default, domain.
    letters : tuple of (str, str)
        What other letters mean.
    note : str
        Empty, or what has to be known beside the equations.
    kinks : tuple of (str, str, str, str, str)
        Of a penalty of one weight: the weight, the place, the slopes on the left and on the
        right, and the declared one.
    source : str
    """

    name: str
    equations: tuple[str, ...]
    rate: str
    states: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str, str, str], ...]
    letters: tuple[tuple[str, str], ...]
    note: str
    kinks: tuple[tuple[str, str, str, str, str], ...]
    source: str


def training_entries(records: Sequence[TrainingRecord], writer: Writer) -> list[dict[str, Any]]:
    """Return the sections that have entries: title and entries, in the order of the page."""
    kinds = (("Update rules", UpdateRule), ("Learning-rate schedules", Schedule), ("Penalties", Penalty))
    found = [_entry(describe_training(record), writer) for record in records]
    sections = []
    for title, kind in kinds:
        entries = [e for e, record in zip(found, records, strict=True) if isinstance(record, kind)]
        sections += [{"title": title, "entries": entries}] if entries else []
    return sections


def _entry(found: TrainingDescription, writer: Writer) -> TrainingEntry:
    record = found.record
    held = {letter for statement in found.statements for letter in statement.free_symbols}
    return TrainingEntry(
        name=record.name,
        equations=tuple(writer.expression(statement) for statement in found.statements),
        rate=f"{record.learning_rate:.10g}" if isinstance(record, UpdateRule) else "",
        states=tuple((writer.expression(letter), f"{start:.10g}") for letter, start in found.states),
        parameters=tuple(
            (writer.expression(letter), p.name, f"{p.default:.10g}", DOMAINS[p.domain][1])
            for letter, p in found.parameters
        ),
        letters=tuple((writer.expression(x), text) for x, text in _MEANINGS.items() if x in held),
        note=_DECAYS if found.decays else "",
        kinks=_kinks(record, writer) if isinstance(record, Penalty) else (),
        source=record.source,
    )


def _kinks(record: Penalty, writer: Writer) -> tuple[tuple[str, str, str, str, str], ...]:
    letters, weight = constants(record), sympy.Symbol("w", real=True)
    # A strength of 0, the default, has no kink: plain letters stand for all others.
    plain = {name: sympy.Symbol(name, positive=True) for name in letters}
    back = {plain[name]: letter for name, letter in letters.items()}
    formula = in_letters(record.read(), {"w": weight, **plain})
    found = []
    for kink in kinks(formula, weight, dict.fromkeys(back, 1)):
        place, left, right, declared = (
            writer.expression(x.xreplace(back)) for x in (kink.at, kink.left, kink.right, kink.declared)
        )
        found.append((writer.expression(w_ij), place, left, right, declared))
    return tuple(found)

"""Which faults are seen in the definitions of 000 that no step of a derivation states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symbp.derivation.documents.decide import Judge
from symbp.derivation.documents.library import get
from symbp.derivation.documents.records import Equation
from symbp.derivation.documents.statement_mutants import mutants

_NUMBERED = re.compile(r"\d+\.\d+")


def stated_apart(labels: tuple[str, ...]) -> Iterator[Equation]:
    """Yield the numbered equations of 000 of which there is no step, such as (2.9).

    Parameters
    ----------
    labels : tuple of str
        Those of a derivation.
    """
    known = {label.partition(",")[0] for label in labels}
    for equation in get("000").equations:
        if _NUMBERED.fullmatch(equation.number) and equation.number not in known:
            yield equation


def faults_in(equation: Equation) -> tuple[int, tuple[str, ...]]:
    """Return how many faults were tried in an equation of 000, and those that no check saw."""
    at = Judge(get("000").settings[equation.setting])
    (text,) = equation.readings
    tried, missed = 0, []
    for kind, broken, ranges in mutants(text, equation.where, at.setting):
        tried += 1
        if at.find(broken, ranges, equation.named, prove=False).holds:
            missed.append(f"{kind}: {broken}")
    return tried, tuple(missed)

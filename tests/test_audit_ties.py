"""The steps that the audit names: each is what the equation of the document says, in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symbp.derivation.documents.library import NAMES, audit
from symbp.derivation.documents.records import Fault, Verdict
from tests.ties import LETTERS, Ties

# Of one neuron or of one function alone, not of a network: there is nothing to evaluate a step in.
APART = {
    "000": {"1.3", "1.4", "1.3, a_N"},
    "001": {f"sigmoid, {n}" for n in range(1, 7)},
    "004": {"15"},
}


def _tied(name: str) -> list[Verdict]:
    return [v for v in audit(name) if v.steps and v.number not in APART.get(name, ())]


@pytest.fixture(scope="module")
def ties() -> dict[tuple[str, str, bool], Ties]:
    return {}


def _holds(known: dict[tuple[str, str, bool], Ties], found: Verdict, labels: tuple[str, ...]) -> bool:
    """Whether steps give what an equation does: for several samples, or where it speaks of one, for one."""
    for single in (False, True):
        key = found.document, found.setting, single
        if key not in known:
            known[key] = Ties(*key)
        try:
            tied = known[key].of(found, labels)
        except Fault:  # a drawing without the quantities of that step
            continue
        if not tied.wrong and not tied.foreign:
            return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_an_equation_is_what_its_steps_say(name: str, ties: dict[tuple[str, str, bool], Ties]) -> None:
    untied = [v.number for v in _tied(name) if not _holds(ties, v, v.steps)]
    assert untied == []


@pytest.mark.parametrize("name", NAMES)
def test_another_step_is_not(name: str, ties: dict[tuple[str, str, bool], Ties]) -> None:
    """Each equation with the steps of all others: those that fit are about the same quantity."""
    found = _tied(name)
    others = {label: v for v in found for label in v.steps}
    killed = sum(not _holds(ties, v, (label,)) for v in found for label in others if label not in v.steps)
    tried = sum(label not in v.steps for v in found for label in others)
    assert killed > 0.85 * tried


def test_a_letter_for_another_quantity_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps themselves fail where outputs are taken for weighted sums."""
    monkeypatch.setitem(LETTERS, "003", {**LETTERS["003"], "c": LETTERS["003"]["o"]})  # type: ignore[attr-defined]
    (sums,) = [v for v in audit("003") if v.number == "24"]
    assert Ties("003", sums.setting, True).of(sums, sums.steps).wrong


def test_a_wrong_equation_is_seen() -> None:
    (slope,) = [v for v in audit("004") if v.number == "23"]
    at = Ties("004", slope.setting, True)
    assert not at.of(slope, slope.steps).foreign
    for wrong in ("D(a[l], a[l-1]) == D(a[l], z[l])", "2*D(a[l], z[l]) == D(a[l], z[l])"):
        assert at.of(replace(slope, right=wrong), slope.steps).foreign

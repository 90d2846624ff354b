"""Which steps stand where on a page: sections by label, instances by layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symbp.derivation.records import Derivation, Step
from symbp.derivation.resolved import RULE

if TYPE_CHECKING:
    from symbp.notation.writer import Writer

# Which labels stand in which section, in the order of the page. A label with a layer
# ("2.6b, k=1") is an instance, for one layer of one network.
_FORWARD, _OUTPUT = "This network: forward pass", "This network: output and cost"
_PENALTY = "This network: penalty"
_MATRICES, _BACKWARD = "This network: S-matrices and Jacobian", "This network: sensitivities and gradients"
_INPUTS = "This network: derivatives by the inputs"
GENERIC = (
    ("Forward pass", r"1\.[367][bm]?|2\.6[bm]?|h"),
    ("Chain rule", r"2\.([3457]|7z|8|10|11[ab]?)"),
    ("S-matrices and T-product", r"2\.1[2-7][a-z]?"),
    ("Sensitivities", r"D\.\d[abm]?"),
    ("Derivatives by the inputs", r"X\.\d+m?"),
    ("Penalty", r"2\.1(p|r|p\..*|r[abf])"),
    ("Update", r"2\.2(m|[.cps].*)?"),
    ("Sample by sample", r"A\.\d+[bm]?"),
    (_OUTPUT, r"1\.8.*|2\.1([a-z].*)?"),
    (_BACKWARD, r"D\.1[a-z]+"),
)
INSTANCES = (
    (_FORWARD, r"2\.6b?|1\.3([a-z].*)?"),
    (_MATRICES, r"2\.1[2-7][a-z]*"),
    (_BACKWARD, r"D\.\d[abf]?"),
    (_INPUTS, r"X\.\d+f?"),
    (_PENALTY, r"2\.1(p|r[ab])"),
)
# What no line above takes is shown all the same.
FURTHER = "Further steps"
_ORDER = (
    *(title for title, _ in GENERIC[:8]),
    _FORWARD,
    _OUTPUT,
    _MATRICES,
    _BACKWARD,
    _INPUTS,
    _PENALTY,
    FURTHER,
)

# Layers near both ends are written out; those between look like them.
SHOWN_AT_EACH_END = 3

_LABEL = re.compile(r"(?P<head>.*?)(?:\[[\d,]*\])?(?:, k=(?P<layer>\d+))?")


@dataclass(frozen=True)
class Group:
    """Steps under one heading: a layer, or None for steps of no particular layer."""

    layer: int | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Section:
    """A titled part of a page.

    Attributes
    ----------
    title : str
    groups : tuple of Group
    left_out : tuple of int
        Layers whose equations are not written out, because they are like their neighbours'.
    """

    title: str
    groups: tuple[Group, ...]
    left_out: tuple[int, ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        return (step for group in self.groups for step in group.steps)


def split_label(label: str) -> tuple[str, int | None]:
    """Return the number of the equation and the layer it is written out for, if any."""
    found = _LABEL.fullmatch(label)
    if found is None:
        return label, None
    return found["head"], None if found["layer"] is None else int(found["layer"])


def section_title(label: str) -> str:
    """Return the title of the section that a step stands in."""
    head, layer = split_label(label)
    table = GENERIC if layer is None else INSTANCES
    return next((title for title, pattern in table if re.fullmatch(pattern, head)), FURTHER)


def outline(derivation: Derivation) -> tuple[Section, ...]:
    """Return the sections of a derivation's page, without those that have no step."""
    by_title: dict[str, list[Step]] = {title: [] for title in _ORDER}
    # An instance whose functions were put in is shown in that form only, if it is proved.
    in_other_form = {step.uses[0] for step in derivation.steps if step.rule == RULE}
    for step in derivation.steps:
        if step.label not in in_other_form or not step.proved:
            by_title[section_title(step.label)].append(step)
    last = 0 if derivation.network is None else derivation.network.hidden + 1
    return tuple(_section(title, steps, last) for title, steps in by_title.items() if steps)


def _section(title: str, steps: list[Step], last: int) -> Section:
    by_layer: dict[int | None, list[Step]] = {}
    for step in steps:
        by_layer.setdefault(split_label(step.label)[1], []).append(step)
    hidden = {layer for layer in by_layer if layer is not None and not is_shown(layer, last)}
    # A step that no oracle bears out is always shown.
    groups = [
        Group(layer, tuple(s for s in group if layer not in hidden or _doubtful(s)))
        for layer, group in by_layer.items()
    ]
    # Forward the layers follow each other as they are; everything else goes from the output back.
    groups.sort(key=lambda g: (g.layer is not None, (g.layer or 0) * (1 if title == _FORWARD else -1)))
    left_out = sorted(layer for layer in hidden if layer is not None)
    return Section(title, tuple(g for g in groups if g.steps), tuple(left_out))


def speaking(
    sections: Sequence[Section], writer: Writer
) -> tuple[tuple[Section, ...], dict[str, tuple[str, ...]]]:
    """Leave out the steps that say nothing new in a notation that is not the derivation's own.

    A notation may have one letter for two quantities, or say in one equation what the
    derivation says in two.

    Returns
    -------
    tuple of Section
        Without those steps; a step that an oracle objects to stays.
    dict
        Title -> the labels left out.
    """
    if writer.notation.letters is None:
        return tuple(sections), {}
    seen: set[str] = set()
    silent: dict[str, list[str]] = {}

    def speaks(step: Step, title: str) -> bool:
        said = {str(p.relation) for p in writer.printed(step.statement, step.assumes)}
        if said <= seen and step.checks and not _doubtful(step):
            silent.setdefault(title, []).append(step.label)
            return False
        seen.update(said)
        return True

    kept = [
        replace(
            section,
            groups=tuple(
                Group(g.layer, tuple(s for s in g.steps if speaks(s, section.title))) for g in section.groups
            ),
        )
        for section in sections
    ]
    return tuple(kept), {title: tuple(labels) for title, labels in silent.items()}


def is_shown(layer: int, last: int) -> bool:
    """Return whether the equations of a layer are written out in a network of so many layers."""
    return layer <= SHOWN_AT_EACH_END or layer > last - SHOWN_AT_EACH_END or last <= 2 * SHOWN_AT_EACH_END + 2


def _doubtful(step: Step) -> bool:
    return any(not check.passed for check in step.checks)

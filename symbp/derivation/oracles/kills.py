"""How good the oracles are: which faults in which equations they see.

::

    Derivation --> every fault of every equation --> Panel --> MutationReport
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Eq, KroneckerDelta

from symbp.algebra.nodes import Node
from symbp.derivation.oracles.mutants import mutants
from symbp.derivation.oracles.panel import Panel
from symbp.derivation.records import Derivation, Step
from symbp.network import Network

# Faults that change no value, and why: (label, what the fault starts with).
EQUAL = {
    ("2.11a", "one term short"): "the last input is the bias neuron, whose derivative is 0",
    ("2.11a", "without HasBias"): "the last input is the bias neuron, whose derivative is 0",
    ("1.8s.4", "without MaxOver"): "the largest shifted exponential is 1",
}
# Faults that change no value in a network with a layer of one neuron: its only index is 1.
EQUAL_AT_ONE = ("indices swapped", "without KroneckerDelta")
_EXCHANGED = re.compile(r"index (\w+) for (\w+) in ")


@dataclass(frozen=True)
class Survivor:
    """A fault that no oracle saw.

    Attributes
    ----------
    label : str
        The equation's.
    fault : str
    equal_because : str or None
        Why the faulty equation has the same values; None where it should have been seen.
    """

    label: str
    fault: str
    equal_because: str | None


@dataclass(frozen=True)
class MutationReport:
    """What the oracles saw.

    Attributes
    ----------
    by_step : dict
        Label -> (faults that were tried, faults that were seen).
    by_rule : dict
        The same for the rule that made the equation.
    survivors : tuple of Survivor
    """

    by_step: dict[str, tuple[int, int]]
    by_rule: dict[str, tuple[int, int]]
    survivors: tuple[Survivor, ...]

    def with_equation(self, label: str, rule: str, tried: int, missed: tuple[str, ...]) -> MutationReport:
        """Return the report with an equation that no step states, and the faults in it that no check saw."""
        seen = tried - len(missed)
        before = self.by_rule.get(rule, (0, 0))
        return MutationReport(
            self.by_step | {label: (tried, seen)},
            self.by_rule | {rule: (before[0] + tried, before[1] + seen)},
            (*self.survivors, *(Survivor(label, fault, None) for fault in missed)),
        )

    @property
    def tried(self) -> int:
        return sum(tried for tried, _ in self.by_step.values())

    @property
    def killed(self) -> int:
        return sum(killed for _, killed in self.by_step.values())

    @property
    def ok(self) -> bool:
        """Whether every fault that changes a value was seen."""
        return all(survivor.equal_because for survivor in self.survivors)

    def table(self) -> str:
        """Return the report as plain text."""
        width = max(map(len, [*self.by_step, *self.by_rule]))
        lines = [f"{'rule':<{width}}  faults  seen"]
        lines += [f"{rule:<{width}}  {tried:>6}  {seen:>4}" for rule, (tried, seen) in self.by_rule.items()]
        lines += ["", f"{'equation':<{width}}  faults  seen"]
        lines += [f"{label:<{width}}  {tried:>6}  {seen:>4}" for label, (tried, seen) in self.by_step.items()]
        lines += ["", f"{self.killed} of {self.tried} faults seen"]
        for survivor in self.survivors:
            why = survivor.equal_because or "NOT SEEN"
            lines.append(f"not seen: {survivor.label}, {survivor.fault}: {why}")
        return "\n".join(lines) + "\n"


def try_faults(derivation: Derivation, steps: tuple[Step, ...] = ()) -> MutationReport:
    """Break every equation in every known way and ask the oracles about each.

    Parameters
    ----------
    derivation : Derivation
        Unbroken.
    steps : tuple of Step
        Those to break; by default all.
    """
    panel = Panel(derivation)
    by_step: dict[str, tuple[int, int]] = {}
    by_rule: dict[str, tuple[int, int]] = {}
    survivors = []
    for step in steps or derivation.steps:
        tried = killed = 0
        for fault, statement in mutants(step.statement):
            tried += 1
            if panel.refutes(dataclasses.replace(step, statement=statement)):
                killed += 1
            else:
                why = _equal_because(step, fault, statement, derivation.network)
                survivors.append(Survivor(step.label, fault, why))
        by_step[step.label] = (tried, killed)
        before = by_rule.get(step.rule, (0, 0))
        by_rule[step.rule] = (before[0] + tried, before[1] + killed)
    return MutationReport(by_step, by_rule, tuple(survivors))


def _equal_because(step: Step, fault: str, statement: Eq, network: Network | None) -> str | None:
    for (label, start), why in EQUAL.items():
        if step.label == label and fault.startswith(start):
            return why
    exchanged = _EXCHANGED.match(fault)
    if exchanged is not None:
        return _same_index(step, statement, exchanged.groups(), network)
    if network is None or not (step.functions or "k=" in step.label):
        return None
    if fault.startswith(EQUAL_AT_ONE) and _only_index_one(step, fault, network):
        return "a layer of one neuron has no other index than 1"
    return None


def _same_index(step: Step, statement: Eq, names: Any, network: Network | None) -> str | None:
    """Why two indices have the same value wherever the equation has one that is not 0."""
    found = {
        index.name: index for node in step.statement.atoms(Node) for index in node.indices if index.is_Symbol
    }
    a, b = (found[name] for name in names)
    right, wrong = step.statement.rhs, statement.rhs
    apart = {KroneckerDelta(a, b): 0}
    if right.xreplace(apart) == wrong.xreplace(apart) and right.subs(a, b) == wrong.subs(a, b):
        return f"the Kronecker delta makes {a} and {b} the same"
    if network is None or not (step.functions or "k=" in step.label):
        return None
    last = {network.sizes[n] for index in (a, b) for n in _layers_of(index, step.statement, network)}
    return "a layer of one neuron has no other index than 1" if last == {1} else None


def _layers_of(index: Any, statement: Eq, network: Network) -> Iterator[int]:
    """Yield the layers whose neurons an index runs over."""
    for node in statement.atoms(Node):
        layers = {
            "w": (node.layer, node.layer - 1),
            "S": (node.layer + 1, node.layer),
            "T": (network.hidden + 1, node.layer),
            "a": (node.layer - 1,),
        }.get(node.kind, (node.layer,))
        yield from (int(n) for own, n in zip(node.indices, layers, strict=True) if own == index)


def _only_index_one(step: Step, fault: str, network: Network) -> bool:
    """Whether the indices that the fault confuses both run from 1 to 1."""
    if fault.startswith("without KroneckerDelta"):
        return network.sizes[-1] == 1
    (node,) = [n for n in step.statement.rhs.atoms(Node) if fault.endswith(f" in {n}")]
    # A weight's second index runs over the neurons before; its bias column has no index.
    before = node.layer - 1 if node.kind == "w" else node.layer
    first = {"w": node.layer, "S": node.layer + 1}.get(node.kind, network.hidden + 1)
    return {network.sizes[int(first)], network.sizes[int(before)]} == {1}

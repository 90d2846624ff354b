"""What a derivation *is*: steps with statements, and the checks that hold them up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from sympy import Eq

from symbp.errors import DerivationError
from symbp.functions.names import nearest

if TYPE_CHECKING:
    from symbp.functions import Training, UpdateRule
    from symbp.network import Network


@dataclass(frozen=True)
class Check:
    """One oracle's word on one step.

    Attributes
    ----------
    label : str
        The step's label.
    method : str
        The oracle: types, induction, jets, field, mpmath, ...
    passed : bool
    detail : str
        What was compared, or what differed.
    """

    label: str
    method: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Step:
    """One labelled equation of a derivation.

    Attributes
    ----------
    label : str
        The number of the equation in document 000 (or D.n for the sensitivities), with
        the layer for an instance: ``"2.6b, k=1"``.
    rule : str
        The rule that made the statement out of the statements of `uses`.
    statement : sympy.Eq
    uses : tuple of str
        Labels of the steps it was made from.
    because : str
        The reason, one phrase.
    assumes : tuple
        Conditions on layers and data under which the statement holds.
    defines : bool
        Whether the statement introduces the quantity on its left.
    functions : bool
        Whether it holds this network's own functions, which only numbers can check.
    checks : tuple of Check
    """

    label: str
    rule: str
    statement: Eq
    uses: tuple[str, ...]
    because: str
    assumes: tuple[Any, ...] = ()
    defines: bool = False
    functions: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether at least one check was made and none failed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


class Builder:
    """Collects the steps of a derivation; later steps read the statements of earlier ones.

    An override replaces the statement of a step *before* anything reads it, so that what
    follows is derived from the replacement: this is how mutation tests break an equation.
    """

    def __init__(self, overrides: Mapping[str, Eq] | None = None) -> None:
        self.steps: dict[str, Step] = {}
        self._overrides = dict(overrides or {})

    @classmethod
    def of(cls, derivation: Derivation) -> Builder:
        """Return a builder that holds the steps of a derivation."""
        builder = cls()
        builder.steps = {step.label: step for step in derivation.steps}
        return builder

    def __getitem__(self, label: str) -> Eq:
        return self.steps[label].statement

    def __contains__(self, label: str) -> bool:
        return label in self.steps

    def add(
        self,
        label: str,
        rule: str,
        statement: Eq,
        because: str,
        uses: tuple[str, ...] = (),
        assumes: tuple[Any, ...] = (),
        defines: bool = False,
        functions: bool = False,
    ) -> Eq:
        """Add a step and return its statement, or the statement that overrides it."""
        if label in self.steps:
            raise DerivationError(f"step {label} is derived twice")
        missing = [use for use in uses if use not in self.steps]
        if missing:
            raise DerivationError(f"step {label} uses {missing[0]}, which has not been derived")
        statement = self._overrides.get(label, statement)
        if not isinstance(statement, Eq):
            raise DerivationError(f"step {label}: the statement {statement} is not an equation")
        self.steps[label] = Step(label, rule, statement, uses, because, assumes, defines, functions)
        return statement

    def define(
        self, label: str, statement: Eq, because: str, assumes: tuple[Any, ...] = (), functions: bool = False
    ) -> Eq:
        """Add a definition."""
        return self.add(label, "definition", statement, because, (), assumes, True, functions)


def equation(left: Any, right: Any) -> Eq:
    """Return the equation as it stands, even where SymPy would decide it."""
    return Eq(left, right, evaluate=False)


def substitute(eq: Eq, values: Mapping[Any, Any]) -> Eq:
    """Substitute on both sides, without letting SymPy decide the equation."""
    return equation(eq.lhs.subs(values), eq.rhs.subs(values))


Recipe = Callable[["Network | None", Mapping[str, Eq]], tuple[Step, ...]]


@dataclass(frozen=True)
class Derivation:
    """The steps of a derivation, in the order in which they follow from each other.

    Attributes
    ----------
    network : Network or None
        The architecture, or None for any L and N_k.
    steps : tuple of Step
    recipe : callable
        Derives the steps anew; :meth:`replace` uses it.
    training : Training
        The rule of eq. 2.2 and what belongs to it.
    overrides : mapping
        Statements that replace derived ones (mutation tests).
    """

    network: Network | None
    steps: tuple[Step, ...]
    recipe: Recipe
    training: Training
    overrides: Mapping[str, Eq] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Step:
        for step in self.steps:
            if step.label == label:
                return step
        raise DerivationError(f"step {label!r} is not in this derivation{nearest(label, self.labels)}")

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    @property
    def optimizer(self) -> UpdateRule:
        """The rule of eq. 2.2."""
        return self.training.rule

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(step.label for step in self.steps)

    def replace(self, label: str, statement: Eq) -> Self:
        """Return the derivation with one statement replaced and all that follows derived anew.

        This is how a mutation test breaks an equation: what depends on it, the page and
        the kernel change, and :meth:`prove` names the step.
        """
        return self.replaced({label: statement})

    def replaced(self, statements: Mapping[str, Eq]) -> Self:
        """Return the derivation with several statements replaced, as :meth:`replace` does with one."""
        for label in statements:
            self[label]
        overrides = {**self.overrides, **statements}
        try:
            steps = self.recipe(self.network, overrides)
        except DerivationError:
            raise
        except Exception as error:  # the rules read statements that are no longer of the form they know
            labels = ", ".join(statements)
            raise DerivationError(
                f"{labels}: nothing follows from the statement put in its place: {error}"
            ) from error
        return replace(self, steps=steps, overrides=overrides)

    def checked(self) -> Self:
        """Return the derivation with the verdict of every oracle in its steps; they run once."""
        return self if any(step.checks for step in self.steps) else self._checked

    @functools.cached_property
    def _checked(self) -> Self:
        from symbp.derivation.oracles import check_all

        verdicts = check_all(self)
        return replace(self, steps=tuple(replace(s, checks=verdicts.get(s.label, ())) for s in self.steps))

    def known(self, step: Step) -> Step:
        """Return one of its steps with the verdicts of the oracles, if they have run; else as it is."""
        ran = self.__dict__.get("_checked")
        found = (
            None
            if ran is None or step.checks
            else next((s for s in ran.steps if s.label == step.label and s.statement == step.statement), None)
        )
        return found or step

    def prove(self) -> list[Check]:
        """Run every oracle on every step.

        Returns
        -------
        list of Check
            All checks, in the order of the steps.

        Raises
        ------
        DerivationError
            If a check fails or a step has none; the message starts with the step's label.
        """
        checked = self.checked()
        for step in checked.steps:
            for check in step.checks:
                if not check.passed:
                    raise DerivationError(f"{step.label}: {check.method} check failed: {check.detail}")
            if not step.checks:
                raise DerivationError(f"{step.label}: no oracle has checked this step")
        return [check for step in checked.steps for check in step.checks]

"""Which equation of a derivation computes which quantity of the kernels."""

from __future__ import annotations

from typing import Any

from sympy import Eq, exp

from symbp.algebra.nodes import Constant, Node, Partial, with_numbers
from symbp.derivation.records import Derivation, Step
from symbp.derivation.resolved import resolved_label
from symbp.derivation.stable import label_of_form
from symbp.errors import PlanError

# Equations for one layer; where functions were put in, the equation that has them is taken.
_LAYERS = ("2.6b", "1.3", "2.12", "2.16", "2.17a", "2.17b", "D.5", "D.6a", "D.6b", "X.9", "X.10", "X.13")

# A quantity is a kind and a layer: ("c", 1), or ("dJ/dw", 2) for a derivative.
Quantity = tuple[str, int]


def quantity(expr: Any) -> Quantity:
    """Return the quantity that a node or partial derivative is an element of."""
    if isinstance(expr, Node):
        return expr.kind, int(expr.layer)
    if isinstance(expr, Partial):
        return f"d{expr.of.kind}/d{expr.wrt.kind}", int(expr.wrt.layer)
    raise PlanError(f"{expr} is no quantity that a kernel could hold")


class Equations:
    """The equations of one network, by the quantity they define.

    A quantity may have several equations (regular weights and bias); of several ways to
    compute one, the stable form is taken.
    """

    def __init__(self, derivation: Derivation) -> None:
        if derivation.network is None:
            raise PlanError("a kernel needs a network: derive(network) instead of derive()")
        self.network = derivation.network
        self._derivation = derivation
        self._by_quantity: dict[Quantity, list[Step]] = {}
        # The numbers of the functions' parameters, as the derivation states them.
        self._parameters = {
            step.statement.lhs: step for step in derivation.steps if isinstance(step.statement.lhs, Constant)
        }
        for label in self._chosen():
            step = derivation[label]
            self._by_quantity.setdefault(quantity(step.statement.lhs), []).append(step)

    def _chosen(self) -> list[str]:
        labels = self._derivation.labels
        last = self.network.hidden + 1
        stable_output = [x for x in (f"1.8s.{n}" for n in range(1, 6)) if x in labels]
        chosen = [*(stable_output if "1.8s.3" in labels else [self._form("1.8")])]
        chosen += [self._form("2.1"), self._form("D.1f")]
        for layer in range(1, last + 1):
            for head in _LAYERS:
                label = f"{head}, k={layer}"
                ways = [x for x in (resolved_label(label), self._form(label)) if x in labels]
                chosen += ways[:1]
        return chosen

    def _form(self, label: str) -> str:
        return label_of_form(self._derivation, label)

    def of(self, wanted: Quantity) -> list[Step]:
        """Return the steps that compute a quantity; none if it is given (weights, data)."""
        return self._by_quantity.get(wanted, [])

    def is_exponential(self, wanted: Quantity) -> bool:
        """Whether a quantity is an exponential, which is never below 0."""
        return any(isinstance(step.statement.rhs, exp) for step in self.of(wanted))

    def with_numbers(self, step: Step) -> tuple[Eq, tuple[Step, ...]]:
        """Put the number of every parameter in the place of its letter.

        Returns
        -------
        statement : sympy.Eq
        put_in : tuple of Step
            The definitions of the parameters.
        """
        letters = sorted(step.statement.rhs.atoms(Constant) & self._parameters.keys(), key=str)
        numbers = {letter: self._parameters[letter].statement.rhs for letter in letters}
        right = with_numbers(step.statement.rhs.xreplace(numbers))
        defined = tuple(self._parameters[letter] for letter in letters)
        return Eq(step.statement.lhs, right, evaluate=False), defined

"""Which equation of a derivation computes which quantity of the kernels."""

from __future__ import annotations

from typing import Any

from sympy import Eq

from symbp.algebra import rules
from symbp.algebra.nodes import ActivateDerivative, Node, Partial, i, q, r
from symbp.derivation.records import Derivation, Step
from symbp.errors import PlanError

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
        for label in self._chosen():
            step = derivation[label]
            self._by_quantity.setdefault(quantity(step.statement.lhs), []).append(step)

    def _chosen(self) -> list[str]:
        labels = self._derivation.labels
        last = self.network.hidden + 1
        stable_output = [x for x in ("1.8s.1", "1.8s.2", "1.8s.3", "1.8s.4") if x in labels]
        chosen = [*(stable_output if "1.8s.3" in labels else [self._form("1.8")])]
        chosen += [self._form("2.1"), self._form("D.1f")]
        for layer in range(1, last + 1):
            for label in ("2.6b", "1.3", "2.12", "2.16", "2.17a", "2.17b", "D.5", "D.6a", "D.6b"):
                if f"{label}, k={layer}" in labels:
                    chosen.append(self._form(f"{label}, k={layer}"))
        return chosen

    def _form(self, label: str) -> str:
        """Return the label of the stable form of a step where it has one, else its own."""
        number, *layer = label.split(",")
        stable = ",".join((f"{number}s", *layer))
        return stable if stable in self._derivation else label

    def of(self, wanted: Quantity) -> list[Step]:
        """Return the steps that compute a quantity; none if it is given (weights, data)."""
        return self._by_quantity.get(wanted, [])

    def update(self) -> Step:
        """Return the step of the update rule (2.2)."""
        return self._derivation["2.2"]

    def resolved(self, step: Step) -> tuple[Eq, tuple[Step, ...]]:
        """Put the derivatives of activation functions into a statement.

        g' is put in from 1.3d and the output's Jacobian from 1.8d; Kronecker deltas that
        appear are collapsed and what does not depend on an index leaves its sum.

        Returns
        -------
        statement : sympy.Eq
        put_in : tuple of Step
        """
        used: list[str] = []
        jacobian_label = self._form("1.8d")
        hidden = rules.Hidden()

        def slope(layer: Any, argument: Any) -> Any:
            label = self._form(f"1.3d, k={layer}")
            used.append(label)
            return hidden.hide(self._derivation[label].statement.rhs).xreplace({i: argument.indices[0]})

        def jacobian(partial: Partial) -> Any:
            used.append(jacobian_label)
            general = hidden.hide(self._derivation[jacobian_label].statement.rhs)
            return general.xreplace({q: partial.of.indices[0], r: partial.wrt.indices[0]})

        value = step.statement.rhs.replace(ActivateDerivative, slope)
        value = value.replace(lambda e: isinstance(e, Partial) and e.of.kind == "sigma", jacobian)
        if jacobian_label in used:
            value = rules.hoist(rules.collapse(value))
        put_in = tuple(self._derivation[label] for label in dict.fromkeys(used))
        return Eq(step.statement.lhs, hidden.show(value), evaluate=False), put_in

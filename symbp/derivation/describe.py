"""A record of functions -> what the table of functions says of it, all of it derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Symbol

from symbp.algebra import rules
from symbp.algebra.nodes import Constant, L, Width, pre_activation, prediction, q, r
from symbp.derivation import local
from symbp.derivation.computed import stable_activation, stable_cost
from symbp.derivation.extent import End, extent
from symbp.derivation.inverse import relation_to_output
from symbp.derivation.kinks import Kink, kinks
from symbp.derivation.relation import relation_beside, why_beside
from symbp.derivation.stated import stated_formula
from symbp.functions import Activation, Cost, Parameter

_H, _Y = sympy.symbols("h y", real=True)
_OUTPUT = Symbol("o", real=True)


@dataclass(frozen=True)
class Description:
    """What can be said of one function.

    Attributes
    ----------
    record : Activation or Cost
    formula, derivative : Expr
        In z and o (activations), or h and y; parameters are symbols.
    relation : Expr or None
        The derivative in terms of the output alone.
    range : tuple of End, or None
        Where the values lie; None where it is not computed.
    kinks : tuple of Kink
    stable, stable_derivative : Expr or None
        The forms that kernels compute; None where that is the formula itself (or its relation
        to the output). Of a cost with the output units of :data:`.computed.USUAL`.
    unused : str
        Why kernels do not compute g' by the relation to the output; empty where they do.
    """

    record: Activation | Cost
    formula: Expr
    derivative: Expr
    relation: Expr | None
    range: tuple[End, End] | None
    kinks: tuple[Kink, ...]
    stable: Expr | None = None
    stable_derivative: Expr | None = None
    unused: str = ""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.record.parameters


def describe(record: Activation | Cost) -> Description:
    """Derive what the table of functions says of a record."""
    if isinstance(record, Cost):
        return _cost(record)
    return _of_layer(record) if record.of_layer else _activation(record)


def _activation(record: Activation) -> Description:
    formula = stated_formula(record, 0)
    relation = relation_to_output(formula)
    beside = relation_beside(formula) is not None
    stable, slope = (None if form is None else _plain(form) for form in stable_activation(record))
    return Description(
        record,
        _plain(formula),
        _plain(local.derivative_in_argument(formula)),
        None if relation is None else _plain(relation),
        extent(record.expression()),
        _kinks(formula, local.Z, {}),
        stable,
        slope,
        unused=why_beside(formula) if beside else "",
    )


def _cost(record: Cost) -> Description:
    formula = stated_formula(record, 0)
    slope = local.simplify_entry(rules.tidied(formula.diff(_H)))
    target = sympy.S.One if record.targets == "sign" else sympy.Rational(1, 3)
    form = stable_cost(record)
    return Description(
        record,
        _plain(formula),
        _plain(slope),
        None,
        None,
        _kinks(formula, _H, {_Y: target}),
        None if form is None else _plain(form),
    )


def _of_layer(record: Activation) -> Description:
    """Describe a function of the whole layer by one entry of its Jacobian."""
    formula = stated_formula(record, 0)
    value = local.instantiate(formula, lambda n: pre_activation(L + 1, n), q, Width(L + 1))
    jacobian = rules.collapse(rules.differentiate(value, pre_activation(L + 1, r)))
    relation = local.in_terms_of_outputs(jacobian, value, (q, r), prediction)
    return Description(record, value, relation, None, None, (), *stable_activation(record))


def _kinks(formula: Expr, variable: Any, others: dict[Any, Any]) -> tuple[Kink, ...]:
    numbers = {**others, **{letter: letter.value for letter in formula.atoms(Constant)}}
    return tuple(
        Kink(*(_plain(part) for part in (kink.at, kink.left, kink.right, kink.declared)))
        for kink in kinks(formula, variable, numbers)
    )


def _plain(expr: Expr) -> Expr:
    """Write parameters and the output as plain letters."""
    letters = {constant: Symbol(constant.parameter, real=True) for constant in expr.atoms(Constant)}
    return expr.xreplace({**letters, local.O: _OUTPUT})

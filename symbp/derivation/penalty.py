"""The cost with a penalty, and what becomes of its derivative: 2.1p, 2.1r.

Regular weights are penalised and biases are not (001, the two lines of D). The derivative
is SymPy's derivative of the sum over all regular weights, collapsed to the one weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, KroneckerDelta, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import (
    Constant,
    L,
    Node,
    Partial,
    Width,
    cost,
    k,
    l,
    r,
    s,
    w_ij,
    weight,
)
from symbp.algebra.updates import penalised_cost
from symbp.derivation.conditions import ANY_LAYER_L, AT_BIAS, OF_BIAS, REGULAR
from symbp.derivation.generic import Bias
from symbp.derivation.instances import instances, of_network
from symbp.derivation.records import Builder, equation
from symbp.errors import DerivationError

if TYPE_CHECKING:
    from symbp.functions import Penalty
    from symbp.network import Network


def constants(record: Any) -> dict[str, Constant]:
    """Return the parameters of a record of training as letters that know their numbers."""
    return {name: Constant(name, 0, value) for name, value in record.constants.items()}


def define_constants(b: Builder, prefix: str, record: Any, used: Any) -> None:
    """State the value of every parameter that stands in an expression."""
    present = used.atoms(Constant)
    for name, constant in constants(record).items():
        if constant in present:
            b.define(f"{prefix}.{name}", equation(constant, constant.value), f"parameter of {record.name}")


def in_letters(formula: Expr, letters: dict[str, Any]) -> Expr:
    """Put quantities in place of the names of a record's formula."""
    return formula.xreplace({x: letters[x.name] for x in formula.free_symbols})


def stated_penalty(penalty: Penalty, layer: Any) -> Any:
    """Return the penalty of a layer as the record states it."""
    term = in_letters(penalty.read(), {"w": weight(layer, r, s), **constants(penalty)})
    return _double_sum(term, layer)


def _double_sum(term: Any, layer: Any) -> Any:
    return Sum(term, (s, 1, Width(layer - 1)), (r, 1, Width(layer)))


def penalise(b: Builder, penalty: Penalty | None, bias: Bias) -> Node:
    """Add the steps of the penalty; return the cost that is minimised."""
    if penalty is None:
        return cost()
    whole = penalised_cost(L + 1)
    share = Node("R", l)
    stated = stated_penalty(penalty, l)
    define_constants(b, "2.1p", penalty, stated)
    b.define(
        "2.1p",
        equation(share, stated),
        f"penalty {penalty.name} of the regular weights of a layer; biases are free",
        ANY_LAYER_L,
    )
    b.define(
        "2.1r",
        equation(whole, cost() + Sum(share, (l, 1, L + 1))),
        "what is minimised: the cost and the penalty of every layer",
    )
    total = b["2.1r"].rhs.xreplace({share: b["2.1p"].rhs})
    derivative = _derivative(total)
    b.add(
        "2.1ra",
        "differentiate",
        equation(Partial(whole, w_ij), derivative),
        "a regular weight stands in one term of the penalty" + _declared(derivative),
        ("2.1p", "2.1r"),
        REGULAR,
    )
    if bias(k) != 0:
        b.add(
            "2.1rb",
            "no penalty",
            equation(Partial(whole, w_ij).xreplace(AT_BIAS), Partial(cost(), w_ij).xreplace(AT_BIAS)),
            "the sums of 2.1p end before the bias",
            ("2.1p", "2.1r"),
            OF_BIAS,
        )
    return whole


def _derivative(total: Any) -> Any:
    """Differentiate the cost and the sums over weights by the general weight."""
    hidden = rules.Hidden()
    found = []
    for term in sympy.Add.make_args(total):
        coefficient = term.coeff(cost())
        if coefficient.is_number and coefficient != 0:
            found.append(coefficient * Partial(cost(), w_ij))
            continue
        factor, sums = term.as_independent(Sum, as_Add=False)
        if not isinstance(sums, Sum):
            raise DerivationError(f"2.1ra: {term} is neither the cost nor a sum over weights")
        inner, limits = _flat(sums)
        nodes = inner.atoms(Node)
        if len(nodes) != 1:
            raise DerivationError(f"2.1ra: {inner} is no function of one weight")
        (own,) = nodes
        # The derivative of one term by its own weight, times that weight's by the general one.
        slope = hidden.hide(rules.differentiate(inner, own))
        found.append(factor * rules.collapse(Sum(slope * _same_weight(own, w_ij), *limits)))
    return hidden.show(sympy.Add(*found))


def _declared(derivative: Any) -> str:
    """Say what the derivative is where absolute values have none."""
    found = sorted(derivative.atoms(sympy.sign), key=str)
    return "; where an absolute value has a kink its derivative is declared as 0" if found else ""


def _flat(total: Sum) -> tuple[Any, list[Any]]:
    """Return the innermost summand and all limits, the innermost first."""
    inner, limits = total.function, list(total.limits)
    factor = sympy.S.One
    while isinstance(inner, (Sum, sympy.Mul)):
        if isinstance(inner, Sum):
            limits = [*inner.limits, *limits]
            inner = inner.function
            continue
        outside, rest = inner.as_independent(Sum, as_Add=False)
        if not isinstance(rest, Sum):
            break
        factor, inner = factor * outside, rest
    return factor * inner, limits


def _same_weight(one: Node, other: Node) -> Any:
    """Weights are independent variables: the derivative is 1 where layer and indices agree, else 0."""
    pairs = zip((one.layer, *one.indices), (other.layer, *other.indices), strict=True)
    return sympy.Mul(*(KroneckerDelta(a, b) for a, b in pairs))


def layers(b: Builder, penalty: Penalty | None, network: Network) -> None:
    """The instances of the penalty's equations for every layer of the network."""
    if penalty is None:
        return
    at = instances(b, network, functions=True)
    for layer in range(1, network.hidden + 2):
        at("2.1p", layer, {l: layer})
        at("2.1ra", layer, {k: layer})
        if network.has_bias(layer):
            at("2.1rb", layer, {k: layer})
    whole = b["2.1r"]
    b.add(
        "2.1rf",
        "instance",
        equation(of_network(whole.lhs, network), _layer_by_layer(of_network(whole.rhs, network))),
        "2.1r for this network",
        ("2.1r",),
        functions=True,
    )


def stated_of_penalty(penalty: Penalty, network: Network | None, label: str) -> Any:
    """Return what the record states for 2.1p, or for 2.1p and 2.1r of a network; None for a component."""
    if label == "2.1p":
        return stated_penalty(penalty, l)
    if network is None or "[" in label:
        return None
    if label == "2.1rf":
        return cost(sympy.Integer(network.hidden + 1)) + sympy.Add(
            *(Node("R", n) for n in range(1, network.hidden + 2))
        )
    layer = int(label.removeprefix("2.1p, k="))
    return of_network(stated_penalty(penalty, sympy.Integer(layer)), network)


def _layer_by_layer(expr: Any) -> Any:
    """Write a sum over layers out, whose number is known."""
    return expr.replace(lambda e: isinstance(e, Sum), lambda total: sympy.Add(*rules.terms(total)))

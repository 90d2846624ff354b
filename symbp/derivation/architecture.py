"""The equations of one network: the generic ones with its sizes, functions and cost put in.

These are the equations that pages print for "this network" and that the plan lowers to
kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from sympy import Eq, MatMul, Sum

from symbp.algebra import rules
from symbp.algebra.matrices import ChainMatrix, entries
from symbp.algebra.nodes import (
    ActivateDerivative,
    Constant,
    Node,
    Partial,
    Width,
    cost,
    delta,
    i,
    j,
    k,
    l,
    output,
    output_activation,
    p,
    pre_activation,
    prediction,
    q,
    r,
    s,
    t,
    target,
)
from symbp.derivation import local, shifted, stable, stable_costs
from symbp.derivation.conditions import at_most
from symbp.derivation.instances import instances, of_network
from symbp.derivation.records import Builder, equation, substitute
from symbp.derivation.relation import relation_beside, stated_slope, why_beside
from symbp.derivation.stated import (
    parameters,
    stated_cost,
    stated_formula,
    stated_hidden,
    stated_output,
)

if TYPE_CHECKING:
    from symbp.functions.records import Activation, Cost
    from symbp.network import Network


def functions(b: Builder, network: Network) -> None:
    """The network's output activation and cost, their derivatives and stable forms."""
    outputs = sympy.Integer(network.hidden + 1)
    activation = network.layer(network.hidden + 1).activation
    h = prediction(q, layer=outputs)
    values = _parameters(b, activation, network.hidden + 1, "1.8p")
    b.add(
        "1.8",
        "definition",
        equation(h, stated_output(network)),
        f"the output activation is {activation.name}",
        ("h", *values),
        defines=True,
        functions=True,
    )
    b.add(
        "1.8d",
        "differentiate",
        equation(
            Partial(output_activation(q, layer=outputs), pre_activation(outputs, r)),
            _output_jacobian(activation, b["1.8"], outputs),
        ),
        "differentiated and written in terms of the outputs where that is possible",
        ("1.8",),
        functions=True,
    )
    if activation.of_layer:
        shifted.shifted_output(b, b["1.8"])
    else:
        _relation_of_output(b, outputs)
        stable.output_of_unit(b)
    _cost(b, network, outputs)
    shifted.cost_on_weighted_sums(b, b["1.8"], b["2.1"], network.cost.name)
    stable_costs.cost(b, network.cost, activation.of_layer)
    _output_sensitivity(b, network, outputs)
    if activation.of_layer:
        shifted.sensitivity_on_exponentials(b)
    else:
        stable_costs.output_sensitivity(b, network.cost)


def _parameters(
    b: Builder, record: Activation | Cost, layer: int, head: str, tail: str = ""
) -> tuple[str, ...]:
    """Define the parameters of a function, a step for each, and return their labels."""
    found = parameters(record, layer, head, tail)
    for label, (letter, number) in found.items():
        b.define(label, equation(letter, number), f"a parameter of {record.name}", functions=True)
    return tuple(found)


def _output_jacobian(activation: Activation, output_value: Eq, layer: Any) -> Any:
    c_r = pre_activation(layer, r)
    if not activation.of_layer:
        # One neuron: the relation between g' and g found for hidden layers serves here too.
        formula = stated_formula(activation, int(layer))
        by_rule = rules.differentiate(pre_activation(layer, q), c_r)
        if output_value.rhs == formula.subs(local.Z, pre_activation(layer, q)):
            return _slope(formula, pre_activation(layer, q), prediction(q, layer=layer)) * by_rule
    derivative = rules.collapse(rules.differentiate(output_value.rhs, c_r))
    return local.in_terms_of_outputs(
        derivative, output_value.rhs, (q, r), lambda n: prediction(n, layer=layer)
    )


def _relation_of_output(b: Builder, layer: Any) -> None:
    c = pre_activation(layer, q)
    formula = b["1.8"].rhs.subs(c, local.Z)
    if formula.free_symbols - formula.atoms(Constant) == {local.Z}:
        by_rule = rules.differentiate(c, pre_activation(layer, r))
        _relation_beside(b, "1.8r", "1.8d", formula, prediction(q, layer=layer), by_rule)


def _slope(formula: Any, argument: Any, value: Any) -> Any:
    """g' at a weighted sum, in terms of the output where a relation exists."""
    return stated_slope(formula).subs({local.Z: argument, local.O: value})


def _cost(b: Builder, network: Network, layer: Any) -> None:
    h = prediction(q, p, layer)
    values = _parameters(b, network.cost, 0, "2.1c")
    b.add(
        "2.1",
        "definition",
        equation(cost(layer), stated_cost(network)),
        f"the cost is {network.cost.name}" + (", weighted by sample" if network.weighted else ""),
        values,
        defines=True,
        functions=True,
    )
    derivative = _cost_slope(b["2.1"].rhs, h)
    b.add(
        "2.1d",
        "differentiate",
        equation(Partial(cost(layer), h), derivative),
        "each output of each sample stands in one term of the cost",
        ("2.1",),
        functions=True,
    )


def _cost_slope(total: Any, h: Node) -> Any:
    """Differentiate the double sum: every term by its own output, times d h_s^t / d h_q^p."""
    (double,) = total.atoms(Sum)
    # The bound indices must not meet those of the variable.
    own, term = h.xreplace({q: s, p: t}), double.function.xreplace({q: s, p: t})
    limits = [(limit[0].xreplace({q: s, p: t}), *limit[1:]) for limit in double.limits]
    hidden = rules.Hidden()
    slope = hidden.hide(rules.differentiate(term, own)) * rules.differentiate(own, h)
    written = rules.collapse(total.xreplace({double: Sum(slope, *limits)}))
    return hidden.show(local.simplify_entry(written))


def _output_sensitivity(b: Builder, network: Network, layer: Any) -> None:
    """D.1 with the network's own cost and output activation, as short as it gets."""
    total = of_network(b["D.1"].rhs, network)
    hidden = rules.Hidden()
    slope = hidden.hide(rules.without_samples(b["2.1d"].rhs))
    jacobian = hidden.hide(b["1.8d"].rhs)
    written = total.replace(
        lambda e: isinstance(e, Partial) and e.of.kind == "J",
        lambda e: slope.xreplace({q: e.wrt.indices[0]}),
    ).replace(
        lambda e: isinstance(e, Partial) and e.of.kind == "sigma",
        lambda e: jacobian.xreplace({q: e.of.indices[0], r: e.wrt.indices[0]}),
    )
    summed = _sum_of_targets(rules.collapse(written), network)
    distribution = network.cost.targets == "distribution"
    b.add(
        "D.1f",
        "substitute and cancel",
        equation(delta(layer, r), hidden.show(local.simplify_entry(summed))),
        "D.1 with the derivatives of this cost and this output activation",
        ("D.1", "2.1d", "1.8d"),
        (_targets_sum_to_one(network, layer),) if distribution else (),
        functions=True,
    )


def _targets_sum_to_one(network: Network, layer: Any) -> Eq:
    return equation(Sum(target(q, layer=layer), (q, 1, network.sizes[-1])), sympy.Integer(1))


def _sum_of_targets(expr: Any, network: Network) -> Any:
    """Use the assumption that the targets of a sample sum to one, where the cost has it."""
    if network.cost.targets != "distribution":
        return expr

    def one(total: Sum) -> Any:
        inner = sympy.expand(total.function)
        (over, _, _), *rest = total.limits
        if rest or not isinstance(inner.subs(over, q), Node) or inner.kind != "y":
            return total
        return sympy.S.One

    return rules.hoist(sympy.expand(expr)).replace(lambda e: isinstance(e, Sum), one)


def layers(b: Builder, network: Network) -> None:
    """The instances of the generic equations for every layer of the network."""
    last = network.hidden + 1
    at = instances(b, network)
    for layer in range(1, last + 1):
        at("2.6b", layer, {l: layer})
        if layer < last:
            _hidden_functions(b, network, layer)
    for layer in range(last - 1, 0, -1):
        at("2.12", layer, {l: layer + 1})
    for layer in range(last - 1, 0, -1):
        _chain_entries(b, network, layer)
    for layer in range(last, 0, -1):
        _jacobian_entries(b, network, layer)
    for layer in range(last - 1, 0, -1):
        at("D.5", layer, {k: layer})
    for layer in range(last, 0, -1):
        at("D.6a", layer, {k: layer})
        if network.has_bias(layer):
            at("D.6b", layer, {k: layer})


def _hidden_functions(b: Builder, network: Network, layer: int) -> None:
    activation = network.layer(layer).activation
    c, o = pre_activation(layer, i), output(layer, i)
    values = _parameters(b, activation, layer, "1.3p", f", k={layer}")
    b.add(
        f"1.3, k={layer}",
        "definition",
        equation(o, stated_hidden(network, layer)),
        f"the activation of this layer is {activation.name}",
        ("1.3", *values),
        defines=True,
        functions=True,
    )
    value = b[f"1.3, k={layer}"].rhs.subs(c, local.Z)
    b.add(
        f"1.3d, k={layer}",
        "differentiate",
        equation(ActivateDerivative(layer, c), stated_slope(value).subs({local.Z: c, local.O: o})),
        "differentiated and written in terms of the output where that is possible",
        (f"1.3, k={layer}",),
        functions=True,
    )
    _relation_beside(b, f"1.3r, k={layer}", f"1.3d, k={layer}", value, o)
    stable.hidden(b, layer)


def _relation_beside(
    b: Builder, label: str, stated: str, formula: Any, value: Any, factor: Any = sympy.S.One
) -> None:
    """State the relation of g' to the output where one holds and kernels compute g' in another way."""
    relation = relation_beside(formula)
    if relation is not None:
        b.add(
            label,
            "inverse",
            equation(b[stated].lhs, relation.subs(local.O, value) * factor),
            "through the inverse of the activation; kernels compute the derivative as it stands before: "
            + why_beside(formula),
            (stated.replace("d", "", 1), stated),
            functions=True,
        )


def _chain_entries(b: Builder, network: Network, layer: int) -> None:
    general = substitute(b["2.16p"], {k: layer})
    written = of_network(general.rhs, network).replace(
        lambda e: isinstance(e, ChainMatrix), lambda e: e.evaluate()
    )
    product = written.doit(deep=False) if isinstance(written, MatMul) else written
    b.add(
        f"2.16, k={layer}",
        "entries",
        equation(Node("T", layer, (r, s)), of_network(entries(product, r, s), network)),
        "2.16p entry by entry" if layer < network.hidden else "a product of one factor",
        ("2.16p",),
        defines=True,
    )


def _jacobian_entries(b: Builder, network: Network, layer: int) -> None:
    """2.17 entry by entry, with 2.10 for the column; then for regular inputs and for the bias."""
    general = substitute(b["2.17"], {k: layer})
    factors = of_network(_with_column(b, general.rhs, layer), network).args
    product = MatMul(*(f.evaluate() if isinstance(f, ChainMatrix) else f for f in factors))
    entry = of_network(entries(product.doit(deep=False), 1, 1), network)
    whole = b.add(
        f"2.17, k={layer}",
        "entries",
        equation(of_network(general.lhs, network), rules.hoist(rules.collapse(entry))),
        "2.17 with 2.10 for the column",
        ("2.17", "2.10"),
    )
    b.add(
        f"2.17a, k={layer}",
        "inputs are outputs",
        equation(whole.lhs, rules.inputs_are_outputs(whole.rhs)),
        "the weights of the regular neurons",
        (f"2.17, k={layer}", "1.6"),
        (at_most(j, sympy.Integer(network.sizes[layer - 1])),),
    )
    if network.has_bias(layer):
        # Before the sizes are put in, the bias neuron is the one at N_{k-1} + 1.
        at_bias = {j: Width(layer - 1) + 1}
        b.add(
            f"2.17b, k={layer}",
            "the bias neuron returns 1",
            equation(
                of_network(whole.lhs.xreplace(at_bias), network),
                of_network(rules.bias_is_one(whole.rhs.xreplace(at_bias)), network),
            ),
            "the bias",
            (f"2.17, k={layer}",),
        )


def _with_column(b: Builder, product: Any, layer: int) -> Any:
    column = substitute(b["2.10"], {k: layer})
    return MatMul(*(column.rhs if f == column.lhs else f for f in product.args))

"""Backpropagation for any L and any N_k: document 000, section 2.3, equation by equation.

Every statement is *made* from earlier statements by the rules of
:mod:`symbp.algebra.rules`; only definitions and the chain-rule axiom are written down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import MatMul, Sum, Transpose

from symbp.algebra import rules
from symbp.algebra.matrices import (
    ChainMatrix,
    DeltaColumn,
    OutputRow,
    PreActivationColumn,
    StepMatrix,
    StepProduct,
    entries,
)
from symbp.algebra.nodes import (
    Activate,
    Inputs,
    L,
    Node,
    Partial,
    Width,
    cost,
    d,
    delta,
    i,
    j,
    k,
    l,
    layer_input,
    m,
    output,
    output_activation,
    p,
    pre_activation,
    prediction,
    q,
    r,
    s,
    w_ij,
    weight,
)
from symbp.derivation import reading
from symbp.derivation.columns import column_equation, matrix_equation
from symbp.derivation.conditions import (
    ANY_LAYER,
    ANY_LAYER_L,
    AT_BIAS,
    HIDDEN,
    LATER,
    OF_BIAS,
    REGULAR,
    at_most,
    below,
)
from symbp.derivation.records import Builder, equation, substitute

Bias = Callable[[Any], Any]


def forward(b: Builder, bias: Bias) -> None:
    """The forward pass: equations 1.6, 1.7, 2.6, 1.3 and the output layer."""
    b.define(
        "1.6",
        equation(layer_input(k, i), output(k - 1, i)),
        "the outputs of a layer are the inputs of the next",
        (*ANY_LAYER, at_most(i, Width(k - 1))),
    )
    if bias(k) != 0:
        b.define(
            "1.6b",
            equation(layer_input(k, Width(k - 1) + 1), sympy.Integer(1)),
            "one of the inputs is that of the bias neuron, which returns 1",
            OF_BIAS,
        )
    b.define("1.7", equation(Inputs(k), Width(k - 1) + bias(k)), _inputs_reason(bias), ANY_LAYER)
    b.define(
        "2.6",
        equation(
            pre_activation(l, r), Sum(weight(l, r, s) * layer_input(l, s), (s, 1, Width(l - 1) + bias(l)))
        ),
        "the weighted sum of a neuron: one summand for each of its inputs",
        ANY_LAYER_L,
    )
    b.add(
        "2.6b",
        "split off the bias",
        equation(pre_activation(l, r), rules.inputs_are_outputs(rules.split_bias(b["2.6"].rhs))),
        "the bias neuron returns 1, the other inputs are outputs of the layer before",
        ("2.6", "1.6", "1.7"),
        ANY_LAYER_L,
    )
    b.add(
        "2.6m",
        "matrix form",
        column_equation(b["2.6"], r, b["1.7"]),
        "2.6 for all neurons of the layer",
        ("2.6", "1.7"),
        ANY_LAYER_L,
    )
    b.define(
        "1.3",
        equation(output(k, i), Activate(k, pre_activation(k, i))),
        "the neuron's output is the activation of its weighted sum",
        HIDDEN,
    )
    b.add(
        "1.3m",
        "matrix form",
        column_equation(b["1.3"], i, b["1.7"]),
        "1.3 for all neurons of the layer",
        ("1.3",),
        HIDDEN,
    )
    b.define(
        "h",
        equation(prediction(q), output_activation(q)),
        "an output neuron's activation may depend on the whole layer",
    )


def _inputs_reason(bias: Bias) -> str:
    with_bias = bias(k)
    if with_bias == 1:
        return "the neurons of the layer before and one bias neuron"
    if with_bias == 0:
        return "the neurons of the layer before; there is no bias neuron"
    return "the neurons of the layer before and, where the layer has one, a bias neuron"


def chain(b: Builder) -> None:
    """Equations 2.3 to 2.11: the chain rule down to the weighted sums of one layer."""
    b.add(
        "2.3",
        "chain rule",
        equation(
            Partial(cost(), w_ij),
            rules.chain_rule(cost(), prediction(q, p), ((q, 1, Width(L + 1)), (p, 1, m)), w_ij),
        ),
        "the cost depends on the weights through every output of every sample",
        (),
        ANY_LAYER,
    )
    b.add(
        "2.4",
        "chain rule",
        equation(
            Partial(prediction(q), w_ij),
            rules.chain_rule(output_activation(q), pre_activation(L + 1, r), ((r, 1, Width(L + 1)),), w_ij),
        ),
        "an output depends on the weights through the weighted sums of the output layer",
        ("h",),
        ANY_LAYER,
    )
    b.add(
        "2.5",
        "matrix form",
        equation(b["2.4"].lhs, MatMul(OutputRow(q), PreActivationColumn(L + 1, w_ij))),
        "the sum is the product of a row and a column matrix",
        ("2.4",),
        ANY_LAYER,
    )
    b.add(
        "2.7",
        "differentiate",
        equation(Partial(pre_activation(l, r), w_ij), rules.differentiate(b["2.6"].rhs, w_ij)),
        "sum and product rule",
        ("2.6",),
        (*ANY_LAYER, *ANY_LAYER_L),
    )
    earlier = rules.evaluate_partials(reading.at_layer(b["2.7"].rhs, k - d))
    b.add(
        "2.7z",
        "layers",
        equation(b["2.7"].lhs, reading.back(earlier, k - l)),
        "a layer does not depend on the weights of a later one",
        ("2.7",),
        (at_most(1, l), below(l, k), at_most(k, L + 1)),
    )
    same = rules.collapse(rules.evaluate_partials(reading.at_layer(b["2.7"].rhs, k)))
    b.add(
        "2.8",
        "Kronecker collapse",
        equation(reading.at_layer(b["2.7"].lhs, k), same),
        "in its own layer a weight meets only itself",
        ("2.7",),
        ANY_LAYER,
    )
    b.add(
        "2.10",
        "matrix form",
        equation(PreActivationColumn(k, w_ij), reading.column(b["2.8"].rhs, r)),
        "2.8 for all rows at once",
        ("2.8",),
        ANY_LAYER,
    )
    later = rules.evaluate_partials(reading.at_layer(b["2.7"].rhs, k + d))
    b.add(
        "2.11a",
        "layers",
        equation(b["2.7"].lhs, reading.back(later, l - k)),
        "weights of different layers are independent",
        ("2.7",),
        LATER,
    )
    b.add(
        "2.11b",
        "split off the bias",
        equation(b["2.7"].lhs, rules.inputs_are_outputs(rules.split_bias(b["2.11a"].rhs))),
        "inputs are outputs of the layer before; the bias neuron is constant",
        ("2.11a", "1.6"),
        LATER,
    )
    b.add(
        "2.11",
        "chain rule",
        equation(b["2.7"].lhs, rules.outputs_are_activations(b["2.11b"].rhs)),
        "the output of a neuron is the activation of its weighted sum",
        ("2.11b", "1.3"),
        LATER,
    )


def matrices(b: Builder) -> None:
    """Equations 2.12 to 2.17: the S-matrices and the T-product."""
    previous = PreActivationColumn(l - 1, w_ij)
    b.add(
        "2.12",
        "read off",
        equation(
            Node("S", l - 1, (r, s)),
            reading.coefficient(b["2.11"].rhs, Partial(pre_activation(l - 1, s), w_ij)),
        ),
        "what multiplies the derivative of the layer before",
        ("2.11",),
        (at_most(2, l), at_most(l, L + 1)),
        defines=True,
    )
    b.add(
        "2.13",
        "matrix form",
        equation(PreActivationColumn(l, w_ij), MatMul(StepMatrix(l - 1), previous)),
        "2.11 for all rows at once",
        ("2.11", "2.12"),
        LATER,
    )
    b.add(
        "2.14",
        "induction",
        equation(b["2.13"].lhs, MatMul(StepProduct(l - 1, k), PreActivationColumn(k, w_ij))),
        "2.13 again and again until the layer of the weight is reached",
        ("2.13",),
        LATER,
    )
    b.define(
        "2.16",
        equation(ChainMatrix(l - 1, k), StepProduct(l - 1, k)),
        "a short name for the product",
        LATER,
    )
    b.define(
        "2.16z",
        equation(ChainMatrix(k - 1, k), sympy.Identity(Width(k))),
        "the empty product is the identity",
        ANY_LAYER,
    )
    b.add(
        "2.15",
        "substitute",
        equation(b["2.14"].lhs, reading.replace_factor(b["2.14"].rhs, b["2.16"].rhs, b["2.16"].lhs)),
        "2.14 with the short name",
        ("2.14", "2.16", "2.16z"),
        (at_most(1, k), at_most(k, l), at_most(l, L + 1)),
    )
    b.add(
        "2.16p",
        "peel one factor",
        equation(ChainMatrix(L, k), ChainMatrix(L, k).peel_right()),
        "the last factor of 2.16 on its own",
        ("2.16", "2.16z"),
        HIDDEN,
    )
    last = substitute(b["2.15"], {l: L + 1})
    b.add(
        "2.17",
        "substitute",
        equation(b["2.5"].lhs, reading.replace_factor(b["2.5"].rhs, last.lhs, last.rhs)),
        "2.15 down from the output layer",
        ("2.5", "2.15"),
        ANY_LAYER,
    )


def sensitivities(b: Builder, bias: Bias) -> None:
    """The bridge from the T-product to the delta recursion, D.1 to D.6."""
    one_sample = reading.one_sample(b["2.3"].rhs)
    b.add(
        "D.1",
        "read off",
        equation(
            delta(L + 1, r),
            Sum(Partial(cost(), prediction(q)) * reading.output_entry(b), (q, 1, Width(L + 1))),
        ),
        "the sensitivity of the cost to a weighted sum of the output layer, for one sample",
        ("2.3", "2.4"),
        defines=True,
    )
    with_chain = b["2.17"].rhs
    b.add(
        "D.2",
        "substitute",
        equation(one_sample, reading.absorb(with_chain)),
        "one sample's share of 2.3, by 2.17; the sum over the outputs is the row of D.1",
        ("2.3", "2.17", "D.1"),
        ANY_LAYER,
    )
    row, chain_matrix = reading.row_and_chain(b["D.2"].rhs)
    b.add(
        "D.3",
        "read off",
        equation(Transpose(DeltaColumn(k)), MatMul(row, chain_matrix)),
        "the row that multiplies the derivative of a layer is the sensitivity to its weighted sums",
        ("D.2",),
        ANY_LAYER,
        defines=True,
    )
    b.add(
        "D.4",
        "peel one factor",
        equation(DeltaColumn(k), reading.peel(b["D.3"], b["2.16p"])),
        "the T-product is that of the next layer times S; D.3 for the next takes the rest; transpose",
        ("D.3", "2.16p"),
        HIDDEN,
    )
    component = entries(b["D.4"].rhs, s, 0)
    b.add(
        "D.5",
        "entries",
        equation(delta(k, s), rules.hoist(reading.with_step_entries(component, b["2.12"]))),
        "D.4 row by row, with the entries of 2.12",
        ("D.4", "2.12"),
        HIDDEN,
    )
    b.add(
        "D.5m",
        "matrix form",
        column_equation(b["D.5"], s, b["1.7"]),
        "D.5 for all neurons of the layer",
        ("D.5",),
        HIDDEN,
    )
    contribution = rules.collapse(reading.gradient_entry(b))
    b.add(
        "D.6",
        "entries",
        equation(b["2.3"].lhs, Sum(rules.at_sample(contribution, p), (p, 1, m))),
        "D.2 with D.3 and 2.10, summed over the samples",
        ("2.3", "D.2", "D.3", "2.10"),
        ANY_LAYER,
    )
    b.add(
        "D.6m",
        "matrix form",
        matrix_equation(b["D.6"], i, j, b["1.7"]),
        "D.6 for all weights of the layer",
        ("D.6", "1.7"),
        ANY_LAYER,
    )
    b.add(
        "D.6a",
        "inputs are outputs",
        equation(b["D.6"].lhs, rules.inputs_are_outputs(b["D.6"].rhs)),
        "the weights of the regular neurons",
        ("D.6", "1.6"),
        REGULAR,
    )
    if bias(k) == 0:
        return
    b.add(
        "D.6b",
        "the bias neuron returns 1",
        equation(b["D.6"].lhs.xreplace(AT_BIAS), rules.bias_is_one(b["D.6"].rhs.xreplace(AT_BIAS))),
        "the bias, where the layer has one",
        ("D.6",),
        OF_BIAS,
    )

"""Derivatives by the inputs of the network: of the outputs and of the cost (003, Table 1, step 7).

The same way as for the weights: down to the weighted sums of layer 1 by the T-product or by
the sensitivities, and from there to the inputs by differentiating 2.6b.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    L,
    Partial,
    Width,
    cost,
    j,
    k,
    l,
    output,
    output_activation,
    pre_activation,
    prediction,
    q,
    r,
    s,
)
from symbp.derivation import reading
from symbp.derivation.columns import column_equation
from symbp.derivation.conditions import ANY_LAYER_L, at_most
from symbp.derivation.instances import instances, of_network
from symbp.derivation.records import Builder, equation, substitute
from symbp.errors import DerivationError

if TYPE_CHECKING:
    from symbp.network import Network

x_j = output(0, j)
FIRST = 1  # the layer that the inputs enter
_LATER = (at_most(2, l), at_most(l, L + 1))


def inputs(b: Builder) -> None:
    """Equations X.1 to X.13m, for any L and N_k."""
    _weighted_sums(b)
    _product(b)
    _outputs(b)
    _cost(b)


def _weighted_sums(b: Builder) -> None:
    b.add(
        "X.1",
        "differentiate",
        equation(Partial(pre_activation(l, r), x_j), rules.differentiate(b["2.6b"].rhs, x_j)),
        "weights and biases do not depend on the inputs",
        ("2.6b",),
        ANY_LAYER_L,
    )
    first = rules.collapse(rules.evaluate_partials(reading.at_layer(b["X.1"].rhs, FIRST)))
    b.add(
        "X.2",
        "Kronecker collapse",
        equation(reading.at_layer(b["X.1"].lhs, FIRST), first),
        "the inputs of the network are independent of each other",
        ("X.1",),
    )
    b.add(
        "X.3",
        "chain rule",
        equation(b["X.1"].lhs, rules.outputs_are_activations(b["X.1"].rhs)),
        "the output of a neuron is the activation of its weighted sum",
        ("X.1", "1.3"),
        _LATER,
    )


def _product(b: Builder) -> None:
    b.add(
        "X.4",
        "matrix form",
        equation(PreActivationColumn(l, x_j), MatMul(StepMatrix(l - 1), PreActivationColumn(l - 1, x_j))),
        "X.3 for all rows at once: what multiplies the derivative of the layer before is 2.12",
        ("X.3", "2.12"),
        _LATER,
    )
    b.add(
        "X.5",
        "induction",
        equation(b["X.4"].lhs, MatMul(StepProduct(l - 1, FIRST), PreActivationColumn(FIRST, x_j))),
        "X.4 again and again until the first layer with weights is reached",
        ("X.4",),
        _LATER,
    )
    name = substitute(b["2.16"], {k: FIRST})
    b.add(
        "X.6",
        "substitute",
        equation(b["X.5"].lhs, reading.replace_factor(b["X.5"].rhs, name.rhs, name.lhs)),
        "X.5 with the short name",
        ("X.5", "2.16", "2.16z"),
        ANY_LAYER_L,
    )


def _outputs(b: Builder) -> None:
    b.add(
        "X.7",
        "chain rule",
        equation(
            Partial(prediction(q), x_j),
            rules.chain_rule(output_activation(q), pre_activation(L + 1, r), ((r, 1, Width(L + 1)),), x_j),
        ),
        "an output depends on the inputs through the weighted sums of the output layer",
        ("h",),
    )
    last = substitute(b["X.6"], {l: L + 1})
    b.add(
        "X.8",
        "substitute",
        equation(b["X.7"].lhs, MatMul(OutputRow(q), last.rhs).doit(deep=False)),
        "the sum is the product of a row and a column matrix; X.6 down from the output layer",
        ("X.7", "X.6"),
    )
    row, chain_matrix, column = b["X.8"].rhs.args
    b.add(
        "X.9",
        "read off",
        equation(Partial(prediction(q), pre_activation(FIRST, s)), entries(MatMul(row, chain_matrix), 0, s)),
        "the row that multiplies the derivative of the first layer is the derivative by its weighted sums",
        ("X.8",),
        defines=True,
    )
    by_sums = Sum(b["X.9"].lhs * column._entry(s, 0), (s, 1, column.shape[0]))
    b.add(
        "X.10",
        "entries",
        equation(b["X.8"].lhs, _first_layer(b, by_sums)),
        "X.8 with X.9 for the row and X.2 for the column",
        ("X.8", "X.9", "X.2"),
    )


def _cost(b: Builder) -> None:
    b.add(
        "X.11",
        "chain rule",
        equation(Partial(cost(), x_j), rules.chain_rule(cost(), prediction(q), ((q, 1, Width(L + 1)),), x_j)),
        "the cost depends on the inputs of a sample through the outputs of that sample",
    )
    row, chain_matrix, column = reading.absorb(b["X.8"].rhs).args
    definition = substitute(b["D.3"], {k: FIRST})
    if MatMul(row, chain_matrix) != definition.rhs:
        raise DerivationError(f"X.12: {row} {chain_matrix} is not the right side of D.3 for layer 1")
    b.add(
        "X.12",
        "substitute",
        equation(b["X.11"].lhs, MatMul(Transpose(DeltaColumn(FIRST)), column)),
        "X.11 by X.8; the sum over the outputs is the row of D.1, and D.3 takes the T-product",
        ("X.11", "X.8", "D.1", "D.3"),
    )
    b.add(
        "X.13",
        "entries",
        equation(b["X.11"].lhs, _first_layer(b, entries(b["X.12"].rhs, 0, 0))),
        "X.12 with X.2 for the column",
        ("X.12", "X.2"),
    )
    b.add(
        "X.13m",
        "matrix form",
        column_equation(b["X.13"], j, b["1.7"]),
        "X.13 for all inputs of the network",
        ("X.13",),
    )


def _first_layer(b: Builder, expr: Any) -> Any:
    """Put X.2 in place of every derivative of a weighted sum of layer 1 by an input."""

    def is_first(e: Any) -> bool:
        return isinstance(e, Partial) and e.of.kind == "c" and e.wrt == x_j

    def weight_of(partial: Partial) -> Any:
        return b["X.2"].rhs.xreplace({r: partial.of.indices[0]})

    return expr.replace(is_first, weight_of)


def of_one_network(b: Builder, network: Network) -> None:
    """The three equations that kernels compute: X.9, X.10 and X.13 with the sizes put in."""
    at = instances(b, network)
    row, chain_matrix, _ = b["X.8"].rhs.args
    matrix = of_network(chain_matrix, network)
    written = matrix.evaluate() if isinstance(matrix, ChainMatrix) else matrix
    product = MatMul(of_network(row, network), written).doit(deep=False)
    b.add(
        f"X.9, k={FIRST}",
        "entries",
        equation(
            of_network(b["X.9"].lhs, network), rules.collapse(of_network(entries(product, 0, s), network))
        ),
        "X.9 for this network",
        ("X.9",),
        defines=True,
    )
    at("X.10", FIRST, {})
    at("X.13", FIRST, {})

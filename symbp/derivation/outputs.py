"""Derivatives of the cost by the outputs of hidden neurons (003, Table 1, steps 3 and 5).

Between the sensitivities of two layers stand the derivatives by the outputs of the earlier
one: the chain rule along every path to the next layer, and the sum rule across the paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbp.algebra import rules
from symbp.algebra.matrices import entries
from symbp.algebra.nodes import Partial, Width, cost, j, k, l, output, pre_activation, r
from symbp.derivation.columns import column_equation
from symbp.derivation.conditions import ANY_LAYER_L, HIDDEN
from symbp.derivation.instances import instances
from symbp.derivation.reading import at_layer
from symbp.derivation.records import Builder, equation, substitute

if TYPE_CHECKING:
    from symbp.network import Network


def outputs(b: Builder) -> None:
    """Equations D.7 to D.9, for any L and N_k."""
    before = output(l - 1, j)
    local = rules.differentiate(b["2.6b"].rhs, before)
    b.add(
        "D.7",
        "differentiate",
        equation(Partial(pre_activation(l, r), before), rules.collapse(rules.evaluate_partials(local))),
        "the outputs of one layer are independent of each other",
        ("2.6b",),
        ANY_LAYER_L,
    )
    sensitivity = substitute(b["D.3"], {k: l})
    b.add(
        "D.8",
        "read off",
        equation(Partial(cost(), pre_activation(l, r)), entries(sensitivity.lhs, 0, r)),
        "the rows of D.3 hold the derivatives of the cost by the weighted sums of one sample",
        ("D.3",),
        ANY_LAYER_L,
    )
    following = pre_activation(k + 1, r)
    b.add(
        "D.9",
        "chain rule",
        equation(
            Partial(cost(), output(k, j)),
            rules.chain_rule(cost(), following, ((r, 1, Width(k + 1)),), output(k, j)),
        ),
        "along every path to the next layer, summed across the paths",
        (),
        HIDDEN,
    )
    b.add(
        "D.9a",
        "substitute",
        equation(b["D.9"].lhs, _put_in(b["D.9"].rhs, at_layer(b["D.7"], k + 1), at_layer(b["D.8"], k + 1))),
        "D.9 with D.7 along each path and D.8 at its end",
        ("D.9", "D.7", "D.8"),
        HIDDEN,
    )
    b.add(
        "D.9m",
        "matrix form",
        column_equation(b["D.9a"], j, b["1.7"]),
        "D.9a for all neurons of the layer",
        ("D.9a",),
        HIDDEN,
    )


def _put_in(expr: Any, *known: Any) -> Any:
    """Put the right side of an equation in place of its left side, wherever that stands."""
    return expr.xreplace({eq.lhs: eq.rhs for eq in known})


def of_one_network(b: Builder, network: Network) -> None:
    """D.7 and D.9a for every layer of one network; for the inputs of layer 1 these are X.2 and X.13."""
    at = instances(b, network)
    for layer in range(network.hidden, 0, -1):
        at("D.7", layer + 1, {l: layer + 1})
        at("D.9a", layer, {k: layer})

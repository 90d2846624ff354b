"""Generic equations with the numbers of one network in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symbp.algebra import rules
from symbp.algebra.nodes import L, j
from symbp.derivation.records import Builder, equation, substitute

if TYPE_CHECKING:
    from symbp.network import Network


def of_network(expr: Any, network: Network) -> Any:
    """Put in L, every N_k and M_k, and which layers have a bias."""
    return rules.sizes(expr.subs(L, network.hidden), network.sizes, network.biases)


def instances(
    b: Builder, network: Network, functions: bool = False
) -> Callable[[str, int, dict[Any, int]], None]:
    """Return what adds a generic step for one layer: its label, the layer, and what is put in.

    `functions` tells whether the steps hold functions of the network, which only numbers can check.
    """

    def at(label: str, layer: int, values: dict[Any, int]) -> None:
        general = substitute(b[label], values)
        b.add(
            f"{label}, k={layer}",
            "instance",
            equation(of_network(general.lhs, network), of_network(general.rhs, network)),
            f"{label} for one layer of this network",
            (label,),
            # Conditions on layers are met by this one; those on indices remain.
            tuple(of_network(c.subs(values), network) for c in b.steps[label].assumes if c.lhs == j),
            defines=b.steps[label].defines,
            functions=functions,
        )

    return at

"""The two ways to the gradient side by side, with what each equation costs in this network."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy

from symbp.algebra.nodes import Node
from symbp.derivation.components import RULE as COMPONENT
from symbp.derivation.records import Derivation
from symbp.errors import PlanError
from symbp.plan.operations import Operations, of_value
from symbp.plan.passes import make_plan
from symbp.plan.ways import Way, jacobian_orders, ways_to_gradient
from symbp.values import counted

# The table is about a network that one looks at; the plan of a deep one takes seconds.
MOST_LAYERS = 20


@dataclass(frozen=True)
class Row:
    """What the equations of one number cost, over all layers."""

    label: str
    operations: Operations


@dataclass(frozen=True)
class Column:
    """One way: its equations and their sum."""

    title: str
    rows: tuple[Row, ...]
    total: Operations


@dataclass(frozen=True)
class Comparison:
    """Both ways, and what follows from the numbers."""

    columns: tuple[Column, ...]
    remarks: tuple[str, ...]


def compare(derivation: Derivation) -> Comparison | None:
    """Return the comparison, or None where there is no network of moderate depth to count for."""
    network = derivation.network
    if network is None or len(network.layers) > MOST_LAYERS or derivation.steps[0].rule == COMPONENT:
        return None
    return _compared(_Asked(derivation))


class _Asked:
    """A derivation, known by what it says: each form of a page and each notation asks for the same."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        said = tuple(replace(step, because="", checks=()) for step in derivation.steps)
        self.key = (derivation.network, derivation.training, said)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key


@functools.lru_cache(maxsize=16)
def _compared(asked: _Asked) -> Comparison | None:
    derivation, network = asked.derivation, asked.derivation.network
    assert network is not None
    try:
        ways = ways_to_gradient(make_plan(derivation), _cost_slope(derivation))
    except PlanError:  # an equation was replaced by one that no kernel computes
        return None
    remarks = (_of_gradient(*ways, network.sizes[-1]), *_of_jacobian(network.sizes))
    return Comparison(tuple(map(_column, ways)), remarks)


def _cost_slope(derivation: Derivation) -> Operations:
    """Return what dJ/dh_q takes, as its step has it, for one sample and output."""
    slope = derivation["2.1d"].statement.rhs
    return of_value(slope.replace(lambda part: isinstance(part, Node), lambda part: sympy.Dummy()))


def _column(way: Way) -> Column:
    return Column(way.title, tuple(Row(*pair) for pair in _by_number(way.counts).items()), way.total)


_NUMBER = re.compile(r"\w+\.\d+")


def _by_number(counts: Mapping[str, Operations]) -> dict[str, Operations]:
    """Add up the layers and forms: "2.17a, k=1" and "2.17b, k=2" are both 2.17, and "D.1fs" is D.1."""
    found: dict[str, Operations] = {}
    for label, operations in counts.items():
        number = _NUMBER.match(label)[0]  # type: ignore[index]
        found[number] = found.get(number, Operations()) + operations
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(number: str) -> tuple[str, int]:
    chapter, _, rest = number.partition(".")
    # In the order in which they are computed: 2.3 comes after the T-product.
    return chapter, int(rest) if int(rest) > 3 or chapter == "D" else 100


def _of_gradient(t_product: Way, sensitivities: Way, outputs: int) -> str:
    forwards, backwards = t_product.total.multiplications, sensitivities.total.multiplications
    if forwards <= backwards:
        return (
            f"Here the T-product takes {forwards:,} multiplications and the sensitivities {backwards:,}: "
            "with so few outputs and layers nothing is gained."
        )
    reason = (
        "a sensitivity is one row times the S-matrices, where the T-product carries one row for every "
        "output, and a derivative for every output and weight."
        if outputs > 1
        else "with one output the T-product is one row too, but it forms every S-matrix and the derivative "
        "of the output by every weight, each of which is then multiplied by that of the cost by the "
        "output; a sensitivity has that and the slopes in its row, once for each neuron."
    )
    return (
        f"The sensitivities take {backwards:,} multiplications and the T-product {forwards:,}, "
        f"{forwards / backwards:.1f} times as many: {reason}"
    )


def _of_jacobian(sizes: tuple[int, ...]) -> tuple[str, ...]:
    if len(sizes) < 3:
        return ()
    orders, (inputs, *_, outputs) = jacobian_orders(sizes), sizes
    given, returned = counted(inputs, "input"), counted(outputs, "output")
    ends = {"reverse": orders.reverse, "forward": orders.forward}
    winner = min(ends, key=lambda name: ends[name])
    if orders.reverse == orders.forward:
        verdict = "both ends are equally good"
    elif winner == "reverse":
        verdict = f"from the outputs it is cheaper, with {returned} and {given}"
    else:
        verdict = f"forward accumulation wins, with {given} and {returned}"
    best = f" (the best brackets take {orders.best:,})" if orders.best < min(ends.values()) else ""
    return (
        f"The Jacobian of the outputs by the inputs has no such row. As a product of matrices it takes "
        f"{orders.reverse:,} multiplications from the outputs and {orders.forward:,} from the inputs{best}; "
        f"{verdict}.",
    )

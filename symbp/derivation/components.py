"""The equations of a small network written out: no index left, every sum term by term.

Each component is an instance of an equation of the derivation, made by putting numbers in
for its indices; the oracles then check it like any other step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import sympy
from sympy import Eq, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import ActivateDerivative, MaxOver, Node, Partial
from symbp.derivation import resolved
from symbp.derivation.instances import of_network
from symbp.derivation.records import Builder, Derivation, Step, equation
from symbp.errors import DerivationError
from symbp.network import Network

# A page of this many equations is still read; a sum of this many terms still fits on it.
MAX_WEIGHTS = 80
RULE = "component"


Whole = TypeVar("Whole", bound=Derivation)


def components(derivation: Whole) -> Whole:
    """Return the derivation of a small network, component by component.

    Parameters
    ----------
    derivation : Derivation
        Of a network with at most :data:`MAX_WEIGHTS` weights.

    Returns
    -------
    Derivation
        Of the same class. Its labels are those of the equations with the indices in
        brackets: ``"D.5[2], k=1"``.

    Raises
    ------
    DerivationError
        If there is no network, or if it is too large.
    """
    network = derivation.network
    if network is None:
        raise DerivationError("components are those of a network: derive(network) instead of derive()")
    if network.n_params > MAX_WEIGHTS:
        raise DerivationError(
            f"{network.name} has {network.n_params:,} weights; written out component by component "
            f"it may have {MAX_WEIGHTS}"
        )
    whole = derivation.recipe

    def recipe(network: Network | None, overrides: Mapping[str, Eq]) -> tuple[Step, ...]:
        assert network is not None
        steps = whole(network, {label: eq for label, eq in overrides.items() if "[" not in label})
        b = Builder({label: eq for label, eq in overrides.items() if "[" in label})
        for step in steps:
            of_network = step.functions or "k=" in step.label
            # 2.17a and 2.17b say it shorter; with functions put in it is the same once more.
            if of_network and not step.label.startswith("2.17, ") and step.rule != resolved.RULE:
                _add_components(b, step, network)
        return tuple(b.steps.values())

    overrides = dict(derivation.overrides)
    return replace(derivation, steps=recipe(network, overrides), recipe=recipe)


def _add_components(b: Builder, step: Step, network: Network) -> None:
    ranges = _ranges(step, network)
    for numbers in itertools.product(*(range(1, high + 1) for high in ranges.values())):
        values = dict(zip(ranges, map(sympy.Integer, numbers), strict=True))
        left, right = (_written_out(side.xreplace(values)) for side in step.statement.args)
        b.add(
            _label(step.label, numbers),
            RULE,
            equation(left, right),
            f"{step.label} written out",
            # The equations in index form are not on this page.
            (),
            tuple(c for c in step.assumes if c.atoms(Node)),
            step.defines,
            step.functions,
        )


def _label(label: str, numbers: tuple[int, ...]) -> str:
    if not numbers:
        return label
    head, comma, layer = label.partition(", ")
    return f"{head}[{','.join(map(str, numbers))}]{comma}{layer}"


def _ranges(step: Step, network: Network) -> dict[Any, int]:
    """Return how far each index of the left side runs."""
    ranges: dict[Any, int] = {}
    for node in _nodes(step.statement.lhs):
        for position, extent in zip(node.indices, node.extents, strict=True):
            if position.is_Symbol:
                high = _number(extent, node, network)
                ranges[position] = min(high, ranges.get(position, high))
    for condition in step.assumes:  # such as j <= N: the regular weights only
        if condition.lhs in ranges:
            ranges[condition.lhs] = min(ranges[condition.lhs], int(condition.rhs))
    return ranges


def _nodes(left: Any) -> Iterator[Node]:
    if isinstance(left, Node):
        yield left
    elif isinstance(left, Partial):
        yield from (left.of, left.wrt)
    elif isinstance(left, ActivateDerivative):
        yield left.args[1]


def _number(extent: Any, node: Node, network: Network) -> int:
    return int(of_network(extent, network))


def _written_out(expr: Any) -> Any:
    """Return the expression with every sum and maximum over neurons term by term."""
    if not expr.args or isinstance(expr, (Node, Partial)):
        return expr
    if isinstance(expr, (Sum, MaxOver)):
        return _terms(expr)
    return expr.func(*map(_written_out, expr.args))


def _terms(total: Any) -> Any:
    """Expand the limits that are numbers; a sum over samples stays."""
    join = sympy.Add if isinstance(total, Sum) else sympy.Max
    known = [limit for limit in total.limits if limit[2].is_Integer]
    inner = join(*rules.terms(total.func(total.function, *known))) if known else total.function
    still = [limit for limit in total.limits if not limit[2].is_Integer]
    return total.func(_written_out(inner), *still) if still else _written_out(inner)

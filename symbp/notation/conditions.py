"""Conditions joined to chains, as a reader expects them: 1 <= k < l <= L + 1."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sympy
from sympy import Eq, Ge, Gt, Ne, Symbol
from sympy.core.relational import Relational


def chains(assumptions: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
    """Join inequalities that share an end: k < l and l <= L + 1 to (1, <=, k, <, l, <=, L + 1).

    What SymPy knows already (an index is at least 1) is not among the assumptions; it is
    shown again in front of an index that begins a chain.
    """
    links: list[list[Any]] = []
    others: list[tuple[Any, ...]] = []
    for assumption in assumptions:
        if not isinstance(assumption, Relational) or assumption is sympy.true:
            continue
        low, high, sign = assumption.lhs, assumption.rhs, assumption.rel_op
        if isinstance(assumption, (Eq, Ne)):
            others.append((low, "=" if isinstance(assumption, Eq) else "!=", high))
            continue
        if isinstance(assumption, (Ge, Gt)):
            low, high, sign = high, low, sign.replace(">", "<")
        for link in links:
            if link[-1] == low:
                link += [sign, high]
                break
            if link[0] == high:
                link[:0] = [low, sign]
                break
        else:
            links.append([low, sign, high])
    return (*(tuple(_from_one(link)) for link in links), *others)


def _from_one(link: list[Any]) -> list[Any]:
    first = link[0]
    return [sympy.S.One, "<=", *link] if isinstance(first, Symbol) and first.is_positive else link


def plain(chain: tuple[Any, ...], letters: Collection[Any]) -> tuple[Any, ...]:
    """Count so that a layer stands in a chain as its letter alone: 2 <= l <= L for 1 <= l - 1 <= L - 1.

    Where a chain has two layers, the later one is made plain.
    """
    for place in range(2, len(chain), 2):
        if _gap(chain[place], letters) == 1 and chain[place - 1] == "<":
            # k < l + 1 is k <= l.
            tail = [x if isinstance(x, str) else x - 1 for x in chain[place:]]
            return plain((*chain[: place - 1], "<=", *tail), letters)
        if (
            _gap(chain[place - 2], letters) == -1
            and chain[place - 1] == "<"
            and _gap(chain[place], letters) is not None
        ):
            # l - 1 < k is l <= k.
            head = [x if isinstance(x, str) else x + 1 for x in chain[: place - 1]]
            return plain((*head, "<=", *chain[place:]), letters)
    gaps = [_gap(element, letters) for element in chain[::2]]
    gap = next((gap for gap in reversed(gaps) if gap is not None), 0)
    if gap == 0:
        return chain
    return plain(tuple(x if isinstance(x, str) else x - gap for x in chain), letters)


def _gap(element: Any, letters: Collection[Any]) -> Any:
    """Return what is added to the letter of a layer, or None for what is no layer."""
    gaps = (sympy.expand(element - letter) for letter in letters)
    return next((gap for gap in gaps if gap.is_Integer), None)

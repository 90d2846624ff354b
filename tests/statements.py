"""Evaluates printed equations wherever their conditions hold, and says where they are untrue."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

import numpy as np

from tests.documents import Absent, Document, Quantity
from tests.meaning import Context, Node, Value, derivative_of, integer
from tests.reader import Reader


def read(document: Document, text: str) -> tuple[Node, set[str]]:
    """Return an expression and the letters in it that stand for numbers."""
    reader = Reader(document, text)
    node = reader.expression()
    assert not reader.rest(), f"cannot read {reader.rest()!r} in {text!r}"
    return node, reader.names - reader.bound


def defines(document: Document, left: str) -> str | None:
    """Return the letter on the left side if the document has none such: the statement defines it."""
    found = re.match(r"(?P<name>[A-Za-z]+)(?:_(?P<index>[a-z]))?$", left)
    known = {*document.letters, document.cost, document.one, document.mean, "delta", "Delta", "W"}
    if found is None or found["name"] in known:
        return None
    return found["name"]


_RELATION = re.compile(r" (?:<=|<|=) ")


def _bound(document: Document, text: str) -> Node:
    """Read a part of a condition: a size or a layer, or a sum over the data."""
    if text.startswith("sum"):
        return read(document, text)[0]
    return lambda context: integer(text.replace(" ", ""), context)


def _names(document: Document, conditions: tuple[str, ...]) -> set[str]:
    constants = {document.sizes, document.count, document.samples, "beta", "M"}
    bare = " ".join(c for c in conditions if not c.startswith("sum"))
    return set(re.findall(r"[A-Za-z]+", bare)) - constants


def cases(
    document: Document, names: set[str], conditions: Iterator[str] | tuple[str, ...], limit: int, seed: str
) -> Iterator[dict[str, int]]:
    """Yield numbers for the letters that meet the printed conditions, in random order."""
    largest = max(*document.net.widths, document.number_of_layers()) + 1
    chains = [[_bound(document, part) for part in _RELATION.split(c)] for c in conditions]
    signs = [re.findall(r" (<=|<|=) ", c) for c in conditions]

    def holds(env: dict[str, int]) -> bool:
        context = Context(document, env, {})
        for chain, links in zip(chains, signs, strict=True):
            try:
                a = chain[0](context)
                for sign, node in zip(links, chain[1:], strict=True):
                    b = node(context)
                    if not (a <= b if sign == "<=" else a < b if sign == "<" else abs(a - b) < 1e-12):
                        return False
                    a = b
            except Absent:
                return False
        return True

    ordered = sorted(names)
    grid = list(itertools.product(range(largest + 1), repeat=len(ordered)))
    random.Random(seed).shuffle(grid)
    found = 0
    for values in grid:
        env = dict(zip(ordered, values, strict=True))
        if set(env) <= set(names) and holds(env):
            yield env
            found += 1
            if found > limit:
                return


def disagreement(
    document: Document,
    text: str,
    conditions: tuple[str, ...],
    definitions: dict[str, tuple[str | None, Node]],
    limit: int = 60,
    descends: str | None = None,
) -> tuple[str | None, int]:
    """Evaluate both sides of a printed equation wherever its left side exists.

    Returns
    -------
    str or None
        The first case in which the sides differ, or in which the right side does not exist.
    int
        How many cases were compared.
    """
    left_text, sign, right_text = re.split(r" (=|<-) ", text, maxsplit=1)
    name = defines(document, left_text)
    right, names = read(document, right_text)
    if name is not None:
        index = left_text.partition("_")[2] or None
        definitions[name] = (index, right)
        return None, 1
    left, left_names = read(document, left_text)
    compared = 0
    named = _names(document, conditions)
    for env in cases(document, names | left_names | named, conditions, limit * 40, text):
        context = Context(document, env, definitions)
        try:
            wanted = left(context)
        except Absent:
            continue
        try:
            found = right(context)
        except Absent as missing:
            return f"{text} at {env}: no {missing}", compared
        if sign == "<-":
            wanted = wanted - 0.3 * _gradient_of(left_text, context, descends or document.cost)
        if np.shape(wanted) != np.shape(found) and np.size(wanted) == np.size(found) == 1:
            wanted, found = np.ravel(wanted)[0], np.ravel(found)[0]
        if np.shape(wanted) != np.shape(found) or not np.allclose(wanted, found, rtol=1e-10, atol=1e-12):
            return f"{text} at {env}: {wanted} is not {found}", compared
        compared += 1
        if compared >= limit:
            break
    return None, compared


def excluded(document: Document, text: str, conditions: tuple[str, ...]) -> dict[str, int] | None:
    """Return a case in which the left side exists, but which the conditions leave out."""
    left, names = read(document, re.split(r" (?:=|<-) ", text, maxsplit=1)[0])
    every = cases(document, names, (), 10**6, text)
    allowed = {tuple(sorted(env.items())) for env in cases(document, names, conditions, 10**6, text)}
    for env in every:
        try:
            left(Context(document, env, {}))
        except Absent:
            continue
        if tuple(sorted(env.items())) not in allowed:
            return env
    return None


def _gradient_of(left: str, context: Context, cost: str) -> Value:
    """Return the derivative of a cost by the weight that an update assigns to."""
    reader = Reader(context.document, left)
    quantity = reader.quantity()
    assert quantity is not None
    return derivative_of(Quantity(cost, 0, (), 1), quantity(context), context)

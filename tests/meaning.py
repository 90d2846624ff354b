"""What letters with scripts mean in the arrays of a document, and how values are combined."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.documents import INPUTS, Document, Quantity

Value = Any
Node = Callable[["Context"], Value]


@dataclass
class Context:
    """A document with numbers for layers and indices, and the sample that "a general x" is."""

    document: Document
    env: dict[str, int]
    definitions: dict[str, tuple[str | None, Node]]
    sample: int = 1


def split(script: str, count: int) -> list[str]:
    if "," in script:
        return script.split(",")
    return list(script) if count > 1 and len(script) == count else [script]


@functools.cache
def _sum(text: str) -> tuple[str, str, str]:
    """Split at the last sign outside braces into left, sign and right; without one, all is right."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    depth = 0
    for place in range(len(text) - 1, 0, -1):
        depth += {"}": 1, "{": -1}.get(text[place], 0)
        if not depth and text[place] in "+-":
            return text[:place], text[place], text[place + 1 :]
    return "", "", text


def integer(text: str, context: Context) -> int:
    """Evaluate a layer, an index or a size."""
    left, sign, text = _sum(text)
    if sign:
        first, second = integer(left, context), integer(text, context)
        return first + second if sign == "+" else first - second
    document = context.document
    if text.isdigit():
        return int(text)
    if text == document.count:
        return document.number_of_layers()
    if text == document.samples:
        return len(document.net.X)
    head, _, script = text.replace("^", "_").partition("_")
    inner = script.strip("{}")
    if script and head == document.sizes:
        return document.width(integer(inner, context))
    if script and head == "M":  # of 000: the inputs of a layer
        k = integer(inner, context)
        return document.has_bias(k) + document.width(k - 1)
    if script and head == "beta":
        return document.has_bias(integer(inner, context))
    return context.env[text]


def quantity_of(name: str, sub: str, sup: str, context: Context) -> Quantity:
    """Return what a letter with its scripts is."""
    document = context.document
    kind = (
        "cost" if name == document.cost else document.letters.get(name, "column" if name == "delta" else "")
    )
    below, above = (script.split(",") if script else [] for script in (sub, sup))
    sample = context.sample
    if kind == "cost" or name == document.mean:
        return Quantity(name, 0, (), 1)
    if name == document.one:
        number = (below or above or [""])[0].strip("()")
        return Quantity(name, 0, (), integer(number, context) if number else sample)
    if kind in ("weight", "matrix") or name == "W":
        weights = {"W": "w", "Theta": "theta"}.get(name, name)
        where = above if above else below  # W_k of 000
        if kind == "weight":
            below = split(sub, 2)
            return Quantity(weights, integer(above[0], context), tuple(integer(x, context) for x in below), 1)
        return Quantity(weights, integer(where[0], context), None, 1)
    # Below: perhaps a sample, then the index. Above: the layer, and perhaps a sample.
    for scripts in (below, above):
        for item in list(scripts):
            if item.strip("()") in document.sample_letters:
                sample = integer(item, context)
                scripts.remove(item)
    last = document.net.last
    if kind == "input":
        letter, layer = INPUTS[type(document).__name__.lower()]
        if not below:  # the inputs as a column have no bias among them
            barred = f"{letter}bar"
            return Quantity(barred if barred in document.letters else letter, layer, None, sample)
        return Quantity(letter, layer, (integer(below[0], context),), sample)
    if kind in ("output", "target"):
        letter = "y" if kind == "target" else "h"
        return Quantity(letter, last, (integer(below[0], context),), sample)
    if not above:  # a whole column of 000 has its layer below
        return Quantity(name, integer(below[0], context), None, sample)
    layer = integer(above[0], context)
    if not below:
        return Quantity(name, layer, None, sample)
    return Quantity(name, layer, (integer(below[0], context),), sample)


def value_of(name: str, sub: str, sup: str, context: Context) -> Value:
    document = context.document
    if name == document.kronecker and len(split(sub, 2)) == 2 and not sup:
        a, b = (integer(part, context) for part in split(sub, 2))
        return float(a == b)
    if name == "I":
        return np.eye(integer(sub, context))
    if name == document.sizes:
        return float(integer(f"{name}_{{{sub or sup}}}", context))
    if name == "beta":
        return float(integer(f"beta_{{{sub}}}", context))
    if name in context.definitions:
        return defined(name, sub, sup, context)
    if name == "Delta":
        return accumulated(sub, sup, context)
    known = {*document.letters, document.cost, document.one, document.mean, "W", "delta"}
    assert name in known, f"{name} is no letter of this document"
    q = quantity_of(name, sub, sup, context)
    return whole(q, document) if q.index is None else document.entry(q)


def accumulated(sub: str, sup: str, context: Context) -> Value:
    """Return Delta: the derivatives by a weight, summed over the first samples."""
    document = context.document
    scripts = {"below": sub.split(","), "above": sup.split(",")}
    place, position = document.sample_at
    count = integer(scripts[place].pop(position).strip("()"), context)
    letter = next(name for name, kind in document.letters.items() if kind == "weight")
    below = ",".join(scripts["below"])
    if below.endswith("b"):  # 004: of a bias
        letter, below = "b", below.rstrip("b,")
    weight = quantity_of(letter, below, scripts["above"][0], context)
    return document.accumulated(weight, count)


def whole(q: Quantity, document: Document) -> Value:
    if (q.name, q.layer) in document.arrays and document.arrays[q.name, q.layer][1].ndim == 2:
        return document.arrays[q.name, q.layer][1]
    members = document.members(q)
    return np.array([[document.entry(m)] for m in members])


def defined(name: str, sub: str, sup: str, context: Context) -> Value:
    index, body = context.definitions[name]
    env, sample = dict(context.env), context.sample
    items = [x for x in (*sub.split(","), *sup.split(",")) if x]
    for item in items:
        if item.strip("()") in context.document.sample_letters:
            sample = integer(item, context)
        else:
            assert index is not None
            env[index] = integer(item, context)
    return body(Context(context.document, env, context.definitions, sample))


def derivative_of(of: Quantity, wrt: Quantity, context: Context) -> Value:
    document = context.document
    if of.name in (document.cost, document.one) and of.index == () and wrt.index is None:
        if (wrt.name, wrt.layer) in document.arrays:
            _, array = document.arrays[wrt.name, wrt.layer]
            if array.ndim == 2:
                return gradient(of, wrt, document)
        return np.array([[document.derivative(of, m)] for m in document.members(wrt)])
    if of.index is None and wrt.index is not None:
        return np.array([[document.derivative(m, wrt)] for m in document.members(of)])
    if wrt.index is None:
        values = np.array([[document.derivative(of, m)] for m in document.members(wrt)])
        return values.T if document.row_derivatives else values
    return document.derivative(of, wrt)


def gradient(of: Quantity, wrt: Quantity, document: Document) -> Value:
    """Return the derivatives by all entries of a matrix, laid out as the matrix is."""
    first, array = document.arrays[wrt.name, wrt.layer]
    result = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        for i, j in itertools.product(range(max(array.shape) + 1), repeat=2):
            if document.place(wrt._replace(index=(i, j)), first) == place:
                result[place] = document.derivative(of, wrt._replace(index=(i, j)))
    return result


def product_there(factors: list[tuple[str, Node]], context: Context) -> Value:
    """Return a product; None where beta says that there is no such term."""
    if any(getattr(node, "is_beta", False) and node(context) == 0 for _, node in factors):
        return None
    return product([(op, node(context)) for op, node in factors])


def step_matrix(context: Context, layer: int) -> Value:
    return context.document.jacobian(layer + 1, layer)


def chain(name: str, sub: str, sup: str) -> Node:
    def layer(context: Context) -> int:
        return integer(sup or sub, context)

    def value(context: Context) -> Value:
        if name == "S":
            return step_matrix(context, layer(context))
        lower, upper = integer(sub, context), integer(sup, context)
        if upper == lower - 1:
            return np.eye(context.document.width(lower))
        return context.document.jacobian(upper + 1, lower)

    value.layer = layer  # type: ignore[attr-defined]
    return value


def column(items: list[Node], dotted: bool, context: Context) -> Value:
    if not dotted:
        return np.array([[item(context) for item in items]])
    pairs = [item.pair(context) for item in items]  # type: ignore[attr-defined]
    (first, one), (second, _), (last, _) = pairs
    assert (first, second) == (1, 2)
    return np.array([[float(n == one) for n in range(1, last + 1)]])


def as_matrix(value: Value) -> Any:
    return np.atleast_2d(value)


def product(factors: list[tuple[str, Value]]) -> Value:
    result = factors[0][1]
    for op, value in factors[1:]:
        if op == "/":
            result = result / value
        elif op == ".*":
            assert np.shape(result) == np.shape(value)
            result = result * value
        elif np.ndim(result) and np.ndim(value):
            assert result.shape[1] == value.shape[0], f"product of shapes {result.shape} and {value.shape}"
            result = result @ value
        else:
            result = result * value
    return result

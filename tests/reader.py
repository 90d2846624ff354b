"""Reads printed text equations back and evaluates them in a document's own arrays.

The reader knows how mathematics is written on a line, not what symbp meant: products by a
space, sums, derivatives ``dA/dB``, scripts. What a letter is, :mod:`tests.documents` says.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.documents import STEP, Absent, Document, Quantity

Value = Any
Node = Callable[["Context"], Value]
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "softplus": lambda u: np.log1p(np.exp(u)),
}
_NAME = re.compile(r"[A-Za-z]+'?")


@dataclass
class Context:
    """A document with numbers for layers and indices, and the sample that "a general x" is."""

    document: Document
    env: dict[str, int]
    definitions: dict[str, tuple[str | None, Node]]
    sample: int = 1


@dataclass
class Reader:
    """Parses expressions in the letters of one document."""

    document: Document
    text: str
    at: int = 0
    names: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)

    # Characters ---------------------------------------------------------------------------

    def rest(self) -> str:
        return self.text[self.at :]

    def take(self, start: str) -> bool:
        if self.rest().startswith(start):
            self.at += len(start)
            return True
        return False

    def braced(self) -> str:
        """Return a script: one character, or what stands in braces."""
        if not self.take("{"):
            self.at += 1
            return self.text[self.at - 1]
        start, depth = self.at, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
            self.at += 1
        return self.text[start : self.at - 1]

    def scripts(self) -> tuple[str, str]:
        sub = sup = ""
        if self.take("_"):
            sub = self.braced()
        if self.rest().startswith("^") and self.rest()[1:2] != "T":  # ^T is a transpose
            self.at += 1
            sup = self.braced()
        constants = {self.document.sizes, self.document.count, self.document.samples}
        for script in (sub, sup):
            self.names |= set(re.findall(r"[A-Za-z]", script.replace("beta", ""))) - constants
        return sub, sup

    # Grammar ------------------------------------------------------------------------------

    def expression(self) -> Node:
        negative = self.take("-")
        total = [(-1 if negative else 1, self.term())]
        while self.rest()[:3] in (" + ", " - "):
            sign = 1 if self.rest()[1] == "+" else -1
            self.at += 3
            total.append((sign, self.term()))

        def value(context: Context) -> Value:
            values = ((sign, part(context)) for sign, part in total)
            parts = [sign * value for sign, value in values if value is not None]
            result = parts[0]
            for other in parts[1:]:
                assert np.shape(result) == np.shape(other), self.text
                result = result + other
            return result

        return value

    def term(self) -> Node:
        factors: list[tuple[str, Node]] = [("", self.factor())]
        while True:
            rest = self.rest()
            if rest.startswith(" ... "):
                self.at += 5
                return self.ellipsis([node for _, node in factors])
            if rest.startswith(" .* "):
                self.at += 4
                factors.append((".*", self.factor()))
            elif rest.startswith("/"):
                self.at += 1
                factors.append(("/", self.factor()))
            elif (
                rest.startswith(" ")
                and rest[1:2] not in "+-=<>"
                and not rest.startswith((" if", " otherwise"))
            ):
                self.at += 1
                factors.append(("*", self.factor()))
            else:
                return lambda context: _there(factors, context)

    def ellipsis(self, before: list[Node]) -> Node:
        """Read S_a S_{a-1} ... S_{b+1} S_b and what follows."""
        after = [self.factor()]
        while self.rest().startswith(" "):
            self.at += 1
            after.append(self.factor())
        first, second, last_but_one, last = *before[-2:], *after[:2]

        def value(context: Context) -> Value:
            layers = [node.layer(context) for node in (first, second, last_but_one, last)]  # type: ignore[attr-defined]
            upper, lower = layers[0], layers[3]
            assert layers == [upper, upper - 1, lower + 1, lower], self.text
            chain = [_step(context, n) for n in range(upper, lower - 1, -1)]
            if not chain:
                raise Absent("a product of no matrices")
            values = [
                *(node(context) for node in before[:-2]),
                *chain,
                *(node(context) for node in after[2:]),
            ]
            return _product([("*", v) for v in values])

        return value

    def factor(self) -> Node:
        base = self.base()
        while self.rest().startswith("^"):
            self.at += 1
            power = self.braced()
            if power == "T":
                base = (lambda node: lambda context: np.transpose(_matrix(node(context))))(base)
            else:
                base = (lambda node, n: lambda context: node(context) ** n)(base, int(power))
        return base

    def base(self) -> Node:
        rest = self.rest()
        if number := re.match(r"\d+(\.\d+)?", rest):
            self.at += number.end()
            return lambda context: float(number.group())
        if self.take("("):
            inner = self.expression()
            assert self.take(")"), self.rest()
            return inner
        if rest.startswith("["):
            return self.square()
        if rest.startswith(("sum_", "max_")):
            return self.over()
        return self.derivative() or self.letter()

    def over(self) -> Node:
        operator = self.text[self.at : self.at + 3]
        self.at += 3
        low, high = self.scripts()
        name, start = low.split("=")
        self.bound.add(name)
        assert self.take(" ")
        body = self.term()

        def value(context: Context) -> Value:
            values = []
            first, last = _integer(start, context), _integer(high, context)
            for number in range(first, last + 1):
                values.append(
                    body(
                        Context(
                            context.document,
                            {**context.env, name: number},
                            context.definitions,
                            context.sample,
                        )
                    )
                )
            if operator == "max":
                return max(values)
            return sum(values[1:], values[0]) if values else 0.0

        return value

    def square(self) -> Node:
        """Read an entry [M]_{ij}, rows [M]_1^n, or a column written out."""
        self.at += 1
        items, dotted = [self.item()], False
        while self.take(", "):
            if self.take("..."):
                dotted = True
            else:
                items.append(self.item())
        assert self.take("]"), self.rest()
        if len(items) > 1:
            return lambda context: _column(items, dotted, context)
        if self.rest().startswith("^"):  # a row of one, transposed by who calls
            return lambda context: np.array([[items[0](context)]])
        sub, sup = self.scripts()

        def value(context: Context) -> Value:
            matrix = _matrix(items[0](context))
            if sup:
                count = _integer(sup, context)
                assert _integer(sub, context) == 1
                extra = matrix.shape[0] - count
                assert extra in (0, 1), self.text  # only the bias is left out
                return matrix[extra:]
            places = [_integer(part, context) for part in _split(sub, 2)]
            row, column = (*places, 1)[:2]
            if not (1 <= row <= matrix.shape[0] and 1 <= column <= matrix.shape[1]):
                raise Absent(f"[...]_{sub}")
            return matrix[row - 1, column - 1]

        return value

    def item(self) -> Node:
        """Read what stands between brackets or commas; a letter alone keeps what it says of itself."""
        start = self.at
        node = self.factor()
        if self.rest().startswith((", ", "]")):
            return node
        self.at = start
        return self.expression()

    def derivative(self) -> Node | None:
        start = self.at
        if not self.take("d"):
            return None
        of = self.quantity()
        if of is not None and self.take("/d"):
            wrt = self.quantity()
            if wrt is not None:
                return lambda context: _derivative(of(context), wrt(context), context)
        self.at = start
        return None

    def quantity(self) -> Callable[[Context], Quantity] | None:
        found = _NAME.match(self.rest())
        document = self.document
        known = {*document.letters, document.cost, document.pre, "W", "delta"}
        if found is None or found.group() not in known:
            return None
        self.at += found.end()
        name = found.group()
        sub, sup = self.scripts()
        return lambda context: _quantity(name, sub, sup, context)

    def letter(self) -> Node:
        found = _NAME.match(self.rest())
        assert found, f"nothing to read in {self.rest()!r} of {self.text!r}"
        name = found.group()
        self.at += found.end()
        document = self.document
        if name in FUNCTIONS and self.rest().startswith("("):
            argument = self.base()
            return lambda context: FUNCTIONS[name](argument(context))
        sub, sup = self.scripts()
        if name.rstrip("'") == document.function and self.rest().startswith("("):
            return self.activation(sup, slope=name.endswith("'"))
        if name == document.learning_rate:
            return lambda context: 0.3
        if name in (document.samples, document.count) and not sub:
            return lambda context: float(_integer(name, context))
        if name in ("S", "T"):
            return _chain(name, sub, sup)

        def value(context: Context) -> Value:
            return _value(name, sub, sup, context)

        value.is_beta = name == "beta"  # type: ignore[attr-defined]
        if name == document.kronecker:
            value.pair = lambda context: [_integer(part, context) for part in _split(sub, 2)]  # type: ignore[attr-defined]
        return value

    def activation(self, layer: str, slope: bool) -> Node:
        """Read g(z) or g'(z); the layer is that of the argument, and of g where g has one."""
        start = self.at
        argument = self.base()
        inner = self.text[start + 1 : self.at - 1]

        def value(context: Context) -> Value:
            reader = Reader(context.document, inner)
            found = reader.quantity()
            assert found is not None, f"{inner} is no weighted sum"
            q = found(context)
            assert q.name == context.document.pre, f"{inner} is no weighted sum"
            if layer:
                assert _integer(layer, context) == q.layer, self.text
            number = context.document.our_layer(q.layer)
            z = argument(context)
            if not slope:
                return context.document.net.activate(number, z)
            if number == context.document.net.last:
                raise Absent("g' of the output layer")
            return np.imag(context.document.net.activate(number, z + 1j * STEP)) / STEP

        return value


# Statements --------------------------------------------------------------------------------


def read(document: Document, text: str) -> tuple[Node, set[str]]:
    """Return an expression and the letters in it that stand for numbers."""
    reader = Reader(document, text)
    node = reader.expression()
    assert not reader.rest(), f"cannot read {reader.rest()!r} in {text!r}"
    return node, reader.names - reader.bound


def defines(document: Document, left: str) -> str | None:
    """Return the letter on the left side if the document has none such: the statement defines it."""
    found = re.match(r"(?P<name>[A-Za-z]+)(?:_(?P<index>[a-z]))?$", left)
    if found is None or found["name"] in {*document.letters, document.cost, "delta", "W"}:
        return None
    return found["name"]


_RELATION = re.compile(r" (?:<=|<|=) ")


def _bound(document: Document, text: str) -> Node:
    """Read a part of a condition: a size or a layer, or a sum over the data."""
    if text.startswith("sum"):
        return read(document, text)[0]
    return lambda context: _integer(text.replace(" ", ""), context)


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
                values = [node(context) for node in chain]
            except Absent:
                return False
            for a, sign, b in zip(values, links, values[1:], strict=False):
                if not {"<=": a <= b, "<": a < b, "=": abs(a - b) < 1e-12}[sign]:
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
            wanted = wanted - 0.3 * _gradient_of(left_text, context)
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


def _gradient_of(left: str, context: Context) -> Value:
    """Return the derivative of the cost by the weight that an update assigns to."""
    reader = Reader(context.document, left)
    quantity = reader.quantity()
    assert quantity is not None
    return _derivative(Quantity(context.document.cost, 0, (), 1), quantity(context), context)


# Meaning -----------------------------------------------------------------------------------


def _split(script: str, count: int) -> list[str]:
    if "," in script:
        return script.split(",")
    return list(script) if count > 1 and len(script) == count else [script]


def _integer(text: str, context: Context) -> int:
    """Evaluate a layer, an index or a size."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    document, depth = context.document, 0
    for place in range(len(text) - 1, 0, -1):
        depth += {"}": 1, "{": -1}.get(text[place], 0)
        if not depth and text[place] in "+-":
            left, right = (_integer(part, context) for part in (text[:place], text[place + 1 :]))
            return left + right if text[place] == "+" else left - right
    if text.isdigit():
        return int(text)
    if text == document.count:
        return document.number_of_layers()
    if text == document.samples:
        return len(document.net.X)
    head, _, script = text.replace("^", "_").partition("_")
    inner = script.strip("{}")
    if script and head == document.sizes:
        return document.width(_integer(inner, context))
    if script and head == "M":  # of 000: the inputs of a layer
        k = _integer(inner, context)
        return document.has_bias(k) + document.width(k - 1)
    if script and head == "beta":
        return document.has_bias(_integer(inner, context))
    return context.env[text]


def _quantity(name: str, sub: str, sup: str, context: Context) -> Quantity:
    """Return what a letter with its scripts is."""
    document = context.document
    kind = (
        "cost" if name == document.cost else document.letters.get(name, "column" if name == "delta" else "")
    )
    below, above = (script.split(",") if script else [] for script in (sub, sup))
    sample = context.sample
    if kind == "cost":
        return Quantity(name, 0, (), 1)
    if kind in ("weight", "matrix") or name == "W":
        weights = {"W": "w", "Theta": "theta"}.get(name, name)
        where = above if above else below  # W_k of 000
        if kind == "weight":
            below = _split(sub, 2)
            return Quantity(
                weights, _integer(above[0], context), tuple(_integer(x, context) for x in below), 1
            )
        return Quantity(weights, _integer(where[0], context), None, 1)
    # Below: perhaps a sample, then the index. Above: the layer, and perhaps a sample.
    for scripts in (below, above):
        for item in list(scripts):
            if item.strip("()") in document.sample_letters:
                sample = _integer(item, context)
                scripts.remove(item)
    last = document.net.last
    if kind == "input":
        first = {"smatrix": ("o", 0), "ng": ("a", 1), "bishop": ("z", 0), "nielsen": ("a", 0)}
        letter, layer = first[type(document).__name__.lower()]
        return Quantity(letter, layer, (_integer(below[0], context),), sample)
    if kind in ("output", "target"):
        letter = "y" if kind == "target" else "h"
        return Quantity(letter, last, (_integer(below[0], context),), sample)
    if not above:  # a whole column of 000 has its layer below
        return Quantity(name, _integer(below[0], context), None, sample)
    layer = _integer(above[0], context)
    if not below:
        return Quantity(name, layer, None, sample)
    return Quantity(name, layer, (_integer(below[0], context),), sample)


def _value(name: str, sub: str, sup: str, context: Context) -> Value:
    document = context.document
    if name == document.kronecker and len(_split(sub, 2)) == 2 and not sup:
        a, b = (_integer(part, context) for part in _split(sub, 2))
        return float(a == b)
    if name == "I":
        return np.eye(_integer(sub, context))
    if name == document.sizes:
        return float(_integer(f"{name}_{{{sub or sup}}}", context))
    if name == "beta":
        return float(_integer(f"beta_{{{sub}}}", context))
    if name in context.definitions:
        return _defined(name, sub, sup, context)
    known = {*document.letters, document.cost, "W", "delta"}
    assert name in known, f"{name} is no letter of this document"
    q = _quantity(name, sub, sup, context)
    return _whole(q, document) if q.index is None else document.entry(q)


def _whole(q: Quantity, document: Document) -> Value:
    if (q.name, q.layer) in document.arrays and document.arrays[q.name, q.layer][1].ndim == 2:
        return document.arrays[q.name, q.layer][1]
    members = document.members(q)
    return np.array([[document.entry(m)] for m in members])


def _defined(name: str, sub: str, sup: str, context: Context) -> Value:
    index, body = context.definitions[name]
    env, sample = dict(context.env), context.sample
    items = [x for x in (*sub.split(","), *sup.split(",")) if x]
    for item in items:
        if item.strip("()") in context.document.sample_letters:
            sample = _integer(item, context)
        else:
            assert index is not None
            env[index] = _integer(item, context)
    return body(Context(context.document, env, context.definitions, sample))


def _derivative(of: Quantity, wrt: Quantity, context: Context) -> Value:
    document = context.document
    if of.name == document.cost and of.index == () and wrt.index is None:
        if (wrt.name, wrt.layer) in document.arrays:
            _, array = document.arrays[wrt.name, wrt.layer]
            if array.ndim == 2:
                return _gradient(of, wrt, document)
        return np.array([[document.derivative(of, m)] for m in document.members(wrt)])
    if of.index is None and wrt.index is not None:
        return np.array([[document.derivative(m, wrt)] for m in document.members(of)])
    if wrt.index is None:
        values = np.array([[document.derivative(of, m)] for m in document.members(wrt)])
        return values.T if document.row_derivatives else values
    return document.derivative(of, wrt)


def _gradient(of: Quantity, wrt: Quantity, document: Document) -> Value:
    """Return the derivatives by all entries of a matrix, laid out as the matrix is."""
    first, array = document.arrays[wrt.name, wrt.layer]
    result = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        for i, j in itertools.product(range(max(array.shape) + 1), repeat=2):
            if document.place(wrt._replace(index=(i, j)), first) == place:
                result[place] = document.derivative(of, wrt._replace(index=(i, j)))
    return result


def _there(factors: list[tuple[str, Node]], context: Context) -> Value:
    """Return a product; None where beta says that there is no such term."""
    if any(getattr(node, "is_beta", False) and node(context) == 0 for _, node in factors):
        return None
    return _product([(op, node(context)) for op, node in factors])


def _step(context: Context, layer: int) -> Value:
    return context.document.jacobian(layer + 1, layer)


def _chain(name: str, sub: str, sup: str) -> Node:
    def layer(context: Context) -> int:
        return _integer(sup or sub, context)

    def value(context: Context) -> Value:
        if name == "S":
            return _step(context, layer(context))
        lower, upper = _integer(sub, context), _integer(sup, context)
        if upper == lower - 1:
            return np.eye(context.document.width(lower))
        return context.document.jacobian(upper + 1, lower)

    value.layer = layer  # type: ignore[attr-defined]
    return value


def _column(items: list[Node], dotted: bool, context: Context) -> Value:
    if not dotted:
        return np.array([[item(context) for item in items]])
    pairs = [item.pair(context) for item in items]  # type: ignore[attr-defined]
    (first, one), (second, _), (last, _) = pairs
    assert (first, second) == (1, 2)
    return np.array([[float(n == one) for n in range(1, last + 1)]])


def _matrix(value: Value) -> Any:
    return np.atleast_2d(value)


def _product(factors: list[tuple[str, Value]]) -> Value:
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

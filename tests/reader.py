"""Reads printed text equations back: products by a space, sums, derivatives ``dA/dB``, scripts.

The reader knows how mathematics is written on a line, not what symbp meant. What a letter is,
:mod:`tests.meaning` and :mod:`tests.documents` say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.documents import STEP, Absent, Document, Quantity
from tests.meaning import (
    Context,
    Node,
    Value,
    as_matrix,
    chain,
    column,
    derivative_of,
    integer,
    product,
    product_there,
    quantity_of,
    split,
    step_matrix,
    value_of,
)
from tests.numbers import sigmoid

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softplus": lambda u: np.log1p(np.exp(u)),
}
_NAME = re.compile(r"[A-Za-z]+'?")


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
                return lambda context: product_there(factors, context)

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
            steps = [step_matrix(context, n) for n in range(upper, lower - 1, -1)]
            if not steps:
                raise Absent("a product of no matrices")
            values = [
                *(node(context) for node in before[:-2]),
                *steps,
                *(node(context) for node in after[2:]),
            ]
            return product([("*", v) for v in values])

        return value

    def factor(self) -> Node:
        base = self.base()
        while self.rest().startswith("^"):
            self.at += 1
            power = self.braced()
            if power == "T":
                base = (lambda node: lambda context: np.transpose(as_matrix(node(context))))(base)
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
            first, last = integer(start, context), integer(high, context)
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
            return lambda context: column(items, dotted, context)
        if self.rest().startswith("^"):  # a row of one, transposed by who calls
            return lambda context: np.array([[items[0](context)]])
        sub, sup = self.scripts()

        def value(context: Context) -> Value:
            matrix = as_matrix(items[0](context))
            if sup:
                return self.regular(matrix, sub, sup, context)
            places = [integer(part, context) for part in split(sub, 2)]
            row, column = (*places, 1)[:2]
            if not (1 <= row <= matrix.shape[0] and 1 <= column <= matrix.shape[1]):
                raise Absent(f"[...]_{sub}")
            return matrix[row - 1, column - 1]

        return value

    def regular(self, matrix: Value, first: str, count: str, context: Context) -> Value:
        """Return the rows [M]_1^n."""
        assert integer(first, context) == 1
        extra = matrix.shape[0] - integer(count, context)
        assert extra in (0, 1), self.text  # only the bias is left out
        return matrix[extra:]

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
            rows = self.take("[")
            wrt = self.quantity()
            if wrt is not None and rows:
                assert self.take("]"), self.rest()
                sub, sup = self.scripts()
                return lambda context: self.regular(
                    derivative_of(of(context), wrt(context), context), sub, sup, context
                )
            if wrt is not None:
                return lambda context: derivative_of(of(context), wrt(context), context)
        self.at = start
        return None

    def quantity(self) -> Callable[[Context], Quantity] | None:
        found = _NAME.match(self.rest())
        document = self.document
        known = {*document.letters, document.cost, document.one, document.mean, document.pre, "W", "delta"}
        if found is None or found.group() not in known:
            return None
        self.at += found.end()
        name = found.group()
        sub, sup = self.scripts()
        return lambda context: quantity_of(name, sub, sup, context)

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
            return lambda context: float(integer(name, context))
        if name in ("S", "T"):
            return chain(name, sub, sup)

        def value(context: Context) -> Value:
            return value_of(name, sub, sup, context)

        value.is_beta = name == "beta"  # type: ignore[attr-defined]
        if name == document.kronecker:
            value.pair = lambda context: [integer(part, context) for part in split(sub, 2)]  # type: ignore[attr-defined]
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
                assert integer(layer, context) == q.layer, self.text
            number = context.document.our_layer(q.layer)
            z = argument(context)
            if not slope:
                return context.document.net.activate(number, z)
            if number == context.document.net.last:
                raise Absent("g' of the output layer")
            return np.imag(context.document.net.activate(number, z + 1j * STEP)) / STEP

        return value

"""Tokens -> letters with their scripts: ``w_{ij}^{(l)}`` or ``w[l][i, j]``."""

from __future__ import annotations

from collections.abc import Callable

from symbp.run.formula.tokens import TRANSPOSE, Token, fault, tokens
from symbp.run.formula.tree import Binary, Name, Number, Part


class Cursor:
    """A place among the tokens of a line, from which letters with their scripts are read."""

    def __init__(
        self, text: str, is_function: Callable[[str], bool], is_quantity: Callable[[str], bool]
    ) -> None:
        self.text = text
        self.is_function, self.is_quantity = is_function, is_quantity
        self.tokens = tokens(text)
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self, *texts: str) -> Token | None:
        token = self.next
        if token.kind != "end" and token.text in texts:
            self.place += 1
            return token
        return None

    def expect(self, text: str) -> None:
        if self.take(text) is None:
            shown = repr(self.next.text) if self.next.kind != "end" else "the end"
            raise fault(self.text, self.next.at, f"expected {text!r} instead of {shown}")

    # Letters ----------------------------------------------------------------------------

    def symbol(self) -> Name:
        at, name = self.next.at, self._name()
        below, above = self.scripts()
        return Name(at, name, below, above)

    def _name(self) -> str:
        name = self.next.text
        self.place += 1
        return name

    def _takes_transpose(self) -> bool:
        rest = [token.text for token in self.tokens[self.place : self.place + 4]]
        if rest[:1] != ["^"]:
            return False
        if rest[1] in TRANSPOSE:
            self.place += 2
            return True
        if len(rest) == 4 and rest[1] == "{" and rest[2] in TRANSPOSE and rest[3] == "}":
            self.place += 4
            return True
        return False

    # Scripts ----------------------------------------------------------------------------

    def scripts(self) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """Read ``_{ij}^{(l)}`` in either order, or ``[l][i, j]``."""
        below: tuple[Part, ...] = ()
        above: tuple[Part, ...] = ()
        before = self.tokens[self.place - 1]
        if self.next.text == "[" and before.kind == "name" and self.next.at == before.at + len(before.text):
            self.place += 1
            above = self._items("]")
            if self.take("["):
                below = self._items("]")
            return below, above
        while True:
            if not below and self.take("_"):
                below = self.script()
            elif not above and self.next.text == "^" and not self._is_power():
                self.place += 1
                above = self.script()
            else:
                return below, above

    def _is_power(self) -> bool:
        """Whether what is above is a transpose; a number there is a layer, as in ``delta^2``."""
        start = self.place
        found = self._takes_transpose()
        self.place = start
        return found

    def script(self) -> tuple[Part, ...]:
        if self.take("{"):
            return self._items("}")
        if self.next.text == "(":
            self.place += 1
            return self._items(")")
        token = self.next
        if token.kind not in ("number", "name"):
            raise fault(self.text, token.at, "expected an index or a layer")
        self.place += 1
        return (Number(token.at, token.text) if token.kind == "number" else Name(token.at, token.text),)

    def _items(self, end: str) -> tuple[Part, ...]:
        items = [self.index_expression()]
        # Indices side by side are two, i0 as well as i,0.
        while self.take(",") or self.next.kind in ("number", "name"):
            items.append(self.index_expression())
        self.expect(end)
        return tuple(items)

    def index_expression(self) -> Part:
        """Read a layer or an index: sums of numbers, letters and sizes such as ``N_{k+1}``."""
        value = self._index()
        while sign := self.take("+", "-"):
            value = Binary(sign.at, sign.text, value, self._index())
        return value

    def _index(self) -> Part:
        token = self.next
        if self.take("("):
            inner = self.index_expression()
            self.expect(")")
            return inner
        if token.kind == "number" and token.text.isdigit():
            self.place += 1
            return Number(token.at, token.text)
        if token.kind == "name":
            return self.symbol()
        raise fault(self.text, token.at, "expected an index or a layer")

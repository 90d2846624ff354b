"""Text -> lines, through a grammar of its own: nothing is evaluated, and no name has a meaning yet.

::

    line       [ derivative '=' | symbol '=' | symbol '+=' ] expression
    derivative 'd' symbol [ '(' symbols ')' ] '/' 'd' symbol | 'd' '/' 'd' symbol symbol [ '(' symbols ')' ]
    expression ['-'] product { ('+' | '-') product }
    product    tight { ('*' | '.*') tight }
    tight      factor { [ '@' | '/' ] factor }          side by side is the matrix product
    factor     ( number | symbol | function | derivative | sum | fraction | '(' expression ')'
               | '[' expression ']' scripts )
               { '^T' | '.T' | '^' number }

The formulas of the pages are read as they are printed, in text or LaTeX; ``W[2] @ a[1].T`` and
the usual signs of Unicode are understood too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from symbp.errors import FormulaError
from symbp.run.formula.conditions import where, without_condition
from symbp.run.formula.cursor import Cursor
from symbp.run.formula.tokens import Token, fault
from symbp.run.formula.tree import (
    Apply,
    Binary,
    Bracketed,
    Derivative,
    Line,
    Name,
    Negative,
    Number,
    Part,
    Power,
    Total,
    Transposed,
)

MAX_LENGTH = 2000
MAX_DEPTH = 60


def read_lines(
    text: str, is_function: Callable[[str], bool], is_quantity: Callable[[str], bool]
) -> tuple[Line, ...]:
    """Return the lines of a text; they end at a semicolon or where the line ends, ``#`` begins a remark.

    Parameters
    ----------
    text : str
    is_function : callable
        Whether a name is that of a function: before a bracket it then is not a factor.
    is_quantity : callable
        Whether a name is that of something that is differentiated: ``dz/da`` then is a derivative.

    Raises
    ------
    FormulaError
        If something is not of the grammar; the excerpt shows the place.
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"a gradient of {len(text):,} characters; the limit is {MAX_LENGTH:,}")
    lines = (re.sub("#.*", "", line).strip() for line in re.split(r"(?<!\\)[;\n]", text))
    found = tuple(_line(line, is_function, is_quantity) for line in lines if line)
    if not found:
        raise FormulaError("the gradient is an empty text: expected a formula such as 'delta^2 (o^1)^T'")
    return found


def _line(text: str, is_function: Callable[[str], bool], is_quantity: Callable[[str], bool]) -> Line:
    formula, condition = without_condition(text)
    return where(replace(_Reader(formula, is_function, is_quantity).line(), text=text), condition)


class _Reader(Cursor):
    # Lines ------------------------------------------------------------------------------

    def line(self) -> Line:
        signs = [n for n, token in enumerate(self.tokens) if token.text in ("=", "+=")]
        left = cost = None
        added: Token | None = None
        if any(not self._in_script(n) for n in signs):
            left, cost = self.left()
            added = self.take("+=")
            if added is None:
                self.expect("=")
        right = self.expression()
        if self.next.kind != "end":
            raise fault(self.text, self.next.at, f"{self.next.text!r} does not belong here")
        if added is not None and left is not None:
            right = Binary(added.at, "+", left, right)
        return Line(self.text, left, right, cost)

    def _in_script(self, place: int) -> bool:
        signs = [token.text for token in self.tokens[:place]]
        return signs.count("{") > signs.count("}")

    def left(self) -> tuple[Name, Name | None]:
        """Read what is given: ``dJ/dW^k`` or ``delta^k``; for a derivative, also what it is of."""
        found = self._derivative()
        if found is not None:
            return found.wrt, found.of
        if self.next.kind != "name":
            raise fault(self.text, self.next.at, "on the left stands dJ/dW^k, or a letter such as delta^k")
        return self.symbol(), None

    def _derivative(self) -> Derivative | None:
        """Read ``dJ/dW^k``, ``d/dW^k J``, or a fraction of that kind; where there is none, stay here."""
        start, at = self.place, self.next.at
        fraction = self.take("frac") is not None and self.take("{") is not None
        operator = self._is_operator(fraction)
        over = None if operator else self._differential()
        if over is not None:
            self._skip_variables()
        if (operator or over is not None) and (
            self.take("}") and self.take("{") if fraction else self.take("/")
        ):
            by = self._differential()
            if by is not None and (not fraction or self.take("}")):
                if operator and self.next.kind == "name":
                    over = self.symbol()
                    self._skip_variables()
                if over is not None:
                    return Derivative(at, over, by)
        self.place = start
        return None

    def _is_operator(self, fraction: bool) -> bool:
        """Take the sign of a derivative that stands alone: d/dW, what is differentiated follows."""
        alone = self.next.text in ("partial", "d") and self.tokens[self.place + 1].text == "}/"[not fraction]
        self.place += alone
        return alone

    def _skip_variables(self) -> None:
        """Take what a cost is a function of, as in ``J(Theta)``, which says nothing more."""
        start = self.place
        if self.take("(") is None:
            return
        while self.next.kind == "name":
            self.symbol()
            if self.take(")"):
                return
            if self.take(",") is None:
                break
        self.place = start

    def _differential(self) -> Name | None:
        token = self.next
        if token.text == "partial":
            self.place += 1
            return self.symbol() if self.next.kind == "name" else None
        if token.kind != "name" or token.text[0] != "d" or len(token.text) < 2:
            return None
        place = self.place
        self.tokens[place] = Token("name", token.text[1:], token.at + 1)
        found = self.symbol()
        self.tokens[place] = token
        return found

    # Values -----------------------------------------------------------------------------

    def expression(self) -> Part:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise fault(self.text, self.next.at, f"nested more than {MAX_DEPTH} deep")
        minus = self.take("-", "+")
        total = self.product()
        if minus is not None and minus.text == "-":
            total = Negative(minus.at, total)
        while sign := self.take("+", "-"):
            total = Binary(sign.at, sign.text, total, self.product())
        self.depth -= 1
        return total

    def product(self) -> Part:
        value = self.tight()
        while sign := self.take("*", ".*"):
            value = Binary(sign.at, "*", value, self.tight())
        return value

    def tight(self) -> Part:
        value = self.factor()
        while True:
            sign = self.take("@", "/")
            if sign is None and not self._starts_a_factor():
                return value
            at = self.next.at if sign is None else sign.at
            value = Binary(at, "@" if sign is None else sign.text, value, self.factor())

    def _starts_a_factor(self) -> bool:
        return self.next.kind in ("number", "name") or self.next.text in ("(", "[", "{")

    def factor(self) -> Part:
        minus = self.take("-")
        if minus is not None:
            return Negative(minus.at, self.factor())
        value = self.base()
        while True:
            if self.take(".T") or self._takes_transpose():
                value = Transposed(value.at, value)
            elif self.next.text == "^":
                self.place += 1
                value = Power(value.at, value, self._exponent())
            else:
                return value

    def _exponent(self) -> int:
        braced = self.take("{") is not None
        token = self.next
        if token.kind != "number" or not token.text.isdigit() or int(token.text) > 9:
            raise fault(self.text, token.at, "an exponent is a whole number up to 9; ^T transposes")
        self.place += 1
        if braced:
            self.expect("}")
        return int(token.text)

    def base(self) -> Part:
        token = self.next
        if token.kind == "number":
            self.place += 1
            return Number(token.at, token.text)
        if self.take("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.take("{"):
            return self.group()
        if self.take("["):
            inner = self.expression()
            self.expect("]")
            below, above = self.scripts()
            return Bracketed(token.at, inner, below, above)
        if token.kind != "name":
            shown = repr(token.text) if token.kind != "end" else "the end"
            raise fault(self.text, token.at, f"expected a quantity instead of {shown}")
        if token.text == "sum":
            return self.total()
        start = self.place
        found = self._derivative()
        if found is not None and self.is_quantity(found.of.name):
            return found
        self.place = start
        return self.fraction() if token.text == "frac" else self.application()

    def group(self) -> Part:
        """Read what LaTeX's braces hold together; ``{g^k}'(c)`` is a derivative of g^k."""
        inner = self.expression()
        self.expect("}")
        if isinstance(inner, Name) and self.take("'"):
            self.expect("(")
            argument = self.expression()
            self.expect(")")
            return Apply(inner.at, inner, True, argument)
        return inner

    def fraction(self) -> Part:
        """Read ``\\frac{...}{...}``."""
        at = self.next.at
        self.place += 1
        parts = []
        for _ in range(2):
            self.expect("{")
            parts.append(self.expression())
            self.expect("}")
        return Binary(at, "/", *parts)

    def total(self) -> Part:
        at = self.next.at
        self.place += 1
        if self.take("_") is None:
            raise fault(self.text, self.next.at, "a sum names its index: sum_j ..., or sum_{j=1}^{N_1} ...")
        braced = self.take("{")
        index = self.next
        if index.kind != "name":
            raise fault(self.text, index.at, "a sum is written sum_{j=1}^{N_1} ..., or sum_j ...")
        self.place += 1
        low = high = None
        if braced is not None:
            if self.take("=") is not None:
                low = self.index_expression()
            self.expect("}")
        if low is not None:
            self.expect("^")
            high = self.script()[0]
        elif self.take("^") is not None:
            low, high = Number(at, "1"), self.script()[0]
        return Total(at, index.text, low, high, self.product())

    def application(self) -> Part:
        token = self.next
        scripted = self._name()
        slope = self.take("'") is not None
        below, above = self.scripts()
        if len(above) == 2 and above[1] in (Name(0, "T"), Name(0, "top")) and scripted != "T":
            return Transposed(token.at, Name(token.at, scripted, below, above[:1]))  # W^{(k+1)T}
        name = Name(token.at, scripted, below, above)
        slope = self.take("'") is not None or slope
        if slope or (self.next.text == "(" and self.is_function(scripted)):
            self.expect("(")
            argument = self.expression()
            self.expect(")")
            return Apply(token.at, name, slope, argument)
        return name

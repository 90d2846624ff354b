"""Statements of the documents -> MathML, in the symbols of the document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import Expression
from symbp.errors import RenderError
from symbp.notation.letters import letter
from symbp.notation.mathml import APPLY, COMMA, TIMES, letter_element, row, rows, scripted
from symbp.render.audit_latex import LatexStatements

_SIGNS = {
    "==": "=",
    "<=": "&#x2264;",
    "!=": "&#x2260;",
    "<": "&lt;",
    "<<": "&#x2190;",
    ",": ",",
    "+": "+",
    "-": "&#x2212;",
    r"\circ": "&#x2218;",
    r"\otimes": "&#x2297;",
    r"\mathbin{.*}": ".*",
}
_TOKEN: re.Pattern[str] = re.compile(r"\\[A-Za-z]+|\\,|#\d|\d+|.")
_STYLED = ("mathbf", "mathrm", "text", "hat", "boldsymbol", "mathsf")
_OPERATORS = {"sum": "&#x2211;", "ne": "&#x2260;"}


@dataclass(frozen=True)
class Scripted:
    """An element with what stands below and above it."""

    base: str
    below: str = ""
    above: str = ""

    def __str__(self) -> str:
        return scripted(row(self.base), self.below, self.above) if self.below or self.above else self.base


class MathMLStatements(LatexStatements):
    """Writes statements of one setting as MathML Core."""

    minus = '<mo form="prefix">&#x2212;</mo>'
    equals = "<mo>=</mo>"
    comma = COMMA
    between_ranges = '<mo separator="true">,</mo>'
    times = TIMES
    d = '<mo lspace="0" rspace="0">&#x2202;</mo>'
    nabla = '<mo form="prefix">&#x2207;</mo>'
    one = "<mn>&#x1D7CF;</mn>"
    kronecker = "<mi>&#x3B4;</mi>"
    along, across, down = "<mo>&#x2026;</mo>", "<mo>&#x22EF;</mo>", "<mo>&#x22EE;</mo>"

    def sign(self, sign: str) -> str:
        return f"<mo>{_SIGNS[sign]}</mo>"

    def number(self, digits: str) -> str:
        return f"<mn>{digits}</mn>"

    def name(self, name: str) -> str:
        return f"<mi>{name}</mi>"

    def word(self, name: str) -> str:
        return self.name("ln" if name == "log" else name)

    def operator(self, name: str) -> str:
        return self.name(name)

    def symbol(
        self, latex: str, name: str, layers: Sequence[Expression], entries: Sequence[Expression] = ()
    ) -> str:
        parts = self._parts(latex, name, layers)
        if not entries:
            return _joined(parts)
        base = parts[-1]
        if base.below or len(parts) > 1:
            base = Scripted(row("<mo>[</mo>", *map(str, parts), "<mo>]</mo>"))
        return str(replace(base, below=self.indices(entries)))

    def function(self, latex: str, name: str, layers: Sequence[Expression], derivative: bool) -> str:
        (*head, last) = self._parts(latex, name, layers)
        if derivative:
            last = replace(last, above=f"<mo>&#x2032;</mo>{last.above}")
        return "".join(map(str, (*head, last)))

    def _parts(self, latex: str, name: str, layers: Sequence[Expression]) -> list[Scripted]:
        if not latex:
            return [Scripted(self.name(name.replace("_", "")))]
        return _Template(latex, [self.write(layer) for layer in layers]).read()

    def scripted(self, base: str, below: str = "", above: str = "") -> str:
        return str(Scripted(base, below, above))

    def indices(self, entries: Sequence[Expression]) -> str:
        short = all(len(written(entry)) == 1 for entry in entries)
        return ("<mo>&#x2063;</mo>" if short else COMMA).join(map(self.write, entries))

    def bracket(self, inner: str) -> str:
        tall = any(element in inner for element in ("<mfrac>", "<munder", "<mtable"))
        sign = "<mo>{}</mo>" if tall else '<mo stretchy="false">{}</mo>'
        return row(sign.format("("), row(inner), sign.format(")"))

    def enclosed(self, inner: str) -> str:
        return row("<mo>[</mo>", row(inner), "<mo>]</mo>")

    def grouped(self, inner: str) -> str:
        return row(inner)

    def between(self, factor: Expression, shown: str) -> str:
        return "<mo>&#x22C5;</mo>" if shown.startswith("<mn>") else self.times

    def applied(self, function: str, argument: str) -> str:
        return f"{function}{APPLY}{self.bracket(argument)}"

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{row(above)}{row(below)}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{row(base)}{row(exponent)}</msup>"

    def transposed(self, inner: str) -> str:
        raised = self.bracket(inner) if inner.startswith(("<msup>", "<msubsup>")) else inner
        return f'<msup>{row(raised)}<mi mathvariant="normal">&#x1D5B3;</mi></msup>'

    def differential(self, inner: str) -> str:
        return f"{self.d}{inner}"

    def total(self, below: str, above: str) -> str:
        tag = "munderover" if above else "munder"
        return f"<{tag}><mo>&#x2211;</mo>{row(below)}{row(above) if above else ''}</{tag}>"

    def cases(self, yes: str, condition: str, no: str) -> str:
        lines = [(yes, f"<mtext>if&#xA0;</mtext>{condition}"), (no, "<mtext>otherwise</mtext>")]
        return row("<mo>{</mo>", rows(lines, "cases"))

    def table(self, cells: Sequence[Sequence[str]]) -> str:
        return row("<mo>[</mo>", rows(cells, "matrix"), "<mo>]</mo>")


def _joined(parts: Sequence[Scripted]) -> str:
    """Return a symbol as one element."""
    return row(*map(str, parts)) if len(parts) > 1 else str(*parts)


class _Template:
    """Reads the few commands of LaTeX that the documents' symbols are written with; refuses any other."""

    def __init__(self, latex: str, layers: Sequence[str]) -> None:
        self.latex, self.layers = latex, layers
        found: list[str] = _TOKEN.findall(latex)
        self.tokens = [token for token in found if token.strip() and token != r"\,"]
        self.at = 0

    def take(self) -> str:
        if self.at == len(self.tokens):
            raise RenderError(f"symbol {self.latex!r}: something is missing at its end")
        self.at += 1
        return self.tokens[self.at - 1]

    def read(self, end: str = "") -> list[Scripted]:
        found: list[Scripted] = []
        while self.at < len(self.tokens):
            token = self.take()
            if token == end:
                return found
            if token in "_^":
                field = "below" if token == "_" else "above"
                found[-1] = replace(found[-1], **{field: self.argument()})
            else:
                found.append(Scripted(self.element(token)))
        if end:
            raise RenderError(f"symbol {self.latex!r}: a brace is not closed")
        return found

    def argument(self) -> str:
        token = self.take()
        return "".join(map(str, self.read("}"))) if token == "{" else self.element(token)

    def element(self, token: str) -> str:
        if token.startswith("#"):
            return self.layers[int(token[1:]) - 1]
        if token == "{":
            return row(*map(str, self.read("}")))
        if token.startswith("\\"):
            command = token[1:]
            if command in _STYLED:
                self.take()
                inner = "".join(self._until_brace())
                return letter_element(letter(rf"\{command}{{{inner}}}"))
            if command == "tfrac":
                return f"<mfrac>{row(self.argument())}{row(self.argument())}</mfrac>"
            if command in _OPERATORS:
                return f"<mo>{_OPERATORS[command]}</mo>"
            return letter_element(letter(token))
        if token.isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token in "()+-=,'":
            return f'<mo stretchy="false">{token}</mo>'
        raise RenderError(f"symbol {self.latex!r}: {token!r} has no MathML")

    def _until_brace(self) -> list[str]:
        found = []
        while (token := self.take()) != "}":
            found.append(token)
        return found

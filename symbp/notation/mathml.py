"""The MathML printer: nested elements of MathML Core, which browsers show without help.

Elements are built as text, like the other formats. Letters are Unicode characters, bold ones
too, because Core knows no other way to write them; invisible operators say where a product
or an application is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar

from sympy.printing.printer import Printer

from symbp.algebra.nodes import Node
from symbp.errors import RenderError
from symbp.notation.layout import Relation
from symbp.notation.letters import SYMBOLS, Letter, letter
from symbp.notation.records import PLAIN, Glyph
from symbp.notation.training import GLYPHS
from symbp.notation.writer import Writer

TIMES, APPLY, COMMA = "<mo>&#x2062;</mo>", "<mo>&#x2061;</mo>", "<mo>,</mo>"
_BETWEEN_INDICES = "<mo>&#x2063;</mo>"
# A minus sign in front of a term, told from one between terms by its form.
_MINUS = '<mo form="prefix">&#x2212;</mo>'
_TALL = ("<mfrac>", "<munder", "<mtable")
# The signs of products entry by entry.
ENTRYWISE = {r"\circ": "∘", r"\odot": "⊙", r"\otimes": "⊗", r"\mathbin{.\ast}": ".∗"}
_ONE_TOKEN = re.compile(r"<(m[ino])[^>]*>[^<]*</\1>")
_ONE_SIGN = re.compile(r"<(m[in])[^>]*>[^<&]</\1>")


def row(*children: str) -> str:
    """Return one element of several; a letter or a number alone is one already."""
    inner = "".join(children)
    return inner if _ONE_TOKEN.fullmatch(inner) else f"<mrow>{inner}</mrow>"


def scripted(base: str, below: str = "", above: str = "") -> str:
    """Return one element with what stands below and above it; either may be empty."""
    if below and above:
        return f"<msubsup>{base}{row(below)}{row(above)}</msubsup>"
    if below or above:
        tag = "msub" if below else "msup"
        return f"<{tag}>{base}{row(below or above)}</{tag}>"
    return base


def formula(inner: str, alt: str, display: bool = False) -> str:
    """Return a complete ``math`` element.

    Parameters
    ----------
    inner : str
        What a :class:`MathMLWriter` printed.
    alt : str
        The same for readers without MathML.
    display : bool
        Whether it stands on a line of its own.
    """
    block = ' display="block"' if display else ""
    return f'<math{block} alttext="{escape(alt)}">{row(inner)}</math>'


class MathMLWriter(Writer, Printer):
    """Prints in a notation as MathML Core, without the ``math`` element around it."""

    # Our classes bring a _sympystr for debugging; the printer must not prefer it.
    printmethod = "_symbp_mathml"

    minus = _MINUS
    signs: ClassVar[Mapping[str, str]] = {
        "=": "<mo>=</mo>",
        "==": "<mo>=</mo>",
        "!=": "<mo>&#x2260;</mo>",
        "<-": '<mo stretchy="false">&#x2190;</mo>',
        "<": "<mo>&lt;</mo>",
        "<=": "<mo>&#x2264;</mo>",
        ">": "<mo>&gt;</mo>",
        ">=": "<mo>&#x2265;</mo>",
        "...": "<mo>&#x2026;</mo>",
        ":": "<mo>&#x22EE;</mo>",
        "T": '<mi mathvariant="normal">&#x1D5B3;</mi>',
    }
    names: ClassVar[Mapping[str, str]] = {
        name: f"<mi>{shown}</mi>"
        for name, shown in {
            **{n: n for n in ("tanh", "sin", "cos")},
            "log": "ln",
            "atan": "arctan",
            "Max": "max",
            "Min": "min",
        }.items()
    }

    # Letters and numbers ----------------------------------------------------------------

    def letter(self, glyph: Glyph) -> str:
        return letter_element(letter(glyph.latex))

    def entrywise(self, glyph: Glyph) -> str:
        if glyph.latex not in ENTRYWISE:
            raise RenderError(f"glyph {glyph.latex!r}: not a sign that MathML can be written for")
        return f"<mo>{ENTRYWISE[glyph.latex]}</mo>"

    def operator(self, name: str) -> str:
        return f"<mi>{escape(name)}</mi>"

    def number(self, digits: str) -> str:
        return f"<mn>{digits}</mn>"

    def _print_Symbol(self, symbol: Any) -> str:
        if symbol.name in PLAIN:
            return self.letter(self.notation.symbols[symbol.name])
        if symbol.name in GLYPHS:
            return self.named(GLYPHS[symbol.name])
        return letter_element(Letter(SYMBOLS.get(symbol.name, symbol.name)))

    def _print_Pi(self, number: Any) -> str:
        return "<mi>π</mi>"

    def _print_Exp1(self, number: Any) -> str:
        return "<mi>e</mi>"

    def emptyPrinter(self, expr: Any) -> str:
        """Refuse what no method prints: half a formula would look like a whole one."""
        raise RenderError(f"{type(expr).__name__}: there is no MathML for {expr}")

    # Layout -----------------------------------------------------------------------------

    def scripted(self, letter: str, sub: Sequence[str], sup: Sequence[str]) -> str:
        return scripted(letter, *(COMMA.join(filter(None, parts)) for parts in (sub, sup)))

    def together(self, indices: Sequence[str]) -> str:
        return (_BETWEEN_INDICES if all(map(_ONE_SIGN.fullmatch, indices)) else COMMA).join(indices)

    def raised(self, base: str, exponent: str) -> str:
        if base.startswith("<msub>"):  # above the subscript, not behind it
            return f"<msubsup>{base.removeprefix('<msub>').removesuffix('</msub>')}{row(exponent)}</msubsup>"
        return f"<msup>{row(base)}{row(exponent)}</msup>"

    def is_raised(self, printed: str) -> bool:
        return printed.startswith(("<msup>", "<msubsup>"))

    def small(self, printed: str) -> str:
        # Core keeps the space around operators in scripts, where nobody sets any.
        return printed.replace("<mo>", '<mo lspace="0" rspace="0">')

    def enclosed(self, before: str, inner: str, after: str) -> str:
        signs = (f'<mo stretchy="false">{escape(sign)}</mo>' if sign else "" for sign in (before, after))
        left, right = signs
        return row(left, inner, right) if before or after else inner

    def bracket(self, inner: str) -> str:
        tall = any(element in inner for element in _TALL)
        return row("<mo>(</mo>", row(inner), "<mo>)</mo>") if tall else self.enclosed("(", row(inner), ")")

    def beside(self, factors: Sequence[str]) -> str:
        return TIMES.join(factors)

    def applied(self, function: str, argument: str) -> str:
        return row(function, APPLY, argument)

    def listed(self, items: Sequence[str]) -> str:
        return COMMA.join(items)

    def added(self, printed: str) -> str:
        return f"<mo>+</mo>{printed}"

    def subtracted(self, printed: str) -> str:
        return f"<mo>&#x2212;</mo>{printed}"

    # Fractions, sums, tables --------------------------------------------------------------

    def quotient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        return f"<mfrac>{row(self.factors(above))}{row(self.factors(below))}</mfrac>"

    def coefficient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        return self.quotient(above, below)

    def root(self, inner: str) -> str:
        return f"<msqrt>{inner}</msqrt>"

    def partial(self, of: str, wrt: str) -> str:
        sign = '<mo lspace="0" rspace="0">&#x2202;</mo>'
        return f"<mfrac>{row(sign, of)}{row(sign, wrt)}</mfrac>"

    def big(self, operator: str, index: str, low: str, high: str) -> str:
        equals, at_most = (self.small(self.signs[sign]) for sign in ("=", "<="))
        if operator == "max":
            return f"<munder><mi>max</mi>{row(low, at_most, index, at_most, high)}</munder>"
        return f"<munderover><mo>&#x2211;</mo>{row(index, equals, low)}{row(high)}</munderover>"

    def cases(self, branches: Sequence[tuple[str, str]]) -> str:
        lines = [
            (value, f"<mtext>if&#xA0;</mtext>{condition}" if condition else "<mtext>otherwise</mtext>")
            for value, condition in branches
        ]
        return row("<mo>{</mo>", rows(lines, "cases"))

    def table(self, rows_: Sequence[Sequence[str]]) -> str:
        return row("<mo>[</mo>", rows(rows_, "matrix"), "<mo>]</mo>")

    def _print_exp(self, expr: Any) -> str:
        return self.raised("<mi>e</mi>", self._small(expr.args[0]))

    def _print_Abs(self, expr: Any) -> str:
        bar = '<mo form="{}">|</mo>'
        return row(bar.format("prefix"), self._print(expr.args[0]), bar.format("postfix"))

    def _print_And(self, expr: Any) -> str:
        word = {"And": "and", "Or": "or"}[type(expr).__name__]
        return f"<mtext>&#xA0;{word}&#xA0;</mtext>".join(self._print(a) for a in expr.args)

    _print_Or = _print_And

    def _print_ActivateDerivative(self, expr: Any) -> str:
        layer, argument = expr.args
        function = self.symbol("Activate", layer)
        if isinstance(argument, Node) and self.notation.slope == "leibniz":
            return f"<mfrac>{row('<mi>d</mi>', function)}{row('<mi>d</mi>', self._print(argument))}</mfrac>"
        return self.applied(self.raised(function, "<mo>&#x2032;</mo>"), self.bracket(self._print(argument)))


def rows(cells: Sequence[Sequence[str]], kind: str) -> str:
    """Return a table; `kind` is its class, by which the page's style sheet aligns it."""
    lines = ("".join(f"<mtd>{cell}</mtd>" for cell in line) for line in cells)
    return f'<mtable class="{kind}">{"".join(f"<mtr>{line}</mtr>" for line in lines)}</mtable>'


def aligned(relation: Relation, lines: Sequence[Sequence[str]]) -> str:
    """Return an equation over several lines, their signs one below the other."""
    first, *following = ("".join(line) for line in lines)
    if not following:
        return str(relation)
    indent = '<mspace width="1em"></mspace>'
    table = [(relation.left, row(relation.sign, first)), *(("", row(indent, line)) for line in following)]
    return rows(table, "aligned")


def letter_element(shown: Letter) -> str:
    """Return the element of a letter with its accent and primes."""
    # A single letter is italic unless it says otherwise; a name of several is upright by itself.
    upright = ' mathvariant="normal"' if shown.upright and len(shown.characters) == 1 else ""
    printed = f"<mi{upright}>{escape(shown.characters)}</mi>"
    if shown.accent:
        printed = f'<mover accent="true">{printed}<mo stretchy="false">{escape(shown.accent)}</mo></mover>'
    if shown.primes:
        printed = f"<msup>{printed}<mo>{'&#x2032;' * shown.primes}</mo></msup>"
    return printed

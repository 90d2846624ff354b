"""Statements of the documents -> LaTeX, in the symbols of the document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbp.derivation.documents.language.tree import Binary, Expression, Number, Range, Statement
from symbp.derivation.documents.records import Fault
from symbp.derivation.documents.shapes import Shapes
from symbp.render.audit_statements import printed

_SIGNS = {"==": "=", "<=": r"\le", "!=": r"\ne", "<<": r"\leftarrow", ",": r",\quad"}
_WORDS = {"exp": r"\exp", "log": r"\ln", "tanh": r"\tanh", "max": r"\max"}


class LatexStatements:
    """Writes statements of one setting as LaTeX; another format brings pieces of its own.

    Parameters
    ----------
    shapes : Shapes
        Tells products entry by entry, which have a sign, from products of numbers.
    """

    minus = "-"
    equals = "="  # in the limit of a sum
    comma = ", "
    between_ranges = r",\; "
    times = r"\, "
    d = r"\partial"
    nabla = r"\nabla "
    one = r"\mathbf{1}"
    kronecker = r"\delta"
    along, across, down = r"\dots", r"\cdots", r"\vdots"  # of factors, in rows, in columns

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.names: dict[str, Any] = {}

    def statement(self, statement: Statement) -> str:
        """Return the formula of a statement, without its ranges."""
        self.names = {bound.index: 1 for bound in statement.ranges}
        return self.sign(statement.relation).join(map(self.write, statement.sides))

    def ranges(self, ranges: tuple[Range, ...]) -> str:
        """Return the formula of the ranges."""
        return self.between_ranges.join(
            self.sign("<=").join((self.write(r.low), self.name(r.index), self.write(r.high))) for r in ranges
        )

    def write(self, tree: Expression, strength: int = 0) -> str:
        """Return an expression, in brackets if it holds together less tightly than `strength`."""
        text, own = printed(self, tree)
        return self.bracket(text) if own < strength else text

    def is_array(self, tree: Expression) -> bool:
        """Return whether an expression is not a number."""
        try:
            return not self.shapes.is_scalar(self.shapes.shape(tree, self.names))
        except Fault:
            return False

    # The pieces of the format ---------------------------------------------------------------

    def sign(self, sign: str) -> str:
        """Return a relation, or the sign of an operation, between two expressions."""
        return f" {_SIGNS.get(sign, sign)} "

    def number(self, digits: str) -> str:
        return digits

    def name(self, name: str) -> str:
        """Return an index, or another name that the document has no symbol for."""
        return name if len(name) == 1 else rf"\mathrm{{{name}}}"

    def word(self, name: str) -> str:
        """Return the name of an elementary function."""
        return _WORDS.get(name, name)

    def operator(self, name: str) -> str:
        """Return a word of the language that no document prints."""
        return rf"\operatorname{{{name}}}"

    def symbol(
        self, latex: str, name: str, layers: Sequence[Expression], entries: Sequence[Expression] = ()
    ) -> str:
        """Return a symbol that a document's LaTeX says, with layers and indices in their places."""
        text = latex or rf"\mathrm{{{name}}}".replace("_", r"\_")
        for place, layer in enumerate(layers, 1):
            text = text.replace(f"#{place}", self.write(layer))
        base = self.enclosed(text) if entries and "_" in text else text
        return self.scripted(base, self.indices(entries))

    def function(self, latex: str, name: str, layers: Sequence[Expression], derivative: bool) -> str:
        """Return the name of a document's function, or of its derivative."""
        plain = self.symbol(latex, name, layers)
        base, mark, rest = plain.partition("^")
        return f"{{{base}'}}{mark}{rest}" if derivative else plain

    def scripted(self, base: str, below: str = "", above: str = "") -> str:
        return base + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")

    def indices(self, entries: Sequence[Expression]) -> str:
        parts = list(map(self.write, entries))
        return ("" if all(len(part) == 1 for part in parts) else ", ").join(parts)

    def bracket(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def enclosed(self, inner: str) -> str:
        return rf"\left[{inner}\right]"

    def grouped(self, inner: str) -> str:
        """Hold several pieces together."""
        return inner

    def between(self, factor: Expression, shown: str) -> str:
        """Return what stands in front of a factor: a sign, where it begins with a digit."""
        while isinstance(factor, Binary):
            factor = factor.left
        return r" \cdot " if isinstance(factor, Number) else self.times

    def applied(self, function: str, argument: str) -> str:
        return f"{function}{self.bracket(argument)}"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{_braced(base)}^{{{exponent}}}"

    def transposed(self, inner: str) -> str:
        return rf"{_braced(inner)}^{{\mathsf{{T}}}}"

    def differential(self, inner: str) -> str:
        return rf"\partial {inner}"

    def total(self, below: str, above: str) -> str:
        return self.scripted(r"\sum", below, above) + " "

    def cases(self, yes: str, condition: str, no: str) -> str:
        return rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}"

    def table(self, rows: Sequence[Sequence[str]]) -> str:
        inner = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}"


def _braced(raised: str) -> str:
    """LaTeX takes no second superscript."""
    return f"{{{raised}}}" if "^" in raised else raised

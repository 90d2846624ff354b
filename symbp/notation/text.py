"""The text printer: one ASCII line, for the terminal and for comments in generated code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sympy.printing.str import StrPrinter

from symbp.notation.records import Glyph
from symbp.notation.scripts import braced, scripted
from symbp.notation.writer import Writer


class TextWriter(Writer, StrPrinter):
    """Prints in a notation as text.

    Scripts are written as in LaTeX, ``w_{ij}^k``; derivatives on one line, ``dJ/dw_{ij}^k``.
    """

    # Our classes bring a _sympystr for debugging; the printer must not prefer it.
    printmethod = "_symbp_text"

    signs: ClassVar[Mapping[str, str]] = {
        "=": "=",
        "==": "=",
        "!=": "!=",
        "<-": "<-",
        "<": "<",
        "<=": "<=",
        ">": ">",
        ">=": ">=",
        "...": "...",
        ":": "...",
        "T": "T",
    }
    names: ClassVar[Mapping[str, str]] = {"Abs": "abs", "Max": "max", "Min": "min"}

    def letter(self, glyph: Glyph) -> str:
        return glyph.text

    def operator(self, name: str) -> str:
        return name

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def quotient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        under = self.factors(below)
        upper = self.factors(above)
        if len(above) == 1 and (above[0].is_Add or "/" in upper):
            upper = self.bracket(upper)
        return f"{upper}/{self.bracket(under) if ' ' in under or '/' in under else under}"

    def coefficient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        return self.bracket(self.quotient(above, below))

    def root(self, inner: str) -> str:
        return f"sqrt({inner})"

    def partial(self, of: str, wrt: str) -> str:
        return f"d{of}/d{wrt}"

    def big(self, operator: str, index: str, low: str, high: str) -> str:
        return f"{operator}_{{{index}={low}}}^{braced(high)}"

    def cases(self, branches: Sequence[tuple[str, str]]) -> str:
        parts = [
            f"{value} if {condition}" if condition else f"{value} otherwise" for value, condition in branches
        ]
        return f"{{{'; '.join(parts)}}}"

    def table(self, rows: Sequence[Sequence[str]]) -> str:
        if all(len(row) == 1 for row in rows):
            return f"[{', '.join(row[0] for row in rows)}]^T"
        return f"[{'; '.join(', '.join(row) for row in rows)}]"

    def _print_exp(self, expr: Any) -> str:
        return self._call("exp", expr.args)

    def _print_ActivateDerivative(self, expr: Any) -> str:
        layer, argument = expr.args
        glyph = self.notation.glyph("Activate")
        places: dict[str, list[str]] = {"sub": [], "sup": [], "none": []}
        places[glyph.layer].append(self._layer(glyph, layer))
        prime = scripted(f"{self.letter(glyph)}'", places["sub"], places["sup"])
        return f"{prime}{self.bracket(self._print(argument))}"

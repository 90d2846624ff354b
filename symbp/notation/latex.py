"""The LaTeX printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sympy.printing.latex import LatexPrinter

from symbp.algebra.nodes import Node
from symbp.notation.records import Glyph
from symbp.notation.scripts import braced
from symbp.notation.writer import Writer

NEW_ROW = r" \\ "
_TALL = ("\\frac", "\\sum", "\\max", "\\begin")


class LatexWriter(Writer, LatexPrinter):
    """Prints in a notation as LaTeX, for amsmath's math mode."""

    signs: ClassVar[Mapping[str, str]] = {
        "=": "=",
        "==": "=",
        "!=": r"\ne",
        "<-": r"\leftarrow",
        "<": "<",
        "<=": r"\le",
        ">": ">",
        ">=": r"\ge",
        "...": r"\dots",
        ":": r"\vdots",
        "T": r"\mathsf T",
    }
    names: ClassVar[Mapping[str, str]] = {
        "log": r"\ln",
        "tanh": r"\tanh",
        "sin": r"\sin",
        "cos": r"\cos",
        "atan": r"\arctan",
        "Max": r"\max",
        "Min": r"\min",
    }

    def letter(self, glyph: Glyph) -> str:
        return glyph.latex

    def operator(self, name: str) -> str:
        escaped = name.replace("_", r"\_")
        return rf"\operatorname{{{escaped}}}"

    def word(self, text: str) -> str:
        return rf" \text{{ {text} }} "

    def bracket(self, inner: str) -> str:
        return rf"\left( {inner} \right)" if any(tall in inner for tall in _TALL) else f"({inner})"

    def quotient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        return rf"\frac{{{self.factors(above)}}}{{{self.factors(below)}}}"

    def coefficient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        return self.quotient(above, below)

    def root(self, inner: str) -> str:
        return rf"\sqrt{{{inner}}}"

    def partial(self, of: str, wrt: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"

    def big(self, operator: str, index: str, low: str, high: str) -> str:
        if operator == "max":
            return rf"\max_{{{low} \le {index} \le {high}}}"
        return rf"\{operator}_{{{index}={low}}}^{braced(high)}"

    def cases(self, branches: Sequence[tuple[str, str]]) -> str:
        lines = [
            rf"{value} & \text{{if }} {condition}" if condition else rf"{value} & \text{{otherwise}}"
            for value, condition in branches
        ]
        return r"\begin{cases} " + NEW_ROW.join(lines) + r" \end{cases}"

    def table(self, rows: Sequence[Sequence[str]]) -> str:
        return r"\begin{bmatrix} " + NEW_ROW.join(" & ".join(row) for row in rows) + r" \end{bmatrix}"

    def _print_Symbol(self, symbol: Any, *style: Any) -> str:
        printed = super()._print_Symbol(symbol)
        is_word = printed == symbol.name and len(printed) > 1 and printed.isalpha()
        return rf"\mathrm{{{printed}}}" if is_word else printed

    def _print_exp(self, expr: Any) -> str:
        return f"e^{{{self._small(expr.args[0])}}}"

    def _print_Abs(self, expr: Any) -> str:
        return rf"\left| {self._print(expr.args[0])} \right|"

    def _print_ActivateDerivative(self, expr: Any) -> str:
        layer, argument = expr.args
        function = self.symbol("Activate", layer)
        if isinstance(argument, Node) and self.notation.slope == "leibniz":
            return rf"\frac{{d{function}}}{{d{self._print(argument)}}}"
        primed = f"{function}'" if self.notation.symbols["Activate"].layer == "none" else f"{{{function}}}'"
        return f"{primed}{self.bracket(self._print(argument))}"

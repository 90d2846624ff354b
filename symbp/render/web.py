"""Derivation -> HTML: a page of its own, or a piece of a notebook, with formulas in MathML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from symbp.derivation.records import Derivation, Step
from symbp.notation.mathml import TIMES, MathMLWriter, aligned, formula
from symbp.notation.records import Glyph, Notation
from symbp.notation.text import TextWriter
from symbp.notation.writer import Printed
from symbp.render.breaking import break_terms, room
from symbp.render.breaking_mathml import pieces
from symbp.render.drawing import draw, is_small
from symbp.render.environment import render
from symbp.render.page import PrintsStep, contents, line, stated, writer_for
from symbp.render.svg import picture

if TYPE_CHECKING:
    from symbp.network import Network

# Characters of text to a line: what fits the column of a page beside its numbers.
WIDTH = 90
# The same for a cell of a table.
CELL_WIDTH = 52


class WebWriter(MathMLWriter):
    """Prints complete ``math`` elements, which also say in words what they show."""

    def __init__(
        self, notation: Notation, widths: Sequence[int] = (), biases: Sequence[bool] | None = None
    ) -> None:
        super().__init__(notation, widths, biases)
        self._words = TextWriter(notation, widths, biases)

    def expression(self, expr: Any) -> Markup:
        return Markup(formula(super().expression(expr), self._words.expression(expr)))

    def conditions(self, assumptions: Iterable[Any]) -> tuple[Markup, ...]:
        assumed = tuple(assumptions)
        pairs = zip(super().conditions(assumed), self._words.conditions(assumed), strict=True)
        return tuple(Markup(formula(inner, words)) for inner, words in pairs)

    def symbol(self, key: str, layer: Any = None, indices: Sequence[Any] = (), sample: Any = None) -> str:
        inner = super().symbol(key, layer, indices, sample)
        if self._print_level:
            return inner  # part of something that is being printed
        return Markup(formula(inner, self._words.symbol(key, layer, indices, sample)))

    def entrywise(self, glyph: Glyph) -> str:
        inner = super().entrywise(glyph)
        return inner if self._print_level else Markup(formula(inner, self._words.entrywise(glyph)))

    def display(self, said: Printed, beside: Sequence[str] = (), width: int = WIDTH) -> Markup:
        """Return an equation that stands by itself, on several lines if it is long."""
        words = self._words.written(said.equation)
        lines = break_terms(said.relation, room(words), width, TIMES, pieces)
        shown = formula(aligned(said.relation, lines), str(words), display=True)
        return Markup(shown) + Markup("").join(
            Markup('<span class="where">for {}</span>').format(c) for c in beside
        )


def html(derivation: Derivation, notation: str = "smatrix", translate: str | None = None) -> str:
    """Return the derivation as one HTML file that needs nothing else: :meth:`symbp.Derivation.html`."""
    return _rendered("page.html.j2", derivation, notation, translate)


def cell(derivation: Derivation, notation: str = "smatrix") -> str:
    """Return the same as a piece of HTML for a notebook, in the notebook's own colours."""
    return _rendered("cell.html.j2", derivation, notation)


def step_cell(step: Step, network: Network | None, notation: str) -> str:
    """Return one step as a piece of HTML for a notebook."""
    writer = writer_for(WebWriter, notation, network)
    return render("html", "step_cell.html.j2", {"line": line(step, writer, _math(writer), set())})


def _rendered(template: str, derivation: Derivation, notation: str, translate: str | None = None) -> str:
    checked = derivation.checked()
    network = checked.network
    writer = writer_for(WebWriter, notation, network)
    drawing = draw(network, writer) if network and is_small(network) else None
    data = contents(checked, writer, _math(writer), translate, _math(writer, CELL_WIDTH))
    return render("html", template, {**data, "picture": picture(drawing) if drawing else None})


def _math(writer: WebWriter, width: int = WIDTH) -> PrintsStep:
    return lambda step: (Markup("").join(writer.display(*found, width) for found in stated(step, writer)),)

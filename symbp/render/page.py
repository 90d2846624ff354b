"""Derivation -> finished page: LaTeX article, text for the terminal, Markdown.

The stages are the same for all three: check the derivation, lay its steps out in sections,
print each in the notation, hand the result to the template of the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from symbp.derivation.records import Derivation, Step
from symbp.derivation.resolved import resolved_label
from symbp.notation import get
from symbp.notation.latex import NEW_ROW, LatexWriter
from symbp.notation.layout import Relation
from symbp.notation.legend import legend
from symbp.notation.text import TextWriter
from symbp.notation.writer import Printed, Writer
from symbp.render import explicit
from symbp.render.breaking import aligned, break_terms, room
from symbp.render.comparison import compare
from symbp.render.convention import convention, rows
from symbp.render.drawing import draw, is_small
from symbp.render.environment import render
from symbp.render.outline import Section, outline, speaking
from symbp.render.stepwise import stepwise
from symbp.values import counted

if TYPE_CHECKING:
    from symbp.network import Network

# Characters of text to a line of each format. LaTeX sets fractions one above the other, so
# a line holds more than it seems; its template shrinks what is too wide all the same.
LATEX_WIDTH = 120
# The same for a cell of a table.
LATEX_CELL = 64
TEXT_WIDTH = 100
LABEL_WIDTH = 14

# Prints the statement of a step, on as many lines as the format needs.
PrintsStep = Callable[[Step], tuple[str, ...]]


@dataclass(frozen=True)
class Line:
    """One equation as a template needs it.

    Attributes
    ----------
    label, anchor : str
        The number, and a name for it that can be the target of a link.
    math : tuple of str
        The equation; several lines for the terminal, one string for LaTeX.
    rule, because : str
    uses : tuple of (str, str)
        Labels with anchors; the anchor is empty where the step is not on the page.
    conditions : tuple of str
        In print.
    passed : tuple of str
        The oracles that bear the equation out.
    failed : tuple of (str, str)
        The oracles that do not, and what they found.
    checks : tuple of (str, bool, str)
        Every check: oracle, verdict, what was compared.
    """

    label: str
    anchor: str
    math: tuple[str, ...]
    rule: str
    because: str
    uses: tuple[tuple[str, str], ...]
    conditions: tuple[str, ...]
    passed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, bool, str], ...]


@dataclass(frozen=True)
class Block:
    """The lines of one layer, or of no layer in particular."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Part:
    """A section of the page; the matrices of a network stand in the section of its S-matrices.

    `silent` are the labels of the steps that say nothing new in the notation of the page.
    """

    title: str
    blocks: tuple[Block, ...]
    left_out: str
    matrices: tuple[explicit.Written, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """How many steps stand proved, and how many checks each oracle made."""

    steps: int
    proved: int
    methods: tuple[tuple[str, int, int], ...]
    problems: tuple[tuple[str, str], ...]


def latex(derivation: Derivation, notation: str = "smatrix", translate: str | None = None) -> str:
    """Return the derivation as a complete LaTeX article: :meth:`symbp.Derivation.latex`."""
    checked = derivation.checked()
    network = checked.network
    writer = writer_for(LatexWriter, notation, network)
    drawing = draw(network, writer) if network and is_small(network) else None
    return render(
        "latex",
        "article.tex.j2",
        {
            **contents(checked, writer, latex_math(writer), translate, latex_math(writer, LATEX_CELL)),
            "drawing": drawing,
        },
    )


W = TypeVar("W", bound=Writer)


def writer_for(cls: type[W], notation: str, network: Network | None) -> W:
    """Return a writer of a format for one network, or for any."""
    if network is None:
        return cls(get(notation))
    return cls(get(notation), network.sizes, network.biases)


def latex_math(writer: LatexWriter, width: int = LATEX_WIDTH) -> PrintsStep:
    """Return what prints the statement of a step as LaTeX, long ones on several lines."""
    measure = TextWriter(writer.notation, writer.widths)

    def math(step: Step) -> tuple[str, ...]:
        pieces = []
        for said, beside in stated(step, writer):
            lines = break_terms(said.relation, room(measure.written(said.equation)), width, r"\times")
            lines[-1] += [rf"\quad ({', '.join(beside)})"] if beside else []
            pieces.append((said.relation, lines))
        return (aligned(pieces),)

    return math


def text(derivation: Derivation, notation: str = "smatrix", translate: str | None = None) -> str:
    """Return the derivation as text for the terminal."""
    checked = derivation.checked()
    writer = writer_for(TextWriter, notation, checked.network)

    def math(step: Step) -> tuple[str, ...]:
        return tuple(
            line for said, beside in stated(step, writer) for line in _text_lines(said.relation, beside)
        )

    return render("text", "derivation.txt.j2", contents(checked, writer, math, translate))


def _text_lines(relation: Relation, beside: Sequence[str]) -> tuple[str, ...]:
    lines = break_terms(relation, room(relation), TEXT_WIDTH - LABEL_WIDTH, "*")
    first, *rest = (" ".join(line) for line in lines)
    indent = " " * len(f"{relation.left} {relation.sign} ")
    where = f"  ({', '.join(beside)})" if beside else ""
    return (f"{relation.left} {relation.sign} {first}{where}", *(indent + line for line in rest))


def markdown(derivation: Derivation, notation: str = "smatrix", translate: str | None = None) -> str:
    """Return the derivation as Markdown with formulas in $$."""
    checked = derivation.checked()
    writer = writer_for(LatexWriter, notation, checked.network)

    def math(step: Step) -> tuple[str, ...]:
        pieces = [
            f"{said.relation} \\quad ({', '.join(beside)})" if beside else str(said.relation)
            for said, beside in stated(step, writer)
        ]
        return (
            pieces[0] if len(pieces) == 1 else rf"\begin{{gathered}} {NEW_ROW.join(pieces)} \end{{gathered}}",
        )

    return render("markdown", "derivation.md.j2", contents(checked, writer, math, translate))


# What all formats show ----------------------------------------------------------------------


def stated(step: Step, writer: Writer) -> list[tuple[Printed, tuple[str, ...]]]:
    """Return the equations a notation makes of a step, each with the conditions that are its own.

    The conditions of the first hold for all; a step that says nothing is shown as it stands.
    """
    found = writer.printed(step.statement, step.assumes) or (
        writer.as_it_stands(step.statement, step.assumes),
    )
    common = found[0].conditions
    return [(said, tuple(c for c in said.conditions if c not in common)) for said in found]


def contents(
    derivation: Derivation,
    writer: Writer,
    math: PrintsStep,
    translate: str | None = None,
    in_cell: PrintsStep | None = None,
) -> dict[str, Any]:
    """Return the data of a page's template, whatever the format.

    Parameters
    ----------
    derivation : Derivation
        With the verdicts of the oracles.
    writer : Writer
    math : callable
        See :data:`PrintsStep`.
    translate : str, optional
        The notation to translate to.
    in_cell : callable, optional
        The same as `math` for the cells of a table, if they are narrower than the page.
    """
    there = None if translate is None else get(translate)
    sections, silent = speaking(outline(derivation), writer)
    on_page = {step.label for section in sections for step in section.steps}
    shown = [step.statement for section in sections for step in section.steps]
    left_out = frozenset(label for labels in silent.values() for label in labels)
    matrices = tuple(explicit.matrices(derivation, writer))

    def as_line(step: Step) -> Line:
        return line(step, writer, math, on_page, left_out)

    def cell(step: Step) -> Line:
        places = [x for x in (step.label, resolved_label(step.label)) if x in on_page]
        made = line(step, writer, in_cell or math, on_page, left_out)
        return replace(made, anchor=_anchor(places[0]) if places else "")

    steps = stepwise(derivation, writer, cell)
    return {
        "network": derivation.network,
        "layers": rows(derivation.network, writer.notation) if derivation.network else [],
        "notation": convention(writer, derivation.network, there),
        "symbols": legend(shown, writer),
        "parts": [_part(s, derivation, writer, as_line, matrices, silent.get(s.title, ())) for s in sections],
        "stepwise": steps,
        "stepwise_left_out": _ranges(steps.left_out) if steps else "",
        "comparison": compare(derivation),
        "tally": _tally(derivation),
    }


def _part(
    section: Section,
    derivation: Derivation,
    writer: Writer,
    as_line: Callable[[Step], Line],
    matrices: tuple[explicit.Written, ...],
    silent: tuple[str, ...],
) -> Part:
    blocks = [
        Block(
            _heading(derivation, group.layer, writer.notation.first_layer),
            tuple(map(as_line, group.steps)),
        )
        for group in section.groups
    ]
    has_matrices = any(step.label.startswith(("2.12, ", "2.12f, ")) for step in section.steps)
    return Part(
        section.title, tuple(blocks), _ranges(section.left_out), matrices if has_matrices else (), silent
    )


def line(
    step: Step, writer: Writer, math: PrintsStep, on_page: set[str], left_out: frozenset[str] = frozenset()
) -> Line:
    """Return a step as a template needs it; links lead to the steps whose labels are `on_page`.

    Steps that are `left_out` because they say nothing in the notation are not cited either.
    """
    return Line(
        label=step.label,
        anchor=_anchor(step.label),
        math=math(step),
        rule=step.rule,
        because=step.because,
        uses=tuple((use, _anchor(use) if use in on_page else "") for use in step.uses if use not in left_out),
        conditions=stated(step, writer)[0][0].conditions,
        passed=_unique(check.method for check in step.checks if check.passed),
        failed=tuple((check.method, check.detail) for check in step.checks if not check.passed),
        checks=tuple((check.method, check.passed, check.detail) for check in step.checks),
    )


def _anchor(label: str) -> str:
    return "eq-" + re.sub(r"[^A-Za-z0-9.]+", "-", label)


def _unique(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _heading(derivation: Derivation, layer: int | None, first: int) -> str:
    network = derivation.network
    if layer is None or network is None:
        return ""
    units, activation = network.sizes[layer], network.layer(layer).activation.signature
    return f"Layer {layer + first}: {counted(units, 'neuron')}, {activation}"


def _ranges(layers: Sequence[int]) -> str:
    """Return "4 to 197" for consecutive numbers."""
    return f"{layers[0]} to {layers[-1]}" if len(layers) > 1 else "".join(map(str, layers))


def _tally(derivation: Derivation) -> Tally:
    counts: dict[str, list[int]] = {}
    problems = []
    for step in derivation.steps:
        for check in step.checks:
            counts.setdefault(check.method, [0, 0])[not check.passed] += 1
            if not check.passed:
                problems.append((step.label, f"{check.method} check failed: {check.detail}"))
        if not step.checks:
            problems.append((step.label, "no oracle has checked this step"))
    methods = tuple((method, passed, failed) for method, (passed, failed) in counts.items())
    proved = sum(step.proved for step in derivation.steps)
    return Tally(len(derivation.steps), proved, methods, tuple(problems))

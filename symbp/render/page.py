"""Derivation -> finished page: LaTeX article, text for the terminal, Markdown.

The stages are the same for all three: check the derivation, lay its steps out in sections,
print each in the notation, hand the result to the template of the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symbp.derivation.records import Derivation, Step
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.legend import legend
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render import explicit
from symbp.render.breaking import aligned, break_terms, room
from symbp.render.drawing import draw, is_small
from symbp.render.environment import render
from symbp.render.outline import Section, is_shown, outline

# Characters of text to a line of each format. LaTeX sets fractions one above the other, so
# a line holds more than it seems; its template shrinks what is too wide all the same.
LATEX_WIDTH = 120
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
    """A section of the page; the matrices of a network stand in the section of its S-matrices."""

    title: str
    blocks: tuple[Block, ...]
    left_out: str
    matrices: tuple[explicit.Written, ...]


@dataclass(frozen=True)
class Tally:
    """How many steps stand proved, and how many checks each oracle made."""

    steps: int
    proved: int
    methods: tuple[tuple[str, int, int], ...]
    problems: tuple[tuple[str, str], ...]


def latex(derivation: Derivation, notation: str = "smatrix") -> str:
    """Return the derivation as a complete LaTeX article.

    Parameters
    ----------
    derivation : Derivation
    notation : str
        A name of :data:`symbp.notation.NOTATIONS`.

    Raises
    ------
    RenderError
        If there is no such notation.
    """
    known = get(notation)
    checked = derivation.checked()
    network = checked.network
    sizes = network.sizes if network else ()
    writer = LatexWriter(known, sizes)
    drawing = draw(network, writer) if network and is_small(network) else None
    return render(
        "latex", "article.tex.j2", {**contents(checked, writer, latex_math(writer)), "drawing": drawing}
    )


def latex_math(writer: LatexWriter) -> PrintsStep:
    """Return what prints the statement of a step as LaTeX, long ones on several lines."""
    measure = TextWriter(writer.notation, writer.widths)

    def math(step: Step) -> tuple[str, ...]:
        relation = writer.relation(step.statement)
        lines = break_terms(relation, room(measure.relation(step.statement)), LATEX_WIDTH, r"\times")
        return (aligned(relation, lines),)

    return math


def text(derivation: Derivation, notation: str = "smatrix") -> str:
    """Return the derivation as text for the terminal; parameters as for :func:`latex`."""
    known = get(notation)
    checked = derivation.checked()
    writer = TextWriter(known, checked.network.sizes if checked.network else ())

    def math(step: Step) -> tuple[str, ...]:
        relation = writer.relation(step.statement)
        lines = break_terms(relation, room(relation), TEXT_WIDTH - LABEL_WIDTH, "*")
        first, *rest = (" ".join(line) for line in lines)
        indent = " " * len(f"{relation.left} {relation.sign} ")
        return (f"{relation.left} {relation.sign} {first}", *(indent + line for line in rest))

    return render("text", "derivation.txt.j2", contents(checked, writer, math))


def markdown(derivation: Derivation, notation: str = "smatrix") -> str:
    """Return the derivation as Markdown with formulas in $$; parameters as for :func:`latex`."""
    known = get(notation)
    checked = derivation.checked()
    writer = LatexWriter(known, checked.network.sizes if checked.network else ())
    return render(
        "markdown",
        "derivation.md.j2",
        contents(checked, writer, lambda step: (writer.equation(step.statement),)),
    )


# What all formats show ----------------------------------------------------------------------


def contents(derivation: Derivation, writer: Writer, math: PrintsStep) -> dict[str, Any]:
    """Return the data of a page's template, whatever the format.

    Parameters
    ----------
    derivation : Derivation
        With the verdicts of the oracles.
    writer : Writer
    math : callable
        See :data:`PrintsStep`.
    """
    sections = outline(derivation)
    on_page = {step.label for section in sections for step in section.steps}
    shown = [step.statement for section in sections for step in section.steps]
    matrices = tuple(explicit.matrices(derivation, writer))
    return {
        "network": derivation.network,
        "layers": _layers(derivation),
        "notation": writer.notation,
        "symbols": legend(shown, writer),
        "parts": [_part(s, derivation, writer, math, on_page, matrices) for s in sections],
        "tally": _tally(derivation),
    }


def _part(
    section: Section,
    derivation: Derivation,
    writer: Writer,
    math: PrintsStep,
    on_page: set[str],
    matrices: tuple[explicit.Written, ...],
) -> Part:
    blocks = [
        Block(
            _heading(derivation, group.layer),
            tuple(line(step, writer, math, on_page) for step in group.steps),
        )
        for group in section.groups
    ]
    has_matrices = any(step.label.startswith("2.12, ") for step in section.steps)
    return Part(section.title, tuple(blocks), _ranges(section.left_out), matrices if has_matrices else ())


def line(step: Step, writer: Writer, math: PrintsStep, on_page: set[str]) -> Line:
    """Return a step as a template needs it; links lead to the steps whose labels are `on_page`."""
    return Line(
        label=step.label,
        anchor=_anchor(step.label),
        math=math(step),
        rule=step.rule,
        because=step.because,
        uses=tuple((use, _anchor(use) if use in on_page else "") for use in step.uses),
        conditions=writer.conditions(step.assumes),
        passed=_unique(check.method for check in step.checks if check.passed),
        failed=tuple((check.method, check.detail) for check in step.checks if not check.passed),
        checks=tuple((check.method, check.passed, check.detail) for check in step.checks),
    )


def _anchor(label: str) -> str:
    return "eq-" + re.sub(r"[^A-Za-z0-9.]+", "-", label)


def _unique(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _heading(derivation: Derivation, layer: int | None) -> str:
    network = derivation.network
    if layer is None or network is None:
        return ""
    units, activation = network.sizes[layer], network.layer(layer).activation.name
    return f"Layer {layer}: {units} neuron{'' if units == 1 else 's'}, {activation}"


def _layers(derivation: Derivation) -> list[dict[str, Any]]:
    """Return one row per layer; layers in the middle of a long network share a row."""
    network = derivation.network
    if network is None:
        return []
    last = network.hidden + 1
    rows = []
    for k in range(1, last + 1):
        if is_shown(k, last):
            rows.append(
                {
                    "number": str(k),
                    "units": str(network.sizes[k]),
                    "activation": network.layer(k).activation.name,
                    "bias": "yes" if network.has_bias(k) else "no",
                    "shape": " x ".join(map(str, network.shapes[k - 1])),
                }
            )
        elif rows[-1]["number"] != "...":
            rows.append(dict.fromkeys(("number", "units", "activation", "bias", "shape"), "..."))
    return rows


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

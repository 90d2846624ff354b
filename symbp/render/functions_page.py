"""The table of all activations and costs, from their records: Markdown, text or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.derivation.describe import Description, describe
from symbp.derivation.extent import End
from symbp.derivation.kinks import Kink
from symbp.functions import Activation, Cost
from symbp.functions.parameters import DOMAINS
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render.environment import render

# Format -> (printer, template).
FORMATS: dict[str, tuple[type[Writer], str, str]] = {
    "text": (TextWriter, "text", "functions.txt.j2"),
    "markdown": (LatexWriter, "markdown", "functions.md.j2"),
    "latex": (LatexWriter, "latex", "functions.tex.j2"),
}

_OUTPUTS = {
    "real": "any number",
    "positive": "above 0",
    "unit_interval": "between 0 and 1",
    "distribution": "above 0, with sum 1",
}
_TARGETS = {
    "real": "any number",
    "nonnegative": "at least 0",
    "sign": "-1 or 1",
    "unit_interval": "from 0 to 1",
    "distribution": "from 0 to 1, with sum 1; or labels",
}


@dataclass(frozen=True)
class Entry:
    """One function as a template needs it; formulas in print, text as text.

    Attributes
    ----------
    name, formula, derivative : str
    relation, range : str
        Empty where there is none.
    outputs, targets : str
        What a cost asks for; empty for an activation.
    kinks : tuple of (str, str, str, str)
        Place, slopes on the left and on the right, and the declared one.
    parameters : tuple of (str, str, str)
        Letter, default, domain.
    source : str
    """

    name: str
    formula: str
    derivative: str
    relation: str
    range: str
    outputs: str
    targets: str
    kinks: tuple[tuple[str, str, str, str], ...]
    parameters: tuple[tuple[str, str, str], ...]
    source: str


def functions_page(records: Sequence[Activation | Cost], form: str = "text") -> str:
    """Return the table of functions.

    Parameters
    ----------
    records : sequence of Activation or Cost
    form : {"text", "markdown", "latex"}
    """
    printer, kind, template = FORMATS[form]
    writer = printer(get("smatrix"))
    entries = [_entry(describe(record), writer) for record in records]
    activations = [e for e, record in zip(entries, records, strict=True) if isinstance(record, Activation)]
    costs = [e for e, record in zip(entries, records, strict=True) if isinstance(record, Cost)]
    return render(kind, template, {"activations": activations, "costs": costs})


def _entry(found: Description, writer: Writer) -> Entry:
    record = found.record
    cost = record if isinstance(record, Cost) else None
    return Entry(
        name=record.name,
        formula=writer.expression(found.formula),
        derivative=writer.expression(found.derivative),
        relation="" if found.relation is None else writer.expression(found.relation),
        range=_OUTPUTS[record.output] if found.range is None else _interval(*found.range, writer),
        outputs="" if cost is None else _OUTPUTS[cost.output],
        targets="" if cost is None else _TARGETS[cost.targets],
        kinks=tuple(_kink(kink, writer) for kink in found.kinks),
        parameters=tuple(
            (writer.expression(sympy.Symbol(p.name, real=True)), f"{p.default:.10g}", DOMAINS[p.domain][1])
            for p in record.parameters
        ),
        source=record.source,
    )


def _interval(low: End, high: End, writer: Writer) -> str:
    opening, closing = "[" if low.attained else "(", "]" if high.attained else ")"
    return f"{opening}{writer.expression(low.value)}, {writer.expression(high.value)}{closing}"


def _kink(kink: Kink, writer: Writer) -> tuple[str, str, str, str]:
    at, left, right, declared = (
        writer.expression(x) for x in (kink.at, kink.left, kink.right, kink.declared)
    )
    return at, left, right, declared

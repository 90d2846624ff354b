"""The table of all functions, update rules, schedules and penalties, from their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.algebra.named import LETTERS, NAMED, Raised
from symbp.derivation.computed import USUAL
from symbp.derivation.describe import Description, describe
from symbp.derivation.extent import End
from symbp.derivation.kinks import Kink
from symbp.elementary.records import DTYPES
from symbp.functions import Activation, Cost
from symbp.functions.measured import measured
from symbp.functions.parameters import DOMAINS
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render.environment import render
from symbp.render.training_entries import TrainingRecord, training_entries

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


_MIN, _MAX = sympy.Function("min"), sympy.Function("max")


@dataclass(frozen=True)
class Entry:
    """One function as a template needs it; formulas in print, text as text.

    Attributes
    ----------
    name, formula, derivative : str
    relation, range : str
        Empty where there is none.
    unused : str
        Why kernels do not use the relation; empty where they do.
    stable : tuple of str
        What kernels compute instead of the formula and its derivative.
    usual : str
        The output unit with which they compute the stable form of a cost.
    outputs, targets : str
        What a cost asks for; empty for an activation.
    kinks : tuple of (str, str, str, str)
        Place, slopes on the left and on the right, and the declared one.
    parameters : tuple of (str, str, str)
        Letter, default, domain.
    errors : tuple of (str, float, float)
        Format, and the largest errors met of an activation and of its derivative, in ulp.
    source : str
    """

    name: str
    formula: str
    derivative: str
    relation: str
    unused: str
    range: str
    stable: tuple[str, ...]
    usual: str
    outputs: str
    targets: str
    kinks: tuple[tuple[str, str, str, str], ...]
    parameters: tuple[tuple[str, str, str], ...]
    errors: tuple[tuple[str, float, float], ...]
    source: str


def functions_page(records: Sequence[Activation | Cost | TrainingRecord], form: str = "text") -> str:
    """Return the table of functions.

    Parameters
    ----------
    records : sequence of Activation, Cost, UpdateRule, Schedule or Penalty
    form : {"text", "markdown", "latex"}
    """
    printer, kind, template = FORMATS[form]
    writer = printer(get("smatrix"))
    found = [describe(record) for record in records if isinstance(record, (Activation, Cost))]
    context = {
        "activations": [_entry(one, writer) for one in found if isinstance(one.record, Activation)],
        "costs": [_entry(one, writer) for one in found if isinstance(one.record, Cost)],
        "training": training_entries(
            [record for record in records if not isinstance(record, (Activation, Cost))], writer
        ),
        "named": _named(found, writer),
    }
    return render(kind, template, context)


def _entry(found: Description, writer: Writer) -> Entry:
    record = found.record
    cost = record if isinstance(record, Cost) else None
    return Entry(
        name=record.name,
        formula=writer.expression(found.formula),
        derivative=writer.expression(found.derivative),
        relation="" if found.relation is None else writer.expression(found.relation),
        unused=found.unused,
        range=_OUTPUTS[record.output] if found.range is None else _interval(*found.range, writer),
        stable=_stable(found, writer),
        usual="" if cost is None else USUAL[cost.output],
        outputs="" if cost is None else _OUTPUTS[cost.output],
        targets="" if cost is None else _TARGETS[cost.targets],
        kinks=tuple(_kink(kink, writer) for kink in found.kinks),
        parameters=tuple(
            (writer.expression(sympy.Symbol(p.name, real=True)), f"{p.default:.10g}", DOMAINS[p.domain][1])
            for p in record.parameters
        ),
        errors=tuple(
            (dtype, each.value, each.derivative)
            for dtype in DTYPES
            if cost is None and (each := measured().get((record.name, dtype))) is not None
        ),
        source=record.source,
    )


def _stable(found: Description, writer: Writer) -> tuple[str, ...]:
    heads = ("",) if isinstance(found.record, Cost) else ("g = ", "g' = ")
    forms = (found.stable, found.stable_derivative)
    return tuple(
        head + writer.expression(form) for head, form in zip(heads, forms, strict=False) if form is not None
    )


def _named(found: Sequence[Description], writer: Writer) -> list[dict[str, str]]:
    """Return the named functions of the stable forms: what they stand for, and how they are computed."""
    forms = [form for one in found for form in (one.stable, one.stable_derivative) if form is not None]
    functions = [
        kind(*LETTERS[: next(iter(kind.nargs))]) for kind in NAMED if any(f.has(kind) for f in forms)
    ]
    u, largest = LETTERS[0], sympy.Symbol("M", positive=True)
    limits = [
        {
            "head": writer.expression(Raised(u)),
            "definition": writer.expression(u),
            "value": writer.expression(_MIN(_MAX(u, -largest), largest)),
            "reference": "M is the largest number of the type: infinity times 0 would not be a number; "
            "only the side that needs it is limited",
        }
    ]
    return limits * any(form.has(Raised) for form in forms) + [
        {
            "head": writer.expression(function),
            "definition": writer.expression(function.defining()),
            "value": writer.expression(function.stable()),
            "reference": function.reference,
        }
        for function in functions
    ]


def _interval(low: End, high: End, writer: Writer) -> str:
    opening, closing = "[" if low.attained else "(", "]" if high.attained else ")"
    return f"{opening}{writer.expression(low.value)}, {writer.expression(high.value)}{closing}"


def _kink(kink: Kink, writer: Writer) -> tuple[str, str, str, str]:
    at, left, right, declared = (
        writer.expression(x) for x in (kink.at, kink.left, kink.right, kink.declared)
    )
    return at, left, right, declared

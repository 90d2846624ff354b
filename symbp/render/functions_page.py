"""The table of all functions, update rules, schedules and penalties, from their records."""

from __future__ import annotations

import decimal
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import sympy

from symbp.algebra.marks import Raised
from symbp.algebra.named import LETTERS, NAMED, Weighted
from symbp.derivation.computed import USUAL
from symbp.derivation.derive import derive
from symbp.derivation.describe import Description, describe
from symbp.derivation.extent import End
from symbp.derivation.kinks import Kink
from symbp.derivation.stability.choose import Z, largest
from symbp.derivation.stability.report import by_own_function, errors_met, fades
from symbp.elementary.records import DTYPES
from symbp.errors import SymbpWarning
from symbp.functions import ACTIVATIONS, Activation, Cost
from symbp.functions.measured import measured
from symbp.functions.parameters import DOMAINS
from symbp.network import Network
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
        Place, slopes on the left and on the right, and the declared one; that is empty where there is none.
    parameters : tuple of (str, str, str)
        Letter, default, domain.
    errors : tuple of (str, float, float)
        Format, and the largest errors met of an activation and of its derivative, in ulp.
    absolute : tuple of (str, str)
        Format, and the largest absolute error of a derivative whose digits go where the output,
        from which it is computed, rounds to its limit; empty for others.
    notes : tuple of str
        What is wrong with the function, even in its stable form.
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
    absolute: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    source: str


def functions_page(
    records: Sequence[Activation | Cost | TrainingRecord],
    form: str = "text",
    notes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> str:
    """Return the table of functions.

    Parameters
    ----------
    records : sequence of Activation, Cost, UpdateRule, Schedule or Penalty
    form : {"text", "markdown", "latex"}
    notes : mapping
        Name -> what is wrong with that function (:func:`own_notes`).
    """
    printer, kind, template = FORMATS[form]
    writer = printer(get("smatrix"))
    writer.as_computed = True
    found = [describe(record) for record in records if isinstance(record, (Activation, Cost))]
    context = {
        "activations": [_entry(one, writer, notes) for one in found if isinstance(one.record, Activation)],
        "costs": [_entry(one, writer, notes) for one in found if isinstance(one.record, Cost)],
        "training": training_entries(
            [record for record in records if not isinstance(record, (Activation, Cost))], writer
        ),
        "named": _named(found, writer),
    }
    return render(kind, template, context)


def own_notes(network: Network) -> dict[str, tuple[str, ...]]:
    """Return what is wrong with a network's own activations and cost in each type, by their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymbpWarning)  # the same in other words
        derivation = derive(network)
    found: dict[str, tuple[str, ...]] = {}
    for dtype in DTYPES:
        for name, told in by_own_function(derivation, dtype).items():
            found[name] = (*found.get(name, ()), *(f"{sentence} in {dtype}" for sentence in told))
    return found


def _errors(record: Activation | Cost) -> tuple[tuple[str, float, float], ...]:
    """Return format and errors of value and derivative: as measured, or as the scan meets them."""
    if isinstance(record, Cost) or record.of_layer:
        return ()
    if record.name in ACTIVATIONS:
        found = ((dtype, measured().get((record.name, dtype))) for dtype in DTYPES)
        return tuple((dtype, each.value, each.derivative) for dtype, each in found if each is not None)
    return tuple((dtype, *errors_met(record.expression(), dtype)) for dtype in DTYPES)


def _absolute(
    record: Activation | Cost, errors: tuple[tuple[str, float, float], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the absolute errors of a derivative that is 0 where the unit saturates, in words."""
    if isinstance(record, Cost) or record.of_layer or not fades(record.expression()):
        return ()
    size = largest(sympy.diff(record.expression(), Z))
    return tuple(
        (dtype, _rounded_up(slope * float(np.spacing(np.dtype(dtype).type(size)))))
        for dtype, _, slope in errors
    )


def _rounded_up(size: float) -> str:
    with decimal.localcontext(prec=2, rounding=decimal.ROUND_UP):
        return f"{+decimal.Decimal(size):.1e}"


def _entry(found: Description, writer: Writer, notes: Mapping[str, tuple[str, ...]]) -> Entry:
    record = found.record
    cost = record if isinstance(record, Cost) else None
    errors = _errors(record)
    return Entry(
        name=record.name,
        formula=writer.expression(found.formula),
        derivative=writer.expression(found.derivative),
        relation="" if found.relation is None else writer.expression(found.relation),
        unused=found.unused,
        range=_range(found, writer),
        stable=_stable(found, writer),
        usual="" if cost is None else USUAL[cost.output],
        outputs="" if cost is None else _OUTPUTS[cost.output],
        targets="" if cost is None else _TARGETS[cost.targets],
        kinks=tuple(_kink(kink, writer) for kink in found.kinks),
        parameters=tuple(
            (writer.expression(sympy.Symbol(p.name, real=True)), f"{p.default:.10g}", DOMAINS[p.domain][1])
            for p in record.parameters
        ),
        errors=errors,
        absolute=_absolute(record, errors),
        notes=notes.get(record.name, ()),
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
    return limits * any(form.has(Raised, Weighted) for form in forms) + [
        {
            "head": writer.expression(function),
            "definition": writer.expression(function.defining()),
            "value": writer.expression(function.stable()),
            "reference": function.reference,
        }
        for function in functions
    ]


def _range(found: Description, writer: Writer) -> str:
    """Return where the values lie; nothing of a function of z that is not real and finite everywhere."""
    if found.range is not None:
        return _interval(*found.range, writer)
    record = found.record
    return _OUTPUTS[record.output] if isinstance(record, Cost) or record.of_layer else ""


def _interval(low: End, high: End, writer: Writer) -> str:
    opening, closing = "[" if low.attained else "(", "]" if high.attained else ")"
    return f"{opening}{writer.expression(low.value)}, {writer.expression(high.value)}{closing}"


def _kink(kink: Kink, writer: Writer) -> tuple[str, str, str, str]:
    at, left, right = (writer.expression(x) for x in (kink.at, kink.left, kink.right))
    return at, left, right, "" if kink.declared is sympy.S.NaN else writer.expression(kink.declared)

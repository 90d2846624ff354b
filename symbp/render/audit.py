"""Verdicts on the source documents -> text, LaTeX, HTML, JSON."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from symbp.derivation.documents.language.reader import read
from symbp.derivation.documents.language.text import written_ranges, written_statement
from symbp.derivation.documents.library import NAMES, audit, get
from symbp.derivation.documents.records import Verdict
from symbp.derivation.documents.shapes import Shapes
from symbp.errors import RenderError
from symbp.functions.names import nearest
from symbp.notation.mathml import formula
from symbp.render.audit_latex import LatexStatements
from symbp.render.audit_mathml import MathMLStatements
from symbp.render.environment import render


@dataclass(frozen=True)
class Entry:
    """One verdict as a template needs it; formulas in the format's own writing."""

    number: str
    proved: bool
    quote: str
    printed: str
    claim: str
    where: str
    right: str
    right_where: str
    because: str
    method: str
    detail: str
    step: str
    place: str


@dataclass(frozen=True)
class Section:
    """One document."""

    name: str
    title: str
    notes: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def errata(self) -> int:
        return sum(not entry.proved for entry in self.entries)


CRITERIA = (
    "Printed is what stands on the page, slips included. What a page says in words, or in a formula that "
    "is no equation, is quoted, and what it claims is stated after it. The ranges after 'for' are those of "
    "the page, or follow from its definitions where it leaves them out.",
    "A symbol means what its document has last defined it to be, not what would make the equation right: "
    "a column that was given a bias component keeps it. Where the page states a convention elsewhere under "
    "which the equation is right, a check decides that too and says so; the verdict stays.",
    "Proved means that all sides of the statement have the same shape and are equal, for every index: in "
    "numbers with 50 digits in several networks, and in symbols. How the page comes from one side to the "
    "next is not judged; where two sides are equal by luck, a remark says so.",
    "In an update the left side is the value after it, whether = or an arrow is printed. Printed decimals "
    "are right if they are the rounded value. A product without a sign may be one of matrices, one entry "
    "by entry, or one with a transposed factor, as the document writes them: one that holds is enough.",
)

_LAYOUTS = {
    "column": "The derivative of a number with respect to a column is a column here.",
    "row": "The derivative of a number with respect to a column is a row here, as the document's products "
    "of derivatives need it.",
}

Writer = Callable[[Verdict, str, str], tuple[str, str]]


def _as_text(verdict: Verdict, text: str, where: str) -> tuple[str, str]:
    statement = read(text, where)
    text = written_statement(statement).replace("==", "=").replace("<<", "<-")
    return text, written_ranges(statement.ranges)


def _as_latex(verdict: Verdict, text: str, where: str) -> tuple[str, str]:
    statement = read(text, where)
    writer = LatexStatements(Shapes(get(verdict.document).settings[verdict.setting]))
    return writer.statement(statement), writer.ranges(statement.ranges)


def _as_mathml(verdict: Verdict, text: str, where: str) -> tuple[str, str]:
    statement = read(text, where)
    writer = MathMLStatements(Shapes(get(verdict.document).settings[verdict.setting]))
    said, ranges = _as_text(verdict, text, where)
    shown = Markup(formula(writer.statement(statement), said, display=True))
    return shown, Markup(formula(writer.ranges(statement.ranges), ranges)) if ranges else ""


def _sections(names: Sequence[str], write: Writer) -> tuple[Section, ...]:
    found = []
    for name in names:
        document = get(name)
        notes = (_LAYOUTS[document.settings["network"].layout], *document.unstated.values())
        entries = tuple(_entries(audit(name), write))
        found.append(Section(name, document.title, notes, entries))
    return tuple(found)


def _entries(verdicts: Sequence[Verdict], write: Writer) -> list[Entry]:
    found = []
    for v in verdicts:
        printed, where = write(v, v.printed, v.where) if v.printed else ("", "")
        claim, where = write(v, v.claim, v.where) if v.claim else ("", where)
        right, right_where = write(v, v.right, v.right_where) if v.right else ("", "")
        found.append(
            Entry(
                v.number,
                v.verdict == "proved",
                v.quote,
                printed,
                claim,
                where,
                right,
                right_where if right_where != where else "",
                v.because,
                v.method,
                v.detail,
                step(v) if v.steps else "",
                "" if v.steps else step(v),
            )
        )
    return found


def step(verdict: Verdict) -> str:
    """Return which step an equation is, or what it is where it is none."""
    many = "s" if len(verdict.steps) > 1 else ""
    return f"step{many} {', '.join(verdict.steps)}" if verdict.steps else verdict.place


def _page(form: str, names: Sequence[str]) -> str:
    template, write = _FORMS[form]
    return render(form, template, {"criteria": CRITERIA, "documents": _sections(names, write)})


_FORMS: dict[str, tuple[str, Writer]] = {
    "text": ("audit.txt.j2", _as_text),
    "latex": ("audit.tex.j2", _as_latex),
    "html": ("audit.html.j2", _as_mathml),
}


def _as_json(names: Sequence[str]) -> str:
    """Return a list with one object for each equation."""
    found: list[dict[str, object]] = []
    for name in names:
        for v in audit(name):
            found.append(
                {
                    "document": v.document,
                    "equation": v.number,
                    "verdict": v.verdict,
                    "printed": v.printed or v.quote,
                    "claim": v.claim,
                    "quote": v.quote,
                    "where": v.where,
                    "right": v.right or v.printed or v.quote,
                    "right_where": v.right_where or v.where,
                    "method": v.method,
                    "detail": v.detail,
                    "because": v.because,
                    "step": v.label or v.place,
                    "steps": v.steps,
                }
            )
        found += [_unstated(name, *item) for item in get(name).unstated.items()]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _unstated(document: str, number: str, words: str) -> dict[str, object]:
    """Return the object of a number on the page beside which nothing stands."""
    said = dict.fromkeys(("printed", "claim", "quote", "where", "right", "right_where", "method"), "")
    named = {"document": document, "equation": number, "verdict": "empty"}
    rest = {"detail": words, "because": "", "step": "no statement", "steps": ()}
    return {**named, **said, **rest}


FORMATS: Mapping[str, Callable[[Sequence[str]], str]] = {
    **{form: functools.partial(_page, form) for form in _FORMS},
    "json": _as_json,
}


def page(document: str | None = None, form: str = "text") -> str:
    """Return what the audit finds, in a document or in all.

    Parameters
    ----------
    document : str, optional
        "000" to "004"; all of them if left out.
    form : str
        "text", "latex", "html" or "json".

    Raises
    ------
    DocumentError
        If there is no such document.
    RenderError
        If there is no such format.
    """
    if form not in FORMATS:
        raise RenderError(f"unknown format {form!r}{nearest(form, FORMATS)}")
    names = NAMES if document is None else (get(document).name,)
    return FORMATS[form](names)

"""Sentences with letters and short formulas in them -> the same with the formulas set as such.

``the last feature is a component too: i <= N_0`` has i <= N_0 in it. A letter alone is one too,
unless it is a word: a, A, I.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Callable, Iterator

from markupsafe import Markup

from symbp.notation.mathml import formula, row, scripted
from symbp.render import escape

_GREEK = dict(
    zip(
        "alpha beta gamma delta eta theta lambda sigma tau Delta Theta".split(),  # noqa: SIM905
        "αβγδηθλστΔΘ",
        strict=True,
    )
)
_SCRIPT = r"(?:\{[^{}\s]{1,12}\}|\([a-zA-Z0-9](?:[+-]\d)?\)|[A-Za-z0-9]{1,4})"
_NAMED = "|".join(_GREEK)
_ATOM = rf"(?:(?:{_NAMED}|[A-Za-z])(?:[_^]{_SCRIPT})+|(?:{_NAMED}|[B-HJ-Zb-z]))'?"
_SIGNS = {"+": "+", "-": "-", "=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "x": r"\times"}
_HTML_SIGNS = {**_SIGNS, "-": "−", "<=": "≤", ">=": "≥", "x": "×"}
_OPERATOR = r"\s(?:<=|>=|[-+=<>x])\s"
_NUMBER = r"\d+(?:\.\d+)?"
_REST = rf"{_OPERATOR}(?:{_ATOM}|{_NUMBER})"
_FORMULA = re.compile(
    rf"(?<![\w^_.'\[(/\\-])(?<!\) )(?<!Kronecker )(?P<paren>\(?)"
    rf"(?:{_ATOM}(?:{_REST})*|(?:{_NUMBER}|a){_OPERATOR}{_ATOM}(?:{_REST})*)(?![\w^_(\[\]@/*'=-]|\.\w)"
)
# What is left of a formula that is more than letters, indices and signs between them.
_MORE = re.compile(r"[_^\[\]@]|<-|\w\(|[A-Za-z]\w*/\w")
_PARTS = re.compile(rf"(?P<name>{_NAMED}|[A-Za-z])(?P<scripts>(?:[_^]{_SCRIPT})*)(?P<prime>'?)")


def latex(text: object) -> str:
    """Return a sentence as LaTeX."""
    return "".join(_pieces(str(text), escape.latex, _dollars))


def markdown(text: object) -> str:
    """Return a sentence as Markdown."""
    return "".join(_pieces(str(text), escape.markdown, _dollars))


def _dollars(found: str) -> str:
    return f"${_joined(found, _latex_atom, _SIGNS)}$"


def html(text: object) -> Markup:
    """Return a sentence as HTML."""

    def shown(found: str) -> str:
        inner = _joined(found, _html_atom, {s: f"<mo>{_html.escape(t)}</mo>" for s, t in _HTML_SIGNS.items()})
        return formula(row(inner), found)

    return Markup("".join(_pieces(str(text), _html.escape, shown)))


def _pieces(text: str, plain: Callable[[str], str], shown: Callable[[str], str]) -> Iterator[str]:
    """Yield the words and the formulas of a sentence; one with longer formulas stays as it is written."""
    if _MORE.search(_FORMULA.sub("", text)):
        yield plain(text)
        return
    end = 0
    for match in _FORMULA.finditer(text):
        bracket = match["paren"]
        yield plain(text[end : match.start()] + bracket)
        yield shown(match[0].removeprefix(bracket))
        end = match.end()
    yield plain(text[end:])


def _joined(found: str, atom: Callable[[re.Match[str]], str], signs: dict[str, str]) -> str:
    parts = []
    for n, part in enumerate(re.split(r"\s", found)):
        match = _PARTS.fullmatch(part)
        if n % 2:
            parts.append(signs[part])
        else:
            parts.append(atom(match) if match else _number(part, signs))
    return (" " if signs is _SIGNS else "").join(parts)


def _number(part: str, signs: dict[str, str]) -> str:
    return part if signs is _SIGNS else f"<mn>{part}</mn>"


def _scripts(match: re.Match[str]) -> dict[str, str]:
    """Return what stands below and above: {"_": "ij", "^": "k"}."""
    found = {mark: script.strip("{}") for mark, script in re.findall(rf"([_^])({_SCRIPT})", match["scripts"])}
    if match["prime"]:
        found["^"] = f"{match['prime']}{found.get('^', '')}"
    return found


def _latex_atom(match: re.Match[str]) -> str:
    name = f"\\{match['name']}" if match["name"] in _GREEK else match["name"]
    scripts = {mark: text.replace("'", r"\prime ") for mark, text in _scripts(match).items()}
    return name + "".join(f"{mark}{{{text}}}" for mark, text in scripts.items())


def _html_atom(match: re.Match[str]) -> str:
    name = f"<mi>{_GREEK.get(match['name'], match['name'])}</mi>"
    scripts = _scripts(match)
    return scripted(name, *(_html_script(scripts.get(mark, "")) for mark in "_^"))


def _html_script(text: str) -> str:
    tokens = re.findall(r"\d+|[A-Za-z]|.", text)
    kinds = [("mn" if t.isdigit() else "mi" if t.isalpha() else "mo", t) for t in tokens]
    signs = {"-": "−", "'": "′"}
    return "".join(f"<{kind}>{_html.escape(signs.get(t, t))}</{kind}>" for kind, t in kinds)

"""Text -> tokens, each with its place; LaTeX's commands and Unicode's signs have others' meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbp.errors import FormulaError

_SIGNS = {
    "−": "-",
    "⋅": "@",
    "·": "@",
    "∘": ".*",
    "⊙": ".*",
    "⊗": ".*",
    "∑": "sum",
    "Σ": "sum",
    "′": "'",
    "ᵀ": "^T",
    "**": "^",
}
_COMMANDS = {
    "odot": ".*",
    "circ": ".*",
    "otimes": ".*",
    "cdot": "@",
    "times": "@",
    "left": "",
    "right": "",
    "top": "T",
    "intercal": "T",
}
_GREEK = {
    "α": "alpha",
    "δ": "delta",
    "η": "eta",
    "θ": "theta",
    "λ": "lambda",
    "σ": "sigma",
    "Δ": "Delta",
    "Θ": "Theta",
}
_TOKEN = re.compile(
    r"(?P<number>\d+(\.\d+)?|\.\d+)"
    r"|(?P<name>\\?[A-Za-z]+|[αδηθλσΔΘ])"
    r"|(?P<sign>\*\*|\.\*|\.T\b|[-+*/@()\[\]{}^_,=']|[−⋅·∘⊙⊗∑Σ′ᵀ])"
)
TRANSPOSE = ("T", "top", "intercal")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def fault(text: str, at: int, reason: str) -> FormulaError:
    """Return the error for a place of a line, counted from 0."""
    error = FormulaError(f"gradient {text!r}, column {at + 1}: {reason}")
    error.point_at(text, at)
    return error


def tokens(text: str) -> list[Token]:
    """Return the tokens of a line, and one for its end.

    Raises
    ------
    FormulaError
    If a character has no place in a formula.
    """
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise fault(text, at, f"the character {text[at]!a} has no place in a formula")
        found += _meant(match)
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _meant(match: re.Match[str]) -> list[Token]:
    """Return the tokens that a sign stands for: LaTeX's commands and Unicode's signs have others' meaning."""
    kind, text, at = match.lastgroup or "", match.group(), match.start()
    if match["number"]:
        kind = "number"
    elif match["name"]:
        kind = "name"
        command = text.removeprefix("\\")
        if text != command and command in _COMMANDS:
            meant = _COMMANDS[command]
            return [Token("name" if meant == "T" else "sign", meant, at)] if meant else []
        text = _GREEK.get(command, command)
    else:
        kind, text = "sign", _SIGNS.get(text, text)
    if text == "^T":
        return [Token("sign", "^", at), Token("name", "T", at)]
    return [Token("name" if text == "sum" else kind, text, at)]

"""Text -> tokens, each with its place; LaTeX's commands and Unicode's signs have others' meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbp.errors import FormulaError

_SIGNS = {
    "−": "-",
    "⋅": "@",
    "·": "@",
    ":=": "=",
    "<-": "=",
    "←": "=",
    "∂": "partial",
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
    "ast": ".*",
    "gets": "=",
    "leftarrow": "=",
    "left": "",
    "right": "",
    "quad": "",
    "displaystyle": "",
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
    r"|(?P<name>\\?[A-Za-z]+~?|[αδηθλσΔΘ])"
    r"|(?P<sign>\*\*|\.\*|\.T\b|:=|<-|\+=|[-+*/@()\[\]{}^_,=']|[−⋅·∘⊙⊗∑Σ′ᵀ∂←])"
)
# LaTeX's fonts and accents, each put in place of as many characters, so that columns stay.
_FONTS = re.compile(r"\\(?:mathbf|boldsymbol|mathrm|mathsf|mathbin|bm)\s*\{([^{}]*)\}")
_FONT_OF_ONE = re.compile(r"\\(?:mathbf|boldsymbol|mathrm|mathsf|bm)\s+(?=\\?[A-Za-z])")
_ACCENTS = re.compile(r"\\(?P<accent>bar|tilde)\s*\{\s*(?P<letter>\\?[A-Za-z]+)\s*\}")
_AFTER = {"bar": "bar", "tilde": "~"}
_SPACES = re.compile(r"\\[,;:! ]|[&$]|\\\\(?![A-Za-z])")
TRANSPOSE = ("T", "top", "intercal")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def fault(text: str, at: int, reason: str) -> FormulaError:
    """Return the error for a place of a line, counted from 0."""
    shown = repr(text).replace("\\\\", "\\")  # LaTeX's backslashes are one each
    error = FormulaError(f"gradient {shown}, column {at + 1}: {reason}")
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
    written, text = text, _plain(text)
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise fault(written, at, f"the character {text[at]!a} has no place in a formula")
        found += _meant(match)
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _plain(text: str) -> str:
    """Return the text without LaTeX's fonts and accents, every letter where it was or before."""
    before = None
    while before != text:
        before = text
        text = _FONTS.sub(lambda m: m[1].rjust(len(m[0]) - 1) + " ", text)
        text = _FONT_OF_ONE.sub(lambda m: " " * len(m[0]), text)
        text = _ACCENTS.sub(lambda m: f"{m['letter']}{_AFTER[m['accent']]}".ljust(len(m[0])), text)
    return _SPACES.sub(lambda m: " " * len(m[0]), text.replace(r".\ast", ".*   "))


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
        if text == "partial":
            kind = "name"
    if text == "^T":
        return [Token("sign", "^", at), Token("name", "T", at)]
    return [Token("name" if text == "sum" else kind, text, at)]

"""What is wrong with a text that is no formula: Python's own messages guess at programs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

_TOKEN = re.compile(r"(?P<term>(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[A-Za-z_]\w*)|(?P<sign>\*\*|//|[<>=!]=|\S)")
# Signs that stand between two terms, and words that do.
_BETWEEN = {"+", "-", "*", "/", "**", "<", "<=", ">", ">=", "if", "else", "and", "or"}
_IN_FRONT = {"+", "-", "not"}

CHARACTERS = {
    "^": "write ** for a power",
    "=": "a formula is a value; compare with <, <=, > or >=",
    "!": "compare with <, <=, > or >=",
    "|": "write abs(...) for an absolute value",
    ";": "one formula stands here",
    **dict.fromkeys("[]{}", "brackets are ( and ); lists and indices have no place here"),
    **dict.fromkeys("\u2212\u2013\u2014", "write - for a minus"),
    **dict.fromkeys("\u00b7\u22c5\u00d7\u2217", "write * for a product"),
    **dict.fromkeys("\u00f7\u2215", "write / for a quotient"),
    "\u00b2": "write **2 for a square",
    "\u00b3": "write **3 for a third power",
    "\u221a": "write sqrt(...) for a root",
    "\u03c0": "write pi",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\\": "a formula is plain text, without LaTeX's commands",
}


def fault_in(text: str, functions: Container[str]) -> tuple[int, str] | None:
    """Return the first place that cannot stand in a formula, counted from 0, and the reason.

    Parameters
    ----------
    text : str
        One line, of ASCII only.
    functions : container of str
        The names that stand before brackets.

    Returns
    -------
    (int, str) or None
        None if terms, signs and brackets follow each other as they should.
    """
    opened: list[tuple[int, bool]] = []  # the place of each open bracket, and whether it is a function's
    before = ""  # what stands in front: "" or a sign where a term is expected, a term otherwise
    expects_term, end = True, 0
    for match in _TOKEN.finditer(text):
        at, sign = match.start(), match.group()
        word = match["term"] is not None and sign not in _BETWEEN | _IN_FRONT
        if word and keyword.iskeyword(sign):
            return at, f"{sign} is a word that cannot be a name"
        if expects_term and sign == ")" and before == "(":
            if not opened[-1][1]:
                return at, "nothing stands between the brackets"
            opened.pop()
            expects_term = False
        elif expects_term:
            if sign == "(":
                opened.append((at, before in functions))
            elif word:
                expects_term = False
            elif sign not in _IN_FRONT:
                return at, f"a term is expected before {sign!r}" + (f", after {before!r}" if before else "")
        elif sign == "(" and before in functions:
            opened.append((at, True))
            expects_term = True
        elif word or sign == "(":
            if before in functions:
                return at - len(text[end:at]) - len(before), f"{before} is a function: write {before}(...)"
            if sign[0] == "." and before[0].isdigit():
                return at, "a number has one decimal point"
            if not (sign == "(" and re.fullmatch(r"[A-Za-z_]\w*", before)):  # an unknown function is said so
                return at, f"a * may be missing before {sign}"
            opened.append((at, True))
            expects_term = True
        elif sign == ")":
            if not opened:
                return at, "this ) closes no bracket"
            opened.pop()
        elif sign == "," and (not opened or not opened[-1][1]):
            return at, "a comma separates the arguments of a function; a decimal point is ."
        elif sign == "," or sign in _BETWEEN:
            expects_term = True
        else:
            return at, f"{sign!r} has no place here"
        before, end = sign, match.end()
    if expects_term:
        return len(text), "the formula ends where a term is expected"
    if opened:
        return opened[-1][0], "this ( is never closed"
    if len(re.findall(r"\bif\b", text)) > len(re.findall(r"\belse\b", text)):
        return len(text), "the other case is missing: 'a if z <= 0 else b'"
    return None

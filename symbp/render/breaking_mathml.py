"""Long products of MathML, broken between factors, and inside a bracket that is too long itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

from symbp.notation.mathml import TIMES

_TOKEN = re.compile(r"<[^>]+>|[^<]+")
_BRACKET = re.compile(r"<mrow>(<mo[^>]*>\(</mo>)(.*)(<mo[^>]*>\)</mo>)</mrow>", re.S)
# The signs between terms; one in front of a term has another form.
_SIGNS = ("<mo>+</mo>", "<mo>&#x2212;</mo>")
_INVISIBLE = re.compile("[\u2061-\u2064\\s]")


def elements(markup: str) -> list[str]:
    """Return the elements that a piece of markup consists of, with what is in them."""
    found: list[str] = []
    depth, whole = 0, ""
    for token in _TOKEN.findall(markup):
        whole += token
        if token.startswith("</"):
            depth -= 1
        elif token.startswith("<") and not token.endswith("/>"):
            depth += 1
        if depth == 0:
            if whole.strip():
                found.append(whole)
            whole = ""
    return found


def seen(markup: str) -> int:
    """Return how many characters of the markup are seen."""
    return len(_INVISIBLE.sub("", unescape(re.sub(r"<[^>]+>", "", markup))))


def pieces(term: str, length: int, width: int, times: str = TIMES) -> Iterator[tuple[str, int]]:
    """Split a term that is wider than the line; see :func:`symbp.render.breaking.pieces`."""
    if length <= width:
        yield term, length
        return
    per_character = length / max(seen(term), 1)

    def share(markup: str) -> int:
        return round(seen(markup) * per_character)

    line: list[str] = []
    for part in _parts(elements(term), lambda markup: share(markup) > width):
        if line and share("".join(line) + part) > width:
            yield "".join(line), share("".join(line))
            line = [times] if part.startswith(TIMES) else []
            part = part.removeprefix(TIMES)
        line.append(part)
    yield "".join(line), share("".join(line))


def _parts(found: list[str], is_wide: Callable[[str], bool]) -> Iterator[str]:
    """Yield what must stay together: a factor with the sign in front of it."""
    part = ""
    for element in found:
        if element in _SIGNS or (element == TIMES and part):
            if part:
                yield part
            part = element
            continue
        bracket = _BRACKET.fullmatch(element.strip())
        if bracket and is_wide(element):
            inner = elements(bracket[2])
            if len(inner) == 1 and inner[0].startswith("<mrow>"):
                inner = elements(inner[0].removeprefix("<mrow>").removesuffix("</mrow>"))
            first, *rest = _parts(inner, is_wide)
            *middle, last = (part + bracket[1] + first, *rest)
            yield from middle
            part = last + bracket[3]
            continue
        part += element
    if part:
        yield part

"""What a document prints behind an equation: ``if j = 0``, ``if j != 0``, a remark in words.

::

    D_{ij}^l = ... \\quad \\text{if } j = 0 \\text{ (no penalty)}   -->   D_{i0}^l = ...
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symbp.errors import FormulaError
from symbp.run.formula.tokens import fault
from symbp.run.formula.tree import Line, Name, Number, Part, with_parts

_SPACE = r"(?:\\q?quad|\\[,;:! ]|,|\s)*"
_SIGN = r"\\neq?|!=|≠|==?|\\geq?|>=|≥|>"
_REMARK = r"(?:\\text\s*\{[^{}]*\}|\([^()=]*\)|[.\s])*"
_CONDITION = re.compile(
    rf"{_SPACE}(?:\\text\s*\{{\s*(?:if|for)\s*\}}|\b(?:if|for)\b){_SPACE}"
    rf"(?P<index>[a-z])\s*(?P<sign>{_SIGN})\s*(?P<number>\d+){_SPACE}{_REMARK}$"
)
_WORDS = re.compile(rf"{_SPACE}\\text\s*\{{[^{{}}]*\}}\s*$")
_EQUAL = ("=", "==")


@dataclass(frozen=True)
class Condition:
    """For which values of an index a line is: for one number, or for all that belong to a neuron.

    Attributes
    ----------
    index : str
    number : str or None
        None for the neurons: the bias, whose number is 0, is left out.
    """

    index: str
    number: str | None


def without_condition(text: str) -> tuple[str, Condition | None]:
    """Return a line without the condition and the remark at its end, and the condition.

    Raises
    ------
    FormulaError
        If it is neither that for the bias, j = 0, nor that for the neurons.
    """
    found = _CONDITION.search(text)
    if found is None:
        return _WORDS.sub("", text), None
    rest, sign, number = text[: found.start()], found["sign"], found["number"]
    if sign in _EQUAL:
        return rest, Condition(found["index"], number)
    first = {">": "0", r"\ge": "1", r"\geq": "1", ">=": "1", "≥": "1"}.get(sign, "0")
    if number != first:
        place = found.start("sign")
        raise fault(text, place, "a line is for the bias (j = 0), for the others (j != 0), or for all")
    return rest, Condition(found["index"], None)


def where(line: Line, condition: Condition | None) -> Line:
    """Return a line for the values of an index that its condition allows.

    Raises
    ------
    FormulaError
        If the left side has no such index.
    """
    if condition is None:
        return line
    if line.left is None or condition.index not in _letters(line.left.below):
        raise FormulaError(
            f"gradient {line.text!r}: the condition is on {condition.index!r}, "
            "which is no index of the left side"
        )
    if condition.number is None:
        return replace(line, neurons_only=True)
    put = _put_in(condition.index, condition.number)
    return replace(line, left=put(line.left), right=put(line.right))


def _letters(scripts: tuple[Part, ...]) -> str:
    return "".join(part.name for part in scripts if isinstance(part, Name))


def _put_in(index: str, number: str) -> Callable[[Any], Any]:
    """Return what puts a number in the place of an index, in every script of a tree."""

    def script(item: Part) -> tuple[Part, ...]:
        if isinstance(item, Name) and not item.below and not item.above and index in item.name:
            letters = list(item.name) if len(item.name) <= 2 else [item.name]
            return tuple(
                Number(item.at + n, number) if letter == index else Name(item.at + n, letter)
                for n, letter in enumerate(letters)
            )
        return (put(item),)

    def put(part: Part) -> Part:
        if isinstance(part, Name):
            return replace(part, below=tuple(new for item in part.below for new in script(item)))
        return with_parts(part, put)

    return put

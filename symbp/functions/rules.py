"""Update rules as a paper writes them: a short list of assignments.

A rule says nothing of loops, arrays or memory. Which names are kept from one update to the
next is declared; everything else follows from the text.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from symbp.errors import ExpressionError, SpecError
from symbp.functions.named import Parametrised, check_name
from symbp.functions.parameters import Parameter
from symbp.values import positive_number, shown

if TYPE_CHECKING:
    import sympy

# The weight, dJ/dw, the learning rate, and the number of this update: 1, 2, ...
GIVEN = ("w", "gradient", "learning_rate", "step")
_WORDS = (*GIVEN, "pi", "sum")
MAX_LINES = 40
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_JOINING = {"if", "else", "and", "or", "not"}
# One that is no part of a number, as in 1e5, and no attribute.
_USED = re.compile(r"(?<![\w.])[A-Za-z_]\w*", re.ASCII)
# Up to the first character that has no place in a formula: of that one the parser tells.
_READABLE = re.compile(r"[A-Za-z0-9_.+\-*/()<>=,\s]*", re.ASCII)


class Assignment(NamedTuple):
    """One line of a rule: a name and its new value, in the symbols of the rule's names."""

    name: str
    value: sympy.Expr


@dataclass(frozen=True)
class UpdateRule(Parametrised):
    """One step of an optimiser, for one weight.

    Parameters
    ----------
    name : str
        The name used in declarations.
    assignments : str
        One assignment per line, in the order of computation; the last gives the new weight::

            velocity = momentum*velocity + gradient
            w = w - learning_rate*velocity

        Given names: ``w``, ``gradient`` (dJ/dw), ``learning_rate`` and ``step``, the number
        of this update (1, 2, ...). Every other name is a state, a parameter, or has been
        assigned above.
    states : mapping
        Name -> initial value of what is kept from one update to the next, one number for
        every weight.
    parameters : tuple of Parameter
        Numbers that a declaration may choose; a mapping of names to defaults will do.
    learning_rate : float
        The default.
    source : str
        Paper and equation.

    Raises
    ------
    SpecError, ExpressionError
        If a name, a number or (when the rule is used) the text is not acceptable.
    """

    name: str
    assignments: str
    states: Mapping[str, float] = field(default_factory=dict, hash=False)
    parameters: tuple[Parameter, ...] = ()
    learning_rate: float = 0.1
    source: str = ""
    values: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name("optimizer", self.name)
        where = f"optimizer {self.name!r}"
        if not isinstance(self.assignments, str) or not self.assignments.strip():
            raise ExpressionError(
                f"{where}: assignments {shown(self.assignments)}: expected text such as "
                "'w = w - learning_rate*gradient'"
            )
        if isinstance(self.parameters, Mapping):
            made = tuple(Parameter(str(name), value) for name, value in self.parameters.items())
            object.__setattr__(self, "parameters", made)
        self.check_parameters(where, _WORDS)
        if not isinstance(self.states, Mapping):
            raise SpecError(f"{where}: states {shown(self.states)}: expected names with initial values")
        for name, value in self.states.items():
            check_name(f"{where}: state", name)
            if name in (*_WORDS, *(p.name for p in self.parameters)):
                raise SpecError(f"{where}: state {name!r}: the name has a meaning already")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise SpecError(f"{where}: state {name!r}: initial value {shown(value)}: expected a number")
        positive_number(f"{where}: learning_rate", self.learning_rate)

    def read(self) -> tuple[Assignment, ...]:
        """Return the assignments, each value an expression in the rule's names.

        Raises
        ------
        ExpressionError
            If the text is no list of assignments that gives a new weight; names the line.
        """
        from symbp.functions.parse import Total, parse_formula

        lines = self._lines()
        fixed = (*GIVEN, *(parameter.name for parameter in self.parameters))
        exponents = ("step", *(parameter.name for parameter in self.parameters))
        known = [*fixed, *self.states]
        found: list[Assignment] = []
        for number, name, text in lines:
            later = {other for n, other, _ in lines if n >= number} - set(known)
            self._check_names(number, text, known, later)
            try:
                value = parse_formula(text, tuple(known), exponents)
            except ExpressionError as error:
                raise error.inside(f"optimizer {self.name!r}, line {number}") from None
            if value.has(Total):
                raise self._fail(number, "sum(...) has no meaning here: a rule is for one weight")
            found.append(Assignment(name, value))
            known += [] if name in known else [name]
        self._check_use(lines, found)
        return tuple(found)

    def _check_names(self, number: int, text: str, known: list[str], later: set[str]) -> None:
        """Refuse the first name that has no meaning yet, or none at all."""
        from symbp.functions.names import nearest
        from symbp.functions.vocabulary import CONSTANTS, FUNCTIONS, STEPWISE

        words = {*known, *FUNCTIONS, *STEPWISE, *CONSTANTS}
        readable = _READABLE.match(text)
        for match in _USED.finditer(text[: readable.end()] if readable else text):
            name = match.group()
            if keyword.iskeyword(name) and name not in _JOINING:
                return  # no formula at all: the parser says why
            if name in words | _JOINING or text[match.end() :].lstrip().startswith("("):
                continue
            if name in later:
                reason = f"{name!r} is used before it is set; assign it above, or declare it in states"
            else:
                near = f"{hint} Or" if (hint := nearest(name, known)).startswith("; did") else ";"
                reason = f"unknown name {name!r}{near} declare it in parameters or states, or assign it above"
            error = self._fail(number, reason)
            error.point_at(text, match.start())
            raise error

    def _lines(self) -> list[tuple[int, str, str]]:
        """Return number, name and text of every assignment."""
        parameters = {parameter.name for parameter in self.parameters}
        found: list[tuple[int, str, str]] = []
        for number, line in enumerate(self.assignments.strip().splitlines(), 1):
            if not line.strip():
                continue
            if ";" in line:
                raise self._fail(number, f"{shown(line.strip())}: one assignment to a line, without ';'")
            name, sign, text = (part.strip() for part in line.partition("="))
            if not sign or not _IDENTIFIER.fullmatch(name) or text.startswith("="):
                raise self._fail(number, f"{shown(line.strip())}: expected 'name = formula'")
            if name in (set(_WORDS) | parameters) - {"w"}:
                what = "a parameter" if name in parameters else "given"
                raise self._fail(number, f"{name!r} is {what} and cannot be assigned")
            check_name(f"optimizer {self.name!r}: line {number}:", name)
            if name in (other for _, other, _ in found):
                raise self._fail(number, f"{name!r} is assigned twice; give the second one another name")
            found.append((number, name, text))
        if len(found) > MAX_LINES:
            raise ExpressionError(
                f"optimizer {self.name!r}: {len(found)} assignments; the limit is {MAX_LINES}"
            )
        return found

    def _check_use(self, lines: list[tuple[int, str, str]], found: list[Assignment]) -> None:
        """Everything that is kept or computed is used, and the last line gives the new weight."""
        where = f"optimizer {self.name!r}"
        names = [assignment.name for assignment in found]
        if "w" not in names:
            raise ExpressionError(f"{where}: no line gives the new weight: expected 'w = ...' at the end")
        if names[-1] != "w":
            raise self._fail(
                lines[-1][0], f"{names[-1]!r} is set after the new weight; 'w = ...' stands last"
            )
        reads = [{symbol.name for symbol in assignment.value.free_symbols} for assignment in found]
        if "gradient" not in set().union(*reads):
            raise ExpressionError(f"{where}: no line reads 'gradient', so nothing is learned")
        for state in self.states:
            if state not in names:
                raise ExpressionError(
                    f"{where}: state {state!r} is never set; assign it, or make it a parameter"
                )
            if not any(state in read for read in reads[: names.index(state) + 1]):
                raise ExpressionError(
                    f"{where}: state {state!r} is set before it is read, so nothing of it is kept; "
                    "leave it out of states"
                )
        for (number, name, _), position in zip(lines, range(len(names)), strict=True):
            later = set().union(*reads[position + 1 :])
            if name != "w" and name not in self.states and name not in later:
                raise self._fail(number, f"{name!r} is assigned and never used")

    def _fail(self, number: int, reason: str) -> ExpressionError:
        return ExpressionError(f"optimizer {self.name!r}, line {number}: {reason}")

"""The verdict on a statement: shapes, then numbers, then symbols; nothing else decides."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from symbp.derivation.documents.arrays import Value
from symbp.derivation.documents.language.reader import read, read_ranges
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import (
    Expression,
    Literal,
    Negative,
    Number,
    Ref,
    Statement,
    renamed,
    walk,
)
from symbp.derivation.documents.records import (
    Convention,
    Document,
    Equation,
    Fault,
    Finding,
    Setting,
    Verdict,
)
from symbp.derivation.documents.shapes import Shapes
from symbp.derivation.documents.values import make_world
from symbp.derivation.documents.world import Environment, World
from symbp.errors import DocumentError
from symbp.graph.domains import Numbers, Symbols
from symbp.graph.tape import Cell

SHOWN = 6


class Judge:
    """Decides statements about one setting; its networks are built once.

    Parameters
    ----------
    setting : Setting
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.shapes = Shapes(setting)
        self._numbers = [make_world(setting, widths, Numbers()) for widths in setting.widths]
        self._symbols: dict[str, World] = {}

    def symbols(self, named: str) -> World:
        """Return the small network in symbols."""
        if named not in self._symbols:
            small = self.setting.small or self.setting.widths[0]
            self._symbols[named] = make_world(self.setting, small, Symbols(), named)
        return self._symbols[named]

    def find(
        self, text: str, where: str = "", named: str = "", prove: bool = True, every: str = ""
    ) -> Finding:
        """Check one statement.

        Parameters
        ----------
        text, where : str
        named : str
            What the proof in symbols knows of the document's functions.
        prove : bool
            Whether a statement that holds in numbers is proved in symbols.
        every : str
            The family of which the statement leaves out no layer.
        """
        return self._decide(read(text, where), named, prove, every)

    def reads(self, text: str, where: str, named: str, convention: Convention) -> Finding:
        """Check one statement in which letters are read as a convention has it."""
        return self._decide(renamed(read(text, where), convention.reads), named)

    def _decide(self, statement: Statement, named: str, prove: bool = True, every: str = "") -> Finding:
        try:
            shape = self.shapes.check(statement)
            shape = f"{written(statement.sides[0])} is {shape}"
            counts = [f"{compare(world, statement)} in {world}" for world in self._numbers]
            if every:
                counts = [f"{count}, no {every} left out" for count in counts]
                for world in self._numbers:
                    leaves_out_none(world, statement, every)
            said = "equal" if statement.relation != "<=" else "at most"
            numbers = f"{said} in numbers, cases: {', '.join(dict.fromkeys(counts))}"
            if _has_decimals(statement):
                numbers = f"computed {', '.join(computed(self._numbers[0], statement))}"
            if not prove or _has_decimals(statement):
                return Finding(True, "shapes, numbers", f"{shape}; {numbers}")
            world = self.symbols(named)
            compare(world, statement, "symbols")
        except Fault as fault:
            return Finding(False, fault.method, fault.detail)
        proof = f"{'difference 0' if statement.relation != '<=' else 'at most'} in symbols, {world}"
        return Finding(True, "shapes, numbers, symbols", f"{shape}; {numbers}; {proof}")


def compare(world: World, statement: Statement, method: str = "numbers") -> int:
    """Compare the sides for all indices and count the cases.

    Raises
    ------
    Fault
        With the first case that fails.
    """
    cases = 0
    for env in world.assignments(statement.ranges):
        values = [world.value(side, env) for side in statement.sides]
        for (left, a), (right, b) in _pairs(statement.sides, values):
            cases += _compare_values(world, statement.relation, (left, a), (right, b), env, method)
    if not cases:
        raise Fault("range", f"there is no case to compare in the {world}")
    return cases


def leaves_out_none(world: World, statement: Statement, every: str) -> None:
    """Make sure that a statement speaks of every layer in which a family has a quantity.

    Raises
    ------
    Fault
        With a layer that is left out.
    """
    family = world.families[every]
    spoken = {
        tuple(world.integer(layer, env) for layer in ref.layers)
        for env in world.assignments(statement.ranges)
        for side in statement.sides
        for ref in walk(side)
        if isinstance(ref, Ref) and ref.name == every
    }
    for env in world.assignments(read_ranges(family.where)):
        layers = tuple(env[key] for key in family.keys)
        if layers not in spoken:
            place = ", ".join(map(str, layers))
            raise Fault("range", f"{world}: {every}[{place}] is left out")


def computed(world: World, statement: Statement) -> list[str]:
    """Return the computed values where decimals are printed, with six more of them."""
    found = []
    for env in world.assignments(statement.ranges):
        values = [world.value(side, env) for side in statement.sides]
        for (_, a), (right, b) in _pairs(statement.sides, values):
            for cell, digits, other in zip(_flat(a), _decimals(right), _flat(b), strict=False):
                if digits is not None:
                    found.append(
                        f"{_show(cell.value, digits + SHOWN)} (printed {_show(other.value, digits)})"
                    )
    return found


def _pairs(sides: tuple[Expression, ...], values: list[Value]) -> list[tuple[Any, Any]]:
    """Each side with the one before it: of a = b = c, both equations."""
    return list(pairwise(zip(sides, values, strict=True)))


def _compare_values(
    world: World,
    relation: str,
    first: tuple[Expression, Value],
    second: tuple[Expression, Value],
    env: Environment,
    method: str,
) -> int:
    (left, a), (right, b) = first, second
    cells, others = _flat(a), _flat(b)
    if len(cells) != len(others):
        raise Fault("shapes", f"{written(left)} has {len(cells)} entries, {written(right)} {len(others)}")
    printed = _decimals(right) * (len(cells) // len(_decimals(right)))
    for place, (x, y, decimals) in enumerate(zip(cells, others, printed, strict=True)):
        if relation == "<=":
            good = bool(x.value <= y.value)
        elif decimals is not None:
            good = _rounds(x.value, decimals, y.value)
        else:
            good = world.domain.same(x.value, y.value)
        if not good:
            entry = f", entry {place + 1}" if len(cells) > 1 else ""
            at = ", ".join(f"{name} = {number}" for name, number in env.items() if isinstance(number, int))
            raise Fault(
                method,
                f"{world}{', ' + at if at else ''}{entry}: {written(left)} is {_show(x.value)}, "
                f"{written(right)} is {_show(y.value)}",
            )
    return len(cells)


def _flat(value: Value) -> list[Cell]:
    return [value] if isinstance(value, Cell) else list(value.cells.flat)


def _decimals(tree: Expression) -> list[int | None]:
    """Decimals of a number or of the entries of a matrix as printed; None where it is not a decimal."""
    match tree:
        case Number():
            return [tree.decimals or None]
        case Negative(operand):
            return _decimals(operand)
        case Literal(rows):
            return [_decimals(entry)[0] for row in rows for entry in row]
    return [None]


def _has_decimals(statement: Statement) -> bool:
    return any(decimals is not None for side in statement.sides for decimals in _decimals(side))


def _rounds(value: Any, decimals: int, printed: Any) -> bool:
    """Whether the printed decimals are those of the value."""
    half = Fraction(1, 2 * 10**decimals)
    return bool(abs(value - printed) * half.denominator <= half.numerator)


def _show(value: Any, digits: int = SHOWN) -> str:
    text = str(value)
    if hasattr(value, "_mpf_"):
        whole = round(float(value))
        text = str(whole) if value == whole else f"{float(value):.{digits}f}"
    return text if len(text) < 120 else text[:117] + "..."


def _by_convention(document: Document, equation: Equation, at: Judge) -> str:
    """Return that a statement is right as the document's convention reads it.

    Raises
    ------
    DocumentError
        If it is not: then the convention has no place here.
    """
    convention = document.conventions[equation.convention]
    found = [at.reads(text, equation.where, equation.named, convention) for text in equation.readings]
    holds = next((finding for finding in found if finding.holds), None)
    if holds is None:
        raise DocumentError(
            f"{document.name}, {equation.number}: wrong under the convention too: {found[0].detail}"
        )
    return f'Right under the convention that the page states, "{convention.quote}": {holds.detail}'


def verdict(document: Document, equation: Equation, judges: dict[str, Judge]) -> Verdict:
    """Decide one equation of a document.

    Raises
    ------
    DocumentError
        If the right statement that belongs to an erratum does not hold either, or there is none.
    """
    if equation.setting not in judges:
        judges[equation.setting] = Judge(document.settings[equation.setting])
    at = judges[equation.setting]
    every = equation.every
    findings = [
        (text, at.find(text, equation.where, equation.named, every=every)) for text in equation.readings
    ]
    text, finding = next(((t, f) for t, f in findings if f.holds), findings[0])
    method, detail, right, where = finding.method, finding.detail, "", ""
    if not finding.holds:
        right, where = equation.right or text, equation.right_where or equation.where
        correct = at.find(right, where, equation.named, every=every)
        if not correct.holds:
            raise DocumentError(
                f"{document.name}, {equation.number}: {right} does not hold either: {correct.detail}"
            )
        method = ", ".join(dict.fromkeys(f.method for _, f in findings))
        detail = "; ".join(dict.fromkeys(f.detail for _, f in findings))
        detail += f". The right statement holds: {correct.detail}"
        if equation.convention:
            detail += f". {_by_convention(document, equation, at)}"
    return Verdict(
        **{
            **vars(equation),
            "printed": str(equation.printed) if equation.claim else text,
            "right": right,
            "right_where": where,
        },
        document=document.name,
        verdict="proved" if finding.holds else "erratum",
        method=method,
        detail=detail,
    )

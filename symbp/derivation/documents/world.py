"""One concrete network in a document's terms, on a tape: sizes, arrays and whole numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symbp.derivation.documents.arrays import Array, Value, column, each, filled, scalar
from symbp.derivation.documents.language.reader import read_expression, read_ranges
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import (
    Binary,
    Call,
    Expression,
    Negative,
    Number,
    Range,
    Ref,
)
from symbp.derivation.documents.records import Family, Fault, Function, Setting
from symbp.graph.domains import Symbols
from symbp.graph.operations import Domain
from symbp.graph.tape import Cell, Tape

Environment = dict[str, Any]
RING: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


@dataclass(frozen=True)
class Axis:
    """The declared range of an index."""

    low: Expression
    high: Expression


def read_axis(text: str) -> Axis:
    """Return the axis of a text such as ``"0..N[l-1]"``."""
    low, _, high = text.partition("..")
    return Axis(read_expression(low), read_expression(high))


class World:
    """A network of the setting with these widths; free quantities are random.

    Parameters
    ----------
    setting : Setting
    widths : tuple of int
    domain : Domain
        Numbers or symbols.
    evaluate : callable
        The interpretation of the language.
    named : str
        What is known of the document's functions in symbols: "" nothing, "slope" their
        derivative as a function of their value, "formula" all.
    """

    def __init__(
        self,
        setting: Setting,
        widths: tuple[int, ...],
        domain: Domain,
        evaluate: Callable[[World, Expression, Environment], Value],
        named: str = "",
    ) -> None:
        self._evaluate = evaluate
        self.setting = setting
        self.widths = widths
        self.tape = Tape(domain)
        self.domain = domain
        self.named = named if isinstance(domain, Symbols) else "formula"
        self.families: dict[str, Family] = {family.name: family for family in setting.families}
        self.functions: dict[str, Function] = {f.name: f for f in setting.functions}
        self._known: dict[tuple[str, tuple[int, ...]], Value] = {}
        self._constants: dict[Fraction, Cell] = {}
        self._pending: set[tuple[str, tuple[int, ...]]] = set()

    def __str__(self) -> str:
        if self.setting.given:
            return "the numbers of the example"
        if not self.setting.sizes:
            return "free symbols" if isinstance(self.domain, Symbols) else "random numbers"
        return f"network {'-'.join(map(str, self.widths))}"

    # Whole numbers ---------------------------------------------------------------------

    def integer(self, tree: Expression, env: Environment) -> int:
        """Return the value of an index, a layer or a size."""
        match tree:
            case Number():
                return int(tree.value)
            case Negative(operand):
                return -self.integer(operand, env)
            case Binary(operator, left, right) if operator in RING:
                return int(RING[operator](self.integer(left, env), self.integer(right, env)))
            case Ref(name, (), ()) if isinstance(env.get(name), int):
                return int(env[name])
            case Ref(name, layers, ()):
                found = self.whole(name, tuple(self.integer(layer, env) for layer in layers))
                if found is not None:
                    return found
            case Call("size", (), (argument,)):
                value = self.value(argument, env)
                return int(value.cells.shape[0]) if isinstance(value, Array) else 1
        raise Fault("names", f"{written(tree)} is no whole number here")

    def whole(self, name: str, layers: tuple[int, ...]) -> int | None:
        """Return N_k, L, m, ...; None if the name is of another kind."""
        setting = self.setting
        if name == setting.sizes and len(layers) == 1:
            number = layers[0] - setting.first
            if not 0 <= number < len(self.widths):
                raise Fault("range", f"there is no layer {layers[0]}, whose size is {name}[{layers[0]}]")
            return self.widths[number]
        if name == setting.depth[0] and not layers:
            return len(self.widths) + setting.depth[1]
        for declared, text in setting.integers.items():
            left = read_expression(declared)
            if isinstance(left, Ref) and left.name == name and len(left.layers) == len(layers):
                keys = [key.name for key in left.layers if isinstance(key, Ref)]
                return self.integer(read_expression(text), dict(zip(keys, layers, strict=True)))
        return None

    def assignments(self, ranges: tuple[Range, ...]) -> Iterator[Environment]:
        """Yield every choice of the indices."""
        if not ranges:
            yield {}
            return
        *rest, last = ranges
        for env in self.assignments(tuple(rest)):
            low, high = self.integer(last.low, env), self.integer(last.high, env)
            for number in range(low, high + 1):
                yield {**env, last.index: number}

    # Values ----------------------------------------------------------------------------

    def value(self, tree: Expression, env: Environment) -> Value:
        """Return the value of an expression."""
        return self._evaluate(self, tree, env)

    def scalar(self, tree: Expression, env: Environment) -> Cell:
        """Return the value of an expression that is one number."""
        return scalar(self.value(tree, env), written(tree))

    def array(self, tree: Expression, env: Environment) -> Array:
        """Return the value of an expression as an array."""
        value = self.value(tree, env)
        return value if isinstance(value, Array) else column([value])

    def formula(self, name: str) -> Expression:
        """Return the formula of one of the document's functions."""
        return read_expression(self.functions[name].value)

    # Quantities --------------------------------------------------------------------------

    def constant(self, value: Fraction | int) -> Cell:
        """Return the cell of a number."""
        exact = Fraction(value)
        if exact not in self._constants:
            number = sympy.Rational(exact.numerator, exact.denominator)
            self._constants[exact] = self.tape.leaf(self.domain.number(number))
        return self._constants[exact]

    def quantity(self, name: str, layers: tuple[int, ...]) -> Value:
        """Return the value of a family in one layer, computed when it is first asked for."""
        key = name, layers
        if key not in self._known:
            if name not in self.families:
                raise Fault("names", f"{name} is not a quantity of this document")
            if key in self._pending:
                raise Fault("names", f"{name}{list(layers)} is defined by itself")
            self._pending.add(key)
            try:
                self._known[key] = self._make(self.families[name], layers)
            finally:
                self._pending.discard(key)
        return self._known[key]

    def _make(self, family: Family, layers: tuple[int, ...]) -> Value:
        env = self._layers(family, layers)
        if family.value:
            tree = read_expression(family.value)
            return self.value(tree, env) if family.axes else self.scalar(tree, env)
        axes = [read_axis(text) for text in family.axes]
        bounds = [(self.integer(a.low, env), self.integer(a.high, env)) for a in axes]
        place = f"{family.name}{list(layers) if layers else ''}".replace(" ", "")
        if place in self.setting.given:
            value = self.value(read_expression(self.setting.given[place]), env)
            # Inputs of their own: equal numbers are not the same variable.
            own = each(lambda cell: self.tape.leaf(cell.value), value)
            low = (*(least for least, _ in bounds), 1)[:2]
            return Array(own.cells, low) if isinstance(own, Array) else own
        if not bounds:
            return self._free(place)
        bounds += [(1, 1)] if len(bounds) == 1 else []
        low = tuple(least for least, _ in bounds)

        def entry(*index: int) -> Cell:
            return self._free(f"{place}{[n + least for n, least in zip(index, low, strict=True)]}")

        return Array(filled(tuple(most - least + 1 for least, most in bounds), entry), low)

    def _layers(self, family: Family, layers: tuple[int, ...]) -> Environment:
        if len(layers) != len(family.keys):
            raise Fault("names", f"{family.name} has {len(family.keys)} layer keys, not {len(layers)}")
        env: Environment = dict(zip(family.keys, layers, strict=True))
        for bound in read_ranges(family.where):
            low, high = self.integer(bound.low, env), self.integer(bound.high, env)
            if not low <= env[bound.index] <= high:
                raise Fault(
                    "range", f"there is no {family.name} in layer {env[bound.index]}: it has {low}..{high}"
                )
        return env

    def _free(self, place: str) -> Cell:
        if isinstance(self.domain, Symbols):
            return self.tape.leaf(sympy.Symbol(place, real=True))
        # Fractions with three digits; away from 0, where wrong factors would not show.
        number = random.Random(f"{place} {self.widths}")
        value = sympy.Rational(number.choice((-1, 1)) * number.randint(100, 999), 1000)
        return self.tape.leaf(self.domain.number(value))

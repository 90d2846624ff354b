"""A formula as it is written -> one node for each operation in it, or one for all of it.

Nothing is joined, multiplied out or left out: SymPy may sort what it is given, not simplify it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sympy

from symbp.functions.parse import FUNCTIONS, parse_formula
from symbp.graph.split import Splitter


class Occurrence(sympy.Dummy):
    """An operand that a node takes once more: printed by its name, differentiated by itself."""

    def _sympystr(self, printer: Any) -> str:
        return str(self.name)


class Mention(Occurrence):
    """An operand that stands once more in a node of several operations: it has no edge of its own."""


def place(symbol: Any) -> tuple[str, int]:
    """Return what operands of a node are sorted by: the name, and which time it stands there."""
    return symbol.name, symbol.dummy_index if isinstance(symbol, Occurrence) else 1


def joined(expr: Any) -> Any:
    """Return an expression in which all occurrences of an operand are the same symbol."""
    again = {s: sympy.Symbol(s.name, real=True) for s in expr.free_symbols if isinstance(s, Occurrence)}
    return expr.xreplace(again)


def kept(kind: Any, *parts: Any) -> Any:
    """Return kind(*parts), unevaluated where SymPy would make something else of it: 0*x, x + x, (a*b)**2."""
    value = kind(*parts)
    flat = [p for part in parts for p in (part.args if kind in _CHAINS and part.func is kind else (part,))]
    same = value.func is kind and Counter(value.args) == Counter(flat)
    return value if same or parts[0] == sympy.E else kind(*parts, evaluate=False)


_CHAINS = (sympy.Add, sympy.Mul)


class WrittenSplitter(Splitter):
    """Takes a text apart, the innermost operations first; chains of sums and of products are one node.

    Parameters
    ----------
    text : str
        A formula that :func:`symbp.functions.parse.parse_formula` has read.
    names : set of str
        Its names.
    """

    def __init__(self, text: str, names: set[str]) -> None:
        super().__init__(set(names))
        self._text = re.sub(r"\s", " ", text).strip()
        self._names = tuple(sorted(names))

    def split_text(self) -> dict[str, Any]:
        """Return name -> formula in the names of operands; the last one is the whole."""
        return self.split(self._operand(ast.parse(self._text, mode="eval").body))

    def _operand(self, node: ast.expr) -> Any:
        """Return the number or the symbol that stands for a part of the text, after making its node."""
        written = self._written(node)
        return written if written.is_number or written.is_Symbol else self.named(written)

    def _written(self, node: ast.expr) -> Any:
        """Return the last operation of a part of the text, in its operands."""
        used: Counter[Any] = Counter()
        match node:
            case ast.Name(id=name) if name in self._names:
                return sympy.Symbol(name, real=True)
            case _ if not any(
                isinstance(part, ast.Name) and part.id in self._names for part in ast.walk(node)
            ):
                return self._read(node)
            case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.UnaryOp():
                return kept(sympy.Add, *(self._summand(sign, term, used) for sign, term in _terms(node, 1)))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self._product(node, used)
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return kept(sympy.Pow, self._argument(left, used), self._argument(right, used))
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
                return self._call(name, [self._argument(argument, used) for argument in arguments])
        value = self._read(node)
        return value if value.is_Symbol or value.is_number else self._formula(value)

    def _call(self, name: str, arguments: list[Any]) -> Any:
        value = FUNCTIONS[name].build(*arguments)
        return value if value.is_Symbol or value.is_number else self._formula(value)

    def _read(self, node: ast.expr) -> Any:
        text = ast.get_source_segment(self._text, node) or ""
        return parse_formula(text, self._names, exponents=self._names)

    def _argument(self, node: ast.expr, used: Counter[Any]) -> Any:
        """Return an operand; one that the node has taken already is an occurrence of its own."""
        return self._again(self._operand(node), used)

    def _summand(self, sign: int, node: ast.expr, used: Counter[Any]) -> Any:
        """Return a term of a sum: a number times an operand."""
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
            return sign * self._argument(node, used)
        values = [(self._operand(factor), power) for factor, power in _factors(node, 1)]
        numbers = [value**power for value, power in values if value.is_number]
        rest = [(value, power) for value, power in values if not value.is_number]
        if len(rest) == 1 and rest[0][1] == 1:
            return _times(sign, numbers, [self._again(rest[0][0], used)])
        inner = self.named(self._multiplied(rest, Counter()))
        return _times(sign, [] if _is_quotient(numbers, rest) else numbers, [self._again(inner, used)])

    def _product(self, node: ast.expr, used: Counter[Any]) -> Any:
        values = [(self._operand(factor), power) for factor, power in _factors(node, 1)]
        return self._multiplied(values, used)

    def _multiplied(self, values: list[tuple[Any, int]], used: Counter[Any]) -> Any:
        numbers = [value**power for value, power in values if value.is_number]
        rest = [(value, power) for value, power in values if not value.is_number]
        factors = [self._again(value, used) ** power for value, power in rest]
        return _times(1, [] if _is_quotient(numbers, rest) else numbers, factors)

    def _again(self, value: Any, used: Counter[Any]) -> Any:
        """Return an operand, or another symbol of its name if it has been used already."""
        if not value.is_Symbol:
            return value
        used[value] += 1
        return value if used[value] == 1 else Occurrence(value.name, dummy_index=used[value], real=True)


class WrittenWhole(WrittenSplitter):
    """Reads a text as one formula, in which an operand that stands there again is another symbol."""

    def __init__(self, text: str, names: set[str]) -> None:
        super().__init__(text, names)
        self._used: Counter[Any] = Counter()

    def whole(self) -> Any:
        """Return the formula."""
        return self._operand(ast.parse(self._text, mode="eval").body)

    def named(self, formula: Any) -> Any:
        return formula

    def _formula(self, expr: Any) -> Any:
        return expr

    def _call(self, name: str, arguments: list[Any]) -> Any:
        letters = [sympy.Dummy(real=True) for _ in arguments]
        shape = FUNCTIONS[name].build(*letters)
        if shape.args == tuple(letters):
            return kept(shape.func, *arguments)
        if shape.is_Pow and shape.base == letters[0]:
            return kept(sympy.Pow, arguments[0], shape.exp)
        return FUNCTIONS[name].build(*arguments)

    def _operand(self, node: ast.expr) -> Any:
        value = super()._operand(node)
        if not value.is_Symbol:
            return value
        self._used[value] += 1
        return (
            value if self._used[value] == 1 else Mention(value.name, dummy_index=self._used[value], real=True)
        )

    def _again(self, value: Any, used: Counter[Any]) -> Any:
        return value


def as_written(text: str, names: set[str]) -> Any:
    """Return a text as the formula of one node: of one operation as it is drawn alone, else as a whole."""
    alone = WrittenSplitter(text, names).split_text()
    if len(alone) == 1:
        return next(iter(alone.values()))
    return WrittenWhole(text, names).whole()


def _is_quotient(numbers: list[Any], rest: list[tuple[Any, int]]) -> bool:
    """Whether 1 stands there because a quotient has something above: 1/x."""
    return numbers == [1] and all(power < 0 for _, power in rest)


def _times(sign: int, numbers: list[Any], factors: list[Any]) -> Any:
    """Return a product with the numbers in it worked out."""
    inner = [factor.as_coeff_Mul() for factor in factors]
    numbers = [*numbers, *(number for number, _ in inner if number != 1)]
    first = [sign * sympy.Mul(*numbers)] if numbers or sign < 0 else []
    return kept(sympy.Mul, *first, *(rest for _, rest in inner))


def _terms(node: ast.expr, sign: int) -> Iterator[tuple[int, ast.expr]]:
    """Yield the terms of a chain of sums and differences, with their signs."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub() as op, left=left, right=right):
            yield from _terms(left, sign)
            yield from _terms(right, sign if isinstance(op, ast.Add) else -sign)
        case ast.UnaryOp(op=op, operand=operand):
            yield from _terms(operand, -sign if isinstance(op, ast.USub) else sign)
        case _:
            yield sign, node


def _factors(node: ast.expr, power: int) -> Iterator[tuple[ast.expr, int]]:
    """Yield the factors of a chain of products and quotients, with 1 or -1 for an exponent."""
    match node:
        case ast.BinOp(op=ast.Mult() | ast.Div() as op, left=left, right=right):
            yield from _factors(left, power)
            yield from _factors(right, power if isinstance(op, ast.Mult) else -power)
        case _:
            yield node, power

"""What a user writes down -> names with SymPy formulas: one formula, or a list of assignments."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

from symbp.errors import GraphError
from symbp.functions.parse import FUNCTIONS, Total, parse_formula
from symbp.functions.vocabulary import CONSTANTS
from symbp.graph.written import as_written
from symbp.values import shown

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
MAX_NODES = 1000
# Of an assignment; not that of <=, >= or ==.
_EQUALS = re.compile("(?<![<>=])=(?!=)")
# What is no operation on its operands.
_UNDONE = (ExprWithLimits, sympy.Derivative, sympy.Subs, sympy.Limit)


def formulas(expression: object, given: Collection[str] = ()) -> dict[str, Any]:
    """Return name -> formula; the name of a formula without one is empty.

    A text stays as it is written. ``pi`` and ``e`` are the numbers, unless a line defines them or
    they are given a value.

    Parameters
    ----------
    expression : str, sympy.Expr or mapping
        ``"(a + b)*c"``, ``"y = 2*a; a = 3*x"``, or ``{"y": "2*a", "a": 3*x}``.
    given : collection of str
        The names that have values.

    Raises
    ------
    GraphError
        If it is none of these.
    ExpressionError
        If a text is not a formula.
    """
    if isinstance(expression, Mapping):
        pairs = [(str(name), formula) for name, formula in expression.items()]
    elif isinstance(expression, str) and (_EQUALS.search(expression) or "==" in expression):
        pairs = [_assignment(line) for line in re.split(r"[;\n]", expression) if line.strip()]
    else:
        return {"": formula(expression, given)}
    found: dict[str, Any] = {}
    variables = {*given, *(name for name, _ in pairs)}
    for name, text in pairs:
        _check_name(name)
        if name in found:
            raise GraphError(f"{name!r} is defined twice")
        found[name] = formula(text, variables)
        if isinstance(text, str) and (names := names_in(text, variables)):
            found[name] = as_written(text, set(names))
    if not found:
        raise GraphError("no formula: expected something like '(a + b)*c' or 'y = 2*a; a = 3*x'")
    return found


def _assignment(line: str) -> tuple[str, str]:
    if "==" in line:
        raise GraphError(f"{shown(line.strip())}: == compares; one = gives a name to a formula: 'a = 3*x'")
    found = _EQUALS.search(line)
    if found is None:
        raise GraphError(f"{shown(line.strip())}: expected an assignment such as 'a = 3*x'")
    name, value = line[: found.start()].strip(), line[found.end() :].strip()
    if not value:
        raise GraphError(f"{shown(line.strip())}: nothing stands after the =, such as 'a = 3*x'")
    return name, value


def point(text: str) -> dict[str, str]:
    """Return the values in a text such as ``"a = 2; b = 1/3"``; what they are is decided later."""
    found: dict[str, str] = {}
    for line in re.split(r"[;\n,]", text):
        if line.strip():
            name, value = _assignment(line)
            if name in found:
                raise GraphError(f"{name!r} has two values")
            found[name] = value
    return found


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in FUNCTIONS:
        raise GraphError(
            f"{shown(name)} is no name for a quantity: letters, digits and _, not that of a function"
        )


def formula(value: object, variables: Collection[str] = ()) -> Any:
    """Return one formula as a SymPy expression."""
    if isinstance(value, str):
        names = tuple(names_in(value, variables))
        expr = parse_formula(value, names, exponents=names)
    elif isinstance(value, sympy.Expr):
        expr = value
    elif isinstance(value, Rational | int | float):
        expr = number("a formula", value)
    else:
        raise GraphError(f"{shown(value)} is no formula: expected a text or a SymPy expression")
    undone = next(iter(expr.atoms(*_UNDONE)), None)
    if undone is not None:
        kind = type(undone).__name__
        raise GraphError(f"{shown(value)}: {kind} is no operation of a graph; work it out first with .doit()")
    if expr.has(Total):
        raise GraphError("sum(...) is over the units of a layer; write the terms of this sum out")
    if not expr.is_commutative or expr.is_Matrix or expr.has(sympy.I, sympy.nan, sympy.zoo, sympy.oo):
        raise GraphError(f"{shown(value)} is no formula for a real number")
    return expr


def names_in(text: str, variables: Collection[str] = ()) -> list[str]:
    """Return the variables of a formula, sorted; nothing is evaluated.

    ``pi`` and ``e`` are none, unless they are among the `variables`.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []  # the parser says what is wrong
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}
    return sorted(found - (set(CONSTANTS) - set(variables)))


def constants_in(expression: object, given: Collection[str]) -> list[str]:
    """Return which of ``pi`` and ``e`` stand for the numbers in a text, sorted."""
    lines = list(expression.values()) if isinstance(expression, Mapping) else [expression]
    texts = [text for line in lines if isinstance(line, str) for text in re.split(r"[;\n]", line)]
    pairs = [_EQUALS.split(text, maxsplit=1) for text in texts]
    defined = {pair[0].strip() for pair in pairs if len(pair) == 2}
    if isinstance(expression, Mapping):
        defined |= {str(name) for name in expression}
    every = {name for pair in pairs for name in names_in(pair[-1], tuple(CONSTANTS))}
    return sorted((every & set(CONSTANTS)) - defined - set(given))


def number(name: str, value: object) -> Any:
    """Return a given number exactly: 0.1 is one tenth.

    Raises
    ------
    GraphError
        If it is not a finite real number.
    """
    if isinstance(value, bool):
        raise GraphError(f"{name} = {shown(value)}: expected a number")
    if isinstance(value, str):
        try:
            value = Fraction(value.strip())
        except (ValueError, ZeroDivisionError):
            raise GraphError(f"{name} = {shown(value)}: expected a number such as 2, -0.5 or 1/3") from None
    if isinstance(value, sympy.Expr):
        if not value.is_number or not value.is_real or not value.is_finite:
            raise GraphError(f"{name} = {shown(value)}: expected a real number")
        return value
    if isinstance(value, Rational):
        return sympy.Rational(int(value.numerator), int(value.denominator))
    if isinstance(value, Real):
        if abs(float(value)) == float("inf") or value != value:
            raise GraphError(f"{name} = {shown(value)}: expected a finite number")
        return sympy.Rational(repr(float(value)))
    raise GraphError(f"{name} = {shown(value)}: expected a number")

"""The text of a rule or formula evaluated as it stands, with 40 digits and no SymPy.

A second reader of the same text, so that the first one (:mod:`symbp.functions.parse`) and all
that is derived from it can be compared with something. The text has passed the first reader's
whitelist; what that does not know is an error here too.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath

from symbp.errors import DerivationError

mp = mpmath.mp.clone()
mp.dps = 100

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: mp.power,
}
_RELATIONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: bool(a < b),
    ast.LtE: lambda a, b: bool(a <= b),
    ast.Gt: lambda a, b: bool(a > b),
    ast.GtE: lambda a, b: bool(a >= b),
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp,
    "log": mp.log,
    "sqrt": mp.sqrt,
    "tanh": mp.tanh,
    "sin": mp.sin,
    "cos": mp.cos,
    "atan": mp.atan,
    "abs": abs,
    "floor": mp.floor,
}


def evaluate_text(text: str, values: Mapping[str, Any]) -> Any:
    """Return the value of a formula's text.

    Parameters
    ----------
    text : str
    values : mapping
        A number of 100 digits for every name.

    Raises
    ------
    DerivationError
        If the text is no formula, or its value is not a real number.
    """
    value = _walk(_tree(text), {**values, "pi": +mp.pi})
    if isinstance(value, mp.mpc):
        raise DerivationError(f"formula {text!r} is not real at the point where it is checked")
    return value


@functools.cache  # a penalty is evaluated for every weight
def _tree(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def run_assignments(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the lines of an update rule; return the value of every name afterwards."""
    names = dict(values)
    for line in text.strip().splitlines():
        if line.strip():
            name, _, formula = line.partition("=")
            names[name.strip()] = evaluate_text(formula, names)
    return names


def _walk(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            exact = Fraction(str(value))
            return mp.mpf(exact.numerator) / exact.denominator
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=op, operand=operand):
            return -_walk(operand, names) if isinstance(op, ast.USub) else _walk(operand, names)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_walk(left, names), _walk(right, names))
        case ast.IfExp(test=ast.Compare(left=left, ops=[op], comparators=[right]), body=yes, orelse=no):
            holds = _RELATIONS[type(op)](_walk(left, names), _walk(right, names))
            return _walk(yes if holds else no, names)
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_walk(argument, names))
    raise DerivationError(f"{ast.unparse(node)} is no formula that can be checked")

"""The text of a rule or formula evaluated as it stands, with 40 digits and no SymPy.

A second reader of the same text, so that the first one (:mod:`symbp.functions.parse`) and all
that is derived from it can be compared with something. The text has passed the first reader's
whitelist; what that does not know is an error here too.
"""

from __future__ import annotations

import ast
import functools
import itertools
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
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "sqrt": mp.sqrt,
    "tanh": mp.tanh,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "sin": mp.sin,
    "cos": mp.cos,
    "atan": mp.atan,
    "erf": mp.erf,
    "abs": abs,
    "max": max,
    "min": min,
    "sigmoid": lambda u: 1 / (1 + mp.exp(-u)),
    "softplus": lambda u: mp.log1p(mp.exp(u)),
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
        If the text is no formula, or its value is not a finite real number.
    """
    try:
        value = _walk(_tree(text), {**values, "pi": +mp.pi, "e": +mp.e})
    except TypeError:  # complex numbers have no order
        value = mp.mpc()
    except ZeroDivisionError:
        raise DerivationError(f"formula {text!r} divides by 0 at the point where it is checked") from None
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
            names[name.strip()] = evaluate_text(formula.strip(), names)
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
        case ast.IfExp(test=test, body=yes, orelse=no):
            return _walk(yes if _holds(test, names) else no, names)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_walk(argument, names) for argument in arguments))
    raise DerivationError(f"{ast.unparse(node)} is no formula that can be checked")


def _holds(node: ast.expr, names: Mapping[str, Any]) -> bool:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_walk(side, names) for side in (left, *others)]
            return all(
                _RELATIONS[type(op)](a, b) for op, (a, b) in zip(ops, itertools.pairwise(sides), strict=True)
            )
        case ast.BoolOp(op=op, values=parts):
            return (all if isinstance(op, ast.And) else any)(_holds(part, names) for part in parts)
    raise DerivationError(f"{ast.unparse(node)} is no condition that can be checked")

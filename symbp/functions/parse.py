"""Text of a formula -> SymPy expression, through a whitelist over Python's own ast.

No text is ever evaluated: :func:`ast.parse` gives a tree, every node of which must
be on the list below, and the SymPy expression is built from the leaves up. There is
no attribute access, no subscript, no name but the declared ones.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Callable
from typing import Any

import sympy

from symbp.errors import ExpressionError
from symbp.functions.names import nearest

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64
_LARGE = 1e300


class Total(sympy.Function):
    """``sum(e)`` in the text of a softmax-like activation: the sum of e over the layer's units."""

    nargs = 1
    is_real = True


FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "atan": sympy.atan,
    "abs": sympy.Abs,
    "sum": Total,
}

# Functions of steps: they have no derivative, so no activation or cost may hold them.
STEPWISE: dict[str, Callable[..., sympy.Expr]] = {"floor": sympy.floor}

CONSTANTS: dict[str, sympy.Expr] = {"pi": sympy.pi}

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}

_COMPARISONS: dict[type, Any] = {
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
}


@functools.cache
def parse_formula(
    text: str, names: tuple[str, ...], exponents: tuple[str, ...] = (), functions: tuple[str, ...] = ()
) -> sympy.Expr:
    """Return the SymPy expression of `text`, whose only free names are `names`.

    Parameters
    ----------
    text : str
        Python arithmetic: ``+ - * / **``, the functions of :data:`FUNCTIONS`, decimal
        numbers (read exactly) and the conditional ``a if z <= 0 else b``.
    names : tuple of str
        The declared names; each becomes a real symbol.
    exponents : tuple of str
        Those of the names that may stand in an exponent: counters and parameters.
    functions : tuple of str
        Names of :data:`STEPWISE` that are allowed too, where nothing is differentiated.

    Raises
    ------
    ExpressionError
        If the text is not such a formula; the message names the place.
    """
    return _Reader(text, names, exponents, functions).read()


class _Reader:
    def __init__(
        self, text: str, names: tuple[str, ...], exponents: tuple[str, ...], functions: tuple[str, ...]
    ) -> None:
        self.text = text
        self.symbols = {name: sympy.Symbol(name, real=True) for name in names}
        self.exponents = {self.symbols[name] for name in exponents if name in self.symbols}
        self.functions = FUNCTIONS | {name: STEPWISE[name] for name in functions}

    def read(self) -> sympy.Expr:
        if not isinstance(self.text, str) or not self.text.strip():
            raise ExpressionError(f"formula {self.text!r}: expected a text such as '1/(1 + exp(-z))'")
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(
                f"formula {self.text[:30]!r}...: {len(self.text)} characters; the limit is {MAX_LENGTH}"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # such as "0x1for": the tree decides
                tree = ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else "not a formula"
            column = error.offset or len(self.text.strip()) if isinstance(error, SyntaxError) else 1
            raise ExpressionError(f"formula {self.text!r}, column {column}: {reason}") from None
        value = self.expression(tree.body, 0)
        if value.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
            raise ExpressionError(f"formula {self.text!r}: its value is not a finite real number")
        return value

    def fail(self, node: ast.AST, reason: str) -> ExpressionError:
        column = getattr(node, "col_offset", 0) + 1
        return ExpressionError(f"formula {self.text!r}, column {column}: {reason}")

    def expression(self, node: ast.AST, depth: int) -> sympy.Expr:
        if depth > MAX_DEPTH:
            raise self.fail(node, f"nested more than {MAX_DEPTH} deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                if abs(value) >= _LARGE:
                    raise self.fail(node, f"a number must be below {_LARGE:g}")
                return sympy.Rational(str(value))
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                value = self.expression(operand, depth + 1)
                return -value if isinstance(sign, ast.USub) else value
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return self.expression(left, depth + 1) ** self.exponent(right, depth + 1)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
                a, b = self.expression(left, depth + 1), self.expression(right, depth + 1)
                return _BINARY[type(op)](a, b)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yes, no = self.expression(body, depth + 1), self.expression(orelse, depth + 1)
                return sympy.Piecewise((yes, self.condition(test, depth + 1)), (no, True))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
                if name not in self.functions:
                    raise self.fail(node, f"unknown function {name!r}{nearest(name, self.functions)}")
                return self.functions[name](self.expression(argument, depth + 1))
            case ast.Call(func=ast.Name(id=name)):
                raise self.fail(node, f"{name!r} takes exactly one argument")
        raise self.fail(node, "only + - * / **, known functions and 'a if z <= 0 else b' may stand here")

    def name(self, node: ast.AST, name: str) -> sympy.Expr:
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        known = ", ".join(self.symbols)
        raise self.fail(node, f"unknown name {name!r}; the names here are {known}")

    def exponent(self, node: ast.AST, depth: int) -> sympy.Expr:
        value = self.expression(node, depth)
        if value.free_symbols and value.free_symbols <= self.exponents:
            return value
        if not value.is_Rational or abs(value) > MAX_EXPONENT:
            raise self.fail(node, f"an exponent must be a number of size at most {MAX_EXPONENT}")
        return value

    def condition(self, node: ast.AST, depth: int) -> Any:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                a, b = self.expression(left, depth + 1), self.expression(right, depth + 1)
                return _COMPARISONS[type(op)](a, b)
        raise self.fail(node, "a condition is one comparison with <, <=, > or >=")

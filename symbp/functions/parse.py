"""Text of a formula -> SymPy expression, through a whitelist over Python's own ast.

No text is ever evaluated: :func:`ast.parse` gives a tree, every node of which must
be on the list below, and the SymPy expression is built from the leaves up. There is
no attribute access, no subscript, no name but the declared ones. Limits on length, depth,
digits, exponents and the size of the result keep any text from taking long.
"""

from __future__ import annotations

import ast
import fractions
import functools
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import sympy
from sympy.codegen.cfunctions import expm1

from symbp.errors import ExpressionError
from symbp.functions.names import nearest
from symbp.functions.numeric import NotReal, value_at
from symbp.functions.syntax import CHARACTERS, fault_in
from symbp.functions.vocabulary import CONSTANTS, FUNCTIONS, STEPWISE, Total, cases

__all__ = ["FUNCTIONS", "Total", "parse_formula", "put_in"]

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64
MAX_NODES = 2000
MAX_DIGITS = 40
MAX_TERMS = 1000
MAX_NESTED = 12  # each more makes the derivative longer by one factor that holds all others
MAX_GROWTH = 3  # exp(exp(exp(z))) overflows for every z above 2
_LARGE = 1e300
_MANY = 1e6

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

# What a misplaced variable belongs to.
_OWNERS = {
    "z": "z is the weighted sum of an activation",
    "h": "h is the prediction that a cost takes",
    "y": "y is the target that a cost takes",
}


@functools.lru_cache(maxsize=4096)
def parse_formula(
    text: str, names: tuple[str, ...], exponents: tuple[str, ...] = (), functions: tuple[str, ...] = ()
) -> sympy.Expr:
    """Return the SymPy expression of `text`, whose only free names are `names`.

    Parameters
    ----------
    text : str
        Python arithmetic: ``+ - * / **``, the functions of
        :data:`symbp.functions.vocabulary.FUNCTIONS`, the constants ``pi`` and ``e``, decimal
        numbers (read exactly) and the conditional ``a if z <= 0 else b``.
    names : tuple of str
        The declared names; each becomes a real symbol.
    exponents : tuple of str
        Those of the names that may stand in an exponent, such as the counter ``step`` in
        ``beta1**step``, and parameters.
    functions : tuple of str
        Names of :data:`STEPWISE` that are allowed too, where nothing is differentiated.

    Raises
    ------
    ExpressionError
        If the text is not such a formula; the message names the column, and
        :attr:`ExpressionError.excerpt` shows it.
    """
    return _Reader(text, names, exponents, functions).read()


@functools.lru_cache(maxsize=1024)
def put_in(formula: sympy.Expr, values: tuple[tuple[str, float], ...]) -> sympy.Expr:
    """Put numbers in the places of named symbols; a float stands for the decimal it is written as."""
    return formula.xreplace(
        {sympy.Symbol(name, real=True): sympy.Rational(str(value)) for name, value in values}
    )


class _Reader:
    def __init__(
        self, text: str, names: tuple[str, ...], exponents: tuple[str, ...], functions: tuple[str, ...]
    ) -> None:
        # Columns are counted in what is parsed: one line, ASCII only.
        self.text = re.sub(r"\s", " ", text).strip() if isinstance(text, str) else text
        self.symbols = {name: sympy.Symbol(name, real=True) for name in names}
        self.exponents = {self.symbols[name] for name in exponents if name in self.symbols}
        self.functions = FUNCTIONS | {name: STEPWISE[name] for name in functions}

    def read(self) -> sympy.Expr:
        if not isinstance(self.text, str):
            raise ExpressionError(f"formula {self.text!r}: expected a text such as '1/(1 + exp(-z))'")
        if not self.text:
            raise self.at(0, "expected a text such as '1/(1 + exp(-z))'")
        if len(self.text) > MAX_LENGTH:
            error = ExpressionError(
                f"formula {self.text[:30]!r}..., column {MAX_LENGTH + 1}: {len(self.text)} characters; "
                f"the limit is {MAX_LENGTH}"
            )
            error.point_at(self.text, MAX_LENGTH)
            raise error
        self._check_characters()
        value = self.expression(self._tree(), 0)
        value = self.checked(None, value)
        if _growth(value) > MAX_GROWTH:
            raise self.at(0, f"exponentials nested more than {MAX_GROWTH} deep")
        if _nesting(value) > MAX_NESTED:
            raise self.at(0, f"functions nested more than {MAX_NESTED} deep")
        return value

    # From text to tree -----------------------------------------------------------------

    def _check_characters(self) -> None:
        strange = re.search(r"[^A-Za-z0-9_.+\-*/()<>=, ]", self.text)
        if strange is not None:
            character = strange.group()
            hint = CHARACTERS.get(character, "only letters, digits and + - * / ( ) < > = . , may stand here")
            shown = character if character.isascii() and character.isprintable() else ascii(character)[1:-1]
            raise self.at(strange.start(), f"the character {shown}: {hint}")

    def _tree(self) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # such as "0x1for": the tree decides
                return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            column = min(max(error.offset or 1, 1), len(self.text))
            # Python's messages guess at programs; only some fit a formula.
            lone = re.search(r"(?<![<>=])=(?!=)", self.text)
            if lone is not None:
                raise self.at(lone.start(), CHARACTERS["="]) from None
            fault = fault_in(self.text, self.functions)
            if fault is not None:
                raise self.at(*fault) from None
            reason = str(error.msg).split(". Perhaps")[0].split("; perhaps")[0]
            raise self.at(column - 1, reason) from None
        except (ValueError, MemoryError, RecursionError):
            raise self.at(0, "not a formula, or nested too deeply") from None

    def at(self, column: int, reason: str) -> ExpressionError:
        """Return the error for a place, counted from 0."""
        error = ExpressionError(f"formula {self.text!r}, column {column + 1}: {reason}")
        error.point_at(self.text, column)
        return error

    def fail(self, node: ast.AST | None, reason: str) -> ExpressionError:
        if isinstance(node, (ast.Attribute, ast.Subscript)):  # the dot or the bracket is what is wrong
            return self.at(node.value.end_col_offset or 0, reason)
        return self.at(getattr(node, "col_offset", 0), reason)

    # From tree to expression -----------------------------------------------------------

    def expression(self, node: ast.AST, depth: int) -> sympy.Expr:
        if depth > MAX_DEPTH:
            raise self.fail(node, f"nested more than {MAX_DEPTH} deep")
        return self.checked(node, self._expression(node, depth + 1))

    def _expression(self, node: ast.AST, depth: int) -> sympy.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.number(node, value)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                value = self.expression(operand, depth)
                return -value if isinstance(sign, ast.USub) else value
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return self.power(node, self.expression(left, depth), right, depth)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
                a, b = self.expression(left, depth), self.expression(right, depth)
                if isinstance(op, ast.Div) and b.is_zero:
                    raise self.fail(right, "division by 0: the value is not a finite real number")
                return _BINARY[type(op)](a, b)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yes, no = self.expression(body, depth), self.expression(orelse, depth)
                return self.built(node, cases, yes, self.condition(test, depth), no)
            case ast.Call():
                return self.call(node, depth)
        if isinstance(node, ast.Tuple) and (fault := fault_in(self.text, self.functions)) is not None:
            raise self.at(*fault)
        raise self.fail(node, "only + - * / **, known functions and 'a if z <= 0 else b' may stand here")

    def checked(self, node: ast.AST | None, value: sympy.Expr) -> sympy.Expr:
        """Return the value if it is of bounded size and, where it is a number, finite and real."""
        if _size(value) > MAX_NODES:
            raise self.fail(node, f"the formula has more than {MAX_NODES} parts when written out")
        if _terms(value) > MAX_TERMS:
            raise self.fail(node, f"its powers and products multiply out to more than {MAX_TERMS} terms")
        if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
            raise self.fail(node, "its value is not a finite real number")
        if any(max(abs(n.p), n.q) >= _LARGE for n in value.atoms(sympy.Rational)):
            raise self.fail(node, "a number in it is too large, too small or the power of so long a number")
        if not value.free_symbols and not value.has(Total):
            try:
                number = value_at(value, {})
            except NotReal:
                raise self.fail(node, "its value is not a finite real number") from None
            if not abs(number) < _LARGE:
                raise self.fail(node, f"its value is not a finite real number below {_LARGE:g}")
        return value

    def number(self, node: ast.Constant, value: float) -> sympy.Expr:
        text = ast.get_source_segment(self.text, node) or str(value)
        if not re.fullmatch(r"[0-9.]+([eE][+-]?[0-9]+)?", text):
            raise self.fail(node, f"the number {text}: write it with decimal digits only, such as 16 or 1e-3")
        if not abs(value) < _LARGE:
            raise self.fail(node, f"a number must be below {_LARGE:g}")
        if len(text) > MAX_DIGITS:
            raise self.fail(node, f"a number of {len(text)} characters; the limit is {MAX_DIGITS}")
        if isinstance(value, int):
            return sympy.Integer(value)
        digits = re.split("[eE]", text)[0].strip("0.")
        if digits and abs(value) < 1 / _LARGE:
            raise self.fail(node, f"a number other than 0 must be above {1 / _LARGE:g}")
        exact = fractions.Fraction(text)
        return sympy.Rational(exact.numerator, exact.denominator)

    def name(self, node: ast.AST, name: str) -> sympy.Expr:
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        known = ", ".join(self.symbols)
        if name in self.functions:
            raise self.fail(node, f"{name} is a function: write {name}(...)")
        owner = f" ({_OWNERS[name]})" if name in _OWNERS else ""
        if owner or not (near := nearest(name, self.symbols)).startswith("; did"):
            near = f"; the names here are {known}"
        raise self.fail(node, f"unknown name {name!r}{owner}{near}")

    def call(self, node: ast.Call, depth: int) -> sympy.Expr:
        if not isinstance(node.func, ast.Name):
            fault = fault_in(self.text, self.functions)
            words = "only a function's name may stand before brackets here"
            raise self.fail(node, words) if fault is None else self.at(*fault)
        name = node.func.id
        if name in self.symbols:
            at = self.text.index("(", node.func.end_col_offset)
            raise self.at(at, f"a * may be missing before (; {name} is no function")
        if name in STEPWISE and name not in self.functions:
            raise self.fail(node, f"{name} is made of steps: its derivative is 0 wherever it has one")
        if name not in self.functions:
            raise self.fail(node, f"unknown function {name!r}{nearest(name, self.functions)}")
        word = self.functions[name]
        plain = not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
        if not plain or len(node.args) != word.arguments:
            count = "one argument" if word.arguments == 1 else f"{word.arguments} arguments"
            raise self.fail(node, f"{name!r} takes exactly {count}")
        arguments = [self.expression(argument, depth) for argument in node.args]
        if name == "sum" and arguments[0].has(Total):
            raise self.fail(node, "a sum inside a sum")
        return self.built(node, word.build, *arguments)

    def built(self, node: ast.AST, build: Callable[..., sympy.Expr], *arguments: Any) -> sympy.Expr:
        try:
            return build(*arguments)
        except OverflowError as error:
            raise self.fail(node, str(error)) from None
        except RecursionError:
            raise self.fail(node, "a comparison that cannot be ordered: write it as one with 0") from None

    def power(self, node: ast.AST, base: sympy.Expr, right: ast.AST, depth: int) -> sympy.Expr:
        exponent = self.expression(right, depth)
        if exponent.free_symbols and exponent.free_symbols <= self.exponents:
            return base**exponent
        # 64 bits of numerator and denominator to a power of 64 are worked out at once; no more.
        if exponent.free_symbols and not base.free_symbols:
            raise self.fail(right, "an exponent must be a number; write exp(b*log(a)) for a**b")
        if not exponent.is_Rational or abs(exponent) > MAX_EXPONENT:
            raise self.fail(right, f"an exponent must be a number of size at most {MAX_EXPONENT}")
        if exponent.q > MAX_EXPONENT:
            raise self.fail(
                right,
                f"an exponent must be a fraction with a denominator of at most {MAX_EXPONENT}, and this is "
                f"{exponent.p}/{exponent.q}; write exp(b*log(a)) for a**b",
            )
        if base.is_zero and exponent.is_negative:
            raise self.fail(node, "division by 0: the value is not a finite real number")
        bits = max((n.p.bit_length() + n.q.bit_length() for n in base.atoms(sympy.Rational)), default=0)
        if bits * abs(exponent) > 4 * 1024 and bits > 64:
            raise self.fail(node, "the power of so long a number")
        value = base**exponent
        # SymPy joins (z**64)**64 to z**4096.
        if any(abs(p.exp) > MAX_EXPONENT for p in value.atoms(sympy.Pow) if p.exp.is_Rational):
            raise self.fail(node, f"an exponent must be a number of size at most {MAX_EXPONENT}")
        return value

    def condition(self, node: ast.AST, depth: int) -> Any:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                type(o) in _COMPARISONS for o in ops
            ):
                sides = [self.expression(side, depth) for side in (left, *others)]
                if any(side.has(sympy.Piecewise) for side in sides):
                    raise self.fail(node, "a condition compares values without cases (if, max, min) in them")
                try:
                    relations = [
                        _COMPARISONS[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)
                    ]
                except TypeError:
                    raise self.fail(node, "only real numbers can be compared") from None
                return sympy.And(*relations)
            case ast.BoolOp(op=ast.And() | ast.Or() as op, values=values):
                parts = [self.condition(value, depth + 1) for value in values]
                return (sympy.And if isinstance(op, ast.And) else sympy.Or)(*parts)
        raise self.fail(node, "a condition is a comparison with <, <=, > or >=, or several joined by and, or")


def _size(expr: Any) -> int:
    """Return the number of parts of an expression written out, counting no more than needed."""
    count, waiting = 0, [expr]
    while waiting and count <= MAX_NODES:
        part = waiting.pop()
        count += 1
        waiting += part.args
    return count


def _terms(expr: Any) -> float:
    """Return a bound on the number of terms of a sum multiplied out, with functions as letters."""
    if expr.is_Add:
        return sum(map(_terms, expr.args))
    if expr.is_Mul:
        return math.prod(map(_terms, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        power, terms = abs(int(expr.exp)), _terms(expr.base)
        return math.comb(int(terms) + power - 1, power) if terms < _MANY else math.inf
    return 1


def _nesting(expr: Any) -> int:
    """Return how deeply functions, roots and divisions by sums are nested."""
    inner = max(map(_nesting, expr.args), default=0)
    return inner + int(
        isinstance(expr, sympy.Function)
        or (expr.is_Pow and (not expr.exp.is_Integer or expr.exp.is_negative))
    )


def _growth(expr: Any) -> int:
    """Return how deeply functions that grow like an exponential are nested."""
    inner = max(map(_growth, expr.args), default=0)
    return inner + int(isinstance(expr, (sympy.exp, sympy.sinh, sympy.cosh, expm1)))

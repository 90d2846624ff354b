"""Text of a statement -> tree, through a whitelist over Python's own ast; nothing is evaluated."""

from __future__ import annotations

import ast
from functools import cache

from symbp.derivation.documents.language.tree import (
    Binary,
    Call,
    Cases,
    Expression,
    Literal,
    Negative,
    Number,
    Range,
    Ref,
    Statement,
    Transpose,
)
from symbp.errors import DocumentError

_OPERATORS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
}
_RELATIONS: dict[type, str] = {ast.Eq: "==", ast.LtE: "<=", ast.Lt: "<", ast.NotEq: "!="}


@cache
def read(text: str, where: str = "") -> Statement:
    """Return the statement that `text` makes for the indices in `where`.

    Parameters
    ----------
    text : str
        Such as ``"a[l] == sigma(z[l]) == sigma(W[l] @ a[l-1] + b[l])"``; ``"w << w - g"`` for an
        assignment, ``"a, b"`` for a list.
    where : str
        Such as ``"1 <= l <= L, 1 <= k <= N[l]"``; a later range may use an earlier index.

    Raises
    ------
    DocumentError
        If the text is not of the language.
    """
    reader = _Reader(text)
    match reader.tree:
        case ast.Compare(left=left, ops=ops, comparators=rest):
            relations = {_RELATIONS.get(type(op), "") for op in ops}
            if len(relations) != 1 or not relations <= {"==", "<="}:
                raise DocumentError(f"statement {text!r}: expected == or <= between its sides")
            sides = tuple(reader.expression(side) for side in (left, *rest))
            return Statement(sides, relations.pop(), _ranges(where))
        case ast.BinOp(op=ast.LShift(), left=left, right=right):
            return Statement((reader.expression(left), reader.expression(right)), "<<", _ranges(where))
        case ast.Tuple(elts=parts) if parts:
            return Statement(tuple(map(reader.expression, parts)), ",", _ranges(where))
    raise DocumentError(f"statement {text!r}: expected an equation a == b")


@cache
def read_expression(text: str) -> Expression:
    """Return the tree of an expression."""
    reader = _Reader(text)
    return reader.expression(reader.tree)


def _ranges(where: str) -> tuple[Range, ...]:
    if not where:
        return ()
    reader = _Reader(f"({where},)")
    assert isinstance(reader.tree, ast.Tuple)
    return tuple(_range(reader, node) for node in reader.tree.elts)


def read_ranges(where: str) -> tuple[Range, ...]:
    """Return the ranges of a text such as ``"1 <= l < L"``."""
    return _ranges(where)


def _range(reader: _Reader, node: ast.expr) -> Range:
    match node:
        case ast.Compare(left=low, ops=[first, second], comparators=[ast.Name(id=index), high]):
            least, most = reader.expression(low), reader.expression(high)
            one = Number("1")
            if isinstance(first, ast.Lt):
                least = Binary("+", least, one)
            if isinstance(second, ast.Lt):
                most = Binary("-", most, one)
            return Range(index, least, most)
    raise DocumentError(f"range {reader.text!r}: expected ranges such as 1 <= l <= L")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.tree = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise DocumentError(f"statement {text!r}: {error.msg}") from None

    def expression(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=int() | float()):
                return Number(ast.get_source_segment(self.text, node) or "")
            case ast.Name(id=name):
                return Ref(name)
            case ast.Subscript(value=ast.Name(id=name), slice=keys):
                return Ref(name, self.keys(keys))
            case ast.Subscript(value=ast.Subscript(value=ast.Name(id=name), slice=layers), slice=entries):
                return Ref(name, self.keys(layers), self.keys(entries))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return Call(name, (), tuple(map(self.expression, arguments)))
            case ast.Call(
                func=ast.Subscript(value=ast.Name(id=name), slice=layers), args=arguments, keywords=[]
            ):
                return Call(name, self.keys(layers), tuple(map(self.expression, arguments)))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return Binary(_OPERATORS[type(op)], self.expression(left), self.expression(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self.expression(operand))
            case ast.Attribute(value=operand, attr="T"):
                return Transpose(self.expression(operand))
            case ast.IfExp(
                test=ast.Compare(left=left, ops=[op], comparators=[right]), body=yes, orelse=no
            ) if type(op) in _RELATIONS:
                parts = map(self.expression, (left, right, yes, no))
                return Cases(_RELATIONS[type(op)], *parts)
            case ast.List(elts=rows):
                return Literal(tuple(self.row(row) for row in rows))
        raise DocumentError(f"statement {self.text!r}, column {node.col_offset + 1}: not of the language")

    def keys(self, node: ast.expr) -> tuple[Expression, ...]:
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        return tuple(map(self.expression, nodes))

    def row(self, node: ast.expr) -> tuple[Expression, ...]:
        """One row; an entry of a plain list is a row of one."""
        return tuple(map(self.expression, node.elts if isinstance(node, ast.List) else [node]))

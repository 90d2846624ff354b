"""The lines of an elementary function -> lines that take a number or a vector, with the same operations.

What Python has for single numbers only becomes a function of the emitted file's vectors: a choice
is ``select``, the bits of a number are ``bits(x)``, and ``number(k)`` is the number with the bits k.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_TIGHT = re.compile(r" ([*/]) ")


def for_vectors(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of a scalar function (:func:`symbp.elementary.expand.code`) for vectors, too."""
    return tuple(map(_line, lines))


def _line(line: str) -> str:
    (statement,) = ast.parse(f"def f():\n {line}").body[0].body  # type: ignore[attr-defined]
    return _TIGHT.sub(r"\1", ast.unparse(_Vectors().visit(statement)))


class _Vectors(ast.NodeTransformer):
    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return _call("select", *(self.visit(x) for x in (node.test, node.body, node.orelse)))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        first, *others = (self.visit(value) for value in node.values)
        for other in others:
            first = ast.BinOp(first, ast.BitOr() if isinstance(node.op, ast.Or) else ast.BitAnd(), other)
        return first  # type: ignore[no-any-return]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        of = node.func
        if isinstance(of, ast.Attribute) and of.attr == "view":
            (kind,) = node.args
            assert isinstance(kind, ast.Name)
            return _call("bits" if kind.id == "I" else "number", _bare(self.visit(of.value)))
        self.generic_visit(node)
        # Integers have the size of the numbers, also while nobody says so: what is shifted out is gone.
        return node.args[0] if isinstance(of, ast.Name) and of.id == "I" else node


def _bare(node: ast.expr) -> ast.expr:
    """Return what a conversion to the type of the numbers converts: it has that type."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "F":
        (node,) = node.args
    return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name), list(arguments), [])

"""Statements of the documents -> print: the walk over their trees, in the pieces of a format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import (
    BINDERS,
    Binary,
    Call,
    Cases,
    Expression,
    Literal,
    Negative,
    Number,
    Ref,
    Transpose,
    is_sum,
    spread,
    without_minus,
)

if TYPE_CHECKING:
    from symbp.render.audit_latex import LatexStatements

# What is printed, and how tightly it holds together: 1 a sum, 3 a product, 4 a factor.
Printed = tuple[str, int]
ATOM = 9


def printed(at: LatexStatements, tree: Expression) -> Printed:
    """Return an expression in the pieces of a format."""
    return _KINDS[type(tree)](at, tree)


def _number(at: LatexStatements, tree: Number) -> Printed:
    return at.number(tree.text), ATOM


def _ref(at: LatexStatements, tree: Ref) -> Printed:
    setting, family = at.shapes.setting, at.shapes.families.get(tree.name)
    if family is not None:
        layers, entries = (tree.layers, tree.entries) if family.layers else ((), tree.layers)
        latex = (family.entry or family.latex) if entries else family.latex
        return at.symbol(latex, tree.name, layers, entries), ATOM
    if tree.name == setting.sizes and setting.width:
        return at.symbol(setting.width, tree.name, tree.layers), ATOM
    return at.scripted(at.name(tree.name), at.indices(tree.layers)), ATOM


def _binary(at: LatexStatements, tree: Binary) -> Printed:
    left, right = tree.left, tree.right
    bare = without_minus(tree)
    if bare is not None:
        return at.write(Negative(bare)), 1
    if tree.operator == "/":
        return at.fraction(at.write(left), at.write(right)), 4
    if tree.operator == "**":
        return at.power(at.write(left, 5), at.write(right)), 4
    if tree.operator in "+-":
        return f"{at.write(left, 1)}{at.sign(tree.operator)}{at.write(right, 2)}", 1
    if tree.operator == "*" and at.is_array(left) and at.is_array(right):
        return f"{at.write(left, 3)}{at.sign(at.shapes.setting.entrywise)}{at.write(right, 4)}", 3
    if is_sum(right):  # nothing follows it, unless the product is a factor itself
        return f"{at.write(left, 3)}{at.times}{at.write(right)}", 2
    shown = at.write(right, 4)
    return f"{at.write(left, 3)}{at.between(right, shown)}{shown}", 3


def _negative(at: LatexStatements, tree: Negative) -> Printed:
    return f"{at.minus}{at.write(tree.operand, 2)}", 1


def _transpose(at: LatexStatements, tree: Transpose) -> Printed:
    return at.transposed(at.write(tree.operand, ATOM)), 5


def _cases(at: LatexStatements, tree: Cases) -> Printed:
    condition = f"{at.write(tree.left)}{at.sign(tree.relation)}{at.write(tree.right)}"
    return at.cases(at.write(tree.yes), condition, at.write(tree.no)), 1


def _literal(at: LatexStatements, tree: Literal) -> Printed:
    return at.table([list(map(at.write, line)) for line in tree.rows]), ATOM


def _call(at: LatexStatements, tree: Call) -> Printed:
    before = dict(at.names)
    at.names.update({written(tree.arguments[place]): 1 for place in BINDERS.get(tree.name, ())})
    try:
        if tree.name in _CALLS:
            return _CALLS[tree.name](at, *tree.arguments)
        return at.applied(_function(at, tree), at.write(tree.arguments[0])), 4
    finally:
        at.names = before


def _function(at: LatexStatements, tree: Call) -> str:
    functions = at.shapes.functions
    derivative = tree.name[0] == "d" and tree.name[1:] in functions
    function = functions.get(tree.name[1:] if derivative else tree.name)
    if function is None:
        return at.word(tree.name)
    return at.function(function.latex, function.name, tree.layers, derivative)


def _sum(at: LatexStatements, body: Any, index: Any, *limits: Any) -> Printed:
    """A sum with the limits that are printed: both, the last one, or none."""
    low = f"{at.equals}{at.write(limits[0])}" if len(limits) == 2 else ""
    high = at.write(limits[-1]) if limits else ""
    return f"{at.total(at.write(index) + low, high)}{at.write(body, 2)}", 2


def _shown(
    at: LatexStatements, parts: Sequence[Expression | None], dots: str, strength: int = 0
) -> list[str]:
    return [dots if part is None else at.write(part, strength) for part in parts]


def _descend(at: LatexStatements, body: Any, index: Any, high: Any, low: Any) -> Printed:
    return at.times.join(_shown(at, spread(body, index, high, low), at.along, 4)), 3


def _column(at: LatexStatements, body: Any, index: Any, low: Any, high: Any) -> Printed:
    return at.table([[part] for part in _shown(at, spread(body, index, low, high), at.down)]), ATOM


def _row(at: LatexStatements, body: Any, index: Any, low: Any, high: Any) -> Printed:
    return at.table([_shown(at, spread(body, index, low, high), at.across)]), ATOM


def _matrix(at: LatexStatements, body: Any, *spans: Any) -> Printed:
    lines = []
    for line in spread(body, *spans[:3]):
        columns = spread(body if line is None else line, *spans[3:])
        # Between the rows dots stand below the first and the last column.
        dots = [at.down if column is not None else "" for column in columns]
        lines.append(dots if line is None else _shown(at, columns, at.across))
    return at.table(lines), ATOM


def _stacked(at: LatexStatements, *parts: Any) -> Printed:
    return at.table([[at.write(part)] for part in parts]), ATOM


def _derivative(at: LatexStatements, of: Any, wrt: Any) -> Printed:
    below = at.differential(at.write(wrt))
    if isinstance(of, Binary | Call | Negative):
        return f"{at.fraction(at.d, below)}{at.bracket(at.write(of))}", 4
    return at.fraction(at.differential(at.write(of)), below), 4


_CALLS: dict[str, Callable[..., Printed]] = {
    "sum": _sum,
    "descend": _descend,
    "column": _column,
    "row": _row,
    "matrix": _matrix,
    "append": _stacked,
    "prepend": _stacked,
    "identity": lambda at, order: (at.scripted(at.one, at.write(order)), ATOM),
    "diag": lambda at, entries: (at.applied(at.operator("diag"), at.write(entries)), 4),
    "rows": lambda at, array, low, high: (
        at.scripted(at.enclosed(at.write(array)), at.write(low), at.write(high)),
        ATOM,
    ),
    "kronecker": lambda at, a, b: (at.scripted(at.kronecker, at.indices((a, b))), ATOM),
    "size": lambda at, array: (at.applied(at.operator("rows"), at.write(array)), 4),
    "positive": lambda at, u: (at.applied(at.word("max"), f"{at.number('0')}{at.comma}{at.write(u)}"), 4),
    "D": _derivative,
    "grad": _derivative,
    "nabla": lambda at, of, wrt: (f"{at.nabla}{at.write(of, ATOM)}", 4),
    "d": lambda at, of: (at.grouped(at.differential(at.write(of, ATOM))), ATOM),
}

_KINDS: dict[type, Callable[[LatexStatements, Any], Printed]] = {
    Number: _number,
    Ref: _ref,
    Binary: _binary,
    Negative: _negative,
    Transpose: _transpose,
    Cases: _cases,
    Literal: _literal,
    Call: _call,
}

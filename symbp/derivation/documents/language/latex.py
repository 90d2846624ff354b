"""Trees -> LaTeX, in the symbols of the document."""

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
    Range,
    Ref,
    Statement,
    Transpose,
    is_sum,
    spread,
    without_minus,
)
from symbp.derivation.documents.records import Fault

if TYPE_CHECKING:
    from symbp.derivation.documents.shapes import Shapes

_RELATIONS = {"==": "=", "<=": r"\le", "!=": r"\ne", "<": "<", "<<": r"\leftarrow", ",": r",\quad"}
_WORDS = {"exp": r"\exp", "log": r"\ln", "tanh": r"\tanh"}
_ATOM = 9


class Latex:
    """Writes statements of one setting.

    Parameters
    ----------
    shapes : Shapes
        Tells products entry by entry, which have a sign, from products of numbers.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.names: dict[str, Any] = {}

    def statement(self, statement: Statement) -> str:
        """Return the formula of a statement, without its ranges."""
        self.names = {bound.index: 1 for bound in statement.ranges}
        return f" {_RELATIONS[statement.relation]} ".join(map(self.write, statement.sides))

    def ranges(self, ranges: tuple[Range, ...]) -> str:
        """Return the formula of the ranges."""
        return r",\; ".join(rf"{self.write(r.low)} \le {r.index} \le {self.write(r.high)}" for r in ranges)

    def write(self, tree: Expression, strength: int = 0) -> str:
        text, own = _WRITE[type(tree)](self, tree)
        return rf"\left({text}\right)" if own < strength else text

    def is_array(self, tree: Expression) -> bool:
        try:
            return not self.shapes.is_scalar(self.shapes.shape(tree, self.names))
        except Fault:
            return False

    def template(self, latex: str, name: str, layers: tuple[Expression, ...]) -> str:
        text = latex or rf"\mathrm{{{name}}}".replace("_", r"\_")
        for place, layer in enumerate(layers, 1):
            text = text.replace(f"#{place}", self.write(layer))
        return text

    def indices(self, entries: tuple[Expression, ...]) -> str:
        parts = list(map(self.write, entries))
        return ("" if all(len(part) == 1 for part in parts) else ", ").join(parts)


def _number(at: Latex, tree: Number) -> tuple[str, int]:
    return tree.text, _ATOM


def _ref(at: Latex, tree: Ref) -> tuple[str, int]:
    family = at.shapes.families.get(tree.name)
    if family is None and tree.name == at.shapes.setting.sizes and at.shapes.setting.width:
        return at.template(at.shapes.setting.width, tree.name, tree.layers), _ATOM
    if family is None:
        plain = tree.name if len(tree.name) == 1 else rf"\mathrm{{{tree.name}}}"
        return plain + (f"_{{{at.indices(tree.layers)}}}" if tree.layers else ""), _ATOM
    layers, entries = (tree.layers, tree.entries) if family.layers else ((), tree.layers)
    latex = (family.entry or family.latex) if entries else family.latex
    base = at.template(latex, tree.name, layers)
    if not entries:
        return base, _ATOM
    base = rf"\left[{base}\right]" if "_" in base else base
    return f"{base}_{{{at.indices(entries)}}}", _ATOM


def _binary(at: Latex, tree: Binary) -> tuple[str, int]:
    left, right = tree.left, tree.right
    bare = without_minus(tree)
    if bare is not None:
        return at.write(Negative(bare)), 1
    if tree.operator == "/":
        return rf"\frac{{{at.write(left)}}}{{{at.write(right)}}}", 4
    if tree.operator == "**":
        base = at.write(left, 5)
        base = f"{{{base}}}" if "^" in base else base
        return f"{base}^{{{at.write(right)}}}", 4
    if tree.operator in "+-":
        return f"{at.write(left, 1)} {tree.operator} {at.write(right, 2)}", 1
    entrywise = tree.operator == "*" and at.is_array(left) and at.is_array(right)
    if entrywise:
        return rf"{at.write(left, 3)} {at.shapes.setting.entrywise} {at.write(right, 4)}", 3
    dot = r" \cdot " if _starts_with_digit(right) else r"\, "
    if is_sum(right):  # nothing follows it, unless the product is a factor itself
        return f"{at.write(left, 3)}{dot}{at.write(right)}", 2
    return f"{at.write(left, 3)}{dot}{at.write(right, 4)}", 3


def _starts_with_digit(tree: Expression) -> bool:
    while isinstance(tree, Binary):
        tree = tree.left
    return isinstance(tree, Number)


def _negative(at: Latex, tree: Negative) -> tuple[str, int]:
    return f"-{at.write(tree.operand, 2)}", 1


def _transpose(at: Latex, tree: Transpose) -> tuple[str, int]:
    inner = at.write(tree.operand, _ATOM)
    return (rf"{{{inner}}}^{{\mathsf{{T}}}}" if "^" in inner else rf"{inner}^{{\mathsf{{T}}}}"), 5


def _cases(at: Latex, tree: Cases) -> tuple[str, int]:
    condition = f"{at.write(tree.left)} {_RELATIONS[tree.relation]} {at.write(tree.right)}"
    yes, no = at.write(tree.yes), at.write(tree.no)
    return rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}", 1


def _literal(at: Latex, tree: Literal) -> tuple[str, int]:
    rows = r" \\ ".join(" & ".join(map(at.write, row)) for row in tree.rows)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}", _ATOM


def _call(at: Latex, tree: Call) -> tuple[str, int]:
    before = dict(at.names)
    at.names.update({written(tree.arguments[place]): 1 for place in BINDERS.get(tree.name, ())})
    try:
        if tree.name in _CALLS:
            return _CALLS[tree.name](at, *tree.arguments)
        return _function(at, tree)
    finally:
        at.names = before


def _function(at: Latex, tree: Call) -> tuple[str, int]:
    functions = at.shapes.functions
    derivative = tree.name[0] == "d" and tree.name[1:] in functions
    function = functions.get(tree.name[1:] if derivative else tree.name)
    argument = rf"\left({at.write(tree.arguments[0])}\right)"
    if function is None:
        return f"{_WORDS.get(tree.name, tree.name)}{argument}", 4
    name = at.template(function.latex, function.name, tree.layers)
    if derivative:
        base, mark, rest = name.partition("^")
        name = f"{{{base}'}}{mark}{rest}"
    return f"{name}{argument}", 4


def _sum(at: Latex, body: Any, index: Any, *limits: Any) -> tuple[str, int]:
    """A sum with the limits that are printed: both, the last one, or none."""
    low = f"={at.write(limits[0])}" if len(limits) == 2 else ""
    high = f"^{{{at.write(limits[-1])}}}" if limits else ""
    return rf"\sum_{{{at.write(index)}{low}}}{high} {at.write(body, 2)}", 2


def _shown(at: Latex, parts: Sequence[Expression | None], dots: str, strength: int = 0) -> list[str]:
    return [dots if part is None else at.write(part, strength) for part in parts]


def _bracketed(rows: Sequence[str]) -> str:
    inner = r" \\ ".join(rows)
    return rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}"


def _descend(at: Latex, body: Any, index: Any, high: Any, low: Any) -> tuple[str, int]:
    return r"\, ".join(_shown(at, spread(body, index, high, low), r"\dots", 4)), 3


def _column(at: Latex, body: Any, index: Any, low: Any, high: Any) -> tuple[str, int]:
    return _bracketed(_shown(at, spread(body, index, low, high), r"\vdots")), _ATOM


def _row(at: Latex, body: Any, index: Any, low: Any, high: Any) -> tuple[str, int]:
    return _bracketed([" & ".join(_shown(at, spread(body, index, low, high), r"\cdots"))]), _ATOM


def _matrix(at: Latex, body: Any, *spans: Any) -> tuple[str, int]:
    lines = []
    for line in spread(body, *spans[:3]):
        columns = spread(body if line is None else line, *spans[3:])
        shown = _shown(at, columns, r"\cdots")
        # Between the rows dots stand below the first and the last column.
        dots = [r"\vdots" if column is not None else "" for column in columns]
        lines.append(" & ".join(dots if line is None else shown))
    return _bracketed(lines), _ATOM


def _derivative(at: Latex, of: Any, wrt: Any) -> tuple[str, int]:
    if isinstance(of, Binary | Call | Negative):
        return rf"\frac{{\partial}}{{\partial {at.write(wrt)}}}\left({at.write(of)}\right)", 4
    return rf"\frac{{\partial {at.write(of)}}}{{\partial {at.write(wrt)}}}", 4


_CALLS: dict[str, Callable[..., tuple[str, int]]] = {
    "sum": _sum,
    "descend": _descend,
    "column": _column,
    "row": _row,
    "matrix": _matrix,
    "identity": lambda at, order: (rf"\mathbf{{1}}_{{{at.write(order)}}}", _ATOM),
    "diag": lambda at, entries: (rf"\operatorname{{diag}}\left({at.write(entries)}\right)", 4),
    "rows": lambda at, array, low, high: (
        rf"\left[{at.write(array)}\right]_{{{at.write(low)}}}^{{{at.write(high)}}}",
        _ATOM,
    ),
    "append": lambda at, array, last: (
        rf"\begin{{bmatrix}} {at.write(array)} \\ {at.write(last)} \end{{bmatrix}}",
        _ATOM,
    ),
    "prepend": lambda at, first, array: (
        rf"\begin{{bmatrix}} {at.write(first)} \\ {at.write(array)} \end{{bmatrix}}",
        _ATOM,
    ),
    "kronecker": lambda at, a, b: (rf"\delta_{{{at.indices((a, b))}}}", _ATOM),
    "size": lambda at, array: (rf"\operatorname{{rows}}\left({at.write(array)}\right)", 4),
    "positive": lambda at, u: (rf"\max\left(0, {at.write(u)}\right)", 4),
    "D": _derivative,
    "grad": _derivative,
    "nabla": lambda at, of, wrt: (rf"\nabla {at.write(of, _ATOM)}", 4),
    "d": lambda at, of: (rf"\partial {at.write(of, _ATOM)}", _ATOM),
}

_WRITE: dict[type, Callable[[Latex, Any], tuple[str, int]]] = {
    Number: _number,
    Ref: _ref,
    Binary: _binary,
    Negative: _negative,
    Transpose: _transpose,
    Cases: _cases,
    Literal: _literal,
    Call: _call,
}

"""Statements of the documents -> MathML, in the symbols of the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbp.derivation.documents.language.latex import Latex
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
from symbp.errors import RenderError
from symbp.notation.letters import letter
from symbp.notation.mathml import APPLY, COMMA, TIMES, letter_element, row, rows

_ATOM = 9
_SIGNS = {
    "==": "=",
    "<=": "&#x2264;",
    "!=": "&#x2260;",
    "<": "&lt;",
    "<<": "&#x2190;",
    r"\circ": "&#x2218;",
    r"\otimes": "&#x2297;",
    r"\mathbin{.*}": ".*",
}
_WORDS = {"exp": "exp", "log": "ln", "tanh": "tanh"}
_MINUS = '<mo form="prefix">&#x2212;</mo>'
_T = '<mi mathvariant="normal">&#x1D5B3;</mi>'
_DIFFERENTIAL = '<mo lspace="0" rspace="0">&#x2202;</mo>'
_DOWN, _ACROSS = "<mo>&#x22EE;</mo>", "<mo>&#x22EF;</mo>"
_TOKEN: re.Pattern[str] = re.compile(r"\\[A-Za-z]+|\\,|#\d|\d+|.")
_STYLED = ("mathbf", "mathrm", "text", "hat", "boldsymbol", "mathsf")
_OPERATORS = {"sum": "&#x2211;", "ne": "&#x2260;"}


@dataclass(frozen=True)
class Scripted:
    """An element with what stands below and above it."""

    base: str
    below: str = ""
    above: str = ""

    def __str__(self) -> str:
        if self.below and self.above:
            return f"<msubsup>{row(self.base)}{row(self.below)}{row(self.above)}</msubsup>"
        if self.below or self.above:
            tag = "msub" if self.below else "msup"
            return f"<{tag}>{row(self.base)}{row(self.below or self.above)}</{tag}>"
        return self.base


class MathML(Latex):
    """Writes statements of one setting as MathML Core."""

    def statement(self, statement: Statement) -> str:
        self.names = {bound.index: 1 for bound in statement.ranges}
        sign = COMMA if statement.relation == "," else _sign(statement.relation)
        return sign.join(map(self.write, statement.sides))

    def ranges(self, ranges: tuple[Range, ...]) -> str:
        at_most = _sign("<=")
        return '<mo separator="true">,</mo>'.join(
            f"{self.write(r.low)}{at_most}<mi>{r.index}</mi>{at_most}{self.write(r.high)}" for r in ranges
        )

    def write(self, tree: Expression, strength: int = 0) -> str:
        printed: tuple[str, int] = _WRITE[type(tree)](self, tree)
        inner, own = printed
        return _bracket(inner) if own < strength else inner

    def indices(self, entries: tuple[Expression, ...]) -> str:
        short = all(len(written(entry)) == 1 for entry in entries)
        return ("<mo>&#x2063;</mo>" if short else COMMA).join(map(self.write, entries))

    def symbol(self, latex: str, name: str, layers: tuple[Expression, ...]) -> list[Scripted]:
        """Return the symbol that a document's LaTeX says, with the layers in their places."""
        if not latex:
            return [Scripted(f"<mi>{name.replace('_', '')}</mi>")]
        return _Template(latex, [self.write(layer) for layer in layers]).read()


class _Template:
    """Reads the few commands of LaTeX that the documents' symbols are written with; refuses any other."""

    def __init__(self, latex: str, layers: Sequence[str]) -> None:
        self.latex, self.layers = latex, layers
        found: list[str] = _TOKEN.findall(latex)
        self.tokens = [token for token in found if token.strip() and token != r"\,"]
        self.at = 0

    def take(self) -> str:
        if self.at == len(self.tokens):
            raise RenderError(f"symbol {self.latex!r}: something is missing at its end")
        self.at += 1
        return self.tokens[self.at - 1]

    def read(self, end: str = "") -> list[Scripted]:
        found: list[Scripted] = []
        while self.at < len(self.tokens):
            token = self.take()
            if token == end:
                return found
            if token in "_^":
                field = "below" if token == "_" else "above"
                found[-1] = replace(found[-1], **{field: self.argument()})
            else:
                found.append(Scripted(self.element(token)))
        if end:
            raise RenderError(f"symbol {self.latex!r}: a brace is not closed")
        return found

    def argument(self) -> str:
        token = self.take()
        return "".join(map(str, self.read("}"))) if token == "{" else self.element(token)

    def element(self, token: str) -> str:
        if token.startswith("#"):
            return self.layers[int(token[1:]) - 1]
        if token == "{":
            return row(*map(str, self.read("}")))
        if token.startswith("\\"):
            command = token[1:]
            if command in _STYLED:
                self.take()
                inner = "".join(self._until_brace())
                return letter_element(letter(rf"\{command}{{{inner}}}"))
            if command == "tfrac":
                return f"<mfrac>{row(self.argument())}{row(self.argument())}</mfrac>"
            if command in _OPERATORS:
                return f"<mo>{_OPERATORS[command]}</mo>"
            return letter_element(letter(token))
        if token.isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token in "()+-=,'":
            return f'<mo stretchy="false">{token}</mo>'
        raise RenderError(f"symbol {self.latex!r}: {token!r} has no MathML")

    def _until_brace(self) -> list[str]:
        found = []
        while (token := self.take()) != "}":
            found.append(token)
        return found


def _sign(relation: str) -> str:
    return f"<mo>{_SIGNS[relation]}</mo>"


def _bracket(inner: str) -> str:
    tall = any(element in inner for element in ("<mfrac>", "<munder", "<mtable"))
    sign = "<mo>{}</mo>" if tall else '<mo stretchy="false">{}</mo>'
    return row(sign.format("("), row(inner), sign.format(")"))


def _joined(parts: Sequence[Scripted]) -> str:
    return "".join(map(str, parts))


def _number(at: MathML, tree: Number) -> tuple[str, int]:
    return f"<mn>{tree.text}</mn>", _ATOM


def _ref(at: MathML, tree: Ref) -> tuple[str, int]:
    family = at.shapes.families.get(tree.name)
    if family is None and tree.name == at.shapes.setting.sizes and at.shapes.setting.width:
        return _joined(at.symbol(at.shapes.setting.width, tree.name, tree.layers)), _ATOM
    if family is None:
        below = at.indices(tree.layers) if tree.layers else ""
        return str(Scripted(f"<mi>{tree.name}</mi>", below)), _ATOM
    layers, entries = (tree.layers, tree.entries) if family.layers else ((), tree.layers)
    latex = (family.entry or family.latex) if entries else family.latex
    parts = at.symbol(latex, tree.name, layers)
    if not entries:
        return (row(_joined(parts)) if len(parts) > 1 else _joined(parts)), _ATOM
    if parts[-1].below or len(parts) > 1:
        inner = Scripted(row("<mo>[</mo>", _joined(parts), "<mo>]</mo>"))
    else:
        inner = parts[-1]
    return str(replace(inner, below=at.indices(entries))), _ATOM


def _binary(at: MathML, tree: Binary) -> tuple[str, int]:
    left, right = tree.left, tree.right
    bare = without_minus(tree)
    if bare is not None:
        return at.write(Negative(bare)), 1
    if tree.operator == "/":
        return f"<mfrac>{row(at.write(left))}{row(at.write(right))}</mfrac>", 4
    if tree.operator == "**":
        return f"<msup>{row(at.write(left, 5))}{row(at.write(right))}</msup>", 4
    if tree.operator in "+-":
        sign = "+" if tree.operator == "+" else "&#x2212;"
        return f"{at.write(left, 1)}<mo>{sign}</mo>{at.write(right, 2)}", 1
    entrywise = tree.operator == "*" and at.is_array(left) and at.is_array(right)
    if entrywise:
        return f"{at.write(left, 3)}{_sign(at.shapes.setting.entrywise)}{at.write(right, 4)}", 3
    if is_sum(right):  # nothing follows it, unless the product is a factor itself
        return f"{at.write(left, 3)}{TIMES}{at.write(right)}", 2
    shown = at.write(right, 3)
    dot = "<mo>&#x22C5;</mo>" if shown.startswith("<mn>") else TIMES
    return f"{at.write(left, 3)}{dot}{shown}", 3


def _negative(at: MathML, tree: Negative) -> tuple[str, int]:
    return f"{_MINUS}{at.write(tree.operand, 2)}", 1


def _transpose(at: MathML, tree: Transpose) -> tuple[str, int]:
    inner = at.write(tree.operand, _ATOM)
    raised = inner if not inner.startswith(("<msup>", "<msubsup>")) else _bracket(inner)
    return f"<msup>{row(raised)}{_T}</msup>", 5


def _cases(at: MathML, tree: Cases) -> tuple[str, int]:
    condition = f"{at.write(tree.left)}{_sign(tree.relation)}{at.write(tree.right)}"
    lines = [
        (at.write(tree.yes), f"<mtext>if&#xA0;</mtext>{condition}"),
        (at.write(tree.no), "<mtext>otherwise</mtext>"),
    ]
    return row("<mo>{</mo>", rows(lines, "cases")), 1


def _literal(at: MathML, tree: Literal) -> tuple[str, int]:
    return _bracketed([list(map(at.write, line)) for line in tree.rows]), _ATOM


def _call(at: MathML, tree: Call) -> tuple[str, int]:
    before = dict(at.names)
    at.names.update({written(tree.arguments[place]): 1 for place in BINDERS.get(tree.name, ())})
    try:
        if tree.name in _CALLS:
            return _CALLS[tree.name](at, *tree.arguments)
    finally:
        at.names = before
    functions = at.shapes.functions
    derivative = tree.name.startswith("d") and tree.name[1:] in functions
    function = functions.get(tree.name[1:] if derivative else tree.name)
    argument = f"{APPLY}{_bracket(at.write(tree.arguments[0]))}"
    if function is None:
        return f"<mi>{_WORDS.get(tree.name, tree.name)}</mi>{argument}", 4
    (*head, last) = at.symbol(function.latex, function.name, tree.layers)
    if derivative:
        last = replace(last, above=f"<mo>&#x2032;</mo>{last.above}")
    return f"{_joined((*head, last))}{argument}", 4


def _over(sign: str, index: str, low: str, high: str) -> str:
    return f"<munderover><mo>{sign}</mo>{row(index, '<mo>=</mo>', low)}{row(high)}</munderover>"


def _sum(at: MathML, body: Any, index: Any, *limits: Any) -> tuple[str, int]:
    """A sum with the limits that are printed: both, the last one, or none."""
    if len(limits) == 2:
        return _over("&#x2211;", *map(at.write, (index, *limits))) + at.write(body, 2), 2
    sign, below = "<mo>&#x2211;</mo>", row(at.write(index))
    above = row(at.write(limits[0])) if limits else ""
    tag = "munderover" if limits else "munder"
    return f"<{tag}>{sign}{below}{above}</{tag}>" + at.write(body, 2), 2


def _descend(at: MathML, body: Any, index: Any, high: Any, low: Any) -> tuple[str, int]:
    return TIMES.join(_shown(at, spread(body, index, high, low), "<mo>&#x2026;</mo>", 4)), 3


def _shown(at: MathML, parts: Sequence[Expression | None], dots: str, strength: int = 0) -> list[str]:
    return [dots if part is None else at.write(part, strength) for part in parts]


def _bracketed(lines: Sequence[Sequence[str]]) -> str:
    return row("<mo>[</mo>", rows(lines, "matrix"), "<mo>]</mo>")


def _enclosed(inner: str) -> str:
    return row("<mo>[</mo>", row(inner), "<mo>]</mo>")


def _column(at: MathML, body: Any, index: Any, low: Any, high: Any) -> tuple[str, int]:
    return _bracketed([[part] for part in _shown(at, spread(body, index, low, high), _DOWN)]), _ATOM


def _row(at: MathML, body: Any, index: Any, low: Any, high: Any) -> tuple[str, int]:
    return _bracketed([_shown(at, spread(body, index, low, high), _ACROSS)]), _ATOM


def _matrix(at: MathML, body: Any, *spans: Any) -> tuple[str, int]:
    lines = []
    for line in spread(body, *spans[:3]):
        columns = spread(body if line is None else line, *spans[3:])
        dots = [_DOWN if column is not None else "" for column in columns]
        lines.append(dots if line is None else _shown(at, columns, _ACROSS))
    return _bracketed(lines), _ATOM


def _derivative(at: MathML, of: Any, wrt: Any) -> tuple[str, int]:
    below = row(_DIFFERENTIAL, at.write(wrt))
    if isinstance(of, Binary | Call | Negative):
        return f"<mfrac>{_DIFFERENTIAL}{below}</mfrac>{_bracket(at.write(of))}", 4
    return f"<mfrac>{row(_DIFFERENTIAL, at.write(of))}{below}</mfrac>", 4


def _named(name: str) -> Callable[..., tuple[str, int]]:
    return lambda at, argument: (f"<mi>{name}</mi>{APPLY}{_bracket(at.write(argument))}", 4)


_CALLS: dict[str, Callable[..., tuple[str, int]]] = {
    "sum": _sum,
    "descend": _descend,
    "column": _column,
    "row": _row,
    "matrix": _matrix,
    "identity": lambda at, order: (str(Scripted("<mn>&#x1D7CF;</mn>", at.write(order))), _ATOM),
    "diag": _named("diag"),
    "rows": lambda at, array, low, high: (
        str(Scripted(_enclosed(at.write(array)), at.write(low), at.write(high))),
        _ATOM,
    ),
    "append": lambda at, array, last: (
        _bracketed([[at.write(array)], [at.write(last)]]),
        _ATOM,
    ),
    "prepend": lambda at, first, array: (
        _bracketed([[at.write(first)], [at.write(array)]]),
        _ATOM,
    ),
    "kronecker": lambda at, a, b: (str(Scripted("<mi>&#x3B4;</mi>", at.indices((a, b)))), _ATOM),
    "size": _named("rows"),
    "positive": lambda at, u: (
        f"<mi>max</mi>{APPLY}{_bracket(f'<mn>0</mn>{COMMA}{at.write(u)}')}",
        4,
    ),
    "D": _derivative,
    "grad": _derivative,
    "nabla": lambda at, of, wrt: (f'<mo form="prefix">&#x2207;</mo>{at.write(of, _ATOM)}', 4),
    "d": lambda at, of: (row(_DIFFERENTIAL, at.write(of, _ATOM)), _ATOM),
}

_WRITE: dict[type, Callable[[MathML, Any], tuple[str, int]]] = {
    Number: _number,
    Ref: _ref,
    Binary: _binary,
    Negative: _negative,
    Transpose: _transpose,
    Cases: _cases,
    Literal: _literal,
    Call: _call,
}

"""What all printers share: which symbol, which indices, in which order.

A printer for one format is this class before SymPy's printer of that format, plus the few
methods in which formats differ (:class:`Format`). SymPy's printer remains for what is
not ours: numbers, plain symbols, elementary functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import sympy
from sympy import Eq, Ge, Gt, MatMul, Ne, Pow, Symbol
from sympy.concrete.summations import Sum
from sympy.core.relational import Relational

from symbp.algebra.matrices import ChainMatrix, StepMatrix, is_matrix
from symbp.algebra.nodes import L, MaxOver, Node, Partial, Width, output_activation
from symbp.notation.order import is_decimal, product, terms
from symbp.notation.records import Glyph, Notation


@dataclass(frozen=True)
class Relation:
    """An equation in print, its right side still in terms so that a page can break it.

    Attributes
    ----------
    left, sign : str
    terms : tuple of str
        The terms of the right side; all but the first begin with their sign.
    """

    left: str
    sign: str
    terms: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.left, self.sign, *self.terms))


class Format(Protocol):
    """Where formats differ."""

    signs: ClassVar[dict[str, str]]
    names: ClassVar[dict[str, str]]

    def letter(self, glyph: Glyph) -> str: ...
    def bracket(self, inner: str) -> str: ...
    def quotient(self, above: Sequence[Any], below: Sequence[Any]) -> str: ...
    def partial(self, of: str, wrt: str) -> str: ...
    def big(self, operator: str, low: str, high: str) -> str: ...
    def cases(self, branches: Sequence[tuple[str, str]]) -> str: ...
    def table(self, rows: Sequence[Sequence[str]]) -> str: ...


class Writer:
    """Prints expressions and equations in a notation.

    Parameters
    ----------
    notation : Notation
    widths : sequence of int, optional
        (N_0, ..., N_{L+1}), by which a bias is known where layers are numbers.
    """

    def __init__(self, notation: Notation, widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.notation = notation
        self.widths = tuple(widths)

    # Whole statements -----------------------------------------------------------------

    def expression(self: Any, expr: Any) -> str:
        """Return the expression in print."""
        return str(self._print(expr))

    def equation(self, statement: Any) -> str:
        """Return the equation in print, on one line."""
        return str(self.relation(statement))

    def relation(self: Any, statement: Any) -> Relation:
        """Return the equation in print, in parts."""
        left, right = statement.args
        if isinstance(left, Node) and left.kind == "w_new":
            # An update is an assignment to the weight itself (eq. 2.2).
            return Relation(
                self._print(Node("w", left.layer, left.indices)), self.signs["<-"], self._terms(right)
            )
        return Relation(self._print(left), self.signs["="], self._terms(right))

    def conditions(self: Any, assumptions: Iterable[Any]) -> tuple[str, ...]:
        """Return the conditions in print, joined to chains: 1 <= k < l <= L + 1."""
        return tuple(self._chain(chain) for chain in chains(assumptions))

    def _chain(self: Any, chain: tuple[Any, ...]) -> str:
        return " ".join(self.signs[x] if isinstance(x, str) else self._print(x) for x in chain)

    # Symbols --------------------------------------------------------------------------

    def symbol(self: Any, key: str, layer: Any = None, indices: Sequence[Any] = (), sample: Any = None) -> str:
        """Return a symbol of the notation with layer, indices and sample in their places."""
        glyph = self.notation.symbols[key]
        places: dict[str, list[str]] = {"sub": [], "sup": [], "none": []}
        if layer is not None:
            places[glyph.layer].append(self._layer(glyph, layer))
        if sample is not None:
            places["sup"].append(self._small(sample))
        letter = self.letter(glyph)
        if glyph.bracketed:
            letter = f"[{scripted(letter, places['sub'], places['sup'])}]"
            places = {"sub": [], "sup": [], "none": []}
        order = glyph.order or range(len(indices))
        places["sub"].append(together([self._small(indices[n]) for n in order]))
        return scripted(letter, places["sub"], places["sup"])

    def _layer(self: Any, glyph: Glyph, layer: Any) -> str:
        before, after = self.notation.layer_brackets
        return f"{before}{self._small(layer + glyph.shift)}{after}"

    def _small(self: Any, expr: Any) -> str:
        """Print for a subscript or superscript: no spaces around signs."""
        return compact(self._print(expr))

    def _print_Node(self: Any, node: Node) -> str:
        indices = node.indices
        if node.kind in ("w", "w_new", "a"):
            indices = (*indices[:-1], self._input_position(node.layer, indices[-1]))
        if node.kind == "o" and node.layer == 0:
            return str(self.symbol("x", None, indices, node.sample))
        if node.kind == "T":
            # Its entries are those of the product up to the output layer, T_k^L.
            return f"[{self._print(ChainMatrix(self._last_hidden(), node.layer))}]_{braced(together(list(map(self._small, indices))))}"
        return str(self.symbol(node.kind, node.layer, indices, node.sample))

    def _last_hidden(self) -> Any:
        return sympy.Integer(len(self.widths) - 2) if self.widths else L

    def _input_position(self: Any, layer: Any, position: Any) -> Any:
        """Return the number that the notation gives to an input of a layer."""
        before = sympy.expand(layer - 1)
        width = self.widths[int(before)] if self.widths and before.is_Integer else Width(before)
        is_bias = sympy.expand(position - width - 1) == 0
        return sympy.S.Zero if is_bias and self.notation.bias == "first" else position

    def _print_Symbol(self: Any, symbol: Symbol) -> str:
        glyph = self.notation.symbols.get(symbol.name)
        # A plain symbol named like a kind of node is an index: the names share one table.
        if glyph is not None and symbol.name in ("L", "m", "eta"):
            return str(self.letter(glyph))
        return str(super()._print_Symbol(symbol))  # type: ignore[misc]

    def _print_Width(self: Any, expr: Any) -> str:
        return str(self.symbol(type(expr).__name__, expr.args[0]))

    _print_Inputs = _print_Width
    _print_HasBias = _print_Width

    def _print_KroneckerDelta(self: Any, expr: Any) -> str:
        return str(self.symbol("KroneckerDelta", None, sorted(expr.args[:2], key=self._kronecker_place)))

    def _kronecker_place(self: Any, position: Any) -> tuple[int, str]:
        # Numbers and sizes stand for the running index: delta_{1i}, delta_{N_k,i}.
        return self.notation.kronecker_order.find(str(position)), str(position)

    # Functions and derivatives --------------------------------------------------------

    def _print_Partial(self: Any, expr: Partial) -> str:
        return str(self.partial(self._print(expr.of), self._print(expr.wrt)))

    def _print_Activate(self: Any, expr: Any) -> str:
        layer, argument = expr.args
        return f"{self.symbol('Activate', layer)}{self.bracket(self._print(argument))}"

    def _call(self: Any, name: str, arguments: Iterable[Any]) -> str:
        return f"{self.names.get(name) or self.operator(name)}{self.bracket(', '.join(map(self._print, arguments)))}"

    def _print_Function(self: Any, expr: Any) -> str:
        return str(self._call(type(expr).__name__, expr.args))

    _print_log = _print_Function
    _print_Abs = _print_Function
    _print_Max = _print_Function
    _print_Min = _print_Function

    def _print_Softplus(self: Any, expr: Any) -> str:
        return str(self._call("softplus", expr.args))

    # Sums and products ----------------------------------------------------------------

    def _terms(self: Any, expr: Any) -> tuple[str, ...]:
        if is_matrix(expr) or not getattr(expr, "is_Add", False):
            return (self._print(expr),)
        printed = []
        for n, term in enumerate(terms(expr)):
            text = self._print(term)
            negative = text.startswith("-")
            bare = text[1:].lstrip() if negative else text
            sign = "-" if negative else "+"
            printed.append(text if n == 0 else f"{sign} {bare}")
        return tuple(printed)

    def _print_Add(self: Any, expr: Any) -> str:
        return " ".join(self._terms(expr))

    def _print_MatAdd(self: Any, expr: Any) -> str:
        return " + ".join(self._factor(a, last=True) for a in expr.args)

    def _print_Mul(self: Any, expr: Any) -> str:
        taken = product(expr)
        sign = "-" if taken.negative else ""
        if not taken.below:
            return sign + str(self.factors(taken.above))
        large = [f for f in taken.above if f.has(Sum, MaxOver) or is_matrix(f)]
        if not large:
            return sign + str(self.quotient(taken.above, taken.below))
        small = [f for f in taken.above if f not in large]
        return f"{sign}{self.coefficient(small, taken.below)} {self.factors(large)}"

    def _print_MatMul(self: Any, expr: Any) -> str:
        scalar = sympy.Mul(*(a for a in expr.args if not is_matrix(a)))
        parts = [self._factor(a, last=False) for a in expr.args if is_matrix(a)]
        if scalar == -1:
            return "-" + " ".join(parts)
        return " ".join(parts if scalar == 1 else [self._factor(scalar, last=False), *parts])

    def factors(self: Any, parts: Sequence[Any]) -> str:
        """Return a product in print; a factor alone needs no brackets."""
        if not parts:
            return "1"
        if len(parts) == 1:
            return str(self._print(parts[0]))
        return " ".join(self._factor(f, last=f is parts[-1]) for f in parts)

    def _factor(self: Any, factor: Any, last: bool) -> str:
        printed = str(self._print(factor))
        open_ended = isinstance(factor, (Sum, MaxOver)) and not last
        is_sum = bool(getattr(factor, "is_Add", False) or getattr(factor, "is_MatAdd", False))
        return str(self.bracket(printed)) if is_sum or open_ended or printed.startswith("-") else printed

    def _print_Pow(self: Any, expr: Pow) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == sympy.Rational(1, 2):
            return str(self.root(self._print(base)))
        if exponent.could_extract_minus_sign():
            return str(self.quotient((), (Pow(base, -exponent),)))
        printed = self._print(base)
        plain = isinstance(base, Symbol) or (base.is_Integer and base >= 0)
        return f"{printed if plain else self.bracket(printed)}^{braced(self._small(exponent))}"

    def _print_Rational(self: Any, number: Any) -> str:
        if is_decimal(number):
            return decimal(number)
        if number.q == 1:
            return str(number.p)
        sign = "-" if number < 0 else ""
        return sign + str(self.quotient((sympy.Integer(abs(number.p)),), (sympy.Integer(number.q),)))

    def _print_Float(self: Any, number: Any) -> str:
        return format(float(number), ".15g")

    def _print_Sum(self: Any, expr: Sum) -> str:
        operators = [self._sum_operator(expr, limit) for limit in reversed(expr.limits)]
        body = self._print(expr.function)
        needs = expr.function.is_Add or body.startswith("-")
        return " ".join((*operators, self.bracket(body) if needs else body))

    def _sum_operator(self: Any, total: Sum, limit: Any) -> str:
        symbol, low, high = limit
        inputs = any(n.kind == "a" and n.indices[0] == symbol for n in total.atoms(Node))
        if inputs and self.notation.bias == "first":
            low, high = low - 1, high - 1
        return str(self.big("sum", f"{self._print(symbol)}={self._small(low)}", self._small(high)))

    def _print_MaxOver(self: Any, expr: MaxOver) -> str:
        symbol, low, high = expr.limits[0]
        body = self._print(expr.function)
        operator = self.big("max", f"{self._print(symbol)}={self._small(low)}", self._small(high))
        return f"{operator} {self.bracket(body) if expr.function.is_Add else body}"

    # Matrices -------------------------------------------------------------------------

    def _print_StepMatrix(self: Any, matrix: Any) -> str:
        return str(self.symbol("StepMatrix", matrix.args[0]))

    def _print_DeltaColumn(self: Any, matrix: Any) -> str:
        return str(self.symbol("DeltaColumn", matrix.args[0], (), *matrix.args[1:]))

    def _print_ChainMatrix(self: Any, matrix: Any) -> str:
        upper, lower = matrix.args
        return scripted(
            self.letter(self.notation.symbols["ChainMatrix"]), [self._small(lower)], [self._small(upper)]
        )

    def _print_StepProduct(self: Any, matrix: Any) -> str:
        upper, lower = matrix.args
        gap = sympy.expand(upper - lower)
        if gap.is_Integer and gap <= 3:
            parts = [self._print(StepMatrix(upper - n)) for n in range(int(gap) + 1)]
        else:
            first, second, last_but_one, last = (
                self._print(StepMatrix(n)) for n in (upper, upper - 1, lower + 1, lower)
            )
            parts = [first, second, self.signs["..."], last_but_one, last]
        return " ".join(parts)

    def _print_PreActivationColumn(self: Any, matrix: Any) -> str:
        layer, wrt = matrix.args
        return str(self.partial(self.symbol("PreActivationColumn", layer), self._print(wrt)))

    def _print_OutputRow(self: Any, matrix: Any) -> str:
        activation = self._print(output_activation(matrix.args[0]))
        return str(self.partial(activation, self.symbol("OutputRow", L + 1)))

    def _print_UnitColumn(self: Any, matrix: Any) -> str:
        rows = matrix.shape[0]
        if rows.is_Integer and rows <= 4:
            shown = [self._print(matrix._entry(n, 0)) for n in range(1, int(rows) + 1)]
        else:
            first, second, last = (self._unit_entry(matrix, n) for n in (sympy.S.One, sympy.Integer(2), rows))
            shown = [first, second, self.signs[":"], last]
        return str(self.table([[entry] for entry in shown]))

    def _unit_entry(self: Any, matrix: Any, row: Any) -> str:
        return str(self.symbol("KroneckerDelta", None, (row, matrix.args[1])))

    def _print_Identity(self: Any, matrix: Any) -> str:
        return scripted(self.letter(self.notation.symbols["Identity"]), [self._small(matrix.args[0])], [])

    def _print_Transpose(self: Any, matrix: Any) -> str:
        inner = self._print(matrix.args[0])
        plain = "^" not in inner and not isinstance(matrix.args[0], MatMul)
        return f"{inner if plain else self.bracket(inner)}^{self.signs['T']}"

    def _print_MatrixBase(self: Any, matrix: Any) -> str:
        return str(self.table([[self._print(x) for x in row] for row in matrix.tolist()]))

    # Conditions -----------------------------------------------------------------------

    def _print_Relational(self: Any, relation: Any) -> str:
        return f"{self._print(relation.lhs)} {self.signs[relation.rel_op]} {self._print(relation.rhs)}"

    def _print_Equality(self: Any, relation: Any) -> str:
        return str(self.relation(relation))

    def _print_Piecewise(self: Any, expr: Any) -> str:
        branches = [
            (self._print(value), "" if condition is sympy.true else self._print(condition))
            for value, condition in expr.args
        ]
        return str(self.cases(branches))


# Small text --------------------------------------------------------------------------------


def braced(inner: str) -> str:
    """Return a script with the braces it needs."""
    return inner if len(inner) == 1 else f"{{{inner}}}"


def scripted(letter: str, sub: Iterable[str], sup: Iterable[str]) -> str:
    """Return a letter with its scripts."""
    lower, upper = (",".join(filter(None, parts)) for parts in (sub, sup))
    return letter + (f"_{braced(lower)}" if lower else "") + (f"^{braced(upper)}" if upper else "")


def together(indices: Sequence[str]) -> str:
    """Join indices: ij, but r,65."""
    return ("" if all(len(x) == 1 for x in indices) else ",").join(indices)


def compact(printed: str) -> str:
    """Take out the spaces around plus and minus."""
    return printed.replace(" + ", "+").replace(" - ", "-")


def decimal(number: Any) -> str:
    """Return a fraction whose denominator divides a power of ten, digit by digit."""
    digits = 0
    while (number * 10**digits).q != 1:
        digits += 1
    sign, scaled = ("-" if number < 0 else ""), str(abs(number.p) * 10**digits // number.q)
    scaled = scaled.rjust(digits + 1, "0")
    return f"{sign}{scaled[:-digits]}.{scaled[-digits:]}"


# Chains of conditions -------------------------------------------------------------------------


def chains(assumptions: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
    """Join inequalities that share an end: k < l and l <= L + 1 to (1, <=, k, <, l, <=, L + 1).

    What SymPy knows already (an index is at least 1) is not among the assumptions; it is
    shown again in front of an index that begins a chain.
    """
    links: list[list[Any]] = []
    others: list[tuple[Any, ...]] = []
    for assumption in assumptions:
        if not isinstance(assumption, Relational) or assumption is sympy.true:
            continue
        low, high, sign = assumption.lhs, assumption.rhs, assumption.rel_op
        if isinstance(assumption, (Eq, Ne)):
            others.append((low, "=" if isinstance(assumption, Eq) else "!=", high))
            continue
        if isinstance(assumption, (Ge, Gt)):
            low, high, sign = high, low, sign.replace(">", "<")
        for link in links:
            if link[-1] == low:
                link += [sign, high]
                break
            if link[0] == high:
                link[:0] = [low, sign]
                break
        else:
            links.append([low, sign, high])
    return (*(tuple(_from_one(link)) for link in links), *others)


def _from_one(link: list[Any]) -> list[Any]:
    first = link[0]
    return [sympy.S.One, "<=", *link] if isinstance(first, Symbol) and first.is_positive else link

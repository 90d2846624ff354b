"""What all printers share: which symbol, which indices, in which order.

A printer for one format is this class before SymPy's printer of that format, plus the few
methods in which formats differ. SymPy's printer remains for what is
not ours: numbers, plain symbols, elementary functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy
from sympy import Symbol

from symbp.algebra.marks import FINITE, Raised
from symbp.algebra.matrices import Updated
from symbp.algebra.named import Named
from symbp.algebra.nodes import Constant, L, Node, Partial, index
from symbp.algebra.updates import PerWeight
from symbp.notation.arithmetic import Arithmetic
from symbp.notation.conditions import chains, plain
from symbp.notation.layout import Relation
from symbp.notation.matrices import MatrixWriter
from symbp.notation.records import PLAIN, Glyph, Notation, is_of_weights
from symbp.notation.structure import Structure
from symbp.notation.training import GLYPHS
from symbp.notation.training_names import TrainingNames


@dataclass(frozen=True)
class Printed:
    """An equation as the notation has it, in print, with the conditions under which it holds."""

    equation: Any
    relation: Relation
    conditions: tuple[str, ...]


class Writer(TrainingNames, MatrixWriter, Arithmetic, ABC):
    """Prints expressions and equations in a notation.

    Parameters
    ----------
    notation : Notation
    widths : sequence of int, optional
        (N_0, ..., N_{L+1}), by which a bias is known where layers are numbers.
    biases : sequence of bool, optional
        Whether layers 1, ..., L + 1 have a bias; all have if it is left out.

    Attributes
    ----------
    as_computed : bool
        Whether ln(1 + u) is shown as log1p(u) where that is what kernels compute.
    """

    as_computed = False

    # What a format adds ---------------------------------------------------------------

    signs: ClassVar[Mapping[str, str]]
    names: ClassVar[Mapping[str, str]]

    # SymPy's printer dispatches on the expression's class.
    _print: Callable[..., str]

    @abstractmethod
    def letter(self, glyph: Glyph) -> str:
        """Return the glyph's letter in this format."""

    @abstractmethod
    def operator(self, name: str) -> str:
        """Return the name of a function that :attr:`names` does not have."""

    @abstractmethod
    def bracket(self, inner: str) -> str:
        """Put round brackets around what is printed."""

    @abstractmethod
    def quotient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        """Return a fraction of two products."""

    @abstractmethod
    def coefficient(self, above: Sequence[Any], below: Sequence[Any]) -> str:
        """Return a fraction that stands in front of other factors."""

    @abstractmethod
    def root(self, inner: str) -> str:
        """Return a square root."""

    @abstractmethod
    def partial(self, of: str, wrt: str) -> str:
        """Return a partial derivative."""

    @abstractmethod
    def big(self, operator: str, index: str, low: str, high: str) -> str:
        """Return the operator of a sum or maximum with its limits."""

    @abstractmethod
    def cases(self, branches: Sequence[tuple[str, str]]) -> str:
        """Return a case distinction; an empty condition is "otherwise"."""

    @abstractmethod
    def table(self, rows: Sequence[Sequence[str]]) -> str:
        """Return a matrix."""

    def __init__(
        self, notation: Notation, widths: Sequence[int] = (), biases: Sequence[bool] | None = None
    ) -> None:
        super().__init__()
        self.notation = notation
        self.widths = tuple(widths)
        self.structure = Structure(notation, widths, biases)
        self._printed: dict[Any, tuple[Printed, ...]] = {}

    # Whole statements -----------------------------------------------------------------

    def expression(self, expr: Any) -> str:
        """Return the expression in print."""
        return self._print(expr)

    def equation(self, statement: Any) -> str:
        """Return the equation in print, on one line."""
        return str(self.relation(statement))

    def relation(self, statement: Any) -> Relation:
        """Return the equation in print, in parts; the first where the notation makes several."""
        return self.written(self.structure.said(statement)[0].equation)

    def printed(self, statement: Any, assumptions: Iterable[Any] = ()) -> tuple[Printed, ...]:
        """Return all that the notation makes of an equation with its conditions.

        Nothing, where both sides are the same in it, or where it has no letter for what is defined.
        A page asks several times for each.
        """
        asked = (statement, tuple(assumptions))
        if asked not in self._printed:
            self._printed[asked] = self._print_all(*asked)
        return self._printed[asked]

    def _print_all(self, statement: Any, assumptions: tuple[Any, ...]) -> tuple[Printed, ...]:
        if type(statement.lhs).__name__ in self.notation.without:
            return ()
        found = {
            str(relation): Printed(said.equation, relation, self.conditions(said.conditions))
            for said in self.structure.said(statement, assumptions)
            if (relation := self.written(said.equation)).left != " ".join(relation.terms)
        }
        return tuple(found.values())

    def as_it_stands(self, statement: Any, assumptions: Iterable[Any] = ()) -> Printed:
        """Return the equation in print even where it says nothing in the notation."""
        first = self.structure.said(statement, assumptions)[0]
        return Printed(first.equation, self.written(first.equation), self.conditions(first.conditions))

    def written(self, statement: Any) -> Relation:
        """Return an equation that is as the notation has it, in print."""
        (left, right), sign = statement.args, "="
        if isinstance(left, Updated) or (isinstance(left, PerWeight) and left.role == "new"):
            sign = "<-"
        if isinstance(left, Node) and left.kind == "w_new":
            # An update is an assignment to the weight itself (eq. 2.2).
            left, sign = Node("w", left.layer, left.indices), "<-"
        return Relation(self._print(left), self.signs[sign], self._terms(right))

    def conditions(self, assumptions: Iterable[Any]) -> tuple[str, ...]:
        """Return the conditions in print, joined to chains: 1 <= k < l <= L + 1."""
        letters = self.notation.letters
        layers = [] if letters is None else list(map(index, (letters.layer, *letters.layers)))
        return tuple(self._chain(plain(chain, layers)) for chain in chains(assumptions))

    def _chain(self, chain: tuple[Any, ...]) -> str:
        return " ".join(self.signs[x] if isinstance(x, str) else self._print(x) for x in chain)

    # Symbols --------------------------------------------------------------------------

    def symbol(self, key: str, layer: Any = None, indices: Sequence[Any] = (), sample: Any = None) -> str:
        """Return a symbol of the notation with layer, indices and sample in their places."""
        glyph = self.notation.glyph(key)
        places: dict[str, list[str]] = {"sub": [], "sup": [], "none": []}
        if layer is not None:
            places[glyph.layer].append(self._layer(glyph, layer))
        if sample is not None:
            self._add_sample(places, self._small(sample))
        letter = self.letter(glyph)
        if glyph.bracketed:
            letter = self.enclosed("[", self.scripted(letter, places["sub"], places["sup"]), "]")
            places = {"sub": [], "sup": [], "none": []}
        order = glyph.order or range(len(indices))
        places["sub"].append(self.together([self._small(indices[n]) for n in order]))
        return self.scripted(letter, places["sub"], places["sup"])

    def _add_sample(self, places: dict[str, list[str]], sample: str) -> None:
        place = self.notation.sample_place
        before, after = self.notation.sample_brackets if place != "sub" else ("", "")
        scripts = places["sub" if place == "sub" else "sup"]
        scripts.insert(0 if place == "before" else len(scripts), self.enclosed(before, sample, after))

    def _layer(self, glyph: Glyph, layer: Any) -> str:
        # Brackets tell a layer from a power, which a subscript cannot be taken for.
        before, after = self.notation.layer_brackets if glyph.layer == "sup" else ("", "")
        return self.enclosed(before, self._small(layer + glyph.shift), after)

    def _small(self, expr: Any) -> str:
        """Print for a subscript or superscript: no spaces around signs."""
        return self.small(self._print(expr))

    def _print_Node(self, node: Node) -> str:
        indices = node.indices
        if node.kind == "a" or (indices and is_of_weights(node.kind)):
            if self.has_own_bias(node):
                return self._bias(node)
            indices = (*indices[:-1], self._input_position(node.layer, indices[-1]))
        if self.is_input(node):
            return self.symbol("x", None, indices, node.sample)
        if node.kind == "sigma" and self.notation.output == "applied":
            return self._applied(node)
        if node.kind == "T":
            # Its entries are those of the product up to the output layer, T_k^L.
            matrix = self._chain_matrix(self._last_hidden(), node.layer, node.sample)
            entry = self.together([self._small(n) for n in indices])
            return self.scripted(self.enclosed("[", matrix, "]"), [entry], [])
        return self.symbol(node.kind, node.layer, indices, node.sample)

    def _last_hidden(self) -> Any:
        return sympy.Integer(len(self.widths) - 2) if self.widths else L - self.beyond

    def _input_position(self, layer: Any, position: Any) -> Any:
        """Return the number that the notation gives to an input of a layer."""
        first = self.notation.bias == "first" and self.structure.is_bias(layer, position)
        return sympy.S.Zero if first else position

    def is_input(self, node: Node) -> bool:
        """Return whether a node is an input of the network, and inputs have a letter of their own."""
        if node.kind == "a" and self.notation.output == "applied":
            return bool(node.layer == 1) and "x" not in self.notation.without
        return node.kind == "o" and node.layer == 0 and "x" not in self.notation.without

    def has_own_bias(self, node: Node) -> bool:
        """Return whether a quantity of the weights belongs to a bias, and biases have their own letter."""
        separate = self.notation.bias == "separate" and bool(node.indices) and is_of_weights(node.kind)
        return separate and self.structure.is_bias(node.layer, node.indices[-1])

    def _bias(self, node: Node) -> str:
        """Return a bias that has a letter of its own; further quantities of it have b for their input."""
        row = node.indices[0]
        if node.kind in ("w", "w_new"):
            return self.symbol("bias", node.layer, (row,), node.sample)
        return self.symbol(node.kind, node.layer, (row, Symbol("b")), node.sample)

    def _applied(self, node: Node) -> str:
        """Return an output as a function of the weighted sums: [g(z^(L))]_i."""
        inner = self.applied(
            self.symbol("Activate", node.layer), self.bracket(self.symbol("WeightedSums", node.layer))
        )
        indices = [self._small(n) for n in node.indices]
        return self.scripted(self.enclosed("[", inner, "]"), [self.together(indices)], [])

    def _print_Symbol(self, symbol: Symbol) -> str:
        if symbol.name in PLAIN:
            return self.letter(self.notation.symbols[symbol.name])
        if symbol.name in GLYPHS:
            return self.named(GLYPHS[symbol.name])
        return str(super()._print_Symbol(symbol))  # type: ignore[misc]

    def _print_Width(self, expr: Any) -> str:
        return self.symbol(type(expr).__name__, expr.args[0])

    _print_Inputs = _print_Width
    _print_HasBias = _print_Width

    def _print_KroneckerDelta(self, expr: Any) -> str:
        return self.symbol("KroneckerDelta", None, sorted(expr.args[:2], key=self._kronecker_place))

    def _kronecker_place(self, position: Any) -> tuple[int, str]:
        # Numbers and sizes stand for the running index: delta_{1i}, delta_{N_k,i}.
        return self.notation.kronecker_order.find(str(position)), str(position)

    # Functions and derivatives --------------------------------------------------------

    def _print_Partial(self, expr: Partial) -> str:
        of = expr.of
        if of.kind == "sigma" and self.notation.output == "applied":
            of = of.but("h")
        return self.partial(self._print(of), self._print(expr.wrt))

    def _print_Activate(self, expr: Any) -> str:
        layer, argument = expr.args
        return self.applied(self.symbol("Activate", layer), self.bracket(self._print(argument)))

    def _call(self, name: str, arguments: Iterable[Any]) -> str:
        function = self.names.get(name) or self.operator(name)
        return self.applied(function, self.bracket(self.listed([self._print(a) for a in arguments])))

    def _print_Function(self, expr: Any) -> str:
        name = expr.title if isinstance(expr, Named) else type(expr).__name__
        return self._call(name, expr.args)

    def _print_log1p(self, expr: Any) -> str:
        return self._print_Function(expr) if self.as_computed else self._call("log", [1 + expr.args[0]])

    _print_log = _print_Function
    _print_Abs = _print_Function
    _print_Max = _print_Function
    _print_Min = _print_Function

    def _print_First(self, expr: Any) -> str:
        return self.bracket(self._print(expr.args[0]))

    def _print_Raised(self, expr: Any) -> str:
        (inner,) = expr.args
        while isinstance(inner, Raised):
            (inner,) = inner.args
        return self._call(FINITE, [inner])

    _print_Lowered = _print_Raised

    def _print_Erfc(self, expr: Any) -> str:
        return self._call("erfc", expr.args)

    # Conditions -----------------------------------------------------------------------

    def _print_Relational(self, relation: Any) -> str:
        if isinstance(relation.lhs, (Constant, Symbol)) and isinstance(relation.rhs, sympy.Abs):
            relation = relation.reversed  # |h - y| <= delta, whatever order SymPy has chosen
        return f"{self._print(relation.lhs)} {self.signs[relation.rel_op]} {self._print(relation.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return self.word(type(expr).__name__.lower()).join(map(self._print, expr.args))

    _print_Or = _print_And

    def _print_Equality(self, relation: Any) -> str:
        return str(self.relation(relation))

    def _print_Piecewise(self, expr: Any) -> str:
        branches = [
            (self._print(value), "" if condition is sympy.true else self._print(condition))
            for value, condition in expr.args
        ]
        return self.cases(branches)

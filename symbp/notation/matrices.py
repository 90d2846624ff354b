"""How matrices are printed: S and T, columns and rows, and the matrix forms of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import sympy
from sympy import Expr, MatAdd, MatMul

from symbp.algebra.matrices import GradientMatrix, Hadamard, StepMatrix, WeightedSums
from symbp.algebra.nodes import Activate, ActivateDerivative, L, Node
from symbp.notation.layout import Layout
from symbp.notation.records import Glyph, Notation


class Whole(Expr):
    """The weighted sums of a whole layer where a function is taken of each of them."""

    is_commutative = True


class MatrixWriter(Layout):
    """The part of a writer that prints matrices; the rest is :class:`symbp.notation.writer.Writer`."""

    notation: Notation
    signs: ClassVar[Mapping[str, str]]
    _print: Callable[..., str]
    letter: Callable[[Glyph], str]
    bracket: Callable[[str], str]
    partial: Callable[[str, str], str]
    table: Callable[[Sequence[Sequence[str]]], str]
    symbol: Callable[..., str]
    _layer: Callable[[Glyph, Any], str]
    _small: Callable[[Any], str]
    _add_sample: Callable[[dict[str, list[str]], str], None]
    _sum_operator: Callable[[Any], str]

    @property
    def beyond(self) -> int:
        """By how much the author's number of layers exceeds ours; ours is still L where he keeps letters."""
        return 0 if self.notation.letters is None else self.notation.beyond_hidden

    def _print_StepMatrix(self, matrix: Any) -> str:
        return self.symbol("StepMatrix", matrix.args[0])

    def _print_DeltaColumn(self, matrix: Any) -> str:
        return self.symbol("DeltaColumn", matrix.args[0], (), *matrix.args[1:])

    def _print_ChainMatrix(self, matrix: Any) -> str:
        return self._chain_matrix(*matrix.args)

    def _chain_matrix(self, upper: Any, lower: Any, sample: Any = None) -> str:
        glyph = self.notation.glyph("ChainMatrix")
        places = {"sub": [self._layer(glyph, lower)], "sup": [self._layer(glyph, upper)]}
        if sample is not None:
            self._add_sample(places, self._small(sample))
        return self.scripted(self.letter(glyph), places["sub"], places["sup"])

    def _print_StepProduct(self, matrix: Any) -> str:
        upper, lower = matrix.args
        gap = sympy.expand(upper - lower)
        if gap.is_Integer and gap <= 3:
            parts = [self._print(StepMatrix(upper - n)) for n in range(int(gap) + 1)]
        else:
            first, second, last_but_one, last = (
                self._print(StepMatrix(n)) for n in (upper, upper - 1, lower + 1, lower)
            )
            parts = [first, second, self.signs["..."], last_but_one, last]
        return self.beside(parts)

    def _print_PreActivationColumn(self, matrix: Any) -> str:
        layer, wrt = matrix.args
        return self.partial(self.symbol("PreActivationColumn", layer), self._print(wrt))

    def _print_OutputRow(self, matrix: Any) -> str:
        last = L + 1 - self.beyond
        row = self.partial(self._print(self._output(matrix.args[0], last)), self.symbol("OutputRow", last))
        # Where the derivative by a column is a column, the row is its transpose.
        return row if self.notation.by_column == "row" else self._transposed(row)

    def _output(self, neuron: Any, layer: Any) -> Any:
        kind = "h" if self.notation.output == "applied" else "sigma"
        return Node(kind, layer, (neuron,))

    def _print_UnitColumn(self, matrix: Any) -> str:
        rows = matrix.shape[0]
        if rows.is_Integer and rows <= 4:
            shown = [self._print(matrix._entry(n, 0)) for n in range(1, int(rows) + 1)]
        else:
            first, second, last = (self._unit_entry(matrix, n) for n in (sympy.S.One, sympy.Integer(2), rows))
            shown = [first, second, self.signs[":"], last]
        return self.table([[entry] for entry in shown])

    def _unit_entry(self, matrix: Any, row: Any) -> str:
        return self.symbol("KroneckerDelta", None, (row, matrix.args[1]))

    def _print_Identity(self, matrix: Any) -> str:
        return self.scripted(
            self.letter(self.notation.symbols["Identity"]), [self._small(matrix.args[0])], []
        )

    def _print_Transpose(self, matrix: Any) -> str:
        inner = self._print(matrix.args[0])
        plain = not self.is_raised(inner) and not isinstance(matrix.args[0], (MatAdd, MatMul, GradientMatrix))
        return self._raised(inner if plain else self.bracket(inner))

    def _transposed(self, inner: str) -> str:
        return self._raised(self.bracket(inner))

    def _raised(self, inner: str) -> str:
        return self.raised(inner, self.signs["T"])

    def _print_MatrixBase(self, matrix: Any) -> str:
        return self.table([[self._print(x) for x in row] for row in matrix.tolist()])

    def entrywise(self, glyph: Glyph) -> str:
        """Return the sign of a product entry by entry."""
        return self.letter(glyph)

    # Of a layer at once -----------------------------------------------------------------

    def _print_column(self, matrix: Any) -> str:
        layer, *sample = matrix.args
        return self.symbol(type(matrix).__name__, layer, (), *sample)

    _print_WeightMatrix = _print_column
    _print_RegularWeights = _print_column
    _print_BiasColumn = _print_column
    _print_InputColumn = _print_column
    _print_WeightedSums = _print_column

    def _print_OutputColumn(self, matrix: Any) -> str:
        layer, *sample = matrix.args
        is_input = layer == 0 and "x" not in self.notation.without
        return self.symbol("InputVector" if is_input else "OutputColumn", layer, (), *sample)

    def _print_Activated(self, matrix: Any) -> str:
        return self._print(Activate(matrix.args[0], Whole(*matrix.args)))

    def _print_Slopes(self, matrix: Any) -> str:
        return self._print(ActivateDerivative(matrix.args[0], Whole(*matrix.args)))

    def _print_Whole(self, column: Any) -> str:
        return self._print(WeightedSums(*column.args))

    def _print_GradientMatrix(self, matrix: Any) -> str:
        return self.partial(self._print(matrix.cost), self._print(matrix.args[0]))

    def _print_Updated(self, matrix: Any) -> str:
        return self._print(matrix.args[0])

    def _print_Turned(self, matrix: Any) -> str:
        return self._print(matrix.args[0])

    def _print_Rows(self, matrix: Any) -> str:
        inner, count = matrix.args
        return self.scripted(
            self.enclosed("[", self._print(inner), "]"), [self.number("1")], [self._small(count)]
        )

    def _print_Hadamard(self, matrix: Any) -> str:
        parts = [self._print(a) for a in matrix.args]
        shown = [
            self.bracket(part) if isinstance(a, (MatMul, MatAdd, Hadamard)) else part
            for a, part in zip(matrix.args, parts, strict=True)
        ]
        return f" {self.entrywise(self.notation.entrywise)} ".join(shown)

    def _print_MatrixSum(self, matrix: Any) -> str:
        operator = self._sum_operator(matrix.limits[0])
        body = self._print(matrix.function)
        return f"{operator} {self.bracket(body) if isinstance(matrix.function, MatAdd) else body}"

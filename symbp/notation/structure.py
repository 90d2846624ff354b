"""Statement in the terms of the derivation -> statements in the terms of one author.

Before anything is printed, an equation is rewritten: where the bias stands, which way round
W is, which letters indices and layers have. The result is an equation of the same kind (the
same nodes, sums and matrices), so every format prints it without knowing of this stage.
What an author writes for a single quantity (its letter, the place and shift of its layer,
the order of its indices) is left to the printer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Eq, MatMul, Sum, Transpose

from symbp.algebra.matrices import (
    BiasColumn,
    GradientMatrix,
    Hadamard,
    InputColumn,
    LayerMatrix,
    OutputColumn,
    RegularWeights,
    Slopes,
    Updated,
    WeightMatrix,
    transposed,
)
from symbp.algebra.named import Weighted
from symbp.algebra.nodes import HasBias, Inputs, Node, Partial, Width
from symbp.notation.naming import renamed
from symbp.notation.per_sample import per_sample
from symbp.notation.records import Notation, is_of_weights, weights_in


@dataclass(frozen=True)
class Said:
    """An equation and its conditions, as one author would state them."""

    equation: Eq
    conditions: tuple[Any, ...] = ()


class Turned(LayerMatrix):
    """A matrix of weights as an author writes it whose W has a row for every input."""

    @property
    def shape(self) -> tuple[Any, Any]:
        rows, columns = self.args[0].shape
        return columns, rows


class Rows(LayerMatrix):
    """The first rows of a matrix that are not the bias's: [W x]_1^d."""

    @property
    def shape(self) -> tuple[Any, Any]:
        return self.args[1], self.args[0].shape[1]


def _products(said: Said) -> tuple[Said, ...]:
    """Write weighted numbers as the products that they are."""
    return (replace(said, equation=said.equation.replace(Weighted, lambda u, v: u * v)),)


class Structure:
    """Rewrites statements for one notation.

    Parameters
    ----------
    notation : Notation
    widths : sequence of int
        (N_0, ..., N_{L+1}) of a network; empty where sizes are symbols.
    biases : sequence of bool, optional
        Whether layers 1, ..., L + 1 have a bias; every layer has if it is left out.
    """

    def __init__(
        self, notation: Notation, widths: Sequence[int] = (), biases: Sequence[bool] | None = None
    ) -> None:
        self.notation = notation
        self.widths = tuple(widths)
        self.biases = (True,) if biases is None else tuple(biases)

    def said(self, statement: Eq, conditions: Iterable[Any] = ()) -> tuple[Said, ...]:
        """Return the statement as the author would make it: in one equation, or in several."""
        found: tuple[Said, ...] = (Said(statement, tuple(conditions)),)
        passes: tuple[Callable[[Said], tuple[Said, ...]], ...] = (
            _products,
            self._of_samples,
            self._known_biases,
            self._biases,
            self._orientation,
            self._arrangement,
            self._letters,
        )
        for rewrite in passes:
            found = tuple(new for old in found for new in rewrite(old))
        return found

    def _of_samples(self, said: Said) -> tuple[Said, ...]:
        """Take sensitivities of the cost of one sample, where the author does."""
        if self.notation.sensitivity == "mean":
            return (said,)
        return (replace(said, equation=per_sample(said.equation)),)

    # Biases -----------------------------------------------------------------------------

    def width(self, layer: Any) -> Any:
        """Return N of a layer, as a number where it is known."""
        known = self.widths and layer.is_Integer and 0 <= layer < len(self.widths)
        return sympy.Integer(self.widths[int(layer)]) if known else Width(layer)

    def bias(self, layer: Any) -> Any:
        """Return the number of biases per neuron of a layer: 1, 0, or beta."""
        if len(set(self.biases)) == 1:
            return sympy.Integer(self.biases[0])
        return sympy.Integer(self.biases[int(layer) - 1]) if layer.is_Integer else HasBias(layer)

    def is_bias(self, layer: Any, position: Any) -> bool:
        """Return whether an input of a layer is that of the bias neuron."""
        return bool(sympy.expand(position - self.width(sympy.expand(layer - 1)) - 1) == 0)

    def _known_biases(self, said: Said) -> tuple[Said, ...]:
        """Leave out the number of inputs where the author has no letter for it; W without biases is W."""
        conditions = said.conditions
        if "Inputs" in self.notation.without:
            conditions = tuple(kept for c in conditions for kept in self._without_inputs(c))
        eq = said.equation
        if not any(self.biases):
            eq = _same(eq, lambda e: self._outputs_as_inputs(e.replace(RegularWeights, WeightMatrix)))
        elif self.notation.regular == "rows":
            eq = _same(eq, self.regular_outputs)
        return (Said(eq, conditions),)

    def _without_inputs(self, condition: Any) -> Iterator[Any]:
        """Say that a layer has a bias, N_{k-1} + 1 <= M_k, as beta_k = 1 where some layers have none."""
        if not condition.has(Inputs):
            yield condition
            return
        low, high = condition.args
        if isinstance(high, Inputs) and self.is_bias(high.args[0], low):
            there = self.bias(high.args[0])
            if not there.is_Integer:
                yield Eq(there, 1, evaluate=False)

    def _outputs_as_inputs(self, expr: Any) -> Any:
        """Without biases the outputs of a layer are the inputs of the next, whose letter may be the same."""
        if self.notation.output == "letter":
            return expr

        def inputs(layer: Any, *sample: Any) -> Any:
            # The inputs of the network keep the letter they have as such.
            return OutputColumn(layer, *sample) if layer == 0 else InputColumn(layer + 1, *sample)

        return expr.replace(OutputColumn, inputs)

    def regular_outputs(self, expr: Any) -> Any:
        """Write the outputs of a layer as the rows of the next layer's inputs below the bias."""
        return expr.replace(
            OutputColumn,
            lambda layer, *sample: Rows(InputColumn(layer + 1, *sample), self.width(layer)),
        )

    def _biases(self, said: Said) -> tuple[Said, ...]:
        """Put the bias where the author has it."""
        match self.notation.bias:
            case "first":
                return self._bias_first(said)
            case "separate":
                return self._bias_separate(said)
        return (said,)

    def _bias_first(self, said: Said) -> tuple[Said, ...]:
        """Let every sum over all inputs begin at the bias, whose number is 0."""

        def one(total: Sum) -> Sum:
            limits = []
            for symbol, low, high in total.limits:
                beyond = self._beyond(total, symbol, high)
                limits.append((symbol, low - beyond, high - beyond))
            return Sum(total.function, *limits)

        equation = _same(said.equation, lambda e: e.replace(Sum, _rebuilt(one)))
        return (Said(equation, (*said.conditions, *self._neurons_only(said))),)

    def _neurons_only(self, said: Said) -> Iterator[Any]:
        """Say which index on the left numbers neurons alone: output 0 of the same letter is the bias's."""
        limited = {c.lhs for c in said.conditions}
        for node in sorted(said.equation.lhs.atoms(Node), key=str):
            bias = self.bias(sympy.expand(node.layer + 1)) if node.kind == "o" else 0
            if bias != 0 and node.indices[0].is_Symbol and node.indices[0] not in limited:
                yield sympy.Le(node.indices[0], self.width(node.layer), evaluate=False)

    def _bias_separate(self, said: Said) -> tuple[Said, ...]:
        """Split the biases off: sums, matrices, and equations for any input of a layer."""
        eq = _same(said.equation, self._split)
        free = self._any_input(eq, said.conditions)
        gradient = next(iter(eq.atoms(GradientMatrix)), None)
        if gradient is not None and isinstance(gradient.args[0], WeightMatrix):
            layer = gradient.args[0].args[0]
            versions = [
                (_same(eq, _regular_columns), sympy.S.One),
                (_same(eq, _bias_columns), self.bias(layer)),
            ]
        elif free is not None:
            symbol, layer = free
            at = self.width(sympy.expand(layer - 1)) + 1
            versions = [(eq, sympy.S.One), (_same(eq, lambda e: e.xreplace({symbol: at})), self.bias(layer))]
        else:
            versions = [(eq, sympy.S.One)]
        return tuple(
            Said(
                _same(version, self._bias_is_one),
                (*said.conditions, *(() if there == 1 else (Eq(there, 1, evaluate=False),))),
            )
            for version, there in versions
            if there != 0
        )

    def _beyond(self, total: Any, symbol: Any, high: Any) -> Any:
        """Return by how many terms a sum goes beyond the regular inputs of a layer: 0, 1 or beta."""
        layer = _layer_of_input(total, symbol)
        return sympy.S.Zero if layer is None else sympy.expand(high - self.width(sympy.expand(layer - 1)))

    def _split(self, expr: Any) -> Any:
        """Split the bias's term off every sum, and its column off every product of matrices."""

        def one(total: Sum) -> Any:
            symbol, low, high = total.limits[0]
            beyond = self._beyond(total, symbol, high)
            if beyond == 0 or len(total.limits) > 1:
                return total
            last = self._bias_is_one(total.function.xreplace({symbol: high - beyond + 1}))
            return Sum(total.function, (symbol, low, high - beyond)) + beyond * last

        def product(factors: MatMul) -> Any:
            match list(factors.args):
                case [WeightMatrix() as weights, InputColumn() as inputs]:
                    layer, *sample = inputs.args
                    regular = MatMul(RegularWeights(layer), OutputColumn(layer - 1, *sample))
                    bias = self.bias(weights.args[0])
                    return (
                        regular if bias == 0 else regular + MatMul(bias, BiasColumn(layer)).doit(deep=False)
                    )
            return factors

        return expr.replace(Sum, _rebuilt(one)).replace(MatMul, lambda *args: product(MatMul(*args)))

    def _bias_is_one(self, expr: Any) -> Any:
        def is_bias(e: Any) -> bool:
            return isinstance(e, Node) and e.kind == "a" and self.is_bias(e.layer, e.indices[0])

        expr = expr.replace(lambda e: isinstance(e, Partial) and is_bias(e.of), lambda e: sympy.S.Zero)
        return expr.replace(is_bias, lambda e: sympy.S.One)

    def _any_input(self, eq: Eq, conditions: Sequence[Any]) -> tuple[Any, Any] | None:
        """Return a free index that stands for any input of a layer, bias included, and the layer."""
        limited = {c.lhs for c in conditions}
        bound = {limit[0] for total in eq.atoms(Sum) for limit in total.limits}
        for symbol in sorted(eq.free_symbols - limited - bound, key=str):
            layer = None if isinstance(symbol, Node) else _layer_of_input(eq, symbol)
            regular = any(
                symbol in n.indices and n.kind != "a" and not is_of_weights(n.kind) for n in eq.atoms(Node)
            )
            if layer is not None and not regular:
                return symbol, layer
        return None

    # Matrices ---------------------------------------------------------------------------

    def _orientation(self, said: Said) -> tuple[Said, ...]:
        if self.notation.weights == "to from":
            return (said,)
        left, right = (self.turned(side) for side in said.equation.args)
        if isinstance(left, Transpose):
            left, right = transposed(left), transposed(right)
        return (replace(said, equation=Eq(left, right, evaluate=False)),)

    def turned(self, expr: Any) -> Any:
        """Put the author's W^T in place of ours, and the rows of his W in place of our columns."""
        if self.notation.weights == "to from" or not expr.has(WeightMatrix, RegularWeights):
            return expr
        if isinstance(expr, Transpose):
            return transposed(self.turned(expr.arg))
        if isinstance(expr, (WeightMatrix, RegularWeights)):
            return Transpose(self._rows(expr))
        if isinstance(expr, GradientMatrix):
            return Transpose(GradientMatrix(Turned(expr.args[0]), *expr.args[1:]))
        if isinstance(expr, Updated):
            return Transpose(Updated(Turned(expr.args[0])))
        if isinstance(expr, MatMul):
            first, *rest = map(self.turned, expr.args)
            if isinstance(first, Rows) and rest:
                return Rows(MatMul(first.args[0], *rest), first.args[1])
            return MatMul(first, *rest)
        return expr.func(*(self.turned(a) if getattr(a, "is_Matrix", False) else a for a in expr.args))

    def _rows(self, weights: Any) -> Any:
        if isinstance(weights, RegularWeights) and self.notation.regular == "rows":
            layer = weights.args[0]
            return Rows(Turned(WeightMatrix(layer)), self.width(sympy.expand(layer - 1)))
        return Turned(weights)

    def _arrangement(self, said: Said) -> tuple[Said, ...]:
        """Put slopes before or after what they are multiplied with."""
        if self.notation.slopes_first:
            return (said,)

        def swapped(first: Any, second: Any) -> Any:
            return Hadamard(second, first) if isinstance(first, Slopes) else Hadamard(first, second)

        return (replace(said, equation=_same(said.equation, lambda e: e.replace(Hadamard, swapped))),)

    # Letters ----------------------------------------------------------------------------

    def _letters(self, said: Said) -> tuple[Said, ...]:
        names = renamed(self.notation, said.equation, said.conditions)
        if not names:
            return (said,)
        conditions = tuple(
            c.func(*(a.xreplace(names) for a in c.args), evaluate=False) for c in said.conditions
        )
        return (Said(_same(said.equation, lambda e: e.xreplace(names)), conditions),)


def _same(eq: Eq, rewrite: Callable[[Any], Any]) -> Eq:
    """Rewrite both sides without letting SymPy decide the equation."""
    return Eq(*map(rewrite, eq.args), evaluate=False)


def _rebuilt(one: Callable[[Sum], Any]) -> Callable[..., Any]:
    return lambda function, *limits: one(Sum(function, *limits))


def _layer_of_input(expr: Any, symbol: Any) -> Any:
    """Return the layer of which the symbol numbers an input, or None."""
    inputs = [node for node in expr.atoms(Node) if node.kind == "a"]
    layers = {part.layer for part in (*inputs, *weights_in(expr)) if part.indices[-1] == symbol}
    return min(layers, key=sympy.default_sort_key) if layers else None


def _regular_columns(expr: Any) -> Any:
    columns = expr.replace(WeightMatrix, RegularWeights)
    return columns.replace(InputColumn, lambda layer, *sample: OutputColumn(layer - 1, *sample))


def _bias_columns(expr: Any) -> Any:
    def without_inputs(*factors: Any) -> Any:
        kept = [f for f in factors if not f.has(InputColumn)]
        return MatMul(*kept) if len(kept) > 1 else kept[0]

    return expr.replace(WeightMatrix, BiasColumn).replace(MatMul, without_inputs)

"""A network worked through with numbers, from the derivation's own equations.

Nothing here knows a formula of backpropagation: each quantity is the left side of a step,
and its value that of the right side with what was computed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Eq, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import (
    ActivateDerivative,
    MaxOver,
    Node,
    Partial,
    Softplus,
    i,
    j,
    m,
    q,
    r,
    s,
    with_numbers,
)
from symbp.errors import DataError, DerivationError

if TYPE_CHECKING:
    from symbp.derivation.records import Derivation
    from symbp.network import Network

DIGITS = 50
Key = tuple[Any, ...]
Rows = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Given:
    """The numbers of an example, exact.

    Attributes
    ----------
    inputs : tuple, length N_0
    targets : tuple, length N_{L+1}
    weights : tuple of tuple of tuple
        W_1, ..., W_{L+1}, each of N_k rows and M_k columns, the bias last.
    sample_weight : sympy.Rational
        v of the sample; 1 where the cost has none.
    """

    inputs: tuple[Any, ...]
    targets: tuple[Any, ...]
    weights: tuple[tuple[tuple[Any, ...], ...], ...]
    sample_weight: Any = sympy.S.One


@dataclass(frozen=True)
class Value:
    """One computed number.

    Attributes
    ----------
    label : str
        The step whose right side it is.
    quantity : sympy.Expr
        The left side, with numbers for layer and indices.
    value : sympy.Rational or sympy.Float
        A fraction where every number on the way is one, else 50 digits.
    """

    label: str
    quantity: Any
    value: Any


@dataclass(frozen=True)
class Entries:
    """A matrix of one layer, entry by entry, and the steps it comes from.

    For the derivatives by W_k there are N_k rows and M_k columns, for S_k N_{k+1} and N_k.
    """

    layer: int
    label: str
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Example:
    """The worked example: forward, backward, S-matrices, gradients.

    Attributes
    ----------
    network : Network
    given : Given
    forward, backward : tuple of Value
        Where there is a penalty, the last of `forward` is the cost with it.
    steps : tuple of Entries
        S_1, ..., S_L.
    gradients : tuple of Entries
        dJ/dW_k of every layer, without the penalty.
    penalised : tuple of Entries
        The derivatives of the cost with the penalty; empty where there is none.
    parameters : tuple of Value
        The numbers of the penalty.
    """

    network: Network
    given: Given
    forward: tuple[Value, ...]
    backward: tuple[Value, ...]
    steps: tuple[Entries, ...]
    gradients: tuple[Entries, ...]
    penalised: tuple[Entries, ...] = ()
    parameters: tuple[Value, ...] = ()


def work(derivation: Derivation, given: Given) -> Example:
    """Evaluate the steps of a network's derivation at numbers.

    Parameters
    ----------
    derivation : Derivation
        Of a network.
    given : Given

    Raises
    ------
    DataError
        If a value is not finite.
    """
    network = derivation.network
    if network is None:
        raise DerivationError("numbers need a network: derive one with sizes")
    sheet = _Sheet(network, given)
    last = network.hidden + 1
    forward: list[Value] = []
    for k in range(1, last + 1):
        forward += sheet.step(derivation, f"2.6b, k={k}", {i: network.sizes[k], r: network.sizes[k]})
        label, index = (f"1.3, k={k}", i) if k < last else ("1.8", q)
        forward += sheet.step(derivation, label, {index: network.sizes[k]})
    forward += sheet.step(derivation, "2.1", {})
    backward = list(sheet.step(derivation, "D.1f", {r: network.sizes[last]}))
    for k in range(last - 1, 0, -1):
        backward += sheet.step(derivation, f"1.3d, k={k}", {i: network.sizes[k]})
        backward += sheet.step(derivation, f"D.5, k={k}", {s: network.sizes[k]})
    steps = tuple(_steps(sheet, derivation, k) for k in range(1, last))
    layers = range(1, last + 1)
    gradients = tuple(_by_weights(sheet, derivation, k, "D.6a", "D.6b") for k in layers)
    penalised: tuple[Entries, ...] = ()
    if derivation.training.penalty is not None:
        for k in layers:
            forward += sheet.step(derivation, f"2.1p, k={k}", {})
        forward += sheet.step(derivation, "2.1rf", {})
        penalised = tuple(_by_weights(sheet, derivation, k, "2.1ra", "2.1rb") for k in layers)
    parameters = tuple(
        Value(step.label, *step.statement.args) for step in derivation.steps if step.label.startswith("2.1p.")
    )
    return Example(network, given, tuple(forward), tuple(backward), steps, gradients, penalised, parameters)


def _steps(sheet: _Sheet, derivation: Derivation, k: int) -> Entries:
    label, rows, columns = f"2.12, k={k}", sheet.network.sizes[k + 1], sheet.network.sizes[k]
    return Entries(k, label, sheet.matrix(derivation, label, {r: rows, s: columns}, columns))


def _by_weights(sheet: _Sheet, derivation: Derivation, k: int, regular: str, bias: str) -> Entries:
    """Work out the derivatives by a layer's weights: one step for the regular ones, one for the biases."""
    units, inputs = sheet.network.sizes[k], sheet.network.sizes[k - 1]
    label = f"{regular}, k={k}"
    rows = sheet.matrix(derivation, label, {i: units, j: inputs}, inputs)
    if not sheet.network.has_bias(k):
        return Entries(k, label, rows)
    biases = sheet.matrix(derivation, f"{bias}, k={k}", {i: units}, 1)
    both = tuple((*row, *value) for row, value in zip(rows, biases, strict=True))
    return Entries(k, f"{label}; {bias}, k={k}", both)


class _Sheet:
    """All values computed so far, by what they are the values of."""

    def __init__(self, network: Network, given: Given) -> None:
        self.network = network
        self.values: dict[Key, Any] = {}
        last = network.hidden + 1
        self.values["v", last] = given.sample_weight
        for n, value in enumerate(given.inputs, 1):
            self.values["o", 0, n] = value
        for n, value in enumerate(given.targets, 1):
            self.values["y", last, n] = value
        for k, rows in enumerate(given.weights, 1):
            for row, entries in enumerate(rows, 1):
                for column, value in enumerate(entries, 1):
                    self.values["w", k, row, column] = value

    def step(self, derivation: Derivation, label: str, extents: Mapping[Any, int]) -> tuple[Value, ...]:
        """Compute the left side of a step for every value of its indices."""
        statement: Eq = derivation[label].statement
        free = [index for index in extents if statement.lhs.has(index)]
        return tuple(self._case(label, statement, at) for at in _cases(free, extents))

    def matrix(self, derivation: Derivation, label: str, extents: Mapping[Any, int], columns: int) -> Rows:
        """Compute a step row by row."""
        values = [value.value for value in self.step(derivation, label, extents)]
        return tuple(tuple(values[n : n + columns]) for n in range(0, len(values), columns))

    def _case(self, label: str, statement: Eq, at: Mapping[Any, int]) -> Value:
        left, right = (side.xreplace(at).subs(m, 1) for side in (statement.lhs, statement.rhs))
        value = self.number(right)
        if not value.is_finite or not value.is_real:
            raise DataError(f"({label}) {left} is not a finite number here; take other numbers")
        self.values[_key(left)] = value
        return Value(label, left, value)

    def number(self, expr: Any) -> Any:
        """Return the value of an expression without free indices: exact where it is rational."""
        plain = self._plain(with_numbers(expr))
        value = sympy.sympify(plain)
        return value if value.is_Rational else value.evalf(DIGITS)

    def _plain(self, expr: Any) -> Any:
        for kind, meaning in _MEANINGS.items():
            if isinstance(expr, kind):
                return meaning(self, expr)
        if not expr.args:
            return expr
        values = [self._plain(argument) for argument in expr.args]
        return expr.func(*values)

    def known(self, expr: Any) -> Any:
        key = _key(expr)
        if key not in self.values:
            raise DerivationError(f"{expr} has not been computed before it is used")
        return self.values[key]

    def sum(self, expr: Sum) -> Any:
        return sympy.Add(*(self._plain(term) for term in rules.terms(expr)))

    def largest(self, expr: MaxOver) -> Any:
        return max(self._plain(term) for term in rules.terms(expr))

    def softplus(self, expr: Softplus) -> Any:
        return self._plain(expr.defining())


_MEANINGS: dict[Any, Callable[[_Sheet, Any], Any]] = {
    Node: _Sheet.known,
    Partial: _Sheet.known,
    ActivateDerivative: _Sheet.known,
    Sum: _Sheet.sum,
    MaxOver: _Sheet.largest,
    Softplus: _Sheet.softplus,
}


def _cases(indices: Sequence[Any], extents: Mapping[Any, int]) -> Iterator[dict[Any, Any]]:
    for numbers in product(*(range(1, extents[index] + 1) for index in indices)):
        yield {index: sympy.Integer(n) for index, n in zip(indices, numbers, strict=True)}


def _key(expr: Any) -> Key:
    """Return what an entry is kept under; there is one sample, so its number is left out."""
    if isinstance(expr, Node):
        return (expr.kind, int(expr.layer), *map(int, expr.indices))
    if isinstance(expr, Partial):
        return ("partial", _key(expr.of), _key(expr.wrt))
    if isinstance(expr, ActivateDerivative):
        return ("slope", _key(expr.args[1]))
    raise DerivationError(f"{expr} is not a quantity that is computed")

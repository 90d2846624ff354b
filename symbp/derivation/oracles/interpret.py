"""Evaluate both sides of an equation in a model.

The interpreter knows sums, products, Kronecker deltas and matrices; it knows no equation
of backpropagation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from sympy import (
    Add,
    And,
    Eq,
    Function,
    KroneckerDelta,
    Mul,
    Or,
    Piecewise,
    Pow,
    Sum,
    Symbol,
)

from symbp.algebra import rules
from symbp.algebra.matrices import is_matrix
from symbp.algebra.named import Named
from symbp.algebra.nodes import (
    Activate,
    ActivateDerivative,
    Constant,
    HasBias,
    Inputs,
    MaxOver,
    Node,
    Partial,
    Width,
)
from symbp.algebra.updates import batch, step
from symbp.derivation.oracles.formula import named
from symbp.derivation.oracles.interpret_matrices import evaluate_matrix
from symbp.derivation.oracles.model import Array, Key, Model, NoSuchQuantity, NotApplicable
from symbp.derivation.oracles.sizes import Environment, extents_of, integer
from symbp.functions.comparisons import COMPARISONS

# (upper, lower) -> d c^{upper+1} / d c^{lower}, the same in every case of a model.
Chains = dict[tuple[int, int], Array]


def defined_name(node: Node) -> Any:
    """Return what a definition is found by: the kind, or the kind and the numbers of one component."""
    numbers = [x for x in node.indices if x.is_Integer]
    return (node.kind, *map(int, numbers)) if numbers else node.kind


@dataclass(frozen=True)
class Descent:
    """What an update makes of a weight.

    Attributes
    ----------
    cost : str
        The kind of the cost whose derivative is taken: of all samples, a mini-batch or one.
    penalised : bool
        Whether the derivative of the penalty is added to it.
    of_weight, of_slope : Expr
        What the rule multiplies weight and derivative with before it adds them.
    """

    cost: str
    penalised: bool
    of_weight: Any
    of_slope: Any


class Interpreter:
    """Evaluates expressions in one model, for one assignment of layers and indices.

    Parameters
    ----------
    model : Model
    env : dict
        Symbol -> number.
    definitions : mapping, optional
        Kind -> the equation that defines it, for auxiliary quantities (the shift of softmax)
        that have no meaning of their own.
    chains : dict, optional
        Products of S-matrices already evaluated in this model; new ones are added.
    """

    def __init__(
        self,
        model: Model,
        env: Environment,
        definitions: Mapping[Any, Eq] | None = None,
        chains: Chains | None = None,
    ) -> None:
        self.model = model
        self.env = env
        self.definitions = definitions or {}
        self.chains = {} if chains is None else chains
        self.descent: Descent | None = None
        self.auxiliary: dict[Key, Any] = {}

    def sides(self, statement: Eq) -> tuple[Any, Any]:
        """Return the values of both sides: two numbers, or two matrices."""
        left, right = self.expression(statement.lhs), self.expression(statement.rhs)
        if isinstance(left, np.ndarray) != isinstance(right, np.ndarray):
            left, right = (
                a[0, 0] if isinstance(a, np.ndarray) and a.shape == (1, 1) else a for a in (left, right)
            )
        return left, right

    def integer(self, expr: Any) -> int:
        return integer(expr, self.env, self.model.shape)

    def key(self, node: Node) -> Key:
        sample = 1 if node.sample is None else self.integer(node.sample)
        key = Key(node.kind, self.integer(node.layer), tuple(map(self.integer, node.indices)), sample)
        return self.existing(key)

    def existing(self, key: Key) -> Key:
        """Return the key if its layer, indices and sample exist in the network."""
        shape = self.model.shape
        first, beyond = _LAYERS.get(key.kind, (shape.last, 0))
        last = shape.last - beyond
        least = 0 if key.kind == "Delta" else 1  # the accumulator before the first sample
        if not first <= key.layer <= last or not least <= key.sample <= shape.samples:
            raise NoSuchQuantity(f"{key} is not in a network of {shape.last} layers")
        for position, extent in zip(key.indices, extents_of(shape, key.kind, key.layer), strict=True):
            if not 1 <= position <= extent:
                raise NoSuchQuantity(f"{key} has an index out of range in {shape}")
        return key

    def expression(self, expr: Any) -> Any:
        if is_matrix(expr):
            return evaluate_matrix(self, expr)
        for kind, method in _SCALARS.items():
            if isinstance(expr, kind):
                return method(self, expr)
        if expr.has(sympy.nan, sympy.zoo, sympy.oo):
            raise NoSuchQuantity(f"{expr} is not finite")
        raise NotApplicable(f"no value for {expr}")

    # Scalars ---------------------------------------------------------------------------

    def constant(self, expr: Constant) -> Any:
        return self.rational(expr.value)

    def named_number(self, expr: Any) -> Any:
        return self.model.function(type(expr).__name__, self.model.number(1, 1))

    def rational(self, expr: Any) -> Any:
        return self.model.number(int(expr.p), int(expr.q))

    def node(self, expr: Node) -> Any:
        key = self.key(expr)
        definition = self.definitions.get((key.kind, *key.indices), self.definitions.get(key.kind))
        if definition is None:
            return self.lookup(key)
        if key in self.auxiliary:
            return self.auxiliary[key]
        own = {x: n for x, n in zip(definition.lhs.indices, key.indices, strict=True) if x.is_Symbol}
        inner = Interpreter(self.model, self.env | own, self.definitions, self.chains)
        inner.auxiliary, inner.descent = self.auxiliary, self.descent
        value = inner.expression(rules.at_sample(definition.rhs, sympy.Integer(key.sample)))
        self.auxiliary[key] = value
        return value

    def lookup(self, key: Key) -> Any:
        shape = self.model.shape
        if key.kind == "S":
            row, column = key.indices
            return self.model.partial(
                Key("c", key.layer + 1, (row,), key.sample), Key("c", key.layer, (column,), key.sample)
            )
        if key.kind == "T":
            row, column = key.indices
            return self.model.partial(
                Key("c", shape.last, (row,), key.sample), Key("c", key.layer, (column,), key.sample)
            )
        if key.kind == "Delta":
            weight = Key("w", key.layer, key.indices, 1)
            shares = (
                self.model.partial(Key("Js", shape.last, (), p), weight) for p in range(1, key.sample + 1)
            )
            return self.model.reduce(sum(shares, self.model.number(0, 1)))
        if key.kind == "Jb":
            return self._mean(lambda p: self.model.value("Js", shape.last, (), p))
        if key.kind == "w_new" and self.descent is not None:
            return self._updated(replace(key, kind="w", sample=1), self.descent)
        if key.kind == "delta":
            return self.model.partial(
                Key("J", shape.last, (), 1), Key("c", key.layer, key.indices, key.sample)
            )
        return self.model.value(key.kind, key.layer, key.indices, key.sample)

    def _updated(self, weight: Key, descent: Descent) -> Any:
        """Return a weight after the update: so much of itself and so much of its derivative."""
        slope = self._slope(Key(descent.cost, self.model.shape.last, (), 1), weight)
        if descent.penalised:
            slope = slope + self.model.partial(Key("R", weight.layer, (), 1), weight)
        before = self.model.value("w", weight.layer, weight.indices, 1)
        own, step_ = self.expression(descent.of_weight), self.expression(descent.of_slope)
        return self.model.reduce(own * before + step_ * slope)

    def partial(self, expr: Partial) -> Any:
        return self._slope(self.key(expr.of), self.key(expr.wrt))

    def _slope(self, of: Key, wrt: Key) -> Any:
        if of.kind == "Jb":
            return self._mean(lambda p: self.model.partial(replace(of, kind="Js", sample=p), wrt))
        return self.model.partial(of, wrt)

    def _mean(self, of_sample: Callable[[int], Any]) -> Any:
        """Return the mean over the samples of the mini-batch."""
        size = self.env[batch]
        taken = range((self.env[step] - 1) * size + 1, self.env[step] * size + 1)
        total = sum((of_sample(p) for p in taken), self.model.number(0, 1))
        return self.model.reduce(total * self.model.number(1, size))

    def symbol(self, expr: Symbol) -> Any:
        if expr in self.env:
            return self.model.number(self.env[expr], 1)
        return self.model.scalar(expr.name)

    def size(self, expr: Any) -> Any:
        return self.model.number(self.integer(expr), 1)

    def kronecker(self, expr: KroneckerDelta) -> Any:
        a, b = expr.args[:2]
        return self.model.number(int(self.integer(a) == self.integer(b)), 1)

    def add(self, expr: Add) -> Any:
        return self.model.reduce(
            sum((self.expression(a) for a in expr.args[1:]), self.expression(expr.args[0]))
        )

    def mul(self, expr: Mul) -> Any:
        if any(isinstance(a, HasBias) and self.integer(a) == 0 for a in expr.args):
            return self.model.number(0, 1)  # the other factors do not exist without a bias neuron
        total = self.expression(expr.args[0])
        for argument in expr.args[1:]:
            value = self.expression(argument)
            if isinstance(value, np.ndarray) and value.shape == (1, 1):
                value = value[0, 0]
            total = self.model.reduce(total * value)
        return total

    def power(self, expr: Pow) -> Any:
        base, exponent = expr.args
        if not exponent.is_Integer:
            return self.model.power(self.expression(base), int(exponent.p), int(exponent.q))
        value = self.expression(base)
        if exponent < 0:
            value = self.model.function("reciprocal", value)
        result = value
        for _ in range(abs(int(exponent)) - 1):
            result = self.model.reduce(result * value)
        return result

    def terms(self, expr: Any) -> list[Any]:
        """Return the summand's (or candidate's) value for every value of the bound indices."""
        values: list[Any] = []
        limits = list(reversed(expr.limits))  # the outermost, on which inner ones may depend, is last

        def walk(depth: int) -> None:
            if depth == len(limits):
                values.append(self.expression(expr.function))
                return
            symbol, low, high = limits[depth]
            before = self.env.get(symbol)
            for number in range(self.integer(low), self.integer(high) + 1):
                self.env[symbol] = number
                walk(depth + 1)
            if before is None:
                self.env.pop(symbol, None)
            else:
                self.env[symbol] = before

        walk(0)
        return values

    def total(self, expr: Sum) -> Any:
        return self.model.reduce(sum(self.terms(expr), self.model.number(0, 1)))

    def largest(self, expr: MaxOver) -> Any:
        return self._maximum(self.terms(expr))

    def largest_of(self, expr: sympy.Max) -> Any:
        return self._maximum([self.expression(a) for a in expr.args])

    def _maximum(self, values: list[Any]) -> Any:
        self.model.function("exp", values[0])  # only a domain with an order has a maximum
        return max(values)

    def activation(self, expr: Activate) -> Any:
        key = self._argument(expr)
        return self.model.value("o", key.layer, key.indices, key.sample)

    def slope(self, expr: ActivateDerivative) -> Any:
        key = self._argument(expr)
        return self.model.slope(key.layer, key.indices[0], key.sample)

    def _argument(self, expr: Any) -> Key:
        """Return the weighted sum that g^k or its derivative is taken at: one of layer k, hidden."""
        layer, argument = expr.args
        if not isinstance(argument, Node) or argument.kind != "c":
            raise NoSuchQuantity(f"{expr} is not taken at a weighted sum")
        key = self.key(argument)
        if key.layer != self.integer(layer):
            raise NoSuchQuantity(f"{expr} takes the function of another layer")
        self.existing(replace(key, kind="o"))  # hidden layers only
        return key

    def named(self, expr: Named) -> Any:
        arguments = [self.expression(a) for a in expr.args]
        self.model.function("exp", arguments[0])  # only a domain with an order has the stable forms
        return named(type(expr), arguments)

    def piecewise(self, expr: Piecewise) -> Any:
        for value, condition in expr.args:
            if condition == True or self.condition(condition):  # noqa: E712 - a SymPy boolean
                return self.expression(value)
        raise NotApplicable(f"no branch of {expr} holds")

    def condition(self, expr: Any) -> bool:
        if isinstance(expr, (And, Or)):
            decide = all if isinstance(expr, And) else any
            return decide(self.condition(part) for part in expr.args)
        left, right = self.expression(expr.lhs), self.expression(expr.rhs)
        self.model.function("exp", left)  # only a domain with an order can compare
        return bool(COMPARISONS[expr.rel_op](left, right))

    def elementary(self, expr: Function) -> Any:
        return self.model.function(expr.func.__name__, self.expression(expr.args[0]))


# The first layer that has the quantity, and how many of the last layers do not; output
# quantities stand in the last layer only.
_LAYERS = {
    "w": (1, 0),
    "w_new": (1, 0),
    "Delta": (1, 0),
    "R": (1, 0),
    "a": (1, 0),
    "c": (1, 0),
    "delta": (1, 0),
    "o": (0, 1),
    "S": (1, 1),
    "T": (1, 1),
}

# In this order: the special functions stand before Function, which they also are.
_SCALARS: dict[Any, Any] = {
    sympy.Rational: Interpreter.rational,
    sympy.NumberSymbol: Interpreter.named_number,
    Constant: Interpreter.constant,
    Node: Interpreter.node,
    Partial: Interpreter.partial,
    Symbol: Interpreter.symbol,
    (Width, HasBias, Inputs): Interpreter.size,
    KroneckerDelta: Interpreter.kronecker,
    Add: Interpreter.add,
    Mul: Interpreter.mul,
    Pow: Interpreter.power,
    Sum: Interpreter.total,
    MaxOver: Interpreter.largest,
    sympy.Max: Interpreter.largest_of,
    Activate: Interpreter.activation,
    ActivateDerivative: Interpreter.slope,
    Named: Interpreter.named,
    Piecewise: Interpreter.piecewise,
    Function: Interpreter.elementary,
}

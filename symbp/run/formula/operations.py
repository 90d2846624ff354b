"""What each kind of tree does with the values of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symbp.errors import FormulaError
from symbp.functions import ACTIVATIONS
from symbp.functions.names import nearest
from symbp.run import plain
from symbp.run.evaluate import evaluate
from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.scripts import Bound, Environment
from symbp.run.formula.tree import (
    Apply,
    Binary,
    Bracketed,
    Derivative,
    Name,
    Negative,
    Number,
    Part,
    Power,
    Total,
    Transposed,
    walk,
)
from symbp.run.formula.value import (
    DIMENSIONS,
    INDICES,
    Value,
    along,
    entrywise,
    number,
    product,
    total,
)

if TYPE_CHECKING:
    from symbp.run.formula.evaluate import Evaluator

_TERMS = 100_000
ELEMENTARY: Mapping[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "ln": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "sin": np.sin,
    "cos": np.cos,
}


def _number(at: Evaluator, tree: Number, env: Environment) -> Value:
    return number(float(tree.text))


def _name(at: Evaluator, tree: Name, env: Environment) -> Value:
    return at.named(tree, env)


def _derivative(at: Evaluator, tree: Derivative, env: Environment) -> Value:
    return at.derivative(tree, env)


def _negative(at: Evaluator, tree: Negative, env: Environment) -> Value:
    found = at.value(tree.operand, env)
    return replace(found, data=-found.data)


def _transposed(at: Evaluator, tree: Transposed, env: Environment) -> Value:
    found = at.value(tree.operand, env)
    return replace(found, data=np.swapaxes(found.data, -1, -2), low=1) if found.matrix else found


def _power(at: Evaluator, tree: Power, env: Environment) -> Value:
    found = at.value(tree.base, env)
    return replace(found, data=found.data**tree.exponent)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


def _binary(at: Evaluator, tree: Binary, env: Environment) -> Value:
    left, right = at.value(tree.left, env), at.value(tree.right, env)
    if tree.operator == "@":
        return product(left, right)
    with np.errstate(all="ignore"):
        return entrywise(_OPERATIONS[tree.operator], left, right, tree.operator)


def _total(at: Evaluator, tree: Total, env: Environment) -> Value:
    axis = 1 + max((bound.axis for bound in env.values()), default=0)
    if axis > INDICES:
        raise at.fault(tree, f"more than {INDICES} indices at once")
    if tree.index in env:
        raise at.fault(tree, f"{tree.index} stands for something already")
    if tree.low is None or tree.high is None:
        return _over_all(at, tree, env, axis)
    low, high = at.whole_number(tree.low, env), at.whole_number(tree.high, env)
    if high - low >= _TERMS:
        raise at.fault(tree, f"a sum of {high - low + 1:,} terms; the limit is {_TERMS:,}")
    over_samples = isinstance(tree.high, Name) and tree.high.name == at.names.samples and not tree.high.below
    bound = Bound(axis, None if over_samples else along(np.arange(low, high + 1), axis))
    if high < low:
        return number(0)
    return total(at.value(tree.body, {**env, tree.index: bound}), axis, high - low + 1)


def _indices(part: Part) -> tuple[Part, ...]:
    """Return what stands below a letter."""
    return part.below if isinstance(part, Name | Bracketed) else ()


def _letters(index: Part) -> Iterator[Name]:
    """Yield the letters of an index."""
    return (part for part in walk(index) if isinstance(part, Name))


def _over_all(at: Evaluator, tree: Total, env: Environment, axis: int) -> Value:
    """Sum over every value of the index for which the body has one; a sample's letter: over the samples."""
    if tree.index in at.names.sample_letters:
        samples = {**env, tree.index: Bound(axis, None)}
        return total(at.value(tree.body, samples), axis, at.arrays.samples)
    if not any(tree.index in part.name for n in walk(tree.body) for i in _indices(n) for part in _letters(i)):
        raise at.fault(tree, f"nothing in the sum has the index {tree.index}")
    sizes = {size + more for size in at.arrays.network.sizes for more in (0, 1)}  # with the bias, one more
    for high in sorted(sizes, reverse=True):
        for low in (0, 1):
            bound = Bound(axis, along(np.arange(low, high + 1), axis))
            try:
                found = at.value(tree.body, {**env, tree.index: bound})
            except FormulaError as error:
                if not isinstance(error.__cause__, NoSuchEntry):
                    raise
                continue
            return total(found, axis, high - low + 1)
    raise at.fault(tree, f"nothing says where {tree.index} ends: write sum_{{{tree.index}=1}}^{{...}}")


def _apply(at: Evaluator, tree: Apply, env: Environment) -> Value:
    name = tree.function.name
    argument = at.value(tree.argument, env)
    with np.errstate(all="ignore"):
        if name == at.names.function:
            layer = at.layer_of_function(tree, env)
            return replace(argument, data=at.arrays.activated(layer, argument.data, tree.slope))
        if name in ELEMENTARY and not tree.slope:
            return replace(argument, data=ELEMENTARY[name](argument.data))
        record = ACTIVATIONS.get(name)
        if record is None or record.of_layer:
            known = (at.names.function, *ELEMENTARY, *(a for a, r in ACTIVATIONS.items() if not r.of_layer))
            raise at.fault(tree, f"unknown function {name!r}{nearest(name, known)}")
        formula = record.expression()
        if tree.slope:
            formula = sympy.diff(formula, plain.Z)
        values = evaluate(formula, {plain.Z: argument.data})
        return replace(argument, data=np.broadcast_to(values, argument.data.shape))


def _bracketed(at: Evaluator, tree: Bracketed, env: Environment) -> Value:
    inner = at.value(tree.inner, env)
    if tree.above:
        first, count = at.whole_number(tree.below[0], env), at.whole_number(tree.above[0], env)
        skipped = inner.shape[0] - count
        if not inner.matrix or first != 1 or skipped not in (0, 1):
            raise at.fault(tree, f"[...]_1^n takes the rows without that of the bias; here are {inner}")
        return replace(inner, data=inner.data[..., skipped:, :], low=1)
    if not tree.below:
        return inner
    if not inner.matrix:
        raise at.fault(tree, "an entry is taken of a matrix or a column, not of a number")
    places = at.indices(tree.below, 1 if inner.shape[1] == 1 else 2, env, tree)
    row = places[0] - inner.low
    column = places[1] - 1 if len(places) > 1 else np.zeros((1,) * DIMENSIONS, dtype=int)
    for place, size in ((row, inner.shape[0]), (column, inner.shape[1])):
        if place.min() < 0 or place.max() >= size:
            raise at.fault(tree, f"there is no such entry: the matrix is {inner}")
    axes: Any = np.indices(inner.data.shape[:-2], sparse=True)
    leading = tuple(axis.reshape((*axis.shape, 1, 1)) for axis in axes)
    return Value(inner.data[(*leading, row, column)], False)


VALUES: dict[type, Callable[[Evaluator, Any, Environment], Value]] = {
    Number: _number,
    Name: _name,
    Apply: _apply,
    Total: _total,
    Binary: _binary,
    Negative: _negative,
    Transposed: _transposed,
    Power: _power,
    Bracketed: _bracketed,
    Derivative: _derivative,
}

"""Trees -> values on the tape of a concrete network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from symbp.derivation.documents.arrays import Array, Value, each, entrywise, filled, product, scalar
from symbp.derivation.documents.builtins import BUILTINS
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import (
    Binary,
    Call,
    Cases,
    Expression,
    Literal,
    Negative,
    Number,
    Ref,
    Transpose,
)
from symbp.derivation.documents.records import Fault, Setting
from symbp.derivation.documents.words import CONDITIONS, ELEMENTARY
from symbp.derivation.documents.world import Environment, World
from symbp.derivation.local import O, Z, derivative_in_output
from symbp.functions import ACTIVATIONS
from symbp.graph.operations import (
    ADD,
    DIVIDE,
    MULTIPLY,
    NEGATE,
    SLOTS,
    SUBTRACT,
    Domain,
    Operation,
    elementary,
    power,
    unspecified,
)
from symbp.graph.tape import Cell

ENTRYWISE: dict[str, Operation] = {"+": ADD, "-": SUBTRACT, "*": MULTIPLY, "/": DIVIDE}


def make_world(setting: Setting, widths: tuple[int, ...], domain: Domain, named: str = "") -> World:
    """Return the network of a setting with these widths, in which trees can be evaluated."""
    return World(setting, widths, domain, evaluate, named)


def evaluate(world: World, tree: Expression, env: Environment) -> Value:
    """Return the value of an expression.

    Raises
    ------
    Fault
        If it makes no sense here: an unknown name, shapes that do not fit, an entry that
        does not exist.
    """
    return _VALUES[type(tree)](world, tree, env)


def _number(world: World, tree: Number, env: Environment) -> Value:
    return world.constant(tree.value)


def _ref(world: World, tree: Ref, env: Environment) -> Value:
    if not tree.layers and not tree.entries and tree.name in env:
        bound = env[tree.name]
        return world.constant(bound) if isinstance(bound, int) else bound
    if tree.name in env:  # the column a function of a layer is applied to
        entry: Cell = env[tree.name].entry(tree.name, tuple(world.integer(n, env) for n in tree.layers))
        return entry
    layers = tuple(world.integer(layer, env) for layer in tree.layers)
    whole = world.whole(tree.name, layers)
    if whole is not None:
        return world.constant(whole)
    family = world.families.get(tree.name)
    if family is not None and not family.layers and not tree.entries:
        return _entry(world, world.quantity(tree.name, ()), tree.layers, tree, env)
    return _entry(world, world.quantity(tree.name, layers), tree.entries, tree, env)


def _entry(world: World, value: Value, indices: tuple[Expression, ...], tree: Ref, env: Environment) -> Value:
    if not indices:
        return value
    if isinstance(value, Cell):
        raise Fault("shapes", f"{written(tree)} takes an entry of a number")
    return value.entry(tree.name, tuple(world.integer(index, env) for index in indices))


def _binary(world: World, tree: Binary, env: Environment) -> Value:
    left = world.value(tree.left, env)
    if tree.operator == "**":
        exponent = power(world.integer(tree.right, env))
        return each(lambda cell: world.tape.apply(exponent, cell), left)
    right = world.value(tree.right, env)
    if tree.operator == "@" and isinstance(left, Array) and isinstance(right, Array):
        return product(world.tape, left, right, written(tree))
    return entrywise(world.tape, ENTRYWISE.get(tree.operator, MULTIPLY), left, right, written(tree))


def _negative(world: World, tree: Negative, env: Environment) -> Value:
    return each(lambda cell: world.tape.apply(NEGATE, cell), world.value(tree.operand, env))


def _transpose(world: World, tree: Transpose, env: Environment) -> Value:
    value = world.value(tree.operand, env)
    if isinstance(value, Cell):
        return value
    if value.cells.ndim != 2:
        raise Fault("shapes", f"{written(tree)} transposes three axes")
    return Array(value.cells.T, value.low[::-1])


def _cases(world: World, tree: Cases, env: Environment) -> Value:
    left, right = world.integer(tree.left, env), world.integer(tree.right, env)
    return world.value(tree.yes if CONDITIONS[tree.relation](left, right) else tree.no, env)


def _literal(world: World, tree: Literal, env: Environment) -> Value:
    shape = len(tree.rows), len(tree.rows[0])
    return Array(filled(shape, lambda r, c: world.scalar(tree.rows[r][c], env)), (1, 1))


def _call(world: World, tree: Call, env: Environment) -> Value:
    if tree.name in BUILTINS:
        return BUILTINS[tree.name](world, tree, env)
    derivative = tree.name.startswith("d") and tree.name[1:] in world.functions
    name = tree.name[1:] if derivative else tree.name
    if name not in world.functions and tree.name not in ELEMENTARY:
        raise Fault("names", f"{tree.name} is not a function of this document")
    if len(tree.arguments) != 1:
        raise Fault("names", f"{tree.name} takes one argument")
    argument = world.value(tree.arguments[0], env)
    if name not in world.functions:
        return each(lambda cell: world.tape.apply(elementary(tree.name), cell), argument)
    keys = tuple(world.integer(layer, env) for layer in tree.layers)
    if world.functions[name].index and derivative:
        raise Fault("names", f"{tree.name}: the derivative of a function of the whole layer is a matrix")
    if world.functions[name].index:
        return _of_layer(world, name, keys, argument)
    if derivative:
        return each(lambda cell: _slope(world, name, keys, cell), argument)
    return each(lambda cell: _activate(world, name, keys, cell), argument)


def _activate(world: World, name: str, keys: tuple[int, ...], cell: Cell) -> Cell:
    function = world.functions[name]
    if world.named != "formula":
        unknown = unspecified(name + "_".join(map(str, keys)), 1)
        if world.named == "slope":
            unknown = replace(unknown, slope=_slope_in_value(function.record, unknown.formula))
        return world.tape.apply(unknown, cell)
    if function.record:
        return world.tape.apply(_of_record(function.record), cell)
    env: Environment = {"u": cell}
    if function.layers:
        env[function.layers] = keys[0]
    return scalar(world.value(world.formula(name), env))


@cache
def _of_record(name: str) -> Operation:
    """One of symbp's own activations as an operation."""
    return Operation(ACTIVATIONS[name].expression().subs(Z, SLOTS[0]), 1)


@cache
def _slope_in_value(name: str, value: Any) -> Any:
    """g' of one of symbp's own activations in terms of g, as the derivation finds it."""
    return derivative_in_output(ACTIVATIONS[name].expression()).subs({Z: SLOTS[0], O: value})


def _slope(world: World, name: str, keys: tuple[int, ...], cell: Cell) -> Cell:
    """The derivative of a named function: of its own formula, at an input of its own."""
    at = world.tape.leaf(cell.value)
    return world.tape.leaf(world.tape.derivative(_activate(world, name, keys, at), at))


def _of_layer(world: World, name: str, keys: tuple[int, ...], argument: Value) -> Cell:
    function = world.functions[name]
    if isinstance(argument, Cell):
        raise Fault("shapes", f"{name} takes a column, not a number")
    if world.named != "formula":
        cells = list(argument.cells.flat)
        unknown = unspecified(name + "_".join(map(str, keys)), len(cells))
        return world.tape.apply(unknown, *cells)
    env: Environment = {"u": argument, function.index: keys[0]}
    return scalar(world.value(world.formula(name), env))


_VALUES: dict[type, Callable[[World, Any, Environment], Value]] = {
    Number: _number,
    Ref: _ref,
    Binary: _binary,
    Negative: _negative,
    Transpose: _transpose,
    Cases: _cases,
    Literal: _literal,
    Call: _call,
}

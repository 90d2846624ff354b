"""Layers of equal shape share one function, so that a deep network compiles like a short one.

::

    statements of a kernel --> units, one for each layer --> functions of equal units, and their calls

Two units are equal if they differ in the numbers of their layers only, hence in where their
arrays begin. Those places become arguments.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symbp.algebra.nodes import Activate, ActivateDerivative, Constant, Node, k
from symbp.algebra.rewriting import rewritten
from symbp.plan.program import Abreast, Access, Array, Fused, Kernel, Origin, Statement, with_origin
from symbp.render.outline import split_label

# Below this number of equal layers nothing is gained: their code compiles in seconds, and a call
# costs some nanoseconds.
REPEATS = 4
# A loop over layers is shorter than so many calls.
CALLS = 2

_NUMBERED = re.compile(r"([A-Z]+)(\d+)(_\w+)?")
_NEIGHBOUR = {0: "", -1: "_before", 1: "_next"}
_LAYERED = ("w", "c", "o", "a", "delta", "S", "T")

Group = list[Statement]
Unit = tuple[Group, ...]


@dataclass(frozen=True)
class Shared:
    """One function for all layers of equal shape.

    Attributes
    ----------
    number : int
        Tells it from the others of its kernel, counted from 1.
    groups : tuple of list of Statement
        The statements of the first such layer, with arrays renamed: ``O5`` is ``O`` in layer 5
        and ``O_before`` in layer 6.
    arrays : tuple of Array
        The renamed arrays.
    moved : tuple of str
        Names of the arrays whose place depends on the layer, in the order of the arguments.
    layers : tuple of int
        Where it is used.
    """

    number: int
    groups: Unit
    arrays: tuple[Array, ...]
    moved: tuple[str, ...]
    layers: tuple[int, ...]


@dataclass(frozen=True)
class Calls:
    """A function called for one layer after another.

    Attributes
    ----------
    function : Shared
    layers : tuple of int
        In the order of computation, one apart.
    places : tuple of tuple of int
        For every array that moves, where it begins in the first of those layers, and by how
        much that changes with the layer's number.
    """

    function: Shared
    layers: tuple[int, ...]
    places: tuple[tuple[int, int], ...]


def share_layers(
    groups: list[Group], kernel: Kernel, place: Callable[[Array], int]
) -> tuple[list[Shared], list[Group | Calls]]:
    """Find equal layers in the statements of a kernel.

    Parameters
    ----------
    groups : list of list of Statement
        Neighbouring statements of one equation each.
    kernel : Kernel
    place : callable
        Where an array begins in its vector.

    Returns
    -------
    functions : list of Shared
    rest : list
        In the order of computation: groups that stay where they are, and calls.
    """
    units = [(layer, tuple(unit)) for layer, unit in itertools.groupby(groups, _layer_of)]
    renamed = [_renamed(unit, layer, kernel) for layer, unit in units]
    counts = Counter(key for key in map(_key, renamed) if key is not None)
    functions: dict[Any, Shared] = {}
    for (layer, _), unit in zip(units, renamed, strict=True):
        key = _key(unit)
        if unit is None or key is None or counts[key] < REPEATS:
            continue
        known = functions.get(key)
        functions[key] = (
            Shared(len(functions) + 1, unit.groups, unit.arrays, tuple(unit.places), (layer or 0,))
            if known is None
            else replace(known, layers=(*known.layers, layer or 0))
        )
    rest: list[Group | Calls] = []
    for (layer, groups_of_unit), unit in zip(units, renamed, strict=True):
        function = functions.get(_key(unit))
        if unit is None or function is None or layer is None:
            rest += groups_of_unit
            continue
        at = [place(kernel.array(name)) for name in unit.places.values()]
        before = rest[-1] if rest else None
        if isinstance(before, Calls) and before.function == function:
            longer = _extended(before, layer, at)
            if longer is not None:
                rest[-1] = longer
                continue
        rest.append(Calls(function, (layer,), tuple((first, 0) for first in at)))
    return list(functions.values()), rest


def _layer_of(group: Group) -> int | None:
    return split_label(group[0].origin.label)[1]


@dataclass(frozen=True)
class _Renamed:
    """A unit without the numbers of layers; `places` tells which array each name stands for."""

    groups: Unit
    arrays: tuple[Array, ...]
    places: Mapping[str, str]


def _renamed(unit: Unit, layer: int | None, kernel: Kernel) -> _Renamed | None:
    """Return the unit with arrays named by their distance to its layer; None if it cannot be shared."""
    if layer is None:
        return None
    accesses = sorted({a for group in unit for s in group for a in s.accesses()}, key=str)
    used = dict.fromkeys(a.array for a in accesses)
    names = {name: _relative(name, layer) for name in used}
    arrays = [kernel.array(name) for name in used]
    if None in names.values() or any(array.role in ("local", "data") for array in arrays):
        return None
    new = {a: Access(names[a.array], *a.indices) for a in accesses}
    groups = tuple([_replaced(statement, new, layer) for statement in group] for group in unit)
    moved = {
        str(names[array.name]): array.name
        for array in arrays
        if names[array.name] != array.name and array.role != "register"
    }
    # Where an array begins is an argument, so it is no difference.
    same = tuple(
        replace(array, name=str(names[array.name]), offset=0) if names[array.name] != array.name else array
        for array in arrays
    )
    return _Renamed(groups, tuple(sorted(same, key=lambda array: array.name)), dict(sorted(moved.items())))


def _relative(name: str, layer: int) -> str | None:
    found = _NUMBERED.fullmatch(name)
    if found is None:
        return name
    letter, number, rest = found.groups()
    neighbour = _NEIGHBOUR.get(int(number) - layer)
    return None if neighbour is None else f"{letter}{rest or ''}{neighbour}"


def _replaced(statement: Any, new: Mapping[Access, Access], layer: int) -> Any:
    if isinstance(statement, Fused):
        reduce, *rest = (_replaced(step, new, layer) for step in statement.steps)
        count = len(statement.parts)
        return Fused(reduce, tuple(rest[:count]), tuple(rest[count:]))
    if isinstance(statement, Abreast):
        return replace(statement, parts=tuple(_replaced(part, new, layer) for part in statement.parts))
    changes: dict[str, Any] = {
        "target": new[statement.target],
        "value": statement.value.xreplace(new),
        "origin": _in_k(statement.origin, layer),
    }
    if getattr(statement, "initial", None) is not None:
        changes["initial"] = statement.initial.xreplace(new)
    return replace(statement, **changes)


def _in_k(origin: Origin, layer: int) -> Origin:
    """Write an equation for layer k instead of the number of a layer."""
    head, _ = split_label(origin.label)
    put_in = tuple(_in_k(part, layer) for part in origin.put_in)
    if isinstance(origin.formula, str):
        numbered = _NUMBERED.sub(lambda m: _relative(m[0], layer) or m[0], origin.formula)
        return Origin(head, numbered, put_in)

    def node(e: Node) -> Node:
        return Node(e.kind, k + e.layer - layer, e.indices, e.sample) if e.kind in _LAYERED else e

    def parameter(e: Constant) -> Constant:
        return Constant(e.parameter, k + e.layer - layer, e.value) if e.layer != 0 else e

    def function(e: Any) -> Any:
        return e.func(k + e.args[0] - layer, e.args[1])

    inside = {Node: node, Constant: parameter, Activate: function, ActivateDerivative: function}
    return Origin(head, rewritten(origin.formula, inside), put_in)


def _key(unit: _Renamed | None) -> Any:
    if unit is None:
        return None
    nameless = tuple(
        with_origin(statement, Origin(statement.origin.label, None))
        for group in unit.groups
        for statement in group
    )
    return nameless, unit.arrays, tuple(unit.places)


def _extended(calls: Calls, layer: int, at: list[int]) -> Calls | None:
    """Return the calls with one more layer, if the places go on in equal steps."""
    first, last = calls.layers[0], calls.layers[-1]
    if abs(layer - last) != 1 or layer - first not in (len(calls.layers), -len(calls.layers)):
        return None
    distance = layer - first
    if len(calls.layers) == 1:
        steps = [(now - start) // distance for now, (start, _) in zip(at, calls.places, strict=True)]
    else:
        steps = [step for _, step in calls.places]
    starts = [start for start, _ in calls.places]
    if any(start + step * distance != now for start, step, now in zip(starts, steps, at, strict=True)):
        return None
    return Calls(calls.function, (*calls.layers, layer), tuple(zip(starts, steps, strict=True)))


def call_lines(calls: Calls, name: str, arguments: str) -> Iterator[str]:
    """Yield the lines that call a shared function: a loop over the layers, or one call each."""
    first, last = calls.layers[0], calls.layers[-1]
    if len(calls.layers) <= CALLS:
        for layer in calls.layers:
            places = ", ".join(str(start + step * (layer - first)) for start, step in calls.places)
            yield from (f"{name}(", f"    {arguments},", f"    {places},", ")")
        return
    direction = 1 if last > first else -1
    yield f"for k in range({first}, {last + direction}{'' if direction == 1 else ', -1'}):"
    places = ", ".join(_affine(start - step * first, step) for start, step in calls.places)
    yield from (f"    {name}(", f"        {arguments},", f"        {places},", "    )")


def _affine(constant: int, step: int) -> str:
    """Return the text of constant + step k."""
    if step == 0:
        return str(constant)
    text = {1: "k", -1: "-k"}.get(step, f"{step}*k")
    if constant == 0:
        return text
    return f"{text} + {constant}" if constant > 0 else f"{text} - {-constant}"

"""A kernel program run as NumPy, statement by statement, without emitting or compiling anything.

Slow and plain: it is there to see in milliseconds what a derivation computes, also one in
which an equation was replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import KroneckerDelta
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.named import defined
from symbp.algebra.nodes import m
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Kernel,
    Loop,
    Map,
    Program,
    Reduce,
    Statement,
    Sweep,
    parts_of,
)
from symbp.plan.step import STEP
from symbp.run.evaluate import Floats, evaluate


def gradient(
    program: Program, w: Floats, X: Floats, Y: Floats, v: Floats | None = None
) -> tuple[float, Floats]:
    """Return J and its gradient as the program's equations give them.

    Parameters
    ----------
    program : Program
    w : ndarray, shape (n_params,)
    X, Y : ndarray, shape (n, N_0) and (n, N_{L+1})
    v : ndarray, shape (n,), optional
        Weights of the samples; 1 where they are left out.

    Returns
    -------
    cost : float
    gradient : ndarray, shape (n_params,)
    """
    flat = np.zeros(program.n_params)
    memory: dict[str, Any] = {"X": X, "Y": Y, "V": np.ones(len(X)) if v is None else v, "cost": np.zeros(())}
    for name in ("forward", "sensitivities", "gradient"):
        _run(program.kernel(name), memory, w, flat, len(X))
    return float(memory["cost"]), flat


def step(
    program: Program,
    w: Floats,
    X: Floats,
    Y: Floats,
    learning_rate: float,
    states: Floats,
    number: int = 1,
) -> tuple[float, Floats, Floats]:
    """Return what a fused step of training makes of the weights.

    Parameters
    ----------
    program : Program
        With the kernels of :mod:`symbp.plan.step`.
    w, X, Y : ndarray
        As for :func:`gradient`.
    learning_rate : float
    states : ndarray, shape (states of the update rule, n_params)
    number : int
        Of the update, counted from 1.

    Returns
    -------
    cost : float
    w, states : ndarray
        After the step.
    """
    w, states = w.copy(), states.copy()
    memory: dict[str, Any] = {"X": X, "Y": Y, "cost": np.zeros(()), "eta": learning_rate, "step": number}
    for kernel in program.kernels:
        if kernel.name in (*STEP, "factors"):
            _run(kernel, memory, w, states.reshape(-1), len(X))
    return float(memory["cost"]), w, states


def _run(kernel: Kernel, memory: dict[str, Any], w: Floats, flat: Floats, rows: int) -> None:
    for array in kernel.arrays:
        if array.role in ("weights", "gradient", "state"):
            memory[array.name] = _view(array, w if array.role == "weights" else flat)
        elif array.name not in memory:
            memory[array.name] = np.zeros([_extent(extent, rows) for extent in array.axes])
    for statement in kernel.statements:
        assert not isinstance(statement, Sweep)  # only the update has them
        for part in parts_of(statement):
            _execute(part, memory, rows)
    # What a name stands for in the flat vectors is the kernel's own; work stays for the next one.
    for array in kernel.arrays:
        if array.role in ("weights", "gradient", "state"):
            del memory[array.name]


def _view(array: Array, vector: Floats) -> Floats:
    shape = [int(extent) for extent in array.axes]
    return vector[array.offset : array.offset + int(np.prod(shape))].reshape(shape)


def _extent(extent: Any, rows: int) -> int:
    return rows if extent == ROWS else int(extent)


def _execute(statement: Map | Reduce, memory: dict[str, Any], rows: int) -> None:
    over = statement.over if isinstance(statement, Reduce) else ()
    loops = (*statement.loops, *over)
    value = _values(statement.value, loops, memory, rows)
    if statement.loops and not statement.target.indices:  # a number of one element, for all of them
        memory[statement.target.array] = value
        return
    target, place = memory[statement.target.array], _place(statement, rows)
    if isinstance(statement, Map):
        target[place] = value
        return
    axes = tuple(range(len(statement.loops), len(loops)))
    total = _REDUCED[statement.operation](value, axes)
    if statement.initial is not None:
        total = total + _values(statement.initial, statement.loops, memory, rows)
    target[place] = target[place] + total if statement.accumulate else total


def _rest(value: Floats, axes: tuple[int, ...]) -> Any:
    """Return the sum without a largest number, which the order puts last."""
    (axis,) = axes
    return np.moveaxis(np.sort(value, axis), axis, -1)[..., :-1].sum(axis=-1)


_REDUCED: dict[str, Callable[[Floats, tuple[int, ...]], Any]] = {
    "sum": lambda value, axes: value.sum(axis=axes),
    "max": lambda value, axes: value.max(axis=axes),
    "rest": _rest,
}


def _place(statement: Statement, rows: int) -> Any:
    """Return where the target's elements lie, their axes in the order of the loops."""
    extents = {loop.index: _extent(loop.extent, rows) for loop in statement.loops}
    order = [loop.index for loop in statement.loops]
    places: list[Any] = []
    for position in statement.target.indices:
        places.append(int(position) if position.is_Integer else _along(position, order, extents))
    return tuple(places)


def _along(index: Any, order: list[Any], extents: Mapping[Any, int]) -> NDArray[np.int_]:
    """Return 0, 1, ... along the axis of an index, with length 1 along the others."""
    shape = [extents[other] if other == index else 1 for other in order]
    return np.arange(extents[index]).reshape(shape)


def _values(value: Any, loops: tuple[Loop, ...], memory: Mapping[str, Any], rows: int) -> Any:
    """Return a value for every combination of the loops, one axis each."""
    extents = {loop.index: _extent(loop.extent, rows) for loop in loops}
    order = [loop.index for loop in loops]

    def positions(indices: Any) -> tuple[Any, ...]:
        return tuple(int(x) if x.is_Integer else _along(x, order, extents) for x in indices)

    # A named stable function has the value of what defines it; two are NumPy's as they are.
    plain = defined(value, but=(expm1, log1p))
    letters: dict[Any, Any] = {m: sympy.Dummy("m")}
    numbers: dict[Any, Any] = {letters[m]: float(rows)}
    for symbol in plain.free_symbols - set(extents):
        if symbol.name in ("eta", "step"):
            letters[symbol] = letter = sympy.Dummy()
            numbers[letter] = float(memory[symbol.name])
    for part in plain.atoms(Access, KroneckerDelta):
        letters[part] = letter = sympy.Dummy()
        if isinstance(part, Access):
            numbers[letter] = memory[part.array][positions(part.indices)]
        else:
            a, b = positions(part.args[:2])
            numbers[letter] = np.equal(a, b).astype(float)
    result = evaluate(plain.xreplace(letters), numbers)
    return np.broadcast_to(result, [extents[index] for index in order])

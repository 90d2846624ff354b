"""Whole numbers in a model: layers, indices, sizes, and how far indices run."""

from __future__ import annotations

import functools
import math
from typing import Any

import sympy
from sympy import Add, Mul, Symbol

from symbp.algebra.nodes import KINDS, HasBias, Inputs, L, Width
from symbp.derivation.oracles.model import NoSuchQuantity, NotApplicable, Shape

Environment = dict[Any, int]


def integer(expr: Any, env: Environment, shape: Shape) -> int:
    """Evaluate an expression in layers, indices and sizes."""
    if expr.is_Integer:
        return int(expr)
    if isinstance(expr, Symbol):
        return env[expr]
    if isinstance(expr, Add):
        return sum(integer(a, env, shape) for a in expr.args)
    if isinstance(expr, Mul):
        return math.prod(integer(a, env, shape) for a in expr.args)
    if isinstance(expr, (Width, HasBias, Inputs)):
        layer = integer(expr.args[0], env, shape)
        if not (0 if isinstance(expr, Width) else 1) <= layer <= shape.last:
            raise NoSuchQuantity(f"{expr} for layer {layer} of {shape.last}")
        if isinstance(expr, Width):
            return shape.widths[layer]
        return int(shape.biases[layer - 1]) if isinstance(expr, HasBias) else shape.inputs(layer)
    raise NotApplicable(f"{expr} is not a whole number")


@functools.lru_cache(maxsize=10_000)
def extents_of(shape: Shape, kind: str, layer: int) -> tuple[int, ...]:
    """Return how far each index of a quantity runs."""
    found = KINDS[kind].extents(sympy.Integer(layer))
    return tuple(integer(extent, {L: shape.hidden}, shape) for extent in found)

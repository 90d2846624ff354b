"""Divisions of a step of one sample that need not wait for what is divided."""

from __future__ import annotations

from dataclasses import replace

from sympy import Mul, Pow, S

from symbp.plan.access import elements
from symbp.plan.program import Access, Map, Reduce


def divide_early(part: Map | Reduce) -> tuple[Map | Reduce, ...]:
    """Return a map over outputs with the reciprocal of what all of them are divided by before it.

    A division takes longer than anything else between the outputs and their sensitivities. A
    reciprocal of the sum of a softmax is computed while the numerators still are; they are then
    multiplied by it.
    """
    if not isinstance(part, Map) or len(part.loops) != 1:
        return (part,)
    factors = Mul.make_args(part.value)
    below = [f for f in factors if isinstance(f, Pow) and f.exp == S.NegativeOne and _is_of_sample(f)]
    if not any(map(elements, below)):
        return (part,)
    reciprocal = Access(f"{part.target.array}_by")
    above = Mul(*(f for f in factors if f not in below))
    return Map(reciprocal, (), Mul(*below), part.origin), replace(part, value=above * reciprocal)


def _is_of_sample(divisor: Pow) -> bool:
    """Whether it is of the sample as a whole: the sum over its outputs, the number of samples."""
    return not any(access.indices for access in elements(divisor))

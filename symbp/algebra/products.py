"""The order in which kernels multiply the factors of a product."""

from __future__ import annotations

from typing import Any

import sympy

from symbp.algebra.marks import Raised

# Whole powers up to this one are products; kernels call ``pow`` for larger ones.
WHOLE_POWERS = 4
_FIRST, _VARIABLE, _POWER, _LARGEST = range(4)


def evaluation_rank(factor: Any) -> int:
    """Return where a factor stands: variables come last, powers of them, and what is limited.

    They are multiplied one after the other, so ``exp(-z*z)*z*z`` is 0 where a square that was
    computed before the product would be infinite, and 0 times infinity is not a number.
    """
    base, exponent = factor.as_base_exp()
    limited = isinstance(base, Raised)
    while isinstance(base, Raised):
        (base,) = base.args
    if not (base.is_symbol and exponent.is_Integer and exponent > 0):
        return _FIRST
    if limited:
        return _LARGEST
    return _VARIABLE if exponent == 1 else _POWER


def is_decimal(factor: Any) -> bool:
    """Whether a factor is a fraction such as 0.9 or 1/2, which kernels multiply by as one number.

    ``0.5*b*z`` does not overflow where ``b*z/2`` does, and 0.5 is exact.
    """
    return bool(factor.is_Rational and factor.q != 1 and set(sympy.primefactors(factor.q)) <= {2, 5})

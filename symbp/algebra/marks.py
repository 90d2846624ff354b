"""Marks around a part of a formula: what it is stays the same, how kernels compute it does not."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Function

# What pages call the next two, or both.
FINITE = "finite"


class Raised(Function):
    """u, which is every number of the type; minus infinity becomes the lowest of them.

    So minus infinity times 0 is what the limit is, and not NaN.
    """

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, u: Any) -> Any:
        return u if u.is_number else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.One


class Lowered(Raised):
    """u, which is every number of the type; infinity becomes the largest of them."""


class First(Function):
    """u, a sum of its own: kernels compute it before they add anything to it, or take anything from it.

    In (1 - y) - x the difference of two numbers near each other is exact, in (1 - x) - y it is lost.
    """

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.One

"""In which order factors and terms are read: by their role, not by the alphabet.

SymPy sorts the factors of a product by name; a reader expects the weight before what it
weighs, and the derivative of the cost before the derivative of the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Add, Mul, Pow
from sympy.concrete.summations import Sum

from symbp.algebra.nodes import Node, Partial

# Roles in reading order. Nodes go by kind, everything else by class (the nearest in the MRO).
_KINDS = ("w", "w_new", "delta", "o", "a", "y", "h", "sigma", "c", "e", "mu", "rest", "lse", "J")
_ROLES = (
    "Delta",
    "Number",
    "Symbol",
    "Constant",
    "Width",
    "Inputs",
    "KroneckerDelta",
    "HasBias",
    "v",
    "Partial w",
    "w",
    "w_new",
    "Activate",
    "ActivateDerivative",
    "delta",
    *_KINDS[_KINDS.index("delta") + 1 :],
    "Add",
    "Pow",
    "Function",
    "Piecewise",
    "MaxOver",
    "PerWeight",
    "Partial",
    "T",
    "S",
    "Sum",
)
_RANK = {role: rank for rank, role in enumerate(_ROLES)}
_OTHER = _RANK["Function"]

# A chain of derivatives is read from the cost down to the weights.
_DOWNWARD = {kind: rank for rank, kind in enumerate(("J", "Js", "Jb", "h", "sigma", "o", "a", "c", "w"))}


Before = tuple[tuple[str, str], ...]


def role(factor: Any, before: Before = ()) -> tuple[float, int]:
    """Return the place of a factor in a product; pairs in `before` move the first before the second."""
    if factor.is_number:
        return _RANK["Number"], 0
    base = factor.base if isinstance(factor, Pow) and isinstance(factor.base, Node) else factor
    for first, second in before:
        if isinstance(base, Node) and base.kind == first:
            return _RANK[second] - 0.5, 0
    if isinstance(base, Node):
        # Entries of a product of S-matrices stand as the matrices do: the last layer first.
        descending = -int(base.layer) if base.kind in ("S", "T") and base.layer.is_Integer else 0
        return _RANK.get(base.kind, _OTHER), descending
    if isinstance(base, Partial):
        # The derivative of a weight is a Kronecker delta in waiting: it stands where the weight stood.
        if base.of.kind == "w":
            return _RANK["Partial w"], 0
        return _RANK["Partial"], _DOWNWARD.get(base.of.kind, len(_DOWNWARD))
    for cls in type(base).__mro__:
        if cls.__name__ in _RANK:
            return _RANK[cls.__name__], 0
    return _OTHER, 0


def ordered(factors: Any, before: Before = ()) -> list[Any]:
    """Return the factors of a product in reading order."""
    return sorted(factors, key=lambda f: (role(f, before), sympy.default_sort_key(f)))


@dataclass(frozen=True)
class Product:
    """A product taken apart: its sign, and its factors above and below the line."""

    negative: bool
    above: tuple[Any, ...]
    below: tuple[Any, ...]


def product(expr: Any, before: Before = ()) -> Product:
    """Take a product apart into sign, numerator and denominator, each in reading order.

    A minus sign common to all terms of a sum over an index goes in front of it.
    """
    negative, above, below = False, [], []
    for factor in Mul.make_args(expr):
        if isinstance(factor, Sum) and _all_negative(factor.function):
            negative = not negative
            factor = Sum(-factor.function, *factor.limits)
        if factor.is_Rational:
            negative ^= bool(factor < 0)
            number = abs(factor)
            if is_decimal(number):
                above.append(number)
                continue
            above += [number.p] if number.p != 1 else []
            below += [number.q] if number.q != 1 else []
        elif isinstance(factor, Pow) and factor.exp.could_extract_minus_sign():
            below.append(Pow(factor.base, -factor.exp))
        else:
            above.append(factor)
    return Product(
        negative,
        tuple(ordered(map(sympy.sympify, above), before)),
        tuple(ordered(map(sympy.sympify, below), before)),
    )


def _all_negative(expr: Any) -> bool:
    return all(
        term.could_extract_minus_sign() and term.as_coeff_Mul()[0].is_negative for term in Add.make_args(expr)
    )


def is_decimal(number: Any) -> bool:
    """Return whether a fraction is better read as a decimal: 0.044715, but 1/2."""
    if not number.is_Rational or number.q <= 10:
        return False
    return set(sympy.primefactors(number.q)) <= {2, 5}


def terms(expr: Any) -> list[Any]:
    """Return the terms of a sum in reading order: negative ones last, sums over an index first."""
    parts = Add.make_args(expr)
    counting = all(x.is_number or (x.is_integer and not x.has(Node)) for x in parts)

    def key(term: Any) -> Any:
        taken = product(term)
        number = term.is_number
        return (
            taken.negative,
            number if counting else not number,  # N + 1, but 1 + e^z
            not any(isinstance(f, Sum) for f in taken.above),
            [role(f) for f in taken.above],
            sympy.default_sort_key(term),
        )

    return sorted(parts, key=key)

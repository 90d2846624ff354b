"""g' as a function of g for algebraic g: z is eliminated from both.

With s the square root in g, if there is one, g and g' are rational functions of z and s, and
s^2 is a polynomial in z: resultants give a polynomial P with P(g, g') = 0. One of its factors,
solved for g', is a candidate; which of its roots it is, is proved, or there is no relation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Dummy, Expr, Poly

# Bounds on what is eliminated: degrees in z and s together, and the operations of a formula.
_DEGREE = 8
_LONG = 40
_HALF = sympy.Rational(1, 2)


def algebraic_relation(value: Expr, slope: Expr, letter: Any, output: Any) -> Expr | None:
    """Return R with slope = R(value) for every number that the letter stands for, or None.

    Parameters
    ----------
    value, slope : Expr
        Rational functions of the letter and of at most one square root.
    letter : Symbol
        Its assumptions say which numbers it stands for: all, those from 0 up, ...
    output : Symbol
        The letter of R.
    """
    root = Dummy("s", positive=True)
    radicands = {p.base for e in (value, slope) for p in e.atoms(sympy.Pow) if _is_half(p)}
    if len(radicands) > 1 or max(value.count_ops(), slope.count_ops()) > _LONG:
        return None
    inside = radicands.pop() if radicands else sympy.S.One
    if not inside.is_polynomial(letter):
        return None
    field = _Field(letter, root, inside)
    value, slope = field.written(value), field.written(slope)
    if not all(e.is_rational_function(letter, root) for e in (value, slope)):
        return None
    for relation in _candidates(field, value, slope, output):
        if field.proves(relation, value, slope, output):
            return relation.in_output(output)
    return None


def _is_half(power: Any) -> bool:
    return bool(power.exp.is_Rational and power.exp.q == 2 and not power.base.is_number)


class _Relation:
    """A factor of P that is linear in g', or quadratic in it: a g'^2 + b g' + c = 0."""

    def __init__(self, a: Expr, b: Expr, c: Expr, sign: int) -> None:
        self.a, self.b, self.c, self.sign = a, b, c, sign

    def in_output(self, output: Any) -> Expr:
        """Return g' in the output."""
        if self.a == 0:
            return sympy.factor(-self.c / self.b)
        if self.b == 0:
            return self.sign * _root_of(-self.c / self.a)
        # 2 a g' + b = +-sqrt(b^2 - 4 a c)
        return (self.sign * _root_of(self.b**2 - 4 * self.a * self.c) - self.b) / (2 * self.a)


def _root_of(square: Expr) -> Expr:
    """Return the square root of a rational function that is a square of something real."""
    number, rest = sympy.S.One, sympy.S.One
    odd: list[tuple[Expr, Any]] = []
    for part, sign in zip(sympy.fraction(sympy.cancel(square)), (1, -1), strict=True):
        constant, factors = sympy.sqf_list(part)
        number *= constant**sign
        for base, power in factors:
            if power % 2:
                odd.append((base, sign * power))
            else:
                size = base**2 if power % 4 == 0 else sympy.Abs(base)
                rest *= size ** (sign * power // (4 if power % 4 == 0 else 2))
    if number.is_negative and odd:
        (base, power), *others = odd
        number, odd = -number, [(sympy.expand(-base), power), *others]
    if len(odd) == 1:
        return sympy.sqrt(number) * rest * odd[0][0] ** (odd[0][1] * _HALF)
    return rest * sympy.sqrt(number * sympy.Mul(*(base**power for base, power in odd)))


class _Field:
    """Rational functions of a letter and of s, the positive root of a polynomial in it."""

    def __init__(self, letter: Any, root: Any, inside: Expr) -> None:
        self.letter, self.root, self.inside = letter, root, inside

    def written(self, e: Expr) -> Expr:
        """Write every power of the radicand with s."""
        return e.replace(
            lambda x: x.is_Pow and _is_half(x) and x.base == self.inside,
            lambda x: self.root ** (2 * x.exp),
        )

    def plain(self, e: Expr) -> Expr:
        return e.xreplace({self.root: sympy.sqrt(self.inside)})

    def is_zero(self, e: Expr) -> bool:
        """Whether an element is 0: as a polynomial modulo s^2 - inside, for s > 0 and s < 0 alike."""
        numerator = sympy.numer(sympy.together(e))
        square = sympy.expand(self.root**2 - self.inside)
        return bool(sympy.rem(sympy.expand(numerator), square, self.root) == 0)

    def proves(self, relation: _Relation, value: Expr, slope: Expr, output: Any) -> bool:
        """Whether the relation holds, with its sign, for all numbers."""
        a, b, c = (e.xreplace({output: value}) for e in (relation.a, relation.b, relation.c))
        if not self.is_zero(a * slope**2 + b * slope + c):
            return False
        # What is divided by must not be 0, and what decides between two roots must keep its sign.
        if relation.a == 0:
            return _sign(self.plain(b)) is not None
        decided = slope if relation.b == 0 else 2 * a * slope + b
        return _sign(self.plain(a)) is not None and _sign(self.plain(decided)) == relation.sign


def _sign(e: Expr) -> int | None:
    """Return the sign of an expression that has one everywhere, by SymPy's assumptions."""
    for form in (e, sympy.together(e), sympy.factor(e), sympy.factor(sympy.expand(e))):
        if form.is_positive:
            return 1
        if form.is_negative:
            return -1
    return None


def _candidates(field: _Field, value: Expr, slope: Expr, output: Any) -> Iterator[_Relation]:
    other = Dummy("p")
    letter, root = field.letter, field.root
    first, second = (
        sympy.expand(sympy.numer(sympy.together(name - e))) for name, e in ((output, value), (other, slope))
    )
    generators = [letter, root]
    if any(Poly(e, *generators).total_degree() > _DEGREE for e in (first, second)):
        return
    if field.inside != 1:
        square = root**2 - field.inside
        first, second = (sympy.resultant(e, square, root) if e.has(root) else e for e in (first, second))
    if any(sympy.degree(e, letter) > _DEGREE for e in (first, second)):
        return
    polynomial = sympy.resultant(first, second, letter)
    if polynomial == 0 or not polynomial.has(other):
        return
    for factor, _ in sympy.factor_list(polynomial)[1]:
        degree = sympy.degree(factor, other) if factor.has(other) else 0
        if degree in (1, 2):
            a, b, c = (sympy.expand(factor).coeff(other, n) for n in (2, 1, 0))
            for sign in (1, -1) if degree == 2 else (1,):
                yield _Relation(a, b, c, sign)

"""g' as a function of the output alone, through the inverse of g: softplus' = 1 - e^{-o}.

With g = F(v) and F invertible, g' = v'/(F^-1)'(o): what is left is a relation for v, in the
place of whose output F^-1(o) stands. It is found by peeling functions off until the rest is z,
has a polynomial relation (:mod:`.local`), or is algebraic (:mod:`.algebraic`). Functions with
branches, or with \\|z\\|, are taken branch by branch. Every step is an identity; a sign that
is not proved to stay the same ends the search, whose length the formula's own bounds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import sympy
from sympy import Abs, Dummy, Expr, Piecewise
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.nodes import Constant, with_numbers
from symbp.derivation import local
from symbp.derivation.algebraic import algebraic_relation
from symbp.derivation.local import O, Z, derivative_in_output

# Functions that rise or fall on the whole line, with their inverses.
_INVERSES: dict[Any, Callable[[Any], Any]] = {
    sympy.exp: sympy.log,
    sympy.log: sympy.exp,
    expm1: log1p,
    log1p: expm1,
    sympy.atan: sympy.tan,
    sympy.tanh: sympy.atanh,
    sympy.sinh: sympy.asinh,
}
# Inverses that formulas have no name for, in functions that they have.
_WRITTEN_OUT: dict[Any, Callable[[Any], Any]] = {
    sympy.tan: lambda u: sympy.sin(u) / sympy.cos(u),
    sympy.atanh: lambda u: sympy.log((1 + u) / (1 - u)) / 2,
    sympy.asinh: lambda u: sympy.log(u + sympy.sqrt(1 + u**2)),
}
_COMPARED = (sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt)
_DIGITS = 50
_POINTS = ("-2.3", "-0.6", "0.01", "0.7", "1.9")


@functools.cache  # a deep network asks for the same activation in every layer
def relation_to_output(formula: Expr) -> Expr | None:
    """Return g' in :data:`symbp.derivation.local.O`, or None where no such relation is found.

    Parameters
    ----------
    formula : Expr
        g in z.

    Returns
    -------
    Expr or None
        The relation that :func:`.local.derivative_in_output` finds, where it holds the output
        (and perhaps z: swish); else the one through the inverse.
    """
    found = derivative_in_output(formula)
    if found.has(O) or not found.has(Z):
        return found if found.has(O) else None
    relation = _by_cases(formula) if formula.has(Piecewise, Abs) else _on_line(formula, Z)
    if relation is None or not relation.has(O):
        return None
    numbers = with_numbers(relation)
    if numbers.has(sympy.nan, sympy.zoo) or not _holds(formula, relation):
        return None
    return relation.replace(_is_turned_square, lambda e: sympy.expand(-e.base) ** e.exp)


def _is_turned_square(e: Any) -> bool:
    """Whether an expression is (x - 1)^2, which reads better as (1 - x)^2."""
    even = e.is_Pow and e.exp.is_Integer and e.exp % 2 == 0 and isinstance(e.base, sympy.Add)
    return bool(even and e.base.as_coeff_Add()[0].is_negative)


# One branch ----------------------------------------------------------------------------


def _on_line(formula: Expr, letter: Any) -> Expr | None:
    """Return the relation of a formula without branches in a letter that stands for z.

    The letter's assumptions say where the relation has to hold.
    """
    if not formula.has(letter):
        return None
    if formula == letter:
        return sympy.S.One
    slope = sympy.diff(formula, letter)
    known = local.polynomial_relation(formula.xreplace({letter: Z}), slope.xreplace({letter: Z}))
    if known is not None:
        return known
    peeled = _peeled(formula, letter)
    if peeled is not None:
        inner, back, factor = peeled
        relation = _on_line(inner, letter)
        return None if relation is None else _shortest(factor * relation.xreplace({O: back}))
    if formula.atoms(Constant):
        return None  # elimination is for numbers
    return algebraic_relation(formula, slope, letter, O)


def _peeled(formula: Expr, letter: Any) -> tuple[Expr, Expr, Expr] | None:
    """Write g = F(v): return v, F^-1(o) and F' in terms of o, 1/(F^-1)'(o)."""
    around = [argument for argument in formula.args if argument.has(letter)]
    if len(around) != 1:
        return None
    inner = around[0]
    if formula.is_Add:
        return inner, O - (formula - inner), sympy.S.One
    if formula.is_Mul:
        factor = formula / inner
        return inner, O / factor, factor
    if type(formula) in _INVERSES:
        kind: Any = type(formula)
        return inner, _INVERSES[kind](O), _outer_slope(kind)
    if formula.is_Pow and inner == formula.base and formula.exp.is_Rational:
        n = formula.exp
        if n == -1 or inner.is_positive:
            return inner, O ** (1 / n), n * O ** (1 - 1 / n)
    return None


@functools.cache
def _outer_slope(kind: Any) -> Expr:
    """Return F' in terms of F for a function of the table: 1/(F^-1)'."""
    return sympy.trigsimp(1 / sympy.diff(_INVERSES[kind](O), O))


def _shortest(expr: Expr) -> Expr:
    """Return the shortest of a few ways of writing a relation; none of them searches."""
    plain = expr.replace(lambda e: isinstance(e, expm1), lambda e: sympy.exp(e.args[0]) - 1)
    forms = [expr, sympy.powsimp(sympy.expand(plain)), _over_exponential(plain)]
    return min(map(_written_out, (f for f in forms if f is not None)), key=sympy.count_ops)


def _written_out(expr: Expr) -> Expr:
    """Write a relation in functions that a formula may call."""
    if not expr.has(*_WRITTEN_OUT):
        return expr
    for kind, written in _WRITTEN_OUT.items():
        expr = expr.replace(kind, written)
    if expr.has(sympy.sin, sympy.cos):  # simplified they may be tangents again
        expr = sympy.trigsimp(expr).replace(sympy.tan, _WRITTEN_OUT[sympy.tan])
    for size in expr.atoms(Abs):
        letter, inner = Dummy("a", positive=True), size.args[0]
        expr = expr.xreplace({size: letter, inner**2: letter**2}).xreplace({letter: size})
    return expr


def _over_exponential(expr: Expr) -> Expr | None:
    """Cancel a rational function of one exponential."""
    arguments = {e.args[0] for e in expr.atoms(sympy.exp)}
    if not arguments:
        return None
    unit = min(arguments, key=lambda u: (abs(u.as_coeff_Mul()[0]), sympy.default_sort_key(u)))
    unit = -unit if unit.could_extract_minus_sign() else unit
    letter = Dummy("E", positive=True)
    ratios = {u: sympy.cancel(u / unit) for u in arguments}
    if not all(ratio.is_Integer for ratio in ratios.values()):
        return None
    plain = expr.xreplace({sympy.exp(u): letter**ratio for u, ratio in ratios.items()})
    if plain.has(sympy.Function) or not plain.is_rational_function(letter):
        return None
    return sympy.factor(sympy.cancel(plain)).xreplace({letter: sympy.exp(unit)})


# Branches ------------------------------------------------------------------------------


def _by_cases(formula: Expr) -> Expr | None:
    """Return the relation branch by branch, where the output tells in which branch it is."""
    pieces = _pieces(formula)
    if pieces is None:
        return None
    found = []
    for value, letter, at in pieces:
        moved = value.xreplace({Z: at})
        rising = sympy.factor(sympy.diff(moved, letter)) / sympy.diff(at, letter)
        if not rising.is_positive:
            return None
        relation = _on_line(moved, letter)
        if relation is None:
            return None
        # The letter runs the other way where z does.
        found.append(relation / sympy.diff(at, letter))
    (low, high), threshold = found, pieces[1][2].subs(pieces[1][1], 0)
    level = pieces[1][0].subs(Z, threshold)
    if pieces[0][0].subs(Z, threshold) != level:
        return None
    if level == 0 and sympy.expand(low.xreplace({O: -O}) - high) == 0:
        return high.xreplace({O: Abs(O)})
    if formula.has(Abs) and sympy.simplify(low.subs(O, level) - high.subs(O, level)) != 0:
        return None  # at the kink of an absolute value neither branch has the declared slope
    # The threshold itself belongs to the branch that it belongs to in the formula.
    above = isinstance(formula, Piecewise) and isinstance(formula.args[0][1], (sympy.Lt, sympy.Ge))
    return Piecewise((low, level > O if above else level >= O), (high, True))


def _pieces(formula: Expr) -> list[tuple[Expr, Any, Expr]] | None:
    """Return below and above a threshold: the formula, a letter that is never negative, z in it."""
    n = Dummy("n", nonnegative=True)
    if isinstance(formula, Piecewise):
        if len(formula.args) != 2 or formula.has(Abs):
            return None
        (first, condition), (second, _) = formula.args
        if not isinstance(condition, _COMPARED) or condition.lhs != Z or condition.rhs.has(Z):
            return None
        at = condition.rhs
        below = isinstance(condition, (sympy.Le, sympy.Lt))
        low, high = (first, second) if below else (second, first)
    elif {e.args[0] for e in formula.atoms(Abs)} == {Z}:
        at = sympy.S.Zero
        low, high = (formula.xreplace({Abs(Z): sign * Z}) for sign in (-1, 1))
    else:
        return None
    return [(low, n, at - n), (high, n, at + n)]


def _holds(formula: Expr, relation: Expr) -> bool:
    """Compare with central differences at 50 digits: an oracle that knows nothing of the search."""
    value = sympy.lambdify(Z, with_numbers(formula), "mpmath")
    slope = sympy.lambdify(O, with_numbers(relation), "mpmath")
    with mpmath.workdps(2 * _DIGITS):
        step = mpmath.mpf(10) ** -_DIGITS
        points = [mpmath.mpf(text) for text in _POINTS]
        return all(
            abs(slope(value(z)) - (value(z + step) - value(z - step)) / (2 * step)) < mpmath.mpf(10) ** -40
            for z in points
        )

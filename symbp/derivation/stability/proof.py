"""Prove that two expressions are equal: definitions put in, branch by branch, over exponentials.

No simplification is trusted: in each branch the difference must vanish as a rational
function of independent exponentials, or its exponential must be 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Abs, Expr, Piecewise, exp, log, sign, tanh

from symbp.algebra.named import defined
from symbp.algebra.nodes import Constant, Node

# More combinations of branches than this are not tried: the proof then fails.
_CASES = 200
# The logarithms of logarithms that are looked into.
_NESTED = 1


def equal(a: Any, b: Any) -> bool:
    """Whether `a` and `b` are proved equal wherever both are defined.

    Parameters
    ----------
    a, b : sympy.Expr
        In real letters (symbols, nodes of a network); named functions stand for their
        definitions.

    Returns
    -------
    bool
        False means "not proved", which is not the same as "different".
    """
    a, b = (_in_letters(defined(side)) for side in (a, b))
    if a == b:
        return True
    return all(_vanishes(left - right) for left, right in _branches(a, b))


def _in_letters(expr: Expr) -> Expr:
    """Replace the quantities of a network by plain letters."""
    kinds = (Node, Constant)
    return expr.replace(lambda e: isinstance(e, kinds), lambda e: sympy.Symbol(f"[{e}]", real=True))


# Branches ------------------------------------------------------------------------------


def _branches(a: Expr, b: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield both sides for every order of the compared quantities against their thresholds.

    Every comparison, and every sign, asks where a quantity t lies among numbers: below the
    first, at it, between the first two, and so on. Within one such place every case
    distinction is decided.
    """
    thresholds: dict[Expr, set[Any]] = {}
    for t, constant in _questions(a) | _questions(b):
        thresholds.setdefault(t, set()).add(constant)
    places = [[(t, place) for place in _places(sorted(found))] for t, found in thresholds.items()]
    combinations = list(itertools.islice(itertools.product(*places), _CASES + 1))
    if len(combinations) > _CASES:
        yield sympy.S.One, sympy.S.Zero
        return
    for combination in combinations:
        decided = dict(combination)
        if not _is_possible(decided, thresholds):
            continue
        signs = _signs({t: place for t, place in decided.items() if 0 in thresholds[t]})
        yield (_at(_decide(side, decided), decided).xreplace(signs) for side in (a, b))  # type: ignore[misc]


def _signs(decided: dict[Expr, tuple[Any, bool]]) -> dict[Expr, Expr]:
    """Return letters of known sign for those that lie above or below the threshold 0 in this place."""
    found = {}
    for t, (number, alone) in decided.items():
        if t.is_Symbol and not alone and number != 0:
            found[t] = sympy.sign(number) * sympy.Dummy(str(t), positive=True)
    return found


def _is_possible(decided: dict[Expr, tuple[Any, bool]], thresholds: dict[Expr, set[Any]]) -> bool:
    """Whether every \\|t\\| lies where t says, as far as t is a known number."""
    for size, (place, _) in decided.items():
        if not isinstance(size, Abs):
            continue
        t, number, scale = _normalised(size.args[0])
        if t in decided and decided[t][1]:
            at = abs(scale * decided[t][0] + number)
            if any(sympy.sign(at - x) != sympy.sign(place - x) for x in thresholds[size]):
                return False
    return True


def _questions(expr: Expr) -> set[tuple[Expr, Any]]:
    """Return (t, number) for every comparison of t with a number that the expression makes."""
    found = set()
    for relation in expr.atoms(sympy.core.relational.Relational):
        found.add(_question(relation.lhs - relation.rhs))
    for e in expr.atoms(Abs, sign):
        found.add(_question(e.args[0]))
    return found


def _question(difference: Expr) -> tuple[Expr, Any]:
    """Write ``difference`` as scale * (t - number), with one t for all that differ in these only."""
    t, number, scale = _normalised(difference)
    return t, -number / scale


def _normalised(difference: Expr) -> tuple[Expr, Any, Any]:
    """Return t, number and scale of ``difference`` = scale * t + number."""
    number, rest = sympy.expand(difference).as_coeff_Add()
    scale = min(sympy.Add.make_args(rest), key=sympy.default_sort_key).as_coeff_Mul()[0]
    return sympy.expand(rest / scale), number, scale


def _places(thresholds: list[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield a number in every place, and whether the place is that number alone."""
    yield thresholds[0] - 1, False
    for low, high in itertools.pairwise([*thresholds, thresholds[-1] + 2]):
        yield low, True
        yield (low + high) / 2, False


def _decide(expr: Expr, decided: dict[Expr, tuple[Any, bool]]) -> Expr:
    """Take the branch of every case distinction that holds in this place."""

    def value(difference: Expr) -> Any:
        t, number, scale = _normalised(difference)
        return scale * decided[t][0] + number

    def holds(condition: Any) -> bool:
        if condition in (True, False):
            return bool(condition)
        if isinstance(condition, sympy.And):
            return all(map(holds, condition.args))
        if isinstance(condition, sympy.Or):
            return any(map(holds, condition.args))
        at = value(condition.lhs - condition.rhs)
        return bool(condition.func(at, 0))

    def branch(cases: Piecewise) -> Expr:
        return next((walk(v) for v, c in cases.args if holds(c)), sympy.nan)

    def walk(e: Any) -> Any:
        if isinstance(e, Piecewise):
            return branch(e)
        if isinstance(e, Abs):
            return walk(e.args[0]) * sympy.sign(value(e.args[0]))
        if isinstance(e, sign):
            return sympy.sign(value(e.args[0]))
        return e.func(*map(walk, e.args)) if e.args and e.has(Piecewise, Abs, sign) else e

    return walk(expr)


def _at(expr: Expr, decided: dict[Expr, tuple[Any, bool]]) -> Expr:
    """Put in what is known where a compared quantity *is* its threshold."""
    for t, (number, alone) in decided.items():
        if alone:
            linear = [x for x in sorted(t.free_symbols, key=str) if t.diff(x).is_Rational]
            if linear:
                letter = linear[0]
                expr = expr.xreplace({letter: letter - (t - number) / t.diff(letter)})
    return expr


# One branch ----------------------------------------------------------------------------


def _vanishes(difference: Expr) -> bool:
    """Whether an expression without case distinctions is 0."""
    if difference.has(sympy.nan, sympy.zoo, sympy.oo):
        return False
    inside = {x for e in difference.atoms(sympy.Function) for x in e.free_symbols}
    difference = _over_exponentials(difference)
    if _is_zero_fraction(difference):
        return True
    inside |= {x for e in difference.atoms(sympy.Function) for x in e.free_symbols}
    outside = sorted(difference.free_symbols - inside, key=str)
    if outside and difference.is_polynomial(*outside):  # such as a target: every power of it by itself
        return all(map(_logs_vanish, sympy.Poly(difference, *outside).coeffs()))
    return _a_factor_vanishes(difference, _NESTED)


def _a_factor_vanishes(fraction: Expr, nested: int) -> bool:
    """Whether a factor of a fraction's numerator is a sum of multiples of logarithms that is 0."""
    if not fraction.has(log):  # then no factor has one, and factoring takes long where degrees are high
        return False
    numerator = sympy.factor(sympy.numer(sympy.together(fraction)))
    return any(_logs_vanish(factor, nested) for factor in sympy.Mul.make_args(numerator))


def _logs_vanish(difference: Expr, nested: int = 0) -> bool:
    """Whether a sum of multiples of logarithms is 0, of logarithms of such sums as often as nested."""
    if not difference.has(log):
        return False
    # sum of c_i log(A_i) + rest = 0 if and only if prod A_i^(n c_i) exp(n rest) = 1.
    terms = sympy.Add.make_args(sympy.expand(difference))
    logs = [t for t in terms if isinstance(t.as_coeff_Mul()[1], log)]
    if not logs:
        return False
    coefficients = [t.as_coeff_Mul()[0] for t in logs]
    if not all(c.is_Rational for c in coefficients):
        return False
    n = sympy.ilcm(1, *(c.q for c in coefficients))
    rest = sympy.expand(difference - sympy.Add(*logs))
    product = sympy.Mul(*(t.as_coeff_Mul()[1].args[0] ** (n * t.as_coeff_Mul()[0]) for t in logs))
    left = _over_exponentials(product * exp(n * rest)) - 1
    return _is_zero_fraction(left) or (nested > 0 and _a_factor_vanishes(left, nested - 1))


def _over_exponentials(expr: Expr) -> Expr:
    """Write circular and hyperbolic functions by exponentials, and these as powers of independent ones."""

    def by_exponentials(e: Any) -> Expr:
        u = e.args[0]
        return {
            tanh: (exp(2 * u) - 1) / (exp(2 * u) + 1),
            sympy.sinh: (exp(u) - exp(-u)) / 2,
            sympy.cosh: (exp(u) + exp(-u)) / 2,
            sympy.sin: (exp(sympy.I * u) - exp(-sympy.I * u)) / (2 * sympy.I),
            sympy.cos: (exp(sympy.I * u) + exp(-sympy.I * u)) / 2,
        }[e.func]

    def powers(e: Any) -> Expr:
        factors = []
        for term in sympy.Add.make_args(sympy.expand(e.args[0])):
            coefficient, rest = term.as_coeff_Mul()
            if rest == 1 or not coefficient.is_Rational:
                factors.append(exp(term))
            else:
                # One letter for every independent exponent; roots of it by a common denominator.
                factors.append(sympy.Symbol(f"exp({rest})", positive=True) ** coefficient)
        return sympy.Mul(*factors)

    kinds = (tanh, sympy.sinh, sympy.cosh, sympy.sin, sympy.cos)
    expr = expr.replace(_is_of_fraction, lambda e: e.func(*map(sympy.cancel, e.args)))
    expr = expr.replace(_is_root, lambda e: sympy.factor(sympy.together(e.base)) ** e.exp)
    expr = expr.replace(lambda e: isinstance(e, kinds), by_exponentials)
    expr = expr.replace(lambda e: isinstance(e, exp), powers)
    roots: dict[Any, int] = {}
    for power in expr.atoms(sympy.Pow):
        if power.base.is_Symbol and str(power.base).startswith("exp(") and power.exp.is_Rational:
            roots[power.base] = sympy.ilcm(roots.get(power.base, 1), power.exp.q)
    return expr.xreplace({base: base**q for base, q in roots.items() if q > 1})


def _is_of_fraction(e: Any) -> bool:
    """Whether an expression is a function of a fraction, of which there are many ways of writing."""
    return isinstance(e, sympy.Function) and any(
        a.is_rational_function() and any(p.exp.is_negative for p in a.atoms(sympy.Pow)) for a in e.args
    )


def _is_root(e: Any) -> bool:
    return bool(e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and isinstance(e.base, sympy.Add))


def _is_zero_fraction(expr: Expr) -> bool:
    """Whether a rational function of letters, roots and other functions is 0."""
    return bool(sympy.expand(sympy.numer(sympy.together(expr))) == 0)

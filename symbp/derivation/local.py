"""Derivatives of the functions of one network, found and written in terms of outputs.

Nothing here knows a particular activation or cost: the derivative comes from SymPy, and
its relation to the output is found by solving linear equations over QQ(e^z) (ALGEBRA: an
exact ansatz), so it is exact or it is not there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy
from sympy import Dummy, Expr, Function, Piecewise, Symbol
from sympy.core.relational import Relational

from symbp.algebra import rules
from symbp.algebra.nodes import Constant, Node, with_numbers
from symbp.functions.parse import Total

Z = Symbol("z", real=True)
O = Dummy("o", real=True)

_DEGREE = 3
# Beyond this many operations a search for a shorter form is not worth its time.
_LONG = 150
# The same for the degree of a rational function, numerator and denominator together.
_HIGH = 32


@functools.cache  # a deep network asks for the same activation in every layer
def derivative_in_output(formula: Expr) -> Expr:
    """Return dg/dz as an expression in the output O where that exists, else also in z.

    Parameters
    ----------
    formula : sympy.Expr
        g in the symbol z; its parameters are :class:`Constant` or numbers.

    Returns
    -------
    sympy.Expr
        A polynomial in :data:`O` of degree at most 3 if g' is one (sigmoid, tanh, exp); one in
        :data:`O` and a part of g if that is shorter than the derivative (swish); branch by
        branch for piecewise functions; otherwise SymPy's derivative in z.
    """
    if isinstance(formula, Piecewise):
        return _piecewise(formula)
    derivative = derivative_in_argument(formula)
    if not derivative.has(Z):
        return derivative
    for search in (polynomial_relation, _relation_with_argument, _relation_with_part):
        relation = search(formula, derivative)
        # A parameter of 0 may make a relation meaningless that holds for all others.
        if relation is not None and not with_numbers(relation).has(sympy.nan, sympy.zoo):
            return relation
    return derivative


def derivative_in_argument(formula: Expr) -> Expr:
    """Return dg/dz in z: branch by branch, and a rational function of z and |z| in lowest terms."""
    if isinstance(formula, Piecewise):
        return Piecewise(*((derivative_in_argument(value), test) for value, test in formula.args))
    derivative = rules.tidied(sympy.diff(formula, Z))
    size = Dummy("size", nonnegative=True)
    plain = derivative.xreplace({sympy.Abs(Z): size})
    if plain.has(size) and not plain.has(Function):
        return min((plain, sympy.factor(plain)), key=sympy.count_ops).xreplace({size: sympy.Abs(Z)})
    return derivative


def polynomial_relation(formula: Expr, derivative: Expr) -> Expr | None:
    """Solve g' = a_0 + a_1 g + a_2 g^2 + a_3 g^3 for numbers a_i, exactly."""
    terms = [O**n for n in range(_DEGREE + 1)]
    found = _solve(formula, derivative, terms, {O: formula})
    return None if found is None else _shortest(found)


def _relation_with_argument(formula: Expr, derivative: Expr) -> Expr | None:
    """Solve g' = a_0 + a_1 g + a_2 z + a_3 z g for numbers a_i (the Gaussian)."""
    found = _solve(formula, derivative, [sympy.S.One, O, Z, Z * O], {O: formula})
    return None if found is None or not found.has(O) else found


_S = Dummy("s", real=True)


def _relation_with_part(formula: Expr, derivative: Expr) -> Expr | None:
    """Solve g' = a_0 + a_1 g + a_2 s + a_3 g s for numbers a_i, where s is a part of the formula."""
    for part in _parts(formula):
        found = _solve(formula, derivative, [sympy.S.One, O, _S, O * _S], {O: formula, _S: part})
        if found is None:
            continue
        # a s + b = (a - c) s + (b + c s): swish' = o + s (1 - o).
        collected = sympy.collect(sympy.expand(found), _S)
        if collected.count_ops() < derivative.count_ops():
            return collected.xreplace({_S: part})
    return None


def _parts(formula: Expr) -> list[Expr]:
    """Return the parts of a formula that contain an exponential, the largest first."""
    whole = [e for e in sympy.preorder_traversal(formula) if e != formula and e.has(sympy.exp, sympy.tanh)]
    return sorted(dict.fromkeys(whole), key=lambda e: (-e.count_ops(), sympy.default_sort_key(e)))


def _solve(formula: Expr, derivative: Expr, terms: list[Expr], values: dict[Any, Expr]) -> Expr | None:
    """Return sum a_i terms_i with sum a_i terms_i(values) = g' for all z, if there are such numbers a_i.

    z and e^(u z) are algebraically independent, so an identity between rational functions of
    both is one between polynomials. Parameters count as numbers: the a_i lie in QQ(alpha).
    """
    letters = {c: Dummy(c.parameter) for c in formula.atoms(Constant)}
    unit, exponential = _exponent_unit(formula), Dummy("E", positive=True)
    written = {
        name: _in_exponential(e, unit, exponential).xreplace(letters)
        for name, e in {**values, None: derivative}.items()
    }
    if not all(e.is_rational_function(exponential, Z) for e in written.values()):
        return None
    if any(e.count_ops() > _LONG for e in written.values()):
        return None
    # The ansatz has powers of the values, but only one of the derivative.
    if any(sum(_degrees(e)) > (_HIGH if name is None else _HIGH / 4) for name, e in written.items()):
        return None
    reduced = {name: sympy.cancel(e) for name, e in written.items()}
    target = reduced.pop(None)
    unknowns = [Dummy(f"a{n}") for n in range(len(terms))]
    ansatz = sympy.Add(*(a * term.xreplace(reduced) for a, term in zip(unknowns, terms, strict=True)))
    numerator = sympy.numer(sympy.together(ansatz - target))
    back = {dummy: constant for constant, dummy in letters.items()}
    for solution in sympy.linsolve(sympy.Poly(numerator, exponential, Z).coeffs(), unknowns):
        free = dict.fromkeys(unknowns, 0)
        return sympy.Add(
            *(a.subs(free).xreplace(back) * term for a, term in zip(solution, terms, strict=True))
        )
    return None


def _degrees(expr: Expr) -> tuple[int, int]:
    """Return bounds on the degrees of numerator and denominator of a rational function."""
    if expr.is_Add:
        parts = list(map(_degrees, expr.args))
        below = sum(d for _, d in parts)
        return max(n + below - d for n, d in parts), below
    if expr.is_Mul:
        parts = list(map(_degrees, expr.args))
        return sum(n for n, _ in parts), sum(d for _, d in parts)
    if expr.is_Pow and expr.exp.is_Integer:
        above, below = _degrees(expr.base)
        power = abs(int(expr.exp))
        return (power * above, power * below) if expr.exp.is_positive else (power * below, power * above)
    return int(not expr.is_number), 0


def _shortest(polynomial: Expr) -> Expr:
    """Return the way of writing a polynomial in O that takes the fewest operations."""
    forms = [O * sympy.expand(polynomial / O), sympy.factor(polynomial), sympy.expand(polynomial)]
    return _with_roots(min(forms, key=sympy.count_ops))


def _with_roots(product: Expr) -> Expr:
    """Write a factor a - b x^2 as b (c - x)(c + x), and a - b x as b (c - x), for numbers c that are no 1.

    Where x is an output that rounds to its limit c, that is 0; a rounded b x^2 may exceed a.
    """
    factors = sympy.Mul.make_args(product)
    parts = [part for f in factors for part in _roots_out(f, alone=len(factors) == 1)]
    return product if len(parts) == len(factors) else sympy.Mul(*parts)


def _roots_out(factor: Expr, alone: bool) -> tuple[Expr, ...]:
    if not isinstance(factor, sympy.Add) or len(factor.args) != 2 or len(factor.free_symbols) != 1:
        return (factor,)
    (x,) = factor.free_symbols
    a, b = factor.subs(x, 0), factor.coeff(x, 1)
    if not alone and factor == a + b * x and a.is_Rational and _rounds(b):
        return (b, a / b + x) if b > 0 else (-b, -a / b - x)
    b = factor.coeff(x, 2)
    if factor == a + b * x**2 and a.is_Rational and _rounds(b) and a / b < 0:
        c = sympy.sqrt(-a / b)
        return (-b, c - x, c + x) if c.is_Rational else (factor,)
    return (factor,)


def _rounds(number: Expr) -> bool:
    """Whether multiplying by a number rounds: it is no power of 2."""
    return bool(number.is_Rational and number != 0 and not sympy.log(abs(number), 2).is_Integer)


def _exponent_unit(formula: Expr) -> Expr:
    """Return the u such that every exponential is an integer power of e^u, a multiple of z or of z^n."""
    exponents = [sympy.expand(e.args[0]) for e in formula.rewrite(sympy.exp).atoms(sympy.exp)]
    if not exponents:
        return Z
    base = Z ** sympy.degree(exponents[0], Z) if exponents[0].is_polynomial(Z) else Z
    rationals = [f for f in (sympy.cancel(e / base) for e in exponents) if f.is_Rational]
    return base * sympy.gcd_list(rationals) if rationals else base


def _in_exponential(expr: Expr, unit: Expr, exponential: Expr) -> Expr:
    """Write an expression in e^u, where that is possible."""

    def power(e: Expr) -> Expr:
        factor = sympy.cancel(e.args[0] / unit)
        return exponential**factor if factor.is_Integer else e

    return expr.rewrite(sympy.exp).replace(lambda e: isinstance(e, sympy.exp), power)


def _piecewise(formula: Piecewise) -> Expr:
    """Differentiate every branch; tell branches apart by the output where that is sound.

    The condition z <= t may be asked of the output, as o <= g(t), if in every branch the
    output is a number that gives the condition the answer of that branch, or a rising
    function of z that takes the value g(t) at t.
    """
    branches = [(derivative_in_output(value), condition) for value, condition in formula.args]
    asked = [_of_output(formula, index) for index in range(len(formula.args) - 1)]
    if None not in asked:
        conditions = [*asked, True]
        branches = [(value, test) for (value, _), test in zip(branches, conditions, strict=True)]
    return Piecewise(*branches)


def _of_output(formula: Piecewise, index: int) -> Any:
    """Return the condition of a branch as one on the output, or None if that is not sound."""
    condition = formula.args[index][1]
    if not isinstance(condition, Relational) or Z not in condition.args:
        return None
    (at,) = (side for side in condition.args if side != Z)
    if at.has(Z):
        return None
    level = formula.subs(Z, at)
    if not level.is_real:
        return None  # a pole, at which nothing is compared
    test = condition.func(*(O if side == Z else level for side in condition.args))
    for position, (value, _) in enumerate(formula.args):
        if not value.has(Z):
            if test.subs(O, value) != sympy.sympify(position == index):
                return None
        elif value.subs(Z, at) != level or not value.diff(Z).is_positive:
            return None
    return test


def instantiate(formula: Expr, argument: Callable[[Any], Expr], neuron: Any, width: Any) -> Expr:
    """Write an activation's formula for one neuron; ``sum(e)`` runs over the layer.

    Parameters
    ----------
    formula : sympy.Expr
        In z and, for functions of the layer, :class:`Total`.
    argument : callable
        Index -> weighted sum of that neuron.
    neuron, width : Expr
        The neuron's index and the number of neurons of the layer.
    """
    over = rules.index_beside(neuron)
    totals = formula.replace(Total, lambda inner: sympy.Sum(inner.subs(Z, argument(over)), (over, 1, width)))
    return totals.subs(Z, argument(neuron))


def in_terms_of_outputs(
    derivative: Expr, value: Expr, neurons: tuple[Any, ...], out: Callable[[Any], Expr]
) -> Expr:
    """Write the derivative of a function of the layer in terms of its outputs.

    `value` is the output of neuron ``neurons[0]``, a product with exactly one factor that
    depends on that neuron outside sums, u(c_q) B; then u(c_x) = h_x / B for every neuron x.
    """
    first = neurons[0]
    factors = sympy.Mul.make_args(value)
    own = [f for f in factors if first in f.free_symbols]
    if len(own) != 1:
        return derivative
    rest = sympy.Mul(*(f for f in factors if f != own[0]))
    for neuron in neurons:
        derivative = derivative.subs(own[0].xreplace({first: neuron}), out(neuron) / rest)
    return rules.hoist(sympy.expand(derivative))


def simplify_entry(expr: Expr) -> Expr:
    """Cancel common factors, and return the form with the fewest divisions and operations.

    Sums, functions and nodes count as letters, so nothing leaves or enters a sum.
    """
    expr = expr.replace(
        lambda e: isinstance(e, sympy.Sum),
        lambda e: rules.hoist(sympy.Sum(simplify_entry(e.function), *e.limits)),
    )
    letters: dict[Expr, Dummy] = {}

    def letter(e: Expr) -> Dummy:
        return letters.setdefault(e, Dummy(f"x{len(letters)}", real=True))

    plain = expr.replace(lambda e: isinstance(e, sympy.Sum), letter)
    plain = plain.replace(lambda e: isinstance(e, (Node, Constant, Function)), letter)
    if sympy.count_ops(plain) > _LONG or sum(_degrees(plain)) > _HIGH:
        return expr
    reduced = sympy.cancel(plain)
    forms = [sympy.factor_terms(plain), sympy.factor_terms(reduced), _pull_out_signs(sympy.factor(reduced))]
    best = min(forms, key=lambda form: (_divisions(form), sympy.count_ops(form)))
    best = _with_roots(best)
    for e, dummy in reversed(letters.items()):  # the outermost first: letters stand in letters
        best = best.xreplace({dummy: e})
    return best


def _divisions(expr: Expr) -> int:
    return sum(1 for power in expr.atoms(sympy.Pow) if power.exp.is_negative)


def _pull_out_signs(expr: Expr) -> Expr:
    """Write -(a - 1)(a + 1) as (1 - a)(a + 1): a leading minus goes into the first sum."""
    factors = list(sympy.Mul.make_args(expr))
    sums = [f for f in factors if isinstance(f, sympy.Add)]
    if sympy.S.NegativeOne not in factors or not sums:
        return expr
    return sympy.Mul(*(f for f in factors if f not in (sympy.S.NegativeOne, sums[0])), sympy.expand(-sums[0]))

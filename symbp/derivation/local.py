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

from symbp.algebra import rules
from symbp.algebra.nodes import Node
from symbp.functions.parse import Total

Z = Symbol("z", real=True)
O = Dummy("o", real=True)

_DEGREE = 3
# Beyond this many operations a search for a shorter form is not worth its time.
_LONG = 150


@functools.cache  # a deep network asks for the same activation in every layer
def derivative_in_output(formula: Expr) -> Expr:
    """Return dg/dz as an expression in the output O where that exists, else also in z.

    Parameters
    ----------
    formula : sympy.Expr
        g in the symbol z.

    Returns
    -------
    sympy.Expr
        A polynomial in :data:`O` of degree at most 3 if g' is one (sigmoid, tanh, exp);
        branch by branch for piecewise functions; otherwise SymPy's derivative in z.
    """
    if isinstance(formula, Piecewise):
        return _piecewise(formula)
    derivative = sympy.diff(formula, Z)
    if not derivative.has(Z):
        return derivative
    relation = _polynomial_relation(formula, derivative)
    return derivative if relation is None else relation


def _polynomial_relation(formula: Expr, derivative: Expr) -> Expr | None:
    """Solve g' = a_0 + a_1 g + a_2 g^2 + a_3 g^3 for numbers a_i, exactly."""
    unit, exponential = _exponent_unit(formula), Dummy("E", positive=True)
    g, g_prime = (_in_exponential(e, unit, exponential) for e in (formula, derivative))
    if not all(e.is_rational_function(exponential) and not e.has(Z) for e in (g, g_prime)):
        return None
    if max(g.count_ops(), g_prime.count_ops()) > _LONG:
        return None
    g, g_prime = sympy.cancel(g), sympy.cancel(g_prime)
    unknowns = [Dummy(f"a{n}") for n in range(_DEGREE + 1)]
    ansatz = sum((a * g**n for n, a in enumerate(unknowns)), sympy.S.Zero)
    numerator = sympy.numer(sympy.together(ansatz - g_prime))
    for values in sympy.linsolve(sympy.Poly(numerator, exponential).coeffs(), unknowns):
        free = dict.fromkeys(unknowns, 0)
        return _shortest(sympy.Add(*(v.subs(free) * O**n for n, v in enumerate(values))))
    return None


def _shortest(polynomial: Expr) -> Expr:
    """Return the way of writing a polynomial in O that takes the fewest operations."""
    forms = [O * sympy.expand(polynomial / O), sympy.factor(polynomial), sympy.expand(polynomial)]
    return min(forms, key=sympy.count_ops)


def _exponent_unit(formula: Expr) -> Expr:
    """Return the largest number u such that every exponential is an integer power of e^(u z)."""
    factors = [sympy.expand(e.args[0] / Z) for e in formula.rewrite(sympy.exp).atoms(sympy.exp)]
    rationals = [f for f in factors if f.is_Rational]
    return sympy.gcd_list(rationals) if rationals else sympy.S.One


def _in_exponential(expr: Expr, unit: Expr, exponential: Expr) -> Expr:
    """Write an expression in e^(u z), where that is possible."""

    def power(e: Expr) -> Expr:
        factor = sympy.expand(e.args[0] / (unit * Z))
        return exponential**factor if factor.is_Integer else e

    return expr.rewrite(sympy.exp).replace(lambda e: isinstance(e, sympy.exp), power)


def _piecewise(formula: Piecewise) -> Expr:
    """Differentiate every branch; tell branches apart by the output where that is sound.

    A condition on z may be asked of the output instead if in every branch the output
    either is z or is a number that gives the condition the answer of that branch.
    """
    branches = [(derivative_in_output(value), condition) for value, condition in formula.args]
    by_output = all(_same_answer(formula, index) for index in range(len(formula.args) - 1))
    if by_output:
        branches = [(value, condition.subs(Z, O)) for value, condition in branches]
    return Piecewise(*branches)


def _same_answer(formula: Piecewise, index: int) -> bool:
    condition = formula.args[index][1]
    for position, (value, _) in enumerate(formula.args):
        if value == Z:
            continue
        if value.is_number and condition.subs(Z, value) == (position == index):
            continue
        return False
    return True


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
    plain = plain.replace(lambda e: isinstance(e, (Node, Function)), letter)
    if sympy.count_ops(plain) > _LONG:
        return expr
    reduced = sympy.cancel(plain)
    forms = [sympy.factor_terms(plain), sympy.factor_terms(reduced), _pull_out_signs(sympy.factor(reduced))]
    best = min(forms, key=lambda form: (_divisions(form), sympy.count_ops(form)))
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

"""The index calculus: small rewriting rules, each one thing, each with a mutation test.

The rules are what turns one equation of the derivation into the next. They know
sums, Kronecker deltas and layers; they do not know backpropagation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Add, Expr, Function, KroneckerDelta, Mul, Piecewise, Sum, Symbol
from sympy.core.function import AppliedUndef

from symbp.algebra.nodes import (
    Activate,
    HasBias,
    Inputs,
    Node,
    Partial,
    Width,
    derivative_of_node,
    index,
)
from symbp.algebra.rewriting import Rewrite, rewritten
from symbp.errors import DerivationError


def differentiate(expr: Expr, wrt: Node) -> Expr:
    """Differentiate with SymPy, refusing a bound index that also stands in the variable.

    SymPy's ``Sum.diff`` would silently capture it.
    """
    bound = {limit[0] for node in expr.atoms(Sum) for limit in node.limits}
    captured = bound & (wrt.free_symbols | set(wrt.indices))
    if captured:
        raise DerivationError(f"index {captured} is summed over and also stands in {wrt}")
    return tidied(expr.diff(wrt))


def tidied(derivative: Expr) -> Expr:
    """Write what differentiation leaves in its short form: u sign(u) = |u|, sinh(u)/cosh(u) = tanh(u)."""

    def size(product: Any) -> Expr:
        for sign in [f for f in product.args if isinstance(f, sympy.sign) and f.args[0] in product.args]:
            (u,) = sign.args
            return Mul(*(f for f in product.args if f not in (sign, u)), sympy.Abs(u))
        return product

    def tangent(product: Any) -> Expr:
        for sine in [f for f in product.args if isinstance(f, sympy.sinh)]:
            below = 1 / sympy.cosh(*sine.args)
            if below in product.args:
                return Mul(*(f for f in product.args if f not in (sine, below)), sympy.tanh(*sine.args))
        return product

    derivative = derivative.replace(lambda e: e.is_Mul and e.has(sympy.sign), size)
    return derivative.replace(lambda e: e.is_Mul and e.has(sympy.sinh), tangent)


def evaluate_partials(expr: Expr) -> Expr:
    """Decide every partial derivative that the layers decide (the remark after eq. 2.7)."""
    decided = rewritten(expr, {Partial: lambda e: derivative_of_node(e.of, e.wrt)})
    return decided.replace(lambda e: isinstance(e, Sum) and e.function == 0, lambda e: sympy.S.Zero)


def collapse(expr: Expr) -> Expr:
    """Carry out every sum over a Kronecker delta: sum_s delta_{sj} f(s) = f(j).

    The index that remains is in range by its own declaration (assumption 1 <= j <= M_k of
    the steps), so no case distinction arises. SymPy's deltasummation would write short sums
    of piecewise functions out, term by term.
    """

    def one(total: Sum) -> Expr:
        value = total.function
        if not any(isinstance(factor, KroneckerDelta) for factor in Mul.make_args(value)):
            value = sympy.expand(value)
        for limit in reversed(total.limits):
            value = Add(*(_collapse_term(term, limit) for term in Add.make_args(value)))
        return value

    return expr.replace(lambda e: isinstance(e, Sum) and e.has(KroneckerDelta), one)


def _collapse_term(term: Expr, limit: Any) -> Expr:
    symbol = limit[0]
    for factor in Mul.make_args(term):
        if isinstance(factor, KroneckerDelta) and symbol in factor.args[:2]:
            (other,) = (x for x in factor.args[:2] if x != symbol)
            rest = Mul(*(f for f in Mul.make_args(term) if f != factor))
            return rest.xreplace({symbol: other})
    return _hoist(term, limit)


class Hidden:
    """Case distinctions put out of sight while sums are built around them.

    SymPy folds a piecewise function through every sum it stands in. Hidden, it is an
    unspecified function of the indices in it, which substitutions reach.
    """

    def __init__(self) -> None:
        self._cases: dict[Any, tuple[Piecewise, tuple[Any, ...]]] = {}

    def hide(self, expr: Expr) -> Expr:
        """Replace every case distinction by an unspecified function of its indices."""
        for cases in sorted(expr.atoms(Piecewise), key=sympy.default_sort_key):
            indices = tuple(sorted((x for x in cases.free_symbols if isinstance(x, Symbol)), key=str))
            function = Function(f"cases{len(self._cases)}")
            self._cases[function] = (cases, indices)
            expr = expr.xreplace({cases: function(*indices)})
        return expr

    def show(self, expr: Expr) -> Expr:
        """Put the case distinctions back, at the indices that now stand there."""

        def one(hidden: Any) -> Expr:
            cases, indices = self._cases[hidden.func]
            return cases.xreplace(dict(zip(indices, hidden.args, strict=True)))

        return expr.replace(lambda e: isinstance(e, AppliedUndef) and e.func in self._cases, one)


def _hoist(term: Expr, limit: Any) -> Expr:
    inside = [f for f in Mul.make_args(term) if limit[0] in f.free_symbols]
    outside = [f for f in Mul.make_args(term) if limit[0] not in f.free_symbols]
    if not inside:
        return Mul(*outside, limit[2] - limit[1] + 1)
    return Mul(*outside, Sum(Mul(*inside), tuple(limit)))


def hoist(expr: Expr) -> Expr:
    """Move factors that do not depend on a summation index out of its sum."""

    def one(total: Sum) -> Expr:
        if len(total.limits) != 1:
            return total
        return _hoist(hoist(total.function), total.limits[0])

    return expr.replace(lambda e: isinstance(e, Sum), one)


def split_bias(expr: Expr) -> Expr:
    """Split the bias term off every sum over the N_{l-1} + bias inputs of layer l.

    The number of inputs is eq. 1.7; the bias neuron returns 1 (000, section 1.7).
    """

    def one(total: Sum) -> Expr:
        (symbol, low, high), *rest = total.limits
        widths = [a for a in Add.make_args(high) if isinstance(a, Width)]
        if rest or len(widths) != 1 or high == widths[0]:
            return total
        bias = high - widths[0]
        last = bias_is_one(total.function.xreplace({symbol: widths[0] + 1}))
        return bias * last + Sum(total.function, (symbol, low, widths[0]))

    return expr.replace(lambda e: isinstance(e, Sum), one)


def bias_is_one(expr: Expr) -> Expr:
    """The bias neuron returns 1: a^l at N_{l-1} + 1 is 1, and its derivative is 0."""

    def is_bias(e: Any) -> bool:
        return (
            isinstance(e, Node) and e.kind == "a" and sympy.expand(e.indices[0] - Width(e.layer - 1) - 1) == 0
        )

    expr = expr.replace(lambda e: isinstance(e, Partial) and is_bias(e.of), lambda e: sympy.S.Zero)
    return expr.replace(is_bias, lambda e: sympy.S.One)


def inputs_are_outputs(expr: Expr) -> Expr:
    """a_s^l = o_s^{l-1} for the regular neurons (eq. 1.6)."""
    return expr.replace(
        lambda e: isinstance(e, Node) and e.kind == "a",
        lambda e: Node("o", sympy.expand(e.layer - 1), e.indices, e.sample),
    )


def outputs_are_activations(expr: Expr) -> Expr:
    """o = g(c) inside a partial derivative (eq. 1.3), differentiated by the chain rule of SymPy."""

    def one(partial: Partial) -> Expr:
        of = partial.of
        value = Activate(of.layer, of.but("c"))
        return value.diff(partial.wrt)

    return expr.replace(lambda e: isinstance(e, Partial) and e.of.kind == "o", one)


def chain_rule(of: Node, through: Node, limits: tuple[Any, ...], wrt: Node) -> Expr:
    """Sum over all arguments of d of/d argument times d argument/d wrt.

    The chain rule over symbolically many arguments has no SymPy form: this axiom is the
    one place where it is stated (used by eq. 2.3 and 2.4), and the oracles test each use
    on concrete networks.
    """
    return Sum(Partial(of, through) * Partial(through, wrt), *limits)


def index_beside(*taken: Any) -> Any:
    """Return a summation index that is none of those taken."""
    used = {str(x) for e in taken for x in sympy.sympify(e).free_symbols}
    return index(next(name for name in "strquvb" if name not in used))


def at_sample(expr: Any, sample: Any) -> Any:
    """Evaluate an equation for a general x at the sample with that number."""
    return rewritten(expr, {Node: lambda node: node.at_sample(sample)})


def without_samples(expr: Any) -> Any:
    """Drop the numbers of samples: the equation for a general x."""
    return rewritten(expr, {Node: lambda node: Node(node.kind, node.layer, node.indices)})


def terms(total: Any) -> list[Any]:
    """Return the summands of a sum, or what a maximum is taken of, where the bounds are numbers.

    Raises
    ------
    DerivationError
        If they are not.
    """
    found = [total.function]
    for symbol, low, high in total.limits:
        if not (low.is_Integer and high.is_Integer):
            raise DerivationError(f"{total}: the bounds are no numbers")
        numbers = range(int(low), int(high) + 1)
        found = [term.xreplace({symbol: sympy.Integer(n)}) for term in found for n in numbers]
    return found


def sizes(expr: Any, widths: tuple[int, ...], biases: tuple[bool, ...]) -> Any:
    """Put in the numbers: N_k, M_k and beta_k of one architecture, and sums over none of it."""

    def known(number: Callable[[int], int]) -> Rewrite:
        return lambda e: sympy.Integer(number(int(e.args[0]))) if e.args[0].is_Integer else e

    return rewritten(
        expr,
        {
            Width: known(lambda layer: widths[layer]),
            HasBias: known(lambda layer: biases[layer - 1]),
            Inputs: known(lambda layer: widths[layer - 1] + biases[layer - 1]),
        },
    )

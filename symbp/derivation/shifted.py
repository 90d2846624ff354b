"""Stable forms of functions of a whole layer: the shift of a quotient of exponentials, and its cost.

Both are found in the formulas: a quotient of exponentials is shifted by the largest exponent,
and a cost that takes logarithms of an exponential is written on the weighted sums.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import MaxOver, Node, Softplus
from symbp.derivation import local
from symbp.derivation.records import Builder, equation
from symbp.errors import DerivationError, SpecError


def shifted_output(b: Builder, output: Any) -> None:
    """Add the steps of the shifted quotient where the output is exp(u_q) / sum_s exp(u_s).

    exp(u) overflows for u > 709 in float64 (88 in float32); with the largest u taken off
    every exponent none is above 0, and the quotient is the same.
    """
    found = _quotient(output.rhs)
    if found is None:
        return
    exponential, total = found
    h = output.lhs
    neuron, layer = h.indices[0], h.layer
    (over, low, high) = total.limits[0]
    mu, e = Node("mu", layer), Node("e", layer, (neuron,))
    b.define(
        "1.8s.1",
        equation(mu, MaxOver(total.function.args[0], (over, low, high))),
        "the largest exponent",
        functions=True,
    )
    b.define(
        "1.8s.2", equation(e, sympy.exp(exponential.args[0] - mu)), "no exponent is above 0", functions=True
    )
    b.add(
        "1.8s.3",
        "shift",
        equation(h, e / Sum(e.xreplace({neuron: over}), (over, low, high))),
        "numerator and denominator divided by the same exponential",
        ("1.8", "1.8s.1", "1.8s.2"),
        functions=True,
    )


def _quotient(value: Expr) -> tuple[Expr, Sum] | None:
    """Return exp(u_q) and the sum of exp(u_s) if `value` is their quotient."""
    exponentials = [f for f in sympy.Mul.make_args(value) if isinstance(f, sympy.exp)]
    totals = [1 / f for f in sympy.Mul.make_args(value) if isinstance(1 / f, Sum)]
    if len(exponentials) != 1 or len(totals) != 1 or value != exponentials[0] / totals[0]:
        return None
    numerator, denominator = exponentials[0], totals[0]
    (over, *_), *rest = denominator.limits
    indices = numerator.free_symbols - denominator.free_symbols
    same = [q for q in indices if numerator.xreplace({q: over}) == denominator.function]
    return (numerator, denominator) if same and not rest else None


def cost_on_weighted_sums(b: Builder, output: Any, cost: Any, name: str) -> None:
    """Add the step of the cost on weighted sums where logarithms of the output simplify.

    log(h) is -inf as soon as h underflows, and 0 log(0) is NaN; written on the weighted
    sums the logarithm is finite wherever they are.
    """
    (total,) = cost.rhs.atoms(Sum)
    heads = [n for n in total.atoms(Node) if n.kind == "h"]
    if not total.has(sympy.log) or not heads:
        return
    head = heads[0]
    quotient = _quotient(output.rhs)
    logs = [e.args[0] for e in total.function.atoms(sympy.log) if e.has(head)]
    if quotient is not None and any(sympy.expand(argument.subs(head, 1)) == 0 for argument in logs):
        raise SpecError(
            f"cost {name!r} takes the logarithm of 1 - h, which a softmax rounds away as soon as one "
            "weighted sum is ahead by 38; use output activation 'sigmoid', or cost 'cross_entropy'"
        )
    neuron = output.lhs.indices[0]
    value = rules.at_sample(output.rhs.xreplace({neuron: head.indices[0]}), head.sample)
    # Only inside logarithms: an output that stands outside is a number between 0 and 1.
    written = total.function.replace(lambda e: isinstance(e, sympy.log), lambda e: e.xreplace({head: value}))
    summand = _without_logs_of_outputs(written, head) if quotient or not value.has(Sum) else None
    if summand is None:
        return
    lse = Node("lse", head.layer, (), head.sample)
    uses = ["1.8", "2.1"]
    if summand.has(lse):
        _define_log_sum_exp(b, output)
        uses += ["1.8s.4"]
    stable = cost.rhs.xreplace({total: Sum(summand, *total.limits)})
    b.add(
        "2.1s",
        "cost on weighted sums",
        equation(cost.lhs, stable),
        "the logarithms of the outputs written out",
        tuple(uses),
        functions=True,
    )


def _without_logs_of_outputs(summand: Expr, head: Node) -> Expr | None:
    """Expand logarithms of outputs and name what is left: Softplus, log-sum-exp."""
    lse = Node("lse", head.layer, (), head.sample)

    def expanded(logarithm: Expr) -> Expr:
        named = _named(logarithm, lse)
        if named != logarithm:
            return named
        argument = sympy.factor(sympy.together(logarithm.args[0]))
        parts = sympy.expand_log(sympy.log(argument), force=True)
        return _with_one_sign(parts.replace(lambda e: isinstance(e, sympy.log), lambda e: _named(e, lse)))

    written = summand.replace(lambda e: isinstance(e, sympy.log), expanded)
    if written.has(sympy.log):
        return None
    return local.simplify_entry(written)


def _with_one_sign(expr: Expr) -> Expr:
    """Write u - softplus(u) as -softplus(-u): for large u the difference has lost what is left."""
    for softplus in expr.atoms(Softplus):
        (u,) = softplus.args
        if expr.coeff(softplus) == -1 and sympy.expand(expr - u + softplus).is_zero:
            return -Softplus(-u)
    return expr


def _named(logarithm: Expr, lse: Node) -> Expr:
    argument = logarithm.args[0]
    if isinstance(argument, Sum) and isinstance(argument.function, sympy.exp):
        return lse
    if isinstance(argument, sympy.Add) and len(argument.args) == 2 and sympy.S.One in argument.args:
        (other,) = [a for a in argument.args if a != 1]
        if isinstance(other, sympy.exp):
            return Softplus(other.args[0])
    return logarithm


def _define_log_sum_exp(b: Builder, output: Any) -> None:
    found = _quotient(output.rhs)
    if found is None:
        raise DerivationError("1.8s.4: the output is no quotient of exponentials")
    over, low, high = found[1].limits[0]
    layer = output.lhs.layer
    e = Node("e", layer, (over,))
    b.define(
        "1.8s.4",
        equation(Node("lse", layer), Node("mu", layer) + sympy.log(Sum(e, (over, low, high)))),
        "the logarithm of the sum of exponentials, shifted",
        functions=True,
    )

"""Stable forms of functions of a whole layer: the shift of a quotient of exponentials, and its cost.

Both are found in the formulas: a quotient of exponentials is shifted by the largest exponent,
and a cost that takes logarithms of an exponential is written on the weighted sums. The largest
of the shifted exponentials is 1, beside which the others may be nothing to a type; so their sum is
kept as 1 + zeta, where zeta is the sum of the others (Blanchard, Higham and Higham 2021,
"Accurately computing the log-sum-exp and softmax functions").
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Sum
from sympy.codegen.cfunctions import log1p

from symbp.algebra import rules
from symbp.algebra.marks import First
from symbp.algebra.nodes import MaxOver, Node, Softplus
from symbp.derivation import local
from symbp.derivation.records import Builder, equation
from symbp.derivation.stability.weightless import with_weights
from symbp.errors import DerivationError, SpecError

# The logarithm of the sum of exponentials, while a cost is written with it.
_LSE = sympy.Dummy("lse", real=True)


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
    because, uses = "the logarithms of the outputs written out", ["1.8", "2.1"]
    if summand.has(_LSE):
        _define_log_sum_exp(b, output)
        summand = _from_the_largest(summand, head)
        because += ", as distances from the largest weighted sum"
        uses += ["1.8s.1", "1.8s.2", "1.8s.5"]
    weighed = with_weights(summand, _is_target, lambda factor: _has(factor, "c"))
    if weighed != summand:
        because += "; a term whose target is 0 is 0, at infinity too"
    stable = cost.rhs.xreplace({total: Sum(weighed, *total.limits)})
    b.add(
        "2.1s",
        "cost on weighted sums",
        equation(cost.lhs, stable),
        because,
        tuple(uses),
        functions=True,
    )


def _is_target(factor: Expr) -> bool:
    return {node.kind for node in factor.atoms(Node)} == {"y"}


def _has(factor: Expr, kind: str) -> bool:
    return any(node.kind == kind for node in factor.atoms(Node))


def _without_logs_of_outputs(summand: Expr, head: Node) -> Expr | None:
    """Expand logarithms of outputs and name what is left: Softplus, log-sum-exp."""

    def expanded(logarithm: Expr) -> Expr:
        named = _named(logarithm)
        if named != logarithm:
            return named
        argument = sympy.factor(sympy.together(logarithm.args[0]))
        parts = sympy.expand_log(sympy.log(argument), force=True)
        return _with_one_sign(parts.replace(lambda e: isinstance(e, sympy.log), _named))

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


def _named(logarithm: Expr) -> Expr:
    argument = logarithm.args[0]
    if isinstance(argument, Sum) and isinstance(argument.function, sympy.exp):
        return _LSE
    if isinstance(argument, sympy.Add) and len(argument.args) == 2 and sympy.S.One in argument.args:
        (other,) = [a for a in argument.args if a != 1]
        if isinstance(other, sympy.exp):
            return Softplus(other.args[0])
    return logarithm


def _from_the_largest(summand: Expr, head: Node) -> Expr:
    """Write log-sum-exp as mu + lse, and c as mu less its distance from mu: of both, mu goes.

    Their difference is then a sum of two terms, neither of which is below 0.
    """
    mu, lse = (Node(kind, head.layer, (), head.sample) for kind in ("mu", "lse"))
    c = Node("c", head.layer, head.indices, head.sample)
    distance = sympy.Dummy("distance", real=True)
    return summand.xreplace({_LSE: mu + lse, c: mu - distance}).xreplace({distance: First(mu - c)})


def _define_rest(b: Builder, output: Any) -> Node:
    """Define the sum of the shifted exponentials without a largest one, which is 1."""
    found = _quotient(output.rhs)
    if found is None:
        raise DerivationError("1.8s.4: the output is no quotient of exponentials")
    layer, limits = output.lhs.layer, found[1].limits[0]
    rest, e = Node("rest", layer), Node("e", layer, limits[:1])
    if "1.8s.4" not in b:
        b.define(
            "1.8s.4",
            equation(rest, Sum(e, limits) - MaxOver(e, limits)),
            "the sum of the exponentials but a largest one, which is left out and not subtracted",
            functions=True,
        )
    return rest


def _define_log_sum_exp(b: Builder, output: Any) -> None:
    rest = _define_rest(b, output)
    b.define(
        "1.8s.5",
        equation(Node("lse", rest.layer), log1p(rest)),
        "the logarithm of the sum of the shifted exponentials, the largest of which is 1",
        functions=True,
    )


def sensitivity_on_exponentials(b: Builder) -> None:
    """Add the step of the sensitivities (D.1fs) where they are the outputs less what is no output.

    h - y has lost h, or 1 - h, beside a target of 0 or 1; over the sum 1 + zeta of the exponentials
    the numerator e - y - y zeta is exact there: first e - y, which is 0 at the largest for y = 1.
    """
    statement = b["D.1f"]
    if "1.8s.3" not in b:
        return
    h = b["1.8s.3"].lhs
    own = Node("h", h.layer, statement.lhs.indices, statement.lhs.sample)
    sums = [f for f in sympy.Mul.make_args(statement.rhs) if f.has(own)]
    if len(sums) != 1 or not sums[0].is_Add or sums[0].coeff(own) != 1:
        return
    other = sums[0] - own
    if any(node.kind == "h" for node in (statement.rhs / sums[0] + other).atoms(Node)):
        return
    _define_rest(b, b["1.8"])
    rest = Node("rest", own.layer, (), own.sample)
    (total,) = rules.at_sample(b["1.8s.3"].rhs, own.sample).atoms(Sum)
    e = Node("e", own.layer, own.indices, own.sample)
    numerator = First(e + other) + sympy.expand(other * rest)
    stable = statement.rhs.xreplace({sums[0]: numerator / total})
    b.add(
        "D.1fs",
        "sensitivity on exponentials",
        equation(statement.lhs, stable),
        "the outputs written out over the sum of the shifted exponentials",
        ("D.1f", "1.8s.1", "1.8s.2", "1.8s.3", "1.8s.4"),
        functions=True,
    )

"""The gradient sample by sample: accumulated (001), and of all, some or one of the samples (002).

The cost is the average of the costs of the samples. From that alone follow the accumulator
of 001 and the three forms of gradient descent of 002.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import MatMul, Sum, Transpose

from symbp.algebra import rules
from symbp.algebra.matrices import DeltaColumn, GradientMatrix, InputColumn, WeightMatrix, entries
from symbp.algebra.nodes import (
    L,
    Node,
    Partial,
    cost,
    cost_of_sample,
    i,
    j,
    k,
    m,
    p,
    w_ij,
)
from symbp.algebra.updates import batch, step
from symbp.derivation.conditions import ANY_LAYER, AT_BIAS, OF_BIAS, REGULAR, at_most
from symbp.derivation.records import Builder, equation
from symbp.derivation.updates import multiples
from symbp.errors import DerivationError

Sums = tuple[Any, Any, Any]


def samples(b: Builder, minimised: Node) -> None:
    """Equations A.1 to A.13, for any L and N_k; A.8 with a penalty, A.11 on for plain descent.

    Parameters
    ----------
    b : Builder
    minimised : Node
        The cost, with or without a penalty.
    """
    _average(b)
    _accumulator(b)
    if "2.1ra" in b:
        _penalised(b)
    _batch(b)
    slope = Partial(minimised, w_ij)
    if "2.2" in b and b["2.2"].rhs.has(slope) and multiples(b["2.2"].rhs, slope) is not None:
        _descents(b, slope)


def _average(b: Builder) -> None:
    """The average over all samples, and one sample's share of the gradient."""
    one = cost_of_sample()
    b.define(
        "A.1",
        equation(cost(), Sum(cost_of_sample(p), (p, 1, m)) / m),
        "the cost is the average of the costs of the single samples",
    )
    b.add(
        "A.2",
        "differentiate",
        equation(Partial(cost(), w_ij), _differentiated(b["A.1"].rhs)),
        "every sample has a term of its own in the average",
        ("A.1",),
        ANY_LAYER,
    )
    b.add(
        "A.3",
        "compare",
        equation(Partial(one, w_ij), _share(b["D.6"].rhs, b["A.2"].rhs)),
        "D.6 and A.2 are sums over the samples, and only one term of each belongs to a sample",
        ("D.6", "A.2"),
        ANY_LAYER,
    )
    b.add(
        "A.3m",
        "matrix form",
        equation(GradientMatrix(WeightMatrix(k), one), _outer(b["A.3"].rhs)),
        "A.3 for all weights of the layer",
        ("A.3", "1.7"),
        ANY_LAYER,
    )


def _differentiated(mean: Any) -> Any:
    """Differentiate an average of costs by a weight, term by term."""

    def slope(total: Sum) -> Any:
        return Sum(rules.differentiate(total.function, w_ij), *total.limits)

    return mean.replace(lambda e: isinstance(e, Sum), slope)


def _share(whole: Any, mean: Any) -> Any:
    """Return what stands in the first sum where the second has the derivative of one sample's cost."""
    own, factor = _summand(mean)
    term, before = _summand(whole)
    if own != Partial(cost_of_sample(p), w_ij):
        raise DerivationError(f"A.3: {mean} is no sum of the derivatives of the samples' costs")
    return rules.without_samples(before * term / factor)


def _summand(total: Any) -> tuple[Any, Any]:
    """Return the summand of a sum over all samples, and the factor in front of it."""
    factor, sums = total.as_independent(Sum, as_Add=False)
    if not isinstance(sums, Sum) or sums.limits[0] != sympy.Tuple(p, 1, m):
        raise DerivationError(f"{total} is no sum over the samples")
    return sums.function, factor


def _outer(entry: Any) -> Any:
    """Return the matrix whose entry (i, j) is a product of one quantity of i and one of j."""
    delta = Node("delta", k, (i,))
    into = Node("a", k, (j,))
    product = MatMul(entry / (delta * into), DeltaColumn(k), Transpose(InputColumn(k)))
    if entries(product, i, j) != entry:
        raise DerivationError(f"A.3m: {entry} is no product of {delta} and {into}")
    return product


# Accumulated over the samples (001) ------------------------------------------------------

ANY_SAMPLE = (at_most(1, p), at_most(p, m))


def accumulated(count: Any) -> Node:
    """Return Delta_ij^k after so many samples."""
    return Node("Delta", k, (i, j), count)


def _accumulator(b: Builder) -> None:
    b.define(
        "A.4",
        equation(accumulated(sympy.S.Zero), sympy.S.Zero),
        "the accumulator is empty before the first sample",
        ANY_LAYER,
    )
    b.define(
        "A.5",
        equation(accumulated(p), accumulated(p - 1) + Partial(cost_of_sample(p), w_ij)),
        "each sample adds its share",
        (*ANY_LAYER, *ANY_SAMPLE),
    )
    b.add(
        "A.6",
        "substitute",
        equation(b["A.5"].lhs, _put_in(b["A.5"].rhs, b["A.3"].lhs, b["A.3"].rhs)),
        "A.5 with A.3 for the share of the sample",
        ("A.5", "A.3"),
        (*ANY_LAYER, *ANY_SAMPLE),
    )
    b.add(
        "A.7",
        "induction",
        equation(b["A.2"].lhs, _collected(b["A.2"].rhs, b["A.4"], b["A.5"])),
        "the accumulator holds the sum of A.2 when the last sample has been added",
        ("A.2", "A.4", "A.5"),
        ANY_LAYER,
    )


def _put_in(expr: Any, general: Any, value: Any) -> Any:
    """Put the value of a quantity of a general sample in place of that of sample p."""
    return expr.xreplace({rules.at_sample(general, p): rules.at_sample(value, p)})


def _collected(total: Any, start: Any, following: Any) -> Any:
    """Return the sum over all samples as what the accumulator holds at the end.

    By induction: it starts empty, and one more sample adds the next term of the sum.
    """
    summand, factor = _summand(total)
    added = sympy.expand(following.rhs - following.lhs.xreplace({p: p - 1}))
    if start.lhs != following.lhs.xreplace({p: sympy.S.Zero}) or start.rhs != 0 or added != summand:
        raise DerivationError(f"A.7: the accumulator does not collect the terms of {total}")
    return factor * following.lhs.xreplace({p: m})


def _penalised(b: Builder) -> None:
    """001's D: the accumulator over m, and the penalty for the weights that are no biases."""
    b.add(
        "A.8",
        "substitute",
        equation(b["2.1ra"].lhs, b["2.1ra"].rhs.xreplace({b["A.7"].lhs: b["A.7"].rhs})),
        "2.1ra with A.7 for the derivative of the cost",
        ("2.1ra", "A.7"),
        REGULAR,
    )
    if "2.1rb" not in b:
        return
    whole = equation(b["A.7"].lhs.xreplace(AT_BIAS), b["A.7"].rhs.xreplace(AT_BIAS))
    b.add(
        "A.8b",
        "substitute",
        equation(b["2.1rb"].lhs, b["2.1rb"].rhs.xreplace({whole.lhs: whole.rhs})),
        "2.1rb with A.7 for the derivative of the cost",
        ("2.1rb", "A.7"),
        OF_BIAS,
    )


# All, some or one of the samples (002) -----------------------------------------------------

BATCH: Sums = (p, (step - 1) * batch + 1, step * batch)
FIT = at_most(step * batch, m)


def _batch(b: Builder) -> None:
    of_batch = Node("Jb", L + 1)
    b.define(
        "A.9",
        equation(of_batch, Sum(cost_of_sample(p), BATCH) / batch),
        "the cost of a mini-batch: the samples are taken in turn, so many for each update",
        (FIT,),
    )
    b.add(
        "A.10",
        "differentiate",
        equation(Partial(of_batch, w_ij), _differentiated(b["A.9"].rhs)),
        "as A.2: the mini-batch stands for all samples",
        ("A.9",),
        (*ANY_LAYER, FIT),
    )


def _descents(b: Builder, slope: Any) -> None:
    """Descent on the cost of all samples, of a mini-batch, and of one sample.

    With a penalty, whose derivative is the same in all three, biases have an equation of their own.
    """
    for label, source, share, because, assumes in (
        ("A.11", "A.2", b["A.2"].rhs, "full batch: 2.2 with A.2 for the gradient", ()),
        (
            "A.12",
            "A.10",
            b["A.10"].rhs,
            "mini-batch: 2.2 with A.10 for the gradient, an estimate of it from fewer samples",
            (FIT,),
        ),
        (
            "A.13",
            "A.3",
            b["A.3"].lhs,
            "stochastic: 2.2 with the gradient of one sample for that of all",
            (),
        ),
    ):
        for suffix, at, penalised, weights in _kinds_of_weights(b):
            of_data, of_some = Partial(cost(), w_ij).xreplace(at), share.xreplace(at)
            whole = of_some if penalised is None else b[penalised].rhs.xreplace({of_data: of_some})
            b.add(
                label + suffix,
                "substitute",
                equation(
                    b["2.2"].lhs.xreplace(at), b["2.2"].rhs.xreplace(at).xreplace({slope.xreplace(at): whole})
                ),
                because if penalised is None else f"{because}, and {penalised}",
                ("2.2", source) if penalised is None else ("2.2", penalised, source),
                (*weights, *assumes),
            )


def _kinds_of_weights(b: Builder) -> Iterator[tuple[str, dict[Any, Any], str | None, tuple[Any, ...]]]:
    """Yield the end of the label, which column, what gives the derivative with a penalty, and when."""
    if "2.1ra" not in b:
        yield "", {}, None, ANY_LAYER
        return
    yield "", {}, "2.1ra", REGULAR
    if "2.1rb" in b:
        yield "b", AT_BIAS, "2.1rb", OF_BIAS


_FORMS = {11: "J", 12: "Jb", 13: "Js"}
# Which cost each of these descends on, by the kind of its node.
DESCENDS = {"2.2m": "J", **{f"A.{n}{b}": kind for n, kind in _FORMS.items() for b in ("", "b")}}

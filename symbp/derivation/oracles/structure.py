"""Oracles that look at the statement itself: shapes, indices, and the two inductions."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import MatMul

from symbp.algebra.matrices import ChainMatrix, StepMatrix, StepProduct, check_shapes
from symbp.algebra.nodes import Constant, Node, k, l
from symbp.derivation.records import Check, Derivation, Step, substitute


def check_types(step: Step) -> Check:
    """Every product is typed, and no index stands on the right that is not on the left."""
    problem = check_shapes(step.statement)
    if problem is None:
        left, right = (_letters(side) for side in step.statement.args)
        extra = sorted(str(x) for x in right - left)
        if extra:
            problem = f"{', '.join(extra)} on the right but not on the left"
    return Check(step.label, "types", problem is None, problem or "shapes and indices agree")


def _letters(expr: Any) -> set[Any]:
    """Return the free indices; names of scalars (m, eta) and of sizes are not indices."""
    return {
        x
        for x in expr.free_symbols
        if not isinstance(x, (Node, Constant)) and x.is_positive and x.name != "m" and x.name != "network"
    }


def check_induction(derivation: Derivation, step: Step) -> Check | None:
    """2.14 by induction on l from 2.13: the base l = k + 1, and one more factor on the left.

    2.16p is the same at the other end: one factor on the right.
    """
    if step.label == "2.14":
        return _induction_of_product(derivation["2.13"].statement, step)
    if step.label == "2.16p":
        return _peeling(step)
    return None


def _induction_of_product(recursion: Any, step: Step) -> Check:
    claim = step.statement
    base = substitute(claim, {l: k + 1})
    first = substitute(recursion, {l: k + 1})
    if _unfold(base.rhs) != _unfold(first.rhs) or base.lhs != first.lhs:
        return Check(step.label, "induction", False, f"base l = k + 1: {base.rhs} is not {first.rhs}")
    # Assume the claim for l; 2.13 for l + 1 with the claim put in must be the claim for l + 1.
    following = substitute(recursion, {l: l + 1})
    factors = following.rhs.args if isinstance(following.rhs, MatMul) else [following.rhs]
    put_in = _multiply([f if f != claim.lhs else claim.rhs for f in factors])
    wanted = substitute(claim, {l: l + 1})
    if put_in != _unfold(wanted.rhs) or following.lhs != wanted.lhs:
        return Check(step.label, "induction", False, f"step l + 1: {put_in} is not {wanted.rhs}")
    return Check(step.label, "induction", True, "base l = k + 1 and step from l to l + 1")


def _unfold(product: Any) -> Any:
    """Return the factors of a product, neighbours joined where they can be."""
    return _multiply(list(product.args) if isinstance(product, MatMul) else [product])


def _multiply(factors: list[Any]) -> Any:
    flat: list[Any] = []
    for factor in factors:
        flat.extend(factor.args if isinstance(factor, MatMul) else [factor])
    # S_i (S_{i-1} ... S_j) is S_i ... S_j: join from the right.
    joined: list[Any] = []
    for factor in reversed(flat):
        is_step = isinstance(factor, (StepMatrix, StepProduct))
        if is_step and joined and isinstance(joined[0], (StepMatrix, StepProduct)):
            upper, lower = _range(factor)
            next_upper, next_lower = _range(joined[0])
            if sympy.expand(lower - 1 - next_upper) == 0:
                joined[0] = StepProduct(upper, next_lower)
                continue
        joined.insert(0, factor)
    ends = [_range(f) if isinstance(f, (StepMatrix, StepProduct)) else f for f in joined]
    return tuple(tuple(map(sympy.expand, e)) if isinstance(e, tuple) else e for e in ends)


def _range(factor: Any) -> tuple[Any, Any]:
    return (factor.args[0], factor.args[0]) if isinstance(factor, StepMatrix) else tuple(factor.args)


def _peeling(step: Step) -> Check:
    whole, product = step.statement.args
    factors = list(product.args) if isinstance(product, MatMul) else [product]
    if len(factors) != 2 or not isinstance(factors[0], ChainMatrix) or not isinstance(factors[1], StepMatrix):
        return Check(step.label, "induction", False, f"{product} is not a T-product times one S-matrix")
    joined = _multiply([StepProduct(*factors[0].args), factors[1]])
    passed = joined == _multiply([StepProduct(*whole.args)])
    detail = "the factors join to the whole product" if passed else f"{product} is not {whole}"
    return Check(step.label, "induction", passed, detail)

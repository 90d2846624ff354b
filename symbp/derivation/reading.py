"""How rules read statements and put them together: coefficients, factors, entries, columns."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import KroneckerDelta, MatMul, Sum, Transpose

from symbp.algebra import rules
from symbp.algebra.matrices import DeltaColumn, OutputRow, UnitColumn, entries
from symbp.algebra.nodes import L, Node, Partial, d, k, l, p, pre_activation, r, s, w_ij
from symbp.derivation.records import Builder, substitute
from symbp.errors import DerivationError


def at_layer(expr: Any, layer: Any) -> Any:
    return expr.subs(l, layer)


def back(expr: Any, distance: Any) -> Any:
    """Put the distance of two layers back in place of the positive number that stood for it."""
    return expr.subs(d, distance)


def coefficient(total: Any, of: Any) -> Any:
    """Return what multiplies `of` in every term of a sum."""
    if not isinstance(total, Sum) or total.function.coeff(of) == 0:
        raise DerivationError(f"{of} is no factor of the terms of {total}")
    return total.function.coeff(of)


def column(expr: Any, row: Any) -> Any:
    """Turn an expression in the row index into a column matrix (a multiple of a unit column)."""
    (kronecker,) = [f for f in sympy.Mul.make_args(expr) if isinstance(f, KroneckerDelta)]
    (one,) = [x for x in kronecker.args if x != row]
    return sympy.Mul(*[f for f in sympy.Mul.make_args(expr) if f != kronecker]) * UnitColumn(k, one)


def replace_factor(product: Any, old: Any, new: Any) -> Any:
    """Replace a factor of a matrix product, keeping the product flat."""
    return MatMul(*(new if f == old else f for f in product.args)).doit(deep=False)


def one_sample(total: Any) -> Any:
    """Drop the sum over samples and the sample numbers: one sample's share."""
    limits = [limit for limit in total.limits if limit[0] != p]
    return Sum(rules.without_samples(total.function), *limits)


def output_entry(b: Builder) -> Any:
    """d sigma_q / d c_r of the output layer, read off from 2.4."""
    return coefficient(b["2.4"].rhs, Partial(pre_activation(L + 1, r), w_ij))


def absorb(product: Any) -> Any:
    """Sum over q of dJ/dh_q times a row in q is the row of the output sensitivities (D.1)."""
    return MatMul(*(Transpose(DeltaColumn(L + 1)) if isinstance(f, OutputRow) else f for f in product.args))


def row_and_chain(product: Any) -> tuple[Any, Any]:
    row, chain_matrix, _ = product.args
    return row, chain_matrix


def peel(definition: Any, peeled: Any) -> Any:
    """From delta_k^T = delta_{L+1}^T T_k^L to delta_k = S_k^T delta_{k+1}."""
    row, chain_matrix = definition.rhs.args
    if chain_matrix != peeled.lhs:
        raise DerivationError(f"D.4: {chain_matrix} is not the left side of 2.16p")
    rest, factor = peeled.rhs.args
    following = substitute(definition, {k: k + 1})
    whole = MatMul(row, rest)
    if whole != following.rhs:
        raise DerivationError(f"D.4: {whole} is not the right side of D.3 for the next layer")
    return MatMul(Transpose(factor), following.lhs.arg)


def with_step_entries(expr: Any, definition: Any) -> Any:
    """Put the definition 2.12 in place of every entry of an S-matrix."""

    def one(entry: Node) -> Any:
        row, column = entry.indices
        general = definition.rhs.subs(l, entry.layer + 1)
        return general.subs({r: row, s: column}, simultaneous=True)

    return expr.replace(lambda e: isinstance(e, Node) and e.kind == "S", one)


def gradient_entry(b: Builder) -> Any:
    """One sample's share of the gradient: D.2 with delta_k for the row and 2.10 for the column."""
    row, chain_matrix, column = b["D.2"].rhs.args
    if MatMul(row, chain_matrix) != b["D.3"].rhs or column != b["2.10"].lhs:
        raise DerivationError("D.6: D.2 does not hold the row of D.3 and the column of 2.10")
    scalar, unit = 1, b["2.10"].rhs
    if isinstance(unit, MatMul):
        scalar = sympy.Mul(*(f for f in unit.args if not isinstance(f, UnitColumn)))
        unit = next(f for f in unit.args if isinstance(f, UnitColumn))
    return scalar * entries(MatMul(b["D.3"].lhs, unit), 0, 0)

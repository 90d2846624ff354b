"""S_k and T_k^L of one network: shapes, and the matrices themselves where they are small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symbp.algebra.matrices import ChainMatrix, StepMatrix, StepProduct
from symbp.derivation.records import Derivation
from symbp.notation.writer import Writer
from symbp.render.outline import is_shown

MAX_SIDE = 4
MAX_FACTORS = 2


@dataclass(frozen=True)
class Written:
    """A matrix of one network: its name with its value, and its shape.

    Attributes
    ----------
    shape : tuple of int
    name : str
        The matrix in print.
    values : tuple of str
        What it is equal to, short forms first: a product of names, explicit matrices; none
        where the matrix is too large to be written.
    """

    shape: tuple[int, int]
    name: str
    values: tuple[str, ...]


def matrices(derivation: Derivation, writer: Writer) -> list[Written]:
    """Return every S_k and T_k^L of the derivation's network, from the output backwards."""
    network = derivation.network
    if network is None:
        return []
    shown = [k for k in range(network.hidden, 0, -1) if is_shown(k, network.hidden + 1)]
    steps = [_step_matrix(derivation, writer, k) for k in shown]
    chains = [_chain(derivation, writer, k) for k in shown if k < network.hidden]
    return steps + chains


def _step_matrix(derivation: Derivation, writer: Writer, k: int) -> Written:
    explicit = entries(derivation, k)
    return Written(
        _shape(derivation, k, k),
        writer.expression(StepMatrix(k)),
        () if explicit is None else (writer.expression(explicit),),
    )


def _chain(derivation: Derivation, writer: Writer, k: int) -> Written:
    last = derivation.network.hidden if derivation.network else k
    explicit = [entries(derivation, n) for n in range(last, k - 1, -1)]
    values = [writer.expression(StepProduct(sympy.Integer(last), sympy.Integer(k)))]
    if len(explicit) <= MAX_FACTORS and None not in explicit:
        values.append(writer.expression(sympy.MatMul(*explicit, evaluate=False)))
    return Written(
        _shape(derivation, last, k),
        writer.expression(ChainMatrix(sympy.Integer(last), sympy.Integer(k))),
        tuple(values),
    )


def _shape(derivation: Derivation, upper: int, lower: int) -> tuple[int, int]:
    sizes = derivation.network.sizes if derivation.network else ()
    return sizes[upper + 1], sizes[lower]


def entries(derivation: Derivation, k: int) -> Any:
    """Return S_k entry by entry as step 2.12 states it, or None if it is large or not there."""
    label = f"2.12, k={k}"
    rows, columns = _shape(derivation, k, k)
    if max(rows, columns) > MAX_SIDE or label not in derivation:
        return None
    statement = derivation[label].statement
    row, column = statement.lhs.indices
    return sympy.Matrix(
        rows,
        columns,
        lambda a, b: statement.rhs.xreplace({row: sympy.Integer(a + 1), column: sympy.Integer(b + 1)}),
    )

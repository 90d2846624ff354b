"""A formula at infinite weighted sums: what is computed there, and the limit that should come out."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from symbp.algebra.nodes import with_numbers
from symbp.derivation.oracles.formula import digits, evaluate, number
from symbp.derivation.stability.numbers import rounded
from symbp.derivation.stability.rules import rewrite
from symbp.derivation.stability.scan import DTYPES, Finding, put_in
from symbp.errors import DerivationError

# Arguments far beyond every type: where three values of a formula agree, they are taken for its limit.
_FAR_AWAY = (1010, 1020, 1030)  # exponentials are 0 or infinite there, and cost nothing
_DIGITS = 2200  # sums and squares cancel
_AGREE = 1e-12
_GROWS = 1e-3


def at_infinity(
    expr: Any,
    reference: Any,
    through: Mapping[str, tuple[Any, Any]] | None,
    of: Literal["value", "derivative"],
    others: Mapping[str, float] | None = None,
) -> tuple[Finding, ...]:
    """Find at which infinite arguments an expression in z is not the limit of the reference.

    Where there is no limit (sin), nothing is asked; NaN in the place of infinity is as good a sign
    that training has gone wrong. `others` are the numbers of the other letters.
    """
    found = []
    through = through or {}
    stated, written = (rewrite(with_numbers(put_in(e, through)))[0] for e in (reference, expr))
    # Conditions ask for the outputs themselves.
    outputs = tuple((name, rewrite(with_numbers(true))[0]) for name, (_, true) in through.items())
    beside = tuple((others or {}).items())
    for sign in (-1, 1):
        limit = limit_of(stated, sign, outputs, beside)
        if limit is None:  # infinity times 0, say, which the form itself may avoid
            limit = limit_of(written, sign, outputs, beside)
        if limit is None:
            continue
        for dtype in reversed(DTYPES):
            computed = _computed(expr, dtype, sign * math.inf, through, others or {})
            if not (_is(computed, limit, dtype) or (math.isinf(limit) and math.isnan(computed))):
                kind: Literal["nan", "overflow"] = "nan" if math.isnan(computed) else "overflow"
                found.append(Finding(sign * math.inf, sign * math.inf, kind, math.inf, of, dtype))
    return tuple(found)


@functools.cache
def limit_of(
    formula: Any,
    sign: int,
    outputs: tuple[tuple[str, Any], ...] = (),
    numbers: tuple[tuple[str, float], ...] = (),
) -> float | None:
    """Return the limit of a formula in z for z towards plus or minus infinity; None where it has none.

    `outputs` are letters that have the value of an expression in z, `numbers` says what others are.
    """
    values = []
    with digits(_DIGITS):
        for power in _FAR_AWAY:
            try:
                known = {"z": sign * number(10) ** power} | {name: number(x) for name, x in numbers}
                value = evaluate(formula, known | {name: evaluate(e, known) for name, e in outputs})
            except (DerivationError, ZeroDivisionError, ValueError, OverflowError):
                return None
            if value != value:
                return None
            values.append(float(value) if abs(value) < number(10) ** 300 else math.copysign(math.inf, value))
    if len({value > 0 for value in values if value}) > 1:
        return None
    first, *beyond = values
    if math.isinf(first):
        return first if len(set(values)) == 1 else None
    if all(abs(b) > (1 + _GROWS) * abs(a) > 0 for a, b in itertools.pairwise(values)):
        return math.copysign(math.inf, first)  # as slowly as a logarithm
    return first if all(abs(x - first) <= _AGREE * abs(first) for x in beyond) else None


def _computed(
    expr: Any,
    dtype: str,
    point: float,
    through: Mapping[str, tuple[Any, Any]],
    others: Mapping[str, float],
) -> float:
    values = {name: np.array([x], dtype) for name, x in {"z": point, **others}.items()}
    for name, (own, _) in through.items():
        values[name] = rounded(with_numbers(own), values, dtype)[0]
    return float(rounded(with_numbers(expr), values, dtype)[0][0])


def _is(computed: float, limit: float, dtype: str) -> bool:
    """Whether a number is the limit to half of the digits of its type; a faint one counts as 0."""
    if math.isinf(limit):
        return computed == limit
    faint = float(np.finfo(dtype).smallest_normal)
    half = float(np.finfo(dtype).eps) ** 0.5
    return bool(abs(computed - limit) <= max(half * abs(limit), faint))

"""What is said of a formula: where it goes wrong as written, and what is wrong even in its best form."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import sympy

from symbp.derivation import local
from symbp.derivation.stability.choose import O, Z, slope_form, stable_form, value_form
from symbp.derivation.stability.scan import Finding, scan_expression
from symbp.errors import SymbpWarning
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.parse import parse_formula

if TYPE_CHECKING:
    from symbp.network import Network

__all__ = ["Finding", "scan", "stable_form", "warn_of_own_functions"]

# Weighted sums beyond this size are training gone wrong already.
_REACHED = 1e9


def scan(formula: Any, dtype: str) -> tuple[Finding, ...]:
    """Find where an activation and its derivative, computed as they are written, are wrong.

    Parameters
    ----------
    formula : str or sympy.Expr
        In the weighted sum z.
    dtype : {"float32", "float64"}

    Returns
    -------
    tuple of Finding
        Those of the value, then those of the derivative.
    """
    expr = parse_formula(formula, ("z",)) if isinstance(formula, str) else formula
    slope = sympy.diff(expr, Z)
    return (*scan_expression(expr, dtype, "value"), *scan_expression(slope, dtype, "derivative"))


def left(formula: Any, dtype: str) -> tuple[Finding, ...]:
    """Return what is still wrong when kernels compute the form that symbp chose for a formula in z."""
    relation = local.derivative_in_output(formula).subs(local.O, O)
    found = (*value_form(formula).left, *slope_form(formula, relation).left)
    return tuple(finding for finding in found if finding.dtype == dtype)


def warn_of_own_functions(network: Network, dtype: str, stacklevel: int = 3) -> None:
    """Issue a SymbpWarning for every own activation that no rule makes right everywhere."""
    known = {**ACTIVATIONS, **COSTS}
    for record in dict.fromkeys(layer.activation for layer in network.layers):
        if record.name in known or record.of_layer:
            continue
        found = [f for f in left(record.expression(), dtype) if _is_reached(f)]
        if found:
            told = "; ".join(map(str, found))
            warnings.warn(
                f"activation {record.name!r}: {told}, and no rule for it is known; "
                "another way of writing the formula may help",
                SymbpWarning,
                stacklevel=stacklevel,
            )


def _is_reached(finding: Finding) -> bool:
    return math.isnan(finding.low) or min(abs(finding.low), abs(finding.high)) < _REACHED

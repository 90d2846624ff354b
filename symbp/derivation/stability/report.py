"""What is said of a formula: where it goes wrong as written, and what is wrong even in its best form."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import sympy

from symbp.derivation import local
from symbp.derivation.records import Builder, Derivation
from symbp.derivation.relation import stated_slope
from symbp.derivation.stability.choose import (
    O,
    Z,
    is_as_good,
    largest,
    slope_form,
    stable_form,
    value_form,
)
from symbp.derivation.stability.scan import Finding, largest_error, scan_expression, scan_size
from symbp.derivation.stability.sentences import told
from symbp.derivation.stable import RULE
from symbp.derivation.stable_costs import cost_form, sensitivity_form
from symbp.errors import SymbpWarning
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.parse import parse_formula

__all__ = ["Finding", "scan", "stable_form", "told_of_own_functions", "warn_of_own_functions"]

# Weighted sums beyond this size are training gone wrong already: the trainer's header tells where a
# formula has no number of the type there.
_REACHED = 1e9
# What helps, by the kind of what is found: the first one that is there.
_REMEDIES = (
    ("overflow", "no rule for it is known; another way of writing the formula may help"),
    ("nan", "no rule for it is known; another way of writing the formula may help"),
    ("cancellation", "no rule for it is known; another way of writing the formula may help"),
    ("not real", "give it one with 'a if ... else b'"),
    ("too large", "keep weighted sums below that, or bound the formula with min(...)"),
)


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
    relation = stated_slope(formula).subs(local.O, O)
    found = (*value_form(formula).left, *slope_form(formula, relation).left)
    return tuple(finding for finding in found if finding.dtype == dtype)


def warn_of_own_functions(derivation: Derivation, dtype: str, stacklevel: int = 3) -> None:
    """Issue a SymbpWarning for every own function of a network that no rule makes right everywhere."""
    for what, findings in _of_own_functions(derivation, dtype):
        _warn(what, [finding for finding in findings if _is_told(finding)], stacklevel)


def told_of_own_functions(derivation: Derivation, dtype: str) -> tuple[str, ...]:
    """Return a line for everything that is wrong with an own function, however far away."""
    return tuple(
        f"{what}: {sentence} in {dtype}"
        for what, found in _of_own_functions(derivation, dtype)
        for sentence in told(found)
    )


def by_own_function(derivation: Derivation, dtype: str) -> dict[str, list[str]]:
    """Return what is wrong with each own function of a network, by its name, in sentences."""
    return {what.split("'")[1]: told(found) for what, found in _of_own_functions(derivation, dtype)}


def errors_met(formula: Any, dtype: str) -> tuple[float, float]:
    """Return the largest errors of g and g' that the scan meets where it finds nothing wrong, in ulp.

    Elementary functions count as correctly rounded. Units are those of the exact value; where g' is
    computed from the output, of at least its largest size for \\|z\\| <= 1.
    """
    relation = stated_slope(formula).subs(local.O, O)
    value, slope = value_form(formula).expression, slope_form(formula, relation).expression
    through = {"o": (value, formula)} if slope.has(O) else {}
    true_slope = sympy.diff(formula, Z)
    return (
        largest_error(value, dtype, formula, {}, 0.0),
        largest_error(slope, dtype, true_slope, through, largest(true_slope) if through else 0.0),
    )


def fades(formula: Any) -> bool:
    """Whether kernels compute g' from the output alone, and its digits go where that rounds to its limit."""
    relation = stated_slope(formula).subs(local.O, O)
    if not relation.has(O) or slope_form(formula, relation).expression != relation:
        return False
    return not is_as_good(formula, relation)


def _of_own_functions(derivation: Derivation, dtype: str) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the own functions of a network, with what is wrong with each."""
    network = derivation.network
    if network is None:
        return
    for record in dict.fromkeys(layer.activation for layer in network.layers):
        if not record.of_layer and record.name not in ACTIVATIONS:
            formula = record.expression()
            yield f"activation {record.name!r}", [*left(formula, dtype), *_too_large(formula, dtype)]
    if network.cost.name not in COSTS:
        found = list(left_of_cost(derivation, dtype))
        if network.layers[-1].activation.name == "identity":  # then the weighted sum is the output
            found = [dataclasses.replace(finding, variable="h") for finding in found]
        if network.cost.output in ("real", "positive"):
            found += _of_size(network.cost.expression(), "h", dtype, (("y", 1.0),))
        yield f"cost {network.cost.name!r}", found


def _too_large(formula: Any, dtype: str) -> tuple[Finding, ...]:
    found = _of_size(formula, "z", dtype)
    return found or _of_size(sympy.diff(formula, Z), "z", dtype, of="derivative")


@functools.cache
def _of_size(
    formula: Any,
    variable: str,
    dtype: str,
    others: tuple[tuple[str, float], ...] = (),
    of: Literal["value", "derivative"] = "value",
) -> tuple[Finding, ...]:
    return scan_size(formula, dtype, variable, dict(others), of)


def left_of_cost(derivation: Derivation, dtype: str) -> tuple[Finding, ...]:
    """Return what is still wrong in the cost and in the sensitivities of output units, as computed."""
    network = derivation.network
    if network is None:
        return ()
    b = Builder.of(derivation)
    of_layer = network.layers[-1].activation.of_layer
    # Where the logarithms of the outputs were written out there is nothing that could go wrong.
    written_out = "2.1s" in b and derivation["2.1s"].rule != RULE
    forms = [] if written_out else [cost_form(b, network.cost, of_layer)]
    forms += [] if of_layer else [sensitivity_form(b, network.cost)]
    found = (finding for form in forms if form is not None for finding in form.form.left)
    return tuple(dict.fromkeys(finding for finding in found if finding.dtype == dtype))


def _warn(what: str, findings: list[Finding], stacklevel: int) -> None:
    # A whole range without a value, and its end, were told when the formula was declared.
    told_before = any(map(_is_stretch_without_value, findings))
    found = [f for f in findings if not (told_before and f.kind == "not real")]
    if not found:
        return
    kinds = {finding.kind for finding in found}
    remedies = (text for kind, text in _REMEDIES if kind in kinds)
    message = f"{what}: {'; '.join(told(found))} in {found[0].dtype}: {next(remedies)}"
    warnings.warn(message, SymbpWarning, stacklevel=stacklevel + 1)


def _is_stretch_without_value(finding: Finding) -> bool:
    """Whether a whole range has no value."""
    return finding.kind == "not real" and finding.high - finding.low > _REACHED


def _is_told(finding: Finding) -> bool:
    """Whether a warning tells of it; not of a formula that is too large where training has gone wrong."""
    if finding.kind != "too large":
        return True
    return min(abs(finding.low), abs(finding.high)) < _REACHED

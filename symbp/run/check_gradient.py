"""Is a gradient that somebody else wrote down right, and if not, what is likely wrong with it?

::

    given gradient + right gradient at random points --> comparison --> suspects --> report
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial as partial_
from typing import Any

import numpy as np
from sympy import Integer

from symbp.algebra.nodes import weight
from symbp.errors import FormulaError, GradientError
from symbp.functions import Penalty
from symbp.network import Network
from symbp.notation.records import Notation
from symbp.notation.text import TextWriter
from symbp.run import plain
from symbp.run.formula.repairs import Repair, repair, tacit_repairs
from symbp.run.formula.value import Circular
from symbp.run.formula.written import Stated, WrittenGradient, read_gradient
from symbp.run.gradient_report import Difference, GradientReport
from symbp.run.layouts import LAYOUTS, GradientFunction, of_function
from symbp.run.reasons import reason, simple_reason
from symbp.run.reference import Reference, reference
from symbp.run.report import name_of_weight, place_of_weight
from symbp.run.symbolic import as_function
from symbp.spec import TrainOptions
from symbp.values import shown, whole_number

LISTED = 5  # worst weights in the report
LINES_TRIED = 10  # changes of one line after which changes of another one are tried
TRIED = 20_000  # weights times samples up to which changes to a text are tried


def check_gradient(
    network: Network,
    gradient: str | Mapping[int, Any] | GradientFunction | Sequence[Any],
    *,
    notation: str = "smatrix",
    layout: str = "matrices",
    samples: int = 5,
    seed: int = 0,
    tolerance: float = 1e-6,
    partial: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
    penalty: str | Mapping[str, Any] | Penalty | None = None,
) -> GradientReport:
    """Compare a gradient of your own with the derived one at a random point.

    Parameters
    ----------
    network : Network
        Whose cost J, averaged over the samples, is meant.
    gradient : str, mapping, callable or sequence of sympy.Matrix
        A text in the letters of a notation: lines such as ``delta^L = ...``,
        ``delta^k = ...`` and ``dJ/dW^k = ...``, a formula alone for the weights of any layer k,
        or ``{k: formula}``. What no line defines is what the notation's pages say it is; a
        quantity without the number of a sample is that of every sample, and terms of the
        gradient with such quantities are summed over the m samples. A derivative of the cost of
        one sample (its letter, or the letter of the cost with the number of a sample: dE_n/dW)
        is compared for every sample. Derivatives by weighted sums and outputs may stand on the
        right, as in ``dC/dz^l_j dz^l_j/dw^l_{jk}``; ``Delta`` is 001's accumulator, and
        ``D := D + ...`` adds up over the samples.
        Or a function (weights, X, Y) -> gradient with X of shape (n, N_0) and Y of shape
        (n, N_{L+1}), which also takes the weights of the samples (n,) where the network has
        them; or dJ/dW_k of one sample for every layer, as SymPy matrices in the symbols of
        :func:`symbp.network_symbols`.
    notation : str
        The notation of a text.
    layout : {"matrices", "separate", "flat"}
        What the function takes as weights and returns: a list [W_1, ...] of shape
        (N_k, N_{k-1} + 1) with the bias as last column; a list of pairs (W_k, b_k); or one
        flat vector (n_params,) of the matrices, row by row.
    samples : int
        n.
    seed : int
    tolerance : float
        The largest relative error that is accepted.
    partial : bool
        Accept a text that gives some of the derivatives only. Else the report is not ok, and
        says which are not given.
    l1, l2, penalty
        As in ``[train]``: the penalty of the cost. A function then gives the derivatives with it;
        of a text the lines that hold its strength (lambda), or give those of the cost with the
        penalty (J~), do.

    Returns
    -------
    GradientReport
        ``report.ok``; ``print(report)`` names the worst weights and the likeliest mistake. A text
        whose shapes or layers do not fit is wrong, with the likeliest mistake.

    Raises
    ------
    GradientError
        If the function fails, or what it returns does not have the shape of the weights; if a
        text is not a formula in the letters of the notation (:class:`symbp.errors.FormulaError`).
    SpecError
        If there is no such penalty.
    RenderError
        If there is no such notation.
    DerivationError
        If the derivation itself disagrees with automatic differentiation.
    """
    if not isinstance(network, Network):
        raise GradientError(
            f"check_gradient: {shown(network)} is no Network; a file is read by Network.from_toml"
        )
    if not isinstance(tolerance, int | float) or not 0 < tolerance < np.inf:
        raise GradientError(f"tolerance = {shown(tolerance)}: expected a positive number")
    whole_number("seed", seed, 0, 2**63 - 1)
    if layout not in LAYOUTS:
        raise GradientError(f"layout = {layout!r}: expected one of {', '.join(LAYOUTS)}")
    if not isinstance(samples, int) or samples < 1:
        raise GradientError(f"samples = {shown(samples)}: expected at least 1")
    added = TrainOptions(l1=l1, l2=l2, penalty=penalty).regularisation
    if isinstance(gradient, str | Mapping):
        written = read_gradient(network, gradient, notation, added)
        return _of_text(reference(network, samples, seed, added), written, tolerance, partial)
    right = reference(network, samples, seed, added)
    function = gradient if callable(gradient) else as_function(network, gradient)
    given = of_function(network, function, layout if callable(gradient) else "matrices", right.point)
    stated = _stated(right, given, added is not None)
    report = _report(right, stated, tolerance)
    return replace(report, reason=reason(right, stated, tolerance)) if report.worst else report


def _stated(right: Reference, given: Any, penalised: bool) -> Stated:
    """Return a gradient that a function gives: all of it, of the average cost."""
    every = np.ones(given.shape, dtype=bool)
    return Stated(np.broadcast_to(given, (len(right.point.X), given.size)), every, ~every, every & penalised)


def _of_text(right: Reference, written: WrittenGradient, tolerance: float, partial: bool) -> GradientReport:
    try:
        stated = written.at(right.point)
    except FormulaError as error:
        if error.__cause__ is None:  # no change of shapes or layers would help
            raise
        return _misfit(right, written, error, tolerance)
    report = _report(right, stated, tolerance, _names_in(written.names.notation, right.network))
    if report.worst:
        words = simple_reason(right, stated, tolerance)
        found = _repair(right, written, stated.said, tolerance)
        if words is None:
            words = reason(right, stated, tolerance) if found is None else found.mistake
        correction = None if found is None else found.words
        return replace(report, reason=words, correction=correction, remark=written.remark)
    return replace(report, ok=partial or not report.partial)


def _misfit(
    right: Reference, written: WrittenGradient, error: FormulaError, tolerance: float
) -> GradientReport:
    """Report a text in which shapes or layers do not fit: what change makes it right says what is wrong."""
    nothing = np.zeros(right.network.n_params, dtype=bool)
    found = (
        _repair(right, written, nothing, tolerance)
        or _tacit(right, written, tolerance)
        or _two_mistakes(right, written, error, tolerance)
    )
    if found is None and isinstance(error.__cause__, Circular):
        raise error
    return GradientReport(
        False,
        0,
        np.inf,
        tolerance,
        reason=None if found is None else found.mistake,
        correction=None if found is None else found.words or None,
        left_out=() if found is None else tuple(right.left_out(found.gradient.at(right.point).said)),
        misfit=str(error),
        excerpt=tuple(error.excerpt),
    )


def _tacit(right: Reference, written: WrittenGradient, tolerance: float) -> Repair | None:
    """Return the slips of printing after which a text fits, and what is wrong with it then."""
    found = None
    for slips in tacit_repairs(written):
        try:
            stated = slips.gradient.at(right.point)
        except GradientError:
            continue
        wrong = not (right.errors(stated) <= tolerance).all()
        rest = reason(right, stated, tolerance) if wrong else ""
        if rest is not None:
            return replace(slips, mistake=f"{slips.mistake}; and {rest}") if rest else slips
        found = found or replace(slips, mistake=f"{slips.mistake}; it is wrong besides")
    return found


def _two_mistakes(
    right: Reference, written: WrittenGradient, error: FormulaError, tolerance: float
) -> Repair | None:
    """Return two changes: what fits after the first has a known mistake, or another line does not fit.

    What fits after the second one may still have a mistake of averaging, layout or a penalty.
    """
    if not _is_small(right):
        return None
    second: list[Repair] = []
    left = [LINES_TRIED]

    def simple(changed: WrittenGradient) -> str | None:
        stated = changed.at(right.point)
        if (right.errors(stated) <= tolerance).all() and stated.said.any():
            return ""
        return simple_reason(right, stated, tolerance)

    def another(changed: WrittenGradient) -> str | None:
        try:
            return simple(changed)
        except FormulaError as other:
            elsewhere = other.__cause__ is not None and other.excerpt[:1] != error.excerpt[:1]
            if not elsewhere or not left[0]:
                return None
            left[0] -= 1
            found = repair(changed, simple)
            second.extend([found] if found is not None else [])
            return None if found is None else found.mistake

    first = repair(written, another)
    if first is None:
        return None
    if not second:
        return replace(first, words="")
    return Repair(f"{first.words}, and {second[0].words}", first.mistake, second[0].gradient)


def _is_small(right: Reference) -> bool:
    return right.network.n_params * len(right.point.X) <= TRIED


def _repair(right: Reference, written: WrittenGradient, said: Any, tolerance: float) -> Repair | None:
    """Return the change that makes a text right, if a single one does."""

    def judged(changed: WrittenGradient) -> str | None:
        return "" if right.is_right(changed, said, tolerance) else None

    return repair(written, judged) if _is_small(right) else None


def _names_in(notation: Notation, network: Network) -> Callable[[int], str]:
    """Return what names a position of the flat vector as a notation names the weight."""
    writer = TextWriter(notation, network.sizes, network.biases)

    def name(position: int) -> str:
        return writer.expression(weight(*map(Integer, place_of_weight(network, position))))

    return name


def _report(
    right: Reference, stated: Stated, tolerance: float, named: Callable[[int], str] | None = None
) -> GradientReport:
    """Return what is wrong with the numbers of a gradient, if anything is; `named` names weights."""
    name = named or partial_(name_of_weight, right.network)
    every = right.errors(stated)
    sample = np.argmax(np.nan_to_num(every, nan=np.inf), axis=0)  # where each weight is worst
    errors = np.max(every, axis=0)
    bad = ~(errors <= tolerance)  # a NaN is bad
    order = np.argsort(-np.nan_to_num(errors, nan=np.inf), kind="stable")
    error, compared = float(errors[order[0]]), int(stated.said.sum())
    left_out = tuple(right.left_out(stated.said))
    if not bad.any():
        return GradientReport(True, compared, error, tolerance, left_out=left_out)
    meant = right.meant(stated)
    differences = tuple(
        Difference(
            name(n) + (f" p={sample[n] + 1}" if stated.of_sample[n] else ""),
            float(stated.values[sample[n], n]),
            float(meant[sample[n], n]),
            float(errors[n]),
        )
        for n in map(int, order[:LISTED])
        if bad[n]
    )
    layers = tuple(k for k, part in enumerate(plain.unpack(right.network, bad), 1) if part.any())
    return GradientReport(
        False,
        compared,
        error,
        tolerance,
        differences,
        layers,
        left_out=left_out,
    )

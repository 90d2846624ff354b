"""Is a gradient that somebody else wrote down right, and if not, what is likely wrong with it?

::

    given gradient + right gradient at random points --> comparison --> suspects --> report
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.errors import DerivationError, FormulaError, GradientError
from symbp.network import Network
from symbp.plan.passes import make_plan
from symbp.run import interpret
from symbp.run.formula.repairs import correction
from symbp.run.formula.written import WrittenGradient, read_gradient
from symbp.run.layouts import LAYOUTS, GradientFunction, of_function
from symbp.run.paths import plain_tape
from symbp.run.point import Point, random_point
from symbp.run.report import name_of_weight, relative_errors
from symbp.run.scale import gradient_scale
from symbp.run.suspects import penalty, suspects
from symbp.run.symbolic import as_function
from symbp.values import shown, whole_number

Floats = NDArray[np.float64]
LISTED = 5  # worst weights in the report
# Two ways that share nothing but the network give the right gradient; they must agree.
AGREEMENT = 1e-10
TRIED = 20_000  # weights times samples up to which changes to a text are tried


@dataclass(frozen=True)
class Difference:
    """One weight at which the gradients differ.

    Attributes
    ----------
    weight : str
        Such as ``w^2_1,4``: layer 2, neuron 1, input 4.
    given, right : float
    error : float
        Relative to the size of the gradient of the weight's layer.
    """

    weight: str
    given: float
    right: float
    error: float


@dataclass(frozen=True)
class GradientReport:
    """The result of :func:`check_gradient`.

    Attributes
    ----------
    ok : bool
    compared : int
        How many derivatives were compared.
    error, tolerance : float
        The worst relative error, and the largest that is accepted.
    worst : tuple of Difference
        The weights with the largest errors, worst first; empty if all are right.
    layers : tuple of int
        The layers with wrong derivatives, counted from 1.
    reason : str or None
        The likeliest mistake: the one that gives just these numbers; None if none does.
    correction : str or None
        One change to a gradient given as text that makes it right.
    left_out : tuple of str
        What a gradient given as text says nothing of, such as "biases of layer 2".
    remark : str or None
        What a letter of the text that no line defines was taken for.
    """

    ok: bool
    compared: int
    error: float
    tolerance: float
    worst: tuple[Difference, ...] = ()
    layers: tuple[int, ...] = ()
    reason: str | None = None
    correction: str | None = None
    left_out: tuple[str, ...] = ()
    remark: str | None = None

    def __str__(self) -> str:
        return "\n".join(
            [self._verdict(), *(f"not given: {', '.join(self.left_out)}" for _ in self.left_out[:1])]
        )

    def _verdict(self) -> str:
        if self.ok:
            return f"right: {self.compared:,} derivatives, worst relative error {self.error:.1e}"
        lines = [
            f"wrong: worst relative error {self.error:.1e}, tolerance {self.tolerance:.0e}, "
            f"in {_layers(self.layers)} of {self.compared:,} derivatives compared"
        ]
        head = f"  {'weight':<16}{'given':>16}{'right':>16}{'error':>10}"
        lines += [head]
        lines += [f"  {d.weight:<16}{d.given:>16.8g}{d.right:>16.8g}{d.error:>10.1e}" for d in self.worst]
        if self.reason is not None:
            lines.append(f"likeliest reason: {self.reason}")
        elif self.correction is None:
            lines.append("no mistake that symbp knows gives these numbers")
        if self.correction is not None:
            lines.append(f"right would be: {self.correction}")
        if self.remark is not None:
            lines.append(self.remark)
        return "\n".join(lines)


def check_gradient(
    network: Network,
    gradient: str | Mapping[int, Any] | GradientFunction | Sequence[Any],
    *,
    notation: str = "smatrix",
    layout: str = "matrices",
    samples: int = 5,
    seed: int = 0,
    tolerance: float = 1e-6,
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
        gradient with such quantities are summed over the m samples.
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

    Returns
    -------
    GradientReport
        ``report.ok``; ``print(report)`` names the worst weights and the likeliest mistake.

    Raises
    ------
    GradientError
        If the function fails, or what it returns does not have the shape of the weights; if a
        text is not a formula in the letters of the notation (:class:`symbp.errors.FormulaError`).
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
    written = read_gradient(network, gradient, notation) if isinstance(gradient, str | Mapping) else None
    asked = _right(network, samples, seed)
    point = asked.point
    said = np.full(network.n_params, written is None)
    misfit = None
    if written is not None:
        try:
            given, said = written.at(point)
        except FormulaError as error:
            misfit = error
            if error.__cause__ is None:  # no change of shapes or layers would help
                raise
    else:
        assert not isinstance(gradient, str | Mapping)
        function = gradient if callable(gradient) else as_function(network, gradient)
        given = of_function(network, function, layout if callable(gradient) else "matrices", point)
    comparison = replace(asked, said=said, tolerance=tolerance)
    if misfit is not None and written is not None:
        raise comparison.explained(misfit, written)
    return comparison.report(given, written)


@dataclass(frozen=True)
class _Comparison:
    """The right gradient with all that a given one is compared by."""

    derivation: Derivation
    point: Point
    right: Floats
    scale: Floats
    said: NDArray[np.bool_]
    tolerance: float = 0.0

    @property
    def network(self) -> Network:
        assert self.derivation.network is not None
        return self.derivation.network

    def errors(self, given: Floats) -> Floats:
        """Return the relative errors; 0 where nothing is given."""
        return np.where(self.said, relative_errors(given, self.right, self.scale), 0.0)

    def is_right(self, written: WrittenGradient) -> bool:
        """Whether a gradient as text is right, and says as much as the given one."""
        given, said = written.at(self.point)
        errors = relative_errors(given, self.right, self.scale)[said]
        return bool((said >= self.said).all() and said.any() and (errors <= self.tolerance).all())

    def report(self, given: Floats, written: WrittenGradient | None) -> GradientReport:
        """Return what is wrong with a gradient, if anything is."""
        errors = self.errors(given)
        bad = ~(errors <= self.tolerance)  # a NaN is bad
        worst = np.argsort(-np.nan_to_num(errors, nan=np.inf), kind="stable")
        error, compared = float(errors[worst[0]]), int(self.said.sum())
        left_out = tuple(_left_out(self.network, self.said))
        if not bad.any():
            return GradientReport(True, compared, error, self.tolerance, left_out=left_out)
        differences = tuple(
            Difference(
                name_of_weight(self.network, int(n)), float(given[n]), float(self.right[n]), float(errors[n])
            )
            for n in worst[:LISTED]
            if bad[n]
        )
        finite = np.isfinite(given[self.said]).all()
        return GradientReport(
            False,
            compared,
            error,
            self.tolerance,
            differences,
            _wrong_layers(self.network, bad),
            self.reason(given) if finite else "a value that is not finite",
            self._correction(written),
            left_out,
            None if written is None else written.remark,
        )

    def explained(self, misfit: FormulaError, written: WrittenGradient) -> FormulaError:
        """Return the error of a text in which shapes or layers do not fit, with what would be right."""
        words = self._correction(written)
        if words is None:
            return misfit
        error = FormulaError(f"{misfit}; right would be: {words}")
        error.excerpt = misfit.excerpt
        return error

    def _correction(self, written: WrittenGradient | None) -> str | None:
        if written is None or self.network.n_params * len(self.point.X) > TRIED:
            return None
        return correction(written, self.is_right)

    def reason(self, given: Floats) -> str | None:
        """Return the first mistake whose gradient is the given one, perhaps times a constant."""
        floor = self.tolerance * float(np.max(self.scale))
        difference = np.where(self.said, given - self.right, 0.0)
        found = penalty(self.network, np.where(self.said, self.point.w, 0.0), difference, floor)
        if found is not None:
            return (
                f"the derivative of a penalty on {found.where} stands in it: "
                f"{found.strength:.6g} times the weight is added"
            )
        for suspect in suspects(self.derivation, self.point, self.right):
            if suspect.gradient.shape != given.shape:
                continue
            guess = np.where(self.said, suspect.gradient, 0.0)
            size = float(guess @ guess)
            if not size:
                continue
            factor = float(np.where(self.said, given, 0.0) @ guess) / size
            errors = relative_errors(given, factor * guess, self.scale)[self.said]
            if not factor or not np.max(errors) <= self.tolerance:
                continue
            return _with_factor(suspect.reason, factor, suspect.gradient is self.right, self.point)
        return None


@lru_cache(maxsize=4)
def _right(network: Network, samples: int, seed: int) -> _Comparison:
    """Return the right gradient at a random point: who checks one formula often checks the next."""
    rng = np.random.default_rng(seed)
    start = rng.normal(scale=0.5, size=network.n_params)
    point = random_point(network, start, np.dtype(np.float64), rng, samples)
    derivation = derive(network)
    right = interpret.gradient(make_plan(derivation), point.w, point.X, point.Y, point.v)[1]
    scale = gradient_scale(network, point, rng)
    if np.max(relative_errors(right, plain_tape(network, point).values, scale)) > AGREEMENT:
        raise DerivationError("the derivation disagrees with automatic differentiation; please report it")
    return _Comparison(derivation, point, right, scale, np.ones(network.n_params, dtype=bool))


def _with_factor(reason: str, factor: float, only_factor: bool, point: Point) -> str:
    samples, outputs = point.Y.shape
    known = {
        -1.0: "the sign is wrong",
        2.0: "a factor 2 too much",
        0.5: "a factor 1/2 too much",
        float(samples): "the factor 1/m is missing: a sum over the samples instead of their mean",
        1 / samples: "the factor 1/m stands in it twice",
        1 / outputs: "it is averaged over the outputs, where the cost sums over them",
    }
    words = next((text for value, text in known.items() if abs(factor - value) < 1e-6 * abs(value)), None)
    if words is None:
        words = f"it is {factor:.6g} times the right one"
    if only_factor:
        return words
    return reason if abs(factor - 1) < 1e-6 else f"{reason}; and {words}"


def _wrong_layers(network: Network, bad: NDArray[np.bool_]) -> tuple[int, ...]:
    ends = np.cumsum([rows * columns for rows, columns in network.shapes])
    return tuple(k for k, part in enumerate(np.split(bad, ends[:-1]), 1) if part.any())


def _layers(numbers: tuple[int, ...]) -> str:
    return f"layer{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _left_out(network: Network, said: NDArray[np.bool_]) -> Iterator[str]:
    ends = np.cumsum([rows * columns for rows, columns in network.shapes])
    for k, part in enumerate(np.split(said, ends[:-1]), 1):
        there = part.reshape(network.shapes[k - 1])
        regular = there[:, : network.sizes[k - 1]].all()
        if not regular:
            yield f"weights of layer {k}"
        elif not there.all():
            yield f"biases of layer {k}"

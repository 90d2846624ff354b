"""SciPy's optimisers over the flat weight vector, through ``value_and_gradient`` on all samples."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.errors import DataError, SpecError, SymbpError, TrainingError
from symbp.functions.names import nearest
from symbp.run.interface import Callback, FloatArray
from symbp.values import shown

if TYPE_CHECKING:
    from symbp.run.trainer import Trainer

# Those that take a gradient and need no second derivative.
METHODS = ("L-BFGS-B", "BFGS", "CG", "TNC", "SLSQP", "Newton-CG", "trust-constr")


class Minimisation(list[float]):
    """The cost after every iteration, a list as the history of ``fit``.

    Attributes
    ----------
    evaluations : int
        How often cost and gradient were computed, each time over all samples.
    converged : bool
        Whether the method's own criterion is met.
    message : str
        Why it stopped, in SciPy's words.
    """

    evaluations: int = 0
    converged: bool = False
    message: str = ""


def minimize(
    trainer: Trainer,
    w: ArrayLike,
    X: ArrayLike,
    Y: ArrayLike,
    method: str,
    callback: Callback | None,
    options: dict[str, Any],
    weights: ArrayLike | None = None,
) -> tuple[FloatArray, Minimisation]:
    """Run one of SciPy's optimisers; see :meth:`symbp.Trainer.minimize`."""
    if method not in METHODS:
        raise SpecError(f"method = {shown(method)}: expected one with gradients{nearest(method, METHODS)}")
    try:
        from scipy import optimize
    except ImportError:
        raise SymbpError("minimize needs SciPy: pip install 'symbp[scipy]'") from None
    history = Minimisation()
    latest: list[tuple[NDArray[np.float64], float]] = []

    def evaluate(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        cost, gradient = trainer.value_and_gradient(x, X, Y, weights)
        history.evaluations += 1
        if not math.isfinite(cost):
            raise TrainingError(
                f"the cost became {cost} in evaluation {history.evaluations} of {method}: "
                "start elsewhere, or scale the data"
            )
        latest[:] = [*latest[-20:], (x.copy(), cost)]
        return cost, np.asarray(gradient, dtype=np.float64)

    def after(x: NDArray[np.float64], *_: object) -> None:
        known = [cost for point, cost in reversed(latest) if np.array_equal(point, x)]
        history.append(known[0] if known else evaluate(x)[0])
        if callback is not None:
            callback(len(history), int(options.get("maxiter", 0)), history[-1])

    start = np.array(w, dtype=np.float64)
    trainer.value_and_gradient(start, X, Y, weights)  # says now what does not fit
    for what, values in (("w", start), ("X", X), ("Y", Y)):
        _check_finite(what, np.asarray(values))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", optimize.OptimizeWarning)
            found = optimize.minimize(
                evaluate, start, method=method, jac=True, callback=after, options=dict(options)
            )
    except optimize.OptimizeWarning as warning:
        raise SpecError(f"minimize: {method}: {' '.join(str(warning).split())}") from None
    history.converged, history.message = bool(found.success), str(found.message)
    return np.asarray(found.x, dtype=trainer.dtype), history


def _check_finite(what: str, values: NDArray[Any]) -> None:
    """Name the first number that no optimiser can start from, as ``fit`` does."""
    wrong = np.argwhere(~np.isfinite(values))
    if wrong.size:
        place = wrong[0].tolist()
        raise DataError(f"{what}{place} is {values[tuple(place)]}: expected finite numbers")

"""A loaded trainer: the generated module with the defaults and the errors of symbp."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from symbp.errors import DataError, SymbpWarning, TrainingError
from symbp.network import Network
from symbp.room import with_room
from symbp.run import tested
from symbp.run.interface import Callback, FloatArray, TrainerModule
from symbp.run.progress import reporter
from symbp.spec import Spec

if TYPE_CHECKING:
    from symbp.run.minimize import Minimisation

ClassWeight = Mapping[int, float] | Literal["balanced"]


class Trainer:
    """The compiled network; made by :func:`symbp.load` and :func:`symbp.generate`.

    Weights are one flat vector w of shape (n_params,): W_1, ..., W_{L+1} row-major in
    layer order. W_k has shape (N_k, N_{k-1} + 1), the bias being its last column, or
    (N_k, N_{k-1}) in a layer without bias.

    Parameters
    ----------
    path : Path
        Where the generated file stands.
    module : TrainerModule
        The imported file.
    source : str
        Its text.
    self_test : bool
        Whether functions that loading has not tested are tested before their first use.

    Attributes
    ----------
    spec : Spec
        The declaration it was generated from.
    """

    def __init__(self, path: Path, module: TrainerModule, source: str, self_test: bool = False) -> None:
        self.path = path
        self.module = module
        self.source = source
        self.self_test = self_test
        with warnings.catch_warnings():
            # What is to be said of own functions was said when the trainer was generated.
            warnings.simplefilter("ignore", SymbpWarning)
            self.spec = Spec.from_text(module.SPEC, str(path))

    @property
    def network(self) -> Network:
        """The network of the declaration."""
        return self.spec.network

    @property
    def n_params(self) -> int:
        """The number of weights, biases included."""
        return self.module.N_PARAMS

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of every array and constant of the kernels."""
        return np.dtype(self.module.DTYPE)

    def __repr__(self) -> str:
        sizes = "-".join(str(n) for n in self.network.sizes)
        return f"<Trainer {self.network.name} {sizes}, {self.n_params} weights, {self.dtype}, {self.path}>"

    def init_params(self, rng_or_seed: int | np.random.Generator | None = None) -> FloatArray:
        """Return initial weights, shape (n_params,), of the trainer's dtype.

        Parameters
        ----------
        rng_or_seed : int or numpy.random.Generator, optional
            By default the seed of the declaration.

        Raises
        ------
        DataError
            If it is neither.
        """
        with _errors_of_symbp():
            return self.module.init_params(self.spec.train.seed if rng_or_seed is None else rng_or_seed)

    def unpack(self, w: FloatArray) -> list[FloatArray]:
        """Return W_1, ..., W_{L+1} as views of w, shape (n_params,).

        Raises
        ------
        DataError
            If w has another shape.
        """
        with _errors_of_symbp():
            return self.module.unpack(w)

    def predict(self, w: ArrayLike, X: ArrayLike) -> FloatArray:
        """Return the predictions h, shape (n, N_{L+1}), for inputs X, shape (n, N_0) (000, eq. 1.8).

        Raises
        ------
        DataError
            If a shape does not fit the network.
        """
        with _errors_of_symbp():
            return self.module.predict(w, X)

    def value_and_gradient(
        self, w: ArrayLike, X: ArrayLike, Y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, FloatArray]:
        """Return the cost J and its gradient dJ/dw, averaged over the samples (000, eq. 2.1; D.1 to D.6).

        Parameters
        ----------
        w : array, shape (n_params,)
        X : array, shape (n, N_0)
        Y : array
            Targets, shape (n, N_{L+1}), or (n,): the labels of a classifier, or the
            values of a single output.
        sample_weight : array, shape (n,), optional
            v, numbers of at least 0, used as they are given: J = 1/n sum_p v^p cost^p. Only
            for a network that is declared ``weighted``; 1 for each sample if left out.

        Returns
        -------
        J : float
        g : ndarray, shape (n_params,), of the trainer's dtype

        Raises
        ------
        DataError
            If a shape or a target does not fit the network.
        """
        with _errors_of_symbp():
            return self.module.value_and_gradient(w, X, Y, **self._in_cost(sample_weight=sample_weight))

    def jacobian(self, w: ArrayLike, X: ArrayLike) -> FloatArray:
        """Return dh_q/dw, shape (n, N_{L+1}, n_params), by the T-product (000, eq. 2.17).

        Raises
        ------
        DataError
            If a shape does not fit the network.
        TrainerError
            If the kernel does not reproduce the trainer's test vector.
        """
        self._tested("jacobian")
        with _errors_of_symbp():
            return self.module.jacobian(w, X)

    def input_gradient(
        self, w: ArrayLike, X: ArrayLike, Y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> FloatArray:
        """Return dJ/dX, shape (n, N_0), by the sensitivities (eq. X.13; 003, Table 1, step 7).

        J is the cost averaged over the n samples, as in :meth:`value_and_gradient`, so a row is
        1/n of the derivative of its sample's own cost.

        Parameters
        ----------
        w, X, Y, sample_weight : arrays
            As in :meth:`value_and_gradient`.

        Raises
        ------
        DataError
            If a shape or a target does not fit the network.
        TrainerError
            If the kernel does not reproduce the trainer's test vector.
        """
        self._tested("input_gradient")
        with _errors_of_symbp():
            return self.module.input_gradient(w, X, Y, **self._in_cost(sample_weight=sample_weight))

    def input_jacobian(self, w: ArrayLike, X: ArrayLike) -> FloatArray:
        """Return dh_q/dx_j of every sample, shape (n, N_{L+1}, N_0), by the T-product (eq. X.8).

        Raises
        ------
        DataError
            If a shape does not fit the network.
        TrainerError
            If the kernel does not reproduce the trainer's test vector.
        """
        self._tested("input_jacobian")
        with _errors_of_symbp():
            return self.module.input_jacobian(w, X)

    def sample_weights(
        self, Y: ArrayLike, sample_weight: ArrayLike | None = None, class_weight: ClassWeight | None = None
    ) -> FloatArray:
        """Return v of every sample, shape (n,), as :meth:`fit` uses it; 1 where nothing is given.

        Raises
        ------
        DataError
            If the weights do not fit, or if the network is not declared ``weighted``.
        """
        weights = self._in_cost(sample_weight=sample_weight, class_weight=class_weight)
        if not self.network.weighted:
            return np.ones(np.shape(Y)[0], self.dtype)
        with _errors_of_symbp():
            return self.module.sample_weights(Y, **weights)  # type: ignore[attr-defined, no-any-return]

    def _in_cost(self, **weights: Any) -> dict[str, Any]:
        """Return the weights that were given; a network without weights in its cost takes none."""
        given = {name: value for name, value in weights.items() if value is not None}
        if given and not self.network.weighted:
            raise DataError(
                f"{next(iter(given))}: the cost of network {self.network.name!r} has no sample weights; "
                "declare weighted = true in [network], or Network(..., weighted=True), and generate it again"
            )
        return given

    def _tested(self, function: str) -> None:
        if self.self_test:
            tested.self_test(self.module, str(self.path), function)

    def fit(
        self,
        w: ArrayLike,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        shuffle: bool | None = None,
        seed: int | None = None,
        callback: Callback | None = None,
        progress: bool | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        clip_norm: float | None = None,
        state: dict[str, Any] | None = None,
        total_epochs: int | None = None,
        threads: int = 1,
    ) -> tuple[FloatArray, list[float]]:
        """Train; what is left out is taken from ``[train]`` of the declaration.

        Parameters
        ----------
        w : array, shape (n_params,)
            Where to start; it is not changed.
        X, Y : arrays
            As in :meth:`value_and_gradient`.
        epochs, batch_size, learning_rate, shuffle, seed : optional
            The seed starts the generator that shuffles: the same seed gives bitwise the
            same weights.
        callback : callable, optional
            Called after each epoch with the number of epochs done, the number of all, and
            the epoch's mean cost.
        progress : bool, optional
            Whether to show progress on stderr; by default, only on a terminal.
        sample_weight : array, shape (n,), optional
            As in :meth:`value_and_gradient`.
        class_weight : dict or "balanced", optional
            Label -> number of at least 0 (1 for a label left out), by which the weights of the
            samples of that class are multiplied; "balanced" is n/(k n_c) for the n_c samples
            of each of the k classes in Y.
        clip_norm : float, optional
            The largest norm of the gradient, if the trainer was generated with one.
        state : dict, optional
            ``history.state`` of an earlier call: the optimizer goes on where that one ended,
            with its states and its count of updates.
        total_epochs : int, optional
            The length of the whole run, for a schedule; by default the epochs done before
            and those of this call.
        threads : int
            At most so many threads share the work of each step, where a batch has enough of it;
            the same number gives bitwise the same weights, and every number does where no gradient
            is clipped. A trainer for the target ``portable`` works alone.

        Returns
        -------
        w : ndarray, shape (n_params,)
        history : list of float
            The mean cost of each epoch, with the weights of the samples and the penalty where
            there are any. Its attribute ``state`` continues the run.

        Raises
        ------
        DataError
            If a shape or a target does not fit the network.
        TrainingError
            If the cost is no longer finite; names the epoch, batch and learning rate.
        """
        defaults = self.spec.train
        # Only what is asked for: all else the module knows itself.
        further: dict[str, Any] = {"clip_norm": clip_norm, "state": state, "total_epochs": total_epochs}
        further["threads"] = None if threads == 1 else threads
        with _errors_of_symbp(), reporter(self.network.name, progress) as show:
            return with_room(
                self.module.fit,
                w,
                X,
                Y,
                epochs=defaults.epochs if epochs is None else epochs,
                batch_size=defaults.batch_size if batch_size is None else batch_size,
                learning_rate=defaults.learning_rate if learning_rate is None else learning_rate,
                shuffle=defaults.shuffle if shuffle is None else shuffle,
                seed=defaults.seed if seed is None else seed,
                callback=_both(callback, show),
                **{name: value for name, value in further.items() if value is not None},
                **self._in_cost(sample_weight=sample_weight, class_weight=class_weight),
            )

    def minimize(
        self,
        w: ArrayLike,
        X: ArrayLike,
        Y: ArrayLike,
        method: str = "L-BFGS-B",
        *,
        callback: Callback | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        **options: Any,
    ) -> tuple[FloatArray, Minimisation]:
        """Minimise the cost over all samples with one of SciPy's optimisers (the extra ``scipy``).

        For small networks and data that fit into memory, a quasi-Newton method reaches a lower
        cost in far fewer evaluations than gradient descent::

            w, history = trainer.minimize(trainer.init_params(0), X, Y, maxiter=200)

        SciPy computes in float64; a float32 trainer rounds the weights before each evaluation,
        so it stops earlier.

        Parameters
        ----------
        w : array, shape (n_params,)
            Where to start; it is not changed.
        X, Y : arrays
            As in :meth:`value_and_gradient`.
        method : str
            One of :data:`symbp.run.minimize.METHODS`.
        callback : callable, optional
            Called after each iteration with its number, the option ``maxiter`` (0 if not given)
            and the cost.
        sample_weight, class_weight : optional
            As in :meth:`sample_weights`; only for a network that is declared ``weighted``.
        **options
            Options of the method, such as ``maxiter``, ``ftol`` or ``gtol``; SciPy's
            documentation of ``scipy.optimize.minimize`` lists them.

        Returns
        -------
        w : ndarray, shape (n_params,)
        history : list of float
            The cost after every iteration, with the penalty if there is one; its attributes
            ``evaluations``, ``converged`` and ``message`` tell how it went.

        Raises
        ------
        DataError
            If a shape or a target does not fit the network, or a number is not finite.
        SpecError
            If the method or an option is unknown.
        TrainingError
            If the cost is not finite.
        SymbpError
            If SciPy is not installed.
        """
        from symbp.run.minimize import minimize

        weighted = sample_weight is not None or class_weight is not None
        weights = self.sample_weights(Y, sample_weight, class_weight) if weighted else None
        return minimize(self, w, X, Y, method, callback, options, weights)


@contextlib.contextmanager
def _errors_of_symbp() -> Iterator[None]:
    """A generated module knows nothing of symbp: give its errors their place in the family."""
    try:
        yield
    except FloatingPointError as error:
        raise TrainingError(str(error)) from error
    except ValueError as error:
        raise DataError(str(error)) from error


def _both(first: Callback | None, second: Callback | None) -> Callback | None:
    if first is None or second is None:
        return first or second

    def call(epoch: int, epochs: int, cost: float) -> None:
        first(epoch, epochs, cost)
        second(epoch, epochs, cost)

    return call

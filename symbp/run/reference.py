"""The right gradient at a random point: of all samples, of each, and of a penalty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.errors import DerivationError
from symbp.functions import Penalty
from symbp.network import Network
from symbp.plan.passes import make_plan
from symbp.plan.program import Program
from symbp.run import interpret, plain
from symbp.run.evaluate import Floats
from symbp.run.formula.written import Stated, WrittenGradient
from symbp.run.paths import penalty_slope, plain_tape
from symbp.run.point import Point, random_point
from symbp.run.report import relative_errors
from symbp.run.scale import gradient_scale

# Two ways that share nothing but the network give the right gradient; they must agree.
AGREEMENT = 1e-10


@dataclass(frozen=True)
class Reference:
    """The right gradient at one point.

    Attributes
    ----------
    derivation : Derivation
    point : Point
    right : ndarray, shape (n_params,)
        Of the average cost, without a penalty.
    slope : ndarray, shape (n_params,)
        The derivative of the penalty; 0 without one.
    scale : ndarray, shape (n_params,)
        What errors are relative to.
    wrong : dict
        The programs of the derivation with a mistake, which are derived for the first gradient that
        may have it.
    """

    derivation: Derivation
    point: Point
    right: Floats
    slope: Floats
    scale: Floats
    wrong: dict[Any, Program | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def network(self) -> Network:
        assert self.derivation.network is not None
        return self.derivation.network

    @cached_property
    def of_samples(self) -> Floats:
        """The gradient of the cost of each sample, shape (m, n_params)."""
        program, p = make_plan(self.derivation), self.point
        parts = [slice(n, n + 1) for n in range(len(p.X))]
        return np.stack([interpret.gradient(program, p.w, p.X[s], p.Y[s], p.v[s])[1] for s in parts])

    def meant(self, stated: Stated) -> Floats:
        """Return the right numbers for what a gradient says to give, shape (m, n_params)."""
        data = (
            np.where(stated.of_sample, self.of_samples, self.right) if stated.of_sample.any() else self.right
        )
        found: Floats = np.broadcast_to(
            data + np.where(stated.penalised, self.slope, 0.0), stated.values.shape
        )
        return found

    def errors(self, stated: Stated) -> Floats:
        """Return the relative errors for each sample, shape (m, n_params); 0 where nothing is given."""
        found = relative_errors(stated.values, self.meant(stated), self.scale)
        return np.where(stated.said, found, 0.0)

    def is_right(self, written: WrittenGradient, said: NDArray[np.bool_], tolerance: float) -> bool:
        """Whether a gradient as text is right, and says at least so much."""
        stated = written.at(self.point)
        errors = self.errors(stated)
        return bool((stated.said >= said).all() and stated.said.any() and (errors <= tolerance).all())

    def left_out(self, said: NDArray[np.bool_]) -> Iterator[str]:
        """Yield what a gradient says nothing of."""
        for k, there in enumerate(plain.unpack(self.network, said), 1):
            if not there[:, : self.network.sizes[k - 1]].all():
                yield f"weights of layer {k}"
            elif not there.all():
                yield f"biases of layer {k}"


@lru_cache(maxsize=4)
def reference(network: Network, samples: int, seed: int, penalty: Penalty | None) -> Reference:
    """Return the right gradient at a random point: who checks one formula often checks the next.

    Raises
    ------
    DerivationError
        If the derivation disagrees with automatic differentiation.
    """
    rng = np.random.default_rng(seed)
    start = rng.normal(scale=0.5, size=network.n_params)
    point = random_point(network, start, np.dtype(np.float64), rng, samples, penalty)
    derivation = derive(network)
    right = interpret.gradient(make_plan(derivation), point.w, point.X, point.Y, point.v)[1]
    slope = penalty_slope(network, point)
    scale = gradient_scale(network, replace(point, penalty=None), rng)
    if np.max(relative_errors(right + slope, plain_tape(network, point).values, scale)) > AGREEMENT:
        raise DerivationError("the derivation disagrees with automatic differentiation; please report it")
    return Reference(derivation, point, right, slope, scale)

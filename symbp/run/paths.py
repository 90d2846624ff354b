"""The ways to the gradient that ``verify`` compares.

Nothing here knows a derivative of an activation or of the backward pass: two ways run the
generated kernels, one differentiates NumPy code on a tape, one takes complex steps, one
leaves everything to SymPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from symbp.errors import TrainerError
from symbp.network import Network
from symbp.run import plain
from symbp.run.direct import direct_gradient
from symbp.run.evaluate import Floats
from symbp.run.point import Point
from symbp.run.tape import Variable, gradient
from symbp.run.trainer import Trainer
from symbp.run.ways import Way

# The imaginary step: its square vanishes against 1, so that there is no truncation error.
STEP = 1e-100
# Each complex step is a forward pass: fewer of them in a large network.
MOST_STEPS, FEWEST_STEPS = 300, 30
WEIGHTS_TIMES_STEPS = 20_000_000


def delta_recursion(trainer: Trainer, point: Point) -> tuple[float, Way]:
    """Return the kernel's cost and gradient (000, eq. 2.3 and 2.4 as a recursion of sensitivities)."""
    w, X, Y = (values.astype(trainer.dtype) for values in (point.w, point.X, point.Y))
    value, g = trainer.value_and_gradient(w, X, Y, **sample_weight(trainer, point))
    return float(value), Way.whole("delta recursion", of_shape(g, point.w.shape, "gradient"), compiled=True)


def t_product(trainer: Trainer, point: Point) -> Way:
    """Return sum_q dJ/dh_q dh_q/dw with the kernel's Jacobian (000, eq. 2.3 and 2.17)."""
    total = np.zeros_like(point.w)
    # Sample by sample: the Jacobian of a whole batch would be large.
    for x, by_output in zip(point.X.astype(trainer.dtype), cost_by_outputs(trainer, point), strict=True):
        w = point.w.astype(trainer.dtype)
        jacobian = of_shape(trainer.jacobian(w, x[None, :]), (1, by_output.size, w.size), "Jacobian")[0]
        total += by_output @ jacobian
    return Way.whole("T-product", total / len(point.X) + penalty_slope(trainer.network, point), compiled=True)


def penalty_slope(network: Network, point: Point) -> Floats:
    """Return the derivative of the penalty, differentiated by SymPy, shape (n_params,); 0 without one."""
    slopes = np.zeros_like(point.w)
    if point.penalty is None:
        return slopes
    formula = point.penalty.expression()
    (w,) = formula.free_symbols
    derivative = sympy.lambdify([w], sympy.diff(formula, w), "numpy")
    for k, (into, weights) in enumerate(
        zip(plain.unpack(network, slopes), plain.unpack(network, point.w), strict=True)
    ):
        into[:, : network.sizes[k]] = derivative(weights[:, : network.sizes[k]])
    return slopes


def plain_tape(network: Network, point: Point) -> Way:
    """Return the gradient of the plain NumPy network, differentiated on the tape."""
    w = Variable(point.w)
    cost = plain.cost(network, w, point.X, point.Y, point.v, point.penalty)
    return Way.whole("plain NumPy (tape)", gradient(cost, w))


def complex_step(network: Network, point: Point, rng: np.random.Generator) -> Way:
    """Return Im J(w + ih e)/h of the plain NumPy network for some weights of each layer.

    Every function that a formula may contain allows it: branches and absolute values are
    decided by the real part, which a step in the imaginary direction does not move.

    Squire, Trapp: Using complex variables to estimate derivatives of real functions,
    SIAM Review 40 (1998).
    """
    weights = _some_of_each_layer(network, rng)
    w = point.w.astype(np.complex128)
    values = np.empty(len(weights))
    for n, position in enumerate(weights):
        w[position] += 1j * STEP
        values[n] = plain.cost(network, w, point.X, point.Y, point.v, point.penalty).imag / STEP
        w[position] = point.w[position]
    return Way("complex step", values, weights)


def sympy_direct(network: Network, point: Point) -> Way:
    """Return SymPy's derivative of the composed cost."""
    return Way.whole("SymPy direct", direct_gradient(network, point))


def of_shape(values: Any, shape: tuple[int, ...], what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != shape:
        raise TrainerError(f"the trainer's {what} has shape {found.shape}; expected {shape}")
    return found


def cost_by_outputs(trainer: Trainer, point: Point) -> Floats:
    """Return dJ/dh of every sample's own weighted cost at the kernel's predictions, shape (n, N_{L+1}).

    The cost of one output is differentiated by SymPy.
    """
    derivative = sympy.diff(trainer.network.cost.expression(), plain.H)
    function = sympy.lambdify([plain.H, plain.Y], derivative, "numpy")
    w, X = (values.astype(trainer.dtype) for values in (point.w, point.X))
    H = of_shape(trainer.predict(w, X), point.Y.shape, "prediction")
    return np.broadcast_to(function(H, point.Y), H.shape) * point.v[:, None]


def sample_weight(trainer: Trainer, point: Point) -> dict[str, Any]:
    """Return the argument that a trainer with sample weights takes, and nothing for any other."""
    return {"sample_weight": point.v.astype(trainer.dtype)} if trainer.network.weighted else {}


def affordable_steps(network: Network) -> int:
    """Return how many complex steps are taken at most."""
    return min(MOST_STEPS, max(FEWEST_STEPS, WEIGHTS_TIMES_STEPS // network.n_params))


def _some_of_each_layer(network: Network, rng: np.random.Generator) -> NDArray[np.int_]:
    """Return all weights of a small network, else an equal share of each layer."""
    steps = affordable_steps(network)
    share = -(-steps // len(network.layers))
    layers = [matrix.ravel() for matrix in plain.unpack(network, np.arange(network.n_params))]
    few = network.n_params > steps
    return np.concatenate([some(layer, share, rng) if few else layer for layer in layers])


def some(positions: NDArray[np.int_], most: int, rng: np.random.Generator) -> NDArray[np.int_]:
    """Return all positions, or some if there are too many, ascending."""
    few = len(positions) > most
    return np.sort(rng.choice(positions, most, replace=False)) if few else positions

"""Two ways to the gradient side by side: the T-product forwards, the sensitivities backwards.

Nothing is counted by a formula: the numbers are those of the statements that the equations
of this network become.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.plan.operations import Operations, not_zero, of_kernel, total
from symbp.plan.program import Program


@dataclass(frozen=True)
class Way:
    """One way to all derivatives of one sample.

    Attributes
    ----------
    title : str
    counts : mapping
        Label of the equation -> its operations.
    """

    title: str
    counts: Mapping[str, Operations]

    @property
    def total(self) -> Operations:
        return total(self.counts.values())


def ways_to_gradient(program: Program, cost_slope: Operations | None = None) -> tuple[Way, Way]:
    """Return the operations of both ways to dJ/dw of one sample, beyond the forward pass.

    Parameters
    ----------
    program : Program
    cost_slope : Operations, optional
        What dJ/dh_q takes for one output, which the T-product needs beside dh/dw; in the
        sensitivities it is a part of the first.

    Returns
    -------
    t_product, sensitivities : Way
    """
    kernel = program.kernel("jacobian")
    jacobian = of_kernel(kernel)
    # 2.3: for every weight the sum over the outputs of dJ/dh_q times dh_q/dw, where that is not 0,
    # added up over the samples as D.6 is.
    derivatives = sum(n for label, n in not_zero(kernel).items() if label.startswith("2.17"))
    by_output = Operations(multiplications=derivatives, additions=derivatives)
    slope = (cost_slope or Operations()).times(program.layers[-1].rows)
    gradient = of_kernel(program.kernel("sensitivities")) | of_kernel(program.kernel("gradient"))
    sensitivities = {label: n for label, n in gradient.items() if not label.startswith(("2.1", "1.8"))}
    return (
        Way("T-product", jacobian | {"2.1d": slope, "2.3": by_output}),
        Way("sensitivities", sensitivities),
    )


@dataclass(frozen=True)
class Orders:
    """Multiplications of dh/dx = dh/dc S_L ... S_1 W_1, the first factor taken as given.

    Attributes
    ----------
    reverse : int
        From the outputs: every product has N_{L+1} rows.
    forward : int
        From the inputs: every product has N_0 columns.
    best : int
        The cheapest way of all to set the brackets.
    """

    reverse: int
    forward: int
    best: int


def jacobian_orders(sizes: Sequence[int]) -> Orders:
    """Return the cost of the Jacobian of the outputs by the inputs, by the order of its products.

    Parameters
    ----------
    sizes : sequence of int
        (N_0, ..., N_{L+1}). Neighbouring sizes are the shape of S_L, ..., S_1 and W_1.
    """
    extents = tuple(reversed(sizes))
    rows, columns = extents[0], extents[-1]
    inner = list(itertools.pairwise(extents))
    reverse = sum(rows * a * b for a, b in inner[1:])
    forward = sum(a * b * columns for a, b in inner[:-1])
    return Orders(reverse, forward, _cheapest(extents))


def _cheapest(extents: tuple[int, ...]) -> int:
    """Return the multiplications of a chain of matrices with the best brackets.

    Cormen et al., Introduction to Algorithms, section 14.2 (4th edition).
    """
    n = len(extents) - 1
    cost = {(i, i): 0 for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = min(
                cost[i, s] + cost[s + 1, j] + extents[i] * extents[s + 1] * extents[j + 1]
                for s in range(i, j)
            )
    return cost[0, n - 1]

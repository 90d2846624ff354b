"""Two ways to the gradient side by side: the T-product forwards, the sensitivities backwards.

Nothing is counted by a formula: the numbers are those of the statements that the equations
of this network become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbp.plan.operations import Operations, of_kernel, total
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


def ways_to_gradient(program: Program) -> tuple[Way, Way]:
    """Return the operations of both ways to dJ/dw of one sample, beyond the forward pass.

    Returns
    -------
    t_product, sensitivities : Way
    """
    jacobian = of_kernel(program.kernel("jacobian"))
    outputs = program.layers[-1].rows
    # 2.3: for every weight the sum over the outputs of dJ/dh_q times dh_q/dw.
    by_output = Operations(
        multiplications=outputs * program.n_params, additions=(outputs - 1) * program.n_params
    )
    gradient = of_kernel(program.kernel("gradient"))
    sensitivities = {label: n for label, n in gradient.items() if not label.startswith(("2.1", "1.8"))}
    return (
        Way("T-product", jacobian | {"2.3": by_output}),
        Way("sensitivities", sensitivities),
    )

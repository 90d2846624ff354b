"""Where a fused step keeps the weights of a layer: with its neurons side by side, or its inputs.

::

    V_k[j, i]   a row for each input and the bias: neurons side by side, as the forward pass wants them
    W_k[i, j]   upright, a row for each neuron: inputs side by side, as the way back wants them

A gradient is a sum of rows of either kind; the one whose rows fill registers better is chosen, and the
other one is a copy, made where a pass needs it. The bias is a row of V_k in both cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbp.plan.program import Access, Array, Layer
from symbp.plan.tiles import Schedule

# Products that turning a block of one register times one costs as much time as.
TURNING = 140


@dataclass(frozen=True)
class Held:
    """The weights of one layer, and what the update rule keeps for each.

    Attributes
    ----------
    number : int
        Of the layer.
    layer : Layer
    schedule : Schedule
    """

    number: int
    layer: Layer
    schedule: Schedule

    @property
    def regular(self) -> int:
        """Inputs of the layer, without the bias."""
        return self.layer.columns - int(self.layer.bias)

    @property
    def upright(self) -> bool:
        """Whether a row is a neuron's: its gradient then takes fewer registers."""
        rows, across = self.layer.rows, self._registers(self.regular)
        gain = self.regular * self._registers(rows) - rows * across
        # Either kind needs a copy of the other, V_k at once: the first products wait for it.
        copies = TURNING * self._registers(rows) * across
        return gain * self.schedule.batch_size > copies

    def _registers(self, extent: int) -> int:
        return self.schedule.padded(extent) // self.schedule.lanes

    def is_upright(self, column: Any) -> bool:
        """Whether the weights with this input's index stand in rows of neurons; the bias never does."""
        return self.upright and not column.is_Integer

    def element(self, name: str, neuron: Any, column: Any) -> Access:
        """Return a weight's place in an array of this layer."""
        return Access(name, *((neuron, column) if self.is_upright(column) else (column, neuron)))

    def array(self, name: str, upright: bool, role: Any = "work") -> Array:
        """Return an array with a place for every weight, or with rows of regular ones."""
        padded = self.schedule.padded
        rows, regular = self.layer.rows, self.regular
        return Array(name, (rows, padded(regular)) if upright else (self.layer.columns, padded(rows)), role)

    def weights(self, column: Any) -> Array:
        """Return the array that the weights with this input's index stand in."""
        upright = self.is_upright(column)
        return self.array(f"{'W' if upright else 'V'}{self.number}", upright)

    def state(self, name: str, column: Any) -> Array:
        """Return the array of what the update rule keeps for them."""
        upright = self.is_upright(column)
        kind = "BIAS" if self.upright and not upright else "STATE"
        return self.array(f"{kind}{self.number}_{name}", upright)

    def gradient(self, column: Any) -> Array:
        """Return the name of their gradient, which is never stored."""
        upright = self.is_upright(column)
        kind = "GB" if self.upright and not upright else "G"
        return self.array(f"{kind}{self.number}", upright, "register")

"""What every oracle is: a concrete network in which each quantity has a value of its own.

The interpreter (:mod:`.interpret`) evaluates both sides of an equation in such a model.
S, T, delta and every partial derivative have values that do *not* come from the equations
under test: S is looked up as d c^{k+1} / d c^k, T as d c^{L+1} / d c^k, delta as
dJ / dc. So each equation is checked for what it says, on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """Sizes of a concrete network: widths N_0..N_{L+1}, biases of layers 1..L+1, m samples."""

    widths: tuple[int, ...]
    biases: tuple[bool, ...]
    samples: int = 2

    @property
    def hidden(self) -> int:
        return len(self.widths) - 2

    @property
    def last(self) -> int:
        return len(self.widths) - 1

    def inputs(self, layer: int) -> int:
        """M_k."""
        return self.widths[layer - 1] + int(self.biases[layer - 1])

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))


class Model(Protocol):
    """A domain of numbers and the values of a network's quantities in it.

    Layers, indices and samples are counted from 1, as in the document.
    """

    shape: Shape

    def number(self, numerator: int, denominator: int) -> Any:
        """Return a rational number of the domain."""

    def scalar(self, name: str) -> Any:
        """Return the value of a scalar symbol such as the learning rate."""

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        """Return the value of a node."""

    def partial(self, of: Key, wrt: Key) -> Any:
        """Return the derivative of one node with respect to another."""

    def slope(self, layer: int, neuron: int, sample: int) -> Any:
        """Return dg/dc of a hidden neuron."""

    def function(self, name: str, argument: Any) -> Any:
        """Return exp, log, ... of a number; raises NotApplicable where there is none."""

    def power(self, base: Any, numerator: int, denominator: int) -> Any:
        """Return a power with a fraction for exponent; raises NotApplicable where there is none."""

    def reduce(self, value: Any) -> Any:
        """Bring a number into its normal form."""

    def product(self, a: Array, b: Array) -> Array:
        """Multiply two matrices."""

    def same(self, a: Any, b: Any) -> bool:
        """Whether two numbers are equal in the domain."""


@dataclass(frozen=True)
class Key:
    """A node with every layer, index and sample a number."""

    kind: str
    layer: int
    indices: tuple[int, ...]
    sample: int

    def __str__(self) -> str:
        return f"{self.kind}[{self.layer}; {', '.join(map(str, self.indices))}]"


class NoSuchQuantity(Exception):
    """The equation speaks of a quantity that the network does not have: it is wrong."""


class NotApplicable(Exception):
    """The model has no value for this quantity, so its oracle says nothing on the step."""

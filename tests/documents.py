"""The same network as each of the five documents would program it: an oracle for printed equations.

Nothing here knows symbp. Every class lays out weights and runs forward as its document says,
and says what a letter with its scripts is in these arrays. Derivatives are complex steps, so
they are exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tests.numbers import Plain

STEP = 1e-30


class Absent(Exception):
    """The network has no such quantity."""


class Quantity(NamedTuple):
    """What a letter with its scripts means: an entry, or a whole array where `index` is None."""

    name: str
    layer: int
    index: tuple[int, ...] | None
    sample: int


Indexed = tuple[int, Any]  # the number of the first entry, and the entries

# What the inputs of the network are called in each document, as a column and its layer.
INPUTS = {"smatrix": ("o", 0), "ng": ("a", 1), "lfd": ("x", 0), "bishop": ("z", 0), "nielsen": ("a", 0)}


class Document:
    """What the five have in common: values, derivatives, sensitivities, S and T."""

    letters: ClassVar[dict[str, str]]  # letter as printed -> what it is, see `quantity`
    sizes: str  # letter of a layer's width
    count: str  # letter for the number of layers
    samples: str = "m"
    cost: str
    pre: str  # weighted sums
    function: str
    kronecker: str = "I"
    layer_letters: str = "kl"
    sample_letters: str = "p"
    row_derivatives = False
    learning_rate: str
    one: str  # letter of the cost of one sample
    of_one = True  # whether delta is a derivative of that, and not of the average
    sample_at: tuple[str, int] = ("above", 1)  # where the number of samples stands in an accumulator

    def __init__(self, net: Plain) -> None:
        self.net = net
        self.arrays: dict[tuple[str, int], tuple[int, Any]] = {}  # -> number of first column, array
        self.known: dict[Any, Any] = {}
        for k in range(1, net.last + 1):
            self.lay_out(k, net.W[k], net.b[k])

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        raise NotImplementedError

    def forward(self, x: Any, arrays: Any, nudge: Callable[[str, int, Any], Any]) -> dict[Any, Indexed]:
        raise NotImplementedError

    # Sizes ------------------------------------------------------------------------------

    def number_of_layers(self) -> int:
        raise NotImplementedError

    def our_layer(self, layer: int) -> int:
        """Return the number among 0, ..., K of a layer of neurons."""
        return layer

    def width(self, layer: int) -> int:
        k = self.our_layer(layer)
        if not 0 <= k <= self.net.last:
            raise Absent(f"layer {layer}")
        return self.net.widths[k]

    def has_bias(self, weights: int) -> int:
        if not 1 <= weights <= self.net.last:
            raise Absent(f"weights {weights}")
        return int(self.net.b[weights] is not None)

    # Values -----------------------------------------------------------------------------

    def run(self, sample: int, nudged: Quantity | None = None) -> dict[Any, Indexed]:
        key = (sample, nudged)
        if key not in self.known:
            arrays = dict(self.arrays)
            if nudged is not None and (nudged.name, nudged.layer) in arrays:
                first, array = arrays[nudged.name, nudged.layer]
                array = array.astype(complex)
                array[self.place(nudged, first)] += 1j * STEP
                arrays[nudged.name, nudged.layer] = first, array

            def nudge(name: str, layer: int, values: Any) -> Any:
                if nudged is None or (nudged.name, nudged.layer, nudged.sample) != (name, layer, sample):
                    return values
                values = values.astype(complex)
                (position,) = nudged.index or ()
                values[position - 1] += 1j * STEP
                return values

            inputs = nudge(*INPUTS[type(self).__name__.lower()], self.net.X[sample - 1])
            self.known[key] = self.forward(inputs, arrays, nudge)
        return self.known[key]

    def place(self, q: Quantity, first: int) -> Any:
        """Return where an entry of a matrix (or column) of weights stands."""
        row, *column = q.index or ()
        return (row - 1, column[0] - first) if column else (row - 1,)

    def total(self, nudged: Quantity | None = None) -> Any:
        m = len(self.net.X)
        outputs = [self.run(p, nudged)[self.output_key()][1] for p in range(1, m + 1)]
        return sum(self.net.cost(h, y) for h, y in zip(outputs, self.net.Y, strict=True)) / m

    @property
    def mean(self) -> str:
        """The letter of the cost of a mini-batch."""
        return f"{self.cost}bar"

    def accumulated(self, weight: Quantity, count: int) -> float:
        """Return the sum of the derivatives of the costs of the first samples."""
        if not 0 <= count <= len(self.net.X):
            raise Absent(f"{count} samples")
        self.entry(weight)
        return sum(self.derivative(Quantity(self.one, 0, (), p + 1), weight) for p in range(count))

    def output_key(self) -> tuple[str, int]:
        raise NotImplementedError

    def entry(self, q: Quantity, nudged: Quantity | None = None) -> Any:
        """Return one number."""
        if not 1 <= q.sample <= len(self.net.X):
            raise Absent(f"sample {q.sample}")
        if q.name == self.cost:
            return self.total(nudged)
        if q.name in (self.one, self.mean):  # the mini-batch of the tests is the second sample
            p = 2 if q.name == self.mean else q.sample
            return self.net.cost(self.run(p, nudged)[self.output_key()][1], self.net.Y[p - 1])
        if (q.name, q.layer) in self.arrays:
            first, array = self.arrays[q.name, q.layer]
            self.check(q)
            same = nudged is not None and q[:3] == nudged[:3]
            return array[self.place(q, first)] + (1j * STEP if same else 0)
        if q.name == "y":
            (i,) = q.index or ()
            return self.among(self.net.Y[q.sample - 1], i, 1)
        if q.name == "delta":
            of = Quantity(self.one if self.of_one else self.cost, 0, (), q.sample if self.of_one else 1)
            return self.derivative(of, q._replace(name=self.pre))
        run = self.run(q.sample, nudged)
        if (q.name, q.layer) not in run:
            raise Absent(str(q))
        first, values = run[q.name, q.layer]
        (i,) = q.index or ()
        return self.among(values, i, first)

    @staticmethod
    def among(values: Any, index: int, first: int) -> Any:
        if not first <= index < first + len(values):
            raise Absent(f"index {index} of {len(values)}")
        return values[index - first]

    def check(self, q: Quantity) -> None:
        first, array = self.arrays[q.name, q.layer]
        place = self.place(q, first)
        if any(not 0 <= n < size for n, size in zip(place, array.shape, strict=True)):
            raise Absent(str(q))

    def derivative(self, of: Quantity, wrt: Quantity) -> float:
        if self.letters.get(wrt.name) == "column":  # a column without the bias has the entries of the whole
            wrt = wrt._replace(name=wrt.name.removesuffix("bar"))
        key = ("derivative", of, wrt)
        if key not in self.known:
            self.entry(of), self.entry(wrt)  # both must be there
            self.known[key] = float(np.imag(self.entry(of, wrt)) / STEP)
        return float(self.known[key])

    def members(self, q: Quantity) -> list[Quantity]:
        """Return the entries of a whole column."""
        if q.name == "delta":
            return [m._replace(name="delta") for m in self.members(q._replace(name=self.pre))]
        if (q.name, q.layer) in self.arrays:
            _, array = self.arrays[q.name, q.layer]
            return [q._replace(index=(n + 1,)) for n in range(len(array))]
        run = self.run(q.sample)
        if (q.name, q.layer) not in run:
            raise Absent(str(q))
        first, values = run[q.name, q.layer]
        return [q._replace(index=(first + n,)) for n in range(len(values))]

    def jacobian(self, upper: int, lower: int) -> Any:
        """Return d pre^(upper) / d pre^(lower): S and T are such matrices."""
        rows = self.members(Quantity(self.pre, upper, None, 1))
        columns = self.members(Quantity(self.pre, lower, None, 1))
        return np.array([[self.derivative(r, c) for c in columns] for r in rows])

"""The numbers that the letters of a formula stand for: one network at one point, all samples at once.

Nothing here comes from the derivation: the forward pass is that of :mod:`symbp.run.plain`,
sensitivities are differentiated on the tape, slopes by SymPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symbp.network import Network
from symbp.notation.records import Notation
from symbp.run import plain
from symbp.run.evaluate import Floats, evaluate
from symbp.run.point import Point
from symbp.run.tape import Variable, gradient

Quantity = tuple[str, int]  # kind and layer


class NoSuchEntry(Exception):
    """The network has no such layer, entry or function."""


class Arrays:
    """Quantities of a network at a point, in our own layers.

    Parameters
    ----------
    network : Network
    point : Point
    notation : Notation
        Says which way round W is, and which number the bias has among the inputs.
    """

    def __init__(self, network: Network, point: Point, notation: Notation) -> None:
        self.network, self.point, self.notation = network, point, notation
        self.last = network.hidden + 1
        self.samples = len(point.X)
        self.weights: list[Floats] = plain.unpack(network, point.w)
        layers = list(plain.layers(network, point.w, point.X))
        self._sums: list[Floats] = [c for c, _ in layers]
        self._outputs: list[Floats] = [point.X, *(o for _, o in layers)]
        self._derivatives: dict[tuple[Quantity, Quantity], Floats] = {}

    # Neurons, shape (m, N_k) ------------------------------------------------------------

    def _there(self, layer: int, first: int, what: str) -> None:
        if not first <= layer <= self.last:
            raise NoSuchEntry(f"this network has no such layer of {what}")

    def sums(self, layer: int) -> Floats:
        """Return the weighted sums."""
        self._there(layer, 1, "weighted sums")
        return self._sums[layer - 1]

    def outputs(self, layer: int) -> Floats:
        """Return the outputs; those of layer 0 are the inputs of the network."""
        self._there(layer, 0, "outputs")
        return self._outputs[layer]

    def inputs(self, layer: int) -> tuple[Floats, int]:
        """Return the inputs of a layer with the 1 for the bias, and the number of the first."""
        self._there(layer, 1, "inputs")
        o = self._outputs[layer - 1]
        if not self.has_bias_input(layer):
            return o, 1
        one = np.ones((self.samples, 1))
        return (np.hstack([one, o]), 0) if self.notation.bias == "first" else (np.hstack([o, one]), 1)

    def has_bias_input(self, layer: int) -> bool:
        """Return whether the bias is one of the inputs of a layer, as the notation has it."""
        return self.notation.bias != "separate" and self.network.has_bias(layer)

    def sensitivities(self, layer: int) -> Floats:
        """Return delta: of the average cost, or of the cost of each sample, as the notation has it."""
        self._there(layer, 1, "sensitivities")
        of_samples = self.derivative(("Js", self.last), ("c", layer))[:, 0]
        return of_samples if self.notation.sensitivity == "sample" else of_samples / self.samples

    def activated(self, layer: int, argument: Floats, slope: bool) -> Floats:
        """Return g^k or its derivative of any numbers."""
        self._there(layer, 1, "functions")
        activation = self.network.layer(layer).activation
        if activation.of_layer:
            raise NoSuchEntry(
                f"{activation.name} is a function of the whole layer: it has no derivative entry by entry; "
                "write the sensitivity of this layer without it"
                if slope
                else f"{activation.name} is a function of the whole layer: write the output instead"
            )
        formula = activation.expression()
        if slope:
            formula = sympy.diff(formula, plain.Z)
        with np.errstate(all="ignore"):
            return np.broadcast_to(evaluate(formula, {plain.Z: argument}), argument.shape)

    # Derivatives, on the tape -------------------------------------------------------------

    def derivative(self, of: Quantity, wrt: Quantity) -> Floats:
        """Return how a quantity of one sample depends on another of the same sample.

        Parameters
        ----------
        of : (str, int)
            "Js", the cost of the sample, or "c" or "o" with a layer.
        wrt : (str, int)
            "c", "o" or "w" with a layer.

        Returns
        -------
        ndarray, shape (m, N_of, N_wrt), or (m, N_of, N_k, M_k) by weights; N_of is 1 for the cost
        """
        if (of, wrt) not in self._derivatives:
            by_weights = wrt[0] == "w"
            samples = [slice(p, p + 1) for p in range(self.samples)] if by_weights else [slice(None)]
            parts = [self._on_tape(of, wrt, part) for part in samples]
            self._derivatives[of, wrt] = np.stack(parts) if by_weights else parts[0]
        return self._derivatives[of, wrt]

    def _on_tape(self, of: Quantity, wrt: Quantity, samples: slice) -> Floats:
        kind, layer = wrt
        start = {"c": self.sums, "o": self.outputs}.get(kind)
        variable = Variable(self.weights[layer - 1] if start is None else start(layer)[samples])
        found = self._from(variable, wrt, of, samples)
        if found is None:  # it does not depend on it
            count = 1 if of[0] == "Js" else self.network.sizes[of[1]]
            shape = variable.shape if start is None else (variable.shape[0], variable.shape[1])
            zeros = np.zeros((count, *shape))
            return zeros if start is None else np.moveaxis(zeros, 0, 1)
        rows = [gradient(np.sum(found[:, i]), variable) for i in range(found.shape[1])]
        return np.stack(rows, axis=0 if start is None else 1)

    def _from(self, variable: Variable, wrt: Quantity, of: Quantity, samples: slice) -> Any:
        """Run the network on from a variable to a quantity; None where it does not come by."""
        kind, layer = wrt
        if of == wrt:
            return variable
        values: Any = variable
        if kind == "w":
            values = plain.weighted_sums(self.network, layer, variable, self.outputs(layer - 1)[samples])
            kind = "c"
            if of == (kind, layer):
                return values
        while (kind, layer) != ("o", self.last):
            if kind == "c":
                values, kind = plain.activate(self.network, layer, values), "o"
            else:
                layer += 1
                values = plain.weighted_sums(self.network, layer, self.weights[layer - 1], values)
                kind = "c"
            if of == (kind, layer):
                return values
        if of[0] != "Js":
            return None
        costs = evaluate(self.network.cost.expression(), {plain.H: values, plain.Y: self.point.Y[samples]})
        if self.network.weighted:
            costs = costs * self.point.v[samples, None]
        return np.sum(costs, axis=1, keepdims=True)

    def step(self, layer: int) -> Floats:
        """Return S, shape (m, N_{k+1}, N_k)."""
        if not 1 <= layer < self.last:
            raise NoSuchEntry("this network has no such S-matrix")
        slopes = self.activated(layer, self.sums(layer), slope=True)
        return self.regular(layer + 1)[None] * slopes[:, None, :]

    def chain(self, upper: int, lower: int) -> Floats:
        """Return the product of the S-matrices from `upper` down to `lower`."""
        self._there(lower, 1, "weighted sums")
        product: Floats = np.eye(self.network.sizes[lower])[None]
        if not lower - 1 <= upper < self.last:
            raise NoSuchEntry("this network has no such product of S-matrices")
        for layer in range(lower, upper + 1):
            product = self.step(layer) @ product
        return product

    # Weights, in the notation's orientation -----------------------------------------------

    def regular(self, layer: int) -> Floats:
        """Return our W_k without the biases, shape (N_k, N_{k-1})."""
        self._there(layer, 1, "weights")
        return self.weights[layer - 1][:, : self.network.sizes[layer - 1]]

    def oriented(self, matrix: Floats) -> Floats:
        """Turn a matrix of weights, one row for each neuron, to how the notation writes it, or back."""
        return np.swapaxes(matrix, -1, -2) if self.notation.weights == "from to" else matrix

    def matrix(self, layer: int) -> tuple[Floats, tuple[int, int]]:
        """Return W as the notation writes it, and the numbers of its first row and column."""
        self._there(layer, 1, "weights")
        return self.theirs(self.weights[layer - 1], layer)

    def theirs(self, found: Floats, layer: int) -> tuple[Floats, tuple[int, int]]:
        """Return our rows (..., N_k, M_k) as the notation writes W, and the first numbers."""
        low = 1
        if self.network.has_bias(layer) and self.notation.bias == "separate":
            found = found[..., :-1]
        elif self.network.has_bias(layer) and self.notation.bias == "first":
            found, low = np.roll(found, 1, axis=-1), 0
        return self.oriented(found), ((low, 1) if self.notation.weights == "from to" else (1, low))

    def ours(self, matrix: Floats, layer: int) -> Floats:
        """Return what is written like :meth:`matrix` as we have it: the bias last."""
        found = self.oriented(matrix)
        if self.network.has_bias(layer) and self.notation.bias == "first":
            return np.roll(found, -1, axis=-1)
        return found

    def biases(self, layer: int) -> Floats:
        """Return the biases of a layer."""
        self._there(layer, 1, "weights")
        if not self.network.has_bias(layer):
            raise NoSuchEntry("this layer has no bias")
        return self.weights[layer - 1][:, -1]

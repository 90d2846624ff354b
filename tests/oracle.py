"""An independent network: forward pass, backpropagation and Jacobian written by hand in NumPy.

It shares nothing with symbp: no formula, no table, no derivation. The derivatives of the
built-in activations and costs are typed in here from textbooks (documents 001 to 003), and
the softmax Jacobian is applied in full, never fused with the cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def _sigmoid(c):
    return np.where(c >= 0, 1 / (1 + np.exp(-np.abs(c))), np.exp(-np.abs(c)) / (1 + np.exp(-np.abs(c))))


def _softmax(c):
    e = np.exp(c - c.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# name -> (value from c, derivative from c and o)
ACTIVATIONS = {
    "identity": (lambda c: c, lambda c, o: np.ones_like(c)),
    "relu": (lambda c: np.maximum(c, 0), lambda c, o: (c > 0).astype(c.dtype)),
    "tanh": (np.tanh, lambda c, o: 1 - o**2),
    "sigmoid": (_sigmoid, lambda c, o: o * (1 - o)),
    "softmax": (_softmax, None),
}

# name -> (cost of each output, derivative by h)
COSTS = {
    "cross_entropy": (lambda h, y: -y * np.log(h), lambda h, y: -y / h),
    "binary_cross_entropy": (
        lambda h, y: -y * np.log(h) - (1 - y) * np.log1p(-h),
        lambda h, y: (h - y) / (h * (1 - h)),
    ),
    "half_squared_error": (lambda h, y: (h - y) ** 2 / 2, lambda h, y: h - y),
    "squared_error": (lambda h, y: (h - y) ** 2, lambda h, y: 2 * (h - y)),
}


@dataclass(frozen=True)
class Oracle:
    """A dense network: sizes N_0..N_{L+1}; an activation name and a bias flag for each layer."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    cost_name: str
    biases: tuple[bool, ...]

    @classmethod
    def of(cls, network):
        """Return the oracle of a symbp network of built-in functions."""
        return cls(
            network.sizes,
            tuple(layer.activation.name for layer in network.layers),
            network.cost.name,
            tuple(layer.bias for layer in network.layers),
        )

    @property
    def n_params(self):
        return sum(n * (m + b) for m, n, b in zip(self.sizes, self.sizes[1:], self.biases, strict=False))

    def unpack(self, w):
        matrices, start = [], 0
        for m, n, b in zip(self.sizes, self.sizes[1:], self.biases, strict=False):
            matrices.append(w[start : start + n * (m + b)].reshape(n, m + b))
            start += n * (m + b)
        return matrices

    def forward(self, w, X):
        """Return the inputs (with the 1 of the bias), weighted sums and outputs of each layer."""
        inputs, sums, outputs = [], [], []
        o = X
        for W, name, bias in zip(self.unpack(w), self.activations, self.biases, strict=True):
            a = np.hstack([o, np.ones((len(o), 1), o.dtype)]) if bias else o
            c = a @ W.T
            o = ACTIVATIONS[name][0](c)
            inputs.append(a)
            sums.append(c)
            outputs.append(o)
        return inputs, sums, outputs

    def predict(self, w, X):
        return self.forward(w, X)[2][-1]

    def cost(self, w, X, Y, v=None):
        """Return the average of the samples' costs, each times its weight v."""
        costs = COSTS[self.cost_name][0](self.predict(w, X), Y).sum(axis=1)
        return (costs if v is None else v * costs).sum() / len(X)

    def _by_outputs(self, H, Y, v):
        by_h = COSTS[self.cost_name][1](H, Y) / len(H)
        return by_h if v is None else by_h * v[:, None]

    def gradient(self, w, X, Y, v=None):
        """Return the flat gradient of the cost by textbook backpropagation."""
        inputs, sums, outputs = self.forward(w, X)
        by_h = self._by_outputs(outputs[-1], Y, v)
        return self._backward(w, inputs, sums, outputs, by_h).sum(axis=0)

    def jacobian(self, w, X):
        """Return dh_q/dw, shape (n, N_{L+1}, n_params)."""
        inputs, sums, outputs = self.forward(w, X)
        units = np.eye(self.sizes[-1])
        rows = [self._backward(w, inputs, sums, outputs, np.tile(unit, (len(X), 1))) for unit in units]
        return np.stack(rows, axis=1)

    def input_gradient(self, w, X, Y, v=None):
        """Return dJ/dX, shape (n, N_0), by textbook backpropagation."""
        _, sums, outputs = self.forward(w, X)
        return self._to_inputs(w, sums, outputs, self._by_outputs(outputs[-1], Y, v))

    def input_jacobian(self, w, X):
        """Return dh_q/dx, shape (n, N_{L+1}, N_0)."""
        _, sums, outputs = self.forward(w, X)
        units = np.eye(self.sizes[-1])
        return np.stack(
            [self._to_inputs(w, sums, outputs, np.tile(unit, (len(X), 1))) for unit in units], axis=1
        )

    def _to_inputs(self, w, sums, outputs, by_o):
        for k in reversed(range(len(sums))):
            W = self.unpack(w)[k]
            by_o = self._through(k, sums, outputs, by_o) @ (W[:, :-1] if self.biases[k] else W)
        return by_o

    def _backward(self, w, inputs, sums, outputs, by_h):
        """Return the gradients of by_h . h of each sample, shape (n, n_params)."""
        delta = self._through(len(sums) - 1, sums, outputs, by_h)
        gradients = []
        for k in reversed(range(len(sums))):
            gradients.insert(0, (delta[:, :, None] * inputs[k][:, None, :]).reshape(len(delta), -1))
            if k:
                W = self.unpack(w)[k]
                by_o = delta @ (W[:, :-1] if self.biases[k] else W)
                delta = self._through(k - 1, sums, outputs, by_o)
        return np.hstack(gradients)

    def _through(self, k, sums, outputs, by_o):
        if self.activations[k] == "softmax":
            h = outputs[k]
            return h * (by_o - (by_o * h).sum(axis=1, keepdims=True))
        return by_o * ACTIVATIONS[self.activations[k]][1](sums[k], outputs[k])

"""How each document would program a network: its layers, its indices and its biases."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tests.documents import Document, Quantity


class Smatrix(Document):
    """000: W_k with the bias in the last column, a_k = (o_{k-1}, 1), c_k = W_k a_k, o_k = g(c_k)."""

    letters: ClassVar = {
        "w": "weight",
        "a": "column",
        "c": "column",
        "o": "column",
        "x": "input",
        "h": "output",
        "y": "target",
        "sigma": "output",
        "Wbar": "matrix",
    }
    sizes, count, cost, pre, function, learning_rate = "N", "L", "J", "c", "g", "eta"
    one, of_one = "E", False
    kronecker = "delta"
    row_derivatives = True

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        self.arrays["w", k] = 1, W if b is None else np.column_stack([W, b])
        self.arrays["Wbar", k] = 1, W

    def number_of_layers(self) -> int:
        return self.net.last - 1

    def output_key(self) -> tuple[str, int]:
        return "h", self.net.last

    def forward(self, x, arrays, nudge):
        found = {("o", 0): (1, x)}
        for k in range(1, self.net.last + 1):
            o = found["o", k - 1][1]
            a = o if self.net.b[k] is None else np.append(o, 1.0)
            c = nudge("c", k, arrays["w", k][1] @ a)
            out = self.net.activate(k, c)
            name = "h" if k == self.net.last else "o"
            found |= {("a", k): (1, a), ("c", k): (1, c), (name, k): (1, nudge(name, k, out))}
        return found


class Ng(Document):
    """001: Theta^(l) leads from layer l to l + 1, its column 0 the bias; a^(1) = x, a_0 = 1."""

    letters: ClassVar = {
        "theta": "weight",
        "Theta": "matrix",
        "Thetabar": "matrix",
        "a": "column",
        "abar": "column",
        "z": "column",
        "x": "input",
        "y": "target",
    }
    sizes, count, cost, pre, function, learning_rate = "s", "L", "J", "z", "g", "alpha"
    one = "E"

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        self.arrays["theta", k] = (1, W) if b is None else (0, np.column_stack([b, W]))
        self.arrays["Thetabar", k] = 1, W

    def number_of_layers(self) -> int:
        return self.net.last + 1

    def our_layer(self, layer: int) -> int:
        return layer - 1

    def output_key(self) -> tuple[str, int]:
        return "a", self.net.last + 1

    def forward(self, x, arrays, nudge):
        found, a = {}, x
        for l in range(1, self.net.last + 1):
            with_bias = self.net.b[l] is not None
            found["abar", l] = 1, a
            found["a", l] = (0, np.append(1.0, a)) if with_bias else (1, a)
            z = nudge("z", l + 1, arrays["theta", l][1] @ found["a", l][1])
            a = nudge("a", l + 1, self.net.activate(l, z))
            found["z", l + 1] = 1, z
        return found | {("a", self.net.last + 1): (1, a), ("abar", self.net.last + 1): (1, a)}


class Lfd(Document):
    """002: W^(l) is (d^(l-1) + 1) x d^(l), s^(l) = W^(l)T x^(l-1), x^(l) = (1, theta(s^(l)))."""

    letters: ClassVar = {"w": "weight", "W": "matrix", "s": "column", "x": "column", "y": "target"}
    sizes, count, samples, cost, pre, function, learning_rate = "d", "L", "N", "E", "s", "theta", "eta"
    one, sample_at = "e", ("below", 0)
    sample_letters = "n"

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        self.arrays["w", k] = (1, W.T) if b is None else (0, np.vstack([b, W.T]))

    def place(self, q: Quantity, first: int) -> Any:
        row, column = q.index or ()
        return row - first, column - 1

    def number_of_layers(self) -> int:
        return self.net.last

    def output_key(self) -> tuple[str, int]:
        return "x", self.net.last

    def forward(self, x, arrays, nudge):
        found = {}
        for l in range(1, self.net.last + 1):
            with_bias = self.net.b[l] is not None
            found["x", l - 1] = (0, np.append(1.0, x)) if with_bias else (1, x)
            s = nudge("s", l, arrays["w", l][1].T @ found["x", l - 1][1])
            x = nudge("x", l, self.net.activate(l, s))
            found["s", l] = 1, s
        return found | {("x", self.net.last): (1, x)}


class Bishop(Document):
    """003: a^(k) = W^(k) z^(k-1), z^(k) = sigma(a^(k)); with biases as in Bishop's book, z_0 = 1."""

    letters: ClassVar = {
        "w": "weight",
        "W": "matrix",
        "Wbar": "matrix",
        "a": "column",
        "z": "column",
        "zbar": "column",
        "x": "input",
        "y": "target",
    }
    sizes, count, cost, pre, function, learning_rate = "N", "K", "E", "a", "sigma", "lambda"
    one, sample_at = "e", ("below", 0)
    sample_letters = "n"

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        self.arrays["w", k] = (1, W) if b is None else (0, np.column_stack([b, W]))
        self.arrays["Wbar", k] = 1, W

    def number_of_layers(self) -> int:
        return self.net.last

    def output_key(self) -> tuple[str, int]:
        return "z", self.net.last

    def forward(self, x, arrays, nudge):
        found, z = {}, x
        for k in range(1, self.net.last + 1):
            found["zbar", k - 1] = 1, z
            found["z", k - 1] = (1, z) if self.net.b[k] is None else (0, np.append(1.0, z))
            a = nudge("a", k, arrays["w", k][1] @ found["z", k - 1][1])
            z = nudge("z", k, self.net.activate(k, a))
            found["a", k] = 1, a
        return found | {("z", self.net.last): (1, z), ("zbar", self.net.last): (1, z)}


class Nielsen(Document):
    """004: z^l = W^l a^{l-1} + b^l, a^l = sigma(z^l)."""

    letters: ClassVar = {
        "w": "weight",
        "W": "matrix",
        "b": "column",
        "z": "column",
        "a": "column",
        "x": "input",
        "y": "target",
    }
    sizes, count, cost, pre, function, learning_rate = "N", "L", "C", "z", "sigma", "alpha"
    one, sample_at = "c", ("above", 0)
    layer_letters = "ln"

    def lay_out(self, k: int, W: Any, b: Any) -> None:
        self.arrays["w", k] = 1, W
        if b is not None:
            self.arrays["b", k] = 1, b

    def number_of_layers(self) -> int:
        return self.net.last

    def output_key(self) -> tuple[str, int]:
        return "a", self.net.last

    def forward(self, x, arrays, nudge):
        found = {("a", 0): (1, x)}
        for l in range(1, self.net.last + 1):
            weighted = arrays["w", l][1] @ found["a", l - 1][1]
            z = nudge("z", l, weighted + arrays["b", l][1] if ("b", l) in arrays else weighted)
            found |= {("z", l): (1, z), ("a", l): (1, nudge("a", l, self.net.activate(l, z)))}
        return found


DOCUMENTS: dict[str, type[Document]] = {
    "smatrix": Smatrix,
    "ng": Ng,
    "lfd": Lfd,
    "bishop": Bishop,
    "nielsen": Nielsen,
}

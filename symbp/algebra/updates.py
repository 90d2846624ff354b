"""The quantities of training: numbers that an update rule keeps or computes for each weight.

They stand beside the weights of a layer and carry the weight's indices; what they depend on
is told by the assignments of the rule, not by the layers.
"""

from __future__ import annotations

from typing import Any, Literal

import sympy
from sympy import Expr, Symbol, Tuple
from sympy.core.symbol import Str

from symbp.algebra.constant import Quantity
from symbp.algebra.nodes import Node, i, j, k

# Counters are not indices: no sum runs over them.
step = Symbol("step", integer=True, nonnegative=True)
steps = Symbol("steps", integer=True, nonnegative=True)
epoch = Symbol("epoch", integer=True, nonnegative=True)
epochs = Symbol("epochs", integer=True, nonnegative=True)
batch = Symbol("batch", integer=True, nonnegative=True)  # samples per update
eta_0 = Symbol("eta_0", real=True)
clip_norm = Symbol("clip_norm", real=True)
# The norm of all gradients, and what they are multiplied by.
gradient_norm = Symbol("gradient_norm", real=True)
clip_factor = Symbol("clip_factor", real=True)

Role = Literal["old", "new", "own"]


class PerWeight(Quantity):
    """One number for one weight, for example the running mean m of Adam.

    Parameters
    ----------
    quantity : str
        Its name in the rule.
    layer : Expr
    indices : tuple of Expr
        Those of the weight.
    role : {"old", "new", "own"}
        A state before or after this update, or a number of this update only.
    """

    def __new__(cls, quantity: Any, layer: Any, indices: Any, role: Any = "own") -> PerWeight:
        made: PerWeight = Expr.__new__(
            cls, Str(str(quantity)), sympy.sympify(layer), Tuple(*indices), Str(str(role))
        )
        return made

    @property
    def quantity(self) -> str:
        return str(self.args[0].name)

    @property
    def indices(self) -> tuple[Expr, ...]:
        return tuple(self.args[2])

    @property
    def role(self) -> str:
        return str(self.args[3].name)

    @property
    def free_symbols(self) -> set[Any]:
        return {self}.union(*(a.free_symbols for a in self.args[1:3]))

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join(printer._print(a) for a in (self.layer, *self.indices))
        return f"{self.quantity}{chr(39) if self.role == 'new' else ''}[{inner}]"


CLIPPED = "clipped"


def per_weight(quantity: str, role: Role = "own") -> PerWeight:
    """Return the quantity of the general weight w_ij of layer k."""
    return PerWeight(quantity, k, (i, j), role)


def penalised_cost(layer: Any) -> Node:
    """The cost with the penalty added."""
    return Node("Jr", layer)

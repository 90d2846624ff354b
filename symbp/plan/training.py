"""The equations of one update -> kernels: penalty, learning rate, update.

The update is one and the same for every weight, so it runs over flat vectors: the weights,
the gradient, and the states of the rule. The penalty leaves biases out, so it runs layer by
layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Expr, Sum, Symbol

from symbp.algebra.nodes import Inputs, L, Node, Partial, Width, l, r, s, t, with_numbers
from symbp.algebra.updates import PerWeight, clip_factor, gradient_norm
from symbp.derivation.records import Derivation, Step
from symbp.derivation.updates import labels
from symbp.errors import PlanError
from symbp.plan.program import Access, Array, Kernel, Layer, Loop, Map, Origin, Reduce, Statement, Sweep

# Names of the emitted function, which a rule's own names must not take.
_TAKEN = frozenset(
    [
        "w",
        "gradient",
        "learning_rate",
        "clip_norm",
        "step",
        "states",
        "t",
        "F",
        "N_PARAMS",
        "math",
        "np",
        "abs",
        "range",
        "softplus",
        "squares",
        "gradient_norm",
        "clip_factor",
        "clipped",
        # of the fused step: its weights, indices and what moves vectors
        "V",
        "i",
        "j",
        "load",
        "store",
        "select",
    ]
)
# How further names of the emitted functions begin.
_TAKEN_BEGINNINGS = ("factor_", "STATE", "FLAT", "new_")


def training_kernels(derivation: Derivation, layers: tuple[Layer, ...]) -> Iterator[Kernel]:
    """Yield the kernels of one update: always ``update``; ``penalty`` and ``rate`` where they are stated."""
    if "2.1rf" in derivation:
        yield _penalty(derivation, layers)
    if "2.2s" in derivation:
        yield _rate(derivation["2.2s"])
    yield _Update(derivation, sum(layer.rows * layer.columns for layer in layers)).kernel()


def _origin(step: Step) -> Origin:
    return Origin(step.label, step.statement)


def _rate(step: Step) -> Kernel:
    target = Access("eta")
    value = with_numbers(step.statement.rhs)
    return Kernel("rate", (Array("eta", (), "scalar"),), (Map(target, (), value, _origin(step)),))


# Penalty ----------------------------------------------------------------------------------


def _penalty(derivation: Derivation, layers: tuple[Layer, ...]) -> Kernel:
    """Every layer's penalty and its derivative, added to the gradient; then the cost."""
    arrays: list[Array] = []
    statements: list[Statement] = []
    for number, layer in enumerate(layers, 1):
        shape = (layer.rows, layer.columns)
        arrays += [
            Array(f"W{number}", shape, "weights", layer.offset),
            Array(f"G{number}", shape, "gradient", layer.offset),
        ]
        regular = layer.columns - int(layer.bias)
        derivative = derivation[f"2.1ra, k={number}"]
        statements += _sums(derivation[f"2.1p, k={number}"], arrays)
        target = _element(derivative.statement.lhs)
        i, j = target.indices
        value = _elements(with_numbers(derivative.statement.rhs))
        loops = (Loop(i, layer.rows), Loop(j, regular))
        statements.append(Map(target, loops, value, _origin(derivative)))
    total = derivation["2.1rf"]
    arrays.append(Array("cost", (), "argument"))
    statements.append(Map(Access("cost"), (), _elements(with_numbers(total.statement.rhs)), _origin(total)))
    return Kernel("penalty", tuple(arrays), tuple(statements))


def _sums(step: Step, arrays: list[Array]) -> Iterator[Statement]:
    """Yield the statements of a layer's penalty; every sum over weights becomes a reduction."""
    target = _element(step.statement.lhs)
    arrays.append(Array(target.array, (), "local"))
    value = _elements(with_numbers(step.statement.rhs))
    if isinstance(value, Sum):
        yield _reduction(value, target, _origin(step))
        return
    for n, total in enumerate(sorted(value.atoms(Sum), key=sympy.default_sort_key)):
        part = Access(f"{target.array}_sum{n}")
        arrays.append(Array(part.array, (), "local"))
        yield _reduction(total, part, _origin(step))
        value = value.xreplace({total: part})
    yield Map(target, (), value, _origin(step))


def _reduction(total: Sum, target: Access, origin: Origin) -> Reduce:
    if total.function.has(Sum) or any(low != 1 or not high.is_Integer for _, low, high in total.limits):
        raise PlanError(f"{origin.label}: {total} is no sum over weights")
    over = tuple(Loop(index, int(high)) for index, _, high in reversed(total.limits))
    return Reduce(target, (), over, total.function, "sum", None, False, origin)


_NAMES = {"w": "W{}", "R": "R{}", "J": "cost", "Jr": "cost"}


def _elements(expr: Expr) -> Expr:
    # Derivatives first: the nodes inside them are no array elements.
    whole = expr.xreplace({e: _element(e) for e in expr.atoms(Partial)})
    return whole.xreplace({e: _element(e) for e in whole.atoms(Node)})


def _element(expr: Any) -> Access:
    """Return the array element of a weight, of its derivative, of a layer's penalty or of the cost."""
    if isinstance(expr, Partial):
        return Access(f"G{expr.wrt.layer}", *_from_zero(expr.wrt.indices))
    if expr.kind not in _NAMES:
        raise PlanError(f"{expr} does not belong to a penalty")
    return Access(_NAMES[expr.kind].format(expr.layer), *_from_zero(expr.indices))


def _from_zero(indices: Any) -> list[Any]:
    return [x - 1 if x.is_Integer else x for x in indices]


# Update -----------------------------------------------------------------------------------


class _Update:
    """Lowers 2.2 and, where gradients are clipped, 2.2c."""

    def __init__(self, derivation: Derivation, n_params: int) -> None:
        self.derivation = derivation
        self.rule = derivation.training.rule
        self.loop = Loop(t, n_params)
        self.names = _code_names([name for name, _ in self.rule.read()])
        self.arrays = [Array("w", (n_params,), "flat"), Array("gradient", (n_params,), "flat")]
        self.arrays += [Array(self.names[state], (n_params,), "state") for state in self.rule.states]

    def kernel(self) -> Kernel:
        statements: list[Statement] = []
        steps = [self.derivation[label] for label in labels(self.rule)]
        if "2.2c.3" in self.derivation:
            statements += self._clipping()
            steps.insert(0, self.derivation["2.2c.3"])
        parts = tuple(self._assignment(step) for step in steps)
        statements.append(parts[0] if len(parts) == 1 else Sweep((self.loop,), parts))
        return Kernel("update", tuple(self.arrays), tuple(statements))

    def _assignment(self, step: Step) -> Map:
        left = step.statement.lhs
        if isinstance(left, PerWeight) and left.role == "own":
            self.arrays.append(Array(self._name(left), (), "local"))
        value = self._elements(with_numbers(step.statement.rhs))
        return Map(self._element(left), (self.loop,), value, _origin(step))

    def _elements(self, expr: Expr) -> Expr:
        # Derivatives first: the nodes inside them are no array elements.
        whole = expr.xreplace({e: self._element(e) for e in expr.atoms(Partial)})
        whole = whole.xreplace({e: self._element(e) for e in whole.atoms(Node, PerWeight)})
        return whole.xreplace({clip_factor: Access("clip_factor")})

    def _element(self, quantity: Any) -> Access:
        if isinstance(quantity, PerWeight):
            name = self._name(quantity)
            return Access(name) if quantity.role == "own" else Access(name, t)
        if isinstance(quantity, Partial):
            return Access("gradient", t)
        if quantity.kind not in ("w", "w_new"):
            raise PlanError(f"2.2: {quantity} is neither the weight nor a quantity of the update rule")
        return Access("w", t)

    def _name(self, quantity: PerWeight) -> str:
        return self.names.get(quantity.quantity, quantity.quantity)

    def _clipping(self) -> Iterator[Statement]:
        """The norm of the gradient and the factor, in double precision until the loop needs them."""
        norm, factor = self.derivation["2.2c.1"], self.derivation["2.2c.2"]
        value = norm.statement.rhs
        squares, target = Access("squares"), Access("gradient_norm")
        self.arrays += [
            Array("squares", (), "scalar"),
            Array("gradient_norm", (), "scalar"),
            Array("clip_factor", (), "factor"),
        ]
        for total in value.atoms(Sum):
            if tuple(total.limits) != _EVERY_WEIGHT:
                raise PlanError(f"{norm.label}: {total} does not run over all weights")
            summand = with_numbers(self._elements(total.function))
            yield Reduce(squares, (), (self.loop,), summand, "sum", None, False, _origin(norm))
            value = value.xreplace({total: squares})
        yield Map(target, (), with_numbers(value), _origin(norm))
        written = with_numbers(factor.statement.rhs).xreplace({gradient_norm: target})
        yield Map(Access("clip_factor"), (), written, _origin(factor))


_EVERY_WEIGHT = tuple(sympy.Tuple(*x) for x in ((s, 1, Inputs(l)), (r, 1, Width(l)), (l, 1, L + 1)))


def _code_names(names: list[str]) -> dict[str, str]:
    """Return a name in the emitted code for every name of a rule."""
    found: dict[str, str] = {}
    for name in names:
        code = name
        while code != "w" and (code in _TAKEN or code in found.values()):
            code += "_"
        while code.startswith(_TAKEN_BEGINNINGS):
            code = f"own_{code}"
        found[name] = code
    return found


def symbols_of(kernel: Kernel) -> set[str]:
    """Return the names of the plain symbols that a kernel's values hold: its arguments."""
    values = sympy.Tuple(*(statement.value for statement in kernel.statements))
    indices = {loop.index for statement in kernel.statements for loop in _loops(statement)}
    return {x.name for x in values.free_symbols if isinstance(x, Symbol) and x not in indices}


def _loops(statement: Statement) -> tuple[Loop, ...]:
    return (*statement.loops, *statement.over) if isinstance(statement, Reduce) else statement.loops

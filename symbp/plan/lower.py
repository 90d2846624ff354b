"""Derivation -> Program: equations become loop nests over arrays.

The lowering starts from what a kernel is for and follows the equations backwards: the
equation of a quantity names other quantities, whose equations come first. Sums become
reductions, everything else becomes maps. No order of computation and no formula is
written here.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, KroneckerDelta, Mul, Sum

from symbp.algebra import rules
from symbp.algebra.nodes import L, MaxOver, Node, Partial, p
from symbp.algebra.rewriting import rewritten
from symbp.derivation.records import Derivation
from symbp.errors import PlanError
from symbp.plan.equations import Equations, Quantity, quantity
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Kernel,
    Layer,
    Loop,
    Map,
    Operation,
    Origin,
    Program,
    Reduce,
    Statement,
)
from symbp.plan.training import training_kernels

_PARAMETERS = {"w": "weights", "dJ/dw": "gradient", "dh/dw": "result"}
# What has a row for every sample also in a kernel that holds one sample at a time.
_OF_ALL_SAMPLES = ("y", "v", "h", "o", "c", "dh/dw", "dh/do")


def lower(derivation: Derivation) -> Program:
    """Lower the equations of one network.

    Parameters
    ----------
    derivation : Derivation
        Of a network.

    Returns
    -------
    Program
        Unscheduled.

    Raises
    ------
    PlanError
        If an equation has a form that the program's language cannot express.
    """
    equations = Equations(derivation)
    network = equations.network
    layers = _layers(equations)
    every = range(1, len(layers) + 1)
    forward = _Lowering(equations, layers).kernel("forward", [("h", len(layers))])
    given = _names(forward)
    recursion = [("delta", k) for k in reversed(every)]
    sensitivities = _Lowering(equations, layers, given).kernel("sensitivities", recursion)
    backward = [("J", len(layers)), *(("dJ/dw", k) for k in reversed(every))]
    after = given | _names(sensitivities)
    gradient = _Lowering(equations, layers, after).kernel("gradient", backward)
    by_inputs = _Lowering(equations, layers, after).kernel("input_gradient", [("dJ/do", 0)])
    chain = _Lowering(equations, layers, given, per_sample=True)
    jacobian = chain.kernel("jacobian", [("dh/dw", k) for k in reversed(every)])
    chain = _Lowering(equations, layers, given, per_sample=True)
    input_jacobian = chain.kernel("input_jacobian", [("dh/do", 0)])
    kernels = (forward, sensitivities, gradient, jacobian, by_inputs, input_jacobian)
    return Program(network.name, layers, (*kernels, *training_kernels(derivation, layers)))


def _names(kernel: Kernel) -> set[str]:
    return {array.name for array in kernel.arrays}


def _layers(equations: Equations) -> tuple[Layer, ...]:
    network, layers, offset = equations.network, [], 0
    for number, (rows, columns) in enumerate(network.shapes, 1):
        layer = network.layer(number)
        layers.append(Layer(rows, columns, offset, layer.bias, layer.activation.initialisation))
        offset += rows * columns
    return tuple(layers)


class _Lowering:
    """Lowers the equations of one kernel.

    Parameters
    ----------
    equations : Equations
    layers : tuple of Layer
    given : set of str
        Names of arrays that an earlier kernel has filled.
    per_sample : bool
        All statements run inside one loop over the samples, and arrays of this kernel hold
        one sample.
    """

    def __init__(
        self,
        equations: Equations,
        layers: tuple[Layer, ...],
        given: set[str] | None = None,
        per_sample: bool = False,
    ) -> None:
        self.equations = equations
        self.layers = layers
        self.given = given or set()
        self.per_sample = per_sample
        self.arrays: dict[str, Array] = {}
        self.statements: list[Statement] = []
        self._done: set[Quantity] = set()
        self._reduced: dict[Expr, Access] = {}

    def kernel(self, name: str, wanted: list[Quantity]) -> Kernel:
        for target in wanted:
            self.compute(target)
        loop = Loop(p, ROWS) if self.per_sample else None
        return Kernel(name, tuple(self.arrays.values()), tuple(self.statements), loop)

    # From quantities to statements -------------------------------------------------------

    def compute(self, wanted: Quantity) -> None:
        """Append the statements that compute a quantity, after those of all it needs."""
        if wanted in self._done:
            return
        self._done.add(wanted)
        steps = self.equations.of(wanted)
        if not steps or self._name(wanted) in self.given:
            return
        for step in steps:
            statement, parameters = self.equations.with_numbers(step)
            needed = _quantities(statement.rhs)
            for other in sorted(needed):
                self.compute(other)
            put_in = tuple(Origin(other.label, other.statement) for other in parameters)
            self.equation(statement, Origin(step.label, step.statement, put_in))

    def equation(self, statement: Any, origin: Origin) -> None:
        """Append the statements of one equation, for every sample where it belongs to one."""
        left, right = (rules.at_sample(side, p) for side in statement.args)
        target, loops = self._target(left)
        value = self._accesses(right)
        summed = self._summed_rest(value)
        if summed is not None:
            self._append(self._reduction(summed, target, loops, None, origin, "rest"))
            return
        total = self._outer_sum(value)
        if total is None:
            self._append(Map(target, loops, self._without_reductions(value, target, loops, origin), origin))
            return
        found, factor, rest = total
        own = {loop.index for loop in loops} | set(target.indices)
        is_sum = isinstance(found, Sum)
        if rest is not None and factor is None and is_sum and not _has_sum(rest):
            self._append(self._reduction(found, target, loops, rest, origin))
        elif rest is None and factor is None:
            self._append(self._reduction(found, target, loops, None, origin))
        elif rest is None and factor is not None and self._free(found) == own and not _has_sum(factor):
            # One sum times a factor: the sum goes into the target, which is then scaled.
            self._append(self._reduction(found, target, loops, None, origin))
            self._append(Map(target, loops, factor * target, origin))
        else:
            self._append(Map(target, loops, self._without_reductions(value, target, loops, origin), origin))

    def _summed_rest(self, value: Expr) -> Sum | None:
        """Return the sum of sum - max of the same exponentials, which is one reduction; else None."""
        sums, largest = value.atoms(Sum), value.atoms(MaxOver)
        if len(sums) != 1 or len(largest) != 1:
            return None
        (total,), (over,) = sums, largest
        same = (total.function, total.limits) == (over.function, over.limits)
        names = {self._name(wanted) for wanted in self._done if self.equations.is_exponential(wanted)}
        exponential = isinstance(total.function, Access) and total.function.array in names
        return total if same and exponential and value == total - over else None

    @staticmethod
    def _outer_sum(value: Expr) -> tuple[Any, Expr | None, Expr | None] | None:
        """Split sum, factor * sum or sum + rest; None where there is none or more than one."""
        terms = sympy.Add.make_args(value)
        with_sum = [term for term in terms if term.atoms(Sum, MaxOver)]
        if len(with_sum) != 1:
            return None
        factors = Mul.make_args(with_sum[0])
        sums = [f for f in factors if isinstance(f, (Sum, MaxOver))]
        others = [f for f in factors if f not in sums]
        if len(sums) != 1:
            return None
        rest = sympy.Add(*(term for term in terms if term != with_sum[0])) if len(terms) > 1 else None
        return sums[0], Mul(*others) if others else None, rest

    def _reduction(
        self,
        total: Any,
        target: Access,
        loops: tuple[Loop, ...],
        initial: Expr | None,
        origin: Origin,
        operation: Operation | None = None,
    ) -> Reduce:
        over, renamed = [], total.function
        for symbol, low, high in total.limits:
            if low != 1:
                raise PlanError(f"{origin.label}: the sum over {symbol} starts at {low}, not at 1")
            over.append(Loop(symbol, ROWS if symbol == p else int(high)))
        value = self._without_reductions(renamed, target, (*loops, *over), origin)
        # Sums over samples go on in the next call; what else is summed belongs to this one.
        continues = target.array == "cost" or self.arrays[target.array].role == "gradient"
        accumulate = continues and any(loop.extent == ROWS for loop in over)
        if accumulate and initial is not None:
            raise PlanError(f"{origin.label}: a sum over samples cannot start at {initial}")
        operation = operation or ("max" if isinstance(total, MaxOver) else "sum")
        return Reduce(target, loops, tuple(over), value, operation, initial, accumulate, origin)

    def _without_reductions(
        self, value: Expr, target: Access, loops: tuple[Loop, ...], origin: Origin
    ) -> Expr:
        """Give every sum inside a value an array of its own."""
        # The outermost first: a sum inside a sum may use the index that the outer one binds.
        reductions = sorted(
            value.atoms(Sum, MaxOver), key=lambda e: (-e.count_ops(), sympy.default_sort_key(e))
        )
        for total in reductions:
            if not value.has(total):
                continue
            if total in self._reduced:  # another equation of this kernel has computed it
                value = value.xreplace({total: self._reduced[total]})
                continue
            free = self._free(total)
            own = tuple(loop for loop in loops if loop.index in free)
            base = f"{target.array}_{'sum' if isinstance(total, Sum) else 'max'}"
            name = next(n for n in (base, *(f"{base}{x}" for x in range(2, 100))) if n not in self.arrays)
            axes = tuple(loop.extent for loop in own)
            self.arrays[name] = Array(name, axes, "work" if axes else "local")
            access = Access(name, *(loop.index for loop in own))
            self._append(self._reduction(total, access, own, None, origin))
            self._reduced[total] = access
            value = value.xreplace({total: access})
        return value

    def _free(self, total: Any) -> set[Any]:
        bound = {limit[0] for limit in total.limits}
        places = [x for a in total.function.atoms(Access) for x in a.indices]
        places += [x for e in total.function.atoms(KroneckerDelta) for x in e.args[:2]]
        return {x for x in places if not x.is_Integer} - bound

    def _append(self, statement: Statement) -> None:
        self.statements.append(statement)

    # From nodes to array elements --------------------------------------------------------

    def _accesses(self, expr: Expr) -> Expr:
        counted = rewritten(
            expr, {KroneckerDelta: lambda e: e.func(*(x - 1 if x.is_Integer else x for x in e.args))}
        )
        # Derivatives as a whole: the nodes in them are no quantities of their own here.
        derivatives = sorted(counted.atoms(Partial), key=sympy.default_sort_key)
        counted = counted.xreplace({e: self._element(e)[0] for e in derivatives})
        return rewritten(counted, {Node: lambda e: self._element(e)[0]})

    def _target(self, left: Any) -> tuple[Access, tuple[Loop, ...]]:
        access, extents = self._element(left)
        loops = tuple(
            Loop(index, extent)
            for index, extent in zip(access.indices, extents, strict=True)
            if not index.is_Integer and not (self.per_sample and index == p)
        )
        return access, self._in_range(left, loops)

    def _in_range(self, left: Any, loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
        """Regular weights only: the bias column has an equation of its own (D.6b, 2.17b)."""
        if not isinstance(left, Partial) or left.wrt.kind != "w":
            return loops
        layer = self.layers[int(left.wrt.layer) - 1]
        column = left.wrt.indices[1]
        regular = layer.columns - int(layer.bias)
        return tuple(Loop(x.index, regular) if x.index == column else x for x in loops)

    def _element(self, expr: Any) -> tuple[Access, tuple[Any, ...]]:
        kind, layer = wanted = quantity(expr)
        name = self._name(wanted)
        axes, indices = self._axes(expr)
        if name not in self.arrays:
            self.arrays[name] = self._declare(name, kind, layer, axes)
        return Access(name, *indices), axes

    def _declare(self, name: str, kind: str, layer: int, axes: tuple[Any, ...]) -> Array:
        if kind in _PARAMETERS:
            role: Any = _PARAMETERS[kind]
            return Array(name, axes, role, self.layers[layer - 1].offset)
        if kind.endswith("/do"):
            return Array(name, axes, "by_sample")
        if kind in ("y", "v") or (kind, layer) == ("o", 0):
            return Array(name, axes, "data")
        return Array(name, axes, "local" if kind == "J" else "work")

    def _axes(self, expr: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the extents of the axes and the indices, counted from 0."""
        widths = self.equations.network.sizes
        biases = self.equations.network.biases
        nodes = [expr] if isinstance(expr, Node) else [expr.of, expr.wrt]
        samples = [node.sample for node in nodes if node.sample is not None]
        rows = bool(samples) and not (self.per_sample and self._is_private(expr))
        extents: list[Any] = [ROWS] if rows else []
        indices: list[Any] = samples[:1] if rows else []
        for node in nodes:
            sized = rules.sizes(sympy.Tuple(*node.extents).subs(L, len(widths) - 2), widths, biases)
            extents += [int(extent) for extent in sized]
            indices += [x - 1 if x.is_Integer else x for x in node.indices]
        return tuple(extents), tuple(indices)

    def _is_private(self, expr: Any) -> bool:
        """Whether the array holds one sample: everything that this kernel itself computes."""
        kind, layer = quantity(expr)
        return self._name((kind, layer)) not in self.given and kind not in _OF_ALL_SAMPLES

    def _name(self, wanted: Quantity) -> str:
        kind, layer = wanted
        if wanted == ("o", 0):
            return "X"
        return _NAMES[kind].format(layer)


def _quantities(expr: Expr) -> set[Quantity]:
    """Return what an expression is computed from; a derivative is one quantity."""
    partials = expr.atoms(Partial)
    rest = expr.xreplace(dict.fromkeys(partials, sympy.S.One))
    return {quantity(e) for e in (*partials, *rest.atoms(Node))}


def _has_sum(expr: Expr) -> bool:
    return bool(expr.atoms(Sum, MaxOver))


_NAMES = {
    "w": "W{}",
    "c": "C{}",
    "o": "O{}",
    "h": "H",
    "y": "Y",
    "v": "V",
    "J": "cost",
    "mu": "MU",
    "e": "E",
    "rest": "ZETA",
    "lse": "LSE",
    "delta": "D{}",
    "S": "S{}",
    "T": "T{}",
    "dJ/dw": "G{}",
    "dh/dw": "B{}",
    "dh/dc": "R{}",
    "dh/do": "input_jacobian",
    "dJ/do": "input_gradient",
}

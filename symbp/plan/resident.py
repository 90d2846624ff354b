"""A pass: steps of one sample, with all weights in registers from the first sample to the last.

A step of one sample is a chain of few operations, each of which waits for the one before: what it
takes is the time until a number that was written can be read again. Weights that stay in registers
are never written. Nothing goes from lane to lane but in sums, either, where rows of neurons and rows
of inputs take turns::

    c = sum over s of x_s * row V[s]         x_s in all lanes of a register, c along one
    d_s = sum over the lanes of V[s] * d     the way back: along one, and in all lanes

The last layer's outputs are numbers in all lanes, so that softmax, cost and delta go between registers,
and before it layers are of either kind in turn. The statements are those of the other kernels for
their one sample; which kind an array is, is seen from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Mul

from symbp.algebra.nodes import t as every_weight
from symbp.plan.fusing import is_vectorisable, vector_functions
from symbp.plan.needed import names_read, needed
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Kernel,
    Layer,
    Loop,
    Map,
    Program,
    Reduce,
    Statement,
    Sweep,
)
from symbp.plan.reciprocal import divide_early
from symbp.plan.step import each_sum_once, is_fused
from symbp.plan.tiles import RESIDENT, Schedule

# Times the registers of the machine that weights may take: what does not fit is kept on the stack,
# and still gains.
TIMES = 2


@dataclass(frozen=True)
class Rows:
    """Weights of one layer as they stand in registers, or what the update rule keeps for them.

    Attributes
    ----------
    name : str
        Of their array in the kernel.
    vector : str
        The flat vector that they come from: ``w``, or the name of a state.
    first, count, step : int
        Where row 0 begins in the flat vector, how many rows there are, and how far apart.
    size, stride : int
        Numbers of a row, and how far apart.
    """

    name: str
    vector: str
    first: int
    count: int
    step: int
    size: int
    stride: int

    def registers(self, lanes: int) -> int:
        """Return how many registers they take."""
        return self.count * -(-self.size // lanes)


def rows_of(number: int, last: int, layer: Layer, vector: str = "w") -> tuple[Rows, ...]:
    """Return the weights of a layer as rows: of its neurons, or of its inputs, and the bias.

    Parameters
    ----------
    number, last : int
        Of the layer, and of the last one, whose rows are its neurons.
    layer : Layer
    vector : str
        ``w``, or the name of a state.
    """
    regular, suffix = layer.columns - int(layer.bias), "" if vector == "w" else f"_{vector}"
    first, columns, units = layer.offset, layer.columns, layer.rows
    if is_upright(number, last):
        found = [Rows(f"W{number}{suffix}", vector, first, units, columns, regular, 1)]
        bias = Rows(f"BIAS{number}{suffix}", vector, first + regular, units, columns, 1, 1)
    else:
        found = [Rows(f"V{number}{suffix}", vector, first, regular, 1, units, columns)]
        bias = Rows(f"BIAS{number}{suffix}", vector, first + regular, 1, 1, units, columns)
    return (*found, *([bias] if layer.bias else []))


def is_upright(number: int, last: int) -> bool:
    """Whether rows of a layer's weights are its neurons."""
    return (last - number) % 2 == 0


def resident_rows(program: Program) -> tuple[Rows, ...]:
    """Return all that stands in registers: weights, and what the update rule keeps for each."""
    states = [array.name for array in program.kernel("update").arrays if array.role == "state"]
    last = len(program.layers)
    return tuple(
        row
        for number, layer in enumerate(program.layers, 1)
        for vector in ("w", *states)
        for row in rows_of(number, last, layer, vector)
    )


def keep_weights(program: Program, schedule: Schedule) -> Program:
    """Add the kernel of a step of one sample, where steps have one and registers suffice."""
    if schedule.batch_size != 1 or not is_fused(program):
        return program
    needed = sum(row.registers(schedule.lanes) for row in resident_rows(program))
    if needed > TIMES * schedule.target.registers:
        return program
    kernel = _Resident(program).kernel()
    functions = vector_functions(schedule)
    if not all(is_vectorisable(s.value, functions) for s in kernel.statements):
        return program
    return program if spread_arrays(kernel) is None else replace(program, kernels=(*program.kernels, kernel))


class _Resident:
    """Statements of the step with the weights of one sample where registers hold them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.last = len(program.layers)
        self.arrays: dict[str, Array] = {}

    def kernel(self) -> Kernel:
        parts = [self.program.kernel(name) for name in ("forward", "sensitivities", "gradient")]
        every = {array.name: array for kernel in parts for array in kernel.arrays}
        step = Kernel(RESIDENT, tuple(every.values()), tuple(s for k in parts for s in k.statements))
        gradients = [s for s in step.statements if step.array(s.target.array).role == "gradient"]
        after = {name for gradient in gradients for name in names_read(gradient)}
        measured = needed(each_sum_once([s for s in step.statements if s not in gradients]), {*after, "cost"})
        statements = [part for s in measured for part in divide_early(self._of_one(s, step))]
        self.arrays |= {
            s.target.array: Array(s.target.array, (), "local")
            for s in statements
            if s.target.array not in self.arrays
        }
        # The penalty's share of the gradient is added where the gradient is, its share of the cost here.
        self.penalties = self._penalties()
        statements += [s for s in self.penalties if s.target.array not in _names_of(gradients)]
        for gradient in gradients:
            statements += self._descent(gradient)
        used = {access.array for s in statements for access in s.accesses()}
        return Kernel(RESIDENT, tuple(a for a in self.arrays.values() if a.name in used), tuple(statements))

    def _penalties(self) -> list[Map | Reduce]:
        """The statements of the penalty: its sums and the cost read the weights where they stand."""
        statements: list[Map | Reduce] = []
        for kernel in (k for k in self.program.kernels if k.name == "penalty"):
            for statement in kernel.statements:
                assert isinstance(statement, (Map, Reduce))
                if kernel.array(statement.target.array).role == "gradient":
                    statements.append(statement)  # of the weights of one layer, as its gradient is
                    continue
                for access in sorted(statement.accesses(), key=str):
                    array = kernel.array(access.array)
                    if array.role != "weights" and array.name not in self.arrays:
                        self.arrays[array.name] = replace(array, role="local")
                own = {a: self._weight(a) for a in _elements(statement.value) if len(a.indices) == 2}
                statements.append(replace(statement, value=statement.value.xreplace(own)))
        return statements

    def _of_one(self, statement: Statement, kernel: Kernel) -> Map | Reduce:
        """A statement without its loop over samples."""
        assert isinstance(statement, (Map, Reduce))
        loops = _without(statement.loops)
        changes: dict[str, Any] = {
            "target": self._kept(statement.target, kernel),
            "loops": loops,
            "value": self._kept(statement.value, kernel),
        }
        if isinstance(statement, Map):
            return replace(statement, **changes)
        over = _without(statement.over)
        if not over:
            assert statement.initial is None
            return Map(changes["target"], loops, changes["value"], statement.origin)
        if statement.initial is not None:
            changes["initial"] = self._kept(statement.initial, kernel)
        return replace(statement, over=over, accumulate=False, **changes)

    def _kept(self, value: Any, kernel: Kernel) -> Any:
        """Read every array where it stands: without samples, and weights in their rows."""
        for access in sorted(value.atoms(Access), key=str):
            array = kernel.array(access.array)
            if array.role == "weights":
                value = value.xreplace({access: self._weight(access)})
                continue
            axes = tuple(axis for axis in array.axes if axis != ROWS)
            role: Any = array.role if array.role in ("data", "argument") else "local"
            self.arrays[array.name] = Array(array.name, axes, role)
            indices = access.indices[len(array.axes) - len(axes) :]
            value = value.xreplace({access: Access(array.name, *indices)})
        return value

    def _weight(self, access: Access, vector: str = "w") -> Access:
        """A weight W_k[i, j], or the state of one, in its row."""
        number = int(access.array[1:])
        i, j = access.indices
        regular, *bias = rows_of(number, self.last, self.program.layers[number - 1], vector)
        if j.is_Integer and bias:
            units = self.program.layers[number - 1].rows
            self.arrays[bias[0].name] = Array(bias[0].name, (units,), "argument")
            return Access(bias[0].name, i)
        self.arrays[regular.name] = Array(regular.name, (regular.count, regular.size), "argument")
        return Access(regular.name, *((i, j) if is_upright(number, self.last) else (j, i)))

    def _descent(self, gradient: Statement) -> Iterator[Map]:
        """One gradient, and what the update rule makes of its weights."""
        kernel = self.program.kernel("gradient")
        if kernel.array(gradient.target.array).role != "gradient":
            return
        assert isinstance(gradient, Reduce)
        weight = self._weight(Access(f"W{gradient.target.array[1:]}", *gradient.target.indices))
        target = Access(f"G{weight.array}", *weight.indices)
        self.arrays[target.array] = replace(self.arrays[weight.array], name=target.array, role="local")
        extents = {loop.index: loop for loop in gradient.loops}
        loops = tuple(extents[index] for index in target.indices)
        yield Map(target, loops, self._kept(gradient.value, kernel), gradient.origin)
        for penalty in self.penalties:
            added = _with_indices(penalty, gradient)
            if added is not None:
                own = {a: target if a == gradient.target else self._weight(a) for a in _elements(added.value)}
                yield Map(target, loops, added.value.xreplace(own), added.origin)
        update = self.program.kernel("update")
        (found,) = (s for s in update.statements if s.loops)
        assert isinstance(found, (Map, Sweep))
        for part in found.parts if isinstance(found, Sweep) else (found,):
            places: dict[Any, Any] = {}
            for access in sorted(part.accesses(), key=str):
                array = update.array(access.array)
                if array.name == "gradient":
                    places[access] = target
                elif array.role in ("flat", "state"):
                    vector = "w" if array.role == "flat" else array.name
                    own = Access(f"W{gradient.target.array[1:]}", *gradient.target.indices)
                    places[access] = self._weight(own, vector)
                elif array.role == "factor":
                    self.arrays[array.name] = replace(array, role="argument")
                else:  # a number of one weight only
                    name = f"{array.name}_{weight.array}"
                    self.arrays[name] = replace(self.arrays[target.array], name=name)
                    places[access] = Access(name, *target.indices)
            value = part.value.xreplace(places)
            assert not value.has(every_weight)
            yield Map(part.target.xreplace(places), loops, value, part.origin)


def _names_of(statements: list[Statement]) -> set[str]:
    return {statement.target.array for statement in statements}


def _elements(value: Any) -> list[Access]:
    """Return the elements of matrices in a value, in the order of their names."""
    return sorted((a for a in value.atoms(Access) if len(a.indices) == 2), key=str)


def _with_indices(penalty: Map | Reduce, gradient: Reduce) -> Map | None:
    """Return what a penalty adds to a gradient, with its indices; None if it is of other weights."""
    if not isinstance(penalty, Map) or len(penalty.loops) != len(gradient.loops):
        return None
    if penalty.target.array != gradient.target.array:
        return None
    same = {old.index: new.index for old, new in zip(penalty.loops, gradient.loops, strict=True)}
    target = penalty.target.xreplace(same)
    return (
        replace(penalty, target=target, value=penalty.value.xreplace(same))
        if target == gradient.target
        else None
    )


def _without(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
    return tuple(loop for loop in loops if loop.extent != ROWS)


# Which kind an array is ----------------------------------------------------------------------


def spread_arrays(kernel: Kernel) -> frozenset[str] | None:
    """Return the arrays of which each number stands in all lanes of a register; None where they contradict.

    The other arrays with one index lie along registers.
    """
    kinds: dict[str, bool] = {}
    same: list[set[str]] = []
    for statement in kernel.statements:
        facts, alike = _kinds(statement)
        if facts is None:
            return None
        same += alike
        for name, spread in facts.items():
            if kinds.setdefault(name, spread) != spread:
                return None
    for _ in kernel.arrays:  # what is known of one goes on to those like it
        for group in same:
            known = {kinds[name] for name in group if name in kinds}
            if len(known) > 1:
                return None
            kinds.update({name: spread for name in group for spread in known})
    vectors = {array.name for array in kernel.arrays if len(array.axes) == 1}
    if not vectors <= set(kinds):
        return None
    return frozenset(name for name, spread in kinds.items() if spread)


def _kinds(statement: Statement) -> tuple[dict[str, bool] | None, list[set[str]]]:
    """Return what a statement wants of arrays, and which are alike; None if it is of no such form."""
    assert isinstance(statement, (Map, Reduce))
    vectors = {a.array for a in statement.accesses() if len(a.indices) == 1}
    if isinstance(statement, Map):
        pair = outer_factors(statement)
        if pair is not None:
            return {pair[0].array: True, pair[1].array: False}, []
        reads = {a.indices for a in statement.value.atoms(Access)}
        whole = reads <= {(), statement.target.indices} and statement.target.indices in reads
        return ({} if whole or not statement.target.indices else None), [vectors]
    if not statement.loops:  # between registers
        if whole_of(statement) is not None:
            return {}, []
        one = statement.initial is None and len(statement.over) == 1
        return (dict.fromkeys(vectors, True) if one else None), []
    product = product_of(statement)
    if product is None:
        return None, []
    matrix, vector = product
    spread = matrix.indices[-1] == statement.over[0].index  # summed over the lanes
    initial = statement.initial.atoms(Access) if statement.initial is not None else set()
    others = {statement.target.array, *(a.array for a in initial if a.indices)}
    return {**dict.fromkeys(others, spread), vector.array: not spread}, []


def whole_of(statement: Reduce) -> Access | None:
    """Return the matrix of a sum over all its numbers."""
    matrices = {a for a in statement.value.atoms(Access) if a.indices}
    if statement.loops or statement.operation != "sum" or len(statement.over) != 2 or len(matrices) != 1:
        return None
    (matrix,) = matrices
    over = {loop.index for loop in statement.over}
    return matrix if statement.initial is None and set(matrix.indices) == over else None


def outer_factors(statement: Map) -> tuple[Access, Access] | None:
    """Return a and b of target[i, j] = a[i] * b[j]."""
    factors = Mul.make_args(statement.value)
    if len(statement.target.indices) != 2 or len(factors) != 2:
        return None
    by_index = {f.indices: f for f in factors if isinstance(f, Access)}
    i, j = statement.target.indices
    found = by_index.get((i,)), by_index.get((j,))
    return found if None not in found else None  # type: ignore[return-value]


def product_of(statement: Reduce) -> tuple[Access, Access] | None:
    """Return the matrix and the vector of a sum of products, of rows or along them."""
    factors = Mul.make_args(statement.value)
    if statement.operation != "sum" or len(statement.over) != 1 or len(statement.loops) != 1:
        return None
    if len(factors) != 2 or not all(isinstance(f, Access) for f in factors):
        return None
    vector, matrix = sorted(factors, key=lambda f: len(f.indices))
    over, target = statement.over[0].index, statement.loops[0].index
    fits = vector.indices == (over,) and set(matrix.indices) == {over, target}
    return (matrix, vector) if fits and statement.target.indices == (target,) else None

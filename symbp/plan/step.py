"""A pass: one step of training on a layout of its own, the update applied to sums in registers.

The same statements as in the other kernels, on weights that are kept for a whole epoch as
:mod:`symbp.plan.held` says: with neurons side by side as V_k, or inputs as W_k::

    factors    numbers of the update that all weights share
    pack       weights and the states of the update rule from the flat vectors
    lay        V_k for the way forward, where W_k is what is kept
    measure    forward pass, cost, sensitivities of the outputs
    penalise   the penalty, added to the cost
    turn       W_k for the way back, where V_k is what is kept
    back       sensitivities of the other layers
    descend    every gradient, and with each element of it at once: penalty, update rule
    unpack     the flat vectors from weights and states

Each is divided among threads in one way: measure and back by samples, pack, lay, turn, descend
and unpack by weights. No gradient is stored. Where the update needs the whole gradient first
(clipping by its norm), or calls a function that vector registers do not have, the step stays as
it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import lcm
from typing import Any

import sympy

from symbp.algebra.nodes import t as every_weight
from symbp.plan.fusing import is_vectorisable, vector_functions
from symbp.plan.held import Held
from symbp.plan.needed import names_read, needed
from symbp.plan.operations import of_kernel, total
from symbp.plan.program import (
    ROWS,
    Abreast,
    Access,
    Array,
    Fused,
    Kernel,
    Loop,
    Map,
    Origin,
    Program,
    Reduce,
    Statement,
    Sweep,
    parts_of,
)
from symbp.plan.tiles import Schedule

STEP = ("pack", "lay", "measure", "penalise", "turn", "back", "descend", "unpack")
# What threads divide among them: the samples of a batch, or the weights.
BY_SAMPLES = ("measure", "back")
BY_WEIGHTS = ("pack", "lay", "turn", "descend", "unpack")
# Multiply-adds of a step that a thread must have, so that waiting for the others pays.
WORTHWHILE = 150_000


def fuse_step(program: Program, schedule: Schedule) -> Program:
    """Add the kernels of the fused step, where the update allows it."""
    if not _is_fusible(program, vector_functions(schedule)):
        return program
    return replace(program, kernels=(*program.kernels, *_Step(program, schedule).kernels()))


def is_fused(program: Program) -> bool:
    """Whether training takes fused steps."""
    return any(kernel.name == "descend" for kernel in program.kernels)


def _is_fusible(program: Program, functions: frozenset[str]) -> bool:
    update, gradient = program.kernel("update"), program.kernel("gradient")
    sums = [s for s in update.statements if isinstance(s, Reduce)]  # the norm of the gradient
    each = [s for s in update.statements if s.loops]
    products = [s for s in gradient.statements if gradient.array(s.target.array).role == "gradient"]
    penalties = [s for k in program.kernels if k.name == "penalty" for s in k.statements]
    return (
        not sums
        and len(each) == 1
        and is_vectorisable(each[0].value, functions)
        and all(is_vectorisable(s.value, functions) for s in penalties if isinstance(s, Map) and s.loops)
        and all(isinstance(s, Reduce) and s.accumulate and s.is_contraction for s in products)
    )


class _Step:
    def __init__(self, program: Program, schedule: Schedule) -> None:
        self.program = program
        self.schedule = schedule
        self.update = program.kernel("update")
        self.states = [array.name for array in self.update.arrays if array.role == "state"]

    def kernels(self) -> tuple[Kernel, ...]:
        after = [self.turn(), self.back(), self.descend()]
        wanted = {name for kernel in after for part in kernel.statements for name in names_read(part)}
        made = [
            *self.factors(),
            self.copies("pack"),
            self.lay(),
            self.measure("measure", wanted, "forward", "sensitivities", "gradient"),
            self.measure("penalise", wanted, "penalty"),
            *after,
            self.copies("unpack"),
        ]
        return tuple(kernel for kernel in made if kernel.statements)

    # Arrays ----------------------------------------------------------------------------------

    def held(self, array: str) -> Held:
        """Return how the layer of an array of weights or gradients is kept."""
        number = int(array[1:])
        return Held(number, self.program.layers[number - 1], self.schedule)

    def kept(self, kernel: Kernel, value: Any, arrays: dict[str, Array]) -> Any:
        """Read the weights where they are kept; the forward pass reads V_k always."""
        for access in sorted(value.atoms(Access), key=str):
            if any(a.name == access.array and a.role == "weights" for a in kernel.arrays):
                held = self.held(access.array)
                row, column = access.indices
                if kernel.name == "forward":
                    kept = held.array(f"V{held.number}", upright=False)
                    place = Access(kept.name, column, row)
                else:
                    kept = held.weights(column)
                    place = held.element(kept.name, row, column)
                arrays[kept.name] = kept
                value = value.xreplace({access: place})
        return value

    # Kernels ---------------------------------------------------------------------------------

    def copies(self, name: str) -> Kernel:
        """Flat vectors -> weights and states where a step keeps them, or back."""
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        size = self.program.n_params
        sample = self.program.kernel("gradient")
        for number, layer in enumerate(self.program.layers, 1):
            held = Held(number, layer, self.schedule)
            shape = (layer.rows, layer.columns)
            product = next(s for s in sample.statements if s.target.array == f"G{number}")
            i, j = product.target.indices
            bias = sympy.Integer(held.regular)
            # W_k is the name of what is kept where it is upright.
            flat = [Array(f"{'FLAT' if held.upright else 'W'}{number}", shape, "weights", layer.offset)]
            flat += [
                Array(f"FLAT{number}_{state}", shape, "state", place * size + layer.offset)
                for place, state in enumerate(self.states)
            ]
            if held.upright:
                columns = [(j, held.regular), *([(bias, 1)] if layer.bias else [])]
            else:
                columns = [(j, layer.columns)]
            for column, extent in columns:
                own = [held.weights(column), *(held.state(state, column) for state in self.states)]
                for vector, copy in zip(flat, own, strict=True):
                    arrays |= {vector.name: vector, copy.name: copy}
                    there, here = Access(vector.name, i, column), held.element(copy.name, i, column)
                    pair = (here, there) if name == "pack" else (there, here)
                    loops = (Loop(i, layer.rows), *([Loop(column, extent)] if column == j else []))
                    statements.append(_copy(*pair, loops, product.origin.label))
        return Kernel(name, tuple(arrays.values()), tuple(statements))

    def lay(self) -> Kernel:
        """V_k as the forward pass reads it, from W_k."""
        kernel = self.program.kernel("forward")
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        for statement in kernel.statements:
            for access in sorted(statement.accesses(), key=str):
                if kernel.array(access.array).role == "weights":
                    held, (row, column) = self.held(access.array), access.indices
                    if held.is_upright(column):
                        across = held.array(f"V{held.number}", upright=False)
                        arrays |= {a.name: a for a in (held.weights(column), across)}
                        loops = (Loop(row, held.layer.rows), Loop(column, held.regular))
                        target = Access(across.name, column, row)
                        statements.append(_copy(target, access, loops, statement.origin.label))
        return _kernel("lay", statements, arrays)

    def measure(self, name: str, wanted: set[str], *parts: str) -> Kernel:
        """Everything of some kernels but gradients and the way back: forward pass, cost; or the penalty."""
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        for kernel in (self.program.kernel(part) for part in parts if self._has(part)):
            at_outputs = self._at_outputs() if kernel.name == "sensitivities" else kernel.statements
            for statement in at_outputs:
                if kernel.array(statement.target.array).role != "gradient":
                    statements.append(self._where_kept(statement, kernel, arrays))
        return _kernel(name, needed(each_sum_once(statements), {*wanted, "cost"}), arrays)

    def _at_outputs(self) -> tuple[Statement, ...]:
        """The sensitivities of the last layer: of the outputs alone, beside which they are computed.

        With them whatever the cost reads, which is computed next.
        """
        kernel, last = self.program.kernel("sensitivities"), f"D{len(self.program.layers)}"
        end = max(n for n, s in enumerate(kernel.statements, 1) if s.target.array == last)
        first = kernel.statements[:end]
        reads = {kernel.array(a.array).role for statement in first for a in statement.accesses()}
        taken = () if "weights" in reads else first
        shared = self._shared_with_cost()
        return tuple(s for s in kernel.statements if s in taken or s in shared)

    def _shared_with_cost(self) -> list[Statement]:
        gradient = self.program.kernel("gradient")
        cost = [s for s in gradient.statements if gradient.array(s.target.array).role != "gradient"]
        known = {s.target.array for s in (*self.program.kernel("forward").statements, *cost)}
        read = {a.array for s in cost for a in s.value.atoms(Access)} - known
        return [s for s in self.program.kernel("sensitivities").statements if s.target.array in read]

    def _has(self, name: str) -> bool:
        return any(kernel.name == name for kernel in self.program.kernels)

    def _where_kept(self, statement: Statement, kernel: Kernel, arrays: dict[str, Array]) -> Statement:
        changes: dict[str, Any] = {"value": self.kept(kernel, statement.value, arrays)}
        if isinstance(statement, Reduce):
            if statement.initial is not None:
                changes["initial"] = self.kept(kernel, statement.initial, arrays)
            if not statement.loops and len(statement.over) == 2:
                changes["over"] = _along_rows(statement.over, changes["value"])  # a penalty
        for access in sorted(statement.accesses(), key=str):
            array = kernel.array(access.array)
            if array.role != "weights":
                arrays.setdefault(array.name, array)
        return replace(statement, **changes)

    def factors(self) -> Iterator[Kernel]:
        statements = tuple(s for s in self.update.statements if not s.loops)
        names = {a.array for s in statements for a in s.accesses()}
        yield Kernel("factors", tuple(a for a in self.update.arrays if a.name in names), statements)

    def turn(self) -> Kernel:
        """W_k as the sensitivities read it, from V_k."""
        kernel = self.program.kernel("sensitivities")
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        for statement in kernel.statements:
            for access in sorted(statement.value.atoms(Access), key=str):
                if kernel.array(access.array).role == "weights" and access.array not in arrays:
                    statements += self._natural(access, statement, arrays)
        return _kernel("turn", statements, arrays)

    def back(self) -> Kernel:
        """Sensitivities of the samples, by the W_k of the workspace."""
        kernel = self.program.kernel("sensitivities")
        arrays = {
            array.name: self.held(array.name).array(array.name, upright=True)
            if array.role == "weights"
            else array
            for array in kernel.arrays
        }
        measured = self._at_outputs()
        return _kernel("back", [s for s in kernel.statements if s not in measured], arrays)

    def descend(self) -> Kernel:
        """Every gradient with penalty and update."""
        gradient = self.program.kernel("gradient")
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        for statement in gradient.statements:
            if gradient.array(statement.target.array).role == "gradient":
                assert isinstance(statement, Reduce)
                statements.append(self._with_update(statement, gradient, arrays))
        return _kernel("descend", statements, arrays)

    def _natural(self, access: Access, statement: Statement, arrays: dict[str, Array]) -> Iterator[Statement]:
        """W_k for the way back: from V_k, if it is not what is kept."""
        held, (row, column) = self.held(access.array), access.indices
        if not held.upright:
            across = held.weights(column)
            arrays |= {across.name: across, access.array: held.array(access.array, upright=True)}
            loops = (Loop(row, held.layer.rows), Loop(column, held.regular))
            yield _copy(access, Access(across.name, column, row), loops, statement.origin.label)

    def _with_update(self, statement: Reduce, kernel: Kernel, arrays: dict[str, Array]) -> Fused:
        """A gradient where its weights are kept, and what becomes of each of its elements."""
        held, (i, j) = self.held(statement.target.array), statement.target.indices
        gradient = held.gradient(j)
        arrays[gradient.name] = gradient
        for access in sorted(statement.value.atoms(Access), key=str):
            arrays.setdefault(access.array, kernel.array(access.array))
        target = held.element(gradient.name, i, j)
        loops = statement.loops if held.is_upright(j) else statement.loops[::-1]
        reduce = replace(statement, target=target, loops=loops, accumulate=False)
        parts = tuple(self._penalty(statement, reduce, arrays))
        update = tuple(self._update(part, held, statement, reduce, arrays) for part in self._each())
        return Fused(reduce, parts, update)

    def _penalty(self, statement: Reduce, reduce: Reduce, arrays: dict[str, Array]) -> Any:
        if not self._has("penalty"):
            return
        kernel = self.program.kernel("penalty")
        for part in kernel.statements:
            if part.target.array != statement.target.array or len(part.loops) != len(statement.loops):
                continue
            assert isinstance(part, Map)
            same = {old.index: new.index for old, new in zip(part.loops, statement.loops, strict=True)}
            if part.target.xreplace(same) != statement.target:
                continue
            value = self.kept(kernel, part.value.xreplace(same), arrays)
            value = value.xreplace({statement.target: reduce.target})
            yield Map(reduce.target, reduce.loops, value, part.origin)

    def _each(self) -> tuple[Map, ...]:
        """The assignments for every weight."""
        (found,) = (s for s in self.update.statements if s.loops)
        assert isinstance(found, (Map, Sweep))
        return found.parts if isinstance(found, Sweep) else (found,)

    def _update(
        self, part: Map, held: Held, statement: Reduce, reduce: Reduce, arrays: dict[str, Array]
    ) -> Map:
        _, column = statement.target.indices
        places: dict[Any, Any] = {}
        for access in sorted(part.accesses(), key=str):
            array = self.update.array(access.array)
            if array.name == "gradient":
                places[access] = reduce.target
            elif array.role in ("flat", "state"):
                kept = held.weights(column) if array.role == "flat" else held.state(array.name, column)
                arrays[kept.name] = kept
                places[access] = Access(kept.name, *reduce.target.indices)
            else:
                role: Any = "argument" if array.role == "factor" else "register"
                arrays[array.name] = replace(array, role=role)
        value = part.value.xreplace(places)
        assert not value.has(every_weight)
        return Map(part.target.xreplace(places), reduce.loops, value, part.origin)


def _copy(target: Access, source: Access, loops: tuple[Loop, ...], label: str) -> Map:
    """Return the copy of an array, or of a part of it; turned round where the indices are."""
    turned = len(loops) == 2 and target.indices != source.indices
    if turned and target.indices != tuple(loop.index for loop in loops):
        loops = loops[::-1]
    what = f"{target.array} is the transpose of {source.array}"
    if not turned:
        where = "without the bias" if len(loops) == 2 else "in the bias"
        what = f"{target.array} is {source.array} {where}"
    origin = Origin(label, what)
    return Map(target, loops, source, origin, copies=True)


def _along_rows(over: tuple[Loop, ...], value: Any) -> tuple[Loop, ...]:
    """Return the loops in the order of the indices of what is summed."""
    order = next(
        access.indices for access in sorted(value.atoms(Access), key=str) if len(access.indices) == 2
    )
    return tuple(sorted(over, key=lambda loop: order.index(loop.index)))


def samples_together(program: Program) -> int:
    """Return the number of samples of which a thread takes a multiple: whole blocks of every contraction."""
    statements = [s for kernel in program.kernels if kernel.name in BY_SAMPLES for s in kernel.statements]
    reduces = [part for s in statements for part in parts_of(s) if isinstance(part, Reduce)]
    tiles = [r.tile for r in reduces if r.tile is not None and r.tile.rows is not None]
    heights = [tile.height for tile in tiles if tile.rows is not None and tile.rows.extent == ROWS]
    return lcm(*heights, *(statement.lanes for statement in statements if isinstance(statement, Abreast)))


def products_of_sample(program: Program) -> int:
    """Return the multiplications of one sample in a step of training."""
    kernels = map(program.kernel, ("forward", "sensitivities", "gradient"))
    return sum(total(of_kernel(kernel).values()).multiplications for kernel in kernels)


def each_sum_once(statements: list[Statement]) -> list[Statement]:
    """Drop a sum that an earlier statement has computed: what the cost and the softmax both need."""
    known: dict[Any, str] = {}
    same: dict[str, str] = {}
    kept: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Reduce) and not statement.accumulate and statement.loops:
            key = (statement.target.indices, replace(statement, target=Access("sum"), origin=Origin("", "")))
            first = known.setdefault(key, statement.target.array)
            if first != statement.target.array:
                same[statement.target.array] = first
                continue
        elif isinstance(statement, Map) and same:
            read = {a: Access(same[a.array], *a.indices) for a in statement.accesses() if a.array in same}
            statement = replace(statement, value=statement.value.xreplace(read))
        kept.append(statement)
    return kept


def _kernel(name: str, statements: list[Statement], arrays: dict[str, Array]) -> Kernel:
    used = {access.array for statement in statements for access in statement.accesses()}
    assert all(extent == ROWS or extent > 0 for array in arrays.values() for extent in array.axes)
    return Kernel(name, tuple(a for a in arrays.values() if a.name in used), tuple(statements))

"""A pass: one step of training on a layout of its own, the update applied to sums in registers.

The same statements as in the other kernels, on transposed weights V_k (whose rows a block of
neurons lies along) that are the weights for a whole epoch::

    pack       V_k and the states of the update rule from the flat vectors
    measure    forward pass, cost, penalty, sensitivities of the outputs
    factors    numbers of the update that all weights share
    descend    W_k for the way back from V_k; sensitivities; every gradient, and with each
               element of it at once: penalty, update rule
    unpack     the flat vectors from V_k and the states

No gradient is stored. Where the update needs the whole gradient first (clipping by its norm), or
calls a function that vector registers do not have, the step stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symbp.algebra.nodes import t as every_weight
from symbp.plan.fusing import is_vectorisable, vector_functions
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Fused,
    Kernel,
    Layer,
    Loop,
    Map,
    Origin,
    Program,
    Reduce,
    Statement,
    Sweep,
)
from symbp.plan.tiles import Schedule

STEP = ("pack", "measure", "descend", "unpack")


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
        made = [self.copies("pack"), self.measure(), self.descend(), self.copies("unpack")]
        return (*self.factors(), *made)

    # Arrays ----------------------------------------------------------------------------------

    def layer(self, weights: str) -> tuple[int, Layer]:
        number = int(weights[1:])
        return number, self.program.layers[number - 1]

    def across(self, name: str, layer: Layer) -> Array:
        """An array with a row for each input of a layer: weights or a state."""
        return Array(name, (layer.columns, self.schedule.padded(layer.rows)), "work")

    def transposed(self, kernel: Kernel, value: Any, arrays: dict[str, Array]) -> Any:
        """Read V_k in the place of W_k."""
        for access in sorted(value.atoms(Access), key=str):
            if any(a.name == access.array and a.role == "weights" for a in kernel.arrays):
                number, layer = self.layer(access.array)
                copy = self.across(f"V{number}", layer)
                arrays[copy.name] = copy
                row, column = access.indices
                value = value.xreplace({access: Access(copy.name, column, row)})
        return value

    # Kernels ---------------------------------------------------------------------------------

    def copies(self, name: str) -> Kernel:
        """Flat vectors -> V_k and states, or back."""
        arrays: list[Array] = []
        statements: list[Statement] = []
        size = self.program.n_params
        sample = self.program.kernel("gradient")
        for number, layer in enumerate(self.program.layers, 1):
            shape = (layer.rows, layer.columns)
            product = next(s for s in sample.statements if s.target.array == f"G{number}")
            i, j = product.target.indices
            label = product.origin.label
            flat = [Array(f"W{number}", shape, "weights", layer.offset)]
            flat += [
                Array(f"FLAT{number}_{state}", shape, "state", place * size + layer.offset)
                for place, state in enumerate(self.states)
            ]
            own = [f"V{number}", *(state_array(number, state) for state in self.states)]
            for vector, copy in zip(flat, own, strict=True):
                across = self.across(copy, layer)
                arrays += [vector, across]
                loops = (Loop(i, layer.rows), Loop(j, layer.columns))
                there, here = Access(vector.name, i, j), Access(copy, j, i)
                if name == "pack":
                    origin = Origin(label, f"{copy} is the transpose of {vector.name}")
                    statements.append(Map(here, loops[::-1], there, origin, copies=True))
                else:
                    origin = Origin(label, f"{vector.name} is the transpose of {copy}")
                    statements.append(Map(there, loops, here, origin, copies=True))
        return Kernel(name, tuple(arrays), tuple(statements))

    def measure(self) -> Kernel:
        """Forward pass, sensitivities of the outputs, cost and the cost's penalty."""
        arrays: dict[str, Array] = {}
        statements: list[Statement] = []
        names = [name for name in ("forward", "sensitivities", "gradient", "penalty") if self._has(name)]
        for kernel in map(self.program.kernel, names):
            at_outputs = self._at_outputs() if kernel.name == "sensitivities" else kernel.statements
            for statement in at_outputs:
                if kernel.array(statement.target.array).role != "gradient":
                    statements.append(self._on_transposed(statement, kernel, arrays))
        return _kernel("measure", _each_sum_once(statements), arrays)

    def _at_outputs(self) -> tuple[Statement, ...]:
        """The sensitivities of the last layer: of the outputs alone, beside which they are computed."""
        kernel, last = self.program.kernel("sensitivities"), f"D{len(self.program.layers)}"
        end = max(n for n, s in enumerate(kernel.statements, 1) if s.target.array == last)
        first = kernel.statements[:end]
        reads = {kernel.array(a.array).role for statement in first for a in statement.accesses()}
        return () if "weights" in reads else first

    def _has(self, name: str) -> bool:
        return any(kernel.name == name for kernel in self.program.kernels)

    def _on_transposed(self, statement: Statement, kernel: Kernel, arrays: dict[str, Array]) -> Statement:
        changes: dict[str, Any] = {"value": self.transposed(kernel, statement.value, arrays)}
        if isinstance(statement, Reduce):
            if statement.initial is not None:
                changes["initial"] = self.transposed(kernel, statement.initial, arrays)
            if not statement.loops and len(statement.over) == 2:
                changes["over"] = statement.over[::-1]  # a penalty: along the rows of V_k
        for access in sorted(statement.accesses(), key=str):
            array = kernel.array(access.array)
            if array.role != "weights":
                # The cost begins here: it is no argument of this kernel.
                own = replace(array, role="local") if array.role == "argument" else array
                arrays.setdefault(array.name, own)
        return replace(statement, **changes)

    def factors(self) -> tuple[Kernel, ...]:
        statements = tuple(s for s in self.update.statements if not s.loops)
        if not statements:
            return ()
        names = {a.array for s in statements for a in s.accesses()}
        arrays = tuple(a for a in self.update.arrays if a.name in names)
        return (Kernel("factors", arrays, statements),)

    def descend(self) -> Kernel:
        """Sensitivities; every gradient with penalty and update."""
        arrays: dict[str, Array] = {}
        sensitivities, gradient = self.program.kernel("sensitivities"), self.program.kernel("gradient")
        statements: list[Statement] = []
        for statement in sensitivities.statements[len(self._at_outputs()) :]:
            for access in sorted(statement.value.atoms(Access), key=str):
                if sensitivities.array(access.array).role == "weights" and access.array not in arrays:
                    statements.append(self._natural(access, statement, arrays))
            for access in sorted(statement.accesses(), key=str):
                arrays.setdefault(access.array, sensitivities.array(access.array))
            statements.append(statement)
        for statement in gradient.statements:
            if gradient.array(statement.target.array).role == "gradient":
                assert isinstance(statement, Reduce)
                statements.append(self._with_update(statement, gradient, arrays))
        return _kernel("descend", statements, arrays)

    def _natural(self, access: Access, statement: Statement, arrays: dict[str, Array]) -> Map:
        """W_k for the way back, from V_k."""
        number, layer = self.layer(access.array)
        across = self.across(f"V{number}", layer)
        regular = layer.columns - int(layer.bias)
        natural = Array(access.array, (layer.rows, self.schedule.padded(regular)), "work")
        arrays |= {across.name: across, natural.name: natural}
        row, column = access.indices
        origin = Origin(statement.origin.label, f"{natural.name} is the transpose of {across.name}")
        loops = (Loop(row, layer.rows), Loop(column, regular))
        return Map(access, loops, Access(across.name, column, row), origin, copies=True)

    def _with_update(self, statement: Reduce, kernel: Kernel, arrays: dict[str, Array]) -> Fused:
        """A gradient, transposed, and what becomes of each of its elements."""
        name = statement.target.array
        number, layer = self.layer(name)
        i, j = statement.target.indices
        arrays[name] = Array(name, (layer.columns, self.schedule.padded(layer.rows)), "register")
        for access in sorted(statement.value.atoms(Access), key=str):
            arrays.setdefault(access.array, kernel.array(access.array))
        target = Access(name, j, i)
        reduce = replace(statement, target=target, loops=statement.loops[::-1], accumulate=False)
        parts = tuple(self._penalty(statement, reduce, arrays))
        update = tuple(self._update(part, number, layer, target, arrays) for part in self._each())
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
            value = self.transposed(kernel, part.value.xreplace(same), arrays)
            value = value.xreplace({statement.target: reduce.target})
            yield Map(reduce.target, reduce.loops, value, part.origin)

    def _each(self) -> tuple[Map, ...]:
        """The assignments for every weight."""
        (found,) = (s for s in self.update.statements if s.loops)
        assert isinstance(found, (Map, Sweep))
        return found.parts if isinstance(found, Sweep) else (found,)

    def _update(
        self, part: Map, number: int, layer: Layer, gradient: Access, arrays: dict[str, Array]
    ) -> Map:
        places: dict[Any, Any] = {}
        for access in sorted(part.accesses(), key=str):
            array = self.update.array(access.array)
            if array.name == "gradient":
                places[access] = gradient
            elif array.role in ("flat", "state"):
                name = f"V{number}" if array.role == "flat" else state_array(number, array.name)
                arrays[name] = self.across(name, layer)
                places[access] = Access(name, *gradient.indices)
            else:
                role: Any = "argument" if array.role == "factor" else "register"
                arrays[array.name] = replace(array, role=role)
        value = part.value.xreplace(places)
        assert not value.has(every_weight)
        loops = tuple(Loop(x, e) for x, e in self._loops_of(gradient, layer))
        return Map(part.target.xreplace(places), loops, value, part.origin)

    @staticmethod
    def _loops_of(gradient: Access, layer: Layer) -> Any:
        regular = layer.columns - int(layer.bias)
        extents = (regular, layer.rows)
        return [(x, e) for x, e in zip(gradient.indices, extents, strict=True) if not x.is_Integer]


def _each_sum_once(statements: list[Statement]) -> list[Statement]:
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


def state_array(number: int, state: str) -> str:
    """Return the name of the array of a state of the update rule in one layer."""
    return f"STATE{number}_{state}"


def _kernel(name: str, statements: list[Statement], arrays: dict[str, Array]) -> Kernel:
    used = {access.array for statement in statements for access in statement.accesses()}
    assert all(extent == ROWS or extent > 0 for array in arrays.values() for extent in array.axes)
    return Kernel(name, tuple(a for a in arrays.values() if a.name in used), tuple(statements))

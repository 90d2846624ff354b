"""Tiled contractions, with what is fused into them -> loops over blocks of vector registers.

One routine for all products of matrices: forward, backward and gradients differ in what the
plan's statement says, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy
from sympy import Symbol

from symbp.plan.program import ROWS, Access, Fused, Kernel, Map, Reduce, Tile
from symbp.plan.step import BY_WEIGHTS
from symbp.plan.tiles import LONGEST, factors
from symbp.render.blocks import Block
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.vector_printer import VectorPrinter

# What the row of a bias is called.
_ROW = Symbol("last")
# The emitted function that applies the update rule to one row of a block.
UPDATE = "_update_row"


class TilePrinter:
    """Prints the tiled statements of one kernel, and copies between arrays."""

    def __init__(self, kernel: Kernel, dtype: str, functions: KernelFunctions, lanes: int) -> None:
        self.kernel = kernel
        self.lanes = lanes
        self.shared = kernel.name in BY_WEIGHTS
        self.values = VectorPrinter(dtype, kernel.arrays, functions)

    # Contractions --------------------------------------------------------------------------

    def contraction(self, block: Block, statement: Reduce | Fused) -> None:
        """Add the loops over the blocks of a contraction's target."""
        reduce = statement.reduce if isinstance(statement, Fused) else statement
        tile = reduce.tile
        assert tile is not None
        updates = _updates(statement)
        for first, last, width in runs(tile.widths):
            with block.restored():
                shared = self.shared and tile.rows is None
                column = open_pieces(block, tile.columns.index, first, last, width, updates, shared)
                self._rows(block, statement, reduce, tile, column, width)

    def _rows(
        self, block: Block, statement: Reduce | Fused, reduce: Reduce, tile: Tile, column: Any, width: int
    ) -> None:
        if tile.rows is None:
            with block.restored():
                if _updates(statement):
                    row = int(reduce.target.indices[0])
                    open_pieces(block, _ROW, row, row + 1, 1, True)
                self._one(block, statement, reduce, tile, column, width, [None])
            return
        row, height = tile.rows.index, tile.height
        if tile.rows.extent == ROWS:
            # The last block may reach beyond the samples: there are rows to spare.
            block.open(f"for {row} in range({'count' if height == 1 else f'0, count, {height}'}):")
            rows = [row, *(Symbol(f"{row} + {n}") for n in range(1, height))]
            values = self.values
            if self._reads_data(reduce):
                # Nobody wants what is beyond the samples: some row again.
                values.rows = {str(x): f"row{n}" for n, x in enumerate(rows)}
                for sample, name in values.rows.items():
                    place = "start + " + sample
                    row_of = f"rows[{place}]" if height == 1 else f"row_at(rows, {place}, start + count)"
                    block.add(f"{name} = {row_of}")
            self._one(block, statement, reduce, tile, column, width, rows)
            values.rows = {}
            return
        for first, last, size in runs(pieces(int(tile.rows.extent), height)):
            with block.restored():
                open_pieces(block, row, first, last, size, _updates(statement), self.shared)
                rows = [row, *(Symbol(f"{row} + {n}") for n in range(1, size))]
                if last - first <= size and not _updates(statement):
                    rows = [sympy.Integer(n) for n in range(first, last)]
                self._one(block, statement, reduce, tile, column, width, rows)

    def _one(
        self,
        block: Block,
        statement: Reduce | Fused,
        reduce: Reduce,
        tile: Tile,
        column: Any,
        width: int,
        rows: Sequence[Any],
    ) -> None:
        """Add the block of some rows and columns: start, sum, and what becomes of it."""
        values = self.values
        values.columns, values.size, values.held = column, str(width), {}
        at = [self._at(tile, row, column) for row in rows]
        names = [f"c{n}" for n in range(len(rows))]
        self._start(block, reduce, at, names, width)
        chains = [names, *([f"{name}_{n}" for name in names] for n in range(1, tile.chains))]
        if tile.chains > 1:
            others = [name for chain in chains[1:] for name in chain]
            block.add(f"{' = '.join(others)} = spread({values.number(0)}, {width})")
        self._sum(block, reduce, at, chains)
        for name, *others in zip(*chains, strict=True):
            if others:
                block.add(f"{name} = {_in_pairs([name, *others])}")
        for name, place in zip(names, at, strict=True):
            self._finish(block, statement, reduce, place, name)

    def _sum(self, block: Block, reduce: Reduce, at: list[dict[Any, Any]], chains: list[list[str]]) -> None:
        """Add the loop over the terms; where there is more than one chain, they take terms in turn."""
        values = self.values
        first, along = factors(reduce)
        (over,) = reduce.over
        of_samples = over.extent == ROWS  # as many as there are, and one chain
        steps = [(0, 1, 1)] if of_samples else runs(pieces(int(over.extent), len(chains)))
        for start, end, size in steps:
            with block.restored():
                if of_samples:
                    block.open(f"for {over.index} in range(count):")
                    if self._reads_data(reduce):
                        block.add(f"row = rows[start + {over.index}]")
                else:
                    open_pieces(block, over.index, start, end, size, always=True)
                for n, names in enumerate(chains[:size]):
                    term = {over.index: Symbol(f"{over.index} + {n}") if n else over.index}
                    block.add(f"v = {values.doprint(along.xreplace(at[0]).xreplace(term))}")
                    for name, place in zip(names, at, strict=True):
                        factor = values.number(1)
                        if first is not None:
                            factor = values.doprint(first.xreplace(place).xreplace(term))
                        block.add(f"{name} = fma({factor}, v, {name})")

    def _reads_data(self, reduce: Reduce) -> bool:
        return any(self.kernel.array(access.array).role == "data" for access in reduce.value.atoms(Access))

    @staticmethod
    def _at(tile: Tile, row: Any, column: Any) -> dict[Any, Any]:
        """Return where the indices of a statement stand in one row of a block."""
        places = {tile.columns.index: column}
        return places if tile.rows is None else {**places, tile.rows.index: row}

    def _start(
        self, block: Block, reduce: Reduce, at: list[dict[Any, Any]], names: list[str], width: int
    ) -> None:
        if reduce.initial is None:
            block.add(f"{' = '.join(names)} = spread({self.values.number(0)}, {width})")
            return
        starts = [self.values.doprint(reduce.initial.xreplace(place)) for place in at]
        if len(set(starts)) == 1:
            block.add(f"{' = '.join(names)} = {starts[0]}")
            return
        for name, start in zip(names, starts, strict=True):
            block.add(f"{name} = {start}")

    def _finish(
        self, block: Block, statement: Reduce | Fused, reduce: Reduce, place: dict[Any, Any], name: str
    ) -> None:
        values = self.values
        target = reduce.target.xreplace(place)
        values.held = {}
        written: dict[Access, str] = {}
        if self._is_stored(reduce.target):
            written[target] = f"{values.doprint(target)} + {name}" if reduce.accumulate else name
        values.held = {target: name}
        for part in statement.parts if isinstance(statement, Fused) else ():
            element = part.target.xreplace(place)
            values.passed_on = _is_times(part.value, reduce.target)
            value = values.doprint(part.value.xreplace(place))
            values.passed_on = False
            if element == target or value != name:
                own = name if element == target else f"{part.target.array.lower()}_{name}"
                last = part is statement.steps[-1] and element != target  # type: ignore[union-attr]
                if last:
                    own = value  # nobody reads it again: straight into the array
                else:
                    block.add(f"{own} = {value}")
            else:
                own = name
            values.held[element] = own
            if self._is_stored(part.target):
                written[element] = own
        for element, own in written.items():
            index = ", ".join(map(values.index, element.indices))
            block.add(f"store({element.array}, {index}, {own}, {values.size_in(element.array)})")
        if isinstance(statement, Fused) and statement.update:
            arrays, numbers = update_arguments(statement, self.kernel)
            row, column = target.indices
            row = _ROW if reduce.tile is not None and reduce.tile.rows is None else row
            position = f"{values.index(row)}, {values.index(column)}"
            block.add(f"{UPDATE}({', '.join([*arrays, position, name, *numbers])})")

    def _is_stored(self, access: Access) -> bool:
        return self.kernel.array(access.array).role != "register"

    # Copies ----------------------------------------------------------------------------------

    def copy(self, block: Block, statement: Map) -> None:
        """Add a copy: rows as they are, or the transpose."""
        target, source = statement.target, statement.value
        if statement.loops[0].extent != ROWS and (
            len(statement.loops) == 1 or target.indices == source.indices
        ):
            self._copy_part(block, statement)
            return
        if target.indices == source.indices:
            self._copy_rows(block, statement)
            return
        # No literals, for each of which Numba would compile the function anew.
        extents = ", ".join(f"np.int64({loop.extent})" for loop in statement.loops)
        team = ", team" if self.shared else ""
        block.add(f"transpose({target.array}, {source.array}, {extents}{team})")

    def _copy_part(self, block: Block, statement: Map) -> None:
        """Rows of weights as they are, or biases: once an epoch."""
        first, *others = statement.loops
        open_pieces(block, first.index, 0, int(first.extent), 1, always=True, shared=self.shared)
        for loop in others:
            block.open(f"for {loop.index} in range({loop.extent}):")
        self.values.columns, self.values.held = None, {}
        block.add(f"{self.values.doprint(statement.target)} = {self.values.doprint(statement.value)}")

    def _copy_rows(self, block: Block, statement: Map) -> None:
        rows, columns = statement.loops
        values = self.values
        block.open(f"for {rows.index} in range(count):")
        block.add(f"row = rows[start + {rows.index}]")
        target, source = statement.target.array, statement.value.array
        sample, extent = values.index(statement.target.indices[0]), int(columns.extent)
        whole = extent - extent % self.lanes
        for first, last, width in runs(pieces(whole, LONGEST * self.lanes)):
            with block.restored():
                column = open_pieces(block, columns.index, first, last, width)
                value = f"load({source}, row, {column}, {width})"
                block.add(f"store({target}, {sample}, {column}, {value}, {width})")
        # Not a part of a register: single numbers are read next, which would wait for its mask.
        if whole < extent:
            column = open_pieces(block, columns.index, whole, extent, 1, always=True)
            block.add(f"{target}[{sample}, {column}] = {source}[row, {column}]")


def open_pieces(
    block: Block, index: Any, first: int, last: int, step: int, always: bool = False, shared: bool = False
) -> Any:
    """Open a loop and return its index; where there is one round only, the index is where it is.

    A symbol all the same: the column 0 must not be taken for the row 0. Where the position is an
    argument of a function, it is a variable always, and no literal: Numba compiles anew for each
    of those. A loop that is shared is divided among the threads of a team.
    """
    if shared:
        start = "" if first == 0 and step == 1 else f"{first}, "
        block.open(f"for {index} in part(range({start}{last}{f', {step}' if step > 1 else ''}), team):")
        return index
    if last - first <= step:
        if not always:
            return Symbol(str(first))
        block.add(f"{index} = np.int64({first})")
        return index
    start = "" if first == 0 and step == 1 else f"{first}, "
    block.open(f"for {index} in range({start}{last}{f', {step}' if step > 1 else ''}):")
    return index


def _in_pairs(names: Sequence[str]) -> str:
    """Return the sum of names, by halves."""
    if len(names) == 1:
        return names[0]
    half = len(names) // 2
    left, right = _in_pairs(names[:half]), _in_pairs(names[half:])
    return f"({left}) + ({right})" if half > 1 else f"{left} + {right}"


def _is_times(value: Any, factor: Access) -> bool:
    """Whether a value is a product with this factor."""
    return factor in sympy.Mul.make_args(value)


def _updates(statement: Reduce | Fused) -> bool:
    return isinstance(statement, Fused) and bool(statement.update)


def pieces(extent: int, size: int) -> tuple[int, ...]:
    """Return the widths of pieces of one size, and of what remains."""
    whole, rest = divmod(extent, size)
    return (size,) * whole + ((rest,) if rest else ())


def runs(widths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (first, last, width) of neighbouring blocks of one width."""
    start, n = 0, 0
    while n < len(widths):
        width, first = widths[n], start
        while n < len(widths) and widths[n] == width:
            start, n = start + width, n + 1
        yield first, start, width


# The update ----------------------------------------------------------------------------------


def update_arguments(statement: Fused, kernel: Kernel) -> tuple[list[str], list[str]]:
    """Return the arrays and the numbers that the function of the update takes, for one layer."""
    accesses = [a for part in statement.update for a in sorted(part.accesses(), key=str)]
    roles = {a.array: kernel.array(a.array).role for a in accesses}
    arrays = sorted(name for name, role in roles.items() if role == "work")
    numbers = sorted(name for name, role in roles.items() if role == "argument")
    rate = any("eta" in {x.name for x in part.value.free_symbols} for part in statement.update)
    return arrays, ["learning_rate"] * rate + numbers


def update_function(
    statement: Fused, kernel: Kernel, dtype: str, functions: KernelFunctions, names: Mapping[str, str]
) -> tuple[str, list[tuple[Any, list[str]]]]:
    """Return the arguments of the function of the update, and its assignments with their equations.

    Parameters
    ----------
    statement : Fused
        A gradient of regular weights.
    names : mapping
        Array of the layer -> its name in the function.
    """
    arrays, numbers = update_arguments(statement, kernel)
    target = statement.reduce.target
    places = {a: Access(names.get(a.array, a.array), *a.indices) for a in statement.accesses()}
    # V is the weights here, and no weight of a sample.
    values = VectorPrinter(dtype, tuple(a for a in kernel.arrays if a.role != "data"), functions)
    values.columns, values.size = target.indices[-1], "gradient"
    values.held = {places[target]: "gradient"}
    assignments = []
    for part in statement.update:
        element, value = places[part.target], part.value.xreplace(places)
        text = values.vector(value) if element.indices else values.doprint(value)
        name = element.array if not element.indices else f"new_{element.array}"
        lines = [f"{name} = {text}"]
        if element.indices:
            place = ", ".join(map(values.index, element.indices))
            lines.append(f"store({element.array}, {place}, {name}, {values.size})")
        values.held[element] = name
        assignments.append((part.origin, lines))
    position = [values.index(x) for x in target.indices]
    own = [names.get(name, name) for name in arrays]
    return ", ".join([*own, *position, "gradient", *numbers]), assignments

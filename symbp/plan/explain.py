"""The schedule of a program as a record: what was chosen for each contraction, and what to expect."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from symbp.plan.operations import Operations, of_value, total
from symbp.plan.program import ROWS, Abreast, Kernel, Map, Program, Reduce, Statement, Tile, parts_of
from symbp.plan.step import STEP, is_fused
from symbp.plan.tiles import OF_BATCHES, RESIDENT, Schedule, factors
from symbp.values import padded

# Shown where there is no fused step; gradient holds forward and sensitivities in itself.
_PLAIN = (*OF_BATCHES, "penalty", "update")


@dataclass(frozen=True)
class Choice:
    """How one statement is carried out.

    Attributes
    ----------
    kernel, label : str
        Where it stands, and its equation.
    what : str
        Target and reads.
    shape : tuple of int
        Rows, columns and length of the sum of a contraction, for one batch; empty for others.
    tile : str
        Blocks in registers, or how it loops instead.
    fused : tuple of str
        Labels of what is computed in the same loops: of a block, while its sums are in registers.
    operations : Operations
        For one batch.
    share : float
        Part of the largest number of multiply-adds that the inner loop can reach, from the
        lanes that are used and the instructions of one round; 0 for what is no contraction.
    """

    kernel: str
    label: str
    what: str
    shape: tuple[int, ...]
    tile: str
    fused: tuple[str, ...]
    operations: Operations
    share: float


def explain(program: Program, schedule: Schedule) -> tuple[Choice, ...]:
    """Return what was chosen for every statement of a step of training, in order."""
    names: tuple[str, ...] = STEP if is_fused(program) else _PLAIN
    if any(kernel.name == RESIDENT for kernel in program.kernels):
        names = (RESIDENT,)
    kernels = [kernel for kernel in program.kernels if kernel.name in names]
    return tuple(_choice(s, kernel, schedule) for kernel in kernels for s in kernel.statements)


def _choice(statement: Statement, kernel: Kernel, schedule: Schedule) -> Choice:
    first, *fused = parts_of(statement)
    reads = sorted({a.array for a in first.accesses()} - {first.target.array})
    what = f"{first.target.array} <- {', '.join(reads)}"
    shape: tuple[int, ...] = ()
    share = 0.0
    if isinstance(first, Reduce) and first.tile is not None:
        shape = _shape(first, schedule)
        share = expected_share(first, schedule)
    return Choice(
        kernel.name,
        first.origin.label,
        what,
        shape,
        "samples abreast" if isinstance(statement, Abreast) else _how(first, kernel),
        tuple(dict.fromkeys(part.origin.label for part in fused)),
        total(_operations(part, schedule) for part in parts_of(statement)),
        share,
    )


def _how(statement: Map | Reduce, kernel: Kernel) -> str:
    if kernel.name == RESIDENT:
        return "registers, weights too"
    if isinstance(statement, Map):
        kinds = {"copied": statement.copies, "one long loop": statement.flat}
        return next((name for name, chosen in kinds.items() if chosen), "loops")
    if statement.tile is None:
        return "sum in a register" if statement.inner is None else f"innermost loop {statement.inner.index}"
    tile = statement.tile
    registers = [ceil(width / tile.lanes) for width in tile.widths]
    across = " + ".join(
        f"{registers.count(n)} x {n}" if registers.count(n) > 1 else str(n) for n in dict.fromkeys(registers)
    )
    across = f"({across})" if len(registers) > 1 else across
    return f"{tile.height} row{'s' * (tile.height > 1)} x {across} register{'s' * (registers != [1])}"


def _extent(extent: object, schedule: Schedule) -> int:
    return schedule.batch_size if extent == ROWS else int(str(extent))


def _shape(statement: Reduce, schedule: Schedule) -> tuple[int, ...]:
    tile = statement.tile
    assert tile is not None
    rows = 1 if tile.rows is None else _extent(tile.rows.extent, schedule)
    return rows, _extent(tile.columns.extent, schedule), _extent(statement.over[0].extent, schedule)


def _operations(statement: Map | Reduce, schedule: Schedule) -> Operations:
    rounds = 1
    for loop in (*statement.loops, *(statement.over if isinstance(statement, Reduce) else ())):
        rounds *= _extent(loop.extent, schedule)
    each = of_value(statement.value)
    if isinstance(statement, Reduce):
        each = each + Operations(additions=1)
    return each.times(rounds)


def expected_share(statement: Reduce, schedule: Schedule) -> float:
    """Return how much of the machine's multiply-adds the inner loop uses.

    Two products and two loads in a cycle, as machines with vector registers have them: what counts
    is the lanes in use, and whether products, loads or waiting for earlier products take longest.
    """
    tile = statement.tile
    assert tile is not None
    rows, columns, _ = _shape(statement, schedule)
    a, _ = factors(statement)
    useful, spent = 0.0, 0.0
    for height in _heights(tile, rows):
        for width in tile.widths:
            across = ceil(width / tile.lanes)
            loads = across + (height if a is not None else 0)
            spent += max(height * across, loads, schedule.target.products) * tile.lanes
    useful = float(rows * columns)
    return useful / spent


def _heights(tile: Tile, rows: int) -> list[int]:
    whole, rest = divmod(rows, tile.height)
    if tile.rows is not None and tile.rows.extent == ROWS:
        return [tile.height] * (whole + bool(rest))
    return [tile.height] * whole + ([rest] if rest else [])


def table(choices: tuple[Choice, ...], schedule: Schedule) -> str:
    """Return the record as text, one line for each statement."""
    vectors = f": {schedule.target.vector_bits}-bit vectors, {schedule.target.registers} registers"
    head = (
        f"target {schedule.target.name} ({schedule.target.title}){vectors * bool(schedule.lanes)}\n"
        f"{schedule.dtype}, batches of {schedule.batch_size}; operations are those of one batch\n"
    )
    titles = ("kernel", "equation", "computes", "shape", "how", "fused", "operations", "peak")
    rows = [titles, *(_row(choice) for choice in choices)]
    body = "".join("  ".join(row).rstrip() + "\n" for row in padded(rows, len(titles)))
    return head + body + _in_all(choices) + _LEGEND * any(choice.shape for choice in choices)


_LEGEND = """\
shape: rows x columns of the result x terms of each sum
how: rows and registers of the blocks that are summed at once; in brackets, blocks side by side
fused: equations that are computed in the same loops, of a block while its sums are in registers
peak: share of the machine's multiply-adds that the inner loop can reach, by lanes, loads and waits
"""


def _in_all(choices: tuple[Choice, ...]) -> str:
    """Return all operations of a batch, and the share that its contractions can reach together."""
    done = sum(map(_number, choices))
    products = [prod(choice.shape) for choice in choices if choice.shape]
    if not products:
        return f"in all: {done:,} operations\n"
    spent = sum(prod(choice.shape) / choice.share for choice in choices if choice.shape)
    share = sum(products) / spent
    return f"in all: {done:,} operations; the blocks alone can reach {100 * share:.0f} % of the peak\n"


def _number(choice: Choice) -> int:
    counts = choice.operations
    return counts.multiplications + counts.additions + counts.divisions + counts.functions


def _row(choice: Choice) -> tuple[str, ...]:
    return (
        choice.kernel,
        choice.label,
        choice.what,
        " x ".join(map(str, choice.shape)),
        choice.tile,
        ", ".join(choice.fused),
        f"{_number(choice):,}",
        f"{100 * choice.share:.0f} %" if choice.shape else "",
    )

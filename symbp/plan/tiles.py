"""A pass: contractions run over blocks of their target that stay in vector registers.

Every product of matrices in the kernels has the form ``target[a, b] (+)= sum over c of A * B``
with neighbouring b side by side in the target and in B, so one schedule serves them all::

    forward   c[p, r]     = sum over s of  o[p, s]     * V[s, r]       b = neuron, V = W transposed
    backward  delta[p, s] = sum over r of  delta[p, r] * W[r, s]       b = neuron of the layer below
    gradient  G[j, i]     = sum over p of  o[p, j]     * delta[p, i]   b = neuron; likewise G[i, j]
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Mul

from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Extent,
    Fused,
    Kernel,
    Loop,
    Map,
    Origin,
    Program,
    Reduce,
    Statement,
    Tile,
)
from symbp.target import BITS, PORTABLE, Target

# Kernels that hold a batch at once; those of single samples have other shapes.
OF_BATCHES = ("forward", "sensitivities", "gradient")
OF_STEPS = ("lay", "measure", "penalise", "turn", "back", "descend")
ANSWER = "answer"
OF_ONE = ("prepare", ANSWER)
# The step of one sample whose weights stay in registers: no loops, and nothing is stored.
RESIDENT = "resident"
# Rows that calls other than the step of training hold at once, as far as a schedule knows.
CHUNK = 256
# Rows of a block: more gain nothing, and each is a few lines of text.
HIGHEST, HIGHEST_OF_ONE = 8, 12
# From so many samples on, rows of a block are powers of two, so that threads get equal parts: what
# is common to blocks of 8 and of 10 rows are 40 samples. Where 8 do not fit, 6 gain more than that.
DIVIDED = 32
_EVEN = (1, 2, 4, 8)
_EVEN_OF_FEW = (1, 2, 4, 6)
# Sums that one is divided into, at most.
CHAINS = 4
# Registers that one copy moves.
LONGEST = 8
# Bytes of a batch's inputs up to which a step reads them where they are: a first-level cache has room for
# them beside weights and sums. And how many blocks of columns may do so: each looks up where a row is.
NEAR, FEW_BLOCKS = 2**14, 2
# Rows that a workspace must have to spare, for the last block may reach beyond the samples.
SPARE = HIGHEST_OF_ONE - 1


@dataclass(frozen=True)
class Schedule:
    """What the schedule is chosen for.

    Attributes
    ----------
    target : Target
    dtype : {"float64", "float32"}
    batch_size : int
        Samples of a step of training, usually.
    elementary : {"fast", "libm"}
        Whether kernels bring elementary functions along, which vector registers can compute.
    """

    target: Target = PORTABLE
    dtype: str = "float64"
    batch_size: int = 32
    elementary: str = "fast"

    @property
    def lanes(self) -> int:
        """Numbers in a register; 0 where vectors are left to the compiler."""
        return self.target.lanes(self.dtype)

    def padded(self, extent: int) -> int:
        """Return the extent of a whole number of registers.

        A row of an array of our own begins a register, so that writing the end of one row never
        delays the reading of the next.
        """
        return -(-extent // self.lanes) * self.lanes


# The batch side by side ----------------------------------------------------------------------


def gather_batch(program: Program, schedule: Schedule) -> Program:
    """Copy the inputs of a batch into rows that lie side by side, wherever a product reads them.

    A step of a few samples reads each of them once or twice: where it is.
    """
    copied = OF_BATCHES if _is_read_in_place(program, schedule) else (*OF_BATCHES, *OF_STEPS)
    kernels = (_gathered(kernel) if kernel.name in copied else kernel for kernel in program.kernels)
    return replace(program, kernels=tuple(kernels))


def _is_read_in_place(program: Program, schedule: Schedule) -> bool:
    """Whether a step of training reads the inputs through the numbers of their rows."""
    first, *others = program.layers
    inputs = first.columns - int(first.bias)
    size = schedule.batch_size * inputs * BITS[schedule.dtype] // 8
    # What the outputs read has a sample in each lane, and no rows of samples.
    return bool(others) and size <= NEAR and len(block_widths(first.rows, schedule)) <= FEW_BLOCKS


def _gathered(kernel: Kernel) -> Kernel:
    statements: list[Statement] = []
    arrays = {array.name: array for array in kernel.arrays}
    copied = kernel.name in ("gradient", "descend")  # by what runs before
    for statement in kernel.statements:
        reduce = _contraction(statement)
        if reduce is not None and not reduce.loops:
            reduce = None  # one number, such as a cost of products: it reads every row once
        for access in sorted(reduce.value.atoms(Access), key=str) if reduce else ():
            array = arrays[access.array]
            if reduce is None or array.role != "data" or len(array.axes) != 2:
                continue
            batch = Array(f"{array.name}B", array.axes, "work")
            arrays[batch.name] = batch
            read = Access(batch.name, *access.indices)
            if not copied:
                origin = Origin(reduce.origin.label, f"{batch.name} is the batch's part of {array.name}")
                statements.append(Map(read, _loops_of(access, reduce), access, origin, copies=True))
                copied = True
            reduce = replace(reduce, value=reduce.value.xreplace({access: read}))
        statements.append(_with(statement, reduce) if reduce else statement)
    used = {a.array for statement in statements for a in statement.accesses()}
    return replace(
        kernel,
        arrays=tuple(a for a in arrays.values() if a.name in used or a.role != "data"),
        statements=tuple(statements),
    )


def _contraction(statement: Statement) -> Reduce | None:
    """Return the product of matrices that a statement is, or begins with."""
    reduce = statement.reduce if isinstance(statement, Fused) else statement
    return reduce if isinstance(reduce, Reduce) and reduce.is_contraction else None


def _with(statement: Statement, reduce: Reduce) -> Statement:
    """Return the statement with another contraction in it."""
    return replace(statement, reduce=reduce) if isinstance(statement, Fused) else reduce


def _loops_of(access: Access, reduce: Reduce) -> tuple[Loop, ...]:
    extents = {loop.index: loop for loop in (*reduce.loops, *reduce.over)}
    return tuple(extents[index] for index in access.indices)


# Weights the other way round -----------------------------------------------------------------


def turn_weights(program: Program, schedule: Schedule) -> Program:
    """Give products along the rows of W_k a transposed copy, bias and all, so neurons lie side by side."""
    turned = (*OF_BATCHES, *OF_ONE)
    return replace(
        program, kernels=tuple(_turned(k, schedule) if k.name in turned else k for k in program.kernels)
    )


def _turned(kernel: Kernel, schedule: Schedule) -> Kernel:
    statements: list[Statement] = []
    arrays = {array.name: array for array in kernel.arrays}
    for statement in kernel.statements:
        reduce = _contraction(statement)
        reads = reduce.value.atoms(Access) if reduce else ()
        weights = [a for a in reads if arrays[a.array].role == "weights"]
        if reduce and len(weights) == 1 and weights[0].indices[0] == reduce.target.indices[-1]:
            (access,) = weights
            rows, columns = arrays[access.array].axes
            copy = Array(access.array.replace("W", "V"), (columns, schedule.padded(int(rows))), "work")
            arrays[copy.name] = copy
            r, s = access.indices
            origin = Origin(reduce.origin.label, f"{copy.name} is the transpose of {access.array}")
            loops = (Loop(s, columns), Loop(r, rows))
            statements.append(Map(Access(copy.name, s, r), loops, access, origin, copies=True))
            same = [a for a in reduce.accesses() if a.array == access.array]
            read = {a: Access(copy.name, *reversed(a.indices)) for a in same}
            initial = None if reduce.initial is None else reduce.initial.xreplace(read)
            reduce = replace(reduce, value=reduce.value.xreplace(read), initial=initial)
            statement = _with(statement, reduce)
        statements.append(statement)
    used = {a.array for statement in statements for a in statement.accesses()}
    return replace(
        kernel, arrays=tuple(a for a in arrays.values() if a.name in used), statements=tuple(statements)
    )


# Tiles ---------------------------------------------------------------------------------------


def tile_contractions(program: Program, schedule: Schedule) -> Program:
    """Choose the blocks of every contraction that has the form above."""
    rows = dict.fromkeys(OF_BATCHES, CHUNK) | dict.fromkeys(OF_STEPS, schedule.batch_size)
    rows |= dict.fromkeys(OF_ONE, 1)

    def tiled(kernel: Kernel) -> Kernel:
        if kernel.name not in rows:
            return kernel
        statements = (_tiled(x, kernel, schedule, rows[kernel.name]) for x in kernel.statements)
        return replace(kernel, statements=tuple(statements))

    return replace(program, kernels=tuple(map(tiled, program.kernels)))


def _tiled(statement: Statement, kernel: Kernel, schedule: Schedule, samples: int) -> Statement:
    reduce = _contraction(statement)
    if reduce is None or not is_tileable(reduce, kernel):
        return statement
    columns = reduce.loops[-1]
    rows = reduce.loops[0] if len(reduce.loops) == 2 else None
    widths = block_widths(int(columns.extent), schedule)
    height = 1 if rows is None else block_height(rows.extent, widths[0], schedule, samples)
    chains = block_chains(reduce, height, widths[0], schedule)
    return _with(statement, replace(reduce, tile=Tile(rows, columns, height, widths, schedule.lanes, chains)))


def block_chains(reduce: Reduce, height: int, width: int, schedule: Schedule) -> int:
    """Return into how many sums each of a small block is divided: as many as products can be under way."""
    length = reduce.over[0].extent
    if length == ROWS:
        return 1
    under_way = height * -(-width // schedule.lanes)
    most = min(schedule.target.products // under_way, int(length) // 2, CHAINS)
    return max(1, 2 ** (most.bit_length() - 1)) if most > 0 else 1


def factors(statement: Reduce) -> tuple[Access | None, Access]:
    """Return A and B of a contraction; A is None where the sum is one of B alone."""
    last = statement.loops[-1].index
    found = Mul.make_args(statement.value)
    (along,) = (f for f in found if last in f.indices)
    others = [f for f in found if last not in f.indices]
    return (others[0] if others else None), along


def is_tileable(statement: Reduce, kernel: Kernel) -> bool:
    """Whether a sum is a product of two matrices (or one, summed) with neighbours side by side."""
    found = Mul.make_args(statement.value)
    if not statement.is_contraction or len(statement.over) != 1 or len(found) > 2 or not statement.loops:
        return False
    if len(set(found)) != len(found) or len(statement.loops) > 2 or len(statement.target.indices) != 2:
        return False
    columns, over = statement.loops[-1], statement.over[0]
    along = [f for f in found if columns.index in f.indices]
    beside = [statement.target, *along, *(statement.initial.atoms(Access) if statement.initial else ())]
    roles = {kernel.array(access.array).role for access in (*found, statement.target)}
    return (
        columns.extent != ROWS
        and len(along) == 1
        and along[0].indices == (over.index, columns.index)
        and all(access.indices[-1] == columns.index for access in beside)
        and all(len(f.indices) == 2 for f in found)
        and roles <= {"work", "weights", "gradient", "register", "argument", "data"}
    )


def block_widths(columns: int, schedule: Schedule) -> tuple[int, ...]:
    """Return the columns of the blocks: two registers each, the last up to three where there are many."""
    lanes = schedule.lanes
    count = -(-columns // lanes)
    whole, rest = divmod(count, 2)
    if rest and whole and schedule.target.registers >= 32:
        whole, rest = whole - 1, rest + 2  # three registers rather than one with nothing beside it
    widths = [2 * lanes] * whole + ([rest * lanes] if rest else [])
    widths[-1] -= count * lanes - columns
    return tuple(widths)


def block_height(rows: Extent, width: int, schedule: Schedule, samples: int) -> int:
    """Return how many rows a block holds: few instructions, and few rows that nobody wants."""
    across = -(-width // schedule.lanes)
    registers = schedule.target.registers
    # One register for each number of the block, one for each of a row of B, one for a number of A.
    highest = min((registers - across - 1) // across, HIGHEST if across > 1 else HIGHEST_OF_ONE)
    count = samples if rows == ROWS else int(rows)

    def rounds(height: int) -> int:
        """Half cycles for one step of the sum: products, loads, or waiting for products; and to count it."""
        return max(height * across, height + across, schedule.target.products) + 1

    def cost(height: int) -> tuple[float, int, int]:
        whole, rest = divmod(count, height)
        if rows == ROWS:  # the last block reaches beyond the samples
            return (-(-count // height) * rounds(height), -count % height, -height)
        lines = 0.3 * rounds(highest) * bool(rest)
        return (whole * rounds(height) + (rounds(rest) if rest else 0) + lines, bool(rest), -height)

    heights = list(range(1, highest + 1))
    if rows == ROWS and samples >= DIVIDED:
        even = _EVEN if highest >= max(_EVEN) else _EVEN_OF_FEW
        heights = [height for height in even if height <= highest]
    return min(heights, key=cost)

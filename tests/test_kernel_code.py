"""What the compiler makes of the kernels, counted in the assembly: nothing here depends on a clock.

For each network of the benchmark and each kind of machine: products are multiply-adds of whole registers,
a block in registers has no more loads than its rows and columns, nothing in it goes to the stack or is
called, and no number is computed alone.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from unittest import mock

import pytest

from symbp.bench.workloads import STANDARD, WORKLOADS
from symbp.derivation.derive import derive
from symbp.network import Dense, Network
from symbp.plan import tiles
from symbp.plan.passes import make_plan
from symbp.plan.program import ROWS, Fused, Reduce, parts_of
from symbp.plan.resident import resident_rows
from symbp.plan.tiles import RESIDENT, Schedule
from symbp.render import selftest
from symbp.render.tile_printer import pieces
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from symbp.target import PORTABLE, TARGETS
from tests import assembly
from tests.assembly import MACHINES, Loop, loops, loops_of, module_of

NAMES = [workload.name for workload in STANDARD]
# As wide as two registers, as one and a bit, and narrower than one.
ODD = Network(
    48, [Dense(64, "relu"), Dense(45, "leaky_relu"), Dense(10, "softmax")], "cross_entropy", name="odd"
)
NETWORKS = {name: WORKLOADS[name].network() for name in NAMES} | {"odd": ODD}
# Sums of so few terms are written out by the compiler: no loop is left.
FEW = 16


@cache
def derivation(name):
    return derive(NETWORKS[name])


def batch(name):
    return WORKLOADS[name].batch if name in WORKLOADS else 32


@cache
def vector(name):
    """The test vector of a trainer, which is the same for all machines; no kernel depends on it."""
    return selftest.test_vector(NETWORKS[name], TrainOptions(dtype="float32", batch_size=batch(name)))


@cache
def source(name, target):
    options = TrainOptions(target=target, dtype="float32", batch_size=batch(name))
    with mock.patch("symbp.render.writer.test_vector", return_value=vector(name)):
        return trainer_source(derivation(name), Spec(NETWORKS[name], options), prove=False)


@cache
def compiled(name, target, kernel):
    return loops_of(module_of(source(name, target), f"{name}_{target}"), kernel, target)


def planned(name, target):
    return make_plan(derivation(name), Schedule(TARGETS[target], "float32", batch(name)))


program_of = cache(planned)


def blocks(name, target, kernel, program=None):
    """The blocks of a kernel's products that are loops: rows, registers of a row, sums of each, reads.

    A part of a register takes one read more where its mask is a vector (AVX2) that has no register of
    its own.
    """
    program = program or program_of(name, target)
    found = []
    for statement in program.kernel(kernel).statements if kernel in {k.name for k in program.kernels} else ():
        reduce = parts_of(statement)[0]
        if not isinstance(reduce, Reduce) or reduce.tile is None or tiles.factors(reduce)[0] is None:
            continue  # a sum without products has additions
        tile, length = reduce.tile, reduce.over[0].extent
        if length != ROWS and int(length) <= FEW:
            continue
        heights = [tile.height]
        if tile.rows is not None and tile.rows.extent != ROWS:
            heights = sorted(set(pieces(int(tile.rows.extent), tile.height)))
        for height, width in itertools.product(heights, sorted(set(tile.widths))):
            across, is_partial = math.ceil(width / tile.lanes), width % tile.lanes > 0
            more = int(is_partial and target == "x86-64-v3")
            found.append((height, across, tile.chains, height + across + more))
    return found


def fits(loop: Loop, block: tuple[int, int, int, int]) -> bool:
    """Whether a loop is a block's: its products, in one round or several, and no more reads than it needs."""
    height, across, chains, reads = block
    rounds, rest = divmod(loop.products, height * across * chains)
    return bool(rounds) and not rest and loop.reads <= rounds * chains * reads and is_clean(loop)


def is_clean(loop: Loop) -> bool:
    return not (loop.calls or loop.single or loop.spilled)


def check(found: list[Loop], wanted: list[tuple[int, int, int, int]]) -> None:
    """Every block has a loop, there are as many loops as blocks, and nowhere is anything called."""
    for block in wanted:
        assert any(fits(loop, block) for loop in found), (block, [x.text for x in found if x.products])
    assert sum(any(fits(loop, block) for block in wanted) for loop in found) >= len(wanted)
    for loop in found:
        assert not loop.calls, loop.text
        assert not (loop.products and loop.single), loop.text


# The networks that have, on a machine, every block that any network of the benchmark has there. One
# machine is enough for odd widths: they are others for the registers of each in any case.
COMPILED = {
    "x86-64-v4": ("W2", "W3", "odd"),
    "x86-64-v3": ("W2", "W3", "W6"),
    "aarch64": ("W2", "W3", "W6"),
}
KERNELS = ("measure", "back", "descend")


@pytest.mark.parametrize("target", MACHINES)
def test_every_block_of_the_benchmark_is_compiled(target):
    """Which blocks there are is known without compiling them; activations are compared by layers."""

    def has(name):
        found = {(kernel, block) for kernel in KERNELS for block in blocks(name, target, kernel)}
        return found | {layer.activation.name for layer in NETWORKS[name].layers}

    everything = set().union(*(has(name) for name in NAMES if name != "W1"))
    assert everything <= set().union(*map(has, COMPILED[target]))


@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for target, names in COMPILED.items() for name in names]
)
def test_products_are_blocks_of_whole_registers(name, target):
    wanted = 0
    for kernel in KERNELS:
        if (expected := blocks(name, target, kernel)) or kernel == "measure":
            check(compiled(name, target, f"_{kernel}"), expected)
            wanted += len(expected)
    assert wanted >= len(NETWORKS[name].layers)


def test_products_of_turned_blocks_are_one_loop():
    """10 outputs in 16 lanes: a product of each neuron below with each output, few registers put aside."""
    lanes, outputs = TARGETS["x86-64-v4"].lanes("float32"), NETWORKS["W3"].sizes[-1]
    (loop,) = [x for x in compiled("W3", "x86-64-v4", "_measure") if x.products == lanes * outputs]
    assert not loop.calls, loop.text
    assert not loop.single, loop.text
    assert loop.reads <= loop.products + lanes + loop.spilled, loop.text  # each weight, and each row, once
    assert loop.spilled <= 2 * lanes, loop.text  # while the block is turned


@pytest.mark.parametrize("target", MACHINES)
def test_a_step_of_one_sample_is_one_loop(target):
    """W1: nothing is written to arrays, and what goes to the stack goes there once, where there is room."""
    program = make_plan(derivation("W1"), Schedule(TARGETS[target], "float32", 1))
    assert program.kernel(RESIDENT)
    (step,) = [loop for loop in compiled("W1", target, "_epoch_in_registers") if loop.products]
    assert not step.calls, step.text
    assert not step.single, step.text
    if target == "x86-64-v4":
        weights = sum(rows.registers(16) for rows in resident_rows(program))
        assert weights + 4 < TARGETS[target].registers
        assert step.stored <= weights + 4, step.text  # constants of exp and log take registers, too
        assert step.stored == step.written, step.text


# That it would be noticed ----------------------------------------------------------------------


def test_a_block_that_is_too_large_is_noticed(monkeypatch):
    """Twice as many rows as there are registers for."""
    monkeypatch.setattr(
        tiles, "block_height", lambda rows, width, schedule, samples: 32 // math.ceil(width / 16)
    )
    text = trainer_source(
        derivation("W3"),
        Spec(NETWORKS["W3"], TrainOptions(target="x86-64-v4", dtype="float32", batch_size=32)),
        prove=False,
    )
    found = loops_of(module_of(text, "large"), "_descend", "x86-64-v4")
    expected = blocks("W3", "x86-64-v4", "descend", planned("W3", "x86-64-v4"))
    assert any(loop.spilled for loop in found)
    with pytest.raises(AssertionError):
        check(found, expected)


def test_a_function_that_is_called_is_noticed():
    options = TrainOptions(target="x86-64-v4", dtype="float32", batch_size=32, elementary="libm")
    text = trainer_source(derivation("W2"), Spec(NETWORKS["W2"], options), prove=False)
    with pytest.raises(AssertionError, match="call"):
        check(loops_of(module_of(text, "called"), "_measure", "x86-64-v4"), [])


def test_numbers_one_by_one_are_noticed():
    """Kernels as they are without vectors: NumPy's loops in place of registers."""
    assert blocks("W3", "x86-64-v4", "measure")
    one = Loop(0, 3, 4, 0, 0, 0, 0, "four products of single numbers")
    with pytest.raises(AssertionError):
        check([one], blocks("W3", "x86-64-v4", "measure"))


X86 = """
outer:
\tvmovaps\t%zmm1, %zmm2
inner:
\tvfmadd231ps\t(%rax){1to16}, %zmm2, %zmm3
\tvmovups\t%zmm3, 64(%rsp)
\tvfmadd231ss\t%xmm1, %xmm2, %xmm3
\tcallq\t*%rax
\tjne\tinner
\tjne\touter
"""
ARM = """
outer:
\tmov\tv1.16b, v2.16b
inner:
\tldr\tq0, [x1], #16
\tldr\tq7, [sp, #32]
\tfmla\tv3.4s, v1.4s, v0.s[1]
\tfmadd\ts1, s2, s3, s4
\tstr\tq3, [sp, #64]
\tbl\tsomewhere
\tb.ne\tinner
\tcbnz\tx0, outer
"""


@pytest.mark.parametrize(("text", "target", "reads"), [(X86, "x86-64-v4", 1), (ARM, "aarch64", 2)])
def test_the_reader_knows_what_it_sees(text, target, reads):
    (loop,) = loops(text, MACHINES[target][2])
    assert (loop.products, loop.reads, loop.single, loop.calls, loop.stored, loop.written) == (
        1,
        reads,
        1,
        1,
        1,
        1,
    )
    assert loop.spilled == reads
    assert not is_clean(loop)


def test_other_machines_have_other_instructions():
    assert set(MACHINES) == set(TARGETS) - {PORTABLE.name}
    assert assembly.assembly("define void @f() {\n  ret void\n}\n", "aarch64").count("ret") >= 1


def test_portable_text_has_no_intrinsics():
    program = make_plan(derivation("odd"), Schedule(PORTABLE, "float32", 32))
    assert not any(isinstance(s, Fused) for k in program.kernels for s in k.statements)

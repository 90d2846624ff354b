"""What the compiler makes of the kernels, counted in the assembly: nothing here depends on a clock."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import symbp
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.plan.program import Fused, Reduce, parts_of
from symbp.plan.tiles import Schedule
from symbp.target import PORTABLE, host
from tests.needs import missing

# As wide as two registers, as one and a bit, and narrower than one, on every machine.
NETWORK = Network(48, [Dense(64, "relu"), Dense(45, "leaky_relu"), Dense(10, "softmax")], "cross_entropy")
BATCH = 32
REGISTERS = {256: "ymm", 512: "zmm"}

_LABEL = re.compile(r"^(\.?\w+):")
_JUMP = re.compile(r"^\s+j\w+\s+(\.?\w+)")
_PRODUCT = re.compile(r"^\s+vfn?m(?:add|sub)\d+([ps]s)\s")


def loops(assembly: str) -> list[list[str]]:
    """Return the innermost loops: from a label to the jump back to it, with no other loop inside."""
    lines = assembly.splitlines()
    places = {found[1]: n for n, line in enumerate(lines) if (found := _LABEL.match(line))}
    ends = [(places[j[1]], n) for n, line in enumerate(lines) if (j := _JUMP.match(line)) and j[1] in places]
    backward = [(start, end) for start, end in ends if start < end]
    inner = [a for a in backward if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in backward)]
    return [lines[start : end + 1] for start, end in inner]


@pytest.fixture(scope="module")
def machine():
    target = host()
    if target.vector_bits not in REGISTERS:
        missing(f"{target.title}: assembly is read for processors with AVX2 or AVX-512 only")
    return target


@pytest.fixture(scope="module")
def assembly(machine, tmp_path_factory):
    """The assembly of the parts of a step, by name."""
    path = tmp_path_factory.mktemp("code") / "trainer.py"
    module = symbp.generate(NETWORK, path, prove=False, dtype="float32", batch_size=BATCH).module
    X = np.zeros((BATCH, 48), np.float32)
    module.fit(module.init_params(0), X, np.zeros(BATCH, int), epochs=1)
    return {
        name: next(iter(getattr(module, name).inspect_asm().values()))
        for name in ("_measure", "_back", "_descend")
    }


def products(loop):
    return Counter(found[1] for line in loop if (found := _PRODUCT.match(line)))


def spread(loop):
    return sum("vbroadcast" in line or "{1to" in line for line in loop)


@pytest.mark.parametrize(
    ("kernel", "name"), [("measure", "_measure"), ("back", "_back"), ("descend", "_descend")]
)
def test_sums_are_multiply_adds_of_whole_registers(assembly, machine, kernel, name):
    schedule = Schedule(machine, "float32", BATCH)
    program = make_plan(symbp.derive(NETWORK), schedule)
    tiles = [
        part.tile
        for statement in program.kernel(kernel).statements
        for part in parts_of(statement)
        if isinstance(part, Reduce) and part.tile is not None and part.tile.rows is not None
    ]
    assert len(tiles) == {"measure": 3, "back": 2, "descend": 3}[kernel]
    # Numbers of A are spread over registers, or read so by the product itself: exp has no such thing.
    least = min(tile.height for tile in tiles)
    blocks = [loop for loop in loops(assembly[name]) if spread(loop) >= least <= products(loop)["ps"]]
    assert len(blocks) >= len(tiles)
    register = REGISTERS[machine.vector_bits]
    for loop in blocks:
        text = "\n".join(loop)
        assert products(loop)["ss"] == 0, text
        assert all(register in line for line in loop if _PRODUCT.match(line)), text
        assert "call" not in text, text
        spilled = [line for line in loop if "(%rsp)" in line and "mm" in line]
        assert not spilled, text


def test_a_spill_and_a_call_would_be_seen():
    """The reader of assembly knows an innermost loop when it sees one."""
    text = """
outer:
\tvmovaps\t%zmm1, %zmm2
inner:
\tvfmadd231ps\t%zmm1, %zmm2, %zmm3
\tvmovups\t%zmm3, 64(%rsp)
\tcallq\t*%rax
\tjne\tinner
\tjne\touter
"""
    (loop,) = loops(text)
    assert len(loop) == 5
    assert products(loop) == {"ps": 1}
    assert any("(%rsp)" in line for line in loop)


def test_portable_text_has_no_intrinsics():
    program = make_plan(symbp.derive(NETWORK), Schedule(PORTABLE, "float32", BATCH))
    assert not any(isinstance(s, Fused) for k in program.kernels for s in k.statements)

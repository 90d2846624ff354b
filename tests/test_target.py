"""Machines that kernels are laid out for: names, choice of blocks, the record of it, text and values."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import symbp
from symbp.cli import main
from symbp.errors import SpecError
from symbp.network import Dense, Network
from symbp.plan.explain import explain, table
from symbp.plan.passes import make_plan
from symbp.plan.tiles import SPARE, Schedule, block_height, block_widths
from symbp.render.writer import trainer_source
from symbp.run.load import load
from symbp.spec import Spec, TrainOptions
from symbp.target import NAMES, TARGETS, host, target_of
from tests.oracle import Oracle

NETWORK = Network(5, [Dense(17, "relu"), Dense(3, "softmax")], "cross_entropy", name="seventeen")
SPEC = """
[network]
inputs = 5
cost = "cross_entropy"
layers = [{units = 17, activation = "relu"}, {units = 3, activation = "softmax"}]
[train]
dtype = "float32"
target = "x86-64-v4"
"""
VECTORS = [target for target in TARGETS.values() if target.vector_bits]


def schedule(name, dtype="float32", batch=32):
    return Schedule(TARGETS[name], dtype, batch)


# Names ---------------------------------------------------------------------------------------


def test_host_is_one_of_the_named():
    assert host() in TARGETS.values()
    assert target_of("host") == host()


@pytest.mark.parametrize("target", ["x86", "", 3, None, "HOST"])
def test_unknown_names(target):
    with pytest.raises(SpecError, match=r"expected host \(this machine\), portable"):
        TrainOptions(target=target)


def test_the_text_names_the_machine_and_reads_back():
    spec = Spec(NETWORK, TrainOptions())
    text = trainer_source(symbp.derive(NETWORK), spec, prove=False)
    assert f", target {host().name}\n" in text
    assert f'target = "{host().name}"' in text  # in SPEC: the same text on the next machine
    assert spec.train.target == "host"
    assert Spec.from_text(spec.to_toml()) == spec


@pytest.mark.parametrize("name", NAMES)
def test_portable_is_the_only_one_without_intrinsics(name):
    spec = Spec(NETWORK, TrainOptions(target=name))
    text = trainer_source(symbp.derive(NETWORK), spec, prove=False)
    has = {word in text for word in ("llvmlite", "intrinsic", "class Vec")}
    assert has == {target_of(name) is not TARGETS["portable"]}


# Blocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", VECTORS, ids=lambda target: target.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_fit_the_registers(target, dtype):
    for columns in (*range(1, 140), 500, 512, 784, 1000):
        chosen = Schedule(target, dtype, 32)
        widths = block_widths(columns, chosen)
        assert sum(widths) == columns
        # All but the last fill their registers.
        assert all(width % chosen.lanes == 0 for width in widths[:-1])
        assert sum(-(-width // chosen.lanes) for width in widths) == -(-columns // chosen.lanes)
        across = max(-(-width // chosen.lanes) for width in widths)
        for rows, samples in (("rows", 1), ("rows", 3), ("rows", 32), ("rows", 10_000), (7, 32), (784, 32)):
            height = block_height(rows, max(widths), chosen, samples)
            assert 1 <= height <= SPARE + 1
            assert height * across + across + 1 <= target.registers


def test_no_cliff_between_neighbouring_widths():
    """Rounds of the inner loop for each column, from one width to the next."""
    chosen = schedule("x86-64-v4")
    for columns in range(33, 300):
        registers = [sum(-(-w // 16) for w in block_widths(n, chosen)) / n for n in (columns, columns + 1)]
        assert registers[1] <= 1.5 * registers[0]


def test_the_spec_decides_the_blocks():
    one, many = (make_plan(symbp.derive(NETWORK), schedule("x86-64-v4", batch=n)) for n in (1, 32))
    heights = [
        next(s for s in program.kernel("measure").statements if getattr(s, "reduce", None)).reduce.tile.height
        for program in (one, many)
    ]
    assert heights == [1, 8]


# The record ----------------------------------------------------------------------------------


def test_the_record_tells_shape_tile_and_what_is_fused():
    chosen = schedule("x86-64-v4")
    choices = explain(make_plan(symbp.derive(NETWORK, "adam"), chosen), chosen)
    first = next(c for c in choices if c.shape)
    assert (first.kernel, first.label, first.shape) == ("measure", "2.6b, k=1", (32, 17, 5))
    assert first.tile == "8 rows x 2 registers"
    assert first.fused == ("1.3, k=1",)
    assert first.share == pytest.approx(17 / 32)  # 17 of 32 lanes
    gradient = next(c for c in choices if c.label == "D.6a, k=2" and c.shape)
    assert gradient.fused[-1].startswith("2.2")
    assert gradient.operations.multiplications >= 32 * 17 * 3
    text = table(choices, chosen)
    assert text.startswith("target x86-64-v4 (x86-64 with AVX-512): 512-bit vectors, 32 registers")
    assert all(len(line) < 200 for line in text.splitlines())
    blocks = [c for c in choices if c.shape]
    share = sum(math.prod(c.shape) for c in blocks) / sum(math.prod(c.shape) / c.share for c in blocks)
    assert f" operations; the blocks alone can reach {100 * share:.0f} % of the peak\n" in text
    assert "peak: share of the machine's multiply-adds" in text


def test_loops_of_several_equations_name_them_all():
    """The update of plain loops is one loop nest: its equations after the first were missing."""
    chosen = schedule("portable")
    choices = explain(make_plan(symbp.derive(NETWORK, "adam"), chosen), chosen)
    update = next(c for c in choices if c.label == "2.2.1")
    assert update.fused == ("2.2.2", "2.2.3", "2.2.4", "2.2.5")
    assert update.operations.functions  # the root of 2.2.5 is counted here
    assert table(choices, chosen).splitlines()[1].startswith("float32, batches of 32; ")


def test_blocks_side_by_side_stand_in_brackets():
    chosen = schedule("x86-64-v3")
    wide = symbp.Network(5, [symbp.Dense(45, "tanh"), symbp.Dense(1)], "squared_error", name="wide")
    tiles = {c.tile for c in explain(make_plan(symbp.derive(wide), chosen), chosen)}
    assert any(re.fullmatch(r"\d+ rows x \(\d x \d( \+ \d)?\) registers", tile) for tile in tiles)
    assert any(tile.startswith("1 row x ") for tile in tiles)


def test_explain_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toml").write_text(SPEC)
    assert main(["generate", "net.toml", "--explain"]) == 0
    assert "8 rows x 2 registers" in capsys.readouterr().out
    assert main(["generate", "net.toml", "--explain", "--target", "portable"]) == 0
    out = capsys.readouterr().out
    assert "target portable (plain loops for any machine)" in out
    assert "registers" not in out
    assert [path.name for path in tmp_path.iterdir()] == ["net.toml"]  # nothing is written
    assert main(["generate", "net.toml", "--target", "avx9"]) == 2
    assert "target = 'avx9': expected host (this machine), portable" in capsys.readouterr().err


# Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aarch64", "x86-64-v4"])
def test_compiled_for_another_machine_it_is_right_here(name, tmp_path):
    """LLVM splits or widens registers that a machine does not have."""
    trainer = symbp.generate(NETWORK, tmp_path / "trainer.py", prove=False, target=name, batch_size=4)
    rng = np.random.default_rng(0)
    w, X = trainer.init_params(0) + 0.1, rng.normal(size=(7, 5))
    labels = rng.integers(3, size=7)
    oracle = Oracle.of(NETWORK)
    np.testing.assert_allclose(trainer.predict(w, X), oracle.predict(w, X), rtol=1e-12)
    expected = w.copy()
    for rows in (slice(0, 4), slice(4, 7)):
        expected -= 0.1 * oracle.gradient(expected, X[rows], np.eye(3)[labels[rows]])
    found, _ = trainer.fit(
        w, X, labels, epochs=1, batch_size=4, learning_rate=0.1, shuffle=False, progress=False
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    bad = X.copy()
    bad[1, 2] = np.nan
    assert np.isnan(trainer.predict(w, bad)).any(axis=1).tolist() == [False, True] + 5 * [False]
    assert load(tmp_path / "trainer.py").spec.train.target == name

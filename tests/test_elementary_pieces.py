"""Functions in pieces: tables are what the script fits, bits find the piece, mistakes are noticed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import mpmath
import numpy as np
import pytest

from symbp.bench.exact import errors, exact, points
from symbp.derivation.derive import derive
from symbp.elementary import FUNCTIONS, calls, expand
from symbp.elementary.constants import PIECES, constants
from symbp.elementary.measured import measured
from symbp.elementary.pieces import PATH, TABLES, ends, pieces, place, text
from symbp.elementary.records import FORMATS
from symbp.network import Dense, Network
from symbp.render.elementary import functions, tables
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from tests import plain_vectors

NAME, TABLE, DTYPE = "tanh_by_pieces", "TANH_PIECES", "float32"


def worst(x: np.ndarray, name: str = NAME) -> float:
    """Return the largest error of the emitted text, run by NumPy."""
    space = plain_vectors.functions(PIECES) | {"F": np.float32, "math": np}
    (function,) = functions([name], DTYPE, vectors=True)
    (table,) = tables([name], DTYPE)
    space[table["name"]] = np.array([eval(f"[{' '.join(row)}]") for row in table["rows"]], DTYPE)
    lines = "\n    ".join(function["lines"])
    exec(f"def {name}(x):\n    {lines}", space)
    with np.errstate(all="ignore"):
        return float(errors(space[name](x), *exact(name, x)).max())


def test_the_committed_tables_are_what_the_script_fits():
    assert PATH.read_text(encoding="utf-8") == text(), "run 'make coefficients'"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_numbers_of_its_format_and_is_good_enough(name):
    for dtype, degree in TABLES[name].degree.items():
        found = pieces(dtype)[name]
        assert len(found.rows) == degree + 2
        assert all(len(row) == PIECES for row in found.rows)
        assert all(FORMATS[dtype].round(number) == number for row in found.rows for number in row)
        # Constants are rounded, too: half a unit of the value's, which is twice as much just above 2^-n.
        assert found.error < 0.75 * 2.0 ** -FORMATS[dtype].bits


def test_the_bits_find_the_piece():
    """Between the ends of each, and up to the last number."""
    known, borders = constants(DTYPE), ends(DTYPE)
    for number, (low, high) in enumerate(itertools.pairwise(borders)):
        high = min(float(high), known["PIECES_END"])
        a = np.linspace(float(low), high, 1001)[1 if number else 0 :][:-1].astype(DTYPE)
        a = np.append(a, np.float32(high)) if number == PIECES - 1 else a
        scaled = a * np.float32(known["PIECES_SCALE"]) + np.float32(1)
        found = (scaled.view(np.int32) >> known["PIECES_SHIFT"]) % PIECES
        assert np.mean(found == place(number)) > 0.99  # at its ends rounding may choose the neighbour
        assert set(found) <= {place(number), place(number + 1), place(number - 1)}
    assert found[-1] == place(PIECES - 1)


def test_beyond_the_end_it_is_one():
    end = constants(DTYPE)["PIECES_END"]
    assert np.float32(mpmath.tanh(end)) == 1
    assert np.float32(float(mpmath.tanh(end - 1 / 16))) < 1  # and it is no further away than need be


def test_a_wrong_row_is_noticed(monkeypatch):
    x = points(NAME, DTYPE, 3000, seed=2)
    allowed, right = measured()[NAME, DTYPE].worst, pieces(DTYPE)[TABLE]
    assert worst(x) <= allowed
    for wrong in range(len(right.rows)):
        rows = tuple(tuple(c * 1.25 for c in row) if n == wrong else row for n, row in enumerate(right.rows))
        changed = {TABLE: replace(right, rows=rows)}
        for module in (expand, "symbp.render.elementary"):
            target = module if isinstance(module, str) else module.__name__
            monkeypatch.setattr(f"{target}.pieces", lambda dtype, changed=changed: changed)
        assert worst(x) > allowed, wrong


def test_a_wrong_piece_is_noticed(monkeypatch):
    x = points(NAME, DTYPE, 3000, seed=2)
    allowed, right = measured()[NAME, DTYPE].worst, pieces(DTYPE)[TABLE]
    for wrong in range(PIECES):
        rows = tuple(
            tuple(row[(k + 3) % PIECES] if k == wrong else c for k, c in enumerate(row)) for row in right.rows
        )
        changed = {TABLE: replace(right, rows=rows)}
        monkeypatch.setattr("symbp.render.elementary.pieces", lambda dtype, changed=changed: changed)
        assert worst(x) > allowed, wrong


@pytest.mark.parametrize(
    ("constant", "wrong"), [("PIECES_END", 8.0), ("PIECES_SCALE", 1.6), ("PIECES_SHIFT", 20)]
)
def test_a_wrong_constant_is_noticed(constant, wrong, monkeypatch):
    x = points(NAME, DTYPE, 3000, seed=2)
    right = constants(DTYPE)
    assert right[constant] != wrong
    monkeypatch.setattr(expand, "constants", lambda dtype: {**right, constant: wrong})
    assert worst(x) > measured()[NAME, DTYPE].worst


@pytest.mark.parametrize(
    ("target", "dtype", "name"),
    [
        ("x86-64-v4", "float32", "tanh_by_pieces"),
        ("x86-64-v4", "float64", "tanh"),
        ("x86-64-v3", "float32", "tanh"),
        ("aarch64", "float32", "tanh"),
        ("portable", "float32", "tanh"),
    ],
)
def test_registers_of_sixteen_numbers_look_up(target, dtype, name):
    network = Network(2, [Dense(3, "tanh"), Dense(1)], "half_squared_error", name="pieces")
    options = TrainOptions(dtype=dtype, target=target)
    source = trainer_source(derive(network, options.training), Spec(network, options), prove=False)
    assert f"\ndef {name}(x):" in source
    for word in (f"\n{TABLE} = np.array([", "\ndef lookup(", "\ndef _at_once("):
        assert (word in source) is (name == NAME)


def test_a_row_is_what_it_says():
    for lane, number in enumerate(pieces(DTYPE)["EXP_ROOTS"].rows[0]):
        assert abs(mpmath.log(number, 2) - mpmath.mpf(lane) / PIECES) < 2.0**-24 / mpmath.log(2)


@pytest.mark.parametrize(
    ("constant", "factor"),
    [("ROOT_HIGH", 1.001), ("ROOT_LOW", 1.25), ("ROOTS_MAGIC", 1 + 2.0**-19), ("ROOTS_LOG2_E", 1.25)],
)
def test_a_wrong_constant_of_exp_is_noticed(constant, factor, monkeypatch):
    x = np.linspace(-80, 80, 4001).astype(DTYPE)
    right, allowed = constants(DTYPE), measured()["exp_by_roots", DTYPE].worst
    assert worst(x, "exp_by_roots") <= allowed
    monkeypatch.setattr(expand, "constants", lambda dtype: {**right, constant: right[constant] * factor})
    assert worst(x, "exp_by_roots") > allowed


@pytest.mark.parametrize("lane", range(PIECES))
def test_a_wrong_root_is_noticed(lane, monkeypatch):
    x, right = np.linspace(-2, 2, 401).astype(DTYPE), pieces(DTYPE)
    (row,) = right["EXP_ROOTS"].rows
    wrong = tuple(c * (1 + 2.0**-22) if k == lane else c for k, c in enumerate(row))
    changed = {**right, "EXP_ROOTS": replace(right["EXP_ROOTS"], rows=(wrong,))}
    monkeypatch.setattr("symbp.render.elementary.pieces", lambda dtype: changed)
    assert worst(x, "exp_by_roots") > measured()["exp_by_roots", DTYPE].worst


@pytest.mark.parametrize(("batch_size", "name"), [(1, "exp_by_roots"), (2, "exp")])
def test_one_sample_at_a_time_has_the_shorter_chain(batch_size, name):
    network = Network(2, [Dense(3, "softmax")], "cross_entropy", name="roots")
    options = TrainOptions(dtype=DTYPE, target="x86-64-v4", batch_size=batch_size)
    source = trainer_source(derive(network, options.training), Spec(network, options), prove=False)
    assert f"\ndef {name}(x):" in source
    assert ("\nEXP_ROOTS = np.array([" in source) is (batch_size == 1)


def test_a_function_in_pieces_computes_the_same_calls():
    assert calls(PIECES)["tanh"].name == NAME
    assert calls(PIECES // 2)["tanh"] is calls()["tanh"] is FUNCTIONS["tanh"]
    assert FUNCTIONS[NAME].value == FUNCTIONS["tanh"].value
    assert set(calls(PIECES)) == set(calls(PIECES, alone=True)) == set(calls())

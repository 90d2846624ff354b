"""The numbers of the elementary functions: polynomials are what the script fits, constants what they say."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

from symbp.elementary import FITS, FUNCTIONS
from symbp.elementary.constants import TURNS, bits_of, constants, split
from symbp.elementary.expand import code, literal, with_used
from symbp.elementary.fit import PATH, fit, polynomials, text
from symbp.elementary.records import DTYPES, FORMATS
from symbp.elementary.remez import DIGITS, Grid, minimax
from symbp.elementary.tables import v

EVERY = [(name, dtype) for name, what in FITS.items() for dtype in what.dtypes]


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(DIGITS):
        yield


@pytest.fixture(scope="module")
def fitted():
    return {key: fit(FITS[key[0]], key[1]) for key in EVERY}


def test_the_committed_coefficients_are_what_the_script_fits(fitted):
    assert PATH.read_text(encoding="utf-8") == text(fitted), "run 'make coefficients'"


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_a_coefficient_is_a_number_of_its_format_and_good_enough(name, dtype):
    polynomial = polynomials(dtype)[name]
    assert len(polynomial.coefficients) == FITS[name].degree[dtype] + 1
    assert all(FORMATS[dtype].round(c) == c for c in polynomial.coefficients)
    # Approximation and rounding of the coefficients take less than an eighth of an ulp.
    assert polynomial.error <= polynomial.rounded < 0.125 * 2.0 ** -FORMATS[dtype].bits


@pytest.mark.parametrize("name", FITS)
def test_errors_alternate(name):
    """Chebyshev: the error of a minimax polynomial takes its largest value degree + 2 times, in turn."""
    what, dtype = FITS[name], "float32"
    low, high = (mpmath.mpf(sympy.N(end, DIGITS)) for end in what.interval[dtype])
    target, weight = (sympy.lambdify(v, e, "mpmath") for e in what.stated(dtype))
    grid = Grid.of(target, weight, low or mpmath.mpf("1e-12"), high, what.degree[dtype] + 1)
    error = grid.errors(minimax(grid, what.degree[dtype]))
    largest = max(map(abs, error))
    turns = [e > 0 for e in error if abs(e) > largest * mpmath.mpf("0.999")]
    assert sum(a != b for a, b in itertools.pairwise(turns)) >= what.degree[dtype] + 1


def test_remez_on_problems_with_known_answers():
    one = lambda x: mpmath.mpf(1)  # noqa: E731
    grid = Grid.of(lambda x: x**3, one, mpmath.mpf(-1), mpmath.mpf(1), 3)
    found = minimax(grid, 2)  # x^3 - T_3/4 = 3x/4
    assert [float(c) for c in found] == pytest.approx([0, 0.75, 0], abs=1e-6)
    assert float(grid.worst(found)) == pytest.approx(0.25, rel=1e-3)
    # sqrt on [0, 1] by a line: x + 1/8.
    grid = Grid.of(mpmath.sqrt, one, mpmath.mpf(0), mpmath.mpf(1), 2)
    assert [float(c) for c in minimax(grid, 1)] == pytest.approx([0.125, 1], rel=1e-3)


def test_a_fit_that_does_not_settle_says_so(monkeypatch):
    monkeypatch.setattr("symbp.elementary.remez.ROUNDS", 1)
    with pytest.raises(ArithmeticError, match="degree 4 did not settle in 1 rounds"):
        fit(FITS["EXP"], "float32")


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_of_a_constant_sum_to_it_and_their_products_are_exact(dtype):
    form, known = FORMATS[dtype], constants(dtype)
    real = np.dtype(dtype).type
    parts = [known[f"RIGHT_{n}"] for n in (1, 2, 3, 4)]
    # So precise that n pi/2 is right to the last bit even where the difference to x is smallest.
    lost = abs(sum(map(mpmath.mpf, parts)) - mpmath.pi / 2)
    assert lost * 2 ** TURNS[dtype] < mpmath.mpf(2) ** -(2 * form.bits + 8)
    logs = [known["LOG2_HIGH"], known["LOG2_LOW"]]
    assert abs(sum(map(mpmath.mpf, logs)) - mpmath.log(2)) < mpmath.mpf(2) ** -(form.bits + 14)
    rng = np.random.default_rng(0)
    for part, largest in [*((p, 2 ** TURNS[dtype]) for p in parts[:3]), (logs[0], form.bias + form.bits)]:
        for n in [1, largest, largest - 1, *rng.integers(1, largest, 200).tolist()]:
            assert Fraction(float(real(n) * real(part))) == n * Fraction(part)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_and_scales(dtype):
    form, known, real = FORMATS[dtype], constants(dtype), np.dtype(dtype).type
    for value in (1.0, 0.7, 3.0, known["MAGIC"]):
        assert bits_of(form.round(value), form) == int(real(value).view(form.integer))
    assert real(known["LEAST_NORMAL"]) == np.finfo(dtype).tiny
    with np.errstate(all="ignore"):
        assert np.exp(real(known["MOST"])) == np.inf
        assert np.exp(real(known["LEAST"])) == 0
    # Neither factor of 2^n leaves the normal numbers.
    lowest, highest = 1 - form.bias - form.bits, form.bias + 1
    half = known["HALF"]
    assert lowest + half > 1 - form.bias
    assert highest - half < form.bias


def test_a_part_that_the_format_cannot_hold_is_refused():
    with pytest.raises(ArithmeticError, match="30 bits"):
        split(mpmath.pi, [30], FORMATS["float32"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_literal_reads_back_as_the_number(dtype):
    real = np.dtype(dtype).type
    space = {"F": real, "math": math}
    rng = np.random.default_rng(0)
    numbers = [*rng.normal(size=500).astype(dtype).tolist(), 1e-30, -3.0, 12582912.0, float("inf")]
    for number in map(FORMATS[dtype].round, numbers):
        read = eval(literal(number, dtype), space)
        assert type(real(read)) is real
        assert read == real(number)
        assert literal(number, dtype).startswith("F(") is (dtype == "float32")


def test_callees_come_first():
    assert with_used(["tanh"]) == ("tanh",)
    assert with_used(["erf", "log", "tanh"]) == ("exp", "log", "tanh", "erf")
    order = list(FUNCTIONS)
    for name, record in FUNCTIONS.items():
        assert all(order.index(used) < order.index(name) for used in record.uses)


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, r in FUNCTIONS.items() for d in r.dtypes])
def test_every_word_of_an_algorithm_became_a_number(name, dtype):
    function = code(name, dtype)
    lines = "\n".join(function.lines)
    assert "poly(" not in lines
    assert not re.search(r"\b(pieces|row)\(", lines)
    left = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", lines))
    assert left == set(function.tables)

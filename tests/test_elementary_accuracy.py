"""The emitted elementary functions against exact values; at special values; how they compile."""

from __future__ import annotations

import re
import types
from dataclasses import replace

import numpy as np
import pytest

from symbp.bench import accuracy as measuring
from symbp.bench import speed, table
from symbp.bench.accuracy import accuracy, compiled, measure, record, values
from symbp.bench.exact import ORACLES, errors, exact, far, points, ulp
from symbp.cli import main
from symbp.elementary import FITS, FUNCTIONS, expand
from symbp.elementary.constants import constants
from symbp.elementary.fit import polynomials
from symbp.elementary.measured import measured
from symbp.elementary.pieces import ends
from symbp.elementary.records import DTYPES, FORMATS
from symbp.render.elementary import module_source

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

EVERY = [(name, dtype) for name, record in FUNCTIONS.items() for dtype in record.dtypes]
ODD = ("tanh", "tanh_by_pieces", "erf", "sin", "arctan")
# What is asked of them, in ulp.
TARGET = dict.fromkeys(FUNCTIONS, 2.0) | {
    "tanh": 2.5,
    "tanh_by_pieces": 1.5,
    "erfc": 4.0,
    "normal_cdf": 4.0,
    "normal_cdf_by": 4.5,
}


def plain(dtype: str, source: str | None = None) -> types.ModuleType:
    """Return the emitted functions as plain Python on NumPy's numbers."""
    text = (source or module_source(dtype)).replace(
        "from numba import njit", "njit = lambda **options: lambda function: function"
    )
    module = types.ModuleType("plain")
    exec(compile(text, "plain", "exec"), module.__dict__)
    return module


def call(module: types.ModuleType, name: str, x: np.ndarray) -> np.ndarray:
    real = x.dtype.type
    function = eval(f"lambda x: {FUNCTIONS[name].at('x')}", module.__dict__)
    return np.array([function(real(number)) for number in x], x.dtype)


# Accuracy ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_no_error_above_the_recorded_one(name, dtype):
    """At 150,000 points in float32, 3,000 in float64, special ones among them."""
    recorded = measured()[name, dtype]
    found = measure(name, dtype, quick=True)
    assert found.worst <= recorded.worst <= TARGET[name]
    assert found.count < recorded.points


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_the_recorded_worst_point(name, dtype):
    recorded = measured()[name, dtype]
    found = accuracy(name, np.array([recorded.at], dtype))
    assert recorded.worst - 0.01 <= found.worst <= recorded.worst


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_plain_python_agrees(name, dtype):
    """The same text, run without compiling it, has errors as small."""
    x = np.concatenate([points(name, dtype, 150)[::3], np.array([0, np.inf, np.nan], dtype)])
    if name in ("sin", "cos"):
        x = x[~np.isinf(x)]
    error = errors(call(plain(dtype), name, x), *exact(name, x))
    assert error.max() <= measured()[name, dtype].worst


@pytest.mark.parametrize(
    ("name", "dtype"), [(n, d) for n, d in EVERY if n in ("exp", "exp_by_roots", "sigmoid")]
)
def test_underflow_is_gradual(name, dtype):
    form = FORMATS[dtype]
    low, high = ((1 - form.bias - form.bits) * np.log(2) - 1, (1 - form.bias) * np.log(2))
    x = np.linspace(low, high, 700).astype(dtype)
    y = values(name, x)
    assert errors(y, *exact(name, x)).max() <= measured()[name, dtype].worst  # in the smallest ulp there is
    assert (np.diff(y) >= 0).all()
    assert y[0] == 0
    assert np.unique(y[(y > 0) & (y < np.finfo(dtype).tiny)]).size > 300 or form.bits < 30


INF, NAN = float("inf"), float("nan")
SPECIAL = {
    "exp": [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0)],
    "exp_by_roots": [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1), (1e4, INF), (-1e4, -1)],
    "log": [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-2.0, NAN), (-INF, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (1e4, 1), (-1e4, -1)],
    "tanh_by_pieces": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (1e4, 1), (-1e4, -1)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0.0), (1e4, 1), (-1e4, 0.0)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (1e4, 1), (-1e4, -1)],
    "gauss": [(0.0, 1), (-0.0, 1), (INF, 0.0), (-INF, 0.0), (1e30, 0.0)],
    "half_gauss": [(0.0, 1), (-0.0, 1), (INF, 0.0), (-INF, 0.0), (-1e30, 0.0)],
    "erfc": [(0.0, 1), (-0.0, 1), (INF, 0.0), (-INF, 2), (1e30, 0.0), (-1e30, 2)],
    "normal_cdf": [(0.0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0.0), (1e30, 1), (-1e30, 0.0)],
    "normal_cdf_by": [(0.0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0.0), (1e30, 1), (-1e30, 0.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN)],
    "arctan": [(0.0, 0.0), (-0.0, -0.0), (INF, np.pi / 2), (-INF, -np.pi / 2)],
}


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_special_values(name, dtype):
    arguments, results = zip(*SPECIAL[name], (NAN, NAN), (-NAN, NAN), strict=True)
    x, expected = np.array(arguments, dtype), np.array(results).astype(dtype)
    for y in (values(name, x), call(plain(dtype), name, x)):
        np.testing.assert_array_equal(y, expected)
        signed = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(y[signed]), np.signbit(expected[signed]))


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, d in EVERY if n in (*ODD, "cos")])
def test_symmetry_is_exact(name, dtype):
    x = points(name, dtype, 3000, seed=5)
    x = x[~np.isnan(x)]
    sign = 1 if name == "cos" else -1
    np.testing.assert_array_equal(values(name, -x), sign * values(name, x))


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, d in EVERY if n not in ("sin", "cos")])
def test_monotone_from_number_to_number(name, dtype):
    """At every joint of an algorithm and elsewhere; some with many roundings may fall by a few ulp."""
    form, known = FORMATS[dtype], constants(dtype)
    joints = [0.3, 0.5, 0.7071, 1.0, 1.5, 2.5, known["TAN_1"], known["TAN_3"]]
    joints += [np.log(2) * k / 2 for k in (1, 3, 5)]
    joints += [
        known["ERFC_NEAR"],
        known["NORMAL_NEAR"],
        *(map(float, ends(dtype)) if "pieces" in name else ()),
    ]
    allowed = {
        "erf": 1,
        "sigmoid": 1,
        "tanh": 1,
        "tanh_by_pieces": 1,
        "gauss": 1,
        "half_gauss": 1,
        "erfc": 2,
        "normal_cdf": 2,
        "normal_cdf_by": 4,  # the density given has its own rounding
    }.get(name, 0)
    steps = np.arange(-3000, 3000)
    for joint in [*joints, *(-j for j in joints)]:
        middle = np.array([joint], dtype).view(form.integer)
        x = np.sort((middle + steps).astype(form.integer).view(dtype))
        y = values(name, x)
        y = y[~np.isnan(y)]
        if name == "erfc" or (name in ("gauss", "half_gauss") and joint > 0):
            y = -y  # these fall
        fall = np.max(-np.diff(y) / np.spacing(np.abs(y[1:])), initial=0)
        assert fall <= allowed, joint


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, d in EVERY if n in (*ODD, "cos", "sigmoid")])
def test_never_beyond_the_range(name, dtype):
    y = values(name, points(name, dtype, 100_000, seed=7))
    y = y[~np.isnan(y)]
    largest = np.dtype(dtype).type(np.pi / 2) if name == "arctan" else 1
    assert y.max() <= largest
    assert y.min() >= (0 if name == "sigmoid" else -largest)


# The measuring itself ------------------------------------------------------------------


def test_ulp_and_errors():
    one = np.array([1.0, 1.0, 3.0, 1e-310, 0.0])
    lost = np.array([0.1, -0.1, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(ulp(one, lost), [2.0**-52, 2.0**-53, 2.0**-51, 2.0**-1074, 2.0**-1074])
    exactly = np.array([1.0, np.inf, np.nan, 0.0, 1.0])
    zero = np.zeros(5)
    assert errors(exactly, exactly, zero).tolist() == [0] * 5
    found = np.array([1 + 2.0**-51, 1e308, 1.0, -0.0, np.nan])
    assert errors(found, exactly, zero).tolist() == [2, np.inf, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("name", ORACLES)
def test_both_oracles_say_the_same(name):
    """mpmath and NumPy, which know nothing of each other, at ordinary points."""
    x = np.random.default_rng(1).uniform(*ORACLES[name].typical, 50)
    rounded, _ = exact(name, x)
    np.testing.assert_allclose(rounded, ORACLES[name].rough(x), rtol=1e-14)
    narrow = x.astype(np.float32)
    np.testing.assert_allclose(exact(name, narrow)[0], exact(name, narrow.astype(float))[0], rtol=1e-7)


def test_points_reach_the_ends():
    x = points("exp", "float32", 3000)
    assert np.isnan(x).any()
    assert {np.inf, -np.inf} <= set(x.tolist())
    assert ((np.abs(x) > 0) & (np.abs(x) < np.finfo(np.float32).tiny)).sum() > 4
    sines = points("sin", "float64", 3000)
    assert np.nanmax(np.abs(sines)) <= far("float64")
    # Among them numbers so near to a multiple of pi/2 that a shorter reduction would have no digit left.
    assert np.min(np.abs(np.sin(sines[np.abs(sines) > 1]))) < 1e-12


def test_hardest_points_are_the_worst(monkeypatch):
    monkeypatch.setattr(measuring, "KEPT", 20)
    x = points("arctan", "float64", 2000, seed=3)
    assert accuracy("arctan", measuring.hardest("arctan", x)).worst == accuracy("arctan", x).worst


# Mutants -------------------------------------------------------------------------------


def _worst(dtype: str, name: str, x: np.ndarray) -> float:
    source = module_source(dtype, [name])
    return float(errors(call(plain(dtype, source), name, x), *exact(name, x)).max())


WHERE = {
    "EXP": ("exp", -2, 2),
    "EXP_ROOT": ("exp_by_roots", -2, 2),
    "LOG": ("log", 0.5, 2),
    "ERF": ("erf", -1, 1),
    "ERFC": ("erf", 1, 2),
    "ERFC_TAIL": ("erfc", 0.48, 10),
    "NORMAL": ("normal_cdf", -0.54, 0.54),
    "NORMAL_TAIL": ("normal_cdf", -14, -0.56),
    "SIN": ("sin", -0.78, 0.78),
    "COS": ("cos", -0.78, 0.78),
    "ATAN": ("arctan", -0.41, 0.41),
}


@pytest.mark.parametrize(("fitted", "dtype"), [(n, d) for n in WHERE for d in FITS[n].dtypes])
def test_a_wrong_coefficient_is_noticed(fitted, dtype, monkeypatch):
    """Every coefficient of every polynomial, changed by a quarter of itself."""
    name, low, high = WHERE[fitted]
    x = np.linspace(low, high, 41).astype(dtype)
    allowed = measured()[name, dtype].worst
    assert _worst(dtype, name, x) <= allowed
    right = polynomials(dtype)
    coefficients = right[fitted].coefficients
    for position in range(len(coefficients)):
        wrong = [c * 1.25 if k == position else c for k, c in enumerate(coefficients)]
        table_ = {**right, fitted: replace(right[fitted], coefficients=tuple(wrong))}
        monkeypatch.setattr(expand, "polynomials", lambda dtype, table_=table_: table_)
        assert _worst(dtype, name, x) > allowed, position


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "constant", "low", "high"),
    [
        ("exp", "LOG2_HIGH", 3, 80),
        ("exp", "LOG2_LOW", 3, 80),
        ("log", "LOG2_LOW", 3, 80),
        ("log1p", "LOG2_HIGH", 3, 80),
        ("sin", "RIGHT_1", 3, 80),
        ("sin", "RIGHT_2", 3, 80),
        ("arctan", "RIGHT_HIGH", 1, 80),
        ("exp", "MAGIC_CENTRE", -80, 80),
        ("erfc", "ERFC_MIDDLE", 0.5, 8),
        ("normal_cdf", "NORMAL_MIDDLE", -8, -0.7),
        ("tanh", "LOG2_HIGH", 0.4, 8),
        ("tanh", "TANH_END", 3, 30),
    ],
)
def test_a_wrong_constant_is_noticed(name, constant, low, high, dtype, monkeypatch):
    x = np.linspace(low, high, 99).astype(dtype)
    assert _worst(dtype, name, x) <= measured()[name, dtype].worst
    right = constants(dtype)
    wrong = {**right, constant: right[constant] + 1 if constant == "MAGIC_CENTRE" else right[constant] / 2}
    monkeypatch.setattr(expand, "constants", lambda dtype: wrong)
    assert _worst(dtype, name, x) > 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_right_angles_need_all_four_parts(dtype, monkeypatch):
    """Without the last ones the numbers nearest to multiples of pi/2 lose their digits."""
    x = np.array([k * np.pi / 2 for k in range(1, 2000)]).astype(dtype)
    x = x[np.abs(x) <= far(dtype)]
    assert _worst(dtype, "sin", x) <= measured()["sin", dtype].worst
    wrong = {**constants(dtype), "RIGHT_3": 0.0, "RIGHT_4": 0.0}
    monkeypatch.setattr(expand, "constants", lambda dtype: wrong)
    assert _worst(dtype, "sin", x) > 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["gauss", "half_gauss", "erfc", "normal_cdf"])
def test_what_the_square_loses_is_needed(name, dtype):
    """Without it the relative error is that of the square: 20 ulp and more where it is large."""
    x = np.linspace(-9, -5, 99).astype(dtype) * (-1 if name == "erfc" else 1)
    source = module_source(dtype, [name])
    assert _worst(dtype, name, x) <= measured()[name, dtype].worst
    lost = "rest = low - (square - exact)"
    assert lost in source
    without = source.replace(lost, f"rest = {'0.0' if dtype == 'float64' else 'F(0.0)'}")
    assert errors(call(plain(dtype, without), name, x), *exact(name, x)).max() > 15


@pytest.mark.parametrize("line", ["return x if x == 0 else y", "return math.copysign(y, given)"])
def test_a_lost_sign_of_zero_is_noticed(line):
    name = "sin" if "x == 0" in line else "tanh"
    source = module_source("float64", [name])
    emitted = line.replace("0", "0.0")
    assert emitted in source
    y = call(plain("float64", source.replace(emitted, "return y + 0.0")), name, np.array([-0.0]))
    assert errors(y, np.array([-0.0]), np.zeros(1)) == np.inf


# Compiled code -------------------------------------------------------------------------

LIBM = re.compile(r"@(?:llvm\.)?(?:exp|expm1|log|log1p|tanh|erf|sin|cos|atan)f?(?:\.f\d\d)?\(")


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_loops_are_vector_code(name, dtype):
    """The loop's body is vectors of the kernel's type, and no function of libm is called."""
    values(name, np.ones(3, dtype))
    (llvm,) = getattr(compiled(dtype, True), f"all_{name}").inspect_llvm().values()
    real = "float" if dtype == "float32" else "double"
    if FUNCTIONS[name].lanes:
        assert not LIBM.search(
            llvm
        )  # what looks numbers up is vector code in registers: test_elementary_vectors
        return
    body = re.search(r"^vector\.body:.*?^\s+br ", llvm, re.MULTILINE | re.DOTALL)
    assert body is not None, "not vectorised"
    assert re.search(rf"fmul contract <\d+ x {real}>", body[0])
    assert not re.search(rf"= fmul contract {real} ", body[0])  # no element by itself
    assert " call " not in re.sub(r"call \S+ <\d+ x \w+> @llvm\.\S+", "", body[0])
    assert not LIBM.search(llvm)
    other = "double" if dtype == "float32" else "float"
    assert f"x {other}>" not in llvm


def test_libm_is_noticed():
    x = np.ones(3)
    compiled("float64", True).math_exp(x, x)
    (llvm,) = compiled("float64", True).math_exp.inspect_llvm().values()
    assert LIBM.search(llvm)


# The command ---------------------------------------------------------------------------


@pytest.fixture
def few_points(monkeypatch):
    monkeypatch.setattr(measuring, "QUICK", {"float32": 300, "float64": 60})
    monkeypatch.setattr(measuring, "FULL", {"float32": 300, "float64": 60})
    monkeypatch.setattr(measuring, "SCREENED", 300)
    monkeypatch.setattr(speed, "REPEATS", {True: 2, False: 2})


@pytest.mark.parametrize("options", [["--quick"], []])
def test_the_table(options, few_points, capsys):
    assert main(["accuracy", "--function", "exp", *options]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["function", "type", "max", "ulp"]
    assert [line.split()[:2] for line in lines] == [["exp", "float64"], ["exp", "float32"]]
    for line in lines:
        assert 0.4 < float(line.split()[2]) < 1


def test_the_table_as_markdown(few_points):
    rows = table.rows(["erf"], quick=True)
    text = table.markdown(rows)
    assert text.startswith("| function | type |")
    assert "Numba" in text.splitlines()[-1]
    assert all(row.speed.numpy != row.speed.numpy for row in rows)  # NumPy has no erf
    assert "| - |" in text


def test_what_registers_look_up_has_no_time_over_an_array(few_points, monkeypatch, tmp_path):
    monkeypatch.setattr(table, "SPEED_PATH", tmp_path / "speed.toml")
    found = table.rows(["tanh_by_pieces", "exp"], quick=True)
    assert [(row.accuracy.name, row.accuracy.dtype) for row in found] == [
        ("tanh_by_pieces", "float32"),
        ("exp", "float64"),
        ("exp", "float32"),
    ]
    assert found[0].cells()[-4:] == ("-",) * 4
    assert "nan" not in table.text(found)
    table.record(found)
    recorded = (tmp_path / "speed.toml").read_text()
    assert "[exp.float32]" in recorded
    assert "tanh_by_pieces" not in recorded


def test_an_unknown_function_is_one_line(capsys):
    assert main(["accuracy", "--function", "tanj"]) == 2
    assert capsys.readouterr().err == (
        "symbp: error: function 'tanj': no such elementary function; did you mean 'tanh'?\n"
    )
    assert main(["accuracy", "--record", "--quick"]) == 2
    assert "--record takes all functions" in capsys.readouterr().err


def test_record(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "PATH", tmp_path / "accuracy.toml")
    found = measuring.Accuracy("exp", "float32", 0.8712, 0.111, -1.5, 10)
    assert record([found]) == tmp_path / "accuracy.toml"
    text = (tmp_path / "accuracy.toml").read_text()
    assert "[exp.float32]\nworst = 0.88\n" in text
    assert float.fromhex(re.search(r'at = "(.*)"', text)[1]) == -1.5


def test_times_of_wrong_values_are_not_given(monkeypatch):
    module = types.SimpleNamespace(
        all_exp=compiled("float32", True).all_exp, math_exp=lambda x, y: np.copyto(y, x + 1)
    )
    monkeypatch.setattr(speed, "compiled", lambda dtype, contract: module)
    with pytest.raises(ArithmeticError, match="libm differs"):
        speed.speed("exp", "float32", quick=True)

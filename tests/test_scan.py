"""The scanner: it finds what is wrong with a formula, where, and in which type."""

from __future__ import annotations

import math
import platform
import subprocess
import sys
import time
import warnings

import pytest
import sympy

import symbp
from symbp.derivation.computed import USUAL
from symbp.derivation.derive import derive
from symbp.derivation.stability.choose import Z, is_harmless, slope_form, value_form
from symbp.derivation.stability.report import left_of_cost, scan, stable_form, warn_of_own_functions
from symbp.derivation.stability.scan import DTYPES, Finding, scan_size
from symbp.errors import SymbpWarning
from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions


@pytest.mark.parametrize(
    ("formula", "dtype", "kind", "low", "high", "of"),
    [
        ("log(1 + exp(z))", "float64", "overflow", 709.78, math.inf, "value"),
        ("log(1 + exp(z))", "float32", "overflow", 88.72, math.inf, "value"),
        ("log(1 + exp(z))", "float64", "nan", 709.78, math.inf, "derivative"),
        ("exp(z**2)/(1 + exp(z**2))", "float64", "nan", 26.64, math.inf, "value"),
        ("1 - tanh(z)", "float32", "cancellation", 6.5, 44.0, "value"),
        ("z/(1 + exp(-z))", "float64", "nan", -math.inf, -703.0, "derivative"),
        ("sqrt(z)", "float64", "not real", -math.inf, 0.0, "value"),
    ],
)
def test_findings(formula: str, dtype: str, kind: str, low: float, high: float, of: str) -> None:
    found = [f for f in scan(formula, dtype) if f.kind == kind and f.of == of]
    assert any(_near(f.low, low) and _near(f.high, high) for f in found), [str(f) for f in found]
    assert all(f.error > 0 and f.dtype == dtype for f in found)


def _near(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=0.03, abs_tol=1e-200)


def test_a_swallowed_nan_is_found_and_cured() -> None:
    written = sympy.Piecewise((Z, Z > 0), (0, True))
    (finding,) = scan(written, "float64")
    assert finding.kind == "nan"
    assert math.isnan(finding.low)
    assert stable_form(written) == sympy.Piecewise((0, Z <= 0), (Z, True))
    # The parser of formulas takes care of that by itself.
    assert scan("z if z > 0 else 0", "float64") == ()


@pytest.mark.parametrize(
    "formula", ["z", "tanh(z)", "exp(z)", "1/(1 + exp(-z))", "atan(z)", "sin(z)", "z**3 - z", "exp(exp(z))"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_found_where_nothing_is_wrong(formula: str, dtype: str) -> None:
    """A value that leaves the type itself, and one next to a root, are not the formula's fault."""
    assert [f for f in scan(formula, dtype) if f.of == "value"] == []
    assert stable_form(parse_formula(formula, ("z",))) is None


def test_the_scan_is_deterministic() -> None:
    assert scan("z*log(1 + exp(2*z))", "float64") == scan("z*log(1 + exp(2*z))", "float64")


@pytest.mark.parametrize(
    "formula",
    [
        "exp(exp(exp(z)))",
        "tanh(exp(exp(z)))",
        "sin(exp(exp(z)))",
        "erf(exp(z)) + atan(exp(exp(z)))",
        "exp(z**64)**64",
        "log(log(1 + exp(exp(z))))",
        "1/z",
        "z**64/z**63",
    ],
)
def test_the_scan_does_not_hang(formula: str) -> None:
    start = time.process_time()
    scan(formula, "float64")
    assert time.process_time() - start < 10


def test_own_functions_are_warned_of_with_the_range() -> None:
    own = symbp.Activation("own", "(exp(z) - 1 - z)/(1 + z**2)")
    network = symbp.Network(2, [symbp.Dense(2, own), symbp.Dense(1)], "squared_error")
    with pytest.warns(
        SymbpWarning, match=r"the value loses more than half of its digits for .* <= \|z\| <= 3"
    ):
        symbp.derive(network)


@pytest.mark.parametrize(
    "formula",
    ["z/(1 + exp(-z))", "log(1 + exp(z))", "(sqrt(z**2 + 1) - 1)/2 + z", "z if z > 0 else exp(z) - 1"],
)
def test_what_a_rule_cures_is_not_warned_of(formula: str) -> None:
    own = symbp.Activation("own", formula)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbp.derive(symbp.Network(2, [symbp.Dense(2, own), symbp.Dense(1)], "squared_error"))


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (Finding(-1.5, 2.0, "nan", 1.0, "value", "float64"), "is not a number for -1.5 <= z <= 2 in"),
        (Finding(0.0, math.inf, "nan", 1.0, "value", "float64"), "is not a number for z >= 0 in"),
        (Finding(-math.inf, -3.0, "nan", 1.0, "value", "float64", "o"), "is not a number for o <= -3 in"),
        (
            Finding(-1e-303, 1e-303, "not real", 1.0, "value", "float32"),
            "has no real value at z = 0 in float32",
        ),
        (Finding(-math.inf, math.inf, "overflow", 1.0, "derivative", "float64"), "overflows for every z in"),
    ],
)
def test_ranges_are_told_shortly(finding: Finding, told: str) -> None:
    assert told in str(finding)


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("1/z", "the value or derivative has no real value at z = 0"),
        ("sqrt(abs(z))", "the derivative has no real value at z = 0"),
    ],
)
def test_a_point_without_value_is_told_with_the_remedy(formula: str, told: str) -> None:
    network = symbp.Network(
        2, [symbp.Dense(2, symbp.Activation("own", formula)), symbp.Dense(1)], "squared_error"
    )
    with pytest.warns(SymbpWarning, match=f"'own': {told}.* in float64: give it one with 'a if ... else b'"):
        symbp.derive(network)


def test_a_range_without_value_is_told_once() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        own = symbp.Activation("own", "sqrt(z)")
        symbp.derive(symbp.Network(2, [symbp.Dense(2, own), symbp.Dense(1)], "squared_error"))
    (message,) = (str(w.message) for w in told)
    assert message.endswith(
        "is not real for z < 0: outputs there are not finite; its derivative is not finite at z = 0"
    )


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        (
            "(exp(h) - exp(y))**2/exp(h)",
            "'own': the value overflows for -715 <= h <= -710, for 355 <= h <= 710; .* in float64: ",
        ),
        (
            "(exp(2*h) + y)/(exp(2*h) + exp(h) + 3)",
            "'own': the value or derivative is not a number for h >= 355; ",
        ),
    ],
)
def test_own_costs_are_warned_of_with_the_range(formula: str, told: str) -> None:
    network = symbp.Network(2, [symbp.Dense(3, "tanh"), symbp.Dense(1)], symbp.Cost("own", formula))
    with pytest.warns(SymbpWarning, match=told):
        symbp.derive(network)


@pytest.mark.parametrize(
    ("formula", "targets"),
    [
        ("log(1 + exp(-h*y))", "sign"),
        ("log(cosh(h - y))", "real"),
        ("log(exp(h) + exp(y))", "real"),
        ("sqrt(1 + (h - y)**2) - 1", "real"),
    ],
)
def test_costs_that_a_rule_cures_are_not_warned_of(formula: str, targets: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cost = symbp.Cost("own", formula, targets=targets)
        symbp.derive(symbp.Network(2, [symbp.Dense(3, "tanh"), symbp.Dense(2)], cost))


def test_built_in_functions_are_not_warned_of() -> None:
    layers = [symbp.Dense(2, record) for record in ACTIVATIONS.values() if not record.of_layer]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbp.derive(symbp.Network(2, [*layers, symbp.Dense(2, "softmax")], "cross_entropy"))


@pytest.mark.parametrize("name", COSTS)
def test_built_in_costs_are_right_everywhere(name: str) -> None:
    """Nothing is left that a warning would tell, if it were told of built-in costs."""
    unit = USUAL[COSTS[name].output]
    derivation = symbp.derive(symbp.Network(2, [symbp.Dense(3, "tanh"), symbp.Dense(2, unit)], name))
    assert [f for dtype in DTYPES for f in left_of_cost(derivation, dtype)] == []


def test_a_relation_that_loses_digits_is_not_used() -> None:
    """exp(z) from o = exp(z) - 1000000 would be wrong by 1e-10 at 0; from o = tanh(z) it is good."""
    far = sympy.exp(Z) - 10**6
    relation = sympy.Symbol("o", real=True) + 10**6
    assert slope_form(far, relation).expression == sympy.exp(Z)
    near = sympy.tanh(Z)
    relation = 1 - sympy.Symbol("o", real=True) ** 2
    assert slope_form(near, relation).expression == relation
    assert value_form(near).expression == near


def test_cases_whose_branches_cancel_are_no_polynomial() -> None:
    """-1 or 1 beside an overflow: their sum is 0, and says nothing of the product."""
    sides = sympy.Piecewise((-1, Z <= 0), (1, True))
    assert is_harmless(sides * Z)
    assert not is_harmless(sides * sympy.exp(Z))
    network = symbp.Network(1, [symbp.Dense(1, "mish")], "mean_absolute_error", name="cancels")
    assert "D.1fs" in symbp.derive(network)


@pytest.mark.parametrize(
    ("formula", "dtype", "variable", "at"),
    [
        ("z**40", "float32", "|z|", 9.19),
        ("z**40", "float64", "|z|", 5.09e7),
        ("exp(z)", "float32", "z", 88.7),
        ("sinh(z)", "float64", "|z|", 710),
    ],
)
def test_a_formula_that_leaves_the_type_is_warned_of_with_the_range(
    formula: str, dtype: str, variable: str, at: float
) -> None:
    derivation = derive(Network(2, [Dense(2, Activation("own", formula)), Dense(1)], "squared_error"))
    with pytest.warns(SymbpWarning) as told:
        warn_of_own_functions(derivation, dtype)
    (warning,) = told
    message = str(warning.message)
    assert "'own': the value itself overflows for " in message
    assert f"{variable} >= {at:.3g} in {dtype}: " in message
    assert message.endswith("keep weighted sums below that, or bound the formula with min(...)")


def test_a_size_that_no_training_reaches_is_told_in_the_header() -> None:
    formula, told = "z**3", "the value itself overflows for |z| >= 6.98e+12 in float32"
    network = Network(2, [Dense(2, Activation("own", formula)), Dense(1)], "squared_error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        derivation = symbp.derive(network)
        warn_of_own_functions(derivation, "float32")
    source = trainer_source(derive(network), Spec(network, TrainOptions(dtype="float32")), prove=False)
    assert f"\n# activation 'own': {told}\n" in source[: source.index("import math")]


def test_an_own_cost_that_leaves_the_type_is_told() -> None:
    network = Network(2, [Dense(1)], Cost("own", "exp(h - y)"))
    with pytest.warns(SymbpWarning, match="cost 'own': the value itself overflows for h >= 711 in float64"):
        symbp.derive(network)


_WITHOUT_SUBNORMALS = """
import ctypes, ctypes.util, struct
libm = ctypes.CDLL(ctypes.util.find_library("m"))
state = ctypes.create_string_buffer(32)
assert libm.fegetenv(state) == 0
(mxcsr,) = struct.unpack_from("<I", state.raw, 28)
struct.pack_into("<I", state, 28, mxcsr | 0x8040)  # flush to zero, and take subnormal numbers for it
assert libm.fesetenv(state) == 0
assert 5e-324 * 1.0 == 0.0
from symbp.derivation.stability.report import scan
print(*scan("log(1 + exp(z))", "float64"), sep="\\n")
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="needs glibc on x86-64"
)
def test_the_scan_works_where_a_library_has_switched_subnormal_numbers_off() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _WITHOUT_SUBNORMALS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the value overflows for z >= 710 in float64" in done.stdout


@pytest.mark.parametrize(
    ("formula", "dtype", "of", "kind", "low", "high"),
    [
        # 1/z^2 leaves the type where z^2 is below 1/M.
        ("1/z", "float64", "derivative", "too large", 0.0, 7.46e-155),
        # z^2 is 0 where it is less than half of the smallest number there is.
        ("log(z**2)", "float64", "value", "overflow", 0.0, 1.57e-162),
        ("(exp(z) - 1)/z", "float32", "derivative", "nan", 0.0, 2.65e-23),
    ],
)
def test_a_range_that_reaches_0_has_its_true_end(
    formula: str, dtype: str, of: str, kind: str, low: float, high: float
) -> None:
    if kind == "too large":
        found = scan_size(parse_formula(formula, ("z",)).diff(Z), dtype, of="derivative")
    else:
        found = tuple(f for f in scan(formula, dtype) if f.of == of and f.kind == kind)
    assert any(_near(f.low, low) and _near(f.high, high) for f in found), [str(f) for f in found]


def test_digits_that_are_right_by_luck_make_no_gap() -> None:
    """(exp(z) - 1)/z: the derivative near 0 is a multiple of a large unit, now and then the right one."""
    lost = [f for f in scan("(exp(z) - 1)/z", "float64") if f.kind == "cancellation" and f.of == "derivative"]
    positive = [f for f in lost if f.low > 0]
    assert len(positive) == 1
    assert positive[0].low < 1e-150
    assert positive[0].high > 1e-9


def test_two_ranges_with_a_sound_one_between_stay_two() -> None:
    found = [f for f in scan("1 - tanh(abs(z))", "float64") if f.kind == "cancellation"]
    assert [f.high < 0 for f in found if f.of == "value"] == [True, False]

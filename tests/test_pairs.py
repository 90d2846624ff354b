"""Every output unit with every cost that takes it: J and dJ/dz, as computed, against exact values.

What cannot be helped is stated here once: a cost is a function of a rounded output, so its error
is at least what the last units of the output move. Everything else is to be right, or told.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy

from symbp.algebra.named import LogSoftplus, Sigmoid, Softplus, Weighted
from symbp.algebra.nodes import Node, with_numbers
from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation, equation
from symbp.derivation.stability.choose import O, Z
from symbp.derivation.stability.numbers import NotReal, exact, rounded
from symbp.derivation.stability.rules import rewrite
from symbp.derivation.stable import label_of_form
from symbp.derivation.stable_costs import SAMPLES, TARGETS, Y
from symbp.derivation.stated import stated_formula
from symbp.errors import DerivationError, SpecError
from symbp.functions import ACTIVATIONS, COSTS
from symbp.network import Dense, Network
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow is what these tests are about

SIZES = (0, 1e-300, 1e-8, 0.3, 3, 10, 20, 40, 120, 800, 1e20, 1e38, 1e200)
# An error may be so many times what a unit in the last place of output and argument makes.
TIMES = 16
H = sympy.Symbol("h", real=True)


def _pairs() -> Iterator[Any]:
    for unit, activation in ACTIVATIONS.items():
        for cost in COSTS:
            if activation.of_layer:
                continue
            try:
                network = Network(1, [Dense(1, unit, bias=False)], cost, name="one")
            except SpecError:
                continue
            yield pytest.param(network, id=f"{unit} {cost}")


def _computed(derivation: Derivation) -> tuple[Any, Any, Any]:
    """Return output, cost and sensitivity of one unit and one sample, as kernels compute them."""
    output = derivation[label_of_form(derivation, "1.8")].statement.rhs
    (total,) = derivation[label_of_form(derivation, "2.1")].statement.rhs.atoms(sympy.Sum)
    rate = derivation[label_of_form(derivation, "D.1f")].statement.rhs * SAMPLES
    return tuple(_in_letters(e) for e in (output, total.function, rate))  # type: ignore[return-value]


def _in_letters(expr: Any) -> Any:
    letters = {"c": Z, "h": O, "y": Y}
    return with_numbers(expr.replace(lambda e: isinstance(e, Node), lambda e: letters[e.kind]))


def wrong(derivation: Derivation, dtype: str) -> list[str]:
    """Return what is neither right nor as near as the rounded output allows."""
    network = derivation.network
    assert network is not None
    output, *computed = _computed(derivation)
    kind, info = np.dtype(dtype).type, np.finfo(dtype)
    unit = rewrite(with_numbers(stated_formula(network.layers[-1].activation, 1)))[0]
    cost = with_numbers(stated_formula(network.cost, 1))
    slope = rewrite(sympy.diff(with_numbers(stated_formula(network.layers[-1].activation, 1)), Z))[0]
    rate = sympy.diff(cost, H)
    stated = {"J": cost, "dJ/dz": rate * slope}
    limits = {"J": cost, "dJ/dz": rewrite(rate)[0] * slope}
    sizes = [kind(x) for x in SIZES if x < float(info.max)]
    points = np.array(sorted({sign * x for x in sizes for sign in (-1, 1)}), dtype)
    ends = np.array([-info.max, -info.smallest_subnormal, info.smallest_subnormal, info.max], dtype)
    points = np.array(sorted({*points, *ends, -np.inf, np.inf}), dtype)
    found = []
    for target in TARGETS[network.cost.targets]:
        y = kind(target)
        values = {"z": points, "y": np.full_like(points, y)}
        values["o"] = rounded(output, values, dtype)[0]
        for name, expr in zip(stated, computed, strict=True):
            column = rounded(expr, values, dtype)[0]
            for z, value in zip(points.tolist(), column.tolist(), strict=True):
                here = {"z": z, "y": float(y)}
                if math.isinf(z):
                    if not _is_limit(value, limits[name], unit, z, float(y)):
                        found.append(f"{name} = {value:.6g} at z = {z:g}, y = {target:g} in {dtype}")
                    continue
                allowed = functools.partial(_allowed, cost, rate, slope, unit, here, kind)
                if not _is_right(value, stated[name], unit, here, info, lambda n=name, a=allowed: a(n)):
                    found.append(f"{name} = {value:.6g} at z = {z:g}, y = {target:g} in {dtype}")
    return found


def _at(expr: Any, unit: Any, here: dict[str, float]) -> Any:
    return exact(expr, here, (("h", unit),))


def _is_right(value: float, stated: Any, unit: Any, here: dict[str, float], info: Any, allowed: Any) -> bool:
    try:
        true, output = _at(stated, unit, here), exact(unit, here)
    except NotReal:
        return True
    if max(abs(true), abs(output)) > float(info.max):
        return True
    if not math.isfinite(value):
        return False
    error = abs(true - value)
    return bool(error <= max(TIMES * float(info.eps) * abs(true), 4 * float(info.tiny)) or error <= allowed())


def _allowed(
    cost: Any, rate: Any, slope: Any, unit: Any, here: dict[str, float], kind: Any, name: str
) -> float:
    """Return what the last units of output, largest slope and argument make of J or dJ/dz."""
    eps = float(np.finfo(kind).eps)
    beside = {**here, "z": float(np.nextafter(kind(here["z"]), kind(np.inf)))}
    h = exact(unit, here)
    of = cost if name == "J" else rate
    last_place = max(abs(h) * eps, float(np.finfo(kind).smallest_subnormal))
    moved = max(_change(of, h, h + sign * TIMES * last_place, here) for sign in (-1, 1))
    if name == "J":
        return float(max(moved, abs(_at(cost, unit, beside) - _at(cost, unit, here))))
    largest = max(abs(exact(slope, {"z": z})) for z in (-1.0, 0.0, 1.0))
    turned = abs(_at(rate * slope, unit, beside) - _at(rate * slope, unit, here))
    of_slope = TIMES * eps * largest * abs(exact(rate, {"h": h, **here}))
    return float(turned + moved * abs(exact(slope, here)) + of_slope)


def _change(of: Any, h: Any, beside: Any, here: dict[str, float]) -> Any:
    try:
        return abs(exact(of, {"h": beside, **here}) - exact(of, {"h": h, **here}))
    except NotReal:
        return 0


def _is_limit(value: float, stated: Any, unit: Any, z: float, y: float) -> bool:
    """Whether a value at an infinite z is the limit; it is no number where there is no finite one."""
    limit = _limit(stated, unit, math.copysign(1.0, z), y)
    return not math.isfinite(value) if limit is None else value == pytest.approx(limit, rel=1e-6, abs=1e-30)


def _limit(stated: Any, unit: Any, sign: float, y: float) -> float | None:
    """Return the value far away where a nearer one is the same; farthest away an output may be its limit."""
    for near, far in ((1e250, 1e300), (80.0, 90.0)):
        try:
            values = [float(_at(stated, unit, {"z": sign * size, "y": y})) for size in (near, far)]
        except (NotReal, OverflowError):
            continue
        if all(map(math.isfinite, values)) and math.isclose(*values, rel_tol=1e-9, abs_tol=1e-30):
            return values[1]
    return None


@pytest.mark.parametrize("network", list(_pairs()))
def test_cost_and_sensitivity_of_every_pair(network: Network) -> None:
    derivation = derive(network)
    assert [*wrong(derivation, "float64"), *wrong(derivation, "float32")] == []


@pytest.mark.parametrize(
    ("unit", "cost"),
    [
        ("sigmoid", "binary_cross_entropy"),
        *((unit, "poisson") for unit in ("exp", "softplus", "sigmoid", "gaussian")),
    ],
)
def test_a_product_with_a_target_of_0_is_seen_at_infinity(unit: str, cost: str) -> None:
    """The proofs see no difference, for finite numbers there is none: 0 times infinity is no number."""
    derivation = derive(Network(1, [Dense(1, unit, bias=False)], cost, name="one"))
    statement = derivation["2.1s"].statement
    product = equation(statement.lhs, statement.rhs.replace(Weighted, lambda u, v: u * v))
    assert product != statement
    found = wrong(derivation.replace("2.1s", product), "float64")
    assert found
    assert all(line.startswith(("J = nan at z = inf", "J = nan at z = -inf")) for line in found)


@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_saturated_sigmoid_keeps_its_digits(dtype: str, y: float) -> None:
    """Cost and derivative by the weighted sum, in units in their own last places."""
    network = Network(1, [Dense(1, "sigmoid", bias=False)], "binary_cross_entropy", name="one")
    module = interpreted(network, dtype=dtype, elementary="libm")
    kind, info = np.dtype(dtype).type, np.finfo(dtype)
    compared = 0
    for size in (0.0, 1e-8, 0.3, 5, 20, 40, 80, 700, 800):
        for z in (float(kind(size)), -float(kind(size))):
            away = -z if y else z  # J is softplus of it, dJ/dz the sigmoid with the sign of it
            J = float(module.value_and_gradient([1.0], [[z]], [[y]])[0])
            slope = float(module.input_gradient([1.0], [[z]], [[y]])[0, 0])
            for value, true in ((J, Softplus(Z)), (slope if y == 0 else -slope, Sigmoid(Z))):
                right = exact(true, {"z": away})
                if right > float(info.tiny):
                    assert abs(right - value) <= 4 * float(np.spacing(kind(float(right)))), (z, value)
                    compared += 1
                else:
                    assert 0 <= value <= float(info.tiny)
    assert compared > 20


def test_the_logarithm_of_a_rate_that_is_too_small() -> None:
    """z = -800: the rate is exp(-800), its logarithm -800; z and the slope 1 - y/h take their limits."""
    network = Network(1, [Dense(1, "softplus", bias=False)], "poisson", name="one")
    for dtype in ("float64", "float32"):
        module = interpreted(network, dtype=dtype)
        for y in (0.0, 1.0, 2.5):
            assert module.value_and_gradient([1.0], [[-800.0]], [[y]])[0] == 800 * y
            assert module.input_gradient([1.0], [[-800.0]], [[y]])[0, 0] == -y


@pytest.mark.parametrize("target", ["portable", "x86-64-v3"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cost", ["half_squared_error", "huber"])
def test_an_output_that_is_0_where_its_weighted_sum_is_not_finite(cost: str, dtype: str, target: str) -> None:
    """delta = -2 z h (h - y) in the text of the kernels: z comes last and is finite, so it is 0."""
    network = Network(1, [Dense(1, "gaussian", bias=False)], cost, name="one")
    module = interpreted(network, dtype=dtype, target=target)
    largest = float(np.finfo(dtype).max)
    for z in (-math.inf, -largest, -largest / 2, largest / 2, largest, math.inf):
        for y in (0.0, 1.0, -2.5):
            assert module.input_gradient([1.0], [[z]], [[y]])[0, 0] == 0
            assert math.isfinite(module.value_and_gradient([1.0], [[z]], [[y]])[0])
    assert math.isnan(module.input_gradient([1.0], [[math.nan]], [[1.0]])[0, 0])


@pytest.mark.parametrize("target", ["portable", "x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_target_of_0_weighs_nothing_in_the_text_of_the_kernels(dtype: str, target: str) -> None:
    def costs(unit: str, cost: str, y: float) -> list[float]:
        network = Network(1, [Dense(1, unit, bias=False)], cost, name="one")
        module = interpreted(network, dtype=dtype, target=target)
        return [
            float(module.value_and_gradient([1.0], [[z]], [[y]])[0]) for z in (-math.inf, math.inf, math.nan)
        ]

    inf, nan = math.inf, pytest.approx(math.nan, nan_ok=True)
    assert costs("sigmoid", "binary_cross_entropy", 0.0) == [0, inf, nan]
    assert costs("sigmoid", "binary_cross_entropy", 1.0) == [inf, 0, nan]
    assert costs("exp", "poisson", 0.0) == [0, inf, nan]
    assert costs("softplus", "poisson", 0.0) == [0, inf, nan]
    assert costs("gaussian", "poisson", 0.0) == [0, 0, nan]
    assert costs("gaussian", "poisson", 2.0) == [inf, inf, nan]


@pytest.mark.parametrize(
    ("unit", "cost", "label", "fault"),
    [
        ("softplus", "poisson", "2.1", lambda e: e.replace(LogSoftplus, sympy.log)),
        ("softplus", "poisson", "D.1f", lambda e: 2 * e),
        ("gaussian", "half_squared_error", "D.1f", lambda e: -e),
        ("swish", "huber", "D.1f", lambda e: e.xreplace({sympy.Integer(1): sympy.Integer(2)})),
        ("sigmoid", "binary_cross_entropy", "D.1f", lambda e: e.replace(Sigmoid, lambda u: Sigmoid(2 * u))),
        ("sigmoid", "binary_cross_entropy", "D.1f", lambda e: -e),
    ],
)
def test_a_broken_stable_form_is_refused(unit: str, cost: str, label: str, fault: Any) -> None:
    derivation = derive(Network(1, [Dense(1, unit, bias=False)], cost, name="one"))
    found = label_of_form(derivation, label)
    assert found != label
    statement = derivation[found].statement
    broken = derivation.replace(found, equation(statement.lhs, fault(statement.rhs)))
    with pytest.raises(DerivationError, match=found):
        broken.prove()

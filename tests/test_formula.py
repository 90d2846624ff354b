"""The value of a formula at numbers: functions remember what they gave, for each precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

from symbp.algebra.named import NAMED, Sigmoid, Weighted
from symbp.derivation.oracles.formula import FUNCTIONS, digits, evaluate, number
from symbp.derivation.stability import numbers

Z = sympy.Symbol("z", real=True)
KNOWN = ("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "erf", "sin", "cos", "atan")


@pytest.mark.parametrize("name", KNOWN)
def test_a_function_at_one_number_in_several_precisions(name: str) -> None:
    for count in (40, 120, 15, 40):
        with digits(count):
            found = FUNCTIONS[name](number(0.1))
        own = mpmath.mp.clone()
        own.dps = count + 20
        true = getattr(own, name)(own.mpf(0.1))
        assert abs(found - true) <= abs(true) * own.mpf(10) ** -count
        assert count == 120 or abs(found - true) > abs(true) * own.mpf(10) ** (-count - 8)


# A product of two numbers is exact in every one of the precisions.
INEXACT = [kind for kind in NAMED if kind is not Weighted]


@pytest.mark.parametrize("kind", INEXACT, ids=lambda kind: kind.title)
def test_a_named_function_at_one_number_in_several_precisions(kind: type) -> None:
    letters = sympy.symbols("u v", real=True)[: next(iter(kind.nargs))]
    at = {letter.name: -x for letter, x in zip(letters, (1.25, 0.75), strict=False)}
    values = {}
    for count in (40, 120, 40):
        with digits(count):
            found = evaluate(kind(*letters), {name: number(x) for name, x in at.items()})
        assert values.setdefault(count, found) == found
    assert values[40] != values[120]
    assert abs(values[40] - values[120]) < abs(values[120]) * number(10) ** -35


def test_complex_numbers_go_through() -> None:
    with digits(40):
        found = FUNCTIONS["log"](number(-1))
    assert found.imag == pytest.approx(mpmath.pi)
    with pytest.raises(numbers.NotReal):
        numbers.exact(sympy.log(Z), {"z": -1.0})


def test_rounded_values_are_those_of_each_number() -> None:
    """Of points that are met again, in another type and beside a NaN, too."""
    for dtype in ("float64", "float32", "float64"):
        x = np.array([0.1, 0.5, np.nan, 0.1, -3.0, 0.0, -0.0], dtype)
        found, _ = numbers.rounded(sympy.exp(Z), {"z": x}, dtype)
        true = [float(mpmath.exp(float(value))) for value in x]
        np.testing.assert_array_equal(found, np.array(true, dtype))
    found, _ = numbers.rounded(Sigmoid(Z), {"z": np.array([0.0, -0.0])}, "float64")
    assert found.tolist() == [0.5, 0.5]

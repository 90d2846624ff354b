"""Every cost with its usual output units, cost and derivative, in ulps: whole kernels against exact values.

A network of one layer without a bias and with W = 1 passes its input on, so that J and dJ/dx
of one sample are the cost and its derivative by the weighted sum.
"""

from __future__ import annotations

import functools
import math
import types

import numpy as np
import pytest
import sympy

from symbp.algebra.nodes import with_numbers
from symbp.derivation.computed import USUAL
from symbp.derivation.stability.choose import Z
from symbp.derivation.stability.numbers import exact
from symbp.derivation.stability.rules import rewrite
from symbp.derivation.stable_costs import TARGETS
from symbp.derivation.stated import stated_formula
from symbp.functions import ACTIVATIONS, COSTS
from symbp.network import Dense, Network
from tests.plain_python import interpreted

# Overflow to infinity is what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SIZES = {"float64": (0.0, 1e-300, 1e-8, 0.3, 40.0, 800.0), "float32": (0.0, 1e-30, 1e-8, 0.3, 40.0, 800.0)}
ELEMENTWISE = tuple(name for name, record in COSTS.items() if not ACTIVATIONS[USUAL[record.output]].of_layer)

# name -> bounds in ulps of cost and derivative, in both types; beside each, what was measured. Units
# are those of the exact value, but of at least its largest size for |z| <= 1: near a root of
# exp(z) - y z - ..., say, digits cancel that a small change of z makes, too.
BOUNDS: dict[str, tuple[float, float]] = {
    "half_squared_error": (1, 1),  # 0.54, 0.38
    "squared_error": (1, 1),  # 0.54, 0.38
    "binary_cross_entropy": (1, 1),  # 0.50, 0.85
    "mean_absolute_error": (1, 1),  # 0.38, 0
    "huber": (1, 1),  # 0.50, 0.25
    "log_cosh": (1, 2.5),  # 0.89, 2.25: tanh(h - y) from the expm1 that the cost needs too
    "poisson": (1, 1),  # 0.80, 0.80
    "quantile": (1, 1),  # 0.38, 0
    "hinge": (1, 1),  # 0.25, 0
}


@functools.cache
def trainer(name: str, dtype: str) -> types.ModuleType:
    unit = USUAL[COSTS[name].output]
    return interpreted(
        Network(1, [Dense(1, unit, bias=False)], name, name="one"), dtype=dtype, elementary="libm"
    )


@functools.cache
def formulas(name: str) -> tuple[sympy.Expr, sympy.Expr]:
    """Return cost and derivative as functions of the weighted sum z and the target y."""
    record = COSTS[name]
    output = with_numbers(stated_formula(ACTIVATIONS[USUAL[record.output]], 1))
    h = sympy.Symbol("h", real=True)
    summand = with_numbers(stated_formula(record, 1))
    value = summand.xreplace({h: output})
    # At a kink the stated branch counts: differentiated branch by branch.
    slope = sympy.diff(summand, h).xreplace({h: output}) * sympy.diff(output, Z)
    return value, slope


def test_every_cost_has_bounds() -> None:
    assert BOUNDS.keys() == set(ELEMENTWISE)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_ulps_of_costs(name: str, dtype: str) -> None:
    errors = measured(name, dtype)
    assert errors[0] <= BOUNDS[name][0]
    assert errors[1] <= BOUNDS[name][1]


def measured(name: str, dtype: str) -> tuple[float, float]:
    """Return the largest errors met, of the cost and of the derivative."""
    module, (value, slope) = trainer(name, dtype), formulas(name)
    kind, worst = np.dtype(dtype).type, [0.0, 0.0]
    for target in TARGETS[COSTS[name].targets]:
        y = float(kind(target))
        floors = [
            max(abs(float(exact(rewrite(e)[0], {"z": z, "y": y}))) for z in (-1.0, -0.5, 0.5, 1.0))
            for e in (value, slope)
        ]
        for size in SIZES[dtype]:
            for z in map(float, (kind(size), kind(-size))):
                J = module.value_and_gradient([1.0], [[z]], [[y]])[0]
                by_z = module.input_gradient([1.0], [[z]], [[y]])[0, 0]
                for n, (computed, e) in enumerate(((J, value), (by_z, slope))):
                    true = exact(rewrite(e)[0], {"z": z, "y": y})
                    if abs(true) > float(np.finfo(dtype).max):
                        assert math.isinf(computed)
                        continue
                    assert math.isfinite(computed), (z, y, computed)
                    unit = float(np.spacing(kind(max(float(abs(true)), floors[n]))))
                    worst[n] = max(worst[n], float(abs(true - float(computed))) / unit)
    return worst[0], worst[1]

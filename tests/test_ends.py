"""Hidden units at the ends of their arguments, as whole trainers compute them, and NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symbp.functions import ACTIVATIONS, Activation
from symbp.network import Dense, Network
from tests.plain_python import interpreted
from tests.test_accuracy import Computed

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Formulas of users that test_accuracy measures by the same names.
OWN = {
    "square_times_gaussian": "z**2*exp(-z**2)",
    "gumbel": "exp(-exp(-z))",
    "lorentzian": "z/(4 + (z - 1)**2)",
}
UNITS = {name: record for name, record in ACTIVATIONS.items() if not record.of_layer} | {
    name: Activation(name, formula) for name, formula in OWN.items()
}
SIZES = (0.0, 1e-300, 1e-8, 1.0, 40.0, 800.0)
# As :mod:`tests.test_accuracy` has them; mish at -1 is next to the root of its derivative.
ULPS = {"mish": 12.0}


def network(record: Activation) -> Network:
    """Return one hidden unit and one output; with this cost |dJ/dz| is |g'|, whatever g is."""
    layers = [Dense(1, record, bias=False), Dense(1, bias=False)]
    return Network(1, layers, "mean_absolute_error", name="ends")


@pytest.mark.parametrize(("dtype", "target"), [("float64", "portable"), ("float32", "x86-64-v3")])
@pytest.mark.parametrize("name", UNITS)
def test_hidden_units_at_the_ends(name: str, dtype: str, target: str) -> None:
    module, computed = interpreted(network(UNITS[name]), dtype=dtype, target=target), Computed(name, dtype)
    info, kind = np.finfo(dtype), np.dtype(dtype).type
    ends = (info.smallest_subnormal, info.tiny, info.max / 2, info.max, math.inf)
    for z in sorted({float(kind(sign * size)) for size in (*SIZES, *ends) for sign in (-1, 1)}):
        value = float(module.predict([1.0, 1.0], [[z]])[0, 0])
        side = 1.0 if value > 0 else -1.0
        slope = side * float(module.input_gradient([1.0, 1.0], [[z]], [[0.0]])[0, 0])
        through = float(module.input_jacobian([1.0, 1.0], [[z]])[0, 0, 0])
        for of, found in (("value", value), ("derivative", slope), ("derivative", through)):
            place = f"{of} at {z}: {found}"
            if name == "sin" and abs(z) > 1e9:
                assert not abs(found) > 1, place  # where libm is called, and NaN at infinity
            elif math.isinf(z):
                limit = computed.true_limit(of, 1 if z > 0 else -1)
                if limit is None:  # infinity times 0 as it is written
                    assert (name, found) == ("gumbel", 0.0), place
                else:
                    assert found == pytest.approx(limit, rel=1e-6, abs=float(info.tiny)), place
            else:
                exact = computed.value_exact if of == "value" else computed.slope_exact
                floor = 0.0 if of == "value" else computed.floor
                assert computed.error(kind(found), exact, z, floor) <= ULPS.get(name, 8.0), place


@pytest.mark.parametrize("target", ["portable", "x86-64-v3"])
@pytest.mark.parametrize("name", UNITS)
def test_a_nan_weighted_sum_stays_one(name: str, target: str) -> None:
    """Also in the derivative, unless that is the same number everywhere."""
    module = interpreted(network(UNITS[name]), dtype="float32", target=target)
    assert math.isnan(module.predict([1.0, 1.0], [[math.nan]])[0, 0])
    assert math.isnan(module.input_gradient([1.0, 1.0], [[math.nan]], [[0.0]])[0, 0])
    assert math.isnan(module.input_jacobian([1.0, 1.0], [[math.nan]])[0, 0, 0]) == (name != "identity")

"""Functions of the user's own, through every stage: proofs, kernel, self-test, saturation, hostile text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symbp
from symbp.errors import DerivationError, ExpressionError, SymbpError
from symbp.network import Dense, Network
from symbp.spec import Spec
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

OUTPUTS = {
    "softmin": symbp.Activation("softmin", "exp(-z)/sum(exp(-z))", "distribution"),
    "double": symbp.Activation("double", "exp(2*z)/sum(exp(2*z))", "distribution"),
    "rational": symbp.Activation("rational", "(z**2 + 1)/sum(z**2 + 1)", "distribution"),
    "softmax": "softmax",
}
COSTS = {
    "focal": symbp.Cost("focal", "-y*log(h)*(1 - h)**2", "distribution", "distribution"),
    "entropic": symbp.Cost("entropic", "-y*log(h) - 0.1*h*log(h)", "distribution", "distribution"),
    "divergence": symbp.Cost("divergence", "y*log(y) - y*log(h)", "distribution", "distribution"),
    "cross_entropy": "cross_entropy",
}


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("output", OUTPUTS)
def test_distributions(output: str, cost: str) -> None:
    network = Network(2, [Dense(3, "tanh"), Dense(3, OUTPUTS[output])], COSTS[cost], name="own")
    interpreted(network, prove=True).self_test()


@pytest.mark.parametrize(
    ("formula", "cost"),
    [
        ("z/(1 + exp(-z))", "(h - y)**2/2 if abs(h - y) <= 1 else abs(h - y) - 1/2"),
        ("0.1*z if z <= 0 else z", "abs(h - y)"),
        ("0 if z < -1 else (1 if z > 1 else z/2 + 0.5)", "(h - y)**4"),
        ("z/(1 + abs(z))", "log(exp(h - y) + exp(y - h))"),
        ("exp(-z**2)", "exp(h) - y*h"),
        ("sqrt(1 + z**2)**3/(2 - sin(z))", "(h - y)**2/(1 + (h - y)**2)"),
    ],
)
def test_elementwise(formula: str, cost: str) -> None:
    own = symbp.Activation("own", formula)
    network = Network(2, [Dense(3, own), Dense(2, own)], symbp.Cost("mine", cost), name="own")
    interpreted(network, prove=True).self_test()


@pytest.mark.parametrize(
    "formula",
    [
        "z*(1 - exp(-z))",
        "z*(1 + exp(-z))",
        "tanh(z)*(1 + exp(-z))",
        "z*(1 + 1/z**4)",
        "z*(2 + 1/(1 + exp(-z)))",
    ],
)
@pytest.mark.parametrize("z", [40.0, 800.0])
def test_kernels_compute_the_formula_as_it_is_written(formula: str, z: float) -> None:
    """Brought over a common denominator, these would be infinity over infinity."""
    network = Network(
        1, [Dense(1, symbp.Activation("own", formula), bias=False)], "half_squared_error", name="own"
    )
    h = interpreted(network).predict([1.0], [[z]])[0, 0]
    expected = eval(formula, {"z": np.float64(z), "exp": np.exp, "tanh": np.tanh})
    assert h == pytest.approx(expected, rel=1e-15)


def test_a_function_of_the_layer_takes_no_cases() -> None:
    with pytest.raises(ExpressionError, match="whole layer"):
        symbp.Activation("bad", "exp(z if z > 0 else 0)/sum(exp(z if z > 0 else 0))")


@pytest.mark.parametrize("formula", ["sqrt(z)", "log(z)", "z**(1/3)"])
def test_what_is_not_real_is_one_error(formula: str) -> None:
    own = symbp.Activation("own", formula)
    with pytest.raises(DerivationError, match="not real at z"):
        symbp.derive(Network(2, [Dense(3, own), Dense(1)], "squared_error")).prove()


@pytest.mark.parametrize("source", ['say "hi"', '"""', "C:\\new", "ä ∂", "a\nb", "{{ x }}", "{% raw %}"])
def test_user_text_does_not_leave_the_spec(source: str, tmp_path: Path) -> None:
    own = symbp.Activation("own", "z", source=source)
    network = Network(1, [Dense(1, own)], "half_squared_error", name="own")
    try:
        module = interpreted(network)
    except SymbpError:
        return  # refused is fine; written wrongly is not
    assert Spec.from_text(module.SPEC, "test").network == network

"""Functions of the user's own, through every stage: proofs, kernel, self-test, saturation, hostile text."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import symbp
from symbp.errors import DerivationError, ExpressionError, SymbpError, SymbpWarning
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


@pytest.mark.filterwarnings("ignore:cost 'divergence'.*no finite value at h = 0.05, y = 0:symbp.SymbpWarning")
@pytest.mark.parametrize(
    ("output", "cost"),
    [
        *(("softmax", cost) for cost in COSTS),
        ("softmin", "focal"),
        ("double", "entropic"),
        ("rational", "divergence"),
        ("rational", "cross_entropy"),
    ],
)
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
        ("max(0, min(z, 6)) + z/9", "max(0, 1 - y*h) + (h - y)**2"),
        ("erf(z)*sinh(z/2) + expm1(z)", "log(cosh(h - y))"),
        ("z if -1/2 < z < 1/2 else z/2 + log1p(z**2)", "(h - y)**2 if h < y and h > y - 3 else 2*(h - y)**2"),
        ("sqrt(1 + z**2)**3/(2 - sin(z))", "(h - y)**2/(1 + (h - y)**2)"),
    ],
)
@pytest.mark.filterwarnings("ignore:.* jumps from:symbp.SymbpWarning")  # two of them do, on purpose
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


@pytest.mark.filterwarnings("ignore::symbp.errors.SymbpWarning")
@pytest.mark.parametrize("target", ["portable", "x86-64-v3"])
@pytest.mark.parametrize(
    "cost",
    [
        "-h",  # its derivative is one number for a whole vector of outputs
        "(h + pi)*max(pi, 1/10)",
        "(softplus(2) + softplus(y))*h**2",  # a named function of a number
        "max(log(h + 5), (0.1 if y*h < 0 else y))",  # a comparison of what is not real everywhere
        "max(2*h - y, 3 - h)**2",
        "max(h - y, pi - h)**2",  # SymPy turns this comparison round and round
    ],
)
def test_unusual_costs(cost: str, target: str) -> None:
    network = Network(2, [Dense(3, "tanh"), Dense(5)], symbp.Cost("own", cost), name="n")
    trainer = interpreted(network, dtype="float32", target=target)
    w, X, Y = trainer.init_params(0), np.array([[0.5, -0.4], [0.3, 0.8]]), np.full((2, 5), 0.4)
    before, gradient = trainer.value_and_gradient(w, X, Y)
    after, _ = trainer.value_and_gradient(w - np.float32(1e-2) * gradient, X, Y)
    assert after < before


@pytest.mark.parametrize(
    "formula",
    [
        "(z if z <= -1 else (0.5 if abs(z) <= z or z < -3 else 3)) - 1/(3 if 2*z - 1 < 0.5 else 2)",
        "max(z*(1 if z > 0 else 0.5), -1)",
    ],
)
@pytest.mark.filterwarnings("ignore::symbp.errors.SymbpWarning")
def test_cases_in_cases(formula: str) -> None:
    network = Network(
        2, [Dense(3, symbp.Activation("own", formula)), Dense(1)], "half_squared_error", name="n"
    )
    trainer = interpreted(network)
    w, X, Y = trainer.init_params(0), np.array([[0.5, -0.4], [0.3, 0.8]]), np.zeros((2, 1))
    assert np.isfinite(trainer.value_and_gradient(w, X, Y)[1]).all()
    w[0] = np.nan
    assert np.isnan(trainer.value_and_gradient(w, X, Y)[0])


@pytest.mark.filterwarnings("ignore::symbp.errors.SymbpWarning")
def test_a_pole_over_a_range_is_one_line() -> None:
    record = symbp.Activation("own", "2/(max(1, z) - 1)")
    with pytest.raises(DerivationError, match="not finite at ordinary weights and data"):
        interpreted(Network(2, [Dense(3, record), Dense(1)], "half_squared_error", name="n"))


@pytest.mark.parametrize("target", ["portable", "x86-64-v3"])
def test_a_comparison_with_a_stable_form_in_it(target: str) -> None:
    """The sigmoid's own cases stand in the condition."""
    record = symbp.Activation("own", "min((z - 1)*sigmoid(z), z)")
    module = interpreted(
        Network(1, [Dense(1, record, bias=False)], "half_squared_error", name="n"), target=target
    )
    for z in (-5.0, -1.0, 0.5, 3.0):
        low, high = (module.predict([1.0], [[z + step]])[0, 0] for step in (-1e-6, 1e-6))
        assert module.input_jacobian([1.0], [[z]])[0, 0, 0] == pytest.approx((high - low) / 2e-6, rel=1e-6)


def test_a_function_of_the_layer_takes_no_cases() -> None:
    with pytest.raises(ExpressionError, match="whole layer"):
        symbp.Activation("bad", "exp(z if z > 0 else 0)/sum(exp(z if z > 0 else 0))")


@pytest.mark.parametrize(
    ("formula", "place", "steep"),
    [
        ("sqrt(z)", "z < 0", "0"),
        ("log(z)", "z <= 0", ""),
        ("z**(1/3)", "z < 0", "0"),
        ("z**(3/2)", "z < 0", ""),
        ("log(z + 1/2)", "z <= -0.5", ""),
        ("sqrt(9 - z**2)", "z < -3, z > 3", "-3, 3"),
        ("sqrt(z**2 - 1/100)", "-0.1 < z < 0.1", "-0.1, 0.1"),
    ],
)
def test_what_is_not_real_everywhere_is_one_warning(formula: str, place: str, steep: str) -> None:
    """It can be derived and proved where it is real, and used there."""
    with pytest.warns(SymbpWarning) as caught:
        network = Network(2, [Dense(3, symbp.Activation("own", formula)), Dense(1)], "squared_error", "own")
    (message,) = {str(warning.message) for warning in caught}
    assert (
        message
        == f"activation 'own': formula {formula!r} is not real for {place}: outputs there are not finite"
        + (f"; its derivative is not finite at z = {steep}" if steep else "")
    )
    interpreted(network, prove=True).self_test()


def test_a_cost_that_needs_care_is_one_warning() -> None:
    own = symbp.Cost("divergence", "y*log(y/h)", "distribution", "distribution")
    with pytest.warns(SymbpWarning, match="no finite value at h = 0.05, y = 0: give it one with 'a if"):
        network = Network(2, [Dense(3, "softmax")], own, "own")
    interpreted(network, prove=True).self_test()
    careful = symbp.Cost("careful", "0 if y <= 0 else y*log(y/h)", "distribution", "distribution")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = Network(2, [Dense(3, "softmax")], careful, "own")
    module = interpreted(network, prove=True)
    module.self_test()
    J, gradient = module.value_and_gradient(module.init_params(0), [[0.5, -0.5]], [1])
    assert np.isfinite(J)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("3", "does not depend on z"),
        ("0*z", "does not depend on z"),
        ("z - z + pi", "does not depend on z"),
        ("1 if z > 0 else 0", "has derivative 0 wherever it has one"),
        ("z/abs(z)", "has derivative 0 wherever it has one"),
        ("max(0, min(0, z))", "has derivative 0 wherever it has one"),
        ("log(-1 - z**2)", "is not real for any z"),
        ("abs(sqrt(z))", "takes abs of what is not real everywhere"),
        ("z + h", "unknown name 'h' (h is the prediction that a cost takes)"),
        ("z + y", "unknown name 'y' (y is the target that a cost takes)"),
    ],
)
def test_useless_activations_are_refused(formula: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Dense(3, symbp.Activation("own", formula))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y**2", "does not depend on h"),
        ("1 if h > y else 0", "has derivative 0 wherever it has one"),
        ("(z - y)**2", "unknown name 'z' (z is the weighted sum of an activation)"),
        ("sum(h - y)", "leave sum(...) out"),
    ],
)
def test_useless_costs_are_refused(formula: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Network(2, [Dense(1)], symbp.Cost("own", formula))
    assert reason in str(caught.value)


@pytest.mark.parametrize("source", ['say "hi"', '"""', "C:\\new", "ä ∂", "a\nb", "{{ x }}", "{% raw %}"])
def test_user_text_does_not_leave_the_spec(source: str, tmp_path: Path) -> None:
    own = symbp.Activation("own", "z", source=source)
    network = Network(1, [Dense(1, own)], "half_squared_error", name="own")
    try:
        module = interpreted(network)
    except SymbpError:
        return  # refused is fine; written wrongly is not
    assert Spec.from_text(module.SPEC, "test").network == network


@pytest.mark.parametrize(
    "formula",
    ["(exp(z) + tanh(z) + z)**12", "(z + 1)**64/(z**2 + 3)**3", "((z + 1)**20 + 1)/(exp(z) + z)**9"],
)
def test_long_powers_are_derived_soon(formula: str) -> None:
    """The search for shorter forms ends before polynomials of high degree: these once took minutes."""
    network = Network(1, [Dense(1, symbp.Activation("own", formula))], "squared_error", name="own")
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymbpWarning)
        symbp.derive(network)
    assert time.process_time() - start < 30


def test_a_pole_where_branches_meet_is_told() -> None:
    """One line with the remedy: at the limit of the first branch nothing can be compared."""
    formula = "max(2, z*z) if z > z or z < 0 else (1 if abs(z) > -1 else pi)/z**3"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymbpWarning)
        network = Network(1, [Dense(1, symbp.Activation("own", formula))], "squared_error", name="own")
        with pytest.raises(DerivationError, match="no finite derivative at z = 0; give the formula another"):
            symbp.derive(network).prove()


@pytest.mark.parametrize("formula", ["sqrt(abs(z))", "abs(z)**(1/3)", "1/abs(z)"])
def test_a_kink_without_a_slope_is_named(formula: str) -> None:
    network = Network(1, [Dense(1, symbp.Activation("own", formula))], "squared_error", name="own")
    with pytest.warns(SymbpWarning, match="at z = 0"):
        derivation = symbp.derive(network)
    with pytest.raises(DerivationError, match=r"no finite derivative at z = 0; .* 'a if ... else b'"):
        derivation.prove()

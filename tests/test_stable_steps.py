"""Stable forms as steps of a derivation: found, proved, taken by the kernel, and broken in tests."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.named import Sigmoid
from symbp.derivation import records
from symbp.derivation.oracles.mutants import mutants
from symbp.derivation.oracles.panel import Panel
from symbp.derivation.stable import RULE, label_of_form
from symbp.errors import DerivationError, SpecError
from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.network import Dense, Network
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

HALF = Activation("half", "(1 + tanh(z))/2", "unit_interval")
OWN_LOG_COSH = Cost("own_log_cosh", "log((exp(h - y) + exp(y - h))/2)")

NETWORK = Network(
    3, [Dense(2, "swish"), Dense(2, "softplus", bias=False), Dense(2, "elu")], OWN_LOG_COSH, name="net"
)
UNIT = Network(2, [Dense(2, HALF)], "binary_cross_entropy", name="unit")
STEPS = ("1.3s, k=1", "1.3ds, k=1", "1.3s, k=2", "1.3ds, k=2", "1.8s", "2.1s", "D.1fs")


@pytest.fixture(scope="module")
def derivation() -> symbp.Derivation:
    return symbp.derive(NETWORK)


def test_the_steps_are_there_and_proved(derivation: symbp.Derivation) -> None:
    assert [step.label for step in derivation.steps if step.rule == RULE] == [
        *("1.8s", "2.1s", "D.1fs"),
        *STEPS[:4],
    ]
    derivation.prove()
    for label in STEPS:
        methods = {check.method for check in derivation.checked()[label].checks}
        assert {"rewriting", "mpmath"} <= methods
        assert "as it is written" in derivation[label].because


@pytest.mark.parametrize("label", STEPS)
def test_every_fault_in_a_stable_form_is_seen(derivation: symbp.Derivation, label: str) -> None:
    panel, step = Panel(derivation), derivation[label]
    faulty = [statement for _, statement in mutants(step.statement)]
    assert len(faulty) >= 3
    for statement in faulty:
        checks = panel.checks(dataclasses.replace(step, statement=statement))
        assert not all(check.passed for check in checks), statement


@pytest.mark.parametrize("label", STEPS)
def test_the_proof_alone_sees_a_fault_too_small_for_numbers(derivation: symbp.Derivation, label: str) -> None:
    statement = derivation[label].statement
    faulty = records.equation(statement.lhs, statement.rhs + sympy.Rational(1, 10**60))
    checks = Panel(derivation).checks(dataclasses.replace(derivation[label], statement=faulty))
    assert {check.method for check in checks if not check.passed} == {"rewriting"}


@pytest.mark.parametrize("label", STEPS)
def test_a_broken_stable_form_changes_the_kernel_and_is_named(
    derivation: symbp.Derivation, label: str
) -> None:
    statement = derivation[label].statement
    broken = derivation.replace(label, records.equation(statement.lhs, 2 * statement.rhs))
    with pytest.raises(DerivationError, match=f"^{label}: "):
        broken.prove()
    good, bad = interpreted(NETWORK), interpreted(NETWORK, broken)
    w, X, Y = good.init_params(0), np.ones((2, 3)), np.zeros((2, 2))
    J, g = good.value_and_gradient(w, X, Y)
    J_bad, g_bad = bad.value_and_gradient(w, X, Y)
    assert J_bad != J or not np.array_equal(g, g_bad)


def test_the_kernel_computes_the_stable_equation() -> None:
    """It carries the label of the stable form, and calls what that names or is made of."""
    from symbp.render.writer import trainer_source
    from symbp.spec import Spec, TrainOptions

    spec = Spec(NETWORK, TrainOptions(elementary="libm"))
    source = trainer_source(symbp.derive(NETWORK), spec, prove=False)
    for label in ("1.3s, k=1", "1.3s, k=2", "1.8s", "2.1s", "D.1fs"):
        assert f"({label})" in source
    for call in ("sigmoid(c_s^1)", "math.log1p(", "math.expm1(", "logcosh("):
        assert call in source
    assert "Heaviside" not in source


@pytest.mark.parametrize("layer", [1, 2])
def test_what_goes_back_is_put_together_from_the_stable_derivative(
    derivation: symbp.Derivation, layer: int
) -> None:
    for label in (f"2.12f, k={layer}", f"D.5f, k={layer}"):
        step = derivation[label]
        assert f"1.3ds, k={layer}" in step.uses
        assert step.statement.rhs.has(Sigmoid)
        broken = derivation.replace(f"1.3ds, k={layer}", derivation[f"1.3d, k={layer}"].statement)
        assert broken[label].statement != step.statement
        mixed = dataclasses.replace(step, statement=broken[label].statement.func(step.statement.lhs, 0))
        assert {c.method for c in Panel(derivation).checks(mixed) if not c.passed} >= {"put in"}


def test_proofs_run_once(derivation: symbp.Derivation, monkeypatch: pytest.MonkeyPatch) -> None:
    own = symbp.derive(Network(1, [Dense(1)], "squared_error"))
    asked: list[str] = []
    usual = Panel.checks
    monkeypatch.setattr(Panel, "checks", lambda panel, step: asked.append(step.label) or usual(panel, step))
    own.prove()
    first = len(asked)
    own.text(), own.markdown(), own.latex(), own.prove()
    assert first == len(asked) == len(own.steps)
    assert own.replace("2.2", own["2.2"].statement).checked() is not own.checked()


def test_a_cost_in_one_minus_a_softmax_is_refused() -> None:
    network = Network(4, [Dense(3, "softmax")], "binary_cross_entropy")
    with pytest.raises(SpecError, match="use output activation 'sigmoid', or cost 'cross_entropy'"):
        symbp.derive(network)


# Legal pairs at extreme weighted sums ---------------------------------------------------------

SUMS = (0.0, 0.7, -0.7, 40.0, -40.0, 800.0, -800.0)
UNITS = [name for name, record in ACTIVATIONS.items() if not record.of_layer]
REAL = [name for name, record in COSTS.items() if record.output == "real"]
PAIRS = [
    *((unit, "squared_error") for unit in UNITS),
    *((unit, cost) for unit in ("identity", "tanh", "elu") for cost in REAL if cost != "squared_error"),
    *((unit, "log_cosh") for unit in ("softplus", "gelu")),
    *((unit, "poisson") for unit in ("exp", "gaussian", "sigmoid")),
    ("softplus", "poisson"),
    ("sigmoid", "binary_cross_entropy"),
    (HALF, "binary_cross_entropy"),
    *((unit, OWN_LOG_COSH) for unit in ("identity", "tanh")),
]


def _targets(cost: Cost) -> tuple[float, float]:
    return (-1.0, 1.0) if cost.targets == "sign" else (0.0, 1.0)


def _exact(unit: Activation, cost: Cost, z: float, y: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return the cost of one sample and its derivative by z, by central differences."""
    formula = cost.expression().subs("h", sympy.Symbol("h", real=True))
    g = sympy.lambdify(sympy.Symbol("z", real=True), unit.expression(), "mpmath")
    J = sympy.lambdify(sympy.symbols("h y", real=True), formula, "mpmath")
    with mpmath.workdps(1600):
        at, step = mpmath.mpf(z), mpmath.mpf(10) ** -380
        side = step if z == 0 else 0  # a kink at 0 has the derivative of the branch that holds there
        low, high = at - step, at + step - side
        return J(g(at), mpmath.mpf(y)), (J(g(high), mpmath.mpf(y)) - J(g(low), mpmath.mpf(y))) / (high - low)


@pytest.mark.parametrize(("unit", "cost"), PAIRS, ids=lambda x: getattr(x, "name", x))
def test_pairs_at_extreme_weighted_sums(unit: str | Activation, cost: str | Cost) -> None:
    """Cost and gradient are finite and right to 16 ulps of the largest number that enters them."""
    network = Network(2, [Dense(1, unit, bias=False)], cost, name="pair")
    derivation = symbp.derive(network)
    trainers = {dtype: interpreted(network, derivation, dtype=dtype) for dtype in ("float64", "float32")}
    record = network.layers[0].activation
    for z, y in itertools.product(SUMS, _targets(network.cost)):
        true_J, true_slope = _exact(record, network.cost, z, y)
        scale = max(1.0, abs(z)) if network.cost.name != "squared_error" else max(1.0, z * z)
        largest = max(scale, abs(true_J))
        for dtype, trainer in trainers.items():
            eps = float(np.finfo(dtype).eps)
            # The second input is 1 with weight 0: its gradient is the derivative by z.
            J, gradient = trainer.value_and_gradient([1.0, 0.0], [[z, 1.0]], [y])
            if largest > np.finfo(dtype).max or abs(true_slope) > np.finfo(dtype).max:
                assert not math.isfinite(J) or not math.isfinite(gradient[1])
                continue
            assert math.isfinite(J)
            assert abs(J - true_J) <= 16 * eps * largest, (z, y, dtype)
            assert abs(gradient[1] - true_slope) <= 16 * eps * max(1.0, abs(true_slope)), (z, y, dtype)


@pytest.mark.parametrize("unit", ["gelu", "gelu_tanh"])
def test_a_unit_that_fades_out_keeps_its_digits_in_the_gradient(unit: str) -> None:
    """1 + tanh(u) and 1 + erf(u) have none left there; the sensitivity takes the stable g'."""
    network = Network(1, [Dense(1, unit, bias=False)], "squared_error", name="pair")
    derivation = symbp.derive(network)
    for dtype in ("float64", "float32"):
        trainer = interpreted(network, derivation, dtype=dtype, elementary="libm")
        for z in (-3.0, -5.0, -7.0, -9.0):
            _, slope = _exact(network.layers[0].activation, network.cost, z, -1.0)
            found = trainer.input_gradient([1.0], [[z]], [[-1.0]])[0, 0]
            # The exponent is about z^2: rounding it once costs that many ulps.
            assert abs(found - slope) <= 3 * z * z * np.finfo(dtype).eps * abs(slope), (z, dtype)


def test_a_logarithm_that_is_a_softplus_stays_one() -> None:
    """log(1 + exp(-h y)) is softplus(-y c) and not softplus(y c) - y c, which is 0 for y c = 40."""
    cost = Cost("logistic", "log(1 + exp(-h*y))", targets="sign")
    network = Network(1, [Dense(1, bias=False)], cost, name="pair")
    J, _ = interpreted(network).value_and_gradient([1.0], [[40.0]], [[1.0]])
    assert pytest.approx(math.exp(-40.0), rel=1e-15, abs=0) == J


@functools.cache
def _derived(cost: str) -> symbp.Derivation:
    return symbp.derive(Network(3, [Dense(3, "softmax", bias=False)], cost, name="pair"))


@pytest.mark.parametrize("gap", [0.0, 38.0, 40.0, 800.0])
@pytest.mark.parametrize("cost", [name for name in COSTS if name != "binary_cross_entropy"])
def test_softmax_at_extreme_gaps(cost: str, gap: float) -> None:
    network = Network(3, [Dense(3, "softmax", bias=False)], cost, name="pair")
    trainer = interpreted(network, _derived(cost))
    each = sympy.lambdify(sympy.symbols("h y", real=True), network.cost.expression(), "mpmath")
    for label in range(3):
        low, high = _targets(network.cost)
        y = np.where(np.eye(3)[label] == 1, high, low)
        J, gradient = trainer.value_and_gradient(np.eye(3).ravel(), [[gap, 0.0, -1.0]], y[None])
        with mpmath.workdps(400):
            e = [mpmath.exp(c) for c in (gap, 0, -1)]
            h = [x / sum(e) for x in e]
            true = sum(each(p, t) for p, t in zip(h, y, strict=True))
        assert pytest.approx(float(true), rel=1e-14, abs=1e-15 * max(1, gap)) == J
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("label", ["1.3d, k=1", "1.3d, k=2", "1.8d", "1.3, k=1", "2.1"])
def test_a_stable_form_heals_nothing(derivation: symbp.Derivation, label: str) -> None:
    """It is made from the equation that stands there: a wrong one stays wrong in it, and in the kernel."""
    statement = derivation[label].statement
    broken = derivation.replace(label, records.equation(statement.lhs, 3 * statement.rhs))
    source = label_of_form(broken, label)
    if source != label:
        assert all(
            check.passed for check in Panel(broken).checks(broken[source]) if check.method == "rewriting"
        )
        assert broken[source].statement != derivation[source].statement
    tanh = symbp.derive(Network(2, [Dense(2, "tanh"), Dense(1)], "squared_error"))
    halved = records.equation(tanh["1.3d, k=1"].statement.lhs, tanh["1.3d, k=1"].statement.rhs / 2)
    assert "1.3ds, k=1" not in tanh.replace("1.3d, k=1", halved)

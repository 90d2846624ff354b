"""NaN in gives NaN out: through values, derivatives, costs with kinks, gradients and Jacobians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symbp
from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.network import Dense, Network
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::symbp.errors.SymbpWarning")

TARGETS = ("portable", "x86-64-v3")
KINKED = {
    name: ACTIVATIONS[name] for name in ("relu", "leaky_relu", "elu", "selu", "hard_sigmoid", "softsign")
} | {
    record.name: record
    for record in (
        Activation("larger", "max(z, 0)"),
        Activation("between", "min(max(z, -1), 1)"),
        Activation("size", "abs(z)"),
        Activation("falling", "1 if z < -1 else (0.5 - z/2 if z <= 1 else -2*z + 2)"),
    )
}
UNITS = {"positive": "exp", "unit_interval": "sigmoid", "distribution": "softmax"}
COST_RECORDS = dict(COSTS) | {
    record.name: record
    for record in (Cost("own_size", "abs(h - y)"), Cost("own_larger", "max(h - y, 2*(y - h))"))
}


def targets(record: Cost, rows: int) -> np.ndarray:
    numbers = np.linspace(0.1, 0.9, 2 * rows).reshape(rows, 2)
    if record.targets == "distribution":
        return np.full((rows, 2), 0.5)
    return np.sign(numbers - 0.5) if record.targets == "sign" else numbers


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", KINKED)
def test_a_nan_weight_before_a_kink_makes_every_gradient_nan(name: str, target: str) -> None:
    """The unit's own NaN reaches each output, hence each sensitivity, hence each entry."""
    network = Network(2, [Dense(3, KINKED[name]), Dense(2)], "half_squared_error", name="nan")
    trainer = interpreted(network, target=target)
    w = trainer.init_params(0)
    X, Y = np.array([[0.5, -0.4], [0.3, 0.8]]), np.zeros((2, 2))
    assert np.isfinite(trainer.value_and_gradient(w, X, Y)[1]).all()
    w[0] = np.nan
    cost, gradient = trainer.value_and_gradient(w, X, Y)
    assert np.isnan(cost)
    assert np.isnan(gradient).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", COST_RECORDS)
def test_a_nan_output_makes_every_gradient_nan(name: str, target: str) -> None:
    """Also where the cost has a kink, whose slope is a number on both sides."""
    record = COST_RECORDS[name]
    unit = UNITS.get(record.output, "identity")
    trainer = interpreted(Network(2, [Dense(3, "tanh"), Dense(2, unit)], record, name="nan"), target=target)
    w = trainer.init_params(0)
    X, Y = np.array([[0.5, -0.4], [np.nan, 0.8]]), targets(record, 2)
    cost, gradient = trainer.value_and_gradient(w, X, Y)
    assert np.isnan(cost)
    assert np.isnan(gradient).all()


ASKING = {  # whose cases ask for the target, and show it in no branch, in one, or in some
    name: COSTS[name] for name in ("mean_absolute_error", "quantile", "huber")
} | {
    record.name: record
    for record in (
        Cost("larger", "max(h, y)**2"),
        Cost("smaller", "min(y, h)**2"),
        Cost("one_side", "(h - y)**2 if h > y else 0"),
        Cost("in_the_middle", "h**2 if y > 0 else (3*h if h > -9 else h + 18)"),
        Cost("either", "h**2 if h > 9 or y > 0 else h/2"),
        Cost("both", "h**2 if h < 9 and y > 0 else h/2"),
    )
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ASKING)
def test_a_nan_target_makes_cost_and_gradient_nan(name: str, dtype: str, target: str) -> None:
    trainer = interpreted(Network(1, [Dense(1)], ASKING[name], name="nan"), dtype=dtype, target=target)
    for w in ([3.0, 1.0], [-3.0, -1.0], [0.1, 0.0], [9.0, 9.0]):  # in every branch
        cost, gradient = trainer.value_and_gradient(w, np.array([[0.5]]), np.array([[np.nan]]))
        assert np.isnan(cost)
        assert np.isnan(gradient).all()


@pytest.mark.parametrize("name", KINKED)
def test_the_jacobian_at_nan_is_nan(name: str) -> None:
    """It starts at the outputs, so the slope of each unit has to be NaN by itself."""
    trainer = interpreted(Network(2, [Dense(3, KINKED[name]), Dense(2)], "half_squared_error", name="nan"))
    w = trainer.init_params(0)
    w[0] = np.nan
    jacobian = trainer.jacobian(w, np.array([[0.5, -0.4]]))
    first = jacobian[0, :, :3]  # weights of the unit whose sum is NaN
    assert np.isnan(first).all()


def test_the_slope_of_a_faulty_printer_swallows_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    from symbp.render.value_printer import ValuePrinter

    monkeypatch.setattr(ValuePrinter, "unseen", lambda self, cases: "")
    network = Network(2, [Dense(2)], "mean_absolute_error", name="nan")
    trainer = interpreted(network, symbp.derive(network))
    w = trainer.init_params(0)
    w[:] = np.nan
    _, gradient = trainer.value_and_gradient(w, np.array([[0.5, -0.4]]), np.zeros((1, 2)))
    assert np.isfinite(gradient).all()


def test_compiled_kernels_keep_nan(tmp_path: Path) -> None:
    """Vector code of this machine: relu in the epilogue, a kinked cost side by side."""
    network = Network(3, [Dense(9, "relu"), Dense(2)], "mean_absolute_error", name="nan")
    trainer = symbp.generate(network, tmp_path / "nan.py", dtype="float32")
    w = trainer.init_params(0)
    X, Y = np.random.default_rng(0).normal(size=(5, 3)), np.zeros((5, 2))
    w[0] = np.nan
    cost, gradient = trainer.value_and_gradient(w, X, Y)
    assert np.isnan(cost)
    assert np.isnan(gradient).all()


@pytest.mark.parametrize(
    ("cases", "printed"),
    [
        ("0 if z <= 0 else z", "max(z, 0.0)"),
        ("0 if z < 0 else z", "max(z, 0.0)"),
        ("1 if z >= 1 else z", "min(z, 1.0)"),
        ("z if z <= 0 else 0", None),  # the smaller one, but NaN would become 0
        ("0 if z <= 1 else z", None),
        ("2*z if z <= 0 else z", None),
        ("0 if z <= 0 else 1", None),
    ],
)
def test_the_larger_one_of_a_value_and_a_number_is_one_instruction(cases: str, printed: str | None) -> None:
    """Only where a NaN stays one: max(z, b) is b if b > z, else z."""
    from sympy import Piecewise, Symbol

    from symbp.render.kernel_functions import KernelFunctions
    from symbp.render.tile_printer import VectorPrinter
    from symbp.render.value_printer import ValuePrinter

    z = Symbol("z", real=True)
    value, rest = cases.split(" if ")
    condition, other = rest.split(" else ")
    read = lambda text: eval(text, {"z": z})  # noqa: E731
    expr = Piecewise((read(value), read(condition)), (read(other), True), evaluate=False)
    text = VectorPrinter("float64", (), KernelFunctions()).doprint(expr)
    assert text == printed if printed else text.startswith("select(")
    assert "max(" not in ValuePrinter("float64").doprint(expr)

"""Every activation and cost of the tables, through every target.

To see every activation in one compiled kernel, the network below has one layer for each, two
neurons wide. Neuron 0 of each layer gets its weighted sum z from its bias alone and is what is
measured; neuron 1 carries the sensitivity on to the layers before. With one sample,

    dJ/dW_{k+1}[1, 0] / dJ/db_{k+1}[1] = o_k[0] = g(z),   dJ/db_k[0] / (w dJ/db_{k+1}[1]) = g'(z),

where w = W_{k+1}[1, 0] is a power of 2 so small that z does not move the layers behind it.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mpmath
import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.named import NAMED
from symbp.derivation.describe import describe
from symbp.derivation.local import Z
from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.network import Dense, Network
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.mathml import MathMLWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render.writer import trainer_source, write_trainer
from symbp.run.plain import H, Y
from symbp.run.trainer import Trainer
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RECORDS = [*ACTIVATIONS.values(), *COSTS.values()]
ELEMENTWISE = [record for record in ACTIVATIONS.values() if not record.of_layer]
KINKS = {"relu": [0], "leaky_relu": [0], "elu": [0], "selu": [0], "hard_sigmoid": [-3, 3]}
SPECIAL = [0.0, 1e-8, -1e-8, 1.0, -1.0, 40.0, -40.0]
TINY = {"float64": 1e-300, "float32": 1e-30}
RANDOM = np.random.default_rng(0).normal(scale=2, size=12)

# Format -> printer: each prints formula and derivative of every record.
PRINTERS: dict[str, type[Writer]] = {"latex": LatexWriter, "text": TextWriter, "mathml": MathMLWriter}

DTYPES = ("float64", "float32")
_SMALL = 2.0**-62


# Kernels ---------------------------------------------------------------------------------------


# Every activation in both types and both kinds of loops as plain Python, and compiled once: every
# second one with a kernel in plain loops, the others with one in vectors.
PLAIN = [(dtype, target) for dtype in DTYPES for target in ("portable", "x86-64-v3")]
COMPILED = {"float64": ("portable", ELEMENTWISE[::2]), "float32": ("host", ELEMENTWISE[1::2])}


@dataclasses.dataclass(frozen=True)
class Probe:
    """Kernels with one layer for each of some activations."""

    records: tuple[Activation, ...]
    trainer: Any

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.trainer.dtype)


def _network(records: list[Activation]) -> Network:
    layers = [Dense(2, record) for record in records]
    return Network(1, [*layers, Dense(2, "identity")], "half_squared_error", name="probe")


@functools.cache
def _plain_probe(dtype: str, target: str) -> Probe:
    module = interpreted(_network(ELEMENTWISE), dtype=dtype, target=target)
    return Probe(tuple(ELEMENTWISE), Trainer(Path("plain.py"), module, ""))


@pytest.fixture(scope="module")
def compiled_probes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Probe]:
    found = {}
    for dtype, (target, records) in COMPILED.items():
        network = _network(records)
        path = tmp_path_factory.mktemp("probe") / f"probe_{dtype}.py"
        # Proved record by record elsewhere; this network of many layers only holds them. Without the
        # self-test its training is not compiled either, which nothing here asks for.
        spec = symbp.Spec(network, symbp.TrainOptions(dtype=dtype, target=target))
        write_trainer(symbp.derive(network), spec, path, prove=False)
        found[dtype] = Probe(tuple(records), symbp.load(path, self_test=False))
    return found


@pytest.fixture(params=[*PLAIN, *COMPILED], ids=lambda made: made if made in COMPILED else "-".join(made))
def probe(request: pytest.FixtureRequest) -> Probe:
    if request.param in PLAIN:
        return _plain_probe(*request.param)
    return request.getfixturevalue("compiled_probes")[request.param]


def test_every_activation_is_compiled() -> None:
    compiled = {record.name for _, records in COMPILED.values() for record in records}
    assert compiled == {record.name for record in ELEMENTWISE}


def _weights(probe: Probe, z: float) -> np.ndarray:
    """Return weights that give neuron 0 of every layer the weighted sum z."""
    w = np.zeros(probe.trainer.n_params, probe.dtype)
    records = probe.records
    carried = 0.0  # what neuron 1 of the layer before puts out
    for k, matrix in enumerate(probe.trainer.unpack(w)):
        matrix[0, -1] = z
        if k:
            slope = _slope(records[k - 1], 0.5)
            passed = 2.0 ** round(-np.log2(abs(slope)))
            matrix[1, :2] = (_SMALL, passed)
            matrix[1, 2] = 0.5 - passed * carried
        else:
            matrix[1, -1] = 0.5
        carried = float(_exact(records[k].expression(), z=0.5)) if k < len(records) else 0.0
    return w


def _slope(record: Activation, z: float) -> float:
    return float(_exact(record.expression().diff(Z), z=z))


def _exact(expr: Any, **values: float) -> Any:
    """Return a formula's value at 50 digits."""
    with mpmath.workdps(50):
        return _function(expr, tuple(values))(*(mpmath.mpf(value) for value in values.values()))


@functools.cache
def _function(expr: Any, names: tuple[str, ...]) -> Any:
    return sympy.lambdify([sympy.Symbol(name, real=True) for name in names], expr, "mpmath")


def _measure(probe: Probe, z: float) -> list[tuple[float, float]]:
    """Return (g(z), g'(z)) of every elementwise activation, as the kernels compute them."""
    w, X, Y = _weights(probe, z), np.zeros((1, 1), probe.dtype), np.full((1, 2), 7, probe.dtype)
    _, gradient = probe.trainer.value_and_gradient(w, X, Y)
    assert gradient.dtype == probe.dtype
    blocks = probe.trainer.unpack(gradient.astype(np.float64))
    found = []
    for k in range(len(probe.records)):
        behind = blocks[k + 1][1, 2]
        found.append((blocks[k + 1][1, 0] / behind, blocks[k][0, -1] / (_SMALL * behind)))
    return found


def test_values_and_derivatives_in_the_kernel(probe: Probe) -> None:
    """Right to a few roundings of the largest intermediate number; saturation is tested elsewhere."""
    eps = float(np.finfo(probe.dtype).eps)
    tiny = TINY[str(probe.dtype)]
    for number in (*SPECIAL, tiny, -tiny, -3.0, 3.0, *RANDOM):
        z = float(np.asarray(number, probe.dtype))
        for record, (value, slope) in zip(probe.records, _measure(probe, z), strict=True):
            formula = record.expression()
            exact = float(_exact(formula, z=z))
            assert value == pytest.approx(exact, rel=8 * eps, abs=4 * eps * max(1, abs(z))), (record.name, z)
            at_kink = z in KINKS.get(record.name, [])
            expected = _declared(record, z) if at_kink else float(_derivative(formula, z))
            bound = 8 * eps * max(1, abs(z)) ** 2
            assert slope == pytest.approx(expected, rel=8 * eps, abs=bound), (record.name, z)


def _derivative(formula: Any, z: float) -> Any:
    """Return a central difference, on one side of 0 and with digits for so small a step."""
    exponent = 20 if z == 0 else 20 + max(0, -int(mpmath.log10(abs(z))))
    with mpmath.workdps(3 * exponent):
        at, step = mpmath.mpf(z), mpmath.mpf(10) ** -exponent
        function = _function(formula, ("z",))
        return (function(at + step) - function(at - step)) / (2 * step)


def _declared(record: Activation, z: float) -> float:
    (kink,) = [k for k in describe(record).kinks if float(k.at) == z]
    return float(kink.declared.subs({name: sympy.Rational(str(v)) for name, v in _named(record).items()}))


def _named(record: Activation | Cost) -> dict[sympy.Symbol, float]:
    return {sympy.Symbol(name, real=True): value for name, value in record.values.items()}


def test_nan_goes_through_every_activation(probe: Probe) -> None:
    w = _weights(probe, 0.5)
    for k, record in enumerate(probe.records):
        broken = w.copy()
        probe.trainer.unpack(broken)[k][1, -1] = np.nan
        outputs = probe.trainer.predict(broken, np.zeros((1, 1)))
        assert np.isnan(outputs[0, 1]), record.name


@pytest.mark.parametrize(("dtype", "target"), PLAIN[::3])
def test_no_call_is_made_twice(dtype: str, target: str) -> None:
    """Each activation may call its own functions on the way forward, and those of g' that g lacks."""
    # With the functions of math, which no emitted helper calls in turn.
    spec = symbp.Spec(
        _network(ELEMENTWISE), symbp.TrainOptions(dtype=dtype, target=target, elementary="libm")
    )
    source = trainer_source(symbp.derive(spec.network), spec, False)
    forward = source[source.index("def _forward") : source.index("def _answer")]
    backward = source[source.index("def _sensitivities") : source.index("def _gradient")]
    calls = {k: _calls(forward, k) + _calls(backward, k) for k in range(1, len(ELEMENTWISE) + 1)}
    expected = {
        **{name: ["exp"] for name in ("swish", "sigmoid", "exp", "gaussian", "gelu_tanh")},
        **{name: ["expm1"] for name in ("elu", "selu")},
        **{name: ["tanh"] for name in ("tanh", "scaled_tanh")},
        "arctan": ["atan"],
        "sin": ["cos", "sin"],
        "softplus": ["exp", "log1p"],
        "mish": ["exp"],
        "gelu": ["erfc", "exp"],
    }
    for k, record in enumerate(ELEMENTWISE, 1):
        assert sorted(calls[k]) == expected.get(record.name, []), record.name


def _calls(text: str, layer: int) -> list[str]:
    """Return the functions called in lines that assign to arrays of a layer."""
    lines = re.findall(rf"^ *(?:\w+_)?[COD]{layer}(?:_flat)?\[[^\]]*\] \+?= (.*)$", text, re.MULTILINE)
    names = "|".join(kind.title for kind in NAMED)
    found = (re.findall(rf"math\.(\w+)\(|\b({names})\(", line) for line in lines)
    return ["".join(name) for line in found for name in line]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", COSTS)
def test_value_and_derivative_of_a_cost(cost: str, dtype: str) -> None:
    record = COSTS[cost]
    outputs = {"distribution": 2}.get(record.output, 1)
    activation = {"distribution": "softmax", "unit_interval": "sigmoid", "positive": "exp"}
    output = activation.get(record.output, "identity")
    network = Network(1, [Dense(outputs, output, bias=False)], cost, name="edge")
    trainer = interpreted(network, dtype=dtype)
    eps = float(np.finfo(dtype).eps)
    w = np.zeros(outputs, dtype)
    for target in {"sign": (-1, 1), "nonnegative": (0, 1, 3)}.get(record.targets, (0, 1, 0.25)):
        for z in (0.0, 0.25, 1.0, -1.0, 3.0, -3.0):
            w[0] = z
            y = [[target, 1 - target]] if outputs == 2 else [[target]]
            found, gradient = trainer.value_and_gradient(w, [[1.0]], y)
            assert gradient.dtype == dtype
            exact = _exact_cost(network, record, z, y[0])
            assert found == pytest.approx(float(exact[0]), rel=16 * eps, abs=16 * eps), (z, target)
            assert gradient[0] == pytest.approx(float(exact[1]), rel=32 * eps, abs=32 * eps), (z, target)


def _exact_cost(network: Network, record: Cost, z: float, y: list[float]) -> tuple[Any, Any]:
    """Return J and dJ/dz_1 at 50 digits, by the chain rule with the declared derivative at a kink."""
    terms, slopes = mpmath.mpf(0), mpmath.mpf(0)
    with mpmath.workdps(50):
        z = mpmath.mpf(z)
        e = [mpmath.exp(z), mpmath.mpf(1)]
        outputs: list[tuple[Any, Any]] = {
            "identity": [(z, 1)],
            "exp": [(e[0], e[0])],
            "sigmoid": [(e[0] / (1 + e[0]), e[0] / (1 + e[0]) ** 2)],
            "softmax": [(e[0] / sum(e), e[0] / sum(e) ** 2), (1 / sum(e), -e[0] / sum(e) ** 2)],
        }[network.layers[-1].activation.name]
        formula = record.expression()
        value = sympy.lambdify([H, Y], formula, "mpmath")
        slope = sympy.lambdify([H, Y], formula.diff(H), "mpmath")
        for (h, dh), target in zip(outputs, y, strict=True):
            terms += value(h, mpmath.mpf(target))
            slopes += slope(h, mpmath.mpf(target)) * dh
    return terms, slopes


@pytest.mark.parametrize("cost", COSTS)
def test_nan_goes_through_every_cost(cost: str) -> None:
    record = COSTS[cost]
    activation = {"distribution": "softmax", "unit_interval": "sigmoid", "positive": "exp"}
    network = Network(1, [Dense(2, activation.get(record.output, "identity"), bias=False)], cost, name="edge")
    y = [[1, 0]] if record.targets == "distribution" else [[1, 1]]
    J, _ = interpreted(network).value_and_gradient([np.nan, 1.0], [[1.0]], y)
    assert np.isnan(J)


# Pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", PRINTERS)
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_formula_and_derivative_in_print(record: Activation | Cost, form: str) -> None:
    writer = PRINTERS[form](get("smatrix"))
    found = describe(record)
    for expr in (found.formula, found.derivative, found.relation):
        if expr is None:
            continue
        text = writer.expression(expr)
        if form == "mathml":
            ElementTree.fromstring(f"<math>{text}</math>")
        else:
            assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")
        assert not re.search(r"Derivative|Heaviside|Dirac|Piecewise|Subs|_\d{2,}|nan|zoo", text)
        for parameter in record.parameters:
            letter = writer.expression(sympy.Symbol(parameter.name, real=True))
            assert letter in text or expr is not found.formula


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_every_record_names_its_source(record: Activation | Cost) -> None:
    assert len(record.source) > 2


@pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)
def test_the_stated_range_holds(record: Activation) -> None:
    found = describe(record).range
    assert found is not None
    low, high = (float(end.value) for end in found)
    values = [float(_exact(record.expression(), z=z)) for z in np.linspace(-50, 50, 801)]
    margin = 1e-5  # of the five digits in print
    assert low - margin <= min(values)
    assert max(values) <= high + margin
    assert min(values) < low + 0.1 or low == -np.inf
    assert max(values) > high - 0.1 or high == np.inf
    if record.output in ("positive", "unit_interval"):
        assert low == 0
        assert not found[0].attained
    if record.output == "unit_interval":
        assert high == 1
        assert not found[1].attained


# Learning --------------------------------------------------------------------------------------

# Where the initial weights leave every unit on its straight part, larger ones start better.
SCALES = {"sigmoid": 4.0, "hard_sigmoid": 6.0}
XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


@pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)
def test_every_activation_learns(record: Activation) -> None:
    """XOR, of which the best linear model has cost 1/8; a line is what identity can learn."""
    y = np.array([0, 1, 1, 0.0]) if record.name != "identity" else XOR @ [1.0, -2.0]
    trainer = interpreted(Network(2, [Dense(4, record), Dense(1)], "half_squared_error", name="learns"))
    costs = []
    for seed in range(4):  # a hidden layer of four may start badly
        w = trainer.init_params(seed) * SCALES.get(record.name, 1.0)
        w, _ = trainer.fit(w, XOR, y, epochs=400, batch_size=4, learning_rate=0.3, seed=seed)
        costs.append(trainer.value_and_gradient(w, XOR, y)[0])
        if costs[-1] < 0.02:
            return
    pytest.fail(f"{record.name}: costs {costs}")


_X = np.linspace(-1, 1, 9)[:, None]
PROBLEMS: dict[str, tuple[str, np.ndarray]] = {
    "cross_entropy": ("softmax", (_X[:, 0] > 0.1).astype(int)),
    "binary_cross_entropy": ("sigmoid", (_X > 0.1).astype(float)),
    "hinge": ("identity", np.where(_X > 0.1, 1.0, -1.0)),
    "poisson": ("exp", np.round(np.exp(1 + _X))),
}


@pytest.mark.parametrize("cost", COSTS)
def test_every_cost_learns(cost: str) -> None:
    """The cost falls below a third of the way from its start to its least value."""
    output, targets = PROBLEMS.get(cost, ("identity", 2 * _X - 0.5))
    outputs = 2 if output == "softmax" else 1
    trainer = interpreted(Network(1, [Dense(outputs, output)], cost, name="learns"))
    w = trainer.init_params(0)
    before, _ = trainer.value_and_gradient(w, _X, targets)
    w, _ = trainer.fit(w, _X, targets, epochs=150, batch_size=3, learning_rate=0.1, seed=0)
    after, _ = trainer.value_and_gradient(w, _X, targets)
    least = np.mean(targets - targets * np.log(np.maximum(targets, 1))) if cost == "poisson" else 0.0
    assert after - least < (before - least) / 3

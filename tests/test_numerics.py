"""Numbers at the edges: saturation, kinks, NaN, types, divergence, memory."""

from __future__ import annotations

import re
from pathlib import Path

import mpmath
import numpy as np
import pytest

import symbp
from symbp.errors import TrainingError
from symbp.network import Dense, Network
from tests.plain_python import interpreted

EDGES = [0.0, 1e-300, -1e-300, 1e-8, -1e-8, 40.0, -40.0, 800.0, -800.0]


def _perceptron(activation: str, cost: str, outputs: int = 1) -> Network:
    return Network(outputs, [Dense(outputs, activation, bias=False)], cost, name="edge")


@pytest.mark.parametrize("z", EDGES)
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_binary_cross_entropy_on_saturated_sigmoid(z: float, y: float) -> None:
    trainer = interpreted(_perceptron("sigmoid", "binary_cross_entropy"))
    cost, gradient = trainer.value_and_gradient([1.0], [[z]], [y])
    with mpmath.workdps(400):
        h = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        exact = -y * mpmath.log(h) - (1 - y) * mpmath.log(1 - h)
    assert cost == pytest.approx(float(exact), rel=1e-15, abs=0)  # also where it is 4e-18
    assert gradient[0] == pytest.approx(float((h - y) * z), rel=1e-15, abs=1e-15 * abs(z))


@pytest.mark.parametrize("z", EDGES)
def test_cross_entropy_on_saturated_softmax(z: float) -> None:
    trainer = interpreted(_perceptron("softmax", "cross_entropy", 3))
    weights = np.eye(3).ravel()
    for label in range(3):
        cost, gradient = trainer.value_and_gradient(weights, [[z, -z, 0.5]], np.array([label]))
        with mpmath.workdps(1000):
            terms = [mpmath.exp(mpmath.mpf(v)) for v in (z, -z, 0.5)]
            exact = mpmath.log(sum(terms)) - mpmath.mpf((z, -z, 0.5)[label])
        assert cost == pytest.approx(float(exact), rel=1e-15, abs=0)  # also where it is 4e-18
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("z", EDGES)
def test_gradient_at_the_edges_is_finite(activation: str, z: float) -> None:
    trainer = interpreted(_perceptron(activation, "half_squared_error"))
    cost, gradient = trainer.value_and_gradient([1.0], [[z]], [0.25])
    assert np.isfinite(cost)
    assert np.isfinite(gradient).all()


def test_relu_has_slope_zero_at_zero() -> None:
    trainer = interpreted(_perceptron("relu", "half_squared_error"))
    assert trainer.value_and_gradient([0.0], [[1.0]], [5.0])[1][0] == 0
    assert trainer.jacobian([0.0], [[1.0]])[0, 0, 0] == 0


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "sigmoid", "softmax"])
def test_nan_is_not_swallowed(activation: str) -> None:
    cost = "cross_entropy" if activation == "softmax" else "half_squared_error"
    network = Network(2, [Dense(3, "relu"), Dense(2, activation)], cost, name="edge")
    trainer = interpreted(network)
    w = trainer.init_params(0)
    X = np.array([[0.5, -0.5], [np.nan, 1.0]])
    H = trainer.predict(w, X)
    assert np.isfinite(H[0]).all()
    assert np.isnan(H[1]).all()
    Y = np.array([0, 1]) if activation == "softmax" else np.zeros((2, 2))
    cost_value, gradient = trainer.value_and_gradient(w, X, Y)
    assert np.isnan(cost_value)
    assert np.isnan(gradient).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_constant_of_a_kernel_has_its_type(dtype: str) -> None:
    network = Network(3, [Dense(4, "sigmoid"), Dense(2, "softmax")], "cross_entropy", name="edge")
    source = Path(__file__).parent.parent / "generated"
    text = (source / "digits_64_32_10" / "trainer.py").read_text()
    assert 'DTYPE = np.dtype("float32")' in text
    kernels = text[text.index("def _forward") : text.index("def _epoch")]
    bare = [line for line in kernels.splitlines() if re.search(r"(?<![\w(.])\d+\.\d*", line.split("#")[0])]
    assert bare == []
    trainer = interpreted(network, dtype=dtype)
    w = trainer.init_params(0)
    _, gradient = trainer.value_and_gradient(w, np.ones((5, 3)), np.zeros(5, int))
    for array in (w, gradient, trainer.predict(w, np.ones((2, 3))), trainer.jacobian(w, np.ones((2, 3)))):
        assert array.dtype == dtype


# Overflow to infinity and NaN are what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> symbp.Trainer:
    network = Network(5, [Dense(9, "tanh"), Dense(3, "softmax")], "cross_entropy", name="compiled")
    path = tmp_path_factory.mktemp("compiled") / "compiled.py"
    return symbp.generate(network, path, dtype="float32", batch_size=8)


def test_float32_kernels_compute_in_float32(compiled: symbp.Trainer) -> None:
    """No number is widened on the way: an untyped constant would show as an extension to double."""
    X, Y = np.ones((9, 5), np.float32), np.zeros(9, int)
    compiled.value_and_gradient(compiled.init_params(0), X, Y)
    for kernel in (compiled.module._forward, compiled.module._gradient):
        (llvm,) = kernel.inspect_llvm().values()
        functions = re.findall(r"^define .*?^}", llvm, re.MULTILINE | re.DOTALL)
        # The wrapper for calls from Python makes a Python float, which is a double.
        inner = [text for text in functions if "cpython" not in text.splitlines()[0]]
        assert any("fmul" in text for text in inner)  # the arithmetic is there
        assert not any("fpext" in text for text in inner)


def test_elementary_functions_vectorise_inside_the_kernels(compiled: symbp.Trainer) -> None:
    """Layers of 9 and 3 units: tanh and exp run in vectors of float32, and nothing of libm is called."""
    compiled.value_and_gradient(compiled.init_params(0), np.ones((9, 5), np.float32), np.zeros(9, int))
    (llvm,) = compiled.module._forward.inspect_llvm().values()
    # 2^n is made by a shift of integers: those of a whole vector, and never of one number.
    assert len(re.findall(r"shl (?:nsw )?<\d+ x i32>", llvm)) >= 2
    assert not re.search(r"shl (?:nsw )?i32 [^,]+, 23", llvm)
    assert not re.search(r"@(?:llvm\.)?(?:tanh|exp|log)f?(?:\.f32)?\(", llvm)


def test_nothing_is_allocated_in_the_training_loop(compiled: symbp.Trainer) -> None:
    w, _ = compiled.fit(compiled.init_params(0), np.ones((9, 5)), np.zeros(9, int), epochs=1)
    (llvm,) = compiled.module._epoch.inspect_llvm().values()
    assert "NRT_MemInfo_alloc" not in llvm
    assert w.dtype == np.float32


def test_divergence_names_epoch_batch_and_learning_rate(compiled: symbp.Trainer) -> None:
    network = Network(2, [Dense(2)], "squared_error", name="diverges")
    trainer = interpreted(network)
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(FloatingPointError, match=r"epoch \d+.*learning rate 1000"):
        trainer.fit(trainer.init_params(0), X, X, epochs=500, learning_rate=1000.0, batch_size=8)
    with pytest.raises(TrainingError, match=r"epoch \d+, .*learning rate 3e\+38"):
        compiled.fit(compiled.init_params(0), X[:, [0, 1, 0, 1, 0]], np.arange(40) % 3, learning_rate=3e38)


def test_a_last_step_into_infinity_is_seen() -> None:
    """The cost of a batch is taken before its step: the weights after the last step count too."""
    trainer = interpreted(Network(1, [Dense(1, bias=False)], "half_squared_error", name="edge"))
    with pytest.raises(FloatingPointError, match="no longer finite after epoch 1"):
        trainer.fit([1.0], [[1e150]], [0.0], epochs=1, learning_rate=1e10)

"""Elementary functions inside trainers: what is printed, what is brought along, what it computes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.nodes import Softplus
from symbp.elementary.constants import constants
from symbp.errors import PlanError, SpecError
from symbp.functions import Activation
from symbp.network import Dense, Network
from symbp.plan.check import check
from symbp.plan.passes import make_plan, vectorise_functions
from symbp.plan.program import Access, Map
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.numba_printer import ValuePrinter
from symbp.render.writer import trainer_source
from symbp.run.cache import kernel_spec
from symbp.spec import Spec, TrainOptions
from tests.plain_python import interpreted

SINE = Activation("sine", "sin(z)")
z = sympy.Symbol("z", real=True)


def source(*layers: Dense, cost: str = "half_squared_error", inputs: int = 2, **options: Any) -> str:
    network = Network(inputs, list(layers), cost, name="elementary")
    return trainer_source(symbp.derive(network), Spec(network, TrainOptions(**options)), prove=False)


def brought(text: str) -> list[str]:
    return re.findall(r"^@_inlined\ndef (\w+)\(x(?:, e)?\):$", text, re.MULTILINE)


# What is printed -----------------------------------------------------------------------


def test_only_what_is_used_is_brought_along() -> None:
    assert brought(source(Dense(3, "relu"), Dense(1))) == []
    assert brought(source(Dense(3, "tanh"), Dense(1))) == ["tanh"]
    softmax = source(Dense(3, "sigmoid"), Dense(3, "softmax"), cost="cross_entropy")
    assert brought(softmax) == ["exp", "log1p", "sigmoid"]
    logits = source(Dense(1, "sigmoid"), cost="binary_cross_entropy")
    assert brought(logits) == ["exp", "log1p"]  # softplus needs both, and sigmoid shares the exponential
    assert "I = np.int" not in logits  # vectors have the bits of numbers for themselves
    portable = source(Dense(1, "sigmoid"), cost="binary_cross_entropy", target="portable")
    assert "I = np.int64" in portable
    assert "I = np.int" not in source(Dense(1), target="portable")


def test_gelu_and_gaussian_have_functions_of_their_own() -> None:
    """erfc is no function of libm, and what z^2 loses is not lost in an exponent."""
    gelu = source(Dense(3, "gelu"), Dense(1))
    assert brought(gelu) == ["exp", "half_gauss", "normal_cdf_by"]  # of one exponential
    assert "math.erfc" not in gelu
    assert brought(source(Dense(3, "gaussian"), Dense(1))) == ["exp", "gauss"]
    erfc = source(Dense(3, Activation("own", "z*(1 - erf(z))")), Dense(1))
    assert brought(erfc) == ["exp", "gauss", "erfc"]
    libm = source(Dense(3, "gelu"), Dense(1), elementary="libm")
    assert "math.erfc(" in libm


@pytest.mark.parametrize(
    ("exponent", "printed"),
    [
        (-(z**2), "gauss(z)"),
        (-4 * z**2, "gauss(2.0*z)"),
        (-(z**2) / 2, "half_gauss(z)"),
        (-((z - 1) ** 2) / 8, "half_gauss(0.5*z - 0.5)"),
        (-3 * z**2, "exp(-3.0*z*z)"),  # a factor that is no power of 2 is rounded with z
        (z**2, "exp(z*z)"),
        (-(z**4), None),
    ],
)
def test_squares_in_exponents(exponent: sympy.Expr, printed: str | None) -> None:
    text = ValuePrinter("float64", functions=KernelFunctions("fast")).doprint(sympy.exp(exponent))
    assert "gauss" not in text if printed is None else text == printed


def test_libm_brings_nothing() -> None:
    text = source(Dense(3, "tanh"), Dense(3, "softmax"), cost="cross_entropy", elementary="libm")
    assert brought(text) == []
    assert "math.tanh(" in text
    assert "math.exp(" in text
    assert "batch size 32, elementary libm" in text


def test_each_says_what_it_is_and_how_far_off() -> None:
    text = source(Dense(3, "tanh"), Dense(1), dtype="float32", target="x86-64-v3")
    body = text[text.index("def tanh(x):") : text.index("return math.copysign")]
    assert "# tanh(x): tanh(u) = e/(e + 2) with e = exp(2u) - 1" in body
    assert "# exp(r) = 1 + r + r^2 P(r), degree 4, relative error 3.8e-09" in body
    assert re.search(r"# largest error met in [\d,]+ points: 2\.\d+ ulp", body)


def test_sigmoid_is_recognised() -> None:
    fast = ValuePrinter("float64", functions=KernelFunctions("fast"))
    assert fast.doprint(1 / (1 + sympy.exp(-z))) == "sigmoid(z)"
    assert fast.doprint(z / (1 + sympy.exp(2 * z))) == "sigmoid(-2.0*z)*z"
    assert fast.doprint(1 / (1 + sympy.exp(-z)) ** 2) == "sigmoid(z)*sigmoid(z)"
    assert fast.doprint(1 / (2 + sympy.exp(-z))) == "1.0/(2.0 + exp(-z))"
    assert fast.doprint(sympy.sqrt(1 / (1 + sympy.exp(-z)))) == "1.0/math.sqrt(1.0 + exp(-z))"
    libm = ValuePrinter("float64")
    assert libm.doprint(1 / (1 + sympy.exp(-z))) == "1.0/(1.0 + math.exp(-z))"


def test_beyond_its_reach_a_function_is_that_of_math() -> None:
    printer = ValuePrinter("float64", functions=KernelFunctions("fast"))
    assert printer.doprint(sympy.sin(z)) == "math.sin(z)"
    assert printer.doprint(sympy.exp(z)) == "exp(z)"
    printer.near = True
    assert printer.doprint(sympy.cos(z) + sympy.sin(z)) == "sin(z) + cos(z)"
    with pytest.raises(PlanError, match="no kernel for the function gamma"):
        printer.doprint(sympy.gamma(z))


# Long loops ----------------------------------------------------------------------------


def _forward(activation: str, cost: str) -> Any:
    network = Network(2, [Dense(3, "tanh"), Dense(3, activation)], cost)
    return make_plan(symbp.derive(network))


def test_calls_run_over_all_elements_at_once() -> None:
    text = source(Dense(3, "tanh"), Dense(3, "softmax"), cost="cross_entropy", target="portable")
    assert "for t in range(count*3):\n        O1_flat[t] = tanh(C1_flat[t])\n" in text
    # mu is one number for a row: the argument comes first, and the call has a loop of its own.
    assert "E[p, q] = C2[p, q] - MU[p]\n    E_flat = E.reshape(-1)\n" in text
    assert "E_flat[t] = exp(E_flat[t])\n" in text


def test_the_checker_sees_a_wrong_long_loop() -> None:
    program = _forward("softmax", "cross_entropy")
    kernel = program.kernel("forward")
    division = next(x for x in kernel.statements if isinstance(x, Map) and x.target.array == "H")
    assert not division.flat  # H = E/sum: the sum is one for a row
    tangent = next(x for x in kernel.statements if isinstance(x, Map) and x.target.array == "O1")
    assert tangent.flat
    rows, column = tangent.target.indices
    elsewhere = replace(tangent, value=sympy.tanh(Access("C1", rows, 0)))
    with_index = replace(tangent, value=tangent.value * column)
    partial = replace(tangent, loops=(tangent.loops[0], replace(tangent.loops[1], extent=2)))
    for old, new in (
        (division, replace(division, flat=True)),
        (tangent, elsewhere),
        (tangent, with_index),
        (tangent, partial),
    ):
        statements = tuple(new if x is old else x for x in kernel.statements)
        broken = replace(program, kernels=(replace(kernel, statements=statements), *program.kernels[1:]))
        with pytest.raises(PlanError, match="is flat, but"):
            check(broken, "a test")


def test_own_stable_functions_get_long_loops_too() -> None:
    program = _forward("softmax", "cross_entropy")
    kernel = program.kernel("forward")
    tangent = next(x for x in kernel.statements if isinstance(x, Map) and x.target.array == "O1")
    short = replace(tangent, value=tangent.value.replace(sympy.tanh, Softplus), flat=False)
    assert short.value.has(Softplus)
    kernels = (replace(kernel, statements=tuple(short if x is tangent else x for x in kernel.statements)),)
    (changed,) = vectorise_functions(replace(program, kernels=kernels)).kernels
    assert replace(short, flat=True) in changed.statements


def test_the_jacobian_of_a_sample_has_no_flat_loops() -> None:
    network = Network(2, [Dense(3, SINE), Dense(2)], "half_squared_error")
    statements = make_plan(symbp.derive(network)).kernel("jacobian").statements
    assert not any(x.flat for x in statements if isinstance(x, Map))


# What it computes ----------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the sine of infinity
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sine_near_and_far(dtype: str) -> None:
    """Arguments within reach, beyond it, not finite: value, gradient and Jacobian."""
    network = Network(1, [Dense(2, SINE, bias=False), Dense(2, SINE)], "half_squared_error", name="waves")
    trainer = interpreted(network, dtype=dtype)
    real = np.dtype(dtype).type
    beyond = 3 * float(constants(dtype)["FAR"])
    eps = float(np.finfo(dtype).eps)
    for x in (0.5, -3.0, beyond, -7 * beyond):
        w = np.array([1, 0.5, 0.3, -0.2, 0.1, 0.4, 0.2, -0.1], dtype)
        c1 = np.array([real(x), real(x) * real(0.5)])
        o1 = np.sin(c1.astype(float))
        c2 = np.array([0.3 * o1[0] - 0.2 * o1[1] + 0.1, 0.4 * o1[0] + 0.2 * o1[1] - 0.1])
        np.testing.assert_allclose(trainer.predict(w, [[x]])[0], np.sin(c2), atol=8 * eps)
        _, gradient = trainer.value_and_gradient(w, [[x]], [[0.0, 0.0]])
        delta = np.sin(c2) * np.cos(c2)
        of_inner = (np.array([[0.3, -0.2], [0.4, 0.2]]).T @ delta) * np.cos(c1.astype(float)) * float(real(x))
        np.testing.assert_allclose(gradient[:2], of_inner, atol=16 * eps * max(1, abs(x)))
    assert np.isnan(trainer.predict(w, [[np.inf]])).all()
    assert np.isnan(trainer.predict(w, [[np.nan]])).all()


def test_one_far_element_sends_the_whole_array_to_math() -> None:
    text = source(Dense(3, SINE), Dense(1), dtype="float32")
    assert "near &= abs(C1_flat[0, t]) <= F(1608.0)" in text
    assert "O1_flat[0, t] = sin(C1_flat[0, t])" in text
    assert "O1_flat[0, t] = math.sin(C1_flat[0, t])" in text


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_fast_and_libm_agree(activation: str, dtype: str) -> None:
    cost = "cross_entropy" if activation == "softmax" else "half_squared_error"
    network = Network(3, [Dense(5, "tanh"), Dense(4, activation)], cost, name="both")
    fast, libm = (interpreted(network, dtype=dtype, elementary=e) for e in ("fast", "libm"))
    w, X = fast.init_params(0), np.random.default_rng(0).normal(size=(7, 3))
    Y = np.arange(7) % 4 if activation == "softmax" else np.zeros((7, 4))
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(fast.predict(w, X), libm.predict(w, X), rtol=32 * eps)
    (J, g), (J_libm, g_libm) = (m.value_and_gradient(w, X, Y) for m in (fast, libm))
    assert pytest.approx(J_libm, rel=32 * eps) == J
    np.testing.assert_allclose(g, g_libm, rtol=0, atol=32 * eps * np.abs(g_libm).max())


# The option ----------------------------------------------------------------------------


def test_the_option_in_toml_and_python() -> None:
    network = '[network]\ninputs = 1\ncost = "squared_error"\nlayers = [{units = 1}]\n'
    text = network + '[train]\nelementary = "libm"\n'
    spec = Spec.from_text(text)
    assert spec.train.elementary == "libm"
    assert Spec.from_text(spec.to_toml()) == spec
    assert kernel_spec(spec).train.elementary == "libm"
    assert TrainOptions().elementary == "fast"
    for wrong in ("svml", 1, None):
        with pytest.raises(SpecError, match=r"elementary = .*: expected one of fast, libm"):
            TrainOptions(elementary=wrong)  # type: ignore[arg-type]

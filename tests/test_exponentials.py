"""No kernel evaluates an exponential of an argument that another one is computed from already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Abs, exp, tanh
from sympy.codegen.cfunctions import expm1

from symbp.algebra.named import Erfc, Named
from symbp.derivation.computed import USUAL
from symbp.derivation.derive import derive
from symbp.derivation.stability.proof import equal
from symbp.functions import ACTIVATIONS, COSTS, Activation
from symbp.network import Dense, Network
from symbp.plan.hoist import hoist
from symbp.plan.lower import lower
from symbp.plan.opening import _AS_WRITTEN, WRITTEN_OUT, share_inside_named
from symbp.plan.program import Program
from symbp.plan.sharing import canonical, share_functions
from tests.plain_python import interpreted

# Functions that are computed from an exponential of their argument, or of a multiple of it; Erfc from
# one of the square.
EXPONENTIALS = (exp, expm1, tanh, sympy.sinh, sympy.cosh, Erfc)
# What one step of training computes, one after another on the same arrays.
STEP = ("forward", "sensitivities", "gradient")
# Output units beside the usual one that a cost is tried with.
OTHER_UNITS = {"mean_absolute_error": ("mish",), "log_cosh": ("tanh",), "poisson": ("softplus",)}


def _networks() -> Iterator[Any]:
    for name, record in ACTIVATIONS.items():
        if not record.of_layer:
            hidden = Network(2, [Dense(3, name), Dense(2)], "half_squared_error", name="e")
            yield pytest.param(hidden, id=f"hidden {name}")
    for name, cost in COSTS.items():
        for unit in sorted({USUAL[cost.output], *OTHER_UNITS.get(name, ())}):
            yield pytest.param(Network(2, [Dense(2, unit)], name, name="e"), id=f"{name} of {unit}")


def _kinds(program: Program, kernels: tuple[str, ...] = STEP) -> Counter[Any]:
    """Count the exponentials by the argument without its factor, sign and size."""
    found: Counter[Any] = Counter()
    for kernel in (k for k in program.kernels if k.name in kernels):
        for statement in kernel.statements:
            for inner in _written_out(statement.value):
                argument = -(inner.args[0] ** 2) if isinstance(inner, Erfc) else inner.args[0]
                found[canonical(_core(argument))] += 1
    return found


def _written_out(value: Any) -> set[Any]:
    value = value.replace(lambda e: isinstance(e, Named), lambda e: e.stable())
    return {e for e in sympy.preorder_traversal(value) if isinstance(e, EXPONENTIALS) and not e.is_number}


def _core(argument: Any) -> Any:
    _, rest = argument.as_coeff_Mul()
    if isinstance(rest, Abs):
        return _core(rest.args[0])
    if rest.is_Mul and any(isinstance(f, Abs) for f in rest.args):
        return _core(rest.replace(Abs, lambda e: e))
    return -rest if rest.could_extract_minus_sign() else rest


@pytest.mark.parametrize("network", list(_networks()))
def test_an_exponential_is_evaluated_once(network: Network) -> None:
    program = share_inside_named(share_functions(hoist(lower(derive(network)))))
    for kernels in (STEP, ("forward", "jacobian"), ("forward", "input_jacobian")):
        repeated = {key: n for key, n in _kinds(program, kernels).items() if n > 1}
        assert not repeated


@pytest.mark.parametrize(
    ("units", "cost", "calls"),
    [
        (("mish", "identity"), "half_squared_error", 1),
        (("swish", "identity"), "half_squared_error", 1),
        (("gelu", "identity"), "half_squared_error", 1),
        (("identity", "identity"), "log_cosh", 1),
        (("identity", "sigmoid"), "binary_cross_entropy", 1),
        (("identity", "identity"), "half_squared_error", 0),
    ],
)
def test_the_count_sees_what_the_pass_does(units: tuple[str, str], cost: str, calls: int) -> None:
    network = Network(2, [Dense(3, units[0]), Dense(2, units[1])], cost, name="e")
    before = share_functions(hoist(lower(derive(network))))
    assert sum(_kinds(share_inside_named(before)).values()) == calls
    assert not calls or sum(_kinds(before).values()) > calls


def test_multiples_of_an_exponent_are_powers() -> None:
    """exp(z) and exp(2z) of an own function, as other functions write them."""
    own = Activation("own", "exp(-abs(z)) + exp(-2*abs(z)) + exp(-3*abs(z))")
    network = Network(2, [Dense(3, own), Dense(2)], "squared_error", name="e")
    program = share_inside_named(share_functions(hoist(lower(derive(network)))))
    assert list(_kinds(program).values()) == [1]


@pytest.mark.parametrize("kind", WRITTEN_OUT, ids=str)
def test_what_is_written_out_is_proved(kind: Any) -> None:
    u = sympy.Symbol("u", real=True)
    definition = _AS_WRITTEN.get(kind, kind)(u)
    assert equal(definition, WRITTEN_OUT[kind](u))
    assert not equal(definition, -WRITTEN_OUT[kind](u))
    assert not equal(definition, WRITTEN_OUT[kind](2 * u))


def test_math_has_an_erfc_of_its_own() -> None:
    """Kernels that call Python's math keep it: no function there takes the exponential."""
    network = Network(2, [Dense(3, "gelu"), Dense(2)], "half_squared_error", name="e")
    rng = np.random.default_rng(0)
    w, X, Y = rng.normal(size=network.n_params), rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    found = [
        interpreted(network, elementary=elementary, target=target).value_and_gradient(w, X, Y)
        for elementary in ("fast", "libm")
        for target in ("portable", "x86-64-v3")
    ]
    for cost, gradient in found[1:]:
        assert cost == pytest.approx(found[0][0], rel=1e-14)
        np.testing.assert_allclose(gradient, found[0][1], rtol=1e-12)


def test_a_fused_step_has_what_cost_and_sensitivities_share() -> None:
    """There the cost comes first, in a kernel of its own."""
    network = Network(2, [Dense(3, "mish"), Dense(2)], "log_cosh", name="e")
    rng = np.random.default_rng(0)
    w, X, Y = rng.normal(size=network.n_params), rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    plain, fused = (
        interpreted(network, target=target).fit(w, X, Y, epochs=2, batch_size=3, seed=0)
        for target in ("portable", "x86-64-v3")
    )
    np.testing.assert_allclose(plain[0], fused[0], rtol=1e-12)
    np.testing.assert_allclose(plain[1], fused[1], rtol=1e-12)

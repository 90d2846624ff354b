"""The pass that shares calls: what it shares, what it must leave alone, and that values stay."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.named import NAMED, LogCosh, Sigmoid, Softplus
from symbp.algebra.nodes import i, j, p, r
from symbp.derivation.derive import derive
from symbp.errors import PlanError
from symbp.network import Dense, Network
from symbp.plan.check import check
from symbp.plan.lower import lower
from symbp.plan.opening import share_inside_named
from symbp.plan.program import ROWS, Access, Array, Kernel, Loop, Map, Origin, Program
from symbp.plan.sharing import share_functions
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from tests.plain_python import interpreted

ORIGIN = Origin("1", "test")
A, B, C = Array("A", (ROWS, 4), "work"), Array("B", (ROWS, 4), "work"), Array("C", (ROWS, 4, 3), "work")
X = Array("X", (ROWS, 4), "data")
LOOPS = (Loop(p, ROWS), Loop(i, 4))
a, x = Access("A", p, i), Access("X", p, i)


def _map(target: Access, value: sympy.Expr, loops: tuple[Loop, ...] = LOOPS) -> Map:
    return Map(target, loops, value, ORIGIN)


FIRST = _map(a, x + 1)


def _program(forward: list[Map], backward: list[Map]) -> Program:
    kernels = (
        Kernel("forward", (A, B, C, X), tuple(forward)),
        Kernel("gradient", (A, B, C), tuple(backward)),
    )
    return check(share_functions(Program("test", (), kernels)), "sharing")


def test_a_root_is_taken_once_for_all_its_powers() -> None:
    root = sympy.sqrt(1 + a**2)
    b = Access("B", p, i)
    program = _program([FIRST, _map(b, root - 1)], [_map(b, a / root + 1 / root**3)])
    roots = [
        e
        for kernel in program.kernels
        for x in kernel.statements
        for e in x.value.atoms(sympy.Pow)
        if e.exp.is_Rational and e.exp.q == 2
    ]
    assert len(roots) == 1


def _calls(program: Program) -> list[str]:
    values = [x.value for kernel in program.kernels for x in kernel.statements]
    return sorted(
        str(e.func) for v in values for e in sympy.preorder_traversal(v) if isinstance(e, sympy.exp)
    )


def test_a_call_of_both_kernels_is_made_once_with_all_that_is_common() -> None:
    sigmoid = 1 / (1 + sympy.exp(-a))
    there = sigmoid.xreplace({a: Access("A", p, r)})
    back = _map(Access("C", p, r, j), there * (1 - there), (Loop(p, ROWS), Loop(r, 4), Loop(j, 3)))
    program = _program([FIRST, _map(Access("B", p, i), a * sigmoid)], [back])
    forward, backward = program.kernels
    assert [x.target.array for x in forward.statements] == ["A", "exp_A", "B"]
    assert forward.statements[1].value == sigmoid
    shared = Access("exp_A", p, r)
    assert backward.statements[0].value == shared * (1 - shared)
    assert _calls(program) == ["exp"]


def test_a_result_that_is_the_call_itself_is_read_and_not_copied() -> None:
    program = _program(
        [FIRST, _map(Access("B", p, i), sympy.exp(a))], [_map(Access("C", p, i, 0), sympy.exp(a))]
    )
    assert [x.target.array for x in program.kernels[0].statements] == ["A", "B"]
    assert program.kernels[1].statements[0].value == Access("B", p, i)


def test_a_call_inside_another_is_shared_with_the_rest() -> None:
    inner = sympy.exp(a)
    outer = sympy.tanh(sympy.log(1 + inner))
    program = _program(
        [FIRST, _map(Access("B", p, i), a * outer)], [_map(Access("C", p, i, 0), outer + inner)]
    )
    assert [x.target.array for x in program.kernels[0].statements] == ["A", "exp_A", "tanh_A", "B"]
    assert _calls(program) == ["exp"]


def test_a_call_in_a_loop_that_does_not_move_it_leaves_the_loop() -> None:
    wide = _map(Access("C", p, i, j), sympy.cos(a) * Access("A", p, j), (*LOOPS, Loop(j, 3)))
    program = _program([FIRST, wide], [])
    assert [x.target for x in program.kernels[0].statements] == [
        a,
        Access("cos_A", p, i),
        Access("C", p, i, j),
    ]


def test_single_calls_stay_where_they_are() -> None:
    forward = [FIRST, _map(Access("B", p, i), sympy.exp(a))]
    assert _program(forward, []).kernels[0].statements == tuple(forward)


def test_what_changes_between_two_calls_is_not_shared() -> None:
    once = _map(a, sympy.exp(x))
    again = _map(a, a * 2)
    forward = [once, again, _map(Access("B", p, i), sympy.exp(a) + sympy.exp(a) ** 2)]
    assert _program(forward, []).kernels[0].statements == tuple(forward)


def test_the_checker_knows_the_new_arrays() -> None:
    """An array that the pass would use and not fill, or fill too late, is seen."""
    program = _program(
        [FIRST, _map(Access("B", p, i), a * sympy.exp(a))], [_map(Access("C", p, i, 0), sympy.exp(a))]
    )
    forward, gradient = program.kernels
    without = replace(forward, statements=tuple(x for x in forward.statements if x.target.array != "exp_A"))
    late = replace(forward, statements=(forward.statements[0], *forward.statements[:0:-1]))
    for broken in (without, late):
        with pytest.raises(PlanError, match="reads exp_A before it is written"):
            check(replace(program, kernels=(broken, gradient)), "a broken pass")


# Named functions -------------------------------------------------------------------------------


def _opened(forward: list[Map], backward: list[Map]) -> Program:
    return check(share_inside_named(_program(forward, backward)), "opening")


def test_named_functions_with_a_call_in_common_make_it_once() -> None:
    """sigmoid(a), sigmoid(-a) and softplus(a) are all made from exp(-|a|)."""
    there = _map(Access("B", p, i), a * Sigmoid(a))
    back = _map(Access("C", p, i, 0), Sigmoid(-a) + Softplus(a))
    program = _opened([FIRST, there], [back])
    forward, backward = program.kernels
    assert [x.target.array for x in forward.statements] == ["A", "exp_A", "B"]
    e = Access("exp_A", p, i)
    assert forward.statements[1].value == sympy.exp(-sympy.Abs(a))
    assert forward.statements[2].value == a * sympy.Piecewise((e, a <= 0), (1, True)) / (1 + e)
    assert not backward.statements[0].value.has(Sigmoid, Softplus)
    assert _calls(program) == ["exp"]


def test_a_named_function_that_has_nothing_in_common_stays_a_call() -> None:
    other = Access("A", p, 0)
    there = _map(Access("B", p, i), Sigmoid(a) + sympy.exp(a))
    back = _map(Access("C", p, i, 0), Softplus(other) + LogCosh(Access("B", p, i)))
    assert _opened([FIRST, there], [back]) == _program([FIRST, there], [back])


def test_a_named_function_of_a_named_function_is_opened_only_once_that_is_an_array() -> None:
    inside = Softplus(a)
    there = _map(Access("B", p, i), Sigmoid(inside) + Softplus(inside))
    alone = _opened([FIRST, there], [])
    # softplus(a) stands twice, so it has an array, and what is computed from that is opened.
    assert [x.target.array for x in alone.kernels[0].statements] == ["A", "Softplus_A", "exp_Softplus_A", "B"]
    single = _map(Access("B", p, i), Sigmoid(inside) + Softplus(x))
    assert _opened([FIRST, single], []).kernels[0].statements == (FIRST, single)


# Whole trainers --------------------------------------------------------------------------------

NETWORKS = {
    name: Network(2, [Dense(3, name), Dense(2, name)], "half_squared_error", name="shared")
    for name in ("swish", "mish", "gelu", "gelu_tanh", "softplus", "sin", "gaussian")
} | {
    "poisson": Network(2, [Dense(3, "softplus"), Dense(2, "exp")], "poisson", name="shared"),
    "log_cosh": Network(2, [Dense(3, "tanh"), Dense(2)], "log_cosh", name="shared"),
    "logits": Network(2, [Dense(3, "tanh"), Dense(2, "sigmoid")], "binary_cross_entropy", name="shared"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_values_stay(name: str) -> None:
    """The trainer with the pass and the one without it compute the same numbers, to a few roundings."""
    network = NETWORKS[name]
    module = interpreted(network)
    module.self_test()
    rng = np.random.default_rng(1)
    w, X, Y = rng.normal(size=network.n_params), rng.normal(size=(5, 2)), rng.random((5, 2))
    J, gradient = module.value_and_gradient(w, X, Y)
    jacobian = module.jacobian(w, X)
    for t in range(network.n_params):
        step = np.zeros(network.n_params)
        step[t] = 1e-5
        upper, lower = (module.value_and_gradient(w + sign * step, X, Y)[0] for sign in (1, -1))
        assert gradient[t] == pytest.approx((upper - lower) / 2e-5, rel=1e-6, abs=1e-7)
        upper, lower = (module.predict(w + sign * step, X) for sign in (1, -1))
        np.testing.assert_allclose(jacobian[..., t], (upper - lower) / 2e-5, rtol=1e-6, atol=1e-7)
    assert np.isfinite(J)


@pytest.mark.parametrize("elementary", ["libm", "fast"])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_line_of_a_trainer_repeats_a_call(name: str, elementary: str) -> None:
    """Forward and backward pass together call each function of each argument once."""
    network = NETWORKS[name]
    options = TrainOptions(elementary=elementary, target="portable")  # registers of each layer have one name
    source = trainer_source(derive(network), Spec(network, options), prove=False)
    code = re.sub(r"#.*", "", source)
    starts = ["_forward", "_sensitivities", "_gradient", "_jacobian_of_sample", "_jacobian"]
    starts += ["_input_gradient", "_input_jacobian_of_sample", "_input_jacobian"]
    forward, sensitivities, gradient, jacobian, _, by_inputs, jacobian_by_inputs = (
        code[code.index(f"def {start}(") : code.index(f"def {end}(")] for start, end in pairwise(starts)
    )
    for passes in (
        forward + sensitivities + gradient,
        forward + jacobian,
        forward + sensitivities + by_inputs,
        forward + jacobian_by_inputs,
    ):
        named = "|".join(kind.title for kind in NAMED)
        ours = "exp|expm1|log|log1p|tanh|erfc?|gauss|half_gauss|normal_cdf|sin|cos|arctan"
        name_of_call = rf"(?<![\w.])(?:math\.)?(?:{ours}|{named})"
        calls = re.findall(name_of_call + r"\((?:[^()]|\([^()]*\))*\)", passes)
        plain = [re.sub(r"\b[ijkpqrs]\b", "_", call.replace("_flat[t]", "[_, _]")) for call in calls]
        assert len(plain) == len(set(plain)), plain
        assert plain


def test_the_pass_is_deterministic() -> None:
    network = NETWORKS["mish"]
    first, second = (share_functions(lower(symbp.derive(network))) for _ in range(2))
    assert first == second

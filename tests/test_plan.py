"""Kernel programs: what the lowering makes, and that the checker sees every kind of fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sympy

import symbp
from symbp.algebra.nodes import i, j, p, r, s
from symbp.errors import PlanError
from symbp.network import Dense, Network
from symbp.plan.check import check
from symbp.plan.lower import lower
from symbp.plan.passes import PASSES, make_plan
from symbp.plan.program import ROWS, Access, Kernel, Loop, Map, Program, Reduce, Statement

NETWORK = Network(5, [Dense(9, "relu"), Dense(4, "tanh", bias=False), Dense(3, "softmax")], "cross_entropy")


@pytest.fixture(scope="module")
def program() -> Program:
    return make_plan(symbp.derive(NETWORK))


def _statement(kernel: Kernel, target: str) -> Statement:
    return next(x for x in kernel.statements if x.target.array == target)


def test_forward_products_are_contractions(program: Program) -> None:
    first = _statement(program.kernel("forward"), "C1")
    assert isinstance(first, Reduce)
    assert first.is_contraction
    assert first.value == Access("V1", s, r) * Access("X", p, s)
    assert first.initial == Access("W1", r, 5)  # the bias starts the sum
    assert [(loop.index, loop.extent) for loop in first.loops] == [(p, ROWS), (r, 9)]
    assert [(loop.index, loop.extent) for loop in first.over] == [(s, 5)]
    second = _statement(program.kernel("forward"), "C2")
    assert isinstance(second, Reduce)
    assert second.initial is None  # no bias


def test_gradient_sums_over_samples_and_accumulates(program: Program) -> None:
    gradient = _statement(program.kernel("gradient"), "G1")
    assert isinstance(gradient, Reduce)
    assert gradient.accumulate
    assert gradient.over == (Loop(p, ROWS),)
    assert gradient.inner == Loop(j, 5)  # the bias column has its own statement
    biases = [x.target for x in program.kernel("gradient").statements if x.target.array.startswith("G")]
    assert Access("G1", i, 5) in biases
    assert not any(x.array == "G2" and x.indices[1] == 9 for x in biases)


def test_jacobian_multiplies_s_matrices(program: Program) -> None:
    statements = program.kernel("jacobian").statements
    chain = next(x for x in statements if x.target.array == "T1")
    assert chain.value.atoms(Access) == {
        Access("S1", sympy.Symbol("t", integer=True, positive=True), s),
        Access("S2", r, sympy.Symbol("t", integer=True, positive=True)),
    }
    assert program.kernel("jacobian").sample_loop == Loop(p, ROWS)


def test_every_statement_carries_its_equation(program: Program) -> None:
    labels = {x.origin.label for kernel in program.kernels for x in kernel.statements}
    assert {"2.6b, k=1", "1.3, k=1", "D.1fs", "D.5f, k=2", "D.6a, k=3", "2.1s", "2.2"} <= labels
    assert {"2.12f, k=1", "2.17af, k=1", "X.9f, k=1", "X.10, k=1", "X.13, k=1"} <= labels


@pytest.mark.parametrize("network", [NETWORK, Network(1, [Dense(1)], "squared_error")])
def test_program_is_well_formed_after_every_pass(network: Network) -> None:
    program = check(lower(symbp.derive(network)), "lowering")
    for step in PASSES:
        program = check(step(program), step.__name__)
    assert program.n_params == network.n_params


def test_no_plan_without_a_network() -> None:
    with pytest.raises(PlanError, match="derive\\(network\\)"):
        make_plan(symbp.derive())


def _change(program: Program, kernel: str, target: str, change: Callable[[Any], Any]) -> Program:
    def one(found: Kernel) -> Kernel:
        if found.name != kernel:
            return found
        return replace(
            found, statements=tuple(change(x) if x.target.array == target else x for x in found.statements)
        )

    return replace(program, kernels=tuple(map(one, program.kernels)))


def _drop(program: Program, kernel: str, target: str) -> Program:
    def one(found: Kernel) -> Kernel:
        kept = tuple(x for x in found.statements if x.target.array != target)
        return replace(found, statements=kept) if found.name == kernel else found

    return replace(program, kernels=tuple(map(one, program.kernels)))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda x: _drop(x, "forward", "O1"), "reads O1 before it is written"),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, value=Access("Q", p, i))),
            "Q is not declared",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, value=Access("C1", p))),
            "has 1 indices",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, value=Access("C1", i, p))),
            "along an axis",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, value=Access("C1", p, r))),
            "no loop runs over",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, value=Access("C1", p, 9))),
            "is outside",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, loops=(Loop(p, ROWS), Loop(i, 10)))),
            "runs i up to 10",
        ),
        (
            lambda x: _change(x, "forward", "C1", lambda y: replace(y, inner=Loop(j, 9))),
            "no loop of the target",
        ),
        (
            lambda x: _change(x, "forward", "O1", lambda y: replace(y, loops=(*y.loops, y.loops[0]))),
            "same index",
        ),
    ],
)
def test_checker_sees(program: Program, broken: Callable[[Program], Program], reason: str) -> None:
    with pytest.raises(PlanError, match=reason) as caught:
        check(broken(program), "a test")
    assert "after a test: forward" in str(caught.value)


def test_map_over_an_index_that_the_target_lacks(program: Program) -> None:
    def widen(statement: Map) -> Map:
        return replace(statement, value=Access("C1", p, r), loops=(*statement.loops, Loop(r, 9)))

    with pytest.raises(PlanError, match="no index of the target"):
        check(_change(program, "forward", "O1", widen), "a test")


def test_no_statement_reads_other_elements_of_its_target(program: Program) -> None:
    def shift(statement: Statement) -> Statement:
        return replace(statement, value=Access("D1", p, 0)) if isinstance(statement, Map) else statement

    with pytest.raises(PlanError, match=r"sensitivities.*while it writes"):
        check(_change(program, "sensitivities", "D1", shift), "a test")

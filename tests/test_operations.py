"""Operation counts: of values by hand, of kernels against arithmetic that counts itself."""

from __future__ import annotations

import itertools

import pytest
import sympy

import symbp
from symbp.plan.operations import Operations, of_kernel, of_value, total
from symbp.plan.passes import make_plan
from symbp.plan.program import Access
from symbp.plan.ways import ways_to_gradient

A, B, C = (Access(name, sympy.Symbol("r")) for name in "ABC")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (A, Operations()),
        (sympy.Integer(3), Operations()),
        (A * B * C, Operations(multiplications=2)),
        (-A * B, Operations(multiplications=1)),
        (2 * A + B - C, Operations(multiplications=1, additions=2)),
        (A**3, Operations(multiplications=2)),
        (1 / A, Operations(divisions=1)),
        (A / (B * C), Operations(multiplications=1, divisions=1)),
        ((A - B) / C, Operations(additions=1, divisions=1)),
        (A / B**2, Operations(multiplications=1, divisions=1)),
        (sympy.exp(-A) * B, Operations(multiplications=1, functions=1)),
        (sympy.sqrt(A + 1), Operations(additions=1, functions=1)),
        (sympy.Piecewise((0, A <= 0), (A * B, True)), Operations(multiplications=1, functions=1)),
    ],
)
def test_of_values(value: sympy.Expr, expected: Operations) -> None:
    assert of_value(value) == expected


def _network(*sizes: int) -> symbp.Network:
    hidden = [symbp.Dense(n, "tanh") for n in sizes[1:-1]]
    return symbp.Network(sizes[0], [*hidden, symbp.Dense(sizes[-1])], "half_squared_error")


@pytest.mark.parametrize("sizes", [(3, 4, 3, 1), (8, 8, 8, 3), (3, 50, 2, 50, 10), (5, 2)])
def test_multiplications_of_the_sensitivities(sizes: tuple[int, ...]) -> None:
    """Layer by layer: outer products, W^T delta, and one factor and one square for each g'."""
    regular = sum(a * b for a, b in itertools.pairwise(sizes))
    back = sum(a * b for a, b in itertools.pairwise(sizes[1:]))
    slopes = 2 * sum(sizes[1:-1])
    _, sensitivities = ways_to_gradient(make_plan(symbp.derive(_network(*sizes))))
    assert sensitivities.total.multiplications == regular + back + slopes


@pytest.mark.parametrize("sizes", [(3, 4, 3, 1), (3, 50, 2, 50, 10)])
def test_forward_pass(sizes: tuple[int, ...]) -> None:
    counts = total(of_kernel(make_plan(symbp.derive(_network(*sizes))).kernel("forward")).values())
    products = sum(a * b for a, b in itertools.pairwise(sizes))
    assert counts == Operations(multiplications=products, additions=products, functions=sum(sizes[1:-1]))


def test_the_sensitivities_take_fewer() -> None:
    for sizes in [(3, 4, 3, 1), (8, 8, 8, 3), (3, 50, 2, 50, 10)]:
        t_product, sensitivities = ways_to_gradient(make_plan(symbp.derive(_network(*sizes))))
        assert sensitivities.total.multiplications < t_product.total.multiplications


def test_a_batch_takes_its_multiple() -> None:
    kernel = make_plan(symbp.derive(_network(4, 3, 2))).kernel("forward")
    one, many = (total(of_kernel(kernel, rows).values()) for rows in (1, 7))
    assert many == one.times(7)

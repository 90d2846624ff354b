"""Operation counts: of values by hand, of kernels against arithmetic that counts itself."""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from functools import reduce
from typing import ClassVar

import pytest
import sympy

import symbp
from symbp.plan.operations import Operations, of_kernel, of_value, total
from symbp.plan.passes import make_plan
from symbp.plan.program import Access
from symbp.plan.ways import jacobian_orders, ways_to_gradient

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


class Counted(float):
    """A number that counts what is done with it."""

    done: ClassVar[Counter[str]] = Counter()

    def __mul__(self, other: float) -> Counted:
        Counted.done["multiplications"] += 1
        return Counted(float(self) * other)

    def __add__(self, other: float) -> Counted:
        Counted.done["additions"] += 1
        return Counted(float(self) + other)

    def __sub__(self, other: float) -> Counted:
        Counted.done["additions"] += 1
        return Counted(float(self) - other)


def _t_product(sizes: tuple[int, ...], kind: str) -> Counter[str]:
    """Compute all dJ/dw by (2.17) and (2.3) with plain lists, with care, and count."""
    number = Counted(0.5)
    outputs = sizes[-1]
    shapes = list(itertools.pairwise(sizes))
    weights = [[[number] * columns for _ in range(rows)] for columns, rows in shapes]
    units = [[number] * n for n in sizes[:-1]]
    h, slope_of_cost = [number] * outputs, [number] * outputs
    gradients = [
        [[number] * (columns + 1) for _ in range(rows)] for columns, rows in itertools.pairwise(sizes)
    ]
    Counted.done = Counter()

    def product(rows: list[list[Counted]], inner: list[list[Counted]]) -> list[list[Counted]]:
        return [
            [
                reduce(operator.add, (a * row[n] for a, row in zip(line, inner, strict=True)))
                for n in range(len(inner[0]))
            ]
            for line in rows
        ]

    one = Counted(1)
    own = [x * (one - x) for x in h] if kind == "sigmoid" else []
    t: list[list[Counted]] = []
    for k in reversed(range(len(weights))):
        if k == len(weights) - 1:
            if kind == "softmax":
                rows = [[x * ((one - y) if i == q else y) for i, y in enumerate(h)] for q, x in enumerate(h)]
                by_sum = {(q, i): rows[q][i] for q in range(outputs) for i in range(outputs)}
            else:
                by_sum = {(q, q): own[q] if own else one for q in range(outputs)}
        else:
            slopes = [one - o * o for o in units[k + 1]]
            s = [[w * g for w, g in zip(line, slopes, strict=True)] for line in weights[k + 1]]
            t = product(t, s) if t else s
            if kind == "softmax":
                (mean,) = product([h], t)
                by_sum = {
                    (q, i): h[q] * (x - mean[i]) for q, line in enumerate(t) for i, x in enumerate(line)
                }
            else:
                by_sum = {
                    (q, i): own[q] * x if own else x for q, line in enumerate(t) for i, x in enumerate(line)
                }
        for (q, i), by_c in by_sum.items():
            row = gradients[k][i]
            last = k == len(weights) - 1
            for j, a in enumerate(units[k]):
                by_w = a if last and kind == "identity" else by_c * a
                row[j] = row[j] + slope_of_cost[q] * by_w
            row[-1] = row[-1] + slope_of_cost[q] * by_c
    return Counted.done


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize("sizes", [(3, 4, 3, 2), (3, 4, 1), (5, 3), (2, 5, 2, 4, 3)])
def test_the_t_product_against_arithmetic_that_counts(sizes: tuple[int, ...], kind: str) -> None:
    if kind == "softmax" and sizes[-1] == 1:
        return
    cost = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(kind, "half_squared_error")
    layers = [symbp.Dense(n, "tanh") for n in sizes[1:-1]]
    network = symbp.Network(sizes[0], [*layers, symbp.Dense(sizes[-1], kind)], cost)
    t_product, _ = ways_to_gradient(make_plan(symbp.derive(network)))
    found = {"multiplications": t_product.total.multiplications, "additions": t_product.total.additions}
    assert found == dict(_t_product(sizes, kind))


def test_the_sensitivities_take_fewer() -> None:
    for sizes in [(3, 4, 3, 1), (8, 8, 8, 3), (3, 50, 2, 50, 10)]:
        t_product, sensitivities = ways_to_gradient(make_plan(symbp.derive(_network(*sizes))))
        assert sensitivities.total.multiplications < t_product.total.multiplications


def test_a_batch_takes_its_multiple() -> None:
    kernel = make_plan(symbp.derive(_network(4, 3, 2))).kernel("forward")
    one, many = (total(of_kernel(kernel, rows).values()) for rows in (1, 7))
    assert many == one.times(7)


def _multiplied(shapes: list[tuple[int, int]]) -> int:
    """Return the multiplications of a chain of matrices from the left, counted one by one."""
    count, (rows, columns) = 0, shapes[0]
    for inner, outer in shapes[1:]:
        assert columns == inner
        count, columns = count + rows * inner * outer, outer
    return count


@pytest.mark.parametrize("sizes", [(3, 4, 3, 1), (2, 50, 2, 50, 10), (64, 32, 10), (7, 5)])
def test_orders_of_the_input_jacobian(sizes: tuple[int, ...]) -> None:
    shapes = list(itertools.pairwise(reversed(sizes)))
    orders = jacobian_orders(sizes)
    assert orders.reverse == _multiplied(shapes)
    assert orders.forward == _multiplied([shape[::-1] for shape in reversed(shapes)])
    assert orders.best <= min(orders.reverse, orders.forward)


def test_the_best_brackets() -> None:
    # Cormen et al., figure 14.5: 30 x 35, 35 x 15, 15 x 5, 5 x 10, 10 x 20, 20 x 25.
    assert jacobian_orders((25, 20, 10, 5, 15, 35, 30)).best == 15125


def test_the_page_compares_both_ways() -> None:
    text = " ".join(symbp.derive(_network(2, 50, 2, 50, 10)).text().split())
    assert "Two ways to the gradient" in text
    assert "The sensitivities take 1,704 multiplications and the T-product 10,332, 6.1 times" in text
    assert "one row for every output" in text
    assert "forward accumulation wins, with 2 inputs and 10 outputs" in text
    assert "Two ways" not in symbp.derive().text()
    alone = " ".join(symbp.derive(_network(3, 4, 3, 1)).text().split())
    assert "The sensitivities take 56 multiplications and the T-product 93, 1.7 times" in alone
    assert "with one output the T-product is one row too" in alone


@pytest.mark.parametrize("name", ["softplus", "swish", "mish", "gelu", "gelu_tanh"])
def test_the_page_of_outputs_whose_slope_has_a_stable_form(name: str) -> None:
    network = symbp.Network(2, [symbp.Dense(2, name)], "half_squared_error")
    derivation = symbp.derive(network)
    assert any(step.label.endswith("s") for step in derivation.steps)
    assert "T-product" in derivation.text()

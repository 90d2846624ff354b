"""The index calculus, rule by rule, on the equations of document 000."""

from __future__ import annotations

import pytest
import sympy
from sympy import KroneckerDelta, Piecewise, Sum

from symbp.algebra import rules
from symbp.algebra.matrices import ChainMatrix, StepMatrix, check_shapes, entries
from symbp.algebra.nodes import (
    HasBias,
    L,
    Node,
    Partial,
    Width,
    d,
    i,
    j,
    k,
    l,
    layer_input,
    output,
    pre_activation,
    q,
    r,
    s,
    t,
    weight,
)
from symbp.errors import DerivationError

w = weight(k, i, j)
FORWARD = Sum(weight(l, r, s) * layer_input(l, s), (s, 1, Width(l - 1) + 1))


def test_weights_of_the_same_layer_are_independent() -> None:
    assert weight(k, r, s).diff(w) == KroneckerDelta(r, i) * KroneckerDelta(s, j)
    assert weight(k + d, r, s).diff(w) == 0
    assert weight(l, r, s).diff(w) == Partial(weight(l, r, s), w)


@pytest.mark.parametrize(
    ("of", "depends"),
    [
        (layer_input(k, s), False),  # inputs come before the weights of their layer
        (layer_input(k + 1, s), True),
        (pre_activation(k, s), True),
        (pre_activation(k - 1, s), False),
        (output(k, s), True),
        (output(k - 1, s), False),
        (Node("y", L + 1, (s,)), False),
    ],
)
def test_dependence_follows_the_layers(of: Node, depends: bool) -> None:
    assert of.diff(w) == (Partial(of, w) if depends else 0)


def test_bound_index_must_not_be_captured() -> None:
    with pytest.raises(DerivationError, match="summed over"):
        rules.differentiate(Sum(weight(l, r, i), (i, 1, 3)), w)


def test_collapse() -> None:
    total = Sum(KroneckerDelta(r, i) * KroneckerDelta(s, j) * layer_input(k, s), (s, 1, Width(k)))
    assert rules.collapse(total) == KroneckerDelta(i, r) * layer_input(k, j)
    mixed = Sum((KroneckerDelta(q, r) - Node("h", L, (r,))) * Node("y", L, (q,)), (q, 1, 3))
    h_r, y = Node("h", L, (r,)), Node("y", L, (q,))
    assert sympy.expand(rules.collapse(mixed) - (Node("y", L, (r,)) - h_r * Sum(y, (q, 1, 3)))) == 0


def test_split_bias() -> None:
    regular = Sum(weight(l, r, s) * layer_input(l, s), (s, 1, Width(l - 1)))
    last = weight(l, r, Width(l - 1) + 1)
    assert rules.split_bias(FORWARD) == last + regular
    optional = FORWARD.func(FORWARD.function, (s, 1, Width(l - 1) + HasBias(l)))
    assert rules.split_bias(optional) == HasBias(l) * last + regular
    none = FORWARD.func(FORWARD.function, (s, 1, Width(l - 1)))
    assert rules.split_bias(none) == none


def test_the_bias_neuron_is_constant() -> None:
    bias = layer_input(l, Width(l - 1) + 1)
    assert rules.bias_is_one(3 * bias) == 3
    assert rules.bias_is_one(Partial(bias, w)) == 0
    assert rules.bias_is_one(layer_input(l, Width(l - 1))) == layer_input(l, Width(l - 1))


def test_hoist() -> None:
    total = Sum(weight(k, i, s) * pre_activation(k, i) * 2, (s, 1, 4))
    assert rules.hoist(total) == 2 * pre_activation(k, i) * Sum(weight(k, i, s), (s, 1, 4))
    assert rules.hoist(Sum(pre_activation(k, i), (s, 1, 4))) == 4 * pre_activation(k, i)


def test_case_distinctions_keep_their_place_in_sums() -> None:
    hidden = rules.Hidden()
    cases = Piecewise((0, pre_activation(k, q) <= 0), (1, True))
    total = Sum(hidden.hide(cases * KroneckerDelta(q, r)), (q, 1, 5))
    assert hidden.show(rules.collapse(total)) == Piecewise((0, pre_activation(k, r) <= 0), (1, True))


def test_t_product_is_typed() -> None:
    assert ChainMatrix(k - 1, k).evaluate() == sympy.Identity(Width(k))
    assert ChainMatrix(k, k).evaluate() == StepMatrix(k)
    with pytest.raises(DerivationError, match="no shape"):
        ChainMatrix(k - 2, k)
    assert ChainMatrix(L, k).shape == (Width(L + 1), Width(k))


def test_shapes_of_products() -> None:
    right = StepMatrix(k + 1) * StepMatrix(k)
    assert check_shapes(right) is None
    assert "product of" in str(check_shapes(sympy.MatMul(StepMatrix(k), StepMatrix(k + 1))))
    assert "product of" in str(check_shapes(sympy.MatMul(StepMatrix(k + 1).T, StepMatrix(k))))


def test_entries_of_a_product() -> None:
    product = sympy.MatMul(StepMatrix(2), StepMatrix(1))
    expected = Sum(Node("S", 2, (r, t)) * Node("S", 1, (t, s)), (t, 1, Width(2)))
    assert entries(product, r, s) == expected
    assert entries(StepMatrix(1).T, r, s) == Node("S", 1, (s, r))

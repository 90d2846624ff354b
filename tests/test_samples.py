"""The gradient sample by sample: which steps there are, and that they say what 001 and 002 say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sympy

import symbp
from symbp.algebra.nodes import Node, m
from symbp.derivation.oracles.panel import Panel
from symbp.errors import DerivationError
from symbp.notation import get
from symbp.notation.text import TextWriter
from symbp.render.outline import FURTHER, section_title


def numbers(*labels: int | str) -> set[str]:
    return {f"A.{label}" for label in labels}


ALWAYS = numbers(1, 2, 3, "3m", 4, 5, 6, 7, 9, 10)


def added(**training: object) -> set[str]:
    return {label for label in symbp.derive(**training).labels if label.startswith("A.")}  # type: ignore[arg-type]


def test_which_steps_there_are() -> None:
    assert added() == ALWAYS | numbers(11, 12, 13)
    with_penalty = numbers(8, "8b", 11, "11b", 12, "12b", 13, "13b")
    assert added(l2=0.1) == ALWAYS | with_penalty
    assert added(l2=0.1, optimizer="adam") == ALWAYS | numbers(8, "8b")
    without_bias = symbp.Network(2, [symbp.Dense(1, bias=False)], "squared_error")
    assert added(network=without_bias, l1=0.1) == ALWAYS | numbers(8, 11, 12, 13)
    # The three forms are those of gradient descent; other rules take the gradient as they do.
    assert added(optimizer="adam") == ALWAYS


SAID = {
    "ng": (
        ("A.4", "Delta_{ij}^{(l),(0)} = 0"),
        ("A.6", "Delta_{ij}^{(l),(p)} = Delta_{ij}^{(l),(p-1)} + delta_i^{(l+1),(p)} a_j^{(l),(p)}"),
        ("A.7", "dJ/dtheta_{ij}^{(l)} = Delta_{ij}^{(l),(m)}/m"),
    ),
    "lfd": (
        ("A.3m", "de/dW^{(l)} = x^{(l-1)} (delta^{(l)})^T"),
        ("A.11", "w_{ij}^{(l)} <- w_{ij}^{(l)} - (eta/N) sum_{n=1}^N de_n/dw_{ij}^{(l)}"),
        ("A.13", "w_{ij}^{(l)} <- w_{ij}^{(l)} - eta de/dw_{ij}^{(l)}"),
        ("2.2m", "W^{(l)} <- W^{(l)} - eta dE/dW^{(l)}"),
    ),
    "nielsen": (("2.2m", "W^l <- W^l - alpha dC/dW^l | b^l <- b^l - alpha dC/db^l"),),
    # delta of the average cost: the factor m turns it into that of one sample.
    "smatrix": (("A.3", "dE/dw_{ij}^k = m delta_i^k a_j^k"),),
}


@pytest.mark.parametrize("notation", SAID)
def test_they_are_written_as_the_documents_write_them(notation: str) -> None:
    derivation, writer = symbp.derive(), TextWriter(get(notation))
    for label, expected in SAID[notation]:
        step = derivation[label]
        printed = writer.printed(step.statement, step.assumes)
        assert " | ".join(str(p.relation) for p in printed).startswith(expected)


PENALISED = {
    "ng": (
        ("2.2m", "Theta^{(l)} <- Theta^{(l)} - alpha dJ~/dTheta^{(l)}"),
        (
            "A.13",
            "theta_{ij}^{(l)} <- theta_{ij}^{(l)} - alpha (lambda_2 theta_{ij}^{(l)} + dE/dtheta_{ij}^{(l)})",
        ),
        ("A.13b", "theta_{i0}^{(l)} <- theta_{i0}^{(l)} - alpha dE/dtheta_{i0}^{(l)}"),
    ),
    "lfd": (
        (
            "A.12",
            "w_{ij}^{(l)} <- w_{ij}^{(l)} - eta ((1/B) sum_{n=B (tau-1)+1}^{B tau} de_n/dw_{ij}^{(l)}"
            " + lambda_2 w_{ij}^{(l)})",
        ),
    ),
    "nielsen": (
        ("2.2m", "W^l <- W^l - alpha dC~/dW^l | b^l <- b^l - alpha dC~/db^l"),
        ("A.11b", "b_j^l <- b_j^l - (alpha/m) sum_{p=1}^m dc^p/db_j^l"),
    ),
}


@pytest.mark.parametrize("notation", PENALISED)
def test_with_a_penalty_all_three_forms_of_descent_have_it(notation: str) -> None:
    derivation, writer = symbp.derive(l2=0.1), TextWriter(get(notation))
    for label, expected in PENALISED[notation]:
        step = derivation[label]
        printed = writer.printed(step.statement, step.assumes)
        assert " | ".join(str(p.relation) for p in printed) == expected


def test_every_step_of_a_penalty_has_its_section() -> None:
    network = symbp.Network(2, [symbp.Dense(3, "tanh", bias=False), symbp.Dense(1)], "squared_error")
    derivation = symbp.derive(network, l1=0.1, l2=0.2)
    assert FURTHER not in {section_title(label) for label in derivation.labels}
    assert section_title("A.12b") == "Sample by sample"
    assert [label for label in derivation.labels if label.startswith("2.1rb")] == ["2.1rb", "2.1rb, k=2"]


OWN_RULES = {
    "w = w - 2*learning_rate*gradient": {"2.2m", "A.11", "A.12", "A.13"},
    "w = w - learning_rate*(gradient + 0.01*w)": {"A.11", "A.12", "A.13"},
    "w = w - learning_rate*gradient/(1 + abs(gradient))": set(),
}


@pytest.mark.parametrize("text", OWN_RULES)
def test_an_own_rule_has_the_forms_that_it_can_have(text: str) -> None:
    derivation = symbp.derive(optimizer=symbp.UpdateRule("mine", text))
    forms = {"2.2m", "A.11", "A.12", "A.13"}
    assert forms & set(derivation.labels) == OWN_RULES[text]
    for label in OWN_RULES[text]:
        statement = derivation[label].statement
        assert all(check.passed for check in Panel(derivation).checks(derivation[label]))
        wrong = derivation.replace(label, sympy.Eq(statement.lhs, 2 * statement.rhs, evaluate=False))
        assert not all(check.passed for check in Panel(wrong).checks(wrong[label]))


def broken() -> Iterator[tuple[str, str, object]]:
    derivation = symbp.derive()
    start, following = derivation["A.4"].statement, derivation["A.5"].statement
    yield "it starts with 1", "A.4", sympy.Eq(start.lhs, 1, evaluate=False)
    left, right = following.args
    before = left.xreplace({left.sample: left.sample - 1})
    yield "it forgets what it holds", "A.5", sympy.Eq(left, right - before, evaluate=False)
    mean = derivation["A.1"].statement
    yield "a sum and not the mean", "A.1", sympy.Eq(mean.lhs, m * mean.rhs, evaluate=False)


@pytest.mark.parametrize("fault", ["it starts with 1", "it forgets what it holds", "a sum and not the mean"])
def test_a_broken_accumulator_is_refused(fault: str) -> None:
    (label, statement) = next((label, s) for name, label, s in broken() if name == fault)
    with pytest.raises(DerivationError, match=r"A\."):
        symbp.derive().replace(label, statement).prove()


def test_the_accumulator_is_per_weight_in_every_notation() -> None:
    node = Node("Delta", 1, (sympy.Integer(1), sympy.Integer(2)), sympy.Integer(3))
    for notation in ("smatrix", "ng", "lfd", "bishop", "nielsen"):
        assert TextWriter(get(notation)).expression(node).startswith("Delta_")

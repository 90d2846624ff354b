"""What is printed in a notation is true in the arrays of its document."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.records import Glyph, Notation
from symbp.notation.text import TextWriter
from symbp.notation.translation import translation
from tests import documents
from tests.documents import DOCUMENTS, Document, Plain, plain
from tests.reader import Context, disagreement, read

EVERY_NOTATION = pytest.mark.parametrize("name", NOTATIONS)

HALF_SQUARES = lambda h, y: np.sum((h - y) ** 2) / 2  # noqa: E731
CROSS_ENTROPY = lambda h, y: -np.sum(y * np.log(h))  # noqa: E731
BINARY = lambda h, y: -np.sum(y * np.log(h) + (1 - y) * np.log(1 - h))  # noqa: E731

# Name -> what is derived, and the same network with numbers.
CASES: dict[str, tuple[Network | None, Plain]] = {
    "any network": (
        None,
        plain((2, 3, 2, 4), (True,) * 3, [np.tanh, documents.sigmoid], documents.softmax, CROSS_ENTROPY),
    ),
    "deep": (
        Network(2, [Dense(3, "tanh"), Dense(2, "sigmoid"), Dense(4, "softmax")], "cross_entropy"),
        plain((2, 3, 2, 4), (True,) * 3, [np.tanh, documents.sigmoid], documents.softmax, CROSS_ENTROPY),
    ),
    "no bias": (
        Network(3, [Dense(2, "sigmoid", bias=False), Dense(2, "sigmoid", bias=False)], "binary_cross_entropy"),
        plain((3, 2, 2), (False,) * 2, [documents.sigmoid], documents.sigmoid, BINARY),
    ),
    "mixed": (
        Network(2, [Dense(3, "tanh", bias=False), Dense(2, "tanh"), Dense(1)], "half_squared_error"),
        plain((2, 3, 2, 1), (False, True, True), [np.tanh, np.tanh], documents.identity, HALF_SQUARES),
    ),
    "perceptron": (
        Network(3, [Dense(2)], "half_squared_error"),
        plain((3, 2), (True,), [], documents.identity, HALF_SQUARES),
    ),
}


@pytest.fixture(scope="module")
def derivations() -> dict[str, Derivation]:
    return {case: derive(network) for case, (network, _) in CASES.items()}


def writer(notation: Notation, network: Network | None) -> TextWriter:
    if network is None:
        return TextWriter(notation)
    return TextWriter(notation, network.sizes, [layer.bias for layer in network.layers])


def untrue(derivation: Derivation, notation: Notation, document: Document) -> tuple[list[str], dict[str, int]]:
    """Return the printed equations that do not hold, and how often each label was tried."""
    prints = writer(notation, derivation.network)
    definitions: dict = {}
    wrong, tried = [], {}
    for step in derivation.steps:
        for printed in prints.printed(step.statement, step.assumes):
            problem, count = disagreement(document, str(printed.relation), printed.conditions, definitions)
            tried[step.label] = tried.get(step.label, 0) + count
            wrong += [f"{step.label}: {problem}"] if problem else []
    return wrong, tried


@EVERY_NOTATION
@pytest.mark.parametrize("case", CASES)
def test_every_printed_equation_holds(name, case, derivations):
    document = DOCUMENTS[name](CASES[case][1])
    wrong, tried = untrue(derivations[case], NOTATIONS[name], document)
    assert wrong == []
    never = {label for label, count in tried.items() if count == 0}
    # A perceptron has no hidden layer to say anything of.
    assert case == "perceptron" or never == set()

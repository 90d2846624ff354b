"""What is printed in a notation is true in the arrays of its document."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from symbp.derivation.components import components
from symbp.derivation.derive import derive
from symbp.derivation.records import Derivation
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.records import Glyph, Notation
from symbp.notation.text import TextWriter
from symbp.notation.translation import translation
from tests import numbers
from tests.documents import Absent, Document
from tests.meaning import Context
from tests.networks_of_documents import DOCUMENTS
from tests.numbers import Plain, plain
from tests.statements import disagreement, excluded, read

EVERY_NOTATION = pytest.mark.parametrize("name", NOTATIONS)

HALF_SQUARES = lambda h, y: np.sum((h - y) ** 2) / 2  # noqa: E731
CROSS_ENTROPY = lambda h, y: -np.sum(y * np.log(h))  # noqa: E731
BINARY = lambda h, y: -np.sum(y * np.log(h) + (1 - y) * np.log(1 - h))  # noqa: E731

# Name -> what is derived, and the same network with numbers.
CASES: dict[str, tuple[Network | None, Plain]] = {
    "any network": (
        None,
        plain((2, 3, 2, 4), (True,) * 3, [np.tanh, numbers.sigmoid], numbers.softmax, CROSS_ENTROPY),
    ),
    "deep": (
        Network(2, [Dense(3, "tanh"), Dense(2, "sigmoid"), Dense(4, "softmax")], "cross_entropy"),
        plain((2, 3, 2, 4), (True,) * 3, [np.tanh, numbers.sigmoid], numbers.softmax, CROSS_ENTROPY),
    ),
    "no bias": (
        Network(
            3, [Dense(2, "sigmoid", bias=False), Dense(2, "sigmoid", bias=False)], "binary_cross_entropy"
        ),
        plain((3, 2, 2), (False,) * 2, [numbers.sigmoid], numbers.sigmoid, BINARY),
    ),
    "mixed": (
        Network(2, [Dense(3, "tanh", bias=False), Dense(2, "tanh"), Dense(1)], "half_squared_error"),
        plain((2, 3, 2, 1), (False, True, True), [np.tanh, np.tanh], numbers.identity, HALF_SQUARES),
    ),
    "perceptron": (
        Network(3, [Dense(2)], "half_squared_error"),
        plain((3, 2), (True,), [], numbers.identity, HALF_SQUARES),
    ),
}


@pytest.fixture(scope="module")
def derivations() -> dict[str, Derivation]:
    return {case: derive(network) for case, (network, _) in CASES.items()}


@EVERY_NOTATION
def test_every_component_written_out_holds(name):
    network = Network(2, [Dense(2, "tanh"), Dense(2, "sigmoid")], "half_squared_error")
    net = plain((2, 2, 2), (True,) * 2, [np.tanh], numbers.sigmoid, HALF_SQUARES)
    wrong, tried = untrue(components(derive(network)), NOTATIONS[name], DOCUMENTS[name](net))
    assert wrong == []
    assert min(tried.values()) > 0


def writer(notation: Notation, network: Network | None) -> TextWriter:
    if network is None:
        return TextWriter(notation)
    return TextWriter(notation, network.sizes, [layer.bias for layer in network.layers])


def of_second_sample(text: str, conditions: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Put B = 1 and tau = 2 in: the mini-batch then is the second sample."""
    for old, new in (("B (tau-1)+1", "2"), ("B (tau - 1) + 1", "2"), ("B tau", "2"), ("/B)", "/1)")):
        text = text.replace(old, new)
        conditions = tuple(condition.replace(old, new) for condition in conditions)
    return text, conditions


def untrue(
    derivation: Derivation, notation: Notation, document: Document
) -> tuple[list[str], dict[str, int]]:
    """Return the printed equations that do not hold, and how often each label was tried."""
    prints = writer(notation, derivation.network)
    definitions: dict = {}
    wrong, tried = [], {}
    for step in derivation.steps:
        for printed in prints.printed(step.statement, step.assumes):
            text, conditions = of_second_sample(str(printed.relation), printed.conditions)
            descends = {"A.12": document.mean, "A.13": document.one}.get(step.label)
            problem, count = disagreement(document, text, conditions, definitions, descends=descends)
            tried[step.label] = tried.get(step.label, 0) + count
            wrong += [f"{step.label}: {problem}"] if problem else []
    return wrong, tried


# Equations that hold for every layer and every weight, so that no condition may leave one out.
COMPLETE = ("2.6", "2.6m", "2.3", "D.6", "D.6m", "2.2")


def never_said(derivation: Derivation, notation: Notation, document: Document) -> list[str]:
    """Return the cases that the conditions of an equation for every layer leave out."""
    prints = writer(notation, derivation.network)
    found = []
    for label in COMPLETE:
        step = derivation[label]
        for printed in prints.printed(step.statement, step.assumes):
            env = excluded(document, str(printed.relation), printed.conditions)
            found += [f"{label}: {printed.relation} is not said for {env}"] if env else []
    return found


@EVERY_NOTATION
@pytest.mark.parametrize("case", CASES)
def test_every_printed_equation_holds(name, case, derivations):
    document = DOCUMENTS[name](CASES[case][1])
    wrong, tried = untrue(derivations[case], NOTATIONS[name], document)
    assert wrong == []
    assert never_said(derivations[case], NOTATIONS[name], document) == []
    never = {label for label, count in tried.items() if count == 0}
    # A perceptron has no hidden layer to say anything of.
    assert case == "perceptron" or never == set()


def test_the_documents_programs_are_the_same_network():
    for _, net in CASES.values():
        outputs = [document(net) for document in DOCUMENTS.values()]
        values = [[d.run(p)[d.output_key()][1] for p in (1, 2)] for d in outputs]
        assert all(np.allclose(v, values[0], rtol=1e-13) for v in values)


# A fault in a record must make some equation untrue.
FAULTS = {
    "indices the other way round": {"symbols": {"w": {"order": (1, 0)}}},
    "weights numbered from 0": {"symbols": {"w": {"shift": -1}}},
    "weighted sums one layer late": {"symbols": {"c": {"shift": 1}}},
    "sensitivities one layer early": {"symbols": {"delta": {"shift": -1}}},
    "inputs of a layer one late": {"symbols": {"a": {"shift": 1}}},
    "matrix of weights one layer late": {
        "symbols": {"WeightMatrix": {"shift": 1}, "RegularWeights": {"shift": 1}}
    },
    "S one layer late": {"symbols": {"StepMatrix": {"shift": 1}, "S": {"shift": 1}}},
    "another first layer": {"first_layer": 2},
    "other layers counted": {"counted": {"hidden": "weights", "weights": "all", "all": "hidden"}},
    "bias at the other end": {"bias": {"last": "first", "first": "last", "separate": "last"}},
    "W the other way round": {"weights": {"to from": "from to", "from to": "to from"}},
    "a row for a column": {"by_column": {"row": "column", "column": "row"}},
    "sizes one layer late": {"symbols": {"Width": {"shift": 1}}},
}


def faulty(notation: Notation, fault: dict) -> Notation:
    """Return a notation with a fault in its record."""
    changes: dict = {}
    for name, value in fault.items():
        if name == "symbols":
            symbols = dict(notation.symbols)
            for key, how in value.items():
                glyph: Glyph = symbols[key]
                order = glyph.order or (0, 1)
                changed = {"shift": glyph.shift + how["shift"]} if "shift" in how else {"order": order[::-1]}
                symbols[key] = dataclasses.replace(glyph, **changed)
            changes["symbols"] = symbols
        else:
            own = getattr(notation, name)
            changes[name] = value[own] if isinstance(value, dict) else value
    return dataclasses.replace(notation, **changes)


@EVERY_NOTATION
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_record_is_seen(name, fault, derivations):
    if fault == "other layers counted" and NOTATIONS[name].letters is None:
        return  # the letters of the derivation stay as they are
    broken = faulty(NOTATIONS[name], FAULTS[fault])
    network, net = CASES["any network"]
    prints, document, definitions = writer(broken, network), DOCUMENTS[name](net), {}
    for step in derivations["any network"].steps:
        for printed in prints.printed(step.statement, step.assumes):
            try:
                problem, _ = disagreement(
                    document, str(printed.relation), printed.conditions, definitions, 20
                )
            except (AssertionError, KeyError, IndexError):
                return  # it cannot even be read
            if problem:
                return
    assert never_said(derivations["any network"], broken, document) != []


@pytest.mark.parametrize("there", NOTATIONS)
@EVERY_NOTATION
def test_both_columns_of_a_translation_are_the_same(name, there):
    if there == name:
        return
    net = CASES["any network"][1]
    mine, other = DOCUMENTS[name](net), DOCUMENTS[there](net)
    compared = 0
    for row in translation(NOTATIONS[name], NOTATIONS[there]).rows:
        if row.meaning.startswith(("learning rate", "number of layers", "number of hidden")):
            continue
        (left, letters), (right, _) = read(mine, row.here), read(other, row.there)
        for env in itertools.product(range(5), repeat=len(letters)):
            numbers = dict(zip(sorted(letters), env, strict=True))
            try:
                value = left(Context(mine, numbers, {}))
            except Absent:
                continue
            try:
                found = right(Context(other, numbers, {}))
            except Absent:
                # Only the bias, which the other has no number for, may be missing there.
                assert NOTATIONS[name].bias != NOTATIONS[there].bias, row
                assert 0 in env or "N_" in row.here or max(env) > 2, row
                continue
            assert np.allclose(value, found, rtol=1e-12), (row, numbers)
            compared += 1
    assert compared > 60

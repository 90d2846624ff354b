"""Every printed statement, broken in every systematic way, must be found out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from symbp.derivation.derive import derive
from symbp.derivation.documents.decide import Judge
from symbp.derivation.documents.definitions import faults_in, stated_apart
from symbp.derivation.documents.library import NAMES, get
from symbp.derivation.documents.records import Equation
from symbp.derivation.documents.statement_mutants import mutants

FAULTS_APART = {"1.1": 7, "1.2": 7, "1.4": 4, "1.5": 3, "2.9": 6}
APART = tuple(FAULTS_APART)

_ONE = "x_0 = 1: the factor, or the layer it is taken from, makes no difference"
_SMALL = "in figure 4 both hidden layers, and the inputs, are two"
_SYMMETRIC = "the matrix is diagonal, or a number"
_CONSTANT = "it multiplies or adds something whose derivative is 0, or divides and multiplies by 1"
_EVEN = "the function is even: its argument may have either sign"

# (document, equation, kind) -> how many are equal in value, and why
EQUAL: dict[tuple[str, str, str], tuple[int, str]] = {
    ("000", "section 1.7, h_i", "transpose"): (
        1,
        "a function of the layer takes its entries, in a row or a column",
    ),
    ("000", "2.8", "index"): (1, "the Kronecker delta makes s and j the same"),
    ("000", "2.11", "range"): (1, "the last input is the bias neuron, whose derivative is 0"),
    ("001", "1, written out", "factor"): (3, _ONE),
    ("001", "2, a_1", "factor"): (1, _ONE),
    ("001", "2, a_2", "factor"): (1, _ONE),
    ("001", "2, a_3", "factor"): (1, _ONE),
    ("001", "3, written out", "factor"): (1, _ONE),
    ("001", "3, written out", "layer"): (1, _ONE),
    ("001", "4, a_1", "factor"): (1, _ONE),
    ("001", "4, a_1", "layer"): (1, _ONE),
    ("001", "figure 6, de/da", "factor"): (3, _CONSTANT),
    ("001", "figure 6, de/da", "sign"): (1, _CONSTANT),
    ("001", "figure 6, de/db", "factor"): (3, _CONSTANT),
    ("001", "sigmoid, 1", "factor"): (2, _CONSTANT),
    ("001", "sigmoid, 1", "sign"): (2, _CONSTANT),
    ("001", "sigmoid, 1", "number"): (1, _CONSTANT),
    ("001", "sigmoid, 1", "function"): (1, _CONSTANT),
    ("001", "sigmoid, 1", "argument"): (1, _CONSTANT),
    ("002", "tanh'", "argument"): (1, _EVEN),
    ("002", "example, dW(2)", "transpose"): (1, _SYMMETRIC),
    ("002", "example, dW(3)", "transpose"): (1, _SYMMETRIC),
    ("003", "11", "factor"): (2, _CONSTANT),
    ("003", "figure 4, step 5, backward", "layer"): (2, _SMALL),
    ("003", "figure 4, step 6, backward", "layer"): (1, _SMALL),
    ("003", "figure 4, step 7, backward", "layer"): (4, _SMALL),
    ("003", "table 2, row 4", "transpose"): (1, _SYMMETRIC),
    ("003", "table 2, row 6", "transpose"): (1, _SYMMETRIC),
    ("004", "13", "factor"): (1, "the last factor is the identity"),
    ("004", "14", "factor"): (2, "the last factor is the identity"),
    ("004", "17", "argument"): (2, _EVEN),
    ("004", "22", "sign"): (1, _CONSTANT),
}

# Nothing to break but the erratum itself.
WHOLE = {("002", "remark 5, epoch")}


def right_form(at: Judge, equation: Equation) -> tuple[str, str]:
    """Return the statement that holds: as printed, or the right one."""
    for text in equation.readings:
        if at.find(text, equation.where, equation.named, prove=False).holds:
            return text, equation.where
    return equation.right, equation.right_where or equation.where


@pytest.mark.parametrize("name", NAMES)
def test_mutants_are_found_out(name: str) -> None:
    document = get(name)
    judges = {key: Judge(setting) for key, setting in document.settings.items()}
    survivors: Counter[tuple[str, str, str]] = Counter()
    for equation in document.equations:
        at = judges[equation.setting]
        text, where = right_form(at, equation)
        made = 0
        for kind, broken, ranges in mutants(text, where, at.setting):
            made += 1
            if at.find(broken, ranges, equation.named, prove=False).holds:
                survivors[name, equation.number, kind] += 1
        assert made or (name, equation.number) in WHOLE, f"{equation.number} has no mutant"
    assert survivors == {key: count for key, (count, _) in EQUAL.items() if key[0] == name}


def test_definitions_of_000_that_are_no_steps() -> None:
    labels = (*derive().labels, "1.8", "2.1")
    apart = {equation.number: faults_in(equation) for equation in stated_apart(labels)}
    assert {number: missed for number, (_, missed) in apart.items()} == dict.fromkeys(APART, ())
    assert {number: tried for number, (tried, _) in apart.items()} == FAULTS_APART


def test_kinds_of_faults_in_the_definitions() -> None:
    """Sign, factor, function, argument, branches and ranges: what can be broken is broken."""
    kinds = {}
    document = get("000")
    for equation in document.equations:
        if equation.number in APART:
            (text,) = equation.readings
            made = mutants(text, equation.where, document.settings[equation.setting])
            kinds[equation.number] = {kind for kind, _, _ in made}
    assert kinds["1.4"] == {"sign", "factor", "function", "argument"}
    assert kinds["2.9"] == {"sign", "factor", "number", "branches", "condition"}
    assert kinds["1.5"] == {"sign", "layer"}


def test_a_fault_that_no_check_sees_is_said() -> None:
    (kronecker,) = [equation for equation in get("000").equations if equation.number == "2.9"]
    blind = replace(kronecker, where="1 <= i <= 1, 1 <= j <= 1")
    assert faults_in(blind)[1]

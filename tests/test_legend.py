"""The table of notation: each symbol is the one the page uses, and means what it says."""

from __future__ import annotations

import re

import pytest

import symbp
from symbp.derivation.records import Derivation
from symbp.notation import NOTATIONS, get
from symbp.notation.legend import legend
from symbp.notation.text import TextWriter

COST = {"smatrix": "J", "ng": "J", "lfd": "E", "bishop": "E", "nielsen": "C"}
OMEGA = {
    "smatrix": ("Omega^k", "penalty of the weights of layer k"),
    "ng": ("Omega^{(l)}", "that lead from layer l to layer l + 1"),
    "lfd": ("Omega^{(l)}", "that lead from layer l - 1 to layer l"),
    "bishop": ("Omega^{(k)}", "that lead from layer k - 1 to layer k"),
    "nielsen": ("Omega^l", "that lead from layer l - 1 to layer l"),
}
MIXED = symbp.Network(
    3, [symbp.Dense(4, "tanh"), symbp.Dense(5, "relu", bias=False), symbp.Dense(2)], "half_squared_error"
)


@pytest.fixture(scope="module")
def penalised() -> Derivation:
    return symbp.derive(MIXED, l2=1e-3).checked()


def table(derivation: Derivation, notation: str) -> dict[str, str]:
    network = derivation.network
    assert network is not None
    writer = TextWriter(get(notation), network.sizes, [layer.bias for layer in network.layers])
    return dict(legend([step.statement for step in derivation.steps], writer))


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_penalty_is_written_in_the_letters_of_the_notation(notation: str, penalised: Derivation) -> None:
    rows = table(penalised, notation)
    symbol, words = OMEGA[notation]
    assert words in rows[symbol]
    assert rows[f"{COST[notation]}~"] == "cost with the penalty: what is minimised"
    strength = [shown for shown, meaning in rows.items() if meaning == "parameter l2, 0.001 here"]
    page = symbp.Derivation.text(penalised, notation)
    assert len(strength) == 1
    assert f"{COST[notation]}~ = " in page
    assert f"{strength[0]} = 0.001" in page


@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_is_left_out_is_not_cited(notation: str, penalised: Derivation) -> None:
    page = symbp.Derivation.text(penalised, notation)
    left_out = re.findall(r"In this notation (.*?) would say nothing", page)
    labels = {label for said in left_out for label in said.split(", ")}
    assert bool(labels) == (notation != "smatrix")
    rest = re.sub(r"In this notation .*? would say nothing", "", page)
    for label in labels:
        cited = re.findall(rf"(?:from|,) {re.escape(label)}(?=[,:;\s])", rest)
        assert cited == [], label


def test_the_order_of_the_identity_is_no_number_of_samples(penalised: Derivation) -> None:
    for notation in NOTATIONS:
        rows = table(penalised, notation)
        (identity,) = [shown for shown, meaning in rows.items() if meaning.startswith("identity matrix")]
        width = next(shown for shown, meaning in rows.items() if meaning.startswith("number of neurons"))
        assert identity == f"I_{{{width}}}"


def test_biases_are_not_spoken_of_where_there_are_none() -> None:
    layers = [symbp.Dense(3, "sigmoid", bias=False), symbp.Dense(1, bias=False)]
    derivation = symbp.derive(symbp.Network(2, layers, "half_squared_error"))
    for notation in ("ng", "lfd", "bishop", "nielsen"):
        assert not [words for words in table(derivation, notation).values() if "bias" in words], notation


def test_functions_of_stable_forms_are_said_to_be_what_they_are() -> None:
    network = symbp.Network(2, [symbp.Dense(3, "swish"), symbp.Dense(1, "softplus")], "log_cosh")
    lines = [" ".join(line.split()) for line in symbp.derive(network).text(notation="ng").splitlines()]
    table = lines[: lines.index("Forward pass")]
    assert "sigmoid(u) 1/(1 + exp(-u))" in table
    assert "softplus(u) log(1 + exp(u))" in table
    assert "finite(u) u; an infinite u becomes the number of the type that is next to it" in table

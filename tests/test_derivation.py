"""The derivations: what they contain, that every step is proved, and what is found on the way."""

from __future__ import annotations

import pytest
import sympy

import symbp
from symbp.algebra.nodes import Node, Softplus, k, m, p, q, r
from symbp.derivation.oracles import panel
from symbp.derivation.records import Builder, Derivation, equation
from symbp.errors import DerivationError, SpecError
from symbp.functions import ACTIVATIONS
from symbp.network import Dense, Network

# The equations of document 000 that the derivation must contain, and the bridge to the sensitivities.
EQUATIONS = [
    *("1.3", "1.6", "1.7", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8"),
    *("2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17"),
]
BRIDGE = ["D.1", "D.2", "D.3", "D.4", "D.5", "D.6"]

NETWORKS = [
    Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy"),
    Network(2, [Dense(3, "softmax")], "half_squared_error"),
    Network(3, [Dense(1, "sigmoid")], "binary_cross_entropy"),
    Network(1, [Dense(1, "relu", bias=False)], "squared_error"),
    Network(3, [Dense(4, "relu", bias=False), Dense(2, "sigmoid"), Dense(2)], "half_squared_error"),
    Network(2, [Dense(3, "sigmoid", bias=False), Dense(2, "tanh", bias=False)], "squared_error"),
    Network(2, [Dense(2, "identity"), Dense(3, "relu"), Dense(2, "tanh"), Dense(2, "relu")], "squared_error"),
    Network(17, [Dense(33, "relu"), Dense(10, "softmax")], "cross_entropy"),
]


@pytest.fixture(scope="module")
def generic() -> Derivation:
    return symbp.derive().checked()


@pytest.mark.parametrize("label", [*EQUATIONS, *BRIDGE])
def test_generic_derivation_contains(generic: Derivation, label: str) -> None:
    step = generic[label]
    assert step.proved
    assert step.because
    assert step.rule
    assert step.uses or step.defines or step.rule == "chain rule"


def test_generic_derivation_has_symbolic_sizes(generic: Derivation) -> None:
    assert generic["2.17"].statement.atoms(sympy.Symbol) >= {k, q}
    assert not generic["2.6"].statement.atoms(sympy.Integer) - {sympy.Integer(1), sympy.Integer(-1)}


def test_every_equation_of_the_generic_derivation_has_three_value_oracles(generic: Derivation) -> None:
    for step in generic.steps:
        methods = {check.method for check in step.checks}
        # The cost of the jets is any function of all outputs, the one of A.n an average over samples.
        jets = set() if step.label.startswith("A.") else {"jets"}
        wanted = {"types", "descent"} if step.label == "2.2" else {"types", "field", "mpmath"} | jets
        assert methods >= wanted
    assert "induction" in {check.method for check in generic["2.14"].checks}
    assert "induction" in {check.method for check in generic["2.16p"].checks}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: "-".join(map(str, n.sizes)))
def test_every_step_of_a_network_is_proved(network: Network) -> None:
    derivation = symbp.derive(network)
    checks = derivation.prove()
    assert {check.label for check in checks} == set(derivation.labels)
    assert all(check.passed for check in checks)
    for layer in range(1, network.hidden + 2):
        assert f"2.6b, k={layer}" in derivation
        assert f"D.6a, k={layer}" in derivation
        assert (f"D.6b, k={layer}" in derivation) == network.has_bias(layer)


def test_uses_point_backwards() -> None:
    seen: set[str] = set()
    for step in symbp.derive(NETWORKS[0]).steps:
        assert set(step.uses) <= seen
        seen.add(step.label)


def _fused(output: str, cost: str) -> sympy.Expr:
    return symbp.derive(Network(2, [Dense(3, output)], cost))["D.1f"].statement.rhs


@pytest.mark.parametrize(
    ("output", "cost", "factor"),
    [
        ("softmax", "cross_entropy", 1),
        ("sigmoid", "binary_cross_entropy", 1),
        ("identity", "half_squared_error", 1),
        ("identity", "squared_error", 2),
    ],
)
def test_fused_output_gradient_is_found(output: str, cost: str, factor: int) -> None:
    h, y = Node("h", 1, (r,)), Node("y", 1, (r,))
    assert sympy.expand(_fused(output, cost) - factor * (h - y) / m) == 0


@pytest.mark.parametrize(
    ("output", "cost"),
    [("sigmoid", "half_squared_error"), ("softmax", "half_squared_error"), ("tanh", "squared_error")],
)
def test_what_does_not_fuse_keeps_its_slope(output: str, cost: str) -> None:
    h, y = Node("h", 1, (r,)), Node("y", 1, (r,))
    found = _fused(output, cost)
    assert found != (h - y) / m
    assert sympy.expand(found - 2 * (h - y) / m) != 0


def test_fused_gradient_records_its_assumption() -> None:
    derivation = symbp.derive(NETWORKS[0])
    (condition,) = derivation["D.1f"].assumes
    assert condition.rhs == 1
    assert condition.lhs.atoms(Node) == {Node("y", 2, (q,))}
    assert symbp.derive(NETWORKS[2])["D.1f"].assumes == ()


def test_stable_forms_are_found() -> None:
    softmax = symbp.derive(NETWORKS[0])
    assert not softmax["2.1s"].statement.rhs.has(sympy.log)
    assert softmax["2.1s"].statement.atoms(Node) >= {Node("lse", 2, (), p)}
    assert symbp.derive(NETWORKS[2])["2.1s"].statement.rhs.has(Softplus)
    assert "2.1s" not in symbp.derive(NETWORKS[1])  # no logarithm, nothing to do


def test_prove_names_the_broken_step() -> None:
    derivation = symbp.derive(NETWORKS[0])
    for label in ("2.12", "D.6", "1.3d, k=1", "2.1s", "X.9"):
        statement = derivation[label].statement
        broken = derivation.replace(label, equation(statement.lhs, -statement.rhs))
        with pytest.raises(DerivationError, match=rf"^{label}: "):
            broken.prove()


def test_replacing_changes_what_follows_and_nothing_else() -> None:
    derivation = symbp.derive(NETWORKS[0])
    statement = derivation["2.12"].statement
    broken = derivation.replace("2.12", equation(statement.lhs, -statement.rhs))
    changed = {
        a.label for a, b in zip(derivation.steps, broken.steps, strict=True) if a.statement != b.statement
    }
    assert changed == {"2.12", "2.12, k=1", "2.12f, k=1", "D.5", "D.5m", "D.5, k=1", "D.5f, k=1"}
    assert derivation.replace("2.12", statement).steps == derivation.steps


def test_what_nothing_follows_from_is_one_error() -> None:
    derivation = symbp.derive(NETWORKS[0])
    statement = derivation["2.17"].statement
    with pytest.raises(DerivationError):
        derivation.replace("2.17", equation(statement.lhs, -statement.rhs)).prove()


def test_unknown_label_names_the_nearest() -> None:
    with pytest.raises(DerivationError, match=r"did you mean '2\.17'"):
        symbp.derive()["2.177"]


def test_builder_refuses_what_is_not_there() -> None:
    b = Builder()
    with pytest.raises(DerivationError, match=r"uses 9\.9"):
        b.add("1", "rule", equation(k, k), "no reason", ("9.9",))
    b.define("1", equation(k, k), "no reason")
    with pytest.raises(DerivationError, match="derived twice"):
        b.define("1", equation(k, k), "no reason")


def test_own_functions_are_derived_like_built_in_ones() -> None:
    bent = symbp.Activation("bent", "(sqrt(z**2 + 1) - 1)/2 + z")
    quartic = symbp.Cost("quartic", "(h - y)**4")
    symbp.derive(Network(2, [Dense(3, bent), Dense(2)], quartic)).prove()


def test_no_derivative_is_written_in_a_record() -> None:
    """A record states the function; a derivative in it would be a second truth."""
    for record in ACTIVATIONS.values():
        assert set(vars(record)) == {
            *("name", "formula", "output", "initialisation", "source", "parameters", "values")
        }


def test_only_networks_are_derived() -> None:
    with pytest.raises(SpecError, match=r"derive: 'iris.toml' is no Network"):
        symbp.derive("iris.toml")  # type: ignore[arg-type]


def test_a_statement_without_a_value_fails_its_check() -> None:
    derivation = symbp.derive(symbp.Network(2, [symbp.Dense(2, "softmax")], "cross_entropy"))
    shifted = derivation["1.8s.2"].statement
    e, u = shifted.lhs, sympy.Symbol("eta", real=True)
    nowhere = 1 / sympy.Add(e, -e, u, sympy.Mul(-1, u, evaluate=False), evaluate=False)
    with pytest.raises(DerivationError, match=r"^1\.8s\.2: "):
        derivation.replace("1.8s.2", equation(e, nowhere)).prove()


def test_generic_steps_are_proved_once_for_all_networks() -> None:
    """Their verdicts depend on nothing of the network; one that is broken gets a verdict of its own."""
    symbp.derive(Network(2, [Dense(3, "tanh"), Dense(2)], "squared_error")).prove()
    other = symbp.derive(Network(3, [Dense(4, "relu"), Dense(1)], "half_squared_error"))
    before = panel._known.cache_info().misses
    other.prove()
    assert panel._known.cache_info().misses == before
    statement = other["2.12"].statement
    with pytest.raises(DerivationError, match=r"^2\.12"):
        other.replace("2.12", equation(statement.lhs, -statement.rhs)).prove()

"""Parameters of functions: declared, given values, refused, on the page and in the kernel."""

from __future__ import annotations

import fractions
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbp
from symbp.algebra.nodes import Constant, with_numbers
from symbp.derivation.records import equation
from symbp.errors import DerivationError, SpecError
from symbp.functions import ACTIVATIONS, COSTS
from symbp.functions.parameters import DOMAINS, Parameter, declared_parameters, parameter_values
from symbp.network import Dense, Network
from symbp.spec import Spec
from tests.plain_python import interpreted

BENT = symbp.Activation("bent", "alpha*z + beta*sin(z)", parameters={"alpha": 0.5, "beta": 2})


# Numbers and domains ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ("real", (-3, 0, 1e-300), ()),
        ("positive", (1e-300, 2), (0, -1)),
        ("nonnegative", (0, 2), (-1e-300,)),
        ("fraction", (1e-9, 0.999), (0, 1, -0.5)),
        ("decay", (0, 0.999), (1, -0.1)),
    ],
)
def test_domains(domain: str, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    parameter = Parameter("alpha", inside[-1], domain)
    for number in inside:
        assert parameter.value(number) == number
    for number in outside:
        with pytest.raises(SpecError, match=f"alpha = .*: expected {DOMAINS[domain][1]}"):
            parameter.value(number)
        with pytest.raises(SpecError, match="expected"):
            Parameter("alpha", number, domain)


@pytest.mark.parametrize("given", [2, np.int64(2), np.float64(2), np.float32(2), fractions.Fraction(2)])
def test_numbers_of_numpy_are_numbers(given: object) -> None:
    value = Parameter("alpha", 1.0).value(given)
    assert value == 2
    assert type(value) is float


@pytest.mark.parametrize(
    "given", ["x", None, True, np.bool_(True), 1j, [1.0], np.nan, np.inf, 10**400, np.ones(2)]
)
def test_what_is_no_number_is_refused(given: object) -> None:
    with pytest.raises(SpecError, match=r"alpha = .*: expected a number") as caught:
        Parameter("alpha", 1.0).value(given)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "name", ["z", "h", "y", "sum", "if", "exp", "pi", "step", "1a", "", "a b", "name", 3]
)
def test_names_with_a_meaning_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match="parameter name"):
        Parameter(name, 1.0)


@pytest.mark.parametrize("name", ["z", "h", "if", "lambda", "sum", "w", "a-b", ""])
def test_functions_may_not_have_such_names_either(name: str) -> None:
    with pytest.raises(SpecError, match="function name"):
        symbp.Activation(name, "z**3")


def test_values_default_and_unknown() -> None:
    parameters = (Parameter("alpha", 0.1), Parameter("beta", 2.0))
    assert parameter_values(parameters, {"beta": 3}) == {"alpha": 0.1, "beta": 3.0}
    with pytest.raises(SpecError, match="unknown parameter 'alhpa'; did you mean 'alpha'"):
        parameter_values(parameters, {"alhpa": 3})
    with pytest.raises(SpecError, match="unknown parameter 'alpha'; there are none"):
        parameter_values((), {"alpha": 3})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": "x"}, "alpha = 'x': expected a number"),
        ({"alpha": {"default": -1, "domain": "positive"}}, "alpha = -1: expected a number above 0"),
        ({"alpha": {"default": 1, "domian": "positive"}}, "unknown key 'domian'; did you mean 'domain'"),
        ({"alpha": {"domain": "positive"}}, "no key 'default'"),
        ({"alpha": {"default": 1, "domain": "posittive"}}, "did you mean 'positive'"),
        ({"z": 1}, "parameter name 'z'"),
        (3, "expected a symbp.Parameter"),
        ((Parameter("a", 1), Parameter("a", 2)), "two have the same name"),
    ],
)
def test_wrong_declarations(given: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        declared_parameters(given)
    with pytest.raises(SpecError, match=f"activation 'own': .*{message}"):
        symbp.Activation("own", "z", parameters=given)  # type: ignore[arg-type]


# Records ---------------------------------------------------------------------------------------


def test_values_of_a_record() -> None:
    leaky = ACTIVATIONS["leaky_relu"]
    assert leaky.values == {"alpha": 0.01}
    other = leaky.with_values(alpha=0.2)
    assert other.values == {"alpha": 0.2}
    assert leaky.values == {"alpha": 0.01}
    assert other != leaky
    assert other.same_function(leaky)
    assert other.signature == "leaky_relu(alpha=0.2)"
    assert hash(other.with_values(alpha=0.01)) == hash(leaky)
    z = sympy.Symbol("z", real=True)
    assert other.expression() == sympy.Piecewise((z / 5, z <= 0), (z, True))
    assert other.symbolic().free_symbols == {z, sympy.Symbol("alpha", real=True)}
    with pytest.raises(
        SpecError, match="activation 'leaky_relu': alpha = -1: expected a number of at least 0"
    ):
        leaky.with_values(alpha=-1)


def test_ways_to_give_values() -> None:
    leaky = ACTIVATIONS["leaky_relu"].with_values(alpha=0.2)
    assert Dense(8, {"name": "leaky_relu", "alpha": 0.2}).activation == leaky
    assert Dense(8, leaky).activation == leaky
    assert Dense(8, "leaky_relu").activation == ACTIVATIONS["leaky_relu"]
    assert Dense(8, "silu").activation == ACTIVATIONS["swish"]
    network = Network(2, [Dense(1)], {"name": "huber", "delta": 0.5})
    assert network.cost == COSTS["huber"].with_values(delta=0.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "leaky_relu", "alpha": "x"}, "activation 'leaky_relu': alpha = 'x': expected a number"),
        ({"name": "leaky_relu", "alpah": 1}, "unknown parameter 'alpah'; did you mean 'alpha'"),
        ({"name": "tanh", "alpha": 1}, "activation 'tanh': unknown parameter 'alpha'; there are none"),
        ({"name": "leakyrelu"}, "unknown activation 'leakyrelu'; did you mean 'leaky_relu'"),
        ({"alpha": 1}, "no key 'name'"),
        ({"name": 3}, "activation = 3: expected a name"),
        ({"name": "leaky_relu", 3: 1}, "unknown parameter 3"),
    ],
)
def test_wrong_values(given: dict[object, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Dense(8, given)  # type: ignore[arg-type]


def test_a_name_means_one_function_with_any_values() -> None:
    Network(2, [Dense(3, BENT), Dense(1, BENT.with_values(beta=1))], "squared_error")
    other = symbp.Activation("bent", "alpha*z", parameters={"alpha": 0.5})
    with pytest.raises(SpecError, match="another function has that name"):
        Network(2, [Dense(3, BENT), Dense(1, other)], "squared_error")
    with pytest.raises(SpecError, match="not the built-in of that name"):
        Dense(3, symbp.Activation("leaky_relu", "z*alpha", parameters={"alpha": 1}))


# TOML ------------------------------------------------------------------------------------------

TOML = """
[network]
name = "bent"
inputs = 3
cost = {name = "huber", delta = 0.5}
layers = [ {units = 4, activation = {name = "leaky_relu", alpha = 0.2}},
           {units = 3, activation = {name = "bent", beta = 1}},
           {units = 3, activation = "bent"},
           {units = 2} ]

[functions.bent]
formula = "alpha*z + beta*sin(z)"
parameters = {alpha = 0.5, beta = {default = 2.0, domain = "positive"}}
"""


def test_toml_round_trip() -> None:
    spec = Spec.from_text(TOML)
    layers = spec.network.layers
    assert [layer.activation.signature for layer in layers] == [
        "leaky_relu(alpha=0.2)",
        "bent(alpha=0.5, beta=1)",
        "bent(alpha=0.5, beta=2)",
        "identity",
    ]
    assert spec.network.cost.values == {"delta": 0.5}
    text = spec.to_toml()
    assert Spec.from_text(text) == spec
    assert Spec.from_text(text).to_toml() == text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("alpha = 0.2", 'alpha = "x"', "layer 1: activation 'leaky_relu': alpha = 'x': expected a number"),
        ("alpha = 0.2", "slope = 0.2", "layer 1: activation 'leaky_relu': unknown parameter 'slope'"),
        ("delta = 0.5", "delta = -1", "[network]: cost 'huber': delta = -1: expected a number above 0"),
        ("beta = 1}", "beta = 0}", "layer 2: activation 'bent': beta = 0: expected a number above 0"),
        ("{alpha = 0.5", "{z = 0.5", "[functions] bent: parameter name 'z'"),
        ("alpha*z", "gamma*z", "unknown name 'gamma'; the names here are z, alpha, beta"),
        ('formula = "alpha*z + beta*sin(z)"', 'formula = "alpha"', "expected z (an activation)"),
    ],
)
def test_mistakes_in_toml(old: str, new: str, message: str) -> None:
    assert old in TOML
    with pytest.raises(SpecError) as caught:
        Spec.from_text(TOML.replace(old, new, 1), "bent.toml")
    assert str(caught.value).startswith("bent.toml: [")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# Derivation, page and kernel -------------------------------------------------------------------

NETWORK = Network(
    2,
    [
        Dense(4, {"name": "leaky_relu", "alpha": 0.25}),
        Dense(5, {"name": "elu", "alpha": 0.5}),
        Dense(2, BENT),
    ],
    {"name": "huber", "delta": 0.5},
    name="bent",
)


@pytest.fixture(scope="module")
def derivation() -> symbp.Derivation:
    return symbp.derive(NETWORK).checked()


def test_letters_carry_their_layer_and_are_defined_on_the_page(derivation: symbp.Derivation) -> None:
    first, second = Constant("alpha", 1, "0.25"), Constant("alpha", 2, "0.5")
    assert first != second
    assert derivation["1.3p.alpha, k=1"].statement == equation(first, sympy.Rational(1, 4))
    assert derivation["1.3, k=2"].statement.rhs.has(second)
    assert not derivation["1.3, k=2"].statement.rhs.has(first)
    assert "1.3p.alpha, k=1" in derivation["1.3, k=1"].uses
    page = derivation.text()
    for line in ("alpha^1 = 1/4", "alpha^2 = 1/2", "alpha^3 = 1/2", "beta^3 = 2", "delta = 1/2"):
        assert line in page
    assert r"\alpha^1 = \frac{1}{4}" in derivation.latex()
    assert all(step.proved for step in derivation.steps)


def test_numbers_stand_in_the_kernel_and_letters_in_its_comments() -> None:
    module = interpreted(NETWORK, prove=True)
    module.self_test()
    other = interpreted(Network(2, [*NETWORK.layers[:2], Dense(2, BENT.with_values(beta=3))], NETWORK.cost))
    w = module.init_params(0)
    assert not np.allclose(module.predict(w, [[0.3, -0.4]]), other.predict(w, [[0.3, -0.4]]))


@pytest.mark.parametrize("label", ["1.3p.alpha, k=1", "1.3p.alpha, k=2", "1.8p.beta", "2.1c.delta"])
def test_a_wrong_number_changes_page_and_kernel_and_is_seen(derivation: symbp.Derivation, label: str) -> None:
    statement = derivation[label].statement
    broken = derivation.replace(label, equation(statement.lhs, statement.rhs + 1)).checked()
    with pytest.raises(DerivationError, match=f"{label}: record check failed"):
        broken.prove()
    assert broken.text() != derivation.text()
    right, wrong = interpreted(NETWORK), interpreted(NETWORK, broken)
    rng = np.random.default_rng(0)
    w, X, Y = (rng.normal(size=size) for size in (NETWORK.n_params, (9, 2), (9, 2)))
    assert right.value_and_gradient(w, X, Y)[0] != pytest.approx(wrong.value_and_gradient(w, X, Y)[0])
    with pytest.raises(AssertionError):
        wrong.self_test()


def test_constants() -> None:
    letter = Constant("alpha", 3, "0.1")
    assert letter.value == sympy.Rational(1, 10)
    assert letter.is_positive
    assert Constant("alpha", 3, 0).is_zero
    assert letter.diff(letter) == 1
    assert (letter**2).diff(sympy.Symbol("z", real=True)) == 0
    assert with_numbers(letter + Constant("alpha", 2, "0.2")) == sympy.Rational(3, 10)
    assert letter.func(*letter.args) == letter


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
def test_the_ends_of_a_domain(name: str, alpha: float) -> None:
    """A parameter of 0 makes other conditions and relations sound than a positive one."""
    network = Network(2, [Dense(3, {"name": name, "alpha": alpha}), Dense(1)], "squared_error")
    interpreted(network, prove=True).self_test()


def test_a_model_keeps_its_values(tmp_path: Path) -> None:
    spec = Spec(NETWORK)
    module = interpreted(NETWORK, target="portable")
    assert Spec.from_text(module.SPEC, "trainer") == spec.for_target("portable")

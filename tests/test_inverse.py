"""g' in terms of g through the inverse: found where it exists, proved, never invented, never slow."""

from __future__ import annotations

import random
import time

import pytest
import sympy
from sympy import Abs, Rational, cos, exp, log, sin, sqrt

import symbp
from symbp.algebra.nodes import with_numbers
from symbp.derivation import inverse
from symbp.derivation.algebraic import algebraic_relation
from symbp.derivation.derive import derive
from symbp.derivation.inverse import relation_to_output
from symbp.derivation.local import O, Z
from symbp.derivation.records import equation
from symbp.derivation.relation import relation_beside, stated_slope
from symbp.errors import DerivationError
from symbp.functions import ACTIVATIONS, Activation
from symbp.functions.parse import parse_formula
from symbp.network import Dense, Network
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions

FOUND = {
    "z/(1 + abs(z))": (1 - Abs(O)) ** 2,
    "z/(2 + abs(z))": (1 - Abs(O)) ** 2 / 2,
    "z/sqrt(1 + z**2)": (1 - O**2) ** Rational(3, 2),
    "log(z + sqrt(z**2 + 1))": 2 * exp(O) / (exp(2 * O) + 1),  # asinh: 1/cosh(o)
    "sinh(z)": sqrt(O**2 + 1),
    "log(1 + exp(2*z))/2": 1 - exp(-2 * O),
    "exp(-exp(-z))": -O * log(O),
    "atan(z)": cos(O) ** 2,
    "atan(sinh(z))": Abs(cos(O)),  # the Gudermannian
    "atan(exp(z))": sin(2 * O) / 2,
    "atan(tanh(z))": cos(2 * O),
    "atan(atan(z))": cos(O) ** 2 * cos(sin(O) / cos(O)) ** 2,
    "tanh(exp(z))": (1 - O**2) * log((1 + O) / (1 - O)) / 2,
    "tanh(log(1 + exp(z)))": (1 - O**2) * (1 - 1 / sqrt((1 + O) / (1 - O))),
    "tanh(sinh(z))": (1 - O**2) * sqrt(log((1 + O) / (1 - O)) ** 2 / 4 + 1),
    "z + sqrt(z**2 + 4)": 2 * O**2 / (O**2 + 4),
    "sqrt(1 + exp(z))": (O**2 - 1) / (2 * O),
    "log(1 + z) if z > 0 else -log(1 - z)": exp(-Abs(O)),
    "z if z > 0 else z/sqrt(1 + z**2)": sympy.Piecewise(((1 - O**2) ** Rational(3, 2), O <= 0), (1, True)),
    "z/2 if z < 0 else z/sqrt(1 + z**2)": sympy.Piecewise(
        (Rational(1, 2), O < 0), ((1 - O**2) ** Rational(3, 2), True)
    ),
}
# sqrt(1 + z^2) has z/o, of either sign: what holds on one side only is no relation.
NONE = (
    "sqrt(1 + z**2)",
    "sin(z)",
    "cosh(z)",
    "log(cosh(z))",
    "z/(1 + z**2)",
    "z*abs(z)",
    "tanh(z)**3",
    "z + tanh(z)",
    "-z/(1 + abs(z))",  # falling: its branches are not told apart
    "abs(z)/(1 + abs(z))",
    "(z + 1)/(1 + abs(z)/2)",  # at 0 neither branch has the declared slope
    "exp(z + abs(z)/2)",
)
NO_RELATION = ("identity", "sin", "mish", "gelu", "gelu_tanh")


def _parsed(formula: str) -> sympy.Expr:
    return parse_formula(formula, ("z",))


@pytest.mark.parametrize("formula", FOUND)
def test_a_relation_is_found(formula: str) -> None:
    assert relation_to_output(_parsed(formula)) == FOUND[formula]


@pytest.mark.parametrize("formula", NONE)
def test_none_is_invented(formula: str) -> None:
    assert relation_to_output(_parsed(formula)) is None


@pytest.mark.parametrize("record", [r for r in ACTIVATIONS.values() if not r.of_layer], ids=lambda r: r.name)
def test_every_relation_of_a_built_in_function_holds(record: Activation) -> None:
    relation = relation_to_output(record.expression())
    assert (relation is None) == (record.name in NO_RELATION)
    if relation is not None and not relation.has(Z):
        assert inverse._holds(record.expression(), relation)


def test_the_last_check_sees_a_wrong_relation() -> None:
    formula = _parsed("z/(1 + abs(z))")
    assert inverse._holds(formula, (1 - Abs(O)) ** 2)
    for wrong in ((1 - O) ** 2, (1 + Abs(O)) ** 2, (1 - Abs(O)) ** 3, 1 - O**2):
        assert not inverse._holds(formula, wrong)


def test_a_wrong_inverse_gives_no_relation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(inverse._INVERSES, sympy.log, lambda o: exp(2 * o))
    inverse._outer_slope.cache_clear()
    assert inverse.relation_to_output.__wrapped__(_parsed("log(1 + exp(3*z))/3")) is None
    monkeypatch.undo()
    inverse._outer_slope.cache_clear()


def test_elimination_proves_the_sign_of_a_root() -> None:
    """o = sqrt(1 + z^2) has g'^2 = 1 - 1/o^2: g' is one root on each side of 0, neither on the line."""
    value = sqrt(1 + Z**2)
    assert algebraic_relation(value, value.diff(Z), Z, O) is None
    above = sympy.Dummy("n", positive=True)
    right = algebraic_relation(sqrt(1 + above**2), sqrt(1 + above**2).diff(above), above, O)
    assert right is not None
    assert sympy.simplify(right.subs(O, sqrt(5)) - 2 / sqrt(5)) == 0


def _random_formula(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(("z", "z", "2", "0.3", "z**2", "z**5"))
    inner, other = (_random_formula(rng, depth - 1) for _ in range(2))
    return rng.choice(
        (
            f"sqrt(1 + ({inner})**2)",
            f"exp(-({inner}))",
            f"tanh({inner})",
            f"atan({inner})",
            f"({inner})/(2 + ({other})**2)",
            f"({inner}) + ({other})",
            f"({inner})*({other})",
            f"log(1 + ({inner})**2)",
            f"abs({inner})",
            f"({inner} if z > 0.5 else {other})",
            f"({inner} if -1 < z < 2 or z > 3 else {other})",
        )
    )


def test_no_formula_takes_long() -> None:
    rng = random.Random(7)
    for _ in range(60):
        text = _random_formula(rng, rng.choice((2, 3)))
        try:
            formula = _parsed(text)
        except symbp.SymbpError:
            continue
        if not formula.has(Z):
            continue
        start = time.process_time()
        relation_to_output(formula)
        assert time.process_time() - start < 20, text


# In derivations ------------------------------------------------------------------------------


def _network(formula: str) -> Network:
    return Network(2, [Dense(3, Activation("own", formula)), Dense(1)], "half_squared_error", name="own")


def test_the_page_states_the_relation_and_kernels_keep_the_derivative() -> None:
    """(1 - |o|)^2 of softsign has no digits left where the unit saturates."""
    derivation = derive(Network(2, [Dense(3, "softsign"), Dense(1, "arctan")], "squared_error", name="r"))
    assert derivation["1.3r, k=1"].statement.rhs.has(Abs)
    assert "1.8r" in derivation
    derivation.prove()
    source = trainer_source(
        derivation, Spec(derivation.network, TrainOptions(target="portable")), prove=False
    )
    backward = source[source.index("def _sensitivities") : source.index("def _gradient")]
    assert "abs(C1" in backward
    assert "abs(O1" not in backward


@pytest.mark.parametrize("fault", [lambda e: -e, lambda e: 2 * e, lambda e: e + 1, lambda e: e**2])
@pytest.mark.parametrize("label", ["1.3r, k=1", "1.8r"])
def test_a_broken_relation_is_seen(label: str, fault) -> None:
    derivation = derive(Network(2, [Dense(2, "softsign"), Dense(1, "arctan")], "squared_error", name="r"))
    statement = derivation[label].statement
    broken = derivation.replace(label, equation(statement.lhs, fault(statement.rhs)))
    with pytest.raises(DerivationError, match=label.split(",")[0]):
        broken.prove()


@pytest.mark.parametrize("formula", FOUND)
def test_kernels_use_a_relation_only_where_it_is_as_good(formula: str) -> None:
    """None of these is used: it cancels, overflows, or costs more than the derivative."""
    parsed = _parsed(formula)
    if stated_slope(parsed).has(O):
        assert relation_beside(parsed) is None
        assert with_numbers(stated_slope(parsed)).has(sympy.Piecewise)
    else:
        assert relation_beside(parsed) == FOUND[formula]


@pytest.mark.parametrize(
    "formula",
    [
        "log(1 + exp(2*z))/2",
        "z/sqrt(1 + z**2)",
        "z/2 if z < 0 else z/sqrt(1 + z**2)",
        # Their inverses are functions that formulas have no name for, nor kernels and oracles.
        "tanh(log(1 + exp(z)))",
        "atan(sinh(z))",
        "atan(tanh(z))",
    ],
)
def test_own_functions_with_a_relation_are_proved(formula: str) -> None:
    derivation = derive(_network(formula))
    assert "1.3r, k=1" in derivation
    derivation.prove()

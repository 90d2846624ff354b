"""Update rules of one's own with cases (if, min, max): read, proved, NaN kept, in loops and in vectors."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import symbp
from symbp.derivation.oracles.text import evaluate_text, run_assignments
from symbp.functions import UpdateRule
from symbp.functions.numeric import value_at
from symbp.functions.parse import parse_formula
from symbp.functions.vocabulary import FUNCTIONS
from symbp.network import Dense, Network
from tests.plain_python import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

NET = Network(9, [Dense(17, "tanh"), Dense(3)], "half_squared_error", name="cases")
# Each asks of the gradient, of a state, or of what all weights share.
RULES = {
    "sign": "w = w - learning_rate*(1 if gradient > 0 else -1)",
    "three_signs": "w = w - learning_rate*(1 if gradient > 0 else (-1 if gradient < 0 else 0))",
    "clipped": "w = w - learning_rate*min(max(gradient, -1), 1)",
    "lion": "c = v + gradient\nv = 0.9*v + 0.1*gradient\nw = w - learning_rate*(1 if c > 0 else -1)",
    "amsgrad": "s = 0.9*s + gradient**2\nv = max(v, s)\nw = w - learning_rate*gradient/(1 + sqrt(v))",
    "agrees": "d = min(1.5*(1.2 if gradient*v > 0 else 0.5), 1)\nv = gradient\nw = w - learning_rate*d*v",
    "at_first": "w = w - learning_rate*(gradient if step < 3 else 0.1*gradient)",
    "a_while": "w = w - learning_rate*(gradient if step < 3 or gradient > 1 else min(learning_rate, 1)/2)",
    "in_between": "w = w - learning_rate*gradient*(2 if 1 < step <= 3 else 1)",
}
KEPT = {"lion": ("v",), "amsgrad": ("s", "v"), "agrees": ("v",)}
RATE, STATE = 0.05, 0.25

every = pytest.mark.parametrize("name", RULES)
both_types = pytest.mark.parametrize("dtype", ["float64", "float32"])
loops_and_vectors = pytest.mark.parametrize("target", ["portable", "x86-64-v3"])


def rule(name: str) -> UpdateRule:
    return UpdateRule(name, RULES[name], dict.fromkeys(KEPT.get(name, ()), STATE), learning_rate=RATE)


def _called(function: Any, given: dict[str, Any]) -> None:
    """Call a function with those of the arguments that it has."""
    function(*(given[name] for name in inspect.signature(function).parameters))


def updated(module: Any, name: str, some: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first weights and states after an update with some gradients; all weights were 1."""
    gradient = np.zeros(module.N_PARAMS, some.dtype)
    gradient[: len(some)] = some
    w, states = np.ones_like(gradient), np.full((len(KEPT.get(name, ())), len(gradient)), STATE, some.dtype)
    rate = some.dtype.type(RATE)
    _called(
        module._update, {"w": w, "gradient": gradient, "learning_rate": rate, "step": step, "states": states}
    )
    return w[: len(some)], states[:, : len(some)]


def updated_row(module: Any, name: str, gradient: np.ndarray, step: int) -> np.ndarray:
    """Return what the update makes of a row of weights that were 1, beside the products of a step."""
    rows = {"V": np.ones((1, len(gradient)), gradient.dtype)}
    rows |= {f"STATE_{kept}": np.full_like(rows["V"], STATE) for kept in KEPT.get(name, ())}
    rate = gradient.dtype.type(RATE)
    given = {**rows, "i": 0, "j": 0, "gradient": gradient, "learning_rate": rate}
    if hasattr(module, "_factors"):
        factors = module._factors(rate, step)
        given |= {f"factor_{n}": x for n, x in enumerate(factors, 1)}
    _called(module._update_row, given)
    return rows["V"][0]


@loops_and_vectors
@both_types
@every
def test_a_rule_with_cases_is_what_its_text_says(name: str, dtype: str, target: str) -> None:
    module = interpreted(NET, optimizer=rule(name), dtype=dtype, target=target)
    gradient = np.array([-2.5, -0.3, 0.0, 0.2, 1.7, 0.9, -0.9, 1e-3], dtype)
    for step in (1, 3, 7):
        after, _ = updated(module, name, gradient, step)
        if target != "portable":
            np.testing.assert_allclose(updated_row(module, name, gradient, step), after, rtol=1e-6)
        for g, found in zip(gradient, after, strict=True):
            names = {"w": 1, "gradient": g, "learning_rate": np.dtype(dtype).type(RATE), "step": step}
            names |= dict.fromkeys(KEPT.get(name, ()), STATE)
            known = run_assignments(RULES[name], {k: mpmath.mpf(float(x)) for k, x in names.items()})
            assert abs(known["w"] - float(found)) <= 4 * np.finfo(dtype).eps


@loops_and_vectors
@both_types
@every
def test_a_nan_gradient_gives_a_nan_weight(name: str, dtype: str, target: str) -> None:
    """In the update of all weights, and in that of a row which a step applies at once."""
    module = interpreted(NET, optimizer=rule(name), dtype=dtype, target=target)
    gradient = np.array([0.5, np.nan, -0.5, 0, 0, 0, 0, 0], dtype)
    wrong = np.isnan(gradient).tolist()
    w, states = updated(module, name, gradient, 3)
    assert np.isnan(w).tolist() == wrong
    assert all(np.isnan(state).tolist() == wrong for state in states)
    if target != "portable":
        assert np.isnan(updated_row(module, name, gradient, 3)).tolist() == wrong


def test_compiled_rules_with_cases(tmp_path: Path) -> None:
    """Masks of what all weights share beside masks of vectors; float32, last columns, last batch."""
    X, Y = (np.random.default_rng(n).normal(size=(13, n)).astype("float32") for n in (9, 3))
    options = {"optimizer": rule("a_while"), "dtype": "float32", "batch_size": 4}
    trainer = symbp.generate(NET, tmp_path / "cases.py", **options)
    plain = interpreted(NET, **options, target="portable")
    fast, slow = (t.fit(t.init_params(0), X, Y, epochs=3, seed=0)[0] for t in (trainer, plain))
    np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-6)
    w, _ = updated(trainer.module, "a_while", np.array([0.5, np.nan], "float32"), 9)
    assert np.isnan(w).tolist() == [False, True]


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"sum"}))
def test_the_second_reader_knows_every_function(name: str) -> None:
    """Rules and penalties are proved against the text itself: what formulas may hold, it has to read."""
    one, other = (
        f"{name}({a})" for a in (("0.3", "w + 1") if FUNCTIONS[name].arguments == 1 else ("0.3, w", "w, e"))
    )
    text = f"{one} + ({other} if 0 < w <= 1 or w < -9 and w < 1 else w*pi)"
    for w in (-0.4, 0.0, 0.9):
        mine = value_at(parse_formula(text, ("w",)), {"w": w})
        assert float(evaluate_text(text, {"w": mpmath.mpf(w)})) == pytest.approx(mine, rel=1e-14)


def test_a_rule_that_keeps_a_plain_number() -> None:
    """A value that asks for no vector fills one."""
    own = UpdateRule("own", "u = v\nv = 0.5\nw = w - learning_rate*gradient*(1 + u)", {"v": STATE})
    module = interpreted(NET, optimizer=own, dtype="float32")
    w = module.init_params(0)
    assert not np.array_equal(module.fit(w, np.ones((4, 9)), np.zeros((4, 3)), epochs=2, seed=0)[0], w)

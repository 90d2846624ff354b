"""Update rules of one's own: from the text through every stage, what is refused, and what pages say."""

from __future__ import annotations

import dataclasses
import math
import re
import warnings

import numpy as np
import pytest

import symbp
from symbp.cli import main
from symbp.errors import DerivationError, ExpressionError, SpecError
from symbp.functions import OPTIMIZERS, Parameter, UpdateRule
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.run.verify import verify
from tests.test_updates import EXACT, NET, trainer_of


def test_an_own_rule_goes_all_the_way(tmp_path):
    # Names that mean something else in the emitted code, a state that does not start at 0.
    rule = UpdateRule(
        "own",
        """
        np = mu*np + gradient*abs(gradient)
        t = np/step
        w = w - learning_rate*t*(2 if t > 0 else 1)
        """,
        states={"np": 0.25},
        parameters={"mu": 0.5},
    )
    derivation = symbp.derive(NET, rule)
    assert "2.2.3" in derivation
    trainer = trainer_of(optimizer=rule)
    assert verify(trainer).ok
    w, g = np.arange(15.0), np.linspace(-1, 1, 15)
    states = np.full((1, 15), 0.25)
    trainer.module._update(w, g, 0.1, 3, states)
    state = 0.125 + g * abs(g)
    np.testing.assert_allclose(states[0], state, **EXACT)
    np.testing.assert_allclose(w, np.arange(15) - 0.1 * state / 3 * np.where(state > 0, 2, 1), **EXACT)


def test_an_own_rule_that_climbs_is_refused():
    with pytest.raises(DerivationError, match=r"^2\.2: descent check failed"):
        symbp.derive(NET, UpdateRule("up", "w = w + learning_rate*gradient")).prove()
    with pytest.raises(DerivationError, match="learning rate 0 changes the weight"):
        symbp.derive(NET, UpdateRule("drift", "w = 0.9*w - learning_rate*gradient")).prove()


@pytest.mark.parametrize(
    ("text", "states", "message"),
    [
        ("", {}, "assignments '': expected text"),
        ("v = gradient", {}, "no line gives the new weight"),
        ("w = w - v\nv = gradient", {}, "line 1: 'v' is used before it is set"),
        ("v = v + gradient\nw = w - v", {}, "line 1: 'v' is used before it is set"),
        ("w = w - gradient\nv = w", {"v": 0}, "line 2: 'v' is set after the new weight"),
        ("w = w - gradient\nw = w", {}, "line 2: 'w' is assigned twice"),
        ("q = gradient\nw = w - gradient", {}, "line 1: 'q' is assigned and never used"),
        ("w = w - gradient", {"v": 0}, "state 'v' is never set"),
        ("v = gradient\nw = w - v", {"v": 0}, "state 'v' is set before it is read"),
        ("w - gradient", {}, "line 1: 'w - gradient': expected 'name = formula'"),
        ("w == gradient", {}, "expected 'name = formula'"),
        ("w, v = gradient", {}, "expected 'name = formula'"),
        ("step = 3\nw = w", {}, "line 1: 'step' is given and cannot be assigned"),
        ("mu = 3\nw = w", {}, "line 1: 'mu' is a parameter and cannot be assigned"),
        ("w = w - gradent", {}, "line 1: .*'gradent'"),
        ("w = w - sum(gradient)", {}, "line 1: sum"),
        ("w = w - gradient**gradient", {}, "line 1: .*an exponent"),
        ("w = w - __import__('os')", {}, "line 1: "),
        ("w = w - learning_rate*w", {}, "no line reads 'gradient'"),
        ("v = gradient; w = w - v", {}, "line 1: .*one assignment to a line"),
        ("\n".join(f"x{n} = gradient" for n in range(50)), {}, "50 assignments; the limit is 40"),
    ],
)
def test_a_wrong_rule_is_one_line(text, states, message):
    with pytest.raises(ExpressionError, match=message) as caught:
        UpdateRule("mine", text, states=states, parameters={"mu": 0.5}).read()
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("optimizer 'mine'")


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        (
            "m = beta*m + gradient\nw = w - m",
            "line 1: unknown name 'beta'; declare it in parameters or states, or assign it above",
            "beta*m + gradient",
            0,
        ),
        (
            "m = gradient + m\nw = w - 1e5*gradent*m",
            "line 2: unknown name 'gradent'; did you mean 'gradient'? Or declare it in parameters or states",
            "w - 1e5*gradent*m",
            8,
        ),
        (
            "m = m + q\nq = gradient\nw = w - m*q",
            "line 1: 'q' is used before it is set; assign it above, or declare it in states",
            "m + q",
            4,
        ),
    ],
)
def test_a_name_without_a_meaning_is_shown(text, reason, line, column):
    with pytest.raises(ExpressionError) as caught:
        UpdateRule("mine", text, states={"m": 0}).read()
    assert str(caught.value).startswith(f"optimizer 'mine', {reason}")
    assert caught.value.excerpt == (line, " " * column + "^")


def test_the_command_line_shows_it_too(tmp_path, capsys):
    (tmp_path / "own.toml").write_text(
        '[network]\nname = "p"\ninputs = 1\ncost = "squared_error"\nlayers = [{units = 1}]\n'
        '[optimizers]\nmine = "v = q*gradient\\nq = v\\nw = w - q"\n[train]\noptimizer = {name = "mine"}\n'
    )
    assert main(["derive", str(tmp_path / "own.toml")]) == 2
    *_, message, line, caret = capsys.readouterr().err.splitlines()
    assert "'q' is used before it is set" in message
    assert line.strip() == "q*gradient"
    assert caret.index("^") == line.index("q")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"states": {"w": 0}}, "state 'w': the name has a meaning"),
        ({"states": {"v": "x"}}, "state 'v': initial value 'x'"),
        ({"states": {"v": math.nan}}, "initial value nan"),
        ({"states": ["v"]}, "states .*: expected names"),
        ({"parameters": {"mu": "x"}}, "mu"),
        ({"parameters": {"step": 1}}, "step"),
        ({"parameters": (Parameter("mu", 0.5), Parameter("mu", 0.6))}, "two .*the same name"),
        ({"learning_rate": -1}, "learning_rate = -1: expected a positive number"),
        ({"name": "my rule"}, "expected letters"),
    ],
)
def test_a_wrong_declaration_is_one_line(options, message):
    given = {"name": "mine", "assignments": "w = w - learning_rate*gradient", **options}
    with pytest.raises(SpecError, match=message):
        UpdateRule(**given)


def test_a_name_means_one_rule():
    other = UpdateRule("adam", "w = w - learning_rate*gradient")
    with pytest.raises(SpecError, match="'adam' is not the built-in of that name"):
        symbp.TrainOptions(other)
    assert symbp.TrainOptions(OPTIMIZERS["adam"].with_values(beta1=0.5)).optimizer.constants["beta1"] == 0.5
    with pytest.raises(SpecError, match="learning_rate is given twice"):
        symbp.TrainOptions({"name": "adam", "learning_rate": 0.1}, learning_rate=0.2)


def test_pages_state_rule_schedule_and_values():
    text = symbp.derive(NET, {"name": "adam", "beta1": 0.85}, schedule="cosine", clip_norm=3.0).text()
    assert "m_{ij}^k <- beta_1 m_{ij}^k + (1 - beta_1) g_bar_{ij}^k" in text
    assert "beta_1 = 0.85" in text
    assert "chi = {kappa/Gamma if kappa < Gamma; 1 otherwise}" in text
    assert "eta_0" in text[text.index("(2.2s)") :]


def test_web_pages_print_every_name():
    rule = UpdateRule(
        "named",
        """
        slow_mean = rho2*slow_mean + gradient
        x1_hat = slow_mean
        w = w - learning_rate*x1_hat*warm_up_speed
        """,
        states={"slow_mean": 0},
        parameters={"rho2": 0.5, "warm_up_speed": 1.0},
    )
    page = symbp.derive(NET, rule, schedule="warmup_cosine", clip_norm=1.0, l1=0.1).html()
    assert "<mi>ρ</mi><mn>2</mn>" in page or re.search(r"<mi>ρ</mi><m[in][^>]*>2<", page)
    assert "upspeed" in page


def test_glyphs_of_rules():
    writer = LatexWriter(get("smatrix"), NET.sizes)
    derivation = symbp.derive(NET, "adam")
    printed = [writer.equation(derivation[f"2.2.{n}"].statement) for n in (3, 5)]
    assert printed[0] == r"\hat{\mathsf{m}}_{ij}^k = \frac{\mathsf{m}_{ij}^k}{1 - \beta_1^{\tau}}"
    assert r"\sqrt{\hat{\mathsf{v}}_{ij}^k}" in printed[1]


@pytest.mark.parametrize(
    ("text", "states", "told"),
    [
        ("w = w - learning_rate*log(gradient)", {}, "'w' has no finite value at gradient = 0, w = -0.8 "),
        ("w = w - learning_rate*sqrt(gradient)", {}, "'w' is not real at gradient = -0.7, w = -0.8548 "),
        (
            "v = 0.9*v + 0.1*gradient**2\nw = w - learning_rate*gradient/sqrt(v)",
            {"v": 0},
            "'w' has no finite value at gradient = 0, w = -0.8, v = 0 (update 1); add a small number",
        ),
        ("c = gradient*sqrt(w)\nw = w - learning_rate*c", {}, "'c' is not real at gradient = 0, w = -0.8 "),
    ],
)
def test_a_rule_that_gives_no_number_is_told_with_the_place(text, states, told):
    with pytest.warns(symbp.SymbpWarning) as found:
        symbp.TrainOptions(optimizer=symbp.UpdateRule("own", text, states=states))
    assert str(found[0].message).startswith(f"optimizer 'own': {told}")


@pytest.mark.parametrize("rule", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_rule_that_gives_numbers_is_not_told_of(rule):
    again = dataclasses.replace(rule, name="own")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbp.TrainOptions(optimizer=again)


def test_a_comment_in_a_rule_is_no_unknown_name():
    with pytest.raises(symbp.SymbpError, match="column 28: the character #: "):
        symbp.UpdateRule("own", "w = w - learning_rate*gradient # plain").read()


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        (
            "rate*(1 - step/100)",
            "learning rate is -0.233 with rate 0.1 in update 334 of 1000, epoch 34; bound it",
        ),
        (
            "rate/(step - 2)",
            "learning rate is -0.05 with rate 0.1 in update 1 of 1, epoch 1; bound it with max(...)",
        ),
        ("rate*log(step)", "learning rate is no number with rate 0.1 in update 1 of 1, epoch 1; bound it"),
        (
            "rate*sqrt(step - 1)",
            "learning rate is no number with rate 0.1 in update 1 of 1, epoch 1; bound it",
        ),
        ("1/(1 + step)", "does not read 'rate': the learning rate that is given has no effect"),
    ],
)
@pytest.mark.filterwarnings("ignore::symbp.SymbpWarning")
def test_a_schedule_that_goes_wrong_is_told_with_the_update(formula, told):
    with pytest.warns(symbp.SymbpWarning, match="^" + re.escape(f"schedule 'own': {told}")):
        symbp.TrainOptions(schedule=symbp.Schedule("own", formula))


@pytest.mark.parametrize("formula", ["-rate", "rate*0", "rate*floor(-step)"])
@pytest.mark.filterwarnings("ignore::symbp.SymbpWarning")
def test_a_schedule_under_which_nothing_is_learned_is_refused(formula):
    with pytest.raises(ExpressionError, match=r"^schedule 'own': its learning rate is never above 0"):
        symbp.TrainOptions(schedule=symbp.Schedule("own", formula))


@pytest.mark.parametrize("formula", ["rate/(1 + step)", "rate*floor(step/2)", "rate*(1 - step/steps)**2"])
def test_a_schedule_that_is_right_is_not_told_of(formula):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbp.TrainOptions(schedule=symbp.Schedule("own", formula))


@pytest.mark.filterwarnings("ignore::symbp.SymbpWarning")
def test_a_schedule_with_a_pole_is_one_line(tmp_path):
    schedule = symbp.Schedule("own", "rate/abs(step - 2)")
    with pytest.raises(DerivationError, match="divides by 0 at the point where it is checked"):
        symbp.generate(NET, tmp_path / "t.py", schedule=schedule)

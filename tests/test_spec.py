"""TOML in and out: every value arrives, every mistake is named with its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from symbp.errors import SpecError
from symbp.functions import Activation, Cost, Parameter, Penalty, Schedule, UpdateRule
from symbp.network import Dense, Network
from symbp.spec import Spec, TrainOptions

FULL = """
[network]
name = "digits"
inputs = 64
cost = "mine"
layers = [ {units = 32, activation = "bent"}, {units = 10, activation = "squash", bias = false} ]

[functions]
bent = "(sqrt(z**2 + 1) - 1)/2 + z"
squash = {formula = "1/(1 + exp(-z))", output = "unit_interval", initialisation = "he", source = "me"}
mine = "(h - y)**4"

[train]
optimizer = {name = "sgd", learning_rate = 1e-3}
batch_size = 16
epochs = 30
dtype = "float32"
seed = 7
shuffle = false
"""

SMALL = '[network]\ninputs = 2\ncost = "squared_error"\nlayers = [{units = 3}]\n'


def test_every_value_arrives() -> None:
    spec = Spec.from_text(FULL)
    squash = Activation("squash", "1/(1 + exp(-z))", "unit_interval", "he", "me")
    assert spec.network == Network(
        64,
        [Dense(32, Activation("bent", "(sqrt(z**2 + 1) - 1)/2 + z")), Dense(10, squash, bias=False)],
        Cost("mine", "(h - y)**4"),
        "digits",
    )
    assert spec.train == TrainOptions("sgd", 1e-3, 16, 30, "float32", 7, False)


def test_defaults() -> None:
    spec = Spec.from_text(SMALL)
    assert spec.network == Network(2, [Dense(3, "identity", True)], "squared_error", "network")
    assert spec.train == TrainOptions()
    assert dataclasses.astuple(spec.train)[1:7] == (0.1, 32, 20, "float64", 0, True)
    assert (spec.train.schedule.name, spec.train.clip_norm, spec.train.regularisation) == (
        "constant",
        None,
        None,
    )
    assert spec.train.elementary == "fast"


def test_an_optimizer_may_be_a_name_only() -> None:
    assert Spec.from_text(SMALL + '[train]\noptimizer = "sgd"').train == TrainOptions()
    half = Spec.from_text(SMALL + '[train]\noptimizer = {name = "sgd", learning_rate = 1}').train
    assert half.learning_rate == 1.0
    assert type(half.learning_rate) is float


@pytest.mark.parametrize("text", [FULL, SMALL])
def test_round_trip(text: str) -> None:
    spec = Spec.from_text(text)
    written = spec.to_toml()
    assert Spec.from_text(written) == spec
    assert Spec.from_text(written).to_toml() == written


def test_a_long_network_round_trips() -> None:
    spec = Spec(Network(3, [Dense(5, "relu", bias=k % 2 == 0) for k in range(60)], "squared_error"))
    assert Spec.from_text(spec.to_toml()) == spec


def test_own_rules_round_trip() -> None:
    rule = UpdateRule(
        "leaky",
        "v = mu*v + gradient\nw = w - learning_rate*v/step",
        states={"v": 0.5},
        parameters=(Parameter("mu", 0.5, "decay"),),
        source="mine",
    )
    schedule = Schedule("root", "rate/(1 + decay*step)", (Parameter("decay", 0.1),))
    penalty = Penalty("log", "s*log(1 + w**2)", (Parameter("s", 1.0),))
    how = TrainOptions(
        rule.with_values(mu=0.75), schedule=schedule, clip_norm=2, penalty=penalty.with_values(s=1e-3)
    )
    spec = Spec(Spec.from_text(SMALL).network, how)
    assert Spec.from_text(spec.to_toml()) == spec


def test_network_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "digits.toml"
    path.write_text(FULL)
    assert Network.from_toml(path) == Spec.from_text(FULL).network
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())  # as some editors write it
    assert Network.from_toml(str(path)) == Spec.from_text(FULL).network


# (text to replace, its replacement, what the message must say after the file's name)
MISTAKES = [
    ("units = 32", "units = 0", "[network]: layer 1: units = 0: expected a whole number of at least 1"),
    ("units = 32", "units = -3", "layer 1: units = -3: expected a whole number"),
    ("units = 32", "units = 2.5", "layer 1: units = 2.5: expected a whole number"),
    ("units = 32", 'units = "ten"', "layer 1: units = 'ten': expected a whole number"),
    ("units = 32", "units = true", "layer 1: units = True: expected a whole number"),
    ("units = 10", "unit = 10", "layer 2: unknown key 'unit'; did you mean 'units'?"),
    ("units = 32, ", "", "layer 1: no key 'units'"),
    ('"bent"}', '"bnt"}', "layer 1: unknown activation 'bnt'; did you mean 'bent'?"),
    ('"bent"}', '"softmx"}', "layer 1: unknown activation 'softmx'; did you mean 'softmax'?"),
    ('"bent"}', "3}", "layer 1: activation = 3: expected a name"),
    ('"mine"', '"cross_entrpy"', "unknown cost 'cross_entrpy'; did you mean 'cross_entropy'?"),
    ('"mine"', '"bent"', "unknown cost 'bent'"),
    ("bias = false", "bias = 0", "layer 2: bias = 0: expected true or false"),
    ("bias = false", "bais = false", "layer 2: unknown key 'bais'; did you mean 'bias'?"),
    ("{units = 32", "7, {units = 32", "layer 1: 7: expected a table"),
    ("layers = [", "layers = 3 # [", "layers = 3: expected a list"),
    ("inputs = 64", "input = 64", "[network]: unknown key 'input'; did you mean 'inputs'?"),
    ("inputs = 64", "", "[network]: no key 'inputs'"),
    ('"digits"', '"my digits"', "name = 'my digits': expected letters"),
    ("[network]", "[netwrk]", "unknown table 'netwrk'; did you mean 'network'?"),
    ("[train]", "[tain]", "unknown table 'tain'; did you mean 'train'?"),
    ("batch_size", "batch_sise", "[train]: unknown key 'batch_sise'; did you mean 'batch_size'?"),
    ("batch_size = 16", "batch_size = 0", "[train]: batch_size = 0: expected a whole number of at least 1"),
    ("epochs = 30", "epochs = 1.5", "[train]: epochs = 1.5: expected a whole number"),
    ("seed = 7", "seed = -1", "[train]: seed = -1: expected a whole number of at least 0"),
    ("seed = 7", "momentum = 0.9", "[train]: unknown key 'momentum'; known: optimizer, learning_rate"),
    ("seed = 7", "l2 = -1", "[train]: l2 = -1: expected a number of at least 0"),
    ("seed = 7", "clip_norm = 0", "[train]: clip_norm = 0: expected a positive number"),
    ("seed = 7", 'schedule = "cosin"', "[train]: unknown schedule 'cosin'; did you mean 'cosine'?"),
    ("seed = 7", 'penalty = "elastic"', "[train]: unknown penalty 'elastic'; did you mean 'elastic_net'?"),
    (
        "seed = 7",
        'schedule = {name = "step", factor = 2}',
        "schedule 'step': factor = 2: expected a number between",
    ),
    ("seed = 7", 'l2 = 1\npenalty = "l1"', "[train]: penalty 'l1' beside l1 or l2: give one or the other"),
    ('name = "sgd"', 'name = "adam", beta1 = 2', "[train]: optimizer 'adam': beta1 = 2: expected a number"),
    ('name = "sgd"', 'name = "adam", beta3 = 2', "optimizer 'adam': unknown parameter 'beta3'; did you mean"),
    ("[train]", "[penalties]\nl2 = 'w'\n[train]", "[penalties] l2: a built-in one has this name"),
    ("[train]", "[penalties]\nflat = '3'\n[train]", "[penalties] flat: penalty 'flat': formula '3' does not"),
    ("[train]", "[schedules]\nup = 'rate*stp'\n[train]", "[schedules] up: schedule 'up': formula 'rate*stp'"),
    (
        "[train]",
        "[optimizers]\nv = 'w = v'\n[train]",
        "optimizer 'v', line 1: unknown name 'v'; declare it",
    ),
    ("seed = 7", "weighted = true", "[train]: weighted belongs to [network]"),
    (
        "[train]",
        "[optimizers.v]\nrule = 'w = w'\n[train]",
        "[optimizers] v: unknown key 'rule'; known: assig",
    ),
    ("[train]", "[optimizers]\nv = {states = {}}\n[train]", "expected assignments = the text of it"),
    (
        "[train]",
        "[optimizers]\nv = {assignments = ['w = w']}\n[train]",
        "[optimizers] v: assignments = ['w = w']: expected one text, one line for each",
    ),
    ("[train]", "[schedules]\nup = {formula = 3}\n[train]", "[schedules] up: formula = 3: expected one text"),
    ("seed = 7", "learning_rate = 1", "[train]: learning_rate belongs to the optimizer: {name = 'sgd'"),
    ("shuffle = false", "shuffle = 0", "[train]: shuffle = 0: expected true or false"),
    ('"float32"', '"float16"', "[train]: dtype = 'float16': expected one of float64, float32"),
    ('"sgd"', '"adma"', "[train]: unknown optimizer 'adma'; did you mean 'adam'?"),
    ('name = "sgd", ', "", "[train]: optimizer: no key 'name'"),
    (
        "learning_rate = 1e-3",
        "rate = 1e-3",
        "optimizer 'sgd': unknown parameter 'rate'; known: learning_rate",
    ),
    ("1e-3", "0", "learning_rate = 0: expected a positive number"),
    ("1e-3", "nan", "learning_rate = nan: expected a positive number"),
    ("1e-3", "inf", "learning_rate = inf: expected a positive number"),
    ("1e-3", "true", "learning_rate = True: expected a positive number"),
    ("1e-3", "1" + "0" * 400, "learning_rate = 1"),
    ("z**2", "q**2", "[functions] bent: formula '(sqrt(q**2 + 1) - 1)/2 + z', column 7: unknown name 'q'"),
    ('"(h - y)**4"', '"4"', "[functions] mine: formula '4': expected z (an activation) or h and y (a cost)"),
    ('"(h - y)**4"', "4", "[functions] mine: 4: expected the text of a formula"),
    ("bent =", "tanh =", "[functions] tanh: a built-in function has this name"),
    ('initialisation = "he"', 'initialization = "he"', "[functions] squash: unknown key 'initialization'"),
    ("[train]", "[train", "line 13, column 7: "),
    ('"digits"', '"digits', "line 3, column 15: "),
    ("[functions]", "[network]", "line 8, column 9: "),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[m[2][:50] for m in MISTAKES])
def test_mistakes_are_named(old: str, new: str, message: str) -> None:
    assert old in FULL
    with pytest.raises(SpecError) as caught:
        Spec.from_text(FULL.replace(old, new, 1), "digits.toml")
    text = str(caught.value)
    assert text.startswith("digits.toml: ")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no [network]"),
        ("network = 3", "network = 3: expected a table [network]"),
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("x = " + "9" * 10_000, "not a spec"),
        (SMALL.replace("[{", "[" + "{units = 1}," * 10_000 + "{"), "10,001 of them; the limit is 200"),
    ],
    ids=["empty", "no table", "deep", "long number", "10,001 layers"],
)
def test_strange_files_end_quickly(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.from_text(text, "odd.toml")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_types_may_be_numpys() -> None:
    assert (
        TrainOptions(dtype=np.float32)
        == TrainOptions(dtype=np.dtype("float32"))
        == TrainOptions(dtype="float32")
    )
    with pytest.raises(SpecError, match=r"dtype = 'float16': expected one of float64, float32"):
        TrainOptions(dtype=np.float16)


def test_a_spec_has_a_network_and_options() -> None:
    with pytest.raises(SpecError, match=r"network = 3: expected a symbp\.Network"):
        Spec(3)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"train = 'adam': expected a symbp\.TrainOptions"):
        Spec(Network(1, [Dense(1)], "squared_error"), "adam")  # type: ignore[arg-type]


def test_machines_are_said_in_words() -> None:
    with pytest.raises(SpecError, match=r"target = 'avx2': expected host .*x86-64-v3 \(x86-64 with AVX2\)"):
        TrainOptions(target="avx2")


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"absent\.toml: no such file"):
        Spec.from_toml(tmp_path / "absent.toml")
    with pytest.raises(SpecError, match=r"^two lines\.toml: no such file$"):
        Spec.from_toml("two\nlines.toml")
    with pytest.raises(SpecError, match="cannot be read: Is a directory"):
        Spec.from_toml(tmp_path)
    with pytest.raises(SpecError, match="cannot be read"):
        Spec.from_toml("a\0b")
    latin = tmp_path / "latin.toml"
    latin.write_bytes("# Grüße\n".encode("latin-1"))
    with pytest.raises(SpecError, match="byte 4: not UTF-8 text"):
        Spec.from_toml(latin)
    large = tmp_path / "large.toml"
    large.write_text("#" * 4_000_001)
    with pytest.raises(SpecError, match="the limit for a spec is 4,000,000"):
        Spec.from_toml(large)

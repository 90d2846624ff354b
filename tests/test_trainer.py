"""The Trainer: defaults, errors, progress; and loading, with everything that can be wrong with a file."""

import io
import re
import sys
import time
import warnings

import numpy as np
import pytest

import symbp
import symbp.run.load as loading
from symbp.errors import DataError, SymbpError, TrainerError, TrainingError
from symbp.network import Dense, Network
from symbp.render.writer import trainer_source
from symbp.run.interface import TrainerModule
from symbp.run.load import load, module_name
from symbp.run.progress import LINES, lines, notice
from symbp.spec import Spec
from tests.fake_trainer import fake_trainer

NET = Network(3, [Dense(4, "tanh"), Dense(2, "softmax")], "cross_entropy", name="small")
X, Y = np.random.default_rng(0).normal(size=(9, 3)), np.eye(2)[np.arange(9) % 2]


def test_attributes():
    trainer = fake_trainer(NET, "float32")
    assert trainer.network == NET
    assert trainer.n_params == NET.n_params == 26
    assert trainer.dtype == np.float32
    assert trainer.spec.train.epochs == 7
    assert repr(trainer) == "<Trainer small 3-4-2, 26 weights, float32, fake.py>"
    assert isinstance(trainer.module, TrainerModule)


def test_defaults_come_from_the_declaration():
    trainer = fake_trainer(NET)
    assert np.array_equal(trainer.init_params(), trainer.init_params(3))
    assert not np.array_equal(trainer.init_params(), trainer.init_params(0))
    w, history = trainer.fit(trainer.init_params(), X, Y)
    assert len(history) == 7
    assert w.shape == (26,)
    assert len(trainer.fit(w, X, Y, epochs=0)[1]) == 0


def test_all_options_reach_the_module():
    seen = {}

    def fit(w, X, Y, **options):
        seen.update(options)
        return w, []

    trainer = fake_trainer(NET, fit=fit)
    options = {"epochs": 1, "batch_size": 2, "learning_rate": 0.5, "shuffle": False, "seed": 9}
    trainer.fit(trainer.init_params(), X, Y, **options, progress=False)
    assert seen == {**options, "callback": None}


def test_errors_join_the_family():
    trainer = fake_trainer(NET)
    w = trainer.init_params()
    with pytest.raises(DataError, match="X has 2 columns; the network has 3 inputs"):
        trainer.fit(w, X[:, :2], Y)
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1: .*learning rate 0\.3"):
        trainer.fit(w * np.nan, X, Y, learning_rate=0.3)
    with pytest.raises(DataError):
        trainer.predict(w, X[:, :2])
    with pytest.raises(DataError):
        trainer.value_and_gradient(w, X[:, :2], Y)
    with pytest.raises(DataError):
        trainer.jacobian(w, X[:, :2])


def test_callback_and_progress(capsys):
    trainer = fake_trainer(NET)
    calls = []
    _, history = trainer.fit(
        trainer.init_params(), X, Y, epochs=3, callback=lambda *call: calls.append(call), progress=True
    )
    assert calls == [(1, 3, history[0]), (2, 3, history[1]), (3, 3, history[2])]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[-1] == f"small: epoch 3/3, cost {history[2]:.6g}"


def test_nothing_is_shown_where_stderr_is_no_terminal(capsys):
    trainer = fake_trainer(NET)
    trainer.fit(trainer.init_params(), X, Y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("epochs", [1, 7, 10, 11, 99, 1000])
def test_few_plain_lines(epochs, capsys):
    show = lines("net")
    for epoch in range(1, epochs + 1):
        show(epoch, epochs, 1 / epoch)
    shown = capsys.readouterr().err.splitlines()
    assert 1 <= len(shown) <= LINES
    assert shown[-1].startswith(f"net: epoch {epochs}/{epochs}, cost ")


def test_long_work_is_announced_once(capsys):
    with notice("working ...", after=0.01):
        time.sleep(0.2)
    assert capsys.readouterr().err == "working ...\n"
    with notice("working ...", after=60):
        pass
    with pytest.raises(ValueError, match="a fault"), notice("working ...", after=60):
        raise ValueError("a fault")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("progress", [None, True])
def test_a_bar_on_a_terminal(monkeypatch, progress):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    trainer = fake_trainer(NET)
    _, history = trainer.fit(trainer.init_params(), X, Y, epochs=30, progress=progress)
    shown = terminal.getvalue()
    assert "30/30" in shown
    assert f"cost {history[-1]:.6g}" in shown
    # An exception leaves the terminal in order, too.
    with pytest.raises(DataError):
        trainer.fit(trainer.init_params(), X[:, :2], Y, progress=True)


# Loading -----------------------------------------------------------------------------


SMALL_MODULE = """
import numpy as np
from symbp.spec import Spec
from symbp.network import Dense, Network
NAME, SIZES, BIASES, N_PARAMS, DTYPE = "tiny", (1, 1), (True,), 2, np.dtype("float64")
BATCH_SIZE, LEARNING_RATE, EPOCHS = 1, 0.1, 1
SPEC = Spec(Network(1, [Dense(1)], "squared_error", "tiny")).to_toml()
def predict(w, X): return X * w[0] + w[1]
init_params = unpack = value_and_gradient = jacobian = fit = predict
input_gradient = input_jacobian = prepare = predict_one = predict
RUNS = []
def self_test(*functions):
    RUNS.append(functions)
    assert N_PARAMS == 2, "N_PARAMS differs\\nsecond line"
"""


@pytest.fixture
def unsealed(monkeypatch):
    """Load files that carry no seal."""
    monkeypatch.setattr(loading, "check_seal", lambda text, where: None)


def write(folder, text, name="tiny.py"):
    path = folder / name
    path.write_text(text)
    return path


def test_loading_repeats_no_warning(tmp_path):
    """What is to be said of an own function is said where it is declared."""
    with pytest.warns(symbp.SymbpWarning, match="is not real for z <= 0"):
        layer = Dense(1, symbp.Activation("own", "log(z)"))
    network = Network(1, [layer], "half_squared_error")
    source = trainer_source(symbp.derive(network), Spec(network))
    (tmp_path / "own.py").write_text(source)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbp.load(tmp_path / "own.py", self_test=False)


@pytest.mark.usefixtures("unsealed")
def test_load(tmp_path):
    path = write(tmp_path, SMALL_MODULE)
    trainer = load(path)
    assert trainer.path == path
    assert trainer.source == SMALL_MODULE
    assert trainer.n_params == 2
    assert trainer.predict([2.0, 1.0], np.array([[3.0]])) == 7
    name = module_name(path, SMALL_MODULE)
    assert sys.modules[name] is trainer.module
    assert trainer.module.__name__ == name
    assert name.startswith("symbp_trainer_tiny_")
    assert trainer.module.__file__ == str(path)


@pytest.mark.usefixtures("unsealed")
def test_a_file_is_one_module_and_is_tested_once(tmp_path, monkeypatch):
    path = write(tmp_path, SMALL_MODULE)
    first = load(path)
    monkeypatch.chdir(tmp_path)
    assert load("tiny.py").module is first.module
    assert first.module.RUNS == [("predict", "value_and_gradient")]
    # Another text at the same path is another module; so is the same text at another path.
    write(tmp_path, SMALL_MODULE + "\nEXTRA = 1\n")
    assert load(path).module.EXTRA == 1
    assert not hasattr(first.module, "EXTRA")
    copied = load(write(tmp_path, SMALL_MODULE, "copy.py"))
    assert copied.module is not first.module
    (tmp_path / "deep").mkdir()
    assert load(write(tmp_path / "deep", SMALL_MODULE)).module.__file__ == str(tmp_path / "deep" / "tiny.py")


@pytest.mark.usefixtures("unsealed")
def test_what_was_checked_is_what_runs(tmp_path):
    """An edit of equal size within the resolution of mtime would be missed by a .pyc."""
    path = write(tmp_path, SMALL_MODULE + "VERSION = 1\n")
    assert load(path).module.VERSION == 1
    path.write_text(SMALL_MODULE + "VERSION = 2\n")
    assert load(path).module.VERSION == 2


@pytest.mark.usefixtures("unsealed")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a trainer generated by symbp"),
        ("x = 1", "not a trainer generated by symbp"),
        ("1 +", "cannot be executed: SyntaxError: invalid syntax"),
        ("import no_such_module", "cannot be executed: ModuleNotFoundError: No module named"),
        ("raise ValueError('two\\nlines')", "cannot be executed: ValueError: two"),
        (
            SMALL_MODULE.replace("N_PARAMS, D", "N_PARAMS, D").replace(" 2, np", " 3, np"),
            "failed its self-test: N_PARAMS differs",
        ),
    ],
)
def test_files_that_do_not_run(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(TrainerError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)
    with pytest.raises(TrainerError, match=re.escape(message)):
        load(path)  # and it does not pass the second time


@pytest.mark.usefixtures("unsealed")
@pytest.mark.parametrize(
    ("text", "error"), [("raise KeyboardInterrupt", KeyboardInterrupt), ("1/0", TrainerError)]
)
def test_a_module_that_fails_does_not_stay(tmp_path, text, error):
    path = write(tmp_path, text)
    with pytest.raises(error):
        load(path)
    assert module_name(path, text) not in sys.modules


@pytest.mark.usefixtures("unsealed")
def test_the_self_test_can_be_left_out_and_made_later(tmp_path):
    path = write(tmp_path, SMALL_MODULE.replace(" 2, np", " 3, np"))
    assert load(path, self_test=False).n_params == 3
    with pytest.raises(TrainerError, match="self-test"):
        load(path)


@pytest.mark.usefixtures("unsealed")
@pytest.mark.parametrize("name", ["jacobian", "input_jacobian", "input_gradient"])
def test_other_functions_are_tested_when_they_are_first_used(tmp_path, name):
    trainer = load(
        write(
            tmp_path,
            SMALL_MODULE.replace(
                "RUNS.append", f"assert {name!r} not in functions or 0, 'it differs'; RUNS.append"
            ),
        )
    )
    arguments = [np.ones(2), np.ones((1, 1)), np.ones((1, 1))]
    with pytest.raises(TrainerError, match="failed its self-test: it differs"):
        getattr(trainer, name)(*arguments[: 3 if name == "input_gradient" else 2])
    trainer.predict(*arguments[:2])
    assert trainer.module.RUNS == [("predict", "value_and_gradient")]


@pytest.mark.usefixtures("unsealed")
def test_functions_are_tested_once(tmp_path):
    trainer = load(write(tmp_path, SMALL_MODULE))
    for _ in range(3):
        trainer.jacobian(np.ones(2), np.ones((1, 1)))
    assert trainer.module.RUNS == [("predict", "value_and_gradient"), ("jacobian",)]
    loose = load(write(tmp_path, SMALL_MODULE + "\n"), self_test=False)
    loose.jacobian(np.ones(2), np.ones((1, 1)))
    assert loose.module.RUNS == []


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TrainerError, match="no such file"):
        load(tmp_path / "missing.py")
    with pytest.raises(TrainerError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "binary.py").write_bytes(b"\xff\x00\xfe")
    with pytest.raises(TrainerError, match="not a trainer"):
        load(tmp_path / "binary.py")
    assert issubclass(TrainerError, SymbpError)


@pytest.mark.usefixtures("unsealed")
def test_the_name_must_end_in_py(tmp_path):
    with pytest.raises(TrainerError, match=r"ends in \.py"):
        load(write(tmp_path, SMALL_MODULE, "tiny.txt"))


def test_module_names_are_identifiers(tmp_path):
    for stem in ("iris", "my net-2", "größe", "9"):
        assert module_name(tmp_path / f"{stem}.py", "text").isidentifier()

"""A trainer as a program of its own: fit, predict, self-test, and what is said of wrong files."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from symbp.network import Dense, Network
from tests.plain_python import interpreted


@pytest.fixture(scope="module")
def trainer() -> types.ModuleType:
    return interpreted(Network(2, [Dense(3, "tanh"), Dense(1)], "half_squared_error", name="small"))


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(7, 2))
    np.savez("data.npz", X=X, Y=X.sum(axis=1))


def run(module: types.ModuleType, monkeypatch: pytest.MonkeyPatch, line: str) -> int:
    monkeypatch.setattr("sys.argv", ["trainer.py", *line.split()])
    try:
        module.main()
    except SystemExit as end:
        return int(str(end.code))
    return 0


def test_fit_then_predict(
    trainer: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(trainer, monkeypatch, "fit data.npz weights --epochs 3 --batch-size 4 --seed 5") == 0
    assert capsys.readouterr().out.count("\n") == 3
    assert run(trainer, monkeypatch, "predict weights.npz data.npz outputs.npz") == 0
    with np.load("data.npz") as data, np.load("weights.npz") as kept, np.load("outputs.npz") as outputs:
        w, _ = trainer.fit(trainer.init_params(5), data["X"], data["Y"], epochs=3, batch_size=4, seed=5)
        np.testing.assert_array_equal(kept["w"], w)
        np.testing.assert_array_equal(outputs["H"], trainer.predict(w, data["X"]))
    assert sorted(path.name for path in Path().iterdir()) == ["data.npz", "outputs.npz", "weights.npz"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fit data.npz data.npz", "data.npz: is read from, too; name another file to write"),
        ("fit data.npz data", "data.npz: is read from, too; name another file to write"),
        ("predict data.npz data.npz new.npz", "data.npz: no array w; found X, Y"),
        ("fit none.npz new.npz", "No such file or directory: 'none.npz'"),
        ("fit data.npz none/new.npz --epochs 1", "none/new.npz"),
        ("fit data.npz new.npz --learning-rate 1e200 --epochs 9", "learning rate 1e+200"),
        ("fit data.npz new.npz --epochs -1", "epochs = -1"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_wrong_is_one_line_and_nothing_is_lost(
    trainer: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    told: str,
) -> None:
    before = Path("data.npz").read_bytes()
    assert run(trainer, monkeypatch, line) == 2
    error = capsys.readouterr().err
    assert error.startswith("small: error: ")
    assert told in error
    assert error.count("\n") == 1
    assert Path("data.npz").read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["data.npz"]

"""The command line from end to end: a spec and a data file become a derivation, a model and predictions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import symbp
from symbp.cli import main
from symbp.run.cache import trainer_path
from symbp.run.report import Report
from symbp.spec import Spec

SPEC = """
[network]
name = "spiral"
inputs = 2
cost = "cross_entropy"
layers = [{units = 5, activation = "tanh"}, {units = 2, activation = "softmax"}]
[train]
optimizer = {name = "sgd", learning_rate = 0.5}
epochs = 200
batch_size = 8
target = "portable"
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests: a trainer takes seconds to compile."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """A spec, and data of two classes that a small network can tell apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (tmp_path / "spiral.toml").write_text(SPEC)
    X = np.random.default_rng(0).normal(size=(120, 2))
    names = np.where((X**2).sum(axis=1) < 1, "inside", "outside")
    rows = [f"{a!r},{name},{b!r}\n" for (a, b), name in zip(X.tolist(), names, strict=True)]
    (tmp_path / "spiral.csv").write_text("a,where,b\n" + "".join(rows))
    return tmp_path


@pytest.fixture
def trainer_text() -> str:
    """The trainer of the spec, not compiled."""
    from symbp.render.writer import trainer_source

    spec = symbp.Spec.from_text(SPEC)
    return trainer_source(symbp.derive(spec.network, **spec.train.stated), spec)


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_train_then_predict(capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train", "spiral.toml", "--data", "spiral.csv", "--target", "where")
    out = output_of(capsys, *train, "--validation-fraction", "0.25")
    assert "training: cost" in out
    assert "on 90 rows" in out
    assert "on 30 rows" in out
    assert "wrote spiral_model.npz" in out

    out = output_of(capsys, "predict", "spiral_model.npz", "--data", "spiral.csv")
    rows = list(csv.DictReader(out.splitlines()))
    assert list(rows[0]) == ["where", "probability_inside", "probability_outside"]
    with Path("spiral.csv").open() as file:
        expected = [row["where"] for row in csv.DictReader(file)]
    right = np.mean([row["where"] == name for row, name in zip(rows, expected, strict=True)])
    assert right > 0.9
    for row in rows:
        inside, outside = float(row["probability_inside"]), float(row["probability_outside"])
        assert inside + outside == pytest.approx(1)
        assert row["where"] == ("inside" if inside > outside else "outside")

    out = output_of(capsys, "predict", "spiral_model.npz", "--data", "spiral.csv", "--output", "new.csv")
    assert "wrote new.csv: 120 rows" in out
    assert list(csv.DictReader(Path("new.csv").read_text().splitlines())) == rows


def test_the_same_seed_gives_the_same_model(capsys: pytest.CaptureFixture[str]) -> None:
    def weights(*options: str) -> np.ndarray:
        train = ("train", "spiral.toml", "--data", "spiral.csv", "--target", "where", "--epochs", "3")
        output_of(capsys, *train, *options)
        return np.load("spiral_model.npz")["weights"]

    first = weights("--seed", "1")
    assert first.tobytes() == weights("--seed", "1").tobytes()
    assert first.tobytes() != weights("--seed", "2").tobytes()


def test_dtype_option(capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train", "spiral.toml", "--data", "spiral.csv", "--target", "where", "--epochs", "3")
    output_of(capsys, *train, "--dtype", "float32")
    assert np.load("spiral_model.npz")["weights"].dtype == np.float32
    assert output_of(capsys, "predict", "spiral_model.npz", "--data", "spiral.csv").count("\n") == 121


def test_generate_then_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert "wrote spiral_trainer.py: 27 weights" in output_of(capsys, "generate", "spiral.toml")
    out = output_of(capsys, "verify", "spiral_trainer.py")
    assert "passed" in out
    # Its own output may be written again, with other options.
    out = output_of(capsys, "generate", "spiral.toml", "--dtype", "float32")
    assert "float32" in out
    assert "passed" in output_of(capsys, "verify", "spiral.toml")


def test_verify_takes_the_type_and_the_machine_of_the_spec(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer that train uses is verified: compiled once, and no other is written."""
    taken = []
    monkeypatch.setattr(symbp, "verify", lambda trainer: taken.append(trainer) or Report("nothing", ()))
    Path("spiral.toml").write_text(SPEC + 'dtype = "float32"\n')
    assert main(["verify", "spiral.toml"]) == 1
    (trainer,) = taken
    assert (trainer.dtype, trainer.spec.train.target) == (np.float32, "portable")
    spec = Spec.from_toml("spiral.toml")
    assert trainer.path == trainer_path(spec)
    assert not list(Path().glob("*.py"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("N_PARAMS = 27", "N_PARAMS = 26", "edited since symbp wrote it"),
        ("# written by: symbp ", "# written by: symbp 99.", "written by symbp 99."),
        ("# content: sha256 ", "# content: ", "not a trainer generated by symbp"),
    ],
    ids=["edited", "another version", "no seal"],
)
def test_a_changed_trainer_is_refused(
    capsys: pytest.CaptureFixture[str], trainer_text: str, old: str, new: str, message: str
) -> None:
    assert old in trainer_text
    Path("changed.py").write_text(trainer_text.replace(old, new, 1))
    assert main(["verify", "changed.py"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"symbp: error: changed.py: {message}")
    assert err.count("\n") == 1


def test_verify_has_status_1_when_a_method_disagrees(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from symbp.run.trainer import Trainer

    def wrong(self: Trainer, w: object, X: object) -> np.ndarray:
        return 1.001 * self.module.jacobian(w, X)

    monkeypatch.setattr(Trainer, "jacobian", wrong)
    assert main(["verify", "spiral.toml"]) == 1
    assert "FAILED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "form"),
    [("d.tex", "latex"), ("d.html", "html"), ("d.htm", "html"), ("d.md", "markdown"), ("d.txt", "text")],
)
def test_derive(capsys: pytest.CaptureFixture[str], name: str, form: str) -> None:
    assert output_of(capsys, "derive", "spiral.toml", "--output", name) == f"wrote {name}\n"
    content = Path(name).read_text()
    assert "2.17" in content
    assert ("\\documentclass" in content) == (form == "latex")
    assert content.startswith("<!DOCTYPE html>") == (form == "html")
    assert output_of(capsys, "derive", "spiral.toml", "--format", form) == content


@pytest.mark.parametrize("name", ["d.tex", "d.html", "d.md", "d.txt"])
def test_its_own_page_is_written_again(capsys: pytest.CaptureFixture[str], name: str) -> None:
    for _ in range(2):
        output_of(capsys, "derive", "spiral.toml", "--output", name)


def test_derive_in_a_notation_with_a_translation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "spiral.toml", "--notation", "ng", "--translate", "lfd"]) == 0
    printed = capsys.readouterr().out
    assert "theta_{ij}^{(l)} w_{ji}^{(l)} " in " ".join(printed.split())
    assert "What is L here is L + 1 in lfd." in printed
    assert main(["derive", "spiral.toml", "--translate", "nielson"]) == 2
    assert "unknown notation 'nielson'; did you mean 'nielsen'?" in capsys.readouterr().err


@pytest.mark.tex
def test_derive_pdf(capsys: pytest.CaptureFixture[str]) -> None:
    output_of(capsys, "derive", "spiral.toml", "--output", "d.pdf")
    assert Path("d.pdf").read_bytes().startswith(b"%PDF")


def test_prove_reports_checks_and_kills(capsys: pytest.CaptureFixture[str]) -> None:
    proofs = output_of(capsys, "derive", "spiral.toml", "--prove")
    assert "2.17   " in proofs
    assert " steps, " in proofs.splitlines()[-1]
    kills = output_of(capsys, "derive", "spiral.toml", "--prove", "--mutants")
    assert kills.startswith(proofs)
    equations = kills.partition("\nequation ")[2]
    for number in [f"1.{n}" for n in range(1, 9)] + [f"2.{n}" for n in range(1, 18)]:
        tried, seen = next(
            line.split()[-2:] for line in equations.splitlines() if line.split()[:1] == [number]
        )
        assert int(tried) > 0, number
        assert seen.isdigit()
    assert "faults seen" in kills
    assert "NOT SEEN" not in kills


def test_components(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, "derive", "spiral.toml", "--components")
    assert "(D.5[1], k=1) delta_1^1 = " in text
    assert "sum_{r" not in text


def test_mutants_need_prove(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "spiral.toml", "--mutants"]) == 2
    assert capsys.readouterr().err == "symbp: error: --mutants needs --prove\n"
    assert main(["derive", "spiral.toml", "--prove", "--format", "latex"]) == 2


def test_unknown_notation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "spiral.toml", "--notation", "smatrx"]) == 2
    assert "unknown notation 'smatrx'; did you mean 'smatrix'?" in capsys.readouterr().err


def test_exploding_training_names_epoch_and_learning_rate(capsys: pytest.CaptureFixture[str]) -> None:
    Path("spiral.toml").write_text(
        SPEC.replace("cross_entropy", "squared_error").replace('"softmax"', '"identity"')
    )
    Path("big.csv").write_text("a,b,p,q\n" + "1e3,2e3,3e3,4e3\n" * 8)
    train = ("train", "spiral.toml", "--data", "big.csv", "--target", "p,q", "--learning-rate", "1e6")
    assert main(train) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("symbp: error: ")
    assert "epoch" in err
    assert "learning rate" in err
    assert not Path("spiral_model.npz").exists()

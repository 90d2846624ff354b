"""Bad input through the real command line: one line that names place and remedy, status 2, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symbp.cli import main
from symbp.spec import Spec

SPEC = """
[network]
name = "iris"
inputs = 2
cost = "cross_entropy"
layers = [{units = 4, activation = "tanh"}, {units = 3, activation = "softmax"}]
[train]
epochs = 2
"""
DATA = "a,b,kind\n0.5,1,0\n1,0.5,1\n0.25,2,2\n"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a directory of its own with a right spec and right data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.toml").write_text(SPEC)
    (tmp_path / "iris.csv").write_text(DATA)
    return tmp_path


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command and return its one line of complaint."""
    before = sorted(Path().rglob("*"))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("symbp: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert sorted(Path().rglob("*")) == before  # nothing half done is left behind
    return err


COMMANDS = [("derive",), ("generate",), ("train", "--data", "iris.csv", "--target", "kind"), ("verify",)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("units = 4", "units = 0", "iris.toml: [network]: layer 1: units = 0: expected a whole number"),
        ("units = 4", "units = -3", "layer 1: units = -3: expected a whole number of at least 1"),
        ("units = 4", "units = 2.5", "layer 1: units = 2.5: expected a whole number of at least 1"),
        ("units = 4", 'units = "ten"', "layer 1: units = 'ten': expected a whole number of at least 1"),
        ('"tanh"', '"tahn"', "unknown activation 'tahn'; did you mean 'tanh'?"),
        ('"tanh"', '"softmax"', "layer 1: activation 'softmax' in a hidden layer"),
        ('"softmax"', '"tanh"', "cost 'cross_entropy' needs outputs that are positive and sum to 1"),
        ("cross_entropy", "cros_entropy", "unknown cost 'cros_entropy'; did you mean 'cross_entropy'?"),
        ("epochs", "epoch", "iris.toml: [train]: unknown key 'epoch'; did you mean 'epochs'?"),
        ("inputs = 2", "inputs = ", "iris.toml: line 4, column 10: "),
        ("[{units", "[" + "{units = 1}," * 9_998 + "{units", "10,000 of them; the limit is 200"),
    ],
)
def test_wrong_specs(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], old: str, new: str, message: str
) -> None:
    assert old in SPEC
    Path("iris.toml").write_text(SPEC.replace(old, new, 1))
    assert message in error_of(capsys, command[0], "iris.toml", *command[1:])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_missing_files(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    assert "absent.toml: no such file" in error_of(capsys, command[0], "absent.toml", *command[1:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "iris.csv: no data"),
        ("a,b,kind\n", "iris.csv: a header and no rows of data"),
        ("a,b,c,kind\n1,2,3,0\n", "iris.csv: 3 input columns, but network 'iris' expects 2"),
        ("a,a,kind\n1,2,0\n", "iris.csv: columns 1 and 2 are both named 'a'"),
        ("a,b,kind\n1,2,0\n1,nan,0\n", "iris.csv: row 2 (line 3), column 'b': nan is not a finite number"),
        ("a,b,kind\n1,inf,0\n", "iris.csv: row 1 (line 2), column 'b': inf is not a finite number"),
        ("a,b,kind\n1,2,0\n1,2,3\n", "row 2 (line 3), column 'kind': label 3 is not one of 0..2"),
        ("a,b,kind\n1,2,-1\n", "row 1 (line 2), column 'kind': label -1 is not one of 0..2"),
        ("a,b,sort\n1,2,0\n", "iris.csv: no column 'kind'; known: a, b, sort"),
    ],
)
def test_wrong_data(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    Path("iris.csv").write_text(text)
    assert message in error_of(capsys, "train", "iris.toml", "--data", "iris.csv", "--target", "kind")


def test_missing_data_and_target(capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train", "iris.toml", "--data")
    assert "absent.csv: no such file" in error_of(capsys, *train, "absent.csv", "--target", "kind")
    assert "--target COLUMN is needed" in error_of(capsys, *train, "iris.csv")
    np.savez("iris.npz", X=np.ones((3, 2)))
    assert "iris.npz: no array 'Y'" in error_of(capsys, *train, "iris.npz")


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda c: c[0])
def test_unwritable_output(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    run = (command[0], "iris.toml", *command[1:], "--output")
    assert "absent/x: there is no directory absent; make it first" in error_of(capsys, *run, "absent/x")
    assert "iris.csv/x: there is no directory iris.csv" in error_of(capsys, *run, "iris.csv/x")
    assert ".: is a directory; name a file in it" in error_of(capsys, *run, ".")


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda c: c[0])
def test_the_users_files_are_kept(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    run = (command[0], "iris.toml", *command[1:], "--output", "iris.csv")
    assert "iris.csv: exists and was not written by symbp; add --force" in error_of(capsys, *run)
    assert Path("iris.csv").read_text() == DATA


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epochs", "0"), "epochs = 0: expected a whole number of at least 1"),
        (("--epochs", "ten"), "'--epochs': 'ten' is not a valid integer"),
        (("--learning-rate", "-1"), "learning_rate = -1.0: expected a positive number"),
        (("--learning-rate", "nan"), "learning_rate = nan: expected a positive number"),
        (("--batch-size", "-1"), "batch_size = -1: expected a whole number"),
        (("--optimizer", "adma"), "unknown optimizer 'adma'"),
        (("--dtype", "int8"), "dtype = 'int8': expected one of float64, float32"),
        (("--validation-fraction", "1"), "'--validation-fraction': 1.0 is not in the range"),
        (("--validation-fraction", "0.99"), "iris.csv: no rows are left to train on"),
        (("--epoch", "3"), "No such option"),
    ],
)
def test_wrong_options(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    run = ("train", "iris.toml", "--data", "iris.csv", "--target", "kind", *arguments)
    assert message in error_of(capsys, *run)


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such command 'trian'" in error_of(capsys, "trian")
    assert "Missing argument 'SPEC'" in error_of(capsys, "derive")
    assert "there is no 'docx'; known: latex" in error_of(capsys, "derive", "iris.toml", "--format", "docx")
    assert "there is no 'htm'; did you mean 'html'?" in error_of(capsys, "audit", "--format", "htm")
    for command in (("derive", "iris.toml"), ("audit", "004"), ("chain", "x + 1")):
        message = error_of(capsys, *command, "-o", "x.docx")
        assert "x.docx: no format has the ending .docx; known: .txt, .tex, .html" in message
        assert not Path("x.docx").exists()
    assert "unknown document '05'; known: 000" in error_of(capsys, "audit", "05")
    assert "unknown document '4'; did you mean '004'?" in error_of(capsys, "audit", "4")
    assert "--format pdf needs --output FILE" in error_of(capsys, "derive", "iris.toml", "--format", "pdf")
    assert main([]) == 2


def test_wrong_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert "absent.npz: no such file" in error_of(capsys, "predict", "absent.npz", "--data", "iris.csv")
    np.savez("other.npz", X=np.ones(3))
    assert "not a model of symbp" in error_of(capsys, "predict", "other.npz", "--data", "iris.csv")
    assert "not an .npz file" in error_of(capsys, "predict", "iris.csv", "--data", "iris.csv")


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "symbp: interrupted\n"),
        (MemoryError(), 2, "symbp: error: not enough memory"),
        (OSError(28, "No space left on device"), 2, "symbp: error: output: No space left on device\n"),
        (
            ZeroDivisionError("two\nlines"),
            2,
            "please report it: ZeroDivisionError: two lines",
        ),
    ],
)
def test_whatever_happens_there_is_no_traceback(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    status: int,
    message: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(Spec, "from_toml", fail)
    assert main(["derive", "iris.toml"]) == status
    err = capsys.readouterr().err
    assert message in err
    assert err.strip().count("\n") == 0


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "symbp", *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)  # type: ignore


def test_as_a_process() -> None:
    done = run("derive", "absent.toml")
    assert done.returncode == 2
    assert done.stderr == "symbp: error: absent.toml: no such file\n"


HEAVY = ("sympy", "numba", "scipy", "sklearn", "numpy", "jinja2", "rich")


@pytest.mark.parametrize("statement", ["import symbp", "from symbp.cli import main; main(['--help'])"])
def test_nothing_heavy_is_imported(statement: str) -> None:
    code = f"import sys\n{statement}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_leaves_early_sees_no_complaint() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "symbp", "--help"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 1


def test_a_wrong_formula_is_shown_with_a_caret(capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.toml").write_text(SPEC.replace('"tanh"', '"own"') + '[functions]\nown = "z + tahn(z)/2"\n')
    assert main(["derive", "iris.toml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    message, formula, caret = err.splitlines()
    assert message.startswith("symbp: error: iris.toml: [functions] own: formula 'z + tahn")
    assert message.endswith("unknown function 'tahn'; did you mean 'tanh'?")
    assert formula == "    z + tahn(z)/2"
    assert caret == "        ^"


def test_a_formula_that_is_not_real_everywhere_is_one_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.toml").write_text(SPEC.replace('"tanh"', '"own"') + '[functions]\nown = "log(z)"\n')
    assert main(["derive", "iris.toml"]) == 0
    _, err = capsys.readouterr()
    said = "formula 'log(z)' is not real for z <= 0: outputs there are not finite"
    assert err == f"symbp: warning: activation 'own': {said}\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"tanh"',
            '{name = "leaky_relu", alpha = "x"}',
            "layer 1: activation 'leaky_relu': alpha = 'x': expected",
        ),
        ('"tanh"', '{name = "leaky_relu", alpha = -1}', "alpha = -1: expected a number of at least 0"),
        ('"tanh"', '{name = "leaky_relu", slope = 1}', "unknown parameter 'slope'; known: alpha"),
        (
            '"cross_entropy"',
            '{name = "huber", delta = -1}',
            "cost 'huber': delta = -1: expected a number above 0",
        ),
    ],
)
def test_wrong_parameters(capsys: pytest.CaptureFixture[str], old: str, new: str, message: str) -> None:
    Path("iris.toml").write_text(SPEC.replace(old, new, 1))
    assert message in error_of(capsys, "derive", "iris.toml")


def test_unknown_function_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown function 'leakyrelu'; did you mean 'leaky_relu'?" in error_of(
        capsys, "functions", "leakyrelu"
    )
    assert "Invalid value for '--format'" in error_of(capsys, "functions", "relu", "--format", "html5")


@pytest.mark.parametrize(
    ("cost", "targets", "message"),
    [
        ("hinge", "1\n0\n-1\n", "target 0; cost 'hinge' needs -1 or 1"),
        ("poisson", "1\n-2\n3\n", "target -2; cost 'poisson' needs numbers of at least 0"),
    ],
)
def test_targets_outside_the_domain_of_a_cost(
    capsys: pytest.CaptureFixture[str], cost: str, targets: str, message: str
) -> None:
    output = "exp" if cost == "poisson" else "identity"
    spec = SPEC.replace("cross_entropy", cost).replace(
        '3, activation = "softmax"', f'1, activation = "{output}"'
    )
    Path("iris.toml").write_text(spec)
    rows = "".join(f"1,2,{y}\n" for y in targets.split())
    Path("iris.csv").write_text("a,b,kind\n" + rows)
    assert message in error_of(capsys, "train", "iris.toml", "--data", "iris.csv", "--target", "kind")


@pytest.mark.parametrize(("given", "expected"), [({}, "20000"), ({"SYMPY_CACHE_SIZE": "500"}, "500")])
def test_sympy_remembers_more_unless_told_otherwise(given: dict[str, str], expected: str) -> None:
    """It reads the size when it is imported, so the command line has to come before it."""
    code = "import symbp.cli, sympy.core.cache as c; print(c.SYMPY_CACHE_SIZE)"
    environment = {name: value for name, value in os.environ.items() if name != "SYMPY_CACHE_SIZE"} | given
    done = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, check=True, env=environment
    )
    assert done.stdout.split() == [expected]

"""The demo, run as its users run it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from symbp.cli import main
from symbp.demo import Stage


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--output", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    for stage in ("derive", "prove", "typeset", "compile", "verify", "train", "test"):
        assert re.search(rf"^{stage} +\d+\.\d\d s ", out, re.MULTILINE)
    accuracy = re.search(r"accuracy ([\d.]+) %", out)
    assert accuracy is not None
    assert float(accuracy[1]) >= 95
    assert (tmp_path / "demo" / "derivation.tex").is_file()
    assert (tmp_path / "demo" / "trainer.py").is_file()


def test_a_stage_says_that_it_goes_on(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """On a terminal: the line of the result is written over it, and an error begins on a line of its own."""

    def stages() -> str:
        with Stage("prove") as this:
            this.result = "done"
        with pytest.raises(ZeroDivisionError), Stage("compile"):
            raise ZeroDivisionError
        return capsys.readouterr().out

    assert re.fullmatch(r"prove +0\.\d\d s   done\n", stages())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert re.fullmatch(r"prove +\.\.\.\rprove +0\.\d\d s   done\ncompile +\.\.\.\r\n", stages())


def test_without_scikit_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert main(["demo", "--output", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err == "symbp: error: the demo needs scikit-learn: pip install 'symbp[demo]'\n"


def test_unwritable_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--output", str(tmp_path / "file")]) == 2
    assert "file: cannot be made: File exists" in capsys.readouterr().err

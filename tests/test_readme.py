"""README's example does what README says, and what it shows of outputs is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import symbp
from symbp.cli import main
from symbp.derivation.derive import derive
from symbp.functions import ACTIVATIONS, COSTS, OPTIMIZERS
from symbp.render.writer import trainer_source
from symbp.spec import Spec

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_first_example(tmp_path: Path) -> None:
    code, (expected, *_) = _blocks("python")[0], _blocks("text")
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == expected
    # The loops that everybody can read are those for no machine in particular.
    spec = symbp.load(tmp_path / "xor_trainer.py", self_test=False).spec.for_target("portable")
    assert _blocks("text")[2] in trainer_source(symbp.derive(spec.network), spec, prove=False)


def test_step_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "xor.toml"
    spec.write_text(_blocks("toml")[0])
    assert main(["derive", str(spec)]) == 0
    assert _blocks("text")[1] in capsys.readouterr().out
    assert Spec.from_toml(spec).network.name == "xor"


def test_own_functions(tmp_path: Path) -> None:
    namespace: dict[str, object] = {"symbp": symbp}
    exec(_blocks("python")[1], namespace)
    symbp.derive(namespace["net"]).prove()  # type: ignore[arg-type]
    record = eval(_blocks("python")[2], {"Activation": symbp.Activation})
    symbp.derive(symbp.Network(2, [symbp.Dense(2, record)], "squared_error")).prove()


def test_own_functions_and_rules_in_a_file(tmp_path: Path) -> None:
    text = tmp_path / "own.toml"
    text.write_text(_blocks("toml")[1])
    spec = Spec.from_toml(text)
    names = (spec.train.optimizer.name, spec.train.schedule.name, spec.train.penalty.name)
    assert names == ("mine", "root", "rounded")
    assert spec.network.weighted
    derive(spec.network, spec.train.training).prove()


def test_tables_name_everything_there_is() -> None:
    for name in (*ACTIVATIONS, *COSTS, *OPTIMIZERS):
        assert re.search(rf"\b{name}\b", README), name


def test_commands_exist() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile

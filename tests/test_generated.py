"""``generated/`` is what symbp writes now, byte for byte, whatever the hash seed and the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symbp.notation import NOTATIONS
from symbp.spec import Spec
from tests.golden import DOCUMENTS, GENERATED, PAGES, REFERENCES, build, build_notation, differences


@pytest.mark.parametrize("spec", REFERENCES, ids=lambda spec: spec.network.name)
def test_reference_output_is_current(spec: Spec, tmp_path: Path) -> None:
    name = spec.network.name
    build(spec, tmp_path / name)
    difference = differences(GENERATED / name, tmp_path / name)
    assert not difference, f"run 'make generated' if this is meant:\n{difference}"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    assert (GENERATED / name).read_text(encoding="utf-8") == PAGES[name](), (
        "run 'make generated' if this is meant"
    )


@pytest.mark.parametrize("notation", DOCUMENTS)
def test_every_notation_is_current(notation: str, tmp_path: Path) -> None:
    build_notation(notation, tmp_path)
    difference = differences(GENERATED / "notations" / notation, tmp_path)
    assert not difference, f"run 'make generated' if this is meant:\n{difference}"


def test_nothing_else_lies_there() -> None:
    networks = {spec.network.name for spec in REFERENCES}
    found = [path.relative_to(GENERATED) for path in GENERATED.rglob("*") if path.is_file()]
    others = [path for path in found if path.parts[0] not in (*networks, "notations")]
    assert {str(path) for path in others} == set(PAGES)
    assert (
        {path.parts[1] for path in found if path.parts[0] == "notations"} == set(DOCUMENTS) == set(NOTATIONS)
    )
    assert {path.parts[0] for path in found} >= networks


@pytest.mark.parametrize("spec", REFERENCES, ids=lambda spec: spec.network.name)
def test_the_committed_spec_is_the_declared_one(spec: Spec) -> None:
    assert Spec.from_toml(GENERATED / spec.network.name / "spec.toml") == spec


def test_hash_seed_does_not_matter(tmp_path: Path) -> None:
    """A seed beside the one that Python draws for this process and that of the committed text."""
    spec = REFERENCES[2]  # with a fused step
    code = "import sys; from tests.golden import *; build(REFERENCES[2], Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "COLUMNS": "40"}
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment, cwd=root)
    assert not differences(GENERATED / spec.network.name, tmp_path)


def test_a_difference_is_shown(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for root, text in ((old, "a\nb\n"), (new, "a\nc\n")):
        root.mkdir()
        (root / "same").write_text("same")
        (root / "file").write_text(text)
    (new / "extra").write_text("x\n")
    (old / "missing").write_text("y\n")
    difference = differences(old, new)
    assert "-b\n+c\n" in difference
    assert "+++ found/extra" in difference
    assert "--- expected/missing" in difference
    assert "same" not in difference
    assert differences(old, old) == ""
    (new / "file").write_bytes(b"a\r\nb\n")  # line ends count
    assert "file" in differences(old, new)

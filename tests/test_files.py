"""Files are written whole or not at all, and never over somebody's work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symbp.errors import SymbpError
from symbp.files import atomic_write, check_output


def test_writes_text_and_bytes(tmp_path: Path) -> None:
    path = atomic_write(tmp_path / "a", "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert atomic_write(str(path), b"\x00").read_bytes() == b"\x00"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_unchanged_file_keeps_its_time(tmp_path: Path) -> None:
    path = atomic_write(tmp_path / "a", "text")
    os.utime(path, (1, 1))
    atomic_write(path, "text")
    assert path.stat().st_mtime == 1
    atomic_write(path, "other")
    assert path.stat().st_mtime != 1


def test_permissions_are_usual_and_kept(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    path = atomic_write(tmp_path / "a", "text")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o600)
    assert atomic_write(path, "new").stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = atomic_write(tmp_path / "a", "old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymbpError, match="a: cannot be written: No space left on device"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    file = atomic_write(tmp_path / "file", "text")
    for write in (lambda path: atomic_write(path, ""), check_output):
        with pytest.raises(SymbpError, match="is a directory; name a file in it"):
            write(tmp_path)
        with pytest.raises(SymbpError, match=r"there is no directory .*absent; make it first"):
            write(tmp_path / "absent" / "a")
        with pytest.raises(SymbpError, match="there is no directory"):
            write(file / "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_unwritable_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SymbpError, match="is not writable"):
        check_output(tmp_path / "a")


def test_only_own_output_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    check_output(path)
    path.write_text("# my notes on symbp\n")
    with pytest.raises(SymbpError, match="was not written by symbp; add --force"):
        check_output(path)
    check_output(path, force=True)
    path.write_text("# GENERATED FILE, DO NOT EDIT.\n# written by: symbp 0.1.0\n")
    check_output(path)

"""Writing files: whole or not at all, and never over somebody's work."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from symbp.errors import SymbpError

_HEAD = 4096
# "written by: symbp" in trainers, "typeset by symbp" in pages; the first array's name in models.
_MARKS = (b"by: symbp", b"by symbp", b"symbp_model")


def atomic_write(path: str | Path, content: str | bytes) -> Path:
    """Write `content` to `path` such that a reader sees the old file or the new one, never a half.

    A file that holds just this content already stays as it is, with its time, on which
    Numba's cache of compiled trainers depends.

    Raises
    ------
    SymbpError
        If the file cannot be written there; the message names it.
    """
    target = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    _check_place(target)
    temporary = None
    try:
        if target.is_file() and target.read_bytes() == data:
            return target
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(_mode(target))
        os.replace(temporary, target)
    except OSError as error:
        raise SymbpError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()  # gone already after a successful replace
    return target


def check_output(path: str | Path, force: bool = False) -> None:
    """Raise, before any work is done, if `path` cannot or should not be written.

    Everything that symbp writes says so in its first lines, so its own output may be
    written again; any other file may be the user's work, and is kept unless `force`.

    Raises
    ------
    SymbpError
        If there is no such directory, or a file that symbp did not write.
    """
    target = Path(path)
    _check_place(target)
    if force or not target.is_file():
        return
    try:
        with target.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise SymbpError(f"{target}: exists and cannot be read: {error.strerror or error}") from None
    if head and not is_own_output(head):
        raise SymbpError(f"{target}: exists and was not written by symbp; add --force to overwrite it")


def _check_place(target: Path) -> None:
    if target.is_dir():
        raise SymbpError(f"{target}: is a directory; name a file in it")
    if not target.parent.is_dir():
        raise SymbpError(f"{target}: there is no directory {target.parent}; make it first")
    if not os.access(target.parent, os.W_OK):
        raise SymbpError(f"{target}: the directory {target.parent} is not writable")


def is_own_output(head: bytes) -> bool:
    """Return whether the first bytes of a file say that symbp wrote it."""
    return any(mark in head for mark in _MARKS)


def _mode(target: Path) -> int:
    """Return the permissions of the existing file, or those a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask

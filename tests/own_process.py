"""Code in a process of its own that begins with the libraries imported, but nothing of a trainer.

Each is a copy of one process that has done no more than these imports, so it costs little to start
many. Programs, whose start matters, are run with :mod:`subprocess`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from pathlib import Path

from numba.core.config import reload_config

IMPORTED = ["numpy", "numba", "symbp.run.load", "symbp.run.trainer"]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(IMPORTED)


def output_of(code: str, folder: Path, environment: dict[str, str]) -> str:
    """Run Python code in a folder with an environment; return what it printed.

    Raises
    ------
    AssertionError
        If it ends with an exception.
    """
    file = folder / "printed.txt"
    process = _CONTEXT.Process(target=_run, args=(code, folder, environment, file))
    process.start()
    process.join()
    printed = file.read_text(encoding="utf-8")
    file.unlink()
    assert process.exitcode == 0, printed
    return printed.strip()


def _run(code: str, folder: Path, environment: dict[str, str], file: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    reload_config()  # Numba read its own when it was imported
    with file.open("w", encoding="utf-8") as printed:
        sys.stdout = sys.stderr = printed
        try:
            exec(compile(code, "<own process>", "exec"), {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
            printed.flush()
            os._exit(1)

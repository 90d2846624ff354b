"""LaTeX -> PDF, by the pdflatex of the system."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from symbp.errors import RenderError

_SECONDS = 120


def compile_pdf(latex: str) -> bytes:
    """Return the PDF of a complete LaTeX document.

    Raises
    ------
    RenderError
        If there is no pdflatex, or it does not accept the document.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise RenderError("--format pdf needs pdflatex, which is not installed; use --format latex")
    with tempfile.TemporaryDirectory(prefix="symbp-") as name:
        directory = Path(name)
        source = directory / "derivation.tex"
        source.write_text(latex, encoding="utf-8")
        options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        for _ in range(2):  # references are right on the second run
            _run([program, *options, source.name], directory)
        return source.with_suffix(".pdf").read_bytes()


def _run(command: list[str], directory: Path) -> None:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(f"pdflatex did not finish within {_SECONDS} s") from None
    if done.returncode != 0:
        raise RenderError(f"pdflatex: {_first_error(done.stdout.decode(errors='replace'))}")


def _first_error(log: str) -> str:
    """Return the first error of TeX's log, which starts with an exclamation mark."""
    errors = [line[1:].strip() for line in log.splitlines() if line.startswith("!")]
    return errors[0] if errors else "failed without an error in its log"

"""What ``symbp bench`` does: check everything first, measure, write."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from symbp.bench import peers, plot, session, workloads
from symbp.bench.choice import choice
from symbp.bench.markdown import markdown
from symbp.bench.records import Report
from symbp.files import atomic_write, check_output


@dataclass(frozen=True)
class Wanted:
    """What to measure, as the command line gives it; values may be lists with commas."""

    workloads: tuple[str, ...] = ()
    sweep: bool = False
    dtypes: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    quick: bool = False
    predict: bool = False
    target: str = "host"


@dataclass(frozen=True)
class Files:
    """Where to write JSON, Markdown and the plot, and whether over any file."""

    json: str | None = None
    markdown: str | None = None
    plot: str | None = None
    force: bool = False


def bench(wanted: Wanted, files: Files) -> int:
    """Measure, print the tables, and write what was asked for; return the exit status.

    Returns
    -------
    int
        1 if the weights of symbp were wrong or it failed, else 0.

    Raises
    ------
    SpecError
        If there is no such workload, type, peer or target.
    SymbpError
        If a file cannot be written, or nothing can be measured.
    """
    chosen = choice(
        workloads.chosen(_split(wanted.workloads), wanted.sweep, wanted.predict),
        _split(wanted.dtypes),
        _split(wanted.threads),
        _split(wanted.peers),
        wanted.quick,
        wanted.sweep,
        wanted.target,
    )
    if files.plot is not None:
        plot.check(files.plot)
    for path in (files.json, files.markdown, files.plot):
        if path is not None:
            check_output(path, files.force)
    with _progress() as show:
        report = session.run(chosen, show)
    print(markdown(report), end="")
    for written in _write(report, files):
        print(f"wrote {written}", file=sys.stderr)
    faults = {"wrong", "failed"}
    return int(any(each.implementation == peers.OURS and each.kind in faults for each in report.left_out))


def _split(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


def _write(report: Report, files: Files) -> Iterator[Path]:
    if files.json is not None:
        yield atomic_write(files.json, report.json())
    if files.markdown is not None:
        yield atomic_write(files.markdown, markdown(report))
    if files.plot is not None:
        yield atomic_write(files.plot, plot.plot(report, Path(files.plot).suffix))


@contextlib.contextmanager
def _progress() -> Iterator[session.Show]:
    """Show a bar where stderr is a terminal; elsewhere, a line for each new thing."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    bar = Progress(*columns, console=Console(stderr=True))
    row = bar.add_task("", total=None)
    with bar:
        yield lambda what, done, of: bar.update(row, description=what, completed=done, total=of)


def _lines() -> session.Show:
    last = ""

    def show(what: str, done: int, of: int) -> None:
        nonlocal last
        what = what.partition(":")[0]
        if what != last:
            print(f"{what} ({done} of {of})", file=sys.stderr, flush=True)
            last = what

    return show

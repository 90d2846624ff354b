"""What ``symbp bench`` does: check everything first, measure, write."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from symbp.bench import plot, session
from symbp.bench.choice import choice
from symbp.bench.markdown import markdown as as_markdown
from symbp.bench.peers import OURS
from symbp.bench.workloads import chosen
from symbp.files import atomic_write, check_output


def bench(
    workloads: Iterable[str] = (),
    sweep: bool = False,
    dtypes: Iterable[str] = (),
    threads: Iterable[str] = (),
    peers: Iterable[str] = (),
    predict: bool = False,
    target: str = "host",
    quick: bool = False,
    output: str | None = None,
    markdown: str | None = None,
    drawing: str | None = None,
    force: bool = False,
) -> int:
    """Measure, print the tables, and write what was asked for.

    Parameters
    ----------
    workloads, dtypes, threads, peers : iterable of str
        As the command line gives them; each may be a list with commas.
    sweep, predict, target, quick
        What to measure.
    output, markdown, drawing : str, optional
        Where to write JSON, Markdown and the plot.
    force : bool
        Whether over any file.

    Returns
    -------
    int
        The exit status: 1 if the weights of symbp were wrong or it failed, else 0.

    Raises
    ------
    SpecError
        If there is no such workload, type, peer or target.
    SymbpError
        If a file cannot be written, or nothing can be measured.
    """
    measured = chosen(_split(workloads), sweep, predict)
    wanted = choice(measured, _split(dtypes), _split(threads), _split(peers), quick, sweep, target)
    if drawing is not None:
        plot.check(drawing)
    for path in (output, markdown, drawing):
        if path is not None:
            check_output(path, force)
    with _progress() as show:
        report = session.run(wanted, show)
    tables = as_markdown(report)
    print(tables, end="")
    written = []
    if output is not None:
        written.append(atomic_write(output, report.json()))
    if markdown is not None:
        written.append(atomic_write(markdown, tables))
    if drawing is not None:
        written.append(atomic_write(drawing, plot.plot(report, Path(drawing).suffix)))
    for file in written:
        print(f"wrote {file}", file=sys.stderr)
    faults = {"wrong", "failed"}
    return int(any(each.implementation == OURS and each.kind in faults for each in report.left_out))


def _split(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


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

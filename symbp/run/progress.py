"""Telling how training goes: a bar on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from symbp.run.interface import Callback

LINES = 10
# An epoch of a small network takes microseconds, an update of the bar many of them.
SECONDS_BETWEEN_UPDATES = 0.05
# Longer than this without a word, and one wonders.
SECONDS_OF_SILENCE = 3.0


@contextlib.contextmanager
def reporter(name: str, progress: bool | None) -> Iterator[Callback | None]:
    """Give the callback that shows each epoch, or None where nothing is to be shown.

    Parameters
    ----------
    name : str
        The network's name.
    progress : bool or None
        None shows progress only where stderr is a terminal.
    """
    terminal = sys.stderr.isatty()
    if progress is False or (progress is None and not terminal):
        yield None
    elif terminal:
        with _bar(name) as callback:
            yield callback
    else:
        yield lines(name)


@contextlib.contextmanager
def notice(text: str, after: float = SECONDS_OF_SILENCE) -> Iterator[None]:
    """Print one line on stderr if the block takes longer than so many seconds."""

    def show() -> None:
        # Nobody may be reading any more; that is no reason to stop the work.
        with contextlib.suppress(OSError, ValueError):
            print(text, file=sys.stderr, flush=True)

    timer = threading.Timer(after, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def lines(name: str) -> Callback:
    """Return a callback that prints epoch and cost on at most :data:`LINES` lines."""

    def show(epoch: int, epochs: int, cost: float) -> None:
        every = -(-epochs // LINES)
        if epoch % every == 0 or epoch == epochs:
            print(f"{name}: epoch {epoch}/{epochs}, cost {cost:.6g}", file=sys.stderr, flush=True)

    return show


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Callback]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs, cost {task.fields[cost]:.6g}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
    )
    task = bar.add_task(name, total=None, cost=float("nan"))
    shown = -SECONDS_BETWEEN_UPDATES

    def show(epoch: int, epochs: int, cost: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if epoch == epochs or now - shown >= SECONDS_BETWEEN_UPDATES:
            bar.update(task, completed=epoch, total=epochs, cost=cost)
            shown = now

    with bar:
        yield show

"""A report as a plot: speed against size, with the measured peak."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symbp.bench.peers import OURS, PEERS
from symbp.bench.records import Report, Result
from symbp.bench.workloads import BY_BATCH, BY_WIDTH, PREDICTIONS, WORKLOADS, Workload
from symbp.errors import SymbpError
from symbp.values import counted

FORMATS = (".png", ".svg")
# Tells symbp.files that symbp drew it, in the text fields that both formats have.
_METADATA = {".png": {"Software": "drawn by symbp"}, ".svg": {"Creator": "drawn by symbp", "Date": None}}
_MARKERS = "os^vDPX*<>h"


def check(path: str | Path) -> None:
    """Raise, before anything is measured, if a plot cannot be drawn there.

    Raises
    ------
    SymbpError
        If the ending is unknown or Matplotlib is not installed.
    """
    if Path(path).suffix not in FORMATS:
        raise SymbpError(f"--plot {path}: the name of a plot ends in {' or '.join(FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise SymbpError("--plot: matplotlib is not installed; pip install 'symbp[bench]'")


def plot(report: Report, form: str) -> bytes:
    """Return the plot: one row of panels for each dtype and number of threads.

    Parameters
    ----------
    report : Report
    form : {".png", ".svg"}
    """
    from matplotlib.figure import Figure

    kinds = _kinds(report)
    settings = list(dict.fromkeys((each.dtype, each.threads) for each in report.results))
    figure = Figure(figsize=(6.5 * len(kinds), 4.5 * len(settings)), layout="constrained")
    panels = figure.subplots(len(settings), len(kinds), squeeze=False)
    for (dtype, threads), row in zip(settings, panels, strict=True):
        for (label, size, names), panel in zip(kinds, row, strict=True):
            _panel(panel, report, dtype, threads, size, names)
            panel.set_xlabel(label)
            panel.set_title(f"{dtype}, {counted(threads, 'thread')}")
    figure.suptitle(f"{report.machine.cpu}, {report.machine.date[:10]}")
    content = io.BytesIO()
    figure.savefig(content, format=form[1:], metadata=_METADATA[form], dpi=120)
    return content.getvalue()


def _kinds(report: Report) -> list[tuple[str, Callable[[Workload], int], set[str]]]:
    """Return label of the abscissa, its value for a workload, and the workloads of every panel."""
    measured = {each.workload for each in report.results}
    predicted, widths, batches = (
        {each.name for each in group} for group in (PREDICTIONS, BY_WIDTH, BY_BATCH)
    )
    every: list[tuple[str, Callable[[Workload], int], set[str]]] = [
        ("operations of a step", lambda each: each.flops, measured - predicted - widths - batches),
        ("operations of a batch's outputs", lambda each: each.flops, measured & predicted),
        ("units n of every layer of n-n-n-10, batch 64", lambda each: each.sizes[0], measured & widths),
        ("batch of 64-64-64-10", lambda each: each.batch, measured & batches),
    ]
    return [kind for kind in every if kind[2]]


def _panel(
    panel: Any, report: Report, dtype: str, threads: int, size: Callable[[Workload], int], names: set[str]
) -> None:
    peak = report.machine.peak_gflops[dtype][str(threads)]
    panel.axhline(peak, color="black", linestyle=":", label="measured peak")
    for name, marker in zip(PEERS, _MARKERS, strict=True):
        points = sorted(
            (size(WORKLOADS[each.workload]), each.gflops)
            for each in report.results
            if _of(each, name, dtype, threads) and each.workload in names
        )
        if points:
            ours = name == OURS
            panel.plot(
                *zip(*points, strict=True),
                marker=marker,
                label=PEERS[name].title,
                linewidth=2.5 if ours else 1.0,
                color="crimson" if ours else None,
                zorder=3 if ours else 2,
            )
    if not names & {each.name for each in (*BY_WIDTH, *BY_BATCH)}:
        for name in names:
            panel.annotate(
                name, (size(WORKLOADS[name]), peak), (0, 3), textcoords="offset points", ha="center"
            )
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_ylabel("GFLOP/s")
    panel.grid(alpha=0.3)
    panel.legend(fontsize="small")


def _of(each: Result, name: str, dtype: str, threads: int) -> bool:
    return (each.implementation, each.dtype, each.threads) == (name, dtype, threads)

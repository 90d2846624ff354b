"""A report as Markdown, padded so that it also reads well on a terminal."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence

from symbp.bench.peers import OURS, PEERS
from symbp.bench.records import LeftOut, Report, Result
from symbp.bench.workloads import WIDTHS, WORKLOADS
from symbp.values import counted, padded

Found = Result | LeftOut
_MISSING = {"absent": "-", "late": "-", "wrong": "wrong", "failed": "failed"}
_HOW = """\
Speed, measured by symbp bench. Microseconds for a step of gradient descent, or for the outputs of a batch \
(in brackets: how many times slower than symbp), minima of rounds in which all implementations took turns; \
same data, start, order and learning rate. The weights after three steps, or the outputs of three batches, \
were compared with float64 first."""
_PURPOSES = {"train": "training", "predict": "outputs"}


def markdown(report: Report) -> str:
    """Return tables, one for each dtype and number of threads, with what they hold for."""
    parts = [_HOW]
    for dtype, threads in _settings(report):
        for purpose, word in _PURPOSES.items():
            rows = _speeds(report, dtype, threads, purpose)
            if rows:
                parts += [f"**{word}, {dtype}, {counted(threads, 'thread')}**", _table(rows)]
        steps = _width_steps(report, dtype, threads)
        if steps:
            parts.append("Time for a weight and a sample at a width, over that at the width before")
            parts.append(_table(steps))
    if report.compile_times:
        parts.append(
            "Seconds from the import of symbp's trainer to the end of its first step, in a fresh process "
            "(importing Numba and NumPy comes before)"
        )
        parts.append(_table(_compile_times(report)))
    if report.left_out:
        parts.append("\n".join(_reasons(report.left_out)))
    parts.append(conditions(report))
    return "\n\n".join(parts) + "\n"


def conditions(report: Report) -> str:
    """Return the machine, its peak, the versions and the date in one sentence each."""
    machine = report.machine
    peaks = ", ".join(
        f"{gflops:.0f} {dtype} with {counted(int(threads), 'thread')}"
        for dtype, by_threads in machine.peak_gflops.items()
        for threads, gflops in by_threads.items()
    )
    held = ", held on the last" if machine.pinned else ", not pinned"
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    before, after = machine.load_average
    held_to = f"Held to the instructions of {machine.target}{_unheld(report)}. "
    target = "" if machine.target == "host" else held_to
    return (
        f"{machine.cpu}, {counted(machine.cores, 'core')}"
        f"{held}; peak of fused multiply-adds in GFLOP/s, measured in the same run: {peaks}. "
        f"{target}Load of the machine {before:.1f} before and {after:.1f} after; "
        f"medians {_spread(report):.0f} % above minima, on average. "
        f"{versions}. {machine.date}."
    )


def _unheld(report: Report) -> str:
    """Return who cannot have kept to the target's instructions: it was faster than their peak."""
    faster = {each.implementation for each in report.results if each.fraction_of_peak > 1}
    names = ", ".join(PEERS[name].title for name in PEERS if name in faster)
    return f", but for {names}, faster than their peak" if names else ""


def _spread(report: Report) -> float:
    """Return by how many percent medians exceed minima: how much the machine was disturbed."""
    ratios = [each.seconds_per_step_median / each.seconds_per_step_min for each in report.results]
    return 100 * (statistics.fmean(ratios) - 1)


def _settings(report: Report) -> list[tuple[str, int]]:
    return list(dict.fromkeys((each.dtype, each.threads) for each in _all(report)))


def _all(report: Report) -> list[Found]:
    return [*report.left_out, *report.results]


def _speeds(report: Report, dtype: str, threads: int, purpose: str) -> list[list[str]]:
    """Return rows: implementations by workload, or the other way round if there are many workloads."""
    chosen = [w for w in _names(report) if WORKLOADS[w].purpose == purpose]
    cells = {
        (each.implementation, each.workload): each
        for each in _all(report)
        if (each.dtype, each.threads) == (dtype, threads)
    }
    names = [name for name in PEERS if any(isinstance(cells.get((name, w)), Result) for w in chosen)]
    workloads = [w for w in chosen if any((name, w) in cells for name in PEERS)]
    if not workloads:
        return []
    rows = [["", *workloads], ["network, batch", *(WORKLOADS[w].title for w in workloads)]]
    for name in names:
        ours = [cells.get((OURS, w)) for w in workloads]
        row = [_cell(cells.get((name, w)), best) for w, best in zip(workloads, ours, strict=True)]
        rows.append([PEERS[name].title, *row])
        if name == OURS:
            rows.append(["its share of the peak", *(_share(each) for each in ours)])
    return rows if len(workloads) <= len(PEERS) else [list(column) for column in zip(*rows, strict=True)]


def _width_steps(report: Report, dtype: str, threads: int) -> list[list[str]]:
    """Return rows that show cliffs between neighbouring widths; none if no neighbours were measured."""
    cost = {
        (each.implementation, each.workload): each.seconds_per_step_min / WORKLOADS[each.workload].flops
        for each in report.results
        if (each.dtype, each.threads) == (dtype, threads)
    }
    pairs = [(f"N{n}", f"N{n + 1}") for n in WIDTHS if n + 1 in WIDTHS]
    pairs = [pair for pair in pairs if any((name, w) in cost for name in PEERS for w in pair)]
    rows = [["", *(f"{b} to {a}" for a, b in pairs)]]
    for name in PEERS:
        both = [(cost.get((name, a)), cost.get((name, b))) for a, b in pairs]
        cells = [f"{b / a:.2f}" if a and b else "-" for a, b in both]
        if not set(cells) <= {"-"}:
            rows.append([PEERS[name].title, *cells])
    return rows if len(rows) > 1 else []


def _names(report: Report) -> list[str]:
    return [each["name"] for each in report.workloads]


def _cell(found: Found | None, ours: Found | None) -> str:
    if not isinstance(found, Result):
        return "-" if found is None else _MISSING[found.kind]
    text = number(found.seconds_per_step_min * 1e6)
    if isinstance(ours, Result) and found is not ours:
        text += f" [{number(found.seconds_per_step_min / ours.seconds_per_step_min, 2)}]"
    return text


def _share(found: Found | None) -> str:
    return f"{100 * found.fraction_of_peak:.1f} %" if isinstance(found, Result) else "-"


def number(value: float, digits: int = 3) -> str:
    """Return the value with so many significant digits, never in powers of ten."""
    return f"{value:.{digits}g}" if value < 10 ** (digits - 1) else f"{value:.0f}"


def _compile_times(report: Report) -> list[list[str]]:
    dtypes = list(dict.fromkeys(each.dtype for each in report.compile_times))
    found = {(each.workload, each.dtype): each for each in report.compile_times}
    workloads = [w for w in _names(report) if any((w, dtype) in found for dtype in dtypes)]
    rows = [["", *workloads]]
    for dtype in dtypes:
        each = [found.get((w, dtype)) for w in workloads]
        rows.append(
            [f"{dtype}, nothing in the cache", *("-" if x is None else f"{x.cold_seconds:.2f}" for x in each)]
        )
        rows.append(
            [f"{dtype}, from the cache", *("-" if x is None else f"{x.cached_seconds:.2f}" for x in each)]
        )
    return rows


def _reasons(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Yield a line for each implementation and reason, with the workloads it holds for."""

    def key(each: LeftOut) -> tuple[int, str, str]:
        return list(PEERS).index(each.implementation), each.kind, each.reason

    for (_, kind, reason), group in itertools.groupby(sorted(left_out, key=key), key):
        members = list(group)
        where = dict.fromkeys(f"{x.workload} {x.dtype} {x.threads}" for x in members)
        told = "" if kind in {"absent", "late"} and len(where) > 1 else f" ({', '.join(where)})"
        shown = {"absent": "absent", "late": "left out", "wrong": "WRONG", "failed": "FAILED"}[kind]
        yield f"- {PEERS[members[0].implementation].title} {shown}{told}: {reason}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *others = padded(rows, 1)
    first, *further = map(len, head)
    ruler = ["-" * first, *(f"{'-' * (width - 1)}:" for width in further)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ruler, *others))

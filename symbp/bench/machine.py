"""The machine a measurement was made on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from symbp.version import __version__


def processor() -> str:
    """Return the processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> tuple[int, ...] | None:
    """Return the numbers of the cores that may be used; None where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return None


def core_count() -> int:
    """Return how many cores may be used."""
    return len(cores() or ()) or os.cpu_count() or 1


def load() -> float:
    """Return how many processes want to run, averaged over the last minute; NaN if unknown."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return float("nan")


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python, symbp, Numba and of those distributions that are installed."""
    found = {"python": platform.python_version(), "symbp": __version__}
    for name in dict.fromkeys(("numba", "llvmlite", "numpy", *distributions)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

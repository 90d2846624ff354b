"""How fast the emitted elementary functions are, beside ``math`` under Numba and NumPy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symbp.bench.accuracy import compiled
from symbp.bench.exact import ORACLES, Array

SIZE = 16_384  # elements: enough that a call's own time does not count, few enough for a cache
REPEATS = {True: 40, False: 300}  # with and without --quick
# Both ways to a value may be off by a few ulp; this only has to see that they compute the same.
AGREE = 64


@dataclass(frozen=True)
class Speed:
    """Nanoseconds for one element.

    Attributes
    ----------
    ours, libm : float
        The emitted function, and ``math`` in the same compiled loop.
    numpy : float
        NaN where NumPy has no such function.
    """

    ours: float
    libm: float
    numpy: float

    @property
    def ratio(self) -> float:
        """How many times faster than ``math``."""
        return self.libm / self.ours


UNTIMED = Speed(float("nan"), float("nan"), float("nan"))


def speed(name: str, dtype: str, quick: bool = False) -> Speed:
    """Time one function on ordinary arguments: minima of repeats, taken in turn.

    Raises
    ------
    ArithmeticError
        If the ways do not give the same values: then their times mean nothing.
    """
    x = np.random.default_rng(0).uniform(*ORACLES[name].typical, SIZE).astype(dtype)
    module = compiled(dtype, True)
    ways: dict[str, Callable[[Array, Array], object]] = {
        "ours": getattr(module, f"all_{name}"),
        "libm": getattr(module, f"math_{name}"),
    }
    ufunc = getattr(np, name, None)
    if ufunc is not None:
        ways["numpy"] = lambda x, y: ufunc(x, y)
    results = {way: np.empty_like(x) for way in ways}
    for way, run in ways.items():
        run(x, results[way])
        worst = float(np.max(np.abs(results[way] - results["ours"]) / np.spacing(np.abs(results["ours"]))))
        if not worst <= AGREE:
            raise ArithmeticError(f"{name}, {dtype}: {way} differs by {worst} ulp")
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(REPEATS[quick]):
        for way, run in ways.items():
            start = time.perf_counter()
            run(x, results[way])
            best[way] = min(best[way], time.perf_counter() - start)
    nanoseconds = {way: seconds / SIZE * 1e9 for way, seconds in best.items()}
    return Speed(nanoseconds["ours"], nanoseconds["libm"], nanoseconds.get("numpy", float("nan")))

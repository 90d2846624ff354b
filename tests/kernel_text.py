"""The text that kernels have for an expression, run as plain Python on NumPy numbers of one type."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symbp.algebra.named import LETTERS, NAMED
from symbp.render.numba_printer import ValuePrinter


class _Math:
    """Python's math on NumPy numbers: infinite where compiled code is, and of the same type."""

    isfinite = staticmethod(math.isfinite)
    atan = staticmethod(np.arctan)

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name in ("erf", "erfc"):
            return lambda x: type(x)(getattr(math, name)(float(x)))
        function: Callable[[Any], Any] = getattr(np, name)
        return function


def kernel_function(expr: Any, letters: tuple[Any, ...], dtype: str) -> Callable[..., Any]:
    """Return a function that evaluates the printed expression, and the printed named functions."""
    number = np.dtype(dtype).type
    # In float64 kernels hold Python's numbers; NumPy's behave as compiled ones do when they divide by 0.
    scope: dict[str, Any] = {"math": _Math(), "np": np, "F": number}
    printer = ValuePrinter(dtype)
    for kind in NAMED:
        function = kind(*LETTERS[: next(iter(kind.nargs))])
        heads = ", ".join(str(a) for a in function.args)
        scope[kind.title] = eval(f"lambda {heads}: {printer.doprint(function.stable())}", scope)
    text = f"lambda {', '.join(str(letter) for letter in letters)}: {printer.doprint(expr)}"
    inner = eval(text, scope)

    def outer(*values: float) -> Any:
        with np.errstate(all="ignore"):
            return number(inner(*map(number, values)))

    return outer

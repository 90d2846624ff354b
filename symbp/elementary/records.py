"""What an elementary function of the kernels *is*: frozen records, stated as mathematics.

A record names the function it computes and states its algorithm as a short list of
assignments. The numbers in it are names: constants are computed from their definition
(:mod:`symbp.elementary.constants`), polynomials are fitted (:mod:`symbp.elementary.fit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sympy import Expr

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Attributes
    ----------
    dtype : str
    bits : int
        Stored bits of the significand: 52 or 23.
    bias : int
        Of the exponent: 1023 or 127.
    integer : str
        The integer type of the same size.
    """

    dtype: str
    bits: int
    bias: int
    integer: str

    def round(self, value: object) -> float:
        """Return the number of the format nearest to a real number (mpmath)."""
        nearest = float(value)  # type: ignore[arg-type]
        return nearest if self.dtype == "float64" else float(np.float32(nearest))


FORMATS = {
    "float32": Format("float32", 23, 127, "int32"),
    "float64": Format("float64", 52, 1023, "int64"),
}


@dataclass(frozen=True)
class Fit:
    """A polynomial P(v) and what it approximates.

    Attributes
    ----------
    name : str
        As the algorithms call it.
    target : Expr, or one for each dtype
        In v.
    weight : Expr, or one for each dtype
        What the error of P is multiplied by to be a relative error of the function.
    interval : tuple of Expr
        Where v lies; for ``float32`` and ``float64`` alike unless `intervals` says more.
    degree : mapping
        dtype -> degree, for the formats that it is for.
    meaning : str
        The approximation in words, for comments.
    """

    name: str
    target: Expr | dict[str, Expr]
    weight: Expr | dict[str, Expr]
    interval: dict[str, tuple[Expr, Expr]]
    degree: dict[str, int]
    meaning: str

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The formats that it is for."""
        return tuple(dtype for dtype in DTYPES if dtype in self.degree)

    def stated(self, dtype: str) -> tuple[Expr, Expr]:
        """Return target and weight in a format."""
        target, weight = (e[dtype] if isinstance(e, dict) else e for e in (self.target, self.weight))
        return target, weight


@dataclass(frozen=True)
class Elementary:
    """One elementary function.

    Attributes
    ----------
    name : str
        Its name in the emitted text.
    call : str
        The class of the SymPy function whose calls it computes. ``Sigmoid`` is 1/(1 + exp(-x)). Several
        may compute the same one: see :func:`symbp.elementary.tables.calls`.
    value : Expr
        The function of ``x`` that it computes, which is also what tests compare it with.
    method : str
        Range reduction and reconstruction, as one or two sentences.
    body : str
        The algorithm: assignments and a return, in ``x``. Numbers are of the kernel's type, but
        ``I(...)`` are integers of its size. Names in capitals are constants, and
        ``p = poly(NAME, v)`` is Horner's rule for a fitted polynomial, ``p = pieces(NAME, a)`` the
        same where coefficients are looked up for each number, and ``c = row(NAME, k)`` one such look.
    uses : tuple of str
        Other elementary functions that the body calls.
    reach : str
        The name of a constant: the algorithm holds for ``|x| <= reach``, and ``math`` has to
        take over beyond. Empty: it holds everywhere.
    source : str
    given : tuple of (str, str)
        Further arguments, each with the elementary function of x that it is.
    lanes : int
        Numbers that a register has to hold for it; 0: it needs none.
    alone : bool
        Whether it is for one sample at a time only, which waits for every step: it has fewer of them
        in a row, but no fewer in all.
    dtypes : tuple of str
        The number formats that it is for.
    """

    name: str
    call: str
    value: Expr
    method: str
    body: str
    uses: tuple[str, ...] = ()
    reach: str = ""
    source: str = ""
    given: tuple[tuple[str, str], ...] = ()
    lanes: int = 0
    alone: bool = False
    dtypes: tuple[str, ...] = DTYPES

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of its arguments."""
        return ("x", *(name for name, _ in self.given))

    def at(self, x: str) -> str:
        """Return the text of a call at x."""
        return f"{self.name}({', '.join([x, *(f'{of}({x})' for _, of in self.given)])})"

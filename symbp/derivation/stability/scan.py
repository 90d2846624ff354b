"""Where a formula overflows, is not a number, or has lost more than half of its digits.

Values computed in float32 or float64 are compared with exact ones at points of both signs,
spaced evenly in the logarithm; the ends of what is found are bisected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy

from symbp.algebra.nodes import with_numbers
from symbp.derivation.oracles.formula import number
from symbp.derivation.stability.numbers import Array, NotReal, exact, rounded
from symbp.derivation.stability.ranges import Kind, Verdict, ranges
from symbp.derivation.stability.rules import rewrite

DTYPES = ("float32", "float64")
# Below this an end of a range is shown as 0.
_NOTHING = 1e-290


@dataclass(frozen=True)
class Finding:
    """A range in which a formula, computed as it stands, is wrong.

    Attributes
    ----------
    low, high : float
        The range of the scanned variable; both are NaN where a NaN itself is swallowed.
    kind : {"overflow", "nan", "cancellation", "not real", "too large"}
        An intermediate value is too large; the value is NaN where the formula has a value,
        or is a number where the argument is NaN; more than half of the digits are lost; the
        formula has no real value; its value is a number that the type does not have.
    error : float
        The worst error, in units in the last place of the exact value.
    of : {"value", "derivative"}
    dtype : str
    variable : str
        The letter that the range is of: z, the weighted sum, or o, the output of a unit.
    """

    low: float
    high: float
    kind: Kind
    error: float
    of: Literal["value", "derivative"]
    dtype: str
    variable: str = "z"

    @property
    def what(self) -> str:
        """What is wrong, as a verb."""
        return {
            "overflow": "overflows",
            "nan": "is not a number",
            "cancellation": "loses more than half of its digits"
            if self.error > half_of_the_digits(self.dtype)
            else f"is off by up to {self.error:.2g} units in the last place",
            "not real": "has no real value",
            "too large": "itself overflows",
        }[self.kind]

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f"the {self.of} is a number where its argument is NaN"
        return f"the {self.of} {self.what} {place(self.variable, self.low, self.high)} in {self.dtype}"


def place(variable: str, low: float, high: float) -> str:
    """Say where a variable is: ``for z >= 710``."""
    low, high = (0.0 if abs(x) < _NOTHING else x for x in (low, high))
    if low == high:
        return f"at {variable} = {low:.3g}"
    if math.isinf(low) and math.isinf(high):
        return f"for every {variable}"
    if math.isinf(high):
        return f"for {variable} >= {low:.3g}"
    if math.isinf(low) or (low == 0 and variable.startswith("|")):
        return f"for {variable} <= {high:.3g}"
    return f"for {low:.3g} <= {variable} <= {high:.3g}"


def scan_expression(
    expr: Any,
    dtype: str,
    of: Literal["value", "derivative"] = "value",
    reference: Any = None,
    variable: str = "z",
    others: Mapping[str, float] | None = None,
    through: Mapping[str, tuple[Any, Any]] | None = None,
    domain: tuple[float, float] = (-math.inf, math.inf),
    floor: float = 0.0,
    limit: float | None = None,
    ends: bool = True,
    sparse: bool = False,
) -> tuple[Finding, ...]:
    """Scan one expression over the line.

    Parameters
    ----------
    expr : sympy.Expr
        What is computed.
    dtype : {"float32", "float64"}
    of : str
        What the findings are said to be of.
    reference : sympy.Expr, optional
        What should come out; `expr` if left out. It is evaluated in the form that the rules
        give it, which needs fewer digits to be exact.
    variable : str
        The name of the letter that runs over the line.
    others : mapping, optional
        Numbers of the other letters.
    through : mapping, optional
        Letters that are themselves computed from the variable (the output of a unit):
        name -> (what is computed, what should come out).
    domain : tuple of float
        The open interval in which the variable lies.
    floor : float
        Errors are measured against at least this value.
    limit : float, optional
        The error in units in the last place from which on it is found; by default half of
        the digits.
    ends : bool
        Whether the ends of ranges are bisected; else they are points of the scan.
    sparse : bool
        Whether a fifth of the points will do.

    Returns
    -------
    tuple of Finding
        In the order of the line, one for each range and kind.
    """
    probe = _Probe(expr, dtype, reference, variable, others or {}, through or {}, floor, limit, of == "value")
    if not probe.expr.free_symbols:
        return ()
    points = _points(probe.expr, variable, dtype, domain, sparse)
    verdicts = probe.verdicts(points)
    found = [
        Finding(*ends, kind, worst, of, dtype, variable)
        for ends, kind, worst in ranges(points, verdicts, probe.verdicts, ends)
    ]
    if of == "value" and probe.swallows_nan():
        found.append(Finding(math.nan, math.nan, "nan", math.inf, of, dtype, variable))
    return tuple(found)


def largest_error(
    expr: Any, dtype: str, reference: Any, through: Mapping[str, tuple[Any, Any]], floor: float
) -> float:
    """Return the largest error in units in the last place at points where nothing is found, to two digits.

    Next to a root other than 0 a unit is that of at least the values beside it.
    """
    probe = _Probe(expr, dtype, reference, "z", {}, through, floor, None)
    if not probe.expr.free_symbols:
        return 0.0
    points = _points(probe.expr, "z", dtype, (-math.inf, math.inf), sparse=False)
    found = zip(points.tolist(), probe.verdicts(points), strict=True)
    errors = (probe.beside_root(point, error) for point, (kind, error) in found if kind is None)
    return float(f"{max(errors, default=0.0):.2g}")


# A root is near where values this far on both sides differ in sign.
_BESIDE, _NEAR = 0.25, 20.0


def beside_root(point: float, true: Callable[[float], Any]) -> float:
    """Return the larger one of the values on both sides of a near root; 0 where there is none, or it is 0."""
    if not _BESIDE <= abs(point) <= _NEAR:
        return 0.0
    low, high = (true(point + step) for step in (-_BESIDE, _BESIDE))
    return float(max(abs(low), abs(high))) if low * high <= 0 else 0.0


def scan_size(
    expr: Any,
    dtype: str,
    variable: str = "z",
    others: Mapping[str, float] | None = None,
    of: Literal["value", "derivative"] = "value",
) -> tuple[Finding, ...]:
    """Find where the exact value of an expression is larger than every number of a type.

    No other form can help there, so :func:`scan_expression` leaves these ranges out.
    """
    probe = _Size(expr, dtype, None, variable, others or {}, {}, 0.0, None)
    if not probe.expr.free_symbols:
        return ()
    points = _points(probe.expr, variable, dtype, (-math.inf, math.inf), sparse=False)
    return tuple(
        Finding(low, high, kind, worst, of, dtype, variable)
        for (low, high), kind, worst in ranges(points, probe.verdicts(points), probe.verdicts, ends=True)
        if low < high  # a point alone is a pole: there is no value
    )


def half_of_the_digits(dtype: str) -> float:
    """Return the error, in units in the last place, that leaves half of the digits right."""
    return float(2 ** ((np.finfo(dtype).nmant + 1) // 2))


def put_in(expr: Any, through: Mapping[str, tuple[Any, Any]]) -> Any:
    """Put in what the letters of `through` should be, but not into the conditions of case distinctions.

    SymPy would write a comparison of cases there, which nothing here reads.
    """
    conditions: dict[Any, Any] = {
        r: sympy.Dummy() for r in expr.atoms(sympy.core.relational.Relational) if r.free_symbols
    }
    values = {sympy.Symbol(name, real=True): true for name, (_, true) in through.items()}
    put = expr.xreplace(conditions).xreplace(values)
    return put.xreplace({dummy: r for r, dummy in conditions.items()})


class _Probe:
    """Compares the computed with the exact value at given points."""

    def __init__(
        self,
        expr: Any,
        dtype: str,
        reference: Any,
        variable: str,
        others: Mapping[str, float],
        through: Mapping[str, tuple[Any, Any]],
        floor: float,
        limit: float | None,
        of_outputs: bool = False,
    ) -> None:
        self.expr = with_numbers(expr)
        stated = put_in(expr if reference is None else reference, through)
        letters = {letter.name for letter in stated.free_symbols}
        self.true_through = tuple(
            (name, with_numbers(value)) for name, (_, value) in through.items() if name in letters
        )
        self.reference = rewrite(with_numbers(stated))[0]
        self.dtype = np.dtype(dtype).type
        self.info = np.finfo(dtype)
        self.variable = variable
        self.others = others
        self.through = through
        self.floor = max(floor, float(self.info.smallest_normal))
        self.limit = half_of_the_digits(dtype) if limit is None else limit
        self.of_outputs = of_outputs
        self.outputs = {name: (own, with_numbers(true)) for name, (own, true) in through.items()}

    def computed(self, points: Array) -> tuple[Array, Array]:
        """Return the computed values, and where a part of them was infinite."""
        values = {self.variable: points}
        values |= {name: np.full_like(points, x) for name, x in self.others.items()}
        for name, (expr, _) in self.through.items():
            values[name], _ = rounded(with_numbers(expr), values, self.dtype)
        return rounded(self.expr, values, self.dtype)

    def true(self, point: float) -> Any:
        values = {self.variable: point, **{name: float(self.dtype(x)) for name, x in self.others.items()}}
        return exact(self.reference, values, self.true_through)

    def verdicts(self, points: Array) -> list[Verdict]:
        columns = (points.tolist(), *(column.tolist() for column in self.computed(points)))
        return [self.verdict(*row) for row in zip(*columns, strict=True)]

    def verdict(self, point: float, computed: float, overflowed: bool) -> Verdict:
        try:
            true = self.true(point)
        except NotReal:
            return ("not real", math.inf) if not math.isfinite(computed) else (None, 0.0)
        largest = float(self.info.max)
        if abs(true) > largest:  # the formula itself leaves the type
            return None, 0.0
        if math.isnan(computed):
            return "nan", math.inf
        if math.isinf(computed):
            return "overflow", math.inf
        tiny = float(self.info.smallest_normal)
        if abs(true) < tiny and abs(computed) <= tiny:
            return None, 0.0
        unit = self._unit(max(abs(true), self.floor))
        error = float(abs(true - computed) / unit)
        if error <= self.limit or error <= self.limit * float(self._moved(point, true) / unit):
            return None, error
        if self.of_outputs and error <= self.limit * float(self._moved_by_output(point) / unit):
            return None, error
        return ("overflow" if overflowed else "cancellation"), error

    def _unit(self, size: Any) -> Any:
        """Return a unit in the last place of a size, as an exact number.

        NumPy's is 0 for small sizes where a library has switched subnormal numbers off.
        """
        _, exponent = math.frexp(float(self.dtype(float(size))))
        return number(2) ** (exponent - 1 - self.info.nmant)

    def beside_root(self, point: float, error: float) -> float:
        """Return an error in the units of the values beside a root, where the point is near one."""
        try:
            size, near = abs(self.true(point)), beside_root(point, self.true)
        except NotReal:
            return error
        here = max(size, self.floor)
        return error if near <= here else error * float(self._unit(here) / self._unit(near))

    def _moved(self, point: float, true: Any) -> Any:
        """How far the exact value moves when the argument does by a unit in the last place.

        No way of computing it is better than this where the formula is that sensitive, or switches there.
        """
        return max(self._moved_to(point, true, end) for end in (-np.inf, np.inf))

    def _moved_to(self, point: float, true: Any, end: float) -> Any:
        try:
            return abs(self.true(float(np.nextafter(self.dtype(point), self.dtype(end)))) - true)
        except (NotReal, OverflowError):
            return number(0)

    def _moved_by_output(self, point: float) -> Any:
        """How far the value moves when what it is computed from does by a unit in its last place."""
        try:
            known = {self.variable: point, **{name: float(self.dtype(x)) for name, x in self.others.items()}}
            outputs = {name: exact(true, known) for name, (_, true) in self.outputs.items()}
            at = exact(self.expr, {**known, **outputs})
            beside = {name: x + self._unit(abs(x)) for name, x in outputs.items()}
            return abs(exact(self.expr, {**known, **beside}) - at)
        except (NotReal, OverflowError):
            return number(0)

    def swallows_nan(self) -> bool:
        """Whether a NaN goes in and a number comes out."""
        if not self.expr.has(sympy.Piecewise):
            return False
        return not bool(np.isnan(self.computed(np.array([np.nan], self.dtype))[0][0]))


class _Size(_Probe):
    """Asks only whether the exact value is too large."""

    def verdicts(self, points: Array) -> list[Verdict]:
        return [self._size(point) for point in points.tolist()]

    def _size(self, point: float) -> Verdict:
        try:
            large = abs(self.true(point)) > float(self.info.max)
        except NotReal:
            return None, 0.0
        return ("too large", math.inf) if large else (None, 0.0)


_EXPONENTS = (
    *(-300, -200, -100, -50, -30, -25),
    *(e / 2 for e in range(-40, 9)),
    *(5, 6, 7, 8, 10, 13, 16, 19, 20, 25, 30, 50, 100, 150, 153, 155, 200, 300),
)
# Where exponentials leave float32 and float64, and what the tests ask for.
_SIZES = (15, 20, 30, 40, 50, 60, 80, 86, 88, 90, 92, 104, 200, 400, 700, 708, 712, 720, 745, 800)
_FEW = (-300, -30, -20, -16, -12, -9, -6, -4, -3, -2, -1, 0, 0.5, 1, 2, 3, 6, 10, 100)
_FEW_SIZES = (20, 40, 90, 720, 800)


def _points(expr: Any, variable: str, dtype: str, domain: tuple[float, float], sparse: bool) -> Array:
    """Return points of both signs, 0, and the kinks with what lies beside them."""
    info, kind = np.finfo(dtype), np.dtype(dtype).type
    exponents, larger = (_FEW, _FEW_SIZES) if sparse else (_EXPONENTS, _SIZES)
    sizes = [10.0**e for e in exponents if float(info.smallest_normal) < 10.0**e < float(info.max)]
    points = [sign * size for size in (*sizes, *larger) for sign in (-1, 1)]
    points += [1 - size for size in sizes if size < 1]  # the other end of the unit interval
    for relation in expr.atoms(sympy.core.relational.Relational):
        numbers = [float(side) for side in relation.args if side.is_Rational]
        points += [x * factor for x in numbers for factor in (1, 1 - 1e-3, 1 + 1e-3)]
    low, high = domain
    return np.array(sorted({kind(x) for x in (0, *points) if low < kind(x) < high}), dtype)

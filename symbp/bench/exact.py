"""The exact values of the elementary functions, and errors in units in the last place (ulp).

float32 is compared with NumPy's float64, whose own error is below a millionth of a float32 ulp;
float64 with mpmath. Neither knows the emitted arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbp.elementary.constants import constants
from symbp.elementary.records import FORMATS

Array = NDArray[Any]
Floats = NDArray[np.float64]

_PRECISION = 120  # bits; erf and tanh near 0, sin near a multiple of pi are handled by mpmath itself


@dataclass(frozen=True)
class Oracle:
    """Where the value of one function is taken from, and where it is looked at.

    Attributes
    ----------
    rough : callable
        NumPy's function, of float64 or longer.
    fine : callable
        mpmath's.
    span : tuple of float
        Where the function changes in float32 and float64: points are dense there.
    typical : tuple of float
        Arguments as they occur in networks: where the time is taken.
    """

    rough: Callable[[Floats], Floats]
    fine: Callable[[Any], Any]
    span: tuple[float, float]
    typical: tuple[float, float] = (-8.0, 8.0)


def _each(function: Callable[[float], float]) -> Callable[[Floats], Floats]:
    """Return a function of ``math``, which NumPy does not have, of every element."""
    return lambda x: np.fromiter(map(function, x.astype(np.float64).tolist()), np.float64, x.size)


_erfc = _each(math.erfc)


def _tail(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of mpmath that has reached its limit by 1000: it gives up on larger ones."""
    return lambda x: function(max(min(x, mpmath.mpf(1000)), mpmath.mpf(-1000)))


_NORMAL = Oracle(lambda x: _erfc(-x * math.sqrt(0.5)) / 2, _tail(mpmath.ncdf), (-40.0, 9.0), (-4.0, 4.0))

ORACLES: dict[str, Oracle] = {
    "exp": Oracle(np.exp, mpmath.exp, (-750.0, 712.0)),
    "exp_by_roots": Oracle(np.exp, mpmath.exp, (-750.0, 712.0)),
    "expm1": Oracle(np.expm1, mpmath.expm1, (-45.0, 712.0)),
    "log": Oracle(np.log, mpmath.log, (0.0, 16.0), (0.0, 16.0)),
    "log1p": Oracle(np.log1p, mpmath.log1p, (-1.0, 16.0), (-0.9, 8.0)),
    "tanh": Oracle(np.tanh, mpmath.tanh, (-20.0, 20.0)),
    "tanh_by_pieces": Oracle(np.tanh, mpmath.tanh, (-20.0, 20.0)),
    "sigmoid": Oracle(lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (1 + mpmath.exp(-x)), (-750.0, 45.0)),
    "erf": Oracle(_each(math.erf), mpmath.erf, (-6.5, 6.5), (-4.0, 4.0)),
    "gauss": Oracle(lambda x: np.exp(-x * x), lambda x: mpmath.exp(-x * x), (-28.0, 28.0), (-4.0, 4.0)),
    "half_gauss": Oracle(
        lambda x: np.exp(-x * x / 2), lambda x: mpmath.exp(-x * x / 2), (-40.0, 40.0), (-4.0, 4.0)
    ),
    "erfc": Oracle(_erfc, _tail(mpmath.erfc), (-6.0, 28.0), (-4.0, 4.0)),
    "normal_cdf": _NORMAL,
    "normal_cdf_by": _NORMAL,
    "sin": Oracle(np.sin, mpmath.sin, (-10.0, 10.0)),
    "cos": Oracle(np.cos, mpmath.cos, (-10.0, 10.0)),
    "arctan": Oracle(np.arctan, mpmath.atan, (-10.0, 10.0)),
}


def points(name: str, dtype: str, count: int, seed: int = 0) -> Array:
    """Return about `count` arguments within the function's reach, and the special ones.

    A third are random bit patterns, so that every exponent and the subnormal numbers occur; a
    third are dense where the function changes, a third between -2 and 2. The special ones are zeros,
    infinities, NaN, the ends of the format, every constant of the algorithms and its neighbours.
    For sin and cos, the numbers nearest to multiples of pi/2 as well.
    """
    form, rng = FORMATS[dtype], np.random.default_rng(seed)
    integer, real = np.dtype(form.integer), np.dtype(dtype)
    third = count // 3
    low, high = np.iinfo(integer).min, np.iinfo(integer).max
    patterns = rng.integers(low, high, third, dtype=integer, endpoint=True).view(real)
    dense = rng.uniform(*ORACLES[name].span, third).astype(real)
    middle = rng.uniform(-2, 2, third).astype(real)
    parts = [special_points(dtype), patterns, dense, middle]
    if name in ("sin", "cos"):
        parts += [
            _near_right_angles(dtype, count // 10),
            rng.uniform(-1, 1, third).astype(real) * real.type(far(dtype)),
        ]
    x = np.concatenate(parts)
    return x[~(np.abs(x) > far(dtype))] if name in ("sin", "cos") else x


def far(dtype: str) -> float:
    """Return how far sin and cos reach."""
    return float(constants(dtype)["FAR"])


def special_points(dtype: str) -> Array:
    """Return zeros, infinities, NaN, the ends of the format and the constants, with neighbours and signs."""
    real = np.dtype(dtype).type
    info = np.finfo(dtype)
    values = [
        0.0, info.smallest_subnormal, info.tiny, info.max, info.eps, 1.0, 2.0, 0.5, np.inf, np.nan,
        *(float(c) for c in constants(dtype).values() if isinstance(c, float)),
    ]  # fmt: skip
    around = [np.array(values, real)]
    # What NumPy's float64 neighbours of a number of float32 would be is no matter here.
    with np.errstate(all="ignore"):
        for end in (np.inf, -np.inf):
            x = around[0]
            for _ in range(3):
                x = np.nextafter(x, real(end))
                around.append(x)
    x = np.concatenate(around)
    return np.concatenate([x, -x])


def _near_right_angles(dtype: str, count: int) -> Array:
    last = int(far(dtype) * 2 / math.pi)
    every = max(1, last // max(count, 1))
    with mpmath.workprec(_PRECISION):
        half = mpmath.pi / 2
        return np.array([float(k * half) for k in range(1, last, every)]).astype(dtype)


def exact(name: str, x: Array) -> tuple[Array, Floats]:
    """Return the values rounded to the type of x, and what was lost, in ulp."""
    oracle = ORACLES[name]
    with np.errstate(all="ignore"):  # overflow and signalling NaN are among the points
        wide = x.astype(np.float64)
        rough = np.asarray(oracle.rough(wide))
        if x.dtype == np.float32:
            rounded = rough.astype(np.float32)
            finite = np.isfinite(rounded)
            lost = np.where(finite, rough - rounded.astype(np.float64), 0.0)
            return rounded, lost / ulp(rounded, lost)
    rest = np.zeros(x.shape)
    with mpmath.workprec(_PRECISION):
        for k in np.flatnonzero(np.isfinite(rough) & (wide != 0)):
            value = oracle.fine(mpmath.mpf(float(wide[k])))
            rough[k] = float(value)
            difference = value - mpmath.mpf(float(rough[k]))
            unit = ulp(rough[k : k + 1], np.array([float(mpmath.sign(difference))]))[0]
            rest[k] = float(difference / mpmath.mpf(float(unit)))
    return rough, rest


def ulp(rounded: Array, lost: Floats) -> Floats:
    """Return the unit in the last place of the values rounded + lost."""
    form = FORMATS[str(rounded.dtype)]
    fraction, exponent = np.frexp(rounded.astype(np.float64))
    # Just below a power of two the unit is half as large.
    below = (np.abs(fraction) == 0.5) & (np.sign(lost) == -np.sign(fraction))
    smallest = 1 - form.bias - form.bits
    last = np.where(rounded == 0, smallest, exponent - below - form.bits - 1)
    return np.ldexp(1.0, np.maximum(np.where(np.isfinite(rounded), last, 0), smallest))


def errors(found: Array, rounded: Array, lost: Floats) -> Floats:
    """Return the errors in ulp; infinite where only one of both is NaN or infinite, or a zero has no sign."""
    with np.errstate(all="ignore"):
        difference = (found.astype(np.float64) - rounded.astype(np.float64)) / ulp(rounded, lost) - lost
    same = (found == rounded) & (np.isinf(rounded) | (np.signbit(found) == np.signbit(rounded)))
    special = ~np.isfinite(rounded) | (rounded == 0) & (lost == 0)
    both_nan = np.isnan(found) & np.isnan(rounded)
    result = np.where(special, np.where(same | both_nan, 0.0, np.inf), np.abs(difference))
    return np.where(np.isnan(result), np.inf, result)

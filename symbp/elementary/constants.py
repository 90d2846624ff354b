"""The named constants of the algorithms, computed from what they are.

Nothing here is a pasted decimal. A constant that is split, such as ``log 2 = HIGH + LOW``, has so few
bits in its leading parts that their products with the whole numbers that occur are exact:
a reduced argument is then right to its last bit, with and without fused multiply-add.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath

from symbp.elementary.records import FORMATS, Format

DIGITS = 60
# Where erf changes from its polynomial to the exponential function.
ERF_NEAR = "1"
# Beyond this erf rounds to 1: 1 - erf(ERF_END) is below a quarter of a rounding.
ERF_END = {"float32": "4", "float64": "6"}
# Beyond these exp(-x^2) and exp(-x^2/2) are 0, and so are the tails that have them as a factor.
GAUSS_END = {"float32": "10.5", "float64": "27.5"}
HALF_GAUSS_END = {"float32": "15", "float64": "39"}
# The tails are polynomials in (x - K)/(x + K), which takes [0, infinity) to [-1, 1): K for each.
ERFC_MIDDLE = {"float32": "2", "float64": "4"}
NORMAL_MIDDLE = {"float32": "3", "float64": "6"}
# Nearer to 0 they differ from 1 and 1/2 by an odd polynomial: down to about half of these.
ERFC_NEAR = "0.47"
NORMAL_NEAR = "0.55"
# sin and cos: the largest whole number n of right angles is 2^TURNS.
TURNS = {"float32": 10, "float64": 20}
ANGLES = 4  # parts of pi/2
# Pieces of a function whose coefficients are looked up: the numbers of a register of 512 bits in float32.
PIECES, PIECES_AN_OCTAVE = 16, 4


@cache
def constants(dtype: str) -> dict[str, float | int]:
    """Return the value of every constant in a number format; whole numbers are integers' bits.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    """
    form = FORMATS[dtype]
    with mpmath.workdps(DIGITS):
        return {
            **_format(form),
            **_exponential(form),
            **_logarithm(form),
            **_circle(form),
            **_joints(form),
            **_pieces(form),
        }


def _format(form: Format) -> dict[str, float | int]:
    # Adding MAGIC rounds to a whole number, which then stands in the last bits.
    magic = 1.5 * 2.0**form.bits
    return {
        "SHIFT": form.bits,
        "MAGIC": magic,
        "MAGIC_BITS": bits_of(magic, form),
        # The upper half of a significand, whose square is exact.
        "UPPER_BITS": -(2 ** (form.bits - (form.bits + 1) // 2 + 1)),
        "INF": float("inf"),
        "NAN": float("nan"),
    }


def _exponential(form: Format) -> dict[str, float]:
    two = mpmath.mpf(2)
    least_normal, smallest = 1 - form.bias, 1 - form.bias - form.bits
    half = -(-form.bias // 2)
    high, low = split(mpmath.log(2), [form.bits + 1 - (form.bias + form.bits).bit_length(), 0], form)
    magic = 1.5 * 2.0**form.bits + form.bias
    return {
        "LOG2_E": form.round(1 / mpmath.log(2)),
        "LOG2_HIGH": high,
        "LOG2_LOW": low,
        # Below LEAST exp(x) rounds to 0, above MOST to infinity; a little further is harmless.
        "LEAST": float(mpmath.floor((smallest - 2) * mpmath.log(2))),
        "MOST": float(mpmath.ceil((form.bias + 1) * mpmath.log(2))),
        # 2^n in two factors, neither of which over- or underflows.
        "HALF": float(half),
        "MAGIC_CENTRE": magic,
        "MAGIC_DOWN": magic + half,
        "DOWN": float(two**-half),
        "LEAST_NORMAL": float(two**least_normal),
    }


def _logarithm(form: Format) -> dict[str, float | int]:
    raise_by = form.bits + 2
    return {
        "ROOT_HALF_BITS": bits_of(form.round(mpmath.sqrt(mpmath.mpf(1) / 2)), form),
        "RAISE": 2.0**raise_by,
        "RAISE_EXPONENT": float(raise_by),
    }


def _circle(form: Format) -> dict[str, float]:
    turns = TURNS[form.dtype]
    widths = [form.bits + 1 - turns] * (ANGLES - 1) + [0]
    parts = split(mpmath.pi / 2, widths, form)
    return {
        "TWO_OVER_PI": form.round(2 / mpmath.pi),
        **{f"RIGHT_{part}": value for part, value in enumerate(parts, 1)},
        "FAR": float(mpmath.floor(2**turns * mpmath.pi / 2)),
    }


def _joints(form: Format) -> dict[str, float]:
    half_high, half_low = split(mpmath.pi / 2, [form.bits + 1, 0], form)
    return {
        # Beyond, 2/(exp(2x) + 1) is below a quarter of a rounding of 1.
        "TANH_END": float(mpmath.ceil((form.bits + 4) * mpmath.log(2) / 2)),
        "ERF_NEAR": form.round(mpmath.mpf(ERF_NEAR)),
        "ERFC_NEAR": form.round(mpmath.mpf(ERFC_NEAR)),
        "NORMAL_NEAR": form.round(mpmath.mpf(NORMAL_NEAR)),
        "ERF_END": form.round(mpmath.mpf(ERF_END[form.dtype])),
        **{
            name: form.round(mpmath.mpf(value[form.dtype]))
            for name, value in (
                ("GAUSS_END", GAUSS_END),
                ("HALF_GAUSS_END", HALF_GAUSS_END),
                ("ERFC_MIDDLE", ERFC_MIDDLE),
                ("NORMAL_MIDDLE", NORMAL_MIDDLE),
            )
        },
        "TAN_1": form.round(mpmath.tan(mpmath.pi / 8)),
        "TAN_3": form.round(mpmath.tan(3 * mpmath.pi / 8)),
        "RIGHT_HIGH": half_high,
        "RIGHT_LOW": half_low,
    }


def _pieces(form: Format) -> dict[str, float | int]:
    # Beyond the end, tanh rounds to 1: what is missing is below half of the unit that 1 has below it.
    end = mpmath.ceil(16 * mpmath.atanh(1 - mpmath.mpf(2) ** -(form.bits + 2))) / 16
    octaves = PIECES // PIECES_AN_OCTAVE
    # a*scale + 1 stays below 2^octaves, also where the product is rounded.
    scale = mpmath.floor((2**octaves - 1) / end * 2**10) / 2**10
    magic = 1.5 * 2.0**form.bits + PIECES * form.bias
    # n is as many times as large as where exp is reduced by log 2.
    reach = PIECES * (form.bias + form.bits)
    high, low = split(mpmath.log(2) / PIECES, [form.bits + 1 - reach.bit_length(), 0], form)
    return {
        "ROOTS": float(PIECES),
        "ROOTS_LOG2_E": form.round(PIECES / mpmath.log(2)),
        "ROOT_HIGH": high,
        "ROOT_LOW": low,
        "ROOTS_MAGIC": magic,
        "ROOTS_SHIFT": (PIECES - 1).bit_length(),
        "PIECES_END": form.round(end),
        "PIECES_SCALE": form.round(scale),
        "PIECES_SHIFT": form.bits - (PIECES_AN_OCTAVE - 1).bit_length(),
    }


def split(value: Any, widths: list[int], form: Format) -> list[float]:
    """Return numbers whose sum is `value` to the last bit of the last one.

    Parameters
    ----------
    value : mpf
    widths : list of int
        The bits of each part; 0 for all that the format has.
    """
    parts = []
    for width in widths:
        if width:
            unit = mpmath.mpf(2) ** (int(mpmath.floor(mpmath.log(abs(value), 2))) + 1 - width)
            part = mpmath.nint(value / unit) * unit
        else:
            part = mpmath.mpf(form.round(value))
        parts.append(form.round(part))
        if parts[-1] != part:
            raise ArithmeticError(f"{width} bits of {value} are no number of {form.dtype}")
        value -= part
    return parts


def bits_of(value: float, form: Format) -> int:
    """Return the bits of a positive normal number of the format, read as an integer."""
    significand, exponent = mpmath.frexp(mpmath.mpf(value))
    fraction = int((2 * significand - 1) * 2**form.bits)
    return ((int(exponent) - 1 + form.bias) << form.bits) + fraction

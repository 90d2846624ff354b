"""The elementary functions, one record each, and the polynomials they are made of.

To add one, state it here and run ``make coefficients``: the printer, the accuracy table and
the tests take it from here.
"""

from __future__ import annotations

import sympy
from sympy import Rational, Symbol, atan, atanh, cos, erf, erfc, exp, log, pi, sin, sqrt, tan, tanh

from symbp.elementary.constants import (
    ERF_END,
    ERF_NEAR,
    ERFC_MIDDLE,
    ERFC_NEAR,
    GAUSS_END,
    HALF_GAUSS_END,
    NORMAL_MIDDLE,
    NORMAL_NEAR,
    TANH_NEAR,
)
from symbp.elementary.records import DTYPES, Elementary, Fit

x = Symbol("x", real=True)
v = Symbol("v", real=True)  # the variable of a polynomial; often the square of the argument
_root = sqrt(v)


def _both(low: sympy.Expr, high: sympy.Expr) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
    return dict.fromkeys(DTYPES, (low, high))


def _degrees(float32: int, float64: int) -> dict[str, int]:
    return {"float32": float32, "float64": float64}


def _tail(near: str, middle: dict[str, str], end: dict[str, str]) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
    """Return the interval of (x - K)/(x + K) for x from where a tail starts to its end."""
    found = {}
    for dtype in DTYPES:
        first, k, last = map(Rational, (near, middle[dtype], end[dtype]))
        found[dtype] = ((first - k) / (first + k), (last - k) / (last + k))
    return found


def _from_tail(middle: str) -> sympy.Expr:
    """Return the x whose (x - K)/(x + K) is v."""
    return Rational(middle) * (1 + v) / (1 - v)


# The s = f/(2 + f) of the largest f = m - 1 with m < sqrt(2).
_LOG_END = (sqrt(2) - 1) / (sqrt(2) + 1)
_ERF_NEAR = Rational(ERF_NEAR)
_ERFC = {dtype: _from_tail(ERFC_MIDDLE[dtype]) for dtype in DTYPES}
_NORMAL = {dtype: _from_tail(NORMAL_MIDDLE[dtype]) for dtype in DTYPES}

FITS: dict[str, Fit] = {
    fit.name: fit
    for fit in (
        Fit(
            "EXP",
            (exp(v) - 1 - v) / v**2,
            v**2 / exp(v),
            _both(-log(2) / 2, log(2) / 2),
            _degrees(4, 9),
            "exp(r) = 1 + r + r^2 P(r)",
        ),
        Fit(
            "LOG",
            (2 * atanh(_root) - 2 * _root) / _root**3,
            _root**3 / (2 * atanh(_root)),
            _both(sympy.S.Zero, _LOG_END**2),
            _degrees(2, 6),
            "log((1 + s)/(1 - s)) = 2 s + s^3 P(s^2)",
        ),
        Fit(
            "TANH",
            (tanh(_root) / _root - 1) / v,
            v * _root / tanh(_root),
            _both(sympy.S.Zero, Rational(TANH_NEAR) ** 2),
            _degrees(4, 9),
            "tanh(x) = x + x^3 P(x^2)",
        ),
        Fit(
            "ERF",
            erf(_root) / _root - 1,
            _root / erf(_root),
            _both(sympy.S.Zero, _ERF_NEAR**2),
            _degrees(6, 12),
            "erf(x) = x + x P(x^2)",
        ),
        Fit(
            "ERFC",
            log(erfc(v)),
            erfc(v) / erf(v),
            {dtype: (_ERF_NEAR, Rational(ERF_END[dtype])) for dtype in DTYPES},
            _degrees(7, 18),
            "log(1 - erf(x)) = P(x)",
        ),
        Fit(
            "ERFC_TAIL",
            {k: (1 + 2 * u) * exp(u**2) * erfc(u) - 1 for k, u in _ERFC.items()},
            {k: 1 / ((1 + 2 * u) * exp(u**2) * erfc(u)) for k, u in _ERFC.items()},
            _tail(ERFC_NEAR, ERFC_MIDDLE, GAUSS_END),
            _degrees(9, 21),
            "(1 + 2 x) exp(x^2) (1 - erf(x)) = 1 + P((x - K)/(x + K))",
        ),
        Fit(
            "NORMAL",
            erf(_root / sqrt(2)) / (2 * _root),
            _root / (1 - erf(_root / sqrt(2))),
            _both(sympy.S.Zero, Rational(NORMAL_NEAR) ** 2),
            _degrees(3, 8),
            "(1 + erf(x/sqrt(2)))/2 = 1/2 + x P(x^2)",
        ),
        Fit(
            "NORMAL_TAIL",
            {
                k: (1 + 3 * u / 2) * exp(u**2 / 2) * erfc(u / sqrt(2)) / 2 - Rational(1, 2)
                for k, u in _NORMAL.items()
            },
            {k: 2 / ((1 + 3 * u / 2) * exp(u**2 / 2) * erfc(u / sqrt(2))) for k, u in _NORMAL.items()},
            _tail(NORMAL_NEAR, NORMAL_MIDDLE, HALF_GAUSS_END),
            _degrees(8, 22),
            "(1 + 3 x/2) exp(x^2/2) (1 - erf(x/sqrt(2)))/2 = 1/2 + P((x - K)/(x + K))",
        ),
        Fit(
            "SIN",
            (sin(_root) / _root - 1) / v,
            v * _root / sin(_root),
            _both(sympy.S.Zero, (pi / 4) ** 2),
            _degrees(3, 6),
            "sin(r) = r + r^3 P(r^2)",
        ),
        Fit(
            "COS",
            (cos(_root) - 1 + v / 2) / v**2,
            v**2 / cos(_root),
            _both(sympy.S.Zero, (pi / 4) ** 2),
            _degrees(2, 5),
            "cos(r) = 1 - r^2/2 + r^4 P(r^2)",
        ),
        Fit(
            "ATAN",
            (atan(_root) / _root - 1) / v,
            v * _root / atan(_root),
            _both(sympy.S.Zero, tan(pi / 8) ** 2),
            _degrees(4, 10),
            "arctan(t) = t + t^3 P(t^2)",
        ),
    )
}

# exp(x) = 2^n (1 + q), a = 2^n 2^m for magic = 3/2 2^bits + bias + m: adding it rounds to a whole number,
# and leaves the exponent of a in the last bits.
_EXP_REDUCTION = """\
t = x*LOG2_E + magic
n = t - magic
h = x - n*LOG2_HIGH
l = n*LOG2_LOW
r = h - l
p = poly(EXP, r)
q = h + (r*r*p - l)
a = I(F(t).view(I) << I(SHIFT)).view(F)
"""

# Both factors of 2^n = a b are normal numbers wherever exp(x) is not 0 or infinity: b = 2^half with half = 64
# (512) and the sign of x. By arithmetic, because a choice would be a branch outside of vectors.
_EXP_RANGE = """\
x = max(min(x, MOST), LEAST)
half = math.copysign(HALF, x)
b = I(F(MAGIC_CENTRE + half).view(I) << I(SHIFT)).view(F)
magic = MAGIC_CENTRE - half
"""

# x^2 = square + rest, to almost twice the digits: the upper half of x has an exact square.
_SQUARE = """\
high = I(F(a).view(I) & I(UPPER_BITS)).view(F)
exact = high*high
low = (a - high)*(a + high)
square = exact + low
rest = low - (square - exact)
"""

_ANGLE_REDUCTION = """\
t = x*TWO_OVER_PI + MAGIC
n = t - MAGIC
k = F(t).view(I)
h = x - n*RIGHT_1
l = n*RIGHT_2
r = h - l
l = ((h - r) - l) - n*RIGHT_3 - n*RIGHT_4
r = r + l
z = r*r
p = poly(SIN, z)
s = r + r*(z*p)
p = poly(COS, z)
c = 1 - (z/2 - z*z*p)
"""

_ANGLE_METHOD = (
    "x = n pi/2 + r with |r| <= pi/4 and pi/2 in four parts (Cody and Waite); "
    "n modulo 4 chooses between sin(r) and cos(r) and the sign"
)

FUNCTIONS: dict[str, Elementary] = {
    record.name: record
    for record in (
        Elementary(
            "exp",
            "exp",
            exp(x),
            "x = n log 2 + r with |r| <= log(2)/2, exp(x) = 2^n exp(r); "
            "2^n in two factors, so that small results lose bits only once",
            _EXP_RANGE + _EXP_REDUCTION + "return (q*a + a)*b\n",
            source="Cody and Waite 1980, chapter 6",
        ),
        Elementary(
            "expm1",
            "expm1",
            exp(x) - 1,
            "x = n log 2 + r with |r| <= log(2)/2, exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1)",
            """\
given = x
"""
            + _EXP_RANGE
            + _EXP_REDUCTION
            + """\
y = (q*a + (a - I(F(MAGIC_CENTRE - half).view(I) << I(SHIFT)).view(F)))*b
y = q if n == 0 else y
return given if given == 0 else y
""",
        ),
        Elementary(
            "log",
            "log",
            log(x),
            "x = 2^n m with sqrt(1/2) <= m < sqrt(2), log(m) = log((1 + s)/(1 - s)) with s = (m - 1)/(m + 1)",
            """\
small = x < LEAST_NORMAL
y = x*RAISE if small else x
k = F(y).view(I)
n = I(k - I(ROOT_HALF_BITS)) >> I(SHIFT)
m = I(k - I(n << I(SHIFT))).view(F)
e = I(n + I(MAGIC_BITS)).view(F) - MAGIC
e = e - RAISE_EXPONENT if small else e
f = m - 1
s = f/(f + 2)
z = s*s
p = poly(LOG, z)
h = f*f/2
y = e*LOG2_HIGH - ((h - (s*(h + z*p) + e*LOG2_LOW)) - f)
y = y if x < INF else x
y = y if x > 0 else (-INF if x == 0 else NAN)
return x if x != x else y
""",
            source="Ng 1993 (FDLIBM)",
        ),
        Elementary(
            "log1p",
            "log1p",
            log(1 + x),
            "as log for 1 + x; what the sum lost is added to the logarithm as a share of the sum",
            """\
u = 1 + x
k = F(u).view(I)
n = I(k - I(ROOT_HALF_BITS)) >> I(SHIFT)
m = I(k - I(n << I(SHIFT))).view(F)
e = I(n + I(MAGIC_BITS)).view(F) - MAGIC
lost = (1 - (u - x) if x > 1 else x - (u - 1))/u
lost = 0 if e == 0 else lost
f = x if e == 0 else m - 1
s = f/(f + 2)
z = s*s
p = poly(LOG, z)
h = f*f/2
y = e*LOG2_HIGH - ((h - (s*(h + z*p) + (e*LOG2_LOW + lost))) - f)
y = y if x < INF else x
y = y if x > -1 else (-INF if x == -1 else NAN)
return x if x == 0 or x != x else y
""",
            source="Ng 1993 (FDLIBM)",
        ),
        Elementary(
            "tanh",
            "tanh",
            tanh(x),
            "tanh|x| = 1 - 2/(exp(2|x|) + 1), near 0 a polynomial; the sign is put back",
            """\
a = abs(x)
e = exp(a + a)
z = a*a
p = poly(TANH, z)
y = a + a*(z*p) if a < TANH_NEAR else 1 - 2/(e + 1)
return math.copysign(y, x)
""",
            uses=("exp",),
        ),
        Elementary(
            "sigmoid",
            "Sigmoid",
            1 / (1 + exp(-x)),
            "e/(1 + e) or 1/(1 + e) with e = exp(-|x|), which cannot overflow; "
            "what exp and the sum lost is put back to first order",
            """\
negative = x < 0
x = max(-abs(x), LEAST)
magic = MAGIC_DOWN
"""
            + _EXP_REDUCTION
            + """\
g = 1 + q
e = g*a*DOWN
d = (q - (g - 1))*a*DOWN
u = 1 + e
lost = (e - (u - 1)) + d
y = (e if negative else 1)/u
return y + ((d if negative else 0) - y*lost)*((1 - y) if negative else y)
""",
        ),
        Elementary(
            "erf",
            "erf",
            erf(x),
            "erf|x| = 1 - exp(P(|x|)), near 0 a polynomial; the sign is put back",
            """\
a = abs(x)
z = a*a
p = poly(ERF, z)
b = min(a, ERF_END)
g = poly(ERFC, b)
e = exp(g)
y = a + a*p if a < ERF_NEAR else 1 - e
return math.copysign(y, x)
""",
            uses=("exp",),
        ),
        Elementary(
            "gauss",
            "Gauss",
            exp(-(x**2)),
            "exp(-s) for the rounded square s, and what the square lost to first order",
            "a = min(abs(x), GAUSS_END)\n"
            + _SQUARE
            + """\
e = exp(-square)
return e - e*rest
""",
            uses=("exp",),
        ),
        Elementary(
            "half_gauss",
            "HalfGauss",
            exp(-(x**2) / 2),
            "exp(-s/2) for the rounded square s, and what the square lost to first order",
            "a = min(abs(x), HALF_GAUSS_END)\n"
            + _SQUARE
            + """\
e = exp(-0.5*square)
return e - e*(0.5*rest)
""",
            uses=("exp",),
        ),
        Elementary(
            "erfc",
            "Erfc",
            1 - erf(x),
            "exp(-x^2) (1 + P)/(1 + 2|x|) above 0, and 2 minus that below; near 0, 1 - erf(x)",
            "a = min(abs(x), GAUSS_END)\n"
            + _SQUARE
            + """\
v = (a - ERFC_MIDDLE)/(a + ERFC_MIDDLE)
p = poly(ERFC_TAIL, v)
e = exp(-square)
y = (e + e*(p - rest*(1 + p)))/(1 + 2*a)
z = x*x
p = poly(ERF, z)
y = 2 - y if x < 0 else y
return 1 - (x + x*p) if a < ERFC_NEAR else y
""",
            uses=("exp",),
            source="Shepherd and Laframboise 1981",
        ),
        Elementary(
            "normal_cdf",
            "NormalCdf",
            erfc(-x / sqrt(2)) / 2,
            "exp(-x^2/2) (1/2 + P)/(1 + 3|x|/2) below 0, and 1 minus that above; near 0 a polynomial",
            "a = min(abs(x), HALF_GAUSS_END)\n"
            + _SQUARE
            + """\
v = (a - NORMAL_MIDDLE)/(a + NORMAL_MIDDLE)
p = poly(NORMAL_TAIL, v)
e = exp(-0.5*square)
y = (0.5*e + e*(p - rest*(0.25 + 0.5*p)))/(1 + 1.5*a)
z = x*x
p = poly(NORMAL, z)
y = 1 - y if x > 0 else y
return 0.5 + x*p if a < NORMAL_NEAR else y
""",
            uses=("exp",),
            source="Shepherd and Laframboise 1981",
        ),
        Elementary(
            "sin",
            "sin",
            sin(x),
            _ANGLE_METHOD,
            _ANGLE_REDUCTION
            + """\
y = s if (k & I(1)) == I(0) else c
y = y if (k & I(2)) == I(0) else -y
return x if x == 0 else y
""",
            reach="FAR",
            source="Cody and Waite 1980, chapter 8",
        ),
        Elementary(
            "cos",
            "cos",
            cos(x),
            _ANGLE_METHOD,
            _ANGLE_REDUCTION
            + """\
y = c if (k & I(1)) == I(0) else s
return y if ((k + I(1)) & I(2)) == I(0) else -y
""",
            reach="FAR",
            source="Cody and Waite 1980, chapter 8",
        ),
        Elementary(
            "arctan",
            "atan",
            atan(x),
            "arctan|x| = c + arctan(t) with t = |x|, (|x| - 1)/(|x| + 1) or -1/|x| and c = 0, pi/4 or pi/2, "
            "so that |t| <= tan(pi/8); the sign is put back",
            """\
a = abs(x)
above = -1 if a > TAN_3 else (a - 1 if a > TAN_1 else a)
below = a if a > TAN_3 else (a + 1 if a > TAN_1 else 1)
c = 1 if a > TAN_3 else (0.5 if a > TAN_1 else 0)
t = above/below
z = t*t
p = poly(ATAN, z)
y = c*RIGHT_HIGH + (t + (t*(z*p) + c*RIGHT_LOW))
return math.copysign(y, x)
""",
            source="Cephes, atan.c",
        ),
    )
}

# The class of SymPy's function -> the record that computes its calls.
CALLS: dict[str, Elementary] = {record.call: record for record in FUNCTIONS.values()}

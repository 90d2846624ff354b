"""The elementary functions, one record each.

To add one, state it here, and its polynomials in :mod:`.approximations`, and run ``make coefficients``:
the printer, the accuracy table and the tests take it from here.
"""

from __future__ import annotations

from sympy import Symbol, atan, cos, erf, erfc, exp, log, sin, sqrt, tanh

from symbp.elementary.approximations import FITS as FITS
from symbp.elementary.approximations import v as v
from symbp.elementary.constants import PIECES
from symbp.elementary.records import Elementary

x = Symbol("x", real=True)

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
# The normal distribution below 0, by its density, and above; near 0 another polynomial.
_NORMAL_TAIL = """\
v = (a - NORMAL_MIDDLE)/(a + NORMAL_MIDDLE)
p = poly(NORMAL_TAIL, v)
"""
_NORMAL_END = """\
z = x*x
p = poly(NORMAL, z)
y = 1 - y if x > 0 else y
return 0.5 + x*p if a < NORMAL_NEAR else y
"""

# Both factors of 2^n = a b are normal numbers wherever exp(x) is not 0 or infinity: b = 2^half with half = 64
# (512) and the sign of x. By arithmetic, because a choice would be a branch outside of vectors.
_EXP_RANGE = """\
half = math.copysign(HALF, x)
x = max(min(x, MOST), LEAST)
b = I(F(MAGIC_CENTRE + half).view(I) << I(SHIFT)).view(F)
"""
_EXP_MAGIC = "magic = MAGIC_CENTRE - half\n"

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
            _EXP_RANGE + _EXP_MAGIC + _EXP_REDUCTION + "return (q*a + a)*b\n",
            source="Cody and Waite 1980, chapter 6",
        ),
        Elementary(
            "exp_by_roots",
            "exp",
            exp(x),
            "x = n log(2)/16 + r with |r| <= log(2)/32, exp(x) = 2^(n/16) exp(r); n/16 = k + j/16, and "
            "the root 2^(j/16) is looked up in a register, and 2^k is in two factors; few steps are in a row",
            _EXP_RANGE
            + """\
magic = ROOTS_MAGIC - ROOTS*half
t = x*ROOTS_LOG2_E + magic
n = t - magic
r = (x - n*ROOT_HIGH) - n*ROOT_LOW
p = poly(EXP_ROOT, r)
q = r*r*p + r
k = F(t).view(I)
c = row(EXP_ROOTS, k)
a = c*I(I(k >> I(ROOTS_SHIFT)) << I(SHIFT)).view(F)
return (q*a + a)*b
""",
            source="Tang 1989",
            lanes=PIECES,
            alone=True,
            dtypes=("float32",),
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
            + _EXP_MAGIC
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
            "tanh(u) = e/(e + 2) with e = exp(2u) - 1 = 2^n (exp(r) - 1) + (2^n - 1), 2u = n log 2 + r; u is "
            "-|x| near 0, where e + 2 is then below 2, and |x| beyond; the sign is put back",
            """\
given = x
a = min(abs(x), TANH_END)
x = math.copysign(a + a, a - 0.5)
t = x*LOG2_E + MAGIC_CENTRE
n = t - MAGIC_CENTRE
r = (x - n*LOG2_HIGH) - n*LOG2_LOW
p = poly(EXP, r)
q = r*r*p + r
a = I(F(t).view(I) << I(SHIFT)).view(F)
e = q*a + (a - 1)
y = e/(e + 2)
return math.copysign(y, given)
""",
        ),
        Elementary(
            "tanh_by_pieces",
            "tanh",
            tanh(x),
            "a polynomial in |x| - c for the piece c of |x|, which is found in the bits of a multiple of |x| "
            "plus 1; its coefficients are looked up in registers, and the sign is put back",
            """\
a = min(abs(x), PIECES_END)
y = pieces(TANH_PIECES, a)
return math.copysign(y, x)
""",
            source="Gal 1986",
            lanes=PIECES,
            dtypes=("float32",),
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
            + _NORMAL_TAIL
            + """\
e = exp(-0.5*square)
y = (0.5*e + e*(p - rest*(0.25 + 0.5*p)))/(1 + 1.5*a)
"""
            + _NORMAL_END,
            uses=("exp",),
            source="Shepherd and Laframboise 1981",
        ),
        Elementary(
            "normal_cdf_by",
            "NormalCdfBy",
            erfc(-x / sqrt(2)) / 2,
            "as normal_cdf, with exp(-x^2/2) given, which its derivative needs too",
            "a = min(abs(x), HALF_GAUSS_END)\n"
            + _NORMAL_TAIL
            + "y = e*(0.5 + p)/(1 + 1.5*a)\n"
            + _NORMAL_END,
            uses=("half_gauss",),
            given=(("e", "half_gauss"),),
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


def calls(lanes: int = 0, alone: bool = False) -> dict[str, Elementary]:
    """Return the record that computes the calls of each class of SymPy's, in registers of so many numbers.

    What is looked up in registers of that size comes before what needs none, and what is for one sample
    at a time before what is for any number, where there is no more than one.
    """
    fitting = (record for record in FUNCTIONS.values() if record.lanes in (0, lanes))
    return {record.call: record for record in fitting if alone or not record.alone}


CALLS = calls()

"""Named functions: expressions that lose digits as they are written, and forms that do not.

Each has a definition, which proofs put in its place, and a stable form, which kernels
compute. That both are equal is proved branch by branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy
from sympy import Abs, Expr, Function, Piecewise, exp, log
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.marks import First, Lowered, Raised

MAECHLER = 'Maechler 2012, "Accurately computing log(1 - exp(-|a|))"'

# Below this, exp(u) beside 1 is nothing in either type, however it is multiplied.
NOTHING = -40

# Beyond this size squares are avoided: below, nothing is near the end of a type.
FAR = 10

# The arguments of a named function where it is meant as such.
LETTERS = tuple(sympy.Symbol(name, real=True) for name in ("u", "v"))


class Named(Function):
    """A function with a name, a definition and a stable form.

    Attributes
    ----------
    title : str
        The name in kernels and, as an operator, on pages.
    reference : str
        Where the stable form is from.
    remark : str
        What the definition does not say, in a few words.
    has_limit : bool
        Whether the first branch of the stable form is not equal to the definition but what it
        tends to for u towards minus infinity: with x = exp(u), the definition lies between
        (1 - x) times that limit and the limit, as :meth:`compared` has them both.
        :func:`symbp.derivation.stability.enclosure.is_enclosed` proves it.
    """

    title: ClassVar[str]
    reference: ClassVar[str]
    remark: ClassVar[str] = ""
    has_limit: ClassVar[bool] = False
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """Differentiate the definition."""
        letters = LETTERS[: len(self.args)]
        derivative = self.func(*letters).defining().diff(letters[argindex - 1])
        return derivative.xreplace(dict(zip(letters, self.args, strict=True)))

    def defining(self) -> Expr:
        """Return the expression that the name stands for."""
        raise NotImplementedError

    def stable(self) -> Expr:
        """Return the form that kernels compute."""
        raise NotImplementedError

    def compared(self, value: Expr) -> Expr:
        """Return an increasing function of a value: bounds are stated of what it gives."""
        return value


class Softplus(Named):
    """log(1 + exp(u)), computed as max(u, 0) + log1p(exp(-|u|)).

    The sum 1 + exp(u) overflows for u > 709 and loses exp(u) for u < -37 in float64;
    the stable form does neither.
    """

    nargs = 1
    title = "softplus"
    reference = MAECHLER

    def defining(self) -> Expr:
        return log(1 + exp(self.args[0]))

    def stable(self) -> Expr:
        u = self.args[0]
        return Piecewise((0, u <= 0), (u, True)) + log1p(exp(-Abs(u)))


class LogSoftplus(Named):
    """log(log(1 + exp(u))), which is u where exp(u) is next to nothing.

    Softplus underflows for u < -745 in float64 (-104 in float32), where its logarithm is u.
    With x = exp(u), log(1 + x)/x lies between 1 - x and 1: for u <= -40 what is left out is
    below 1e-17, next to a value of 40.
    """

    nargs = 1
    title = "logsoftplus"
    reference = "x - x^2/2 <= log(1 + x) <= x for x >= 0"
    has_limit = True

    def defining(self) -> Expr:
        return log(log(1 + exp(self.args[0])))

    def stable(self) -> Expr:
        u = self.args[0]
        e = exp(-Abs(u))
        return Piecewise((u, u <= NOTHING), (log(log1p(e)), u <= 0), (log(u + log1p(e)), True))

    def compared(self, value: Expr) -> Expr:
        return exp(value)


class LogSoftplusSlope(Named):
    """sigmoid(u)/softplus(u), the derivative of log(softplus(u)), which is 1 where exp(u) is next to nothing.

    Both underflow for u < -745 in float64. With x = exp(u) it is x/((1 + x) log(1 + x)), between
    1 - x and 1: for u <= -40 what is left out is below 1e-17.
    """

    nargs = 1
    title = "logsoftplusslope"
    reference = "x/(1 + x) <= log(1 + x) <= x for x >= 0"
    has_limit = True

    def defining(self) -> Expr:
        u = self.args[0]
        return 1 / ((1 + exp(-u)) * log(1 + exp(u)))

    def stable(self) -> Expr:
        u = self.args[0]
        e = exp(-Abs(u))
        below, above = e / ((1 + e) * log1p(e)), 1 / ((1 + e) * (u + log1p(e)))
        return Piecewise((sympy.S.One, u <= NOTHING), (below, u <= 0), (above, True))

    def compared(self, value: Expr) -> Expr:
        return value * log(1 + exp(self.args[0]))


class Sigmoid(Named):
    """1/(1 + exp(-u)), computed with exp(-|u|): no exponent is positive.

    As it is written, exp(-u) overflows for u < -709 in float64, which is harmless alone
    (1/infinity is 0) and infinity over infinity beside another exponential.
    """

    nargs = 1
    title = "sigmoid"
    reference = 'Higham 2021, "What is the softmax function?", for two terms'

    def defining(self) -> Expr:
        return 1 / (1 + exp(-self.args[0]))

    def stable(self) -> Expr:
        u = self.args[0]
        e = exp(-Abs(u))
        # A NaN fails the comparison and stays one through e.
        return Piecewise((e, u <= 0), (1, True)) / (1 + e)


class LogCosh(Named):
    """log(cosh(u)), computed from E = expm1(-|u|) alone.

    cosh overflows for |u| > 710 in float64, and the logarithm of a number near 1 has lost
    u^2/2 for small u: cosh(u) - 1 = E^2/(2 (1 + E)) has not.
    """

    nargs = 1
    title = "logcosh"
    reference = "the addition theorem cosh(u) = 1 + 2 sinh(u/2)^2"

    def defining(self) -> Expr:
        return log(sympy.cosh(self.args[0]))

    def stable(self) -> Expr:
        size = Abs(self.args[0])
        e = expm1(-size)
        small = log1p(e**2 / (2 * (1 + e)))
        return Piecewise((small, size <= 1), (size + log1p((1 + e) ** 2) - log(2), True))


class LogAddExp(Named):
    """log(exp(u) + exp(v)), with the larger exponent taken out."""

    nargs = 2
    title = "logaddexp"
    reference = "the shift of log-sum-exp, for two terms"

    def defining(self) -> Expr:
        u, v = self.args
        return log(exp(u) + exp(v))

    def stable(self) -> Expr:
        u, v = self.args
        return Piecewise((v, u <= v), (u, True)) + log1p(exp(-Abs(u - v)))


class LogOneMinusExp(Named):
    """log(1 - exp(u)) for u < 0: from expm1 near 0, from log1p below -log 2."""

    nargs = 1
    title = "log1mexp"
    reference = f"{MAECHLER}, eq. 7"

    def defining(self) -> Expr:
        return log(1 - exp(self.args[0]))

    def stable(self) -> Expr:
        u = self.args[0]
        # -log 2 as a number of each dtype: either branch is accurate around it.
        return Piecewise((log1p(-exp(u)), u <= -sympy.Rational(7, 10)), (log(-expm1(u)), True))


class TanhSoftplus(Named):
    """tanh(log(1 + exp(u))), a rational function of e = exp(-|u|): one exponential instead of two.

    With E = exp(u) it is E (E + 2)/(E (E + 2) + 2); above 0, both parts over E^2.
    """

    nargs = 1
    title = "tanhsoftplus"
    reference = "tanh(log(a)) = (a^2 - 1)/(a^2 + 1) for a = 1 + exp(u)"

    def defining(self) -> Expr:
        return sympy.tanh(log(1 + exp(self.args[0])))

    def stable(self) -> Expr:
        u = self.args[0]
        e = exp(-Abs(u))
        below, above = e * (e + 2), 1 + 2 * e
        return Piecewise((below / (below + 2), u <= 0), (above / (1 + 2 * e * (1 + e)), True))


class SechSoftplus(Named):
    """1/cosh(log(1 + exp(u))), the other rational function of e = exp(-|u|): sqrt(1 - tanh^2) of it."""

    nargs = 1
    title = "sechsoftplus"
    reference = "cosh(log(a)) = (a^2 + 1)/(2 a) for a = 1 + exp(u)"

    def defining(self) -> Expr:
        return 1 / sympy.cosh(log(1 + exp(self.args[0])))

    def stable(self) -> Expr:
        u = self.args[0]
        e = exp(-Abs(u))
        half = 1 + e
        return Piecewise((2 * half / (e * (e + 2) + 2), u <= 0), (2 * e * half / (1 + 2 * e * half), True))


class HypotOne(Named):
    """sqrt(1 + u^2), with |u| in front of the root where u^2 may leave the type.

    Above |u| = 10 it is |u| sqrt(1 + 1/u^2), in which an infinite square is harmless.
    """

    nargs = 1
    title = "hypot1"
    reference = 'Moler and Morrison 1983, "Replacing square roots by Pythagorean sums", section 1'

    def defining(self) -> Expr:
        return sympy.sqrt(1 + self.args[0] ** 2)

    def stable(self) -> Expr:
        u = self.args[0]
        near = Abs(u) <= FAR
        inside = Piecewise((1 + u**2, near), (1 + 1 / u**2, True))
        return sympy.sqrt(inside) * Piecewise((1, near), (Abs(u), True))


class HypotOneLess(Named):
    """sqrt(1 + u^2) - 1: u^2/(sqrt(1 + u^2) + 1) where the difference would cancel, else the difference."""

    nargs = 1
    title = "hypot1less1"
    reference = "(r - 1)(r + 1) = r^2 - 1; Higham 2002, section 1.7"

    def defining(self) -> Expr:
        return sympy.sqrt(1 + self.args[0] ** 2) - 1

    def stable(self) -> Expr:
        u = self.args[0]
        near = Abs(u) <= FAR
        root = sympy.sqrt(Piecewise((1 + u**2, near), (1 + 1 / u**2, True)))
        return Piecewise((u**2 / (root + 1), near), (Abs(u) * root - 1, True))


class LogOnePlusSquare(Named):
    """log(1 + u^2), above |u| = 10 as 2 log|u| + log(1 + 1/u^2)."""

    nargs = 1
    title = "log1psquare"
    reference = "log(a b) = log(a) + log(b)"

    def defining(self) -> Expr:
        return log(1 + self.args[0] ** 2)

    def stable(self) -> Expr:
        u = self.args[0]
        near = Abs(u) <= FAR
        # The logarithm of 1 where the square is used as it is: no infinity beside a number.
        beside = 2 * log(Piecewise((1, near), (Abs(u), True)))
        return log1p(Piecewise((u**2, near), (1 / u**2, True))) + beside


class Weighted(Named):
    """u v, which is 0 where the weight u is 0, whatever the size of v: infinite, too.

    A NaN stays one.
    """

    nargs = 2
    title = "weighted"
    reference = "0 log 0 = 0; Cover and Thomas 2006, section 2.1"
    remark = "0 where u is 0, also for infinite v"

    def defining(self) -> Expr:
        u, v = self.args
        return u * v

    def stable(self) -> Expr:
        u, v = self.args
        return Piecewise((u * Lowered(Raised(v)), sympy.Eq(u, 0)), (u * v, True))


class Erfc(Function):
    """1 - erf(u), which kernels compute by itself: the difference has no digits left for u > 6.

    SymPy's own erfc turns erfc(-u) into 2 - erfc(u), the cancellation that this is to avoid.
    """

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        (u, *_) = LETTERS
        return -sympy.erf(u).diff(u).xreplace({u: self.args[0]})


class NormalCdfBy(Function):
    """(1 + erf(u/sqrt(2)))/2 with its second argument, exp(-u^2/2), at hand.

    Kernels that need the normal distribution and its density compute one exponential.
    """

    nargs = 2
    is_real = True


NAMED: tuple[type[Named], ...] = (
    Softplus,
    LogSoftplus,
    LogSoftplusSlope,
    Sigmoid,
    LogCosh,
    LogAddExp,
    LogOneMinusExp,
    TanhSoftplus,
    SechSoftplus,
    HypotOne,
    HypotOneLess,
    LogOnePlusSquare,
    Weighted,
)

# Functions that kernels have and that are defined by simpler ones.
DEFINITIONS: dict[Any, Callable[..., Any]] = {
    expm1: lambda u: exp(u) - 1,
    log1p: lambda u: log(1 + u),
    Erfc: lambda u: 1 - sympy.erf(u),
    NormalCdfBy: lambda u, gauss: (1 + sympy.erf(u / sympy.sqrt(2))) / 2,
    First: lambda u: u,
    Raised: lambda u: u,
    Lowered: lambda u: u,
}


def as_float(number: Any) -> float:
    """Return a number that may hold named functions, such as softplus(1/2), as one of Python's."""
    return float(defined(sympy.sympify(number)))


def defined(expr: Any, but: tuple[Any, ...] = ()) -> Any:
    """Return the expression with the definition of every named function, but of some, in its place."""
    kinds = (Named, *(kind for kind in DEFINITIONS if kind not in but))

    def one(e: Any) -> Any:
        return e.defining() if isinstance(e, Named) else DEFINITIONS[e.func](*e.args)

    while expr.has(*kinds):
        expr = expr.replace(lambda e: isinstance(e, kinds), one)
    return expr

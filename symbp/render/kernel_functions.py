"""By which name a kernel calls a function of SymPy: Python's ``math``, or one that the file brings along."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Function

from symbp.algebra.named import NAMED, Erfc, Sigmoid
from symbp.elementary import calls
from symbp.errors import PlanError

# The class of the SymPy function -> what Numba offers for it.
_MATH = {
    "exp": "math.exp",
    "expm1": "math.expm1",
    "log": "math.log",
    "log1p": "math.log1p",
    "sqrt": "math.sqrt",
    "tanh": "math.tanh",
    "sinh": "math.sinh",
    "cosh": "math.cosh",
    "erf": "math.erf",
    "sin": "math.sin",
    "cos": "math.cos",
    "atan": "math.atan",
    "floor": "math.floor",
    "Abs": "abs",
    "sign": "np.sign",
    "Erfc": "math.erfc",
    **{kind.__name__: kind.title for kind in NAMED},
}


class KernelFunctions:
    """The functions of one trainer's kernels.

    Parameters
    ----------
    elementary : {"libm", "fast"}
        Whether elementary functions are those of ``math`` or emitted ones, which vectorise.
    lanes : int
        Numbers in a vector register; 0 without vectors.
    alone : bool
        Whether kernels train one sample at a time.

    Attributes
    ----------
    used : set of str
        The emitted functions that were called so far: keys of :data:`symbp.elementary.FUNCTIONS`.
    """

    def __init__(self, elementary: str = "libm", lanes: int = 0, alone: bool = False) -> None:
        self._emitted = calls(lanes, alone) if elementary == "fast" else {}
        self.used: set[str] = set()

    def name(self, function: str, near: bool) -> str:
        """Return how to call a function of SymPy.

        Parameters
        ----------
        function : str
            The name of its class.
        near : bool
            Whether its argument is known to lie within reach of the emitted function.

        Raises
        ------
        PlanError
            If there is none.
        """
        emitted = self._emitted.get(function)
        if emitted is not None and (near or not emitted.reach):
            self.used.add(emitted.name)
            return emitted.name
        if function not in _MATH:
            raise PlanError(f"no kernel for the function {function}")
        return _MATH[function]

    def emits(self, kind: type[Function]) -> bool:
        """Whether the file brings along an elementary function for the calls of a class."""
        return kind.__name__ in self._emitted

    def recognised(self, value: Expr) -> Expr:
        """Return the value with every combination that has a function of its own as a call of it."""
        if not self._emitted:
            return value
        value = value.replace(_is_sigmoid, lambda e: Sigmoid(-_exponent(e)) ** -e.exp)
        # An argument that is rounded first, such as z^2, costs the digits that these keep.
        value = value.replace(sympy.exp, lambda u: _of_square(u) or sympy.exp(u))
        return value.replace(Erfc, lambda u: _of_normal(u) or Erfc(u))

    def limited(self, value: Expr) -> list[tuple[Any, str]]:
        """Return the arguments of emitted functions that have a reach, each with the constant's name."""
        found = {
            (call.args[0], reach)
            for call in value.atoms(Function)
            if not call.is_number
            and (emitted := self._emitted.get(call.func.__name__))
            and (reach := emitted.reach)
        }
        return sorted(found, key=str)


class Gauss(Function):
    """exp(-u^2), where the file has a function for it."""


class HalfGauss(Function):
    """exp(-u^2/2)."""


class NormalCdf(Function):
    """erfc(-u/sqrt(2))/2."""


def _of_square(exponent: Any) -> Any:
    """Return exp(-c u^2) as a call, for numbers c by which u is scaled exactly: powers of 2."""
    coefficient, square = exponent.as_coeff_Mul()
    if not (isinstance(square, sympy.Pow) and square.exp == 2 and coefficient.is_negative):
        return None
    for kind, factor in ((Gauss, 1), (HalfGauss, 2)):
        scale = sympy.sqrt(-factor * coefficient)
        if scale.is_Rational and sympy.log(scale, 2).is_Integer:
            return kind(scale * square.base)
    return None


def _of_normal(argument: Any) -> Any:
    """Return erfc(-u/sqrt(2)) as a call."""
    u = -sympy.sqrt(2) * argument
    (scale, _) = u.as_coeff_Mul()
    return 2 * NormalCdf(u) if not u.has(sympy.sqrt(2)) and scale in (1, -1) else None


def _exponent(reciprocal: Any) -> Any:
    """Return u of 1/(1 + exp(u))^n."""
    return next(term.args[0] for term in reciprocal.base.args if isinstance(term, sympy.exp))


def _is_sigmoid(e: Any) -> bool:
    """Whether an expression is 1/(1 + exp(u))^n for a whole number n > 0, and no constant."""
    if e.is_number or not (isinstance(e, sympy.Pow) and isinstance(e.base, sympy.Add)):
        return False
    if not (e.exp.is_Integer and e.exp.is_negative):
        return False
    terms = e.base.args
    return len(terms) == 2 and 1 in terms and any(isinstance(term, sympy.exp) for term in terms)

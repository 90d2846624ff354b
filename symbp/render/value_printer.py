"""A value, a SymPy expression over array elements -> a Numba expression of one dtype.

Which numbers have which type is decided here: every constant has the dtype of the kernel, since
``float32 * 2`` would be float64 in Numba.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter

from symbp.algebra.named import as_float
from symbp.algebra.products import WHOLE_POWERS, evaluation_rank, is_decimal
from symbp.errors import PlanError
from symbp.plan.program import Access, Array
from symbp.render.kernel_functions import KernelFunctions

_SYMBOLS = {"eta": "learning_rate", "eta_0": "rate"}
_SIMPLE = 64  # a denominator up to which a fraction is written as one


class ValuePrinter(StrPrinter):
    """Prints a value as a Numba expression of one dtype.

    Attributes
    ----------
    near : bool
        Whether arguments are known to lie within reach of functions that have one.
    flat : str
        The index of elements that are printed as those of the flat views of their arrays, else nothing.
    compares : bool
        Whether the larger or smaller one of a value and a number is printed as ``max`` or ``min``.
    """

    compares = False

    printmethod = "_numba_value"  # our own expressions print themselves to StrPrinter otherwise

    def __init__(
        self,
        dtype: str,
        arrays: tuple[Array, ...] = (),
        places: Mapping[str, str] | None = None,
        functions: KernelFunctions | None = None,
        wide: bool = False,
    ) -> None:
        super().__init__()
        # A number that is computed in double precision reads arrays of the kernel's type.
        self.widen = wide and dtype != "float64"
        self.dtype = "float64" if wide else dtype
        # Emitted functions are of the kernel's type.
        self.functions = KernelFunctions() if wide or functions is None else functions
        self.near = False
        self.flat = ""
        self.arrays = {array.name: array for array in arrays}
        # Names of the places of arrays that are an argument of the function.
        self.places = places or {}

    def doprint(self, expr: Any) -> str:
        return str(super().doprint(self.functions.recognised(expr)))

    def number(self, value: Any) -> str:
        text = repr(as_float(value))
        return text if self.dtype == "float64" else f"F({text})"

    def _print_Integer(self, expr: Any) -> str:
        return self.number(expr)

    def _print_Rational(self, expr: Any) -> str:
        return self.number(expr)

    _print_Float = _print_Rational
    _print_NumberSymbol = _print_Rational
    _print_Pi = _print_Rational
    _print_Exp1 = _print_Rational

    def _print_Symbol(self, expr: Any) -> str:
        return _SYMBOLS.get(expr.name, str(expr.name))

    def _print_Access(self, expr: Access) -> str:
        array = self.arrays[expr.array]
        indices = [self.index(x) for x in expr.indices]
        if not array.axes:
            return array.name
        if self.flat:
            return f"{array.name}_flat[{self.flat}]"
        if array.role == "data":
            return f"{array.name}[{', '.join(['row', *indices[1:]])}]"
        if array.role == "by_sample":
            return f"{array.name}[{', '.join(['start + ' + indices[0], *indices[1:]])}]"
        if array.role == "result":
            sample, *outputs, row, column = indices
            place = self.places.get(array.name, str(array.offset) if array.offset else "")
            flat = f"{place}{' + ' if place else ''}{int(array.axes[-1])}*{row} + {column}"
            return f"jacobian[{', '.join(['start + ' + sample, *outputs, flat])}]"
        element = f"{array.name}[{', '.join(indices)}]"
        return f"np.float64({element})" if self.widen else element

    @staticmethod
    def index(expr: Any) -> str:
        return str(int(expr)) if expr.is_Integer else str(expr.name)

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.args
        if expr.is_number:
            return self.number(expr)  # such as sqrt(2): once, here, to all digits
        if exponent == -1:
            return f"{self.number(1)}/{self.parenthesize(base, PRECEDENCE['Pow'])}"
        if exponent == sympy.Rational(1, 2):
            return f"math.sqrt({self._print(base)})"
        if exponent == sympy.Rational(-1, 2):
            return f"{self.number(1)}/math.sqrt({self._print(base)})"
        if exponent.is_Integer and abs(exponent) <= WHOLE_POWERS:
            # Repeated multiplication: exact where pow is not, and it vectorises.
            factor = self.parenthesize(base, PRECEDENCE["Mul"] + 1)
            product = "*".join([factor] * abs(int(exponent)))
            return product if exponent > 0 else f"{self.number(1)}/({product})"
        inner = self._print(base)
        above = (
            self.number(exponent) if exponent.is_Rational else self.parenthesize(exponent, PRECEDENCE["Pow"])
        )
        return f"{inner if base.is_Atom else f'({inner})'}**{above}"

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        """Positive terms first: C - MU rather than -MU + C."""
        terms = sorted(self._as_ordered_terms(expr), key=lambda term: term.could_extract_minus_sign())
        text = self._print(terms[0])
        for term in terms[1:]:
            minus = term.could_extract_minus_sign()
            bare = self.parenthesize(-term if minus else term, PRECEDENCE["Add"] + 1)
            text += f" - {bare}" if minus else f" + {bare}"
        return str(text)

    def _print_Mul(self, expr: Any) -> str:
        """Print a product as it is written: only its own factors go above or below the line.

        SymPy's as_numer_denom would bring inner sums over a common denominator and turn
        exp(-z) into 1/exp(z), which overflows where the formula does not.
        """
        above: list[Any] = []
        below: list[Any] = []
        for factor in _with_one_number(sympy.Mul.make_args(expr)):
            if is_decimal(factor):
                above.append(factor)  # one number, and no division
            elif factor.is_Rational:
                above += [sympy.Integer(factor.p)] if factor.p != 1 else []
                below += [sympy.Integer(factor.q)] if factor.q != 1 else []
            elif isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp.is_negative:
                below.append(factor.base**-factor.exp)
            else:
                above.append(factor)
        sign = "-" if any(factor.is_negative and factor.is_number for factor in above) else ""
        above = [-f if f.is_negative and f.is_number else f for f in above]
        above = [f for f in above if f != 1]
        text = sign + (self._factors(above) if above else self.number(1))
        if not below:
            return text
        bottom = self._factors(below)
        return f"{text}/{bottom if len(below) == 1 and self._is_single(below[0]) else f'({bottom})'}"

    @staticmethod
    def _is_single(expr: Any) -> bool:
        """Whether an expression is printed as one name or number, or with brackets of its own."""
        return isinstance(expr, (Access, sympy.Add)) or expr.is_Symbol or expr.is_Integer

    def _factors(self, factors: list[Any]) -> str:
        ordered = sorted(factors, key=_reading_order)
        return "*".join(
            self.number(f) if f.is_Rational and f > 0 else str(self.parenthesize(f, PRECEDENCE["Mul"]))
            for f in ordered
        )

    def _print_Piecewise(self, expr: Any) -> str:
        *branches, (last, always) = expr.args
        if always != True:  # noqa: E712 - a SymPy boolean
            raise PlanError(f"{expr} has no value where none of its conditions holds")
        if self.compares and (name := _larger_or_smaller(expr)):
            return f"{name}({self._print(last)}, {self._print(branches[0][0])})"
        text = str(self._print(last))
        unseen = self.unseen(expr)
        if unseen:
            test = f"{unseen} == {unseen}"
            if len(branches) == 1 and isinstance(branches[0][1], Relational):
                # Neither a comparison nor its negation holds: one side is NaN, whichever the branch shows.
                test = str(self._print(branches[0][1].negated))
                unseen = self.total(_variables(branches[0][1]))
            text = self._choice(test, text, unseen)
        for n, (value, condition) in reversed([*enumerate(branches)]):
            shown = str(self._print(value))
            unseen = self.total(_asked(branches[: n + 1]) - _known(condition) - _variables(value))
            if unseen:
                shown = self._choice(f"{unseen} == {unseen}", shown, unseen)
            text = self._choice(str(self._print(condition)), shown, text)
        return text

    def _choice(self, condition: str, value: str, other: str) -> str:
        return f"({value} if {condition} else {other})"

    def unseen(self, cases: Any) -> str:
        """Return the sum of what the conditions ask for and the last branch, where a NaN ends, does not show.

        A comparison with NaN is false, so a slope such as 1 for z > 0 and 0 otherwise would be a
        number. Empty where the last branch is NaN by itself.
        """
        *branches, (last, _) = cases.args
        return self.total(_asked(branches) - _variables(last))

    def total(self, quantities: set[Any]) -> str:
        """Return the sum of quantities, which is NaN where one of them is."""
        return " + ".join(str(self._print(x)) for x in sorted(quantities, key=sympy.default_sort_key))

    def _print_Relational(self, expr: Any) -> str:
        return f"{self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return f"({' and '.join(self._print(part) for part in expr.args)})"

    def _print_Or(self, expr: Any) -> str:
        return f"({' or '.join(self._print(part) for part in expr.args)})"

    def _print_ITE(self, expr: Any) -> str:
        """A comparison with a case distinction, which SymPy turns inside out."""
        test, yes, no = expr.args
        parts = (sympy.And(test, yes, evaluate=False), sympy.And(sympy.Not(test), no, evaluate=False))
        return str(self._print(sympy.Or(*parts, evaluate=False)))

    def _print_KroneckerDelta(self, expr: Any) -> str:
        a, b = (self.index(x) for x in expr.args[:2])
        return f"({self.number(1)} if {a} == {b} else {self.number(0)})"

    def _print_Function(self, expr: Any) -> str:
        if expr.is_number:
            return self.number(expr)
        name = self.functions.name(expr.func.__name__, self.near)
        return f"{name}({', '.join(map(self._print, expr.args))})"

    def _print_First(self, expr: Any) -> str:
        return f"({self._print(expr.args[0])})"

    def _print_Raised(self, expr: Any) -> str:
        return self._limited("max", -np.finfo(self.dtype).max, expr)

    def _print_Lowered(self, expr: Any) -> str:
        return self._limited("min", np.finfo(self.dtype).max, expr)

    def _limited(self, function: str, limit: Any, expr: Any) -> str:
        """Return a call of Python's min or max, which keep a NaN that comes first."""
        return f"{function}({self._print(expr.args[0])}, {self.number(limit)})"

    _print_Abs = _print_Function
    _print_sign = _print_Function
    _print_log1p = _print_Function
    _print_expm1 = _print_Function
    _print_exp = _print_Function


def _variables(expr: Any) -> set[Any]:
    """Return the quantities that an expression holds: elements of arrays, and letters."""
    if isinstance(expr, Access) or expr.is_Symbol:
        return {expr}
    return set().union(*map(_variables, expr.args))


def _asked(branches: Sequence[Any]) -> set[Any]:
    """Return what the conditions of some branches ask for."""
    return set().union(*(_variables(condition) for _, condition in branches))


def _known(condition: Any) -> set[Any]:
    """Return the quantities that are no NaN where a condition holds."""
    if isinstance(condition, (sympy.And, sympy.Or)):
        parts = [_known(part) for part in condition.args]
        return set.union(*parts) if isinstance(condition, sympy.And) else set.intersection(*parts)
    return _variables(condition)


def _with_one_number(factors: Sequence[Any]) -> list[Any]:
    """Join the numbers among factors: sqrt(2/pi)/2 and 17159/10000 are one constant; z/6 is a division."""
    numbers = [f for f in factors if f.is_number]
    rest = [f for f in factors if not f.is_number]
    if all(f.is_Rational for f in numbers):
        product = sympy.Mul(*numbers)
        simple = abs(product.p) == 1 or product.q <= _SIMPLE
        return list(factors) if simple else [_as_float(product), *rest]
    return [_as_float(sympy.Mul(*numbers)), *rest]


def _as_float(number: Any) -> sympy.Float:
    return sympy.Float(as_float(number))


def _reading_order(factor: Any) -> tuple[int, int, int, Any]:
    """Numbers, then sums in brackets, then array elements as in the formulas; powers of them last."""
    rank = 0 if factor.is_number else 1 if not isinstance(factor, Access) else 2
    return evaluation_rank(factor), rank, precedence(factor), sympy.default_sort_key(factor)


def _larger_or_smaller(cases: Any) -> str:
    """Return max for the cases "b if a <= b, else a" of a number b, min for "b if a >= b, else a".

    A NaN of a stays what it is, as it does where no condition holds; only the sign of zero may differ.
    """
    if len(cases.args) != 2:
        return ""
    (value, condition), (other, _) = cases.args
    if not value.is_number or not isinstance(condition, Relational):
        return ""
    if (condition.lhs, condition.rhs) != (other, value):
        return ""
    return {"<": "max", "<=": "max", ">": "min", ">=": "min"}.get(condition.rel_op, "")

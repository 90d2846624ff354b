"""Kernel program -> lines of Numba source.

Two printers: one for values (SymPy expressions over array elements), one for the loop
nests around them. Which numbers have which type is decided here: every constant has the
dtype of the kernel, since ``float32 * 2`` would be float64 in Numba.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter

from symbp.elementary.constants import constants
from symbp.errors import PlanError
from symbp.plan.program import ROWS, Access, Array, Kernel, Loop, Map, Reduce, Statement, Sweep
from symbp.render.kernel_functions import KernelFunctions

_SYMBOLS = {"eta": "learning_rate", "eta_0": "rate"}
_POWERS = 4
_SIMPLE = 64  # a denominator up to which a fraction is written as one


class ValuePrinter(StrPrinter):
    """Prints a value as a Numba expression of one dtype.

    Attributes
    ----------
    near : bool
        Whether arguments are known to lie within reach of functions that have one.
    flat : bool
        Whether elements are printed as those of the flat views of their arrays.
    """

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
        self.flat = False
        self.arrays = {array.name: array for array in arrays}
        # Names of the places of arrays that are an argument of the function.
        self.places = places or {}

    def doprint(self, expr: Any) -> str:
        return str(super().doprint(self.functions.recognised(expr)))

    def number(self, value: Any) -> str:
        text = repr(float(value))
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
            return f"{array.name}_flat[t]"
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
        if exponent.is_Integer and abs(exponent) <= _POWERS:
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
            if factor.is_Rational and factor.q % 5 == 0 and set(sympy.primefactors(factor.q)) <= {2, 5}:
                above.append(factor)  # a decimal such as 0.9: one number, and no division
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
        text = str(self._print(last))
        for value, condition in reversed(branches):
            text = f"({self._print(value)} if {self._print(condition)} else {text})"
        return text

    def _print_Relational(self, expr: Any) -> str:
        return f"{self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return f"({' and '.join(self._print(part) for part in expr.args)})"

    def _print_Or(self, expr: Any) -> str:
        return f"({' or '.join(self._print(part) for part in expr.args)})"

    def _print_KroneckerDelta(self, expr: Any) -> str:
        a, b = (self.index(x) for x in expr.args[:2])
        return f"({self.number(1)} if {a} == {b} else {self.number(0)})"

    def _print_Function(self, expr: Any) -> str:
        if expr.is_number:
            return self.number(expr)
        name = self.functions.name(expr.func.__name__, self.near)
        return f"{name}({', '.join(map(self._print, expr.args))})"

    _print_Abs = _print_Function
    _print_sign = _print_Function
    _print_log1p = _print_Function
    _print_expm1 = _print_Function
    _print_exp = _print_Function


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
    return sympy.Float(float(number))


def _reading_order(factor: Any) -> tuple[int, int, Any]:
    """Numbers, then sums in brackets, then array elements as in the formulas."""
    rank = 0 if factor.is_number else 1 if not isinstance(factor, Access) else 2
    return rank, precedence(factor), sympy.default_sort_key(factor)


class KernelPrinter:
    """Prints the statements of one kernel as loop nests."""

    def __init__(
        self,
        kernel: Kernel,
        dtype: str,
        places: Mapping[str, str] | None = None,
        functions: KernelFunctions | None = None,
    ) -> None:
        self.kernel = kernel
        self.dtype = dtype
        self.values = ValuePrinter(dtype, kernel.arrays, places, functions)
        self.wide = ValuePrinter(dtype, kernel.arrays, places, wide=True)

    def lines(self, statement: Statement) -> list[str]:
        """Return the loop nest of one statement."""
        block = _Block()
        if isinstance(statement, Sweep):
            self._open(block, statement.loops, statement)
            for part in statement.parts:
                block.add(self._assign(part.target, part.value, "="))
        elif isinstance(statement, Map):
            self._map(block, statement)
        elif statement.inner is not None:
            self._in_memory(block, statement, statement.inner)
        else:
            self._in_register(block, statement)
        return block.lines

    def _assign(self, target: Access, value: Any, operator: str) -> str:
        role = self.kernel.array(target.array).role
        printed = (self.wide if role in ("scalar", "factor") else self.values).doprint(value)
        if role == "factor" and self.dtype != "float64":
            printed = f"F({printed})"
        return f"{self.values.doprint(target)} {operator} {printed}"

    def _map(self, block: _Block, statement: Map) -> None:
        outer, heads = statement.loops[:-1], self._heads(statement.loops[-1:], statement)
        if statement.flat:
            outer, heads = (
                (),
                [f"for t in range({'*'.join(self._extent(x.extent) for x in statement.loops)}):"],
            )
            for name in sorted({access.array for access in statement.accesses()}):
                block.add(f"{name}_flat = {name}.reshape(-1)")
        self.values.flat = statement.flat
        self._open(block, outer, statement)
        limited = self.values.functions.limited(statement.value)
        if limited:
            self._within_reach(block, statement, heads, limited)
        else:
            block.open_all(heads)
            block.add(self._assign(statement.target, statement.value, "="))
        self.values.flat = False

    def _within_reach(
        self, block: _Block, statement: Map, heads: list[str], limited: list[tuple[Any, str]]
    ) -> None:
        """Two innermost loops: one with functions that have a reach, one with those of math beyond it."""
        block.add("near = True")
        with block.restored():
            block.open_all(heads)
            for argument, reach in limited:
                limit = self.values.number(constants(self.values.dtype)[reach])
                block.add(f"near &= abs({self.values.doprint(argument)}) <= {limit}")
        for choice, near in (("if near:", True), ("else:", False)):
            with block.nested(choice):
                block.open_all(heads)
                self.values.near = near
                block.add(self._assign(statement.target, statement.value, "="))
        self.values.near = False

    def _in_memory(self, block: _Block, statement: Reduce, inner: Loop) -> None:
        """The sum runs outside the innermost loop over the target."""
        outer = tuple(loop for loop in statement.loops if loop != inner)
        self._open(block, outer, statement)
        if not statement.accumulate:
            with block.nested(self._head(inner)):
                initial = statement.initial if statement.initial is not None else sympy.S.Zero
                block.add(self._assign(statement.target, initial, "="))
        self._open(block, statement.over, statement)
        value = statement.value
        used: list[str] = []
        # The target could overlap what is read as far as the compiler knows: read it once here.
        for access in sorted(value.atoms(Access), key=str):
            if inner.index not in access.indices:
                name = access.array.lower()
                used.append(name)
                local = sympy.Symbol(name if used.count(name) == 1 else f"{name}_{used.count(name)}")
                block.add(f"{local} = {self.values.doprint(access)}")
                value = value.xreplace({access: local})
        with block.nested(self._head(inner)):
            block.add(self._assign(statement.target, value, "+="))

    def _in_register(self, block: _Block, statement: Reduce) -> None:
        scalar = not statement.target.indices
        self._open(block, statement.loops, statement)
        if statement.operation == "max":
            (over,) = statement.over
            first = statement.value.xreplace({over.index: sympy.S.Zero})
            block.add(f"largest = {self.values.doprint(first)}")
            with block.nested(f"for {over.index} in range(1, {over.extent}):"):
                block.add(f"largest = max(largest, {self.values.doprint(statement.value)})")
            block.add(f"{self.values.doprint(statement.target)} = largest")
            return
        total = self.values.doprint(statement.target) if scalar else "total"
        wide = self.kernel.array(statement.target.array).role == "scalar"
        values = self.wide if wide else self.values
        if not (scalar and statement.accumulate):  # a scalar that accumulates starts with the kernel
            initial = statement.initial if statement.initial is not None else sympy.S.Zero
            block.add(f"{total} = {values.doprint(initial)}")
        with block.restored():
            # Samples outermost: their data are read row by row.
            self._open(block, sorted(statement.over, key=lambda loop: loop.extent != ROWS), statement)
            block.add(f"{total} += {values.doprint(statement.value)}")
        if not scalar:
            block.add(
                f"{self.values.doprint(statement.target)} {'+=' if statement.accumulate else '='} total"
            )

    def _open(self, block: _Block, loops: Any, statement: Statement) -> None:
        for loop in loops:
            block.open(self._head(loop))
            if loop.extent == ROWS and self._reads_data(statement):
                block.add(f"row = rows[start + {loop.index}]")

    def _heads(self, loops: Any, statement: Statement) -> list[str]:
        """Return the heads of loops, each followed by what its body starts with."""
        block = _Block()
        self._open(block, loops, statement)
        return block.lines

    @staticmethod
    def _extent(extent: Any) -> str:
        return "count" if extent == ROWS else str(extent)

    def _head(self, loop: Loop) -> str:
        return f"for {loop.index} in range({self._extent(loop.extent)}):"

    def _reads_data(self, statement: Statement) -> bool:
        return any(self.kernel.array(a.array).role == "data" for a in statement.value.atoms(Access))


class _Block:
    """Lines with indentation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    def add(self, line: str) -> None:
        self.lines.append("    " * self._depth + line)

    def open(self, head: str) -> None:
        self.add(head)
        self._depth += 1

    def open_all(self, lines: list[str]) -> None:
        """Open loops whose heads are given; other lines among them are added as they are."""
        for line in lines:
            if line.endswith(":"):
                self.open(line.strip())
            else:
                self.add(line.strip())

    def nested(self, head: str) -> _Restore:
        restore = self.restored()
        self.open(head)
        return restore

    def restored(self) -> _Restore:
        return _Restore(self, self._depth)

    def return_to(self, depth: int) -> None:
        self._depth = depth


class _Restore:
    """Context that returns to the depth at which it was made."""

    def __init__(self, block: _Block, depth: int) -> None:
        self._block, self._depth = block, depth

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._block.return_to(self._depth)


def statement_groups(statements: tuple[Statement, ...]) -> Iterator[tuple[Any, list[Statement]]]:
    """Yield neighbouring statements that compute the same equation, with their origin."""
    group: list[Statement] = []
    for statement in statements:
        if group and group[0].origin != statement.origin:
            yield group[0].origin, group
            group = []
        group.append(statement)
    if group:
        yield group[0].origin, group

"""What can be said of a user's own formula before anything is derived from it."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sympy

from symbp.errors import ExpressionError, SymbpWarning
from symbp.functions.numeric import NotReal, holds, value_at
from symbp.functions.parse import Total
from symbp.functions.records import Activation, Cost, Parametric

# Where an activation is looked at: 0 and powers of ten of both signs, twelve to a decade.
_MAGNITUDES = [10 ** (n / 12) for n in range(-36, 37)]
_LINE = [*(-x for x in reversed(_MAGNITUDES)), 0.0, *_MAGNITUDES]
_BESIDE, _ROUNDING = 1.001, 1e-12
_BISECTIONS = 60
# A step of this part of the value is none that rounding makes.
_JUMP = 1e-6
_SHOWN = 3
# A slope that is infinite at the end of a range is at least so large at the rounded end.
_STEEP = 1e7

# Numbers inside each set that outputs may lie in, and numbers that targets may be.
_OUTPUTS = {
    "real": (-2.6, -0.7, 0.0, 0.4, 2.5),
    "positive": (0.05, 0.4, 2.5),
    "unit_interval": (0.05, 0.3, 0.9),
    "distribution": (0.05, 0.3, 0.9),
}
_BOUNDS = {
    "real": (-math.inf, math.inf),
    "positive": (0.0, math.inf),
    "unit_interval": (0.0, 1.0),
    "distribution": (0.0, 1.0),
}
_TARGETS = {
    "real": (-2.6, -0.7, 0.0, 0.3, 2.5),
    "nonnegative": (0.0, 0.3, 1.0, 3.0),
    "sign": (-1.0, 1.0),
    "unit_interval": (0.0, 0.3, 1.0),
    "distribution": (0.0, 0.3, 1.0),
}


def refuse_useless(record: Activation | Cost) -> None:
    """Refuse a formula that nothing can be learned through.

    Raises
    ------
    ExpressionError
        If the formula cannot be read, is constant, has derivative 0 wherever it has one, or is
        not real anywhere.
    """
    formula = record.expression()
    place = _place(record)
    variable = sympy.Symbol(record.variables[0], real=True)
    if variable not in formula.free_symbols:
        raise ExpressionError(f"{place} does not depend on {variable}: nothing can be learned through it")
    if isinstance(record, Activation) and _of_line(formula) == _NOWHERE:
        raise ExpressionError(f"{place} is not real for any {variable}")
    if formula.diff(variable).has(sympy.re, sympy.im, sympy.arg, sympy.atan2):
        raise ExpressionError(
            f"{place} takes abs of what is not real everywhere: write 'a if a >= 0 else -a' for it"
        )
    others = {} if isinstance(record, Activation) else {"y": _TARGETS[record.targets]}
    if _is_flat(formula, variable) or _is_stepwise(formula, variable.name, others):
        raise ExpressionError(
            f"{place} has derivative 0 wherever it has one: nothing can be learned through it"
        )


def warn_of_unreal(record: Activation | Cost) -> None:
    """Issue a SymbpWarning that names the range in which a formula is not real."""
    formula = record.expression()
    told = _of_line(formula) if isinstance(record, Activation) else _of_cost(formula, record)
    others = {} if isinstance(record, Activation) else {"y": _TARGETS[record.targets]}
    for text in (told, jump(formula, record.variables[0], others)):
        if text:
            warnings.warn(f"{_place(record)} {text}", SymbpWarning, stacklevel=4)


def _place(record: Parametric) -> str:
    return f"{record.kind} {record.name!r}: formula {record.formula!r}"


_NOWHERE = "nowhere"


@functools.lru_cache(maxsize=256)
def _is_flat(formula: Any, variable: Any) -> bool:
    branches = [v for v, _ in formula.args] if isinstance(formula, sympy.Piecewise) else [formula]
    return all(branch.diff(variable) == 0 for branch in branches)


def _is_stepwise(formula: Any, variable: str, others: Mapping[str, tuple[float, ...]]) -> bool:
    """Whether no small change of the variable changes the value, though there is one: z/abs(z)."""
    if formula.has(Total):  # of one unit here: what is a constant then need not be one
        return False
    changes = [
        _change(formula, {variable: at, **dict(zip(others, values, strict=True))}, variable)
        for values in itertools.product(*others.values())
        for at in _LINE
    ]
    finite = [change for change in changes if math.isfinite(change)]
    return bool(finite) and max(finite) <= _ROUNDING


def _change(formula: Any, values: dict[str, float], variable: str) -> float:
    """Return by which part a small change of the variable changes the value; NaN where there is none."""
    beside = values | {variable: values[variable] * _BESIDE or _BESIDE - 1}
    try:
        here, there = value_at(formula, values), value_at(formula, beside)
    except (NotReal, ZeroDivisionError):
        return math.nan
    return abs(here - there) / (abs(here) or 1.0)


@functools.lru_cache(maxsize=256)
def _of_line(formula: Any) -> str:
    """Say for which z the formula is not real, or nothing."""

    ranges = _unreal(formula, "z", {}, _LINE)
    if not ranges:
        return ""
    if ranges == [_EVERYWHERE]:
        return _NOWHERE
    finite = _finite(formula, "z", {})
    shown = _listed([words for words, _ in ranges])
    steep = [end for _, ends in ranges for end in ends if finite(end) and _is_steep(formula, end)]
    at = f"; its derivative is not finite at z = {_listed([f'{end:.6g}' for end in steep])}" if steep else ""
    return f"is not real for {shown}: outputs there are not finite{at}"


# What is said of a range, and its ends.
_Range = tuple[str, list[float]]
_EVERYWHERE: _Range = ("", [])


def _unreal(formula: Any, variable: str, beside: Mapping[str, float], line: Sequence[float]) -> list[_Range]:
    """Return the ranges of a variable in which a formula is not real, as far as the line reaches."""

    def real(at: float) -> bool:
        try:
            value_at(formula, {**beside, variable: at})
        except NotReal:
            return False
        return True

    found = [real(at) for at in line]
    if not any(found):
        return [_EVERYWHERE]
    return list(_ranges(found, line, variable, real, _finite(formula, variable, beside)))


def _finite(formula: Any, variable: str, beside: Mapping[str, float]) -> Callable[[float], bool]:
    """Return the question whether the formula has a finite value at a number."""

    def finite(at: float) -> bool:
        try:
            return math.isfinite(value_at(formula, {**beside, variable: at}))
        except (NotReal, ZeroDivisionError):
            return False

    return finite


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")


def _is_steep(formula: Any, at: float) -> bool:
    """Whether the derivative is not finite where the formula is: sqrt(z) at 0."""
    z = sympy.Symbol("z", real=True)
    try:
        return not abs(value_at(formula.diff(z), {"z": at})) < _STEEP
    except (NotReal, ZeroDivisionError):
        return True


def _ranges(found: list[bool], line: Sequence[float], name: str, real: Any, finite: Any) -> Iterator[_Range]:
    """Yield the ranges that are not real, in words, and their ends; these belong to them if not finite."""
    position = 0
    for is_real, group in itertools.groupby(found):
        first, last = position, position + len(list(group)) - 1
        position = last + 1
        if is_real:
            continue
        low = _edge(line[first], line[first - 1], real) if first else None
        high = _edge(line[last], line[last + 1], real) if last + 1 < len(line) else None
        if low is not None and low == high:
            yield f"{name} near {low:.6g}", []
        elif high is None:
            assert low is not None  # else it is real nowhere
            yield f"{name} {'>' if finite(low) else '>='} {low:.6g}", [low]
        else:
            below = "" if low is None else f"{low:.6g} {'<' if finite(low) else '<='} "
            ends = [end for end in (low, high) if end is not None]
            yield f"{below}{name} {'<' if finite(high) else '<='} {high:.6g}", ends


def _edge(outside: float, inside: float, real: Any) -> float:
    """Bisect between a number where the formula is not real and one where it is."""
    outside, inside = bisected(outside, inside, real)
    return round(inside, 9) + 0.0


def bisected(outside: float, inside: float, is_inside: Callable[[float], bool]) -> tuple[float, float]:
    """Return two numbers between which the answer changes, as near as they come."""
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        if is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside, inside


def jump(formula: Any, variable: str, others: Mapping[str, tuple[float, ...]]) -> str:
    """Say where a formula with cases jumps from one value to another, or nothing."""
    for values in itertools.product(*others.values()):
        beside = dict(zip(others, values, strict=True))
        for relation in sorted(formula.atoms(sympy.core.relational.Relational), key=str):
            for low, high in _turns(relation, variable, beside):
                try:
                    before, after = (value_at(formula, {**beside, variable: at}) for at in (low, high))
                except (NotReal, ZeroDivisionError):
                    continue
                if abs(before - after) > _JUMP * max(1.0, abs(before), abs(after)):
                    where = "".join(f", {name} = {value:g}" for name, value in beside.items())
                    steps = f"from {_short(before)} to {_short(after)}"
                    at = f"{variable} = {_short(low)}{where}"
                    return f"jumps {steps} at {at}: no derivative tells of that step"
    return ""


def _short(x: float) -> str:
    return f"{round(x, 9) + 0.0:.6g}"


def _turns(relation: Any, variable: str, beside: Mapping[str, float]) -> Iterator[tuple[float, float]]:
    """Yield neighbouring numbers between which a comparison turns from false to true, or back."""

    def answer(at: float) -> bool:
        return holds(relation, {**beside, variable: at})

    try:
        answers = list(map(answer, _LINE))
        for position, (one, next_one) in enumerate(itertools.pairwise(answers)):
            if one != next_one:
                low, high = _LINE[position], _LINE[position + 1]
                yield tuple(sorted(bisected(low, high, lambda at, goal=next_one: answer(at) == goal)))  # type: ignore[misc]
    except (NotReal, ZeroDivisionError):
        return


def _of_cost(formula: Any, record: Parametric) -> str:
    """Say at which prediction and target the formula has no finite value, or nothing."""
    assert isinstance(record, Cost)
    for h, y in itertools.product(_OUTPUTS[record.output], _TARGETS[record.targets]):
        try:
            value = value_at(formula, {"h": h, "y": y})
        except NotReal:
            return _unreal_cost(formula, record, h, y)
        if not math.isfinite(value):
            return (
                f"has no finite value at h = {h:g}, y = {y:g}: give it one with 'a if ... else b', "
                "or keep such data away"
            )
    return ""


def _unreal_cost(formula: Any, record: Cost, h: float, y: float) -> str:
    """Say for which predictions the cost of a target is not real; one of them is `h`."""
    low, high = _BOUNDS[record.output]
    line = sorted({h, *(at for at in _LINE if low < at < high)})
    ranges = _unreal(formula, "h", {"y": y}, line)
    where = _listed([words for words, _ in ranges]) if ranges != [_EVERYWHERE] else "any h"
    target = f" at y = {y:g}" if any(symbol.name == "y" for symbol in formula.free_symbols) else ""
    return f"is not real for {where}{target}: the cost is NaN there"

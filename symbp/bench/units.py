"""How accurate whole activations and their derivatives are, as kernels compute them: dense scans.

The text of the kernels is compiled and compared with mpmath. An error is counted in units in the
last place of the exact value; below the smallest normal number of the type none is counted. Next to a
root other than 0 a unit is that of at least the values 1/4 beside it. Where g' is computed from the
output, it is that of at least its largest value near 0: g' of a saturated unit has lost its
own digits, and next to other gradients it is nothing.
"""

from __future__ import annotations

import itertools
import math
import sys
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from symbp.algebra.named import Named
from symbp.algebra.nodes import with_numbers
from symbp.bench.exact import far
from symbp.derivation import local
from symbp.derivation.relation import stated_slope
from symbp.derivation.stability.choose import O, Z, largest, slope_form, value_form
from symbp.derivation.stability.numbers import Array, exact
from symbp.derivation.stability.rules import rewrite
from symbp.derivation.stability.scan import beside_root
from symbp.derivation.stated import stated_formula
from symbp.elementary.records import DTYPES
from symbp.files import atomic_write
from symbp.functions import ACTIVATIONS
from symbp.functions.measured import PATH
from symbp.render.elementary import loops_source
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.value_printer import ValuePrinter

# Points between -20 and 20, and as many over all sizes of the type.
COUNT = 1500
_NEAR = 20.0
_SPECIAL = (
    0.0,
    1e-300,
    1e-38,
    1e-8,
    40.0,
    80.0,
    90.0,
    100.0,
    700.0,
    710.0,
    800.0,
    1e10,
    1e19,
    1e20,
    1e154,
    1e200,
)
_HEAD = """\
# The errors of the activations and their derivatives as kernels compute them, in units in the last place.
# written by: symbp accuracy --record; do not edit.
#
# value, derivative: the largest error met, rounded up, at the argument beside it
"""

UNITS = tuple(name for name, record in ACTIVATIONS.items() if not record.of_layer)


@dataclass(frozen=True)
class Errors:
    """The largest errors of one activation in one format, and where they are.

    Attributes
    ----------
    name, dtype : str
    value, derivative : tuple of (float, float)
        Error in ulp, argument.
    points : int
    """

    name: str
    dtype: str
    value: tuple[float, float]
    derivative: tuple[float, float]
    points: int


class Unit:
    """An activation with its derivative: the forms that kernels compute, and exactly."""

    def __init__(self, name: str) -> None:
        formula = stated_formula(ACTIVATIONS[name], 0)
        derivative = sympy.diff(formula, Z)
        relation = stated_slope(formula).xreplace({local.O: O})
        self.name = name
        self.value = with_numbers(value_form(formula).expression)
        self.slope = with_numbers(slope_form(formula, relation).expression)
        self.exact_value, self.exact_slope = (rewrite(with_numbers(e))[0] for e in (formula, derivative))
        self.floor = largest(derivative) if self.slope.has(O) else 0.0


@cache
def unit(name: str) -> Unit:
    """Return an activation by name."""
    return Unit(name)


def source(name: str, dtype: str) -> str:
    """Return the text of a module with the loops ``value(x, y)`` and ``slope(x, y)`` over arrays."""
    functions = KernelFunctions("fast")
    printer = ValuePrinter(dtype, functions=functions)
    printer.near = True  # within the reach of sine and cosine
    element = sympy.Symbol("x[i]", real=True)
    found = unit(name)
    value = printer.doprint(_written_out(found.value.xreplace({Z: element}), functions))
    letters = {Z: element, O: sympy.Symbol(f"({value})", real=True)}
    slope = printer.doprint(_written_out(found.slope.xreplace(letters), functions))
    loops = [{"name": "value", "value": value}, {"name": "slope", "value": slope}]
    return loops_source(dtype, sorted(functions.used), loops)


@cache
def compiled(name: str, dtype: str) -> types.ModuleType:
    """Return that module; its loops compile when they are called."""
    module = types.ModuleType(f"symbp_unit_{name}_{dtype}")
    sys.modules[module.__name__] = module
    exec(compile(source(name, dtype), module.__name__, "exec"), module.__dict__)
    return module


def _written_out(e: Any, functions: KernelFunctions) -> Any:
    """Put the stable form in the place of every named function that has no emitted one."""
    return e.replace(
        lambda x: isinstance(x, Named) and not functions.emits(type(x)),
        lambda x: _written_out(x.stable(), functions),
    )


def points(name: str, dtype: str, count: int = COUNT, seed: int = 0) -> Array:
    """Return arguments: near 0, of all sizes, and those at which functions leave the type."""
    info, rng = np.finfo(dtype), np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(math.log(float(info.tiny)), math.log(float(info.max)), count))
    some = np.concatenate(
        [rng.uniform(-_NEAR, _NEAR, count), sizes, -sizes[::2], _SPECIAL, np.negative(_SPECIAL)]
    )
    with np.errstate(over="ignore", under="ignore"):
        x = np.append(some.astype(dtype), [info.max, -info.max, info.tiny])
    limit = far(dtype) if name == "sin" else float(info.max)
    chosen: Array = x[np.abs(x) <= limit]
    return chosen


def measure(name: str, dtype: str, count: int = COUNT, seed: int = 0) -> Errors:
    """Measure one activation and its derivative at the points of the table."""
    return errors(name, points(name, dtype, count, seed), compiled(name, dtype))


def errors(name: str, x: Array, module: types.ModuleType) -> Errors:
    """Return the largest errors of an activation and its derivative at given points."""
    found, dtype, worst = unit(name), str(x.dtype), []
    for loop, reference, floor in (
        (module.value, found.exact_value, 0.0),
        (module.slope, found.exact_slope, found.floor),
    ):
        y = np.empty_like(x)
        loop(x, y)
        each = [_error(a, b, reference, floor, np.finfo(dtype)) for a, b in zip(x, y, strict=True)]
        at = int(np.argmax(each))
        worst.append((each[at], float(x[at])))
    return Errors(name, dtype, worst[0], worst[1], x.size)


def _error(x: Any, computed: Any, reference: Any, floor: float, info: Any) -> float:
    """Return the error in ulp; infinite where only one of both is finite."""
    true = exact(reference, {"z": float(x)})
    floor = max(floor, beside_root(float(x), lambda z: exact(reference, {"z": z})))
    tiny, most = float(info.tiny), float(info.max)
    if abs(true) > most:
        return 0.0 if math.isinf(computed) else math.inf
    if not math.isfinite(computed):
        return math.inf
    if abs(true) < tiny and abs(computed) <= tiny:
        return 0.0
    kind = info.dtype.type
    size = min(max(float(abs(true)), floor, tiny), float(np.nextafter(kind(most), kind(0))))
    return float(abs(true - float(computed)) / float(np.spacing(kind(size))))


def record(found: Iterable[Errors]) -> Path:
    """Write ``symbp/functions/accuracy.toml``, which the table of functions and the tests take."""
    import tomli_w

    tables: dict[str, dict[str, Any]] = {}
    for each in found:
        tables.setdefault(each.name, {})[each.dtype] = {
            "value": math.ceil(each.value[0] * 100) / 100,
            "value_at": each.value[1].hex(),
            "derivative": math.ceil(each.derivative[0] * 100) / 100,
            "derivative_at": each.derivative[1].hex(),
            "points": each.points,
        }
    return atomic_write(PATH, f"{_HEAD}\n{tomli_w.dumps(tables)}")


def every(done: Callable[[str], None] = lambda what: None) -> list[Errors]:
    """Measure all of them in both formats; `done` is told what was measured."""
    found = []
    for name, dtype in itertools.product(UNITS, DTYPES):
        found.append(measure(name, dtype))
        done(f"{name}, {dtype}")
    return found


def text(found: Iterable[Errors]) -> str:
    """Return the table for the terminal."""
    head = ("activation", "type", "g", "where", "g'", "where", "points")
    lines = ["{:14}{:9}{:>9}  {:>13}  {:>8}  {:>13}  {}".format(*head)]
    for each in found:
        cells = (f"{error:8.2f}  {at:13.6g}" for error, at in (each.value, each.derivative))
        lines.append(f"{each.name:14}{each.dtype:9} {'  '.join(cells)}  {each.points:6,}")
    return "\n".join(lines) + "\n"

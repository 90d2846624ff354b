"""Elementary functions -> what the templates print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from symbp.elementary import FUNCTIONS
from symbp.elementary.expand import code, decimal, with_used
from symbp.elementary.measured import measured
from symbp.elementary.pieces import ROWS, pieces
from symbp.elementary.records import FORMATS
from symbp.elementary.vectors import for_vectors
from symbp.render.environment import render
from symbp.version import __version__

WIDTH = 92
_COLUMNS = "A column for each piece: its middle, then the coefficients by rising power."

# What math offers under another name, or as a formula; of x[i].
_MATH = {
    "sigmoid": "F(1)/(F(1) + math.exp(-x[i]))",
    "arctan": "math.atan(x[i])",
    "exp_by_roots": "math.exp(x[i])",
    "tanh_by_pieces": "math.tanh(x[i])",
    "gauss": "math.exp(-x[i]*x[i])",
    "half_gauss": "math.exp(F(-0.5)*x[i]*x[i])",
    "normal_cdf": "F(0.5)*math.erfc(F(-0.7071067811865476)*x[i])",
    "normal_cdf_by": "F(0.5)*math.erfc(F(-0.7071067811865476)*x[i])",
}


def functions(names: Iterable[str], dtype: str, vectors: bool = False) -> list[dict[str, Any]]:
    """Return the named functions and those that they call, as the template wants them.

    Parameters
    ----------
    names : iterable of str
        Keys of :data:`symbp.elementary.FUNCTIONS`.
    dtype : {"float64", "float32"}
    vectors : bool
        Whether they take vectors beside numbers; the file has to have those.
    """
    found = [code(name, dtype) for name in with_used(names)]
    return [
        {
            "name": function.name,
            "arguments": ", ".join(function.record.arguments),
            "comments": [
                *textwrap.wrap(f"{function.record.value}: {function.record.method}.", WIDTH),
                *function.polynomials,
                *_error(function.name, dtype),
            ],
            "lines": for_vectors(function.lines) if vectors else function.lines,
        }
        for function in found
    ]


def tables(names: Iterable[str], dtype: str) -> list[dict[str, Any]]:
    """Return the tables that the named functions look coefficients up in, as the template wants them."""
    used = dict.fromkeys(table for name in with_used(names) for table in code(name, dtype).tables)
    return [
        {
            "name": name,
            "comment": ROWS[name].meaning if name in ROWS else _COLUMNS,
            "rows": [
                textwrap.wrap(", ".join(decimal(number, dtype) for number in row), WIDTH)
                for row in pieces(dtype)[name].rows
            ],
        }
        for name in used
    ]


def _error(name: str, dtype: str) -> list[str]:
    found = measured().get((name, dtype))
    return [] if found is None else [f"largest error met in {found.points:,} points: {found.worst} ulp"]


def module_source(dtype: str, names: Iterable[str] = (), contract: bool = True) -> str:
    """Return a module with the functions, a loop ``all_NAME(x, y)`` and one with ``math`` for each.

    Parameters
    ----------
    dtype : {"float64", "float32"}
    names : iterable of str
        None for all that there are in the format.
    contract : bool
        Whether the compiler may fuse multiplications with additions, as in the trainers.
    """
    names = tuple(names) or tuple(name for name, record in FUNCTIONS.items() if dtype in record.dtypes)
    loops = [{"name": f"all_{name}", "value": FUNCTIONS[name].at("x[i]")} for name in names]
    loops += [{"name": f"math_{name}", "value": _MATH.get(name, f"math.{name}(x[i])")} for name in names]
    return loops_source(dtype, names, loops, contract)


def loops_source(
    dtype: str, names: Iterable[str], loops: Iterable[Mapping[str, str]], contract: bool = True
) -> str:
    """Return a module with elementary functions and loops ``NAME(x, y)``, each with its value of ``x[i]``."""
    return render(
        "numba",
        "elementary_module.py.j2",
        {
            "dtype": dtype,
            "integer": FORMATS[dtype].integer,
            "fastmath": '{"contract"}' if contract else "False",
            "version": __version__,
            "elementary": functions(names, dtype),
            "tables": tables(names, dtype),
            "loops": list(loops),
        },
    )

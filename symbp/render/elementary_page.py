"""The page of the elementary functions: how each is computed, how accurate and how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.elementary import FITS, FUNCTIONS
from symbp.elementary.constants import PIECES, constants
from symbp.elementary.fit import polynomials
from symbp.elementary.measured import measured, timed
from symbp.elementary.pieces import TABLES, pieces
from symbp.elementary.records import DTYPES, Elementary
from symbp.render.environment import render


def page() -> str:
    """Return the page as Markdown; the same on every machine."""
    data = {
        "functions": [_function(record) for record in FUNCTIONS.values()],
        "polynomials": [_fit(name) for name in FITS],
        "pieces": [_pieces(name) for name in TABLES],
        "conditions": timed()[0],
    }
    return render("markdown", "elementary.md.j2", data)


def _function(record: Elementary) -> Mapping[str, Any]:
    errors = [measured()[record.name, dtype] for dtype in record.dtypes]
    return {
        "name": record.name,
        "value": str(record.value),
        "method": record.method,
        "source": record.source,
        "reach": [f"{constants(dtype)[record.reach]:,.0f} in {dtype}" for dtype in DTYPES if record.reach],
        "errors": [
            {
                "dtype": dtype,
                "worst": e.worst,
                "mean": e.mean,
                "at": f"{e.at:.6g}",
                "points": f"{e.points:,}",
                "speed": _speed(record.name, dtype),
            }
            for dtype, e in zip(record.dtypes, errors, strict=True)
        ],
    }


def _speed(name: str, dtype: str) -> tuple[str, ...]:
    """Return the times of ours, of math and of NumPy, and the ratio of the first two."""
    found = timed()[1].get((name, dtype))
    if found is None:
        return ("-",) * 4
    numpy = "-" if found.numpy is None else f"{found.numpy:.2f}"
    return f"{found.ours:.2f}", f"{found.libm:.2f}", numpy, f"{found.libm / found.ours:.1f}"


def _fit(name: str) -> Mapping[str, Any]:
    degree = FITS[name].degree
    fitted = [polynomials(dtype)[name] for dtype in DTYPES if dtype in degree]
    return {
        "meaning": FITS[name].meaning,
        "degrees": ", ".join(str(degree.get(dtype, "-")) for dtype in DTYPES),
        "errors": ", ".join(f"{p.rounded:.1e}" for p in fitted),
    }


def _pieces(name: str) -> Mapping[str, Any]:
    degree = TABLES[name].degree
    return {
        "meaning": TABLES[name].meaning,
        "count": PIECES,
        "degrees": ", ".join(f"{degree[dtype]} in {dtype}" for dtype in degree),
        "errors": ", ".join(f"{pieces(dtype)[name].error:.1e}" for dtype in degree),
    }

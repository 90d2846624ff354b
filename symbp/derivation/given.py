"""The text of ``--numbers`` -> exact numbers that fit the network."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from symbp.derivation.numbers import Given
from symbp.errors import DataError
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.values import counted, shown

# A page with more weights than this is not an example any more.
MAX_WEIGHTS = 500
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?(/\d+)?", re.IGNORECASE)
_MAX_LENGTH = 40
# What targets must be -> (whether one is, how a message says so).
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "real": (lambda y: True, "that are numbers"),
    "nonnegative": (lambda y: bool(y >= 0), "of at least 0"),
    "sign": (lambda y: bool(abs(y) == 1), "-1 or 1"),
    "unit_interval": (lambda y: bool(0 <= y <= 1), "between 0 and 1"),
    "distribution": (lambda y: bool(0 <= y <= 1), "between 0 and 1"),
}


def read(text: str, network: Network) -> Given:
    """Return the numbers of an example.

    Parameters
    ----------
    text : str
        ``"x = 2; y = 1; W1 = [[0.2, 0.1], [0.4, 0.3]]; w = ...; seed = 3"``: inputs and targets;
        weights as matrices W1, W2, ... with the bias last in each row, or all in one list w,
        row by row; what is not given comes from the seed, in tenths. Where the cost has weights
        of samples, ``v = 3`` is that of this one, else 1.
    network : Network

    Raises
    ------
    DataError
        If the numbers do not fit the network.
    """
    if network.n_params > MAX_WEIGHTS:
        raise DataError(f"numbers: {network.n_params:,} weights; an example has at most {MAX_WEIGHTS}")
    entries = _entries(text)
    layers = range(1, network.hidden + 2)
    weights = tuple(f"W{k}" for k in layers)
    known = ("x", "y", *("v" for _ in range(network.weighted)), "w", "seed", *weights)
    for name in entries:
        if name not in known:
            raise DataError(f"numbers: {shown(name)} is no quantity of this network{nearest(name, known)}")
    if "w" in entries and any(name in entries for name in weights):
        raise DataError("numbers: give w or W1, W2, ..., not both")
    for name in ("x", "y"):
        if name not in entries:
            raise DataError(f"numbers: {name} is missing; expected something like 'x = 2, 1; y = 1'")
    inputs = _row("x", entries["x"], network.inputs)
    v = _number("v", entries.get("v", "1"))
    if v < 0:
        raise DataError(f"numbers: v = {v}: the weight of a sample is at least 0")
    return Given(inputs, _targets(entries["y"], network), _weights(entries, network), v)


def _entries(text: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not equals or not values:
            raise DataError(f"numbers: {shown(part.strip())}: expected something like 'x = 2, 1'")
        if name in entries:
            raise DataError(f"numbers: {shown(name)} is given twice")
        entries[name] = values
    return entries


def _number(name: str, text: str) -> Any:
    if len(text) > _MAX_LENGTH or not _NUMBER.fullmatch(text):
        raise DataError(f"numbers: {name}: {shown(text)} is not a number such as 2, -0.5, 1e-3 or 1/3")
    numerator, _, denominator = text.partition("/")
    if denominator and int(denominator) == 0:
        raise DataError(f"numbers: {name}: {text} divides by 0")
    value = Fraction(numerator) / int(denominator or 1)
    return sympy.Rational(value.numerator, value.denominator)


def _list(name: str, text: str) -> tuple[Any, ...]:
    return tuple(_number(name, part) for part in re.split(r"[,\s]+", text.strip().strip(",")))


def _row(name: str, text: str, count: int) -> tuple[Any, ...]:
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    values = _list(name, inner)
    if len(values) != count:
        raise DataError(f"numbers: {name} has {counted(len(values), 'value')}, but the network takes {count}")
    return values


def _targets(text: str, network: Network) -> tuple[Any, ...]:
    count = network.sizes[-1]
    inner = text.strip().strip("[]")
    values = _list("y", inner)
    if network.cost.targets == "distribution" and len(values) == 1:
        (label,) = values
        if not label.is_Integer or not 0 <= label < count:
            raise DataError(f"numbers: y = {label}: expected a label 0..{count - 1} or {count} shares")
        return tuple(sympy.Integer(n == label) for n in range(count))
    if len(values) != count:
        raise DataError(f"numbers: y has {counted(len(values), 'value')}, but the network gives {count}")
    if network.cost.targets == "distribution" and sum(values) != 1:
        raise DataError(f"numbers: y sums to {sum(values)}; cost {network.cost.name!r} takes a sum of 1")
    inside, words = _RANGES[network.cost.targets]
    if not all(map(inside, values)):
        raise DataError(f"numbers: y: cost {network.cost.name!r} takes targets {words}")
    return values


def _weights(entries: Mapping[str, str], network: Network) -> tuple[tuple[tuple[Any, ...], ...], ...]:
    if "w" in entries:
        flat = _row("w", entries["w"], network.n_params)
        found, start = [], 0
        for rows, columns in network.shapes:
            found.append(_shaped(flat[start : start + rows * columns], columns))
            start += rows * columns
        return tuple(found)
    seed = entries.get("seed", "0")
    if not re.fullmatch(r"\d{1,18}", seed):
        raise DataError(f"numbers: seed = {shown(seed)}: expected a whole number of at least 0")
    source = random.Random(int(seed))
    found = []
    for k, (rows, columns) in enumerate(network.shapes, 1):
        drawn = [sympy.Rational(source.randint(-10, 10), 10) for _ in range(rows * columns)]
        name = f"W{k}"
        found.append(
            _matrix(name, entries[name], rows, columns) if name in entries else _shaped(tuple(drawn), columns)
        )
    return tuple(found)


def _matrix(name: str, text: str, rows: int, columns: int) -> tuple[tuple[Any, ...], ...]:
    shape = f"{name} is {rows} x {columns}"
    inner = re.sub(r"\s+", " ", text.strip())
    if not inner.startswith("["):
        if rows * columns != len(_list(name, inner)):
            raise DataError(f"numbers: {shape}; {len(_list(name, inner))} values are given")
        return _shaped(_list(name, inner), columns)
    nested = re.fullmatch(r"\[ ?((\[[^][]*\] ?,? ?)+)\]", inner)
    lines = re.findall(r"\[([^][]*)\]", nested.group(1)) if nested else re.findall(r"^\[([^][]*)\]$", inner)
    found = tuple(_list(name, line) for line in lines)
    if len(found) != rows or any(len(line) != columns for line in found):
        lengths = " and ".join(str(length) for length in sorted(set(map(len, found))))
        raise DataError(f"numbers: {shape}; given are {len(found)} rows of {lengths or 'nothing'}")
    return found


def _shaped(values: tuple[Any, ...], columns: int) -> tuple[tuple[Any, ...], ...]:
    return tuple(values[start : start + columns] for start in range(0, len(values), columns))

"""The text of ``--numbers``, in the layout of a notation -> exact numbers that fit the network."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symbp.derivation.numbers import Given
from symbp.errors import DataError
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.notation.records import Notation
from symbp.notation.smatrix import SMATRIX
from symbp.notation.weights import Array, Rows, WeightLayout
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


def read(text: str, network: Network, notation: Notation = SMATRIX) -> Given:
    """Return the numbers of an example.

    Parameters
    ----------
    text : str
        ``"x = 2; y = 1; W1 = [[0.2, 0.1], [0.4, 0.3]]; w = ...; seed = 3"``: inputs and targets;
        weights as the matrices of the notation (W1, W2, ... with the bias last in each row; Theta1
        with the bias first; W1 and b1), or all in one list w, matrix by matrix and row by row; what
        is not given comes from the seed, in tenths. Where the cost has weights of samples, ``v = 3``
        is that of this one, else 1.
    network : Network
    notation : Notation

    Raises
    ------
    DataError
        If the numbers do not fit the network.
    """
    layout = WeightLayout(notation, network)
    if network.n_params > MAX_WEIGHTS:
        raise DataError(f"numbers: {network.n_params:,} weights; an example has at most {MAX_WEIGHTS}")
    weights = {array.name: array for k in range(1, network.hidden + 2) for array in layout.arrays(k)}
    entries = _entries(text, {array.letter for array in weights.values()})
    known = ("x", "y", *("v" for _ in range(network.weighted)), "w", "seed", *weights)
    for name in entries:
        if name not in known:
            where = "" if notation is SMATRIX else f" in the notation {notation.name}"
            raise DataError(
                f"numbers: {shown(name)} is no quantity of this network{where}{nearest(name, known)}"
            )
    if "w" in entries and any(name in entries for name in weights):
        raise DataError(f"numbers: give w or {', '.join([*weights][:2])}, ..., not both")
    for name in ("x", "y"):
        if name not in entries:
            raise DataError(f"numbers: {name} is missing; expected something like 'x = 2, 1; y = 1'")
    inputs = _row("x", entries["x"], network.inputs)
    v = _number("v", entries.get("v", "1"))
    if v < 0:
        raise DataError(f"numbers: v = {v}: the weight of a sample is at least 0")
    return Given(inputs, _targets(entries["y"], network), _weights(entries, layout), v)


def _entries(text: str, letters: Collection[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        name, equals, values = (piece.strip() for piece in part.partition("="))
        name = _plain_name(name, letters)
        if not equals or not values:
            raise DataError(f"numbers: {shown(part.strip())}: expected something like 'x = 2, 1'")
        if name in entries:
            raise DataError(f"numbers: {shown(name)} is given twice")
        entries[name] = values
    return entries


def _plain_name(name: str, letters: Collection[str]) -> str:
    """Return W1 for ``W^(1)``, ``W_1``, ``W[1]``; names of something else stay as they are."""
    plain = re.sub(r"[\s\\^_{}()\[\]]", "", name).replace("\u0398", "Theta")
    letter = plain.rstrip("0123456789")
    return plain if letter in letters and letter != plain else name


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


def _weights(entries: Mapping[str, str], layout: WeightLayout) -> tuple[Rows, ...]:
    network = layout.network
    layers = range(1, network.hidden + 2)
    if "w" in entries:
        return _from_list(_row("w", entries["w"], network.n_params), layout)
    seed = entries.get("seed", "0")
    if not re.fullmatch(r"\d{1,18}", seed):
        digits = " with at most 18 digits" if seed.isdecimal() else ""
        raise DataError(f"numbers: seed = {shown(seed)}: expected a whole number of at least 0{digits}")
    source = random.Random(int(seed))
    found = []
    for k, (rows, columns) in zip(layers, network.shapes, strict=True):
        # Drawn in our own order: a seed gives the same network in every notation.
        drawn = [sympy.Rational(source.randint(-10, 10), 10) for _ in range(rows * columns)]
        parts = [
            _matrix(array, entries[array.name], layout.notation) if array.name in entries else there
            for array, there in zip(layout.arrays(k), layout.theirs(k, _shaped(drawn, columns)), strict=True)
        ]
        found.append(layout.ours(k, parts))
    return tuple(found)


def _from_list(flat: Sequence[Any], layout: WeightLayout) -> tuple[Rows, ...]:
    found, start = [], 0
    for k in range(1, layout.network.hidden + 2):
        parts = []
        for array in layout.arrays(k):
            end = start + array.rows * array.columns
            parts.append(_shaped(flat[start:end], array.columns))
            start = end
        found.append(layout.ours(k, parts))
    return tuple(found)


def _matrix(array: Array, text: str, notation: Notation) -> Rows:
    name, rows, columns = array.name, array.rows, array.columns
    where = "" if notation is SMATRIX else f" in the notation {notation.name}"
    shape = f"{name} is {rows} x {columns}{where}"
    inner = re.sub(r"\s+", " ", text.strip())
    plain = re.fullmatch(r"\[([^][]*)\]", inner) if array.is_column else None
    if plain is not None:  # a column may be written as a list
        inner = plain.group(1)
    if not inner.startswith("["):
        values = _list(name, inner)
        if rows * columns != len(values):
            raise DataError(f"numbers: {shape}; {len(values)} values are given")
        return _shaped(values, columns)
    nested = re.fullmatch(r"\[ ?((\[[^][]*\] ?,? ?)+)\]", inner)
    lines = re.findall(r"\[([^][]*)\]", nested.group(1)) if nested else re.findall(r"^\[([^][]*)\]$", inner)
    found = tuple(_list(name, line) for line in lines)
    lengths = sorted(set(map(len, found)))
    if (len(found), lengths) != (rows, [columns]):
        turned = "; it is transposed" if (lengths, [len(found)]) == ([rows], [columns]) else ""
        said = " and ".join(map(str, lengths)) or "nothing"
        raise DataError(f"numbers: {shape}; given are {len(found)} rows of {said}{turned}")
    return found


def _shaped(values: Sequence[Any], columns: int) -> Rows:
    return tuple(tuple(values[start : start + columns]) for start in range(0, len(values), columns))

"""CSV files -> the columns that were asked for.

The standard library's reader is used because it says on which line a row ends, which
every message needs; it reads two million numbers in about a second.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError
from symbp.run.raw import Raw, Selection, place_of

if TYPE_CHECKING:
    from _csv import Reader

_CHUNK = 10_000  # rows that are held as Python objects at a time
_MAX_CELL = 1_000  # characters; a stray quote makes one cell of the rest of the file


def read_csv(path: Path, select: Callable[[tuple[str, ...]], Selection]) -> Raw:
    """Read the columns that `select` picks from the header.

    The separator is a comma, semicolon or tab, whichever the header has most of.

    Raises
    ------
    DataError
        If the file cannot be read; the message names the line and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            rows = csv.reader(itertools.chain([first], file), delimiter=max(",;\t", key=first.count))
            return _read(str(path), rows, select)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; expected a CSV file (or NumPy's .npz)") from None
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: {error}") from None


def _read(where: str, rows: Reader, select: Callable[[tuple[str, ...]], Selection]) -> Raw:
    header = tuple(name.strip() for name in next(rows, []))
    _check_header(where, header)
    try:
        features, targets, weighted = select(header)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None

    lines: list[int] = []
    numbers: list[NDArray[np.float64]] = []
    texts: list[list[str]] = []
    weights: list[NDArray[np.float64]] = []
    for chunk in _chunks(where, rows, header, lines):
        numbers.append(_numbers(where, chunk, header, features, lines))
        weights.append(_numbers(where, chunk, header, weighted, lines))
        texts += [[row[j].strip() for j in targets] for row in chunk]
    if not lines:
        raise DataError(f"{where}: a header and no rows of data")
    return Raw(
        where,
        np.concatenate(numbers),
        np.array(texts) if targets else None,
        tuple(header[j] for j in features),
        tuple(header[j] for j in targets),
        lines,
        np.concatenate(weights)[:, 0] if weighted else None,
    )


def _check_header(where: str, header: tuple[str, ...]) -> None:
    if not header:
        raise DataError(f"{where}: no data: line 1 should name the columns")
    for j, name in enumerate(header):
        if not name:
            raise DataError(f"{where}: column {j + 1} has no name in line 1; name it or leave it out")
        if name in header[:j]:
            raise DataError(f"{where}: columns {header.index(name) + 1} and {j + 1} are both named {name!r}")


def _chunks(where: str, rows: Reader, header: Sequence[str], lines: list[int]) -> Iterator[list[list[str]]]:
    """Yield lists of rows as long as the header; append the line of each row to `lines`."""
    chunk: list[list[str]] = []
    for row in rows:
        if not row:
            continue  # an empty line, as many files have at their end
        lines.append(rows.line_num)
        if len(row) != len(header):
            place = place_of(where, len(lines) - 1, lines)
            raise DataError(f"{place}: {len(row)} cells, but line 1 names {len(header)} columns")
        if max(map(len, row)) > _MAX_CELL:
            place = place_of(where, len(lines) - 1, lines)
            raise DataError(f"{place}: a cell of more than {_MAX_CELL} characters")
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _numbers(
    where: str, chunk: list[list[str]], header: Sequence[str], columns: list[int], lines: list[int]
) -> NDArray[np.float64]:
    """Return the cells of `columns` as numbers; `chunk` holds the last rows read so far."""
    values = np.empty((len(chunk), len(columns)))
    for i, row in enumerate(chunk):
        cells = [row[j] for j in columns]
        try:
            values[i] = [float(cell) for cell in cells]
            # float() reads 1_000 as a Python literal; in a data file it is a slip.
            wrong = "_" in "".join(cells)
        except ValueError:
            wrong = True
        if wrong:
            j = next(j for j in columns if not is_number(row[j]))
            place = place_of(where, len(lines) - len(chunk) + i, lines)
            problem = f"{row[j]!r} is not a number" if row[j].strip() else "the cell is empty"
            raise DataError(f"{place}, column {header[j]!r}: {problem}")
    return values


def is_number(text: str) -> bool:
    """Return whether a cell is a number (NaN and infinities are, and are refused later)."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text

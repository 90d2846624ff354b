"""The vectors of an emitted trainer as NumPy arrays: what its own are in registers.

``load`` returns a copy of so many numbers, and arithmetic on them is NumPy's. Masks are arrays of
booleans, whole registers are as long as in the kernels.
"""

from __future__ import annotations

import threading
import time

import numpy as np

# Where the parts begin and end that only Numba understands.
PARTS = (("# Threads. A team", "def share("), ("# Vectors. A Vec", "def transpose("))


def without_vectors(source: str) -> str:
    """Return a trainer's text without the parts that only Numba understands."""
    for start, end in PARTS:
        if start in source:
            last = source.rindex("@", 0, source.index(end))  # with its decorator
            source = source[: source.index(start)] + source[last:]
    return source


def functions(lanes: int) -> dict[str, object]:
    """Return what stands in the place of that part."""

    def size_of(size):
        return len(size) if isinstance(size, np.ndarray) else -(-size // lanes) * lanes

    def spread(number, size):
        return np.full(size_of(size), number)

    def load(array, row, column, size):
        vec = np.zeros(size_of(size), array.dtype)
        whole = size_of(size) if isinstance(size, np.ndarray) else size
        assert column + whole <= array.shape[1]
        vec[:whole] = array[row, column : column + whole]
        return vec

    def store(array, row, column, vec, size):
        assert len(vec) == size_of(size)
        assert vec.dtype == array.dtype, "a number of the wrong type crept in"
        whole = size_of(size) if isinstance(size, np.ndarray) else size
        assert column + whole <= array.shape[1]
        array[row, column : column + whole] = vec[:whole]

    def turn(target, row, column, source, height, width):
        assert height <= lanes
        assert width <= lanes
        target[row : row + height, column : column + width] = source[
            column : column + width, row : row + height
        ].T

    def view(memory, first, rows, columns):
        flat = memory.reshape(-1)
        assert first + rows * columns <= flat.size
        return flat[first : first + rows * columns].reshape(rows, columns)

    def lesser(*numbers):
        return np.where(numbers[1] < numbers[0], *numbers[::-1]) if vectors(numbers) else min(*numbers)

    def greater(*numbers):
        return np.where(numbers[1] > numbers[0], *numbers[::-1]) if vectors(numbers) else max(*numbers)

    def vectors(numbers):
        return any(isinstance(x, np.ndarray) for x in numbers)

    def choice(mask, a, b):
        if np.ndim(mask) == 0:
            return a if mask else b
        return np.where(mask, a, b).astype(np.result_type(a, b))

    def bits(x):
        return np.asarray(x).view(f"int{8 * x.dtype.itemsize}")

    def number(k):
        return np.asarray(k).view(f"float{8 * k.dtype.itemsize}")

    def columns(array, row, size):
        rows = array[row : row + lanes]
        assert len(rows) == lanes, "beyond the workspace"
        assert rows.size == lanes * size
        return rows.reshape(lanes, size).T.copy()

    def columns_at(array, rows, first, last, size):
        chosen = array[rows[np.minimum(np.arange(first, first + lanes), last - 1)]]
        return chosen.reshape(lanes, size).T.copy()

    def store_columns(array, row, vec, size):
        assert vec.dtype == array.dtype, "a number of the wrong type crept in"
        array[row : row + lanes] = vec.T.reshape(array[row : row + lanes].shape)

    def numbers(array, row, size):
        return np.repeat(array[row].reshape(-1)[:size, None], lanes, axis=1)

    def inner(array, row, weights, count, size):
        rows = array[row : row + lanes, :size]
        assert len(rows) == lanes, "beyond the workspace"
        return weights[:count, :size] @ rows.T

    def add_inner(total, array, row, weights, column):
        rows = array[row : row + lanes, column : column + lanes]
        assert rows.shape == (lanes, lanes), "beyond the workspace"
        total = np.reshape(total, (-1, lanes))
        return total + weights[: len(total), column : column + lanes] @ rows.T

    def store_numbers(array, row, vec, size):
        assert vec.dtype == array.dtype, "a number of the wrong type crept in"
        array[row] = vec[:, 0].reshape(array[row].shape)

    def take(memory, first, count, step, size, stride):
        places = first + step * np.arange(count)[:, None] + stride * np.arange(size)
        rows = np.zeros((count, size_of(size)), memory.dtype)
        rows[:, :size] = memory.reshape(-1)[places]
        # What stands beyond a row is nothing's business.
        rows[:, size:] = np.nan
        return np.repeat(rows[:, :1], lanes, axis=1) if size == 1 else rows

    def give(vec, memory, first, count, step, size, stride):
        assert vec.dtype == memory.dtype, "a number of the wrong type crept in"
        places = first + step * np.arange(count)[:, None] + stride * np.arange(size)
        memory.reshape(-1)[places] = vec.reshape(count, -1)[:, :size]

    def row(vec):
        """As long as the registers of a row of neurons, whichever way it was made."""
        return np.atleast_2d(vec).reshape(1, -1)

    def mix(numbers, rows, start):
        assert len(numbers) == len(rows)
        return row(start) + (numbers[:, :1] * rows).sum(axis=0, keepdims=True)

    def across(rows, vec, size):
        products = (rows * row(vec))[:, :size].sum(axis=1, keepdims=True)
        return np.repeat(products, lanes, axis=1)

    def outer(numbers, vec):
        return numbers[:, :1] * row(vec)

    def rest(vec, left_out, axis):
        """All but a largest number, which the order puts last, and what was left out before."""
        return np.sort(vec, axis)[:-1].sum(axis) + left_out.sum(axis)

    lock = threading.Lock()

    def arrive(arrived):
        with lock:
            arrived[0] += 1
            return int(arrived[0]) - 1

    return {
        "columns": columns,
        "numbers": numbers,
        "inner": inner,
        "add_inner": add_inner,
        "store_numbers": store_numbers,
        "columns_at": columns_at,
        "store_columns": store_columns,
        "lanes_below": lambda size: np.arange(lanes) < size,
        "register_sum": lambda vec: vec.sum(axis=0, keepdims=True),
        "register_rest": lambda vec: rest(vec, vec - vec, 0)[None, :],
        "register_max": lambda vec: vec.max(axis=0, keepdims=True),
        "take": take,
        "give": give,
        "mix": mix,
        "across": across,
        "outer": outer,
        "SPINS": 0,
        "PATIENCE": 2,
        "OVER": 2**62,
        "_arrive": arrive,
        "_seen": lambda arrived: int(arrived[0]),
        "_give_way": lambda: time.sleep(0),
        "at_most": min,
        "row_at": lambda rows, place, end: rows[min(place, end - 1)],
        "LANES": lanes,
        "spread": spread,
        "load": load,
        "store": store,
        "fma": lambda number, vec, start: number * vec + start,
        "select": choice,
        "lookup": lambda table, row, place: table[row][place % table.shape[1]],
        "bits": bits,
        "number": number,
        "min": lesser,
        "max": greater,
        "larger": lambda a, b: np.where(a > b, a, b),
        "smaller": lambda a, b: np.where(a < b, a, b),
        "row_rest": lambda vec, left_out, size: rest(vec.reshape(-1)[:size], left_out.reshape(-1)[:size], 0),
        "row_max": lambda vec, size: vec[:size].max(),
        "rows_sum": lambda rows, size: rows[:, :size].sum(),
        "row_sum": lambda vec, size: vec.reshape(-1)[:size].sum(),
        "_turn_block": turn,
        "view": view,
    }

"""Products of a matrix of small whole numbers with vectors of long ones: exact, and in floating point.

A long number is cut into pieces of 24 bits. Small numbers of 13 bits times such pieces, summed
over a row, stay below 2^53, so float64 holds every sum exactly and NumPy may compute it in any
order; Python's own integers put the pieces together again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_PIECE = 24
SMALL = 2**13
# 53 bits of float64 less those of a piece and of a small number: so many may be added.
_COLUMNS = 2**16


def product(matrix: npt.NDArray[np.float64], vector: list[int]) -> list[int]:
    """Return matrix times vector, exactly.

    Parameters
    ----------
    matrix : numpy.ndarray
        Whole numbers of size below :data:`SMALL`, shape (rows, columns).
    vector : list of int
        Of any size, one for each column.

    Returns
    -------
    list of int
        One for each row.
    """
    total = [0] * len(matrix)
    for first in range(0, len(vector), _COLUMNS):
        part = vector[first : first + _COLUMNS]
        sums = matrix[:, first : first + _COLUMNS] @ _pieces(part)
        for row, pieces in enumerate(sums.tolist()):
            total[row] += sum(int(piece) << (_PIECE * n) for n, piece in enumerate(pieces))
    return total


def _pieces(vector: list[int]) -> npt.NDArray[np.float64]:
    """Return the pieces of each number, the lowest first, each with the number's sign."""
    count = max(1, *(-(-number.bit_length() // _PIECE) for number in vector)) if vector else 1
    width = -(-count * _PIECE // 8)
    bytes_ = b"".join(abs(number).to_bytes(width, "little") for number in vector)
    digits = np.frombuffer(bytes_, np.uint8).reshape(len(vector), count, _PIECE // 8)
    pieces = digits @ (256.0 ** np.arange(_PIECE // 8))
    signs = np.array([-1.0 if number < 0 else 1.0 for number in vector])
    return np.asarray(pieces * signs[:, None], np.float64)

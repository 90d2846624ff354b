"""NumPy's ``.npz`` files -> arrays."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError
from symbp.functions.names import nearest
from symbp.run.raw import Raw


def read_npz(path: Path, inputs: str, targets: str | None, weights: str | None = None) -> Raw:
    """Read the array named `inputs` and, unless None, those named `targets` and `weights`.

    Raises
    ------
    DataError
        If the file cannot be read or the arrays are not what they should be.
    """
    arrays = load_arrays(path)
    X = _array(path, arrays, inputs)
    if X.ndim != 2 or X.dtype.kind not in "fiub":
        raise DataError(f"{path}: {inputs} is {_described(X)}; expected rows of numbers, one for each sample")
    Y = None if targets is None else _array(path, arrays, targets)
    if Y is not None and (Y.ndim not in (1, 2) or Y.dtype.kind not in "fiubU"):
        raise DataError(f"{path}: {targets} is {_described(Y)}; expected a label or numbers for each sample")
    if Y is not None and len(Y) != len(X):
        raise DataError(f"{path}: {inputs} has {len(X)} rows and {targets} has {len(Y)}")
    v = None if weights is None else _array(path, arrays, weights)
    if v is not None and (v.shape != (len(X),) or v.dtype.kind not in "fiub"):
        raise DataError(f"{path}: {weights} is {_described(v)}; expected one number for each sample")
    samples = None if v is None else np.asarray(v, dtype=np.float64)
    return Raw(str(path), np.asarray(X, dtype=np.float64), Y, (), (), weights=samples)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of the file; pickled objects are refused, so no code of the file can run.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise DataError(f"{path}: a single array; expected an .npz file, as numpy.savez writes it")
            return {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, NotImplementedError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not an .npz file, or one with something else than plain arrays") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _array(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise DataError(f"{path}: no array {name!r}{nearest(name, arrays)}")
    return arrays[name]


def _described(array: NDArray[Any]) -> str:
    return f"of type {array.dtype} and shape {array.shape}"

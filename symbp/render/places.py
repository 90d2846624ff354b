"""Where the arrays of a trainer's kernels lie in its flat vectors."""

from __future__ import annotations

from symbp.plan.program import ROWS, Array

# Numbers: a cache line of 64 bytes, or two.
ALIGNED = 16
_VECTORS = {"weights": "w", "gradient": "gradient", "state": "states"}


class Places:
    """Where every work array lies in the flat workspace.

    Arrays with one row per sample come first, each ``capacity`` rows long; arrays of fixed
    size come last.

    Parameters
    ----------
    arrays : tuple of Array
    vectors : bool
        Whether the emitted file has ``view``, and arrays begin where a cache line does; the
        capacity is then a multiple of :data:`ALIGNED`.
    """

    def __init__(self, arrays: tuple[Array, ...], vectors: bool = False) -> None:
        self.vectors = vectors
        self.per_row, self.fixed = 0, 0
        self._rows: dict[str, tuple[int, Array]] = {}
        self._fixed: dict[str, tuple[int, Array]] = {}
        for array in arrays:
            size = _size(array)
            if array.axes[0] == ROWS:
                self._rows[array.name] = (self.per_row, array)
                self.per_row += size
            else:
                self._fixed[array.name] = (self.fixed, array)
                self.fixed += -(-size // ALIGNED) * ALIGNED if vectors else size

    def first(self, array: Array) -> int:
        """Return where an array begins: in its vector, or within one row or the fixed end of the workspace.

        For an array with a row for each sample it is a multiple of the capacity.
        """
        if array.role != "work":
            return array.offset
        place, _ = self._rows.get(array.name) or self._fixed[array.name]
        return place

    def view(self, array: Array, first: str | None = None, begin: bool = False, lanes: int = 0) -> str:
        """Return the line that makes a view of an array.

        Parameters
        ----------
        array : Array
        first : str, optional
            The name of a place that is an argument.
        begin : bool
            Whether rows of samples count from ``begin``, a row that is an argument.
        lanes : int
            For one sample, which has the room of many: its row ends where a register of so many does.
        """
        if not self.vectors or len(array.axes) > 2:
            return self.plain_view(array, first)
        start: int | str = self.first(array) if first is None else first
        rows, columns = (*(("capacity" if x == ROWS else str(x)) for x in array.axes), "")[:2]
        memory = _VECTORS.get(array.role, "work")
        if array.role == "work" and array.axes[0] == ROWS:
            start = f"{start}*capacity"
            if begin and not columns:
                return f"{array.name} = work[{start} + begin:{start} + capacity]"
            if begin:
                start += f" + begin*{columns}"
        elif array.role == "work":
            start = f"{self.per_row}*capacity + {start}"
        if lanes and columns and array.role == "work" and array.axes[0] == ROWS:
            rows, columns = "1", str(-(-int(columns) // lanes) * lanes)
        if not columns:
            end = f"{start} + {rows}"
            return f"{array.name} = {memory}[{start}:{end}]"
        return f"{array.name} = view({memory}, {start}, {rows}, {columns})"

    def plain_view(self, array: Array, first: str | None = None) -> str:
        """Return such a line for which NumPy is enough."""
        size, start = _size(array), self.first(array) if first is None else first
        if array.role in ("weights", "gradient"):
            vector = "w" if array.role == "weights" else "gradient"
            return f"{array.name} = {vector}[{start}:{_plus(start, size)}].reshape({_shape(array)})"
        if array.axes[0] == ROWS:
            end = _plus(start, size)
            last = end if isinstance(start, int) else f"({end})"
            return f"{array.name} = work[{start}*capacity:{last}*capacity].reshape({_shape(array)})"
        fixed = f"{self.per_row}*capacity"
        ends = f"{fixed} + {start}:{fixed} + {_plus(start, size)}"
        return f"{array.name} = work[{ends}].reshape({_shape(array)})"


def _plus(start: int | str, size: int) -> str:
    return str(start + size) if isinstance(start, int) else f"{start} + {size}"


def _size(array: Array) -> int:
    size = 1
    for extent in array.axes:
        size *= 1 if extent == ROWS else int(extent)
    return size


def _shape(array: Array) -> str:
    extents = ["capacity" if extent == ROWS else str(extent) for extent in array.axes]
    return f"({', '.join(extents)}{',' if len(extents) == 1 else ''})"

"""Room on Python's stack, for calls that are nested deep.

CPython keeps the frames of its calls in pieces of 16 KiB, and gives a piece back to the system as
soon as no frame is in it. Where a loop happens to run at the end of a piece, each of its calls
fetches a piece and gives it back. In Numba's compiler, whose calls are nested deep, that took a tenth
of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

# Of 8 bytes each. A frame larger than a piece has a piece of its own, whose size is the next power of
# two: this one takes a little more than 1 MiB of 2, and what is left is for the calls below it.
_PLACES = 140_000


def with_room(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Call a function with room for the frames of all that it calls.

    Parameters
    ----------
    function : callable
    *arguments, **named
        What it is called with.

    Returns
    -------
    object
        What it returns.
    """
    return function(*arguments, **named)


# Never used, so the system does not even provide it.
with_room.__code__ = with_room.__code__.replace(co_stacksize=_PLACES)

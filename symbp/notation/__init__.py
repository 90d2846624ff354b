"""Notations, and the printers they drive. A notation is one file with one record."""

from symbp.errors import RenderError
from symbp.functions.names import nearest
from symbp.notation.records import Notation
from symbp.notation.smatrix import SMATRIX

NOTATIONS: dict[str, Notation] = {notation.name: notation for notation in (SMATRIX,)}


def get(name: str) -> Notation:
    """Return the notation of that name.

    Raises
    ------
    RenderError
        If there is none; the message names the nearest.
    """
    if name not in NOTATIONS:
        raise RenderError(f"unknown notation {name!r}{nearest(name, NOTATIONS)}")
    return NOTATIONS[name]

"""Notations, and the printers they drive. A notation is one file with one record.

Every module of this package that holds a :class:`Notation` is found by itself: to add a
notation, add its file.
"""

import importlib
import pkgutil

from symbp.errors import RenderError
from symbp.functions.names import nearest
from symbp.notation.records import Notation


def _found() -> dict[str, Notation]:
    """Return the notations of all modules of the package, that of 000 first."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    records = {
        value.name: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Notation)
    }
    return dict(sorted(records.items(), key=lambda item: (item[1].source, item[0])))


NOTATIONS: dict[str, Notation] = _found()


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

"""Notations, and the printers they drive. A notation is one file with one record.

Every module of this package that holds a :class:`Notation` is found by itself: to add a
notation, add its file.
"""

import importlib
import pkgutil

from symbp.errors import RenderError
from symbp.functions.names import nearest
from symbp.notation.records import Notation


def found() -> dict[str, Notation]:
    """Return the notations of all modules of the package, that of 000 first.

    Raises
    ------
    RenderError
        If two have the same name.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    records: dict[str, tuple[str, Notation]] = {}
    for name in names:
        module = importlib.import_module(f"{__name__}.{name}")
        for record in vars(module).values():
            if not isinstance(record, Notation):
                continue
            home, known = records.setdefault(record.name, (module.__name__, record))
            if known is not record:
                raise RenderError(
                    f"notation {record.name!r} is in {home} and in {module.__name__}; rename one"
                )
    return dict(
        sorted(((name, record) for name, (_, record) in records.items()), key=lambda i: (i[1].source, i[0]))
    )


NOTATIONS: dict[str, Notation] = found()


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

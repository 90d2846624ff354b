"""Which documents there are, and what the audit finds in each."""

from __future__ import annotations

import importlib
from functools import cache

from symbp.derivation.documents.decide import Judge, verdict
from symbp.derivation.documents.records import Document, Verdict
from symbp.errors import DocumentError
from symbp.functions.names import nearest

NAMES = ("000", "001", "002", "003", "004")
# What the notation of each document is called, for who asks for a document by it.
NOTATIONS = dict(zip(("smatrix", "ng", "lfd", "bishop", "nielsen"), NAMES, strict=True))


def get(name: str) -> Document:
    """Return a document.

    Raises
    ------
    DocumentError
        If there is none of that name.
    """
    if name not in NAMES:
        whole = NOTATIONS.get(name) or name.zfill(3)
        near = nearest(whole if whole in NAMES else name, NAMES)
        if name in NOTATIONS:
            near = f"; the notation {name} is that of document {whole}"
        raise DocumentError(f"unknown document {name!r}{near}")
    module = importlib.import_module(f"symbp.derivation.documents.document_{name}")
    document: Document = module.DOCUMENT
    return document


@cache
def audit(name: str) -> tuple[Verdict, ...]:
    """Decide every equation of a document.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    """
    document = get(name)
    judges: dict[str, Judge] = {}
    return tuple(verdict(document, equation, judges) for equation in document.equations)

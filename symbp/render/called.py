"""Which functions the lines of a trainer call: its file brings no others along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

_CALL = re.compile(r"\b(\w+)\(")


def called(*parts: Any) -> frozenset[str]:
    """Return the names of all functions that lines of code call.

    Parameters
    ----------
    *parts
        Lines, or records, mappings and sequences of them, however deep; comments do not count.

    Returns
    -------
    frozenset of str
    """
    names: set[str] = set()
    for part in parts:
        if isinstance(part, str):
            names.update(_CALL.findall(part.partition("#")[0]))
        elif is_dataclass(part):
            names |= called(*(getattr(part, field.name) for field in fields(part)))
        elif isinstance(part, Mapping):
            names |= called(*part.values())
        elif isinstance(part, Iterable):
            names |= called(*part)
    return frozenset(names)

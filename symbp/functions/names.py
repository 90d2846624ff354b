"""Help with misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'tanh'?"``, or the list of known names when nothing is near."""
    names = list(known)
    close = difflib.get_close_matches(str(name), names, n=1) or _in_another_case(str(name), names)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}"


def _in_another_case(name: str, names: list[str]) -> list[str]:
    """Return the name that is nearest if capitals do not count: 'NG' is meant for 'ng'."""
    folded = {known.casefold(): known for known in reversed(names)}
    return [folded[x] for x in difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.8)]

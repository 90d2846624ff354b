"""The words of the language that every interpretation of it knows."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
}

ELEMENTARY = ("exp", "log", "tanh")

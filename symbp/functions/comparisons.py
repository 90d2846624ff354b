"""What the comparisons of SymPy say of numbers, and of every element of arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

# By the attribute rel_op of a SymPy relation.
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

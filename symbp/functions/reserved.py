"""Names that mean something already, so that no function or parameter of a user may take them."""

from __future__ import annotations

import keyword
import re

from symbp.errors import SpecError
from symbp.values import shown

# The variables of formulas, and the words of formulas (symbp.functions.vocabulary).
VARIABLES = ("z", "h", "y", "w", "gradient", "learning_rate", "step")
WORDS = (
    *("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "atan", "erf"),
    *("abs", "max", "min", "sigmoid", "softplus", "sum", "pi", "e"),
)
RESERVED = frozenset((*VARIABLES, *WORDS))

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
EXPECTED = "expected letters, digits and _ (at most 40), starting with a letter"


def check_function_name(name: object) -> None:
    """Raise SpecError unless `name` can name a function: no keyword, no variable of a formula."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpecError(f"function name {shown(name)}: {EXPECTED}")
    if keyword.iskeyword(name) or name in (*VARIABLES, "sum"):
        raise SpecError(f"function name {name!r}: it has a meaning in formulas; choose another one")


def check_parameter_name(name: object) -> None:
    """Raise SpecError unless `name` can name a parameter: a word of no formula, and no record's key."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpecError(f"parameter name {shown(name)}: {EXPECTED}")
    if keyword.iskeyword(name) or name in RESERVED or name == "name":
        raise SpecError(f"parameter name {name!r}: it has a meaning of its own; choose another one")

"""Which functions of a generated module have passed their self-test in this process.

Each function is tested before its first use and not earlier: what nobody uses is not compiled.
"""

from __future__ import annotations

import weakref
from typing import Any

from symbp.errors import TrainerError
from symbp.room import with_room
from symbp.run.interface import TrainerModule

# What training and prediction need; a trainer is tested on it when it is loaded.
ORDINARY = ("predict", "value_and_gradient")

_PASSED: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


def self_test(module: TrainerModule, where: str, *functions: str) -> None:
    """Compare what the functions return with the module's test vector, once per process.

    Parameters
    ----------
    module : TrainerModule
    where : str
        The file, for messages.
    *functions : str
        Names of public functions of the module.

    Raises
    ------
    TrainerError
        If one of them does not reproduce the test vector or cannot be run.
    """
    passed = _PASSED.setdefault(module, set())
    waiting = [name for name in functions if name not in passed]
    if not waiting:
        return
    try:
        with_room(module.self_test, *waiting)
    except AssertionError as error:
        raise TrainerError(f"{where}: failed its self-test: {first_line(error)}") from error
    except Exception as error:
        raise TrainerError(f"{where}: cannot run its self-test: {one_line(error)}") from error
    passed.update(waiting)


def one_line(error: Exception) -> str:
    """Return the kind of an error and the first line of its message."""
    return f"{type(error).__name__}: {first_line(error)}"


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; Numba's run over a page."""
    return next(iter(str(error).strip().splitlines()), "no reason given")

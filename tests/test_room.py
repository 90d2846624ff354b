"""Calls that are nested deep do not ask the system for memory over and over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from symbp import room
from symbp.room import with_room

resource = pytest.importorskip("resource")  # of Unix

CALLS = 500


def _leaf() -> None:
    pass


def _nested(depth: int) -> None:
    """Call something many times from that many frames further down."""
    if depth:
        _nested(depth - 1)
        return
    for _ in range(CALLS):
        _leaf()


def _worst(call: Callable[..., Any]) -> int:
    """Return the most pages that such a loop fetched, wherever in a piece of the stack it stood."""
    found = []
    for depth in range(400):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        call(_nested, depth)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return max(found)


def _directly(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _elsewhere(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on a stack of its own: these tests themselves run with room."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def test_no_pages_are_fetched_for_each_call() -> None:
    if _elsewhere(_worst, _directly) < CALLS:
        pytest.skip("this Python keeps what it has fetched")
    assert _elsewhere(with_room, _worst, _directly) < CALLS / 5


def test_the_tests_themselves_run_with_room() -> None:
    assert _worst(_directly) < CALLS / 5


def test_a_frame_that_is_too_small_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    if _elsewhere(_worst, _directly) < CALLS:
        pytest.skip("this Python keeps what it has fetched")
    monkeypatch.setattr(with_room, "__code__", with_room.__code__.replace(co_stacksize=10))
    assert _elsewhere(room.with_room, _worst, _directly) >= CALLS


def test_what_it_is_given_and_gives_back() -> None:
    assert with_room(lambda *a, **named: (a, named), 1, 2, x=3) == ((1, 2), {"x": 3})
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 / 0)

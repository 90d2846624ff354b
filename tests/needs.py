"""Programs that some tests need and that a machine may lack."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test; fail instead where SYMBP_ALL_TESTS says that nothing may be left out."""
    if os.environ.get("SYMBP_ALL_TESTS"):
        pytest.fail(f"{what}, and SYMBP_ALL_TESTS is set")
    pytest.skip(what)

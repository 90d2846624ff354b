"""The order in which files are handed to the workers of a parallel run.

Each file goes to one worker (``--dist loadfile``): what its tests share, such as a compiled
trainer, a browser or proofs, is then made once. The longest files go first, so that the workers
end together.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

# Longest first, by the seconds of processor time that they take.
LONGEST = (
    *("test_functions_registry", "test_cli", "test_own_functions", "test_stable_steps", "test_page"),
    *("test_cache", "test_verify", "test_generated", "test_threads", "test_browser", "test_audit_mutants"),
    *("test_trainer_against_oracle", "test_updates", "test_stepwise", "test_target", "test_demo"),
    *("test_kernel_code", "test_numerics", "test_repeats", "test_single", "test_step", "test_scan"),
    *("test_weights", "test_minimize", "test_speed", "test_documents", "test_notation", "test_mutants"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(autouse=True, scope="module")
def nothing_old_is_searched_for_garbage() -> Iterator[None]:
    """What a file leaves behind is kept (derivations in caches, compiled code): a search of it is in vain.

    It grows to millions of objects, and each search went through all of them.
    """
    yield
    gc.collect()
    gc.freeze()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)  # SymPy makes many objects, and hardly a cycle of them

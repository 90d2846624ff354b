"""The order in which files are handed to the workers of a parallel run.

Each file goes to one worker (``--dist loadfile``): what its tests share, such as a compiled
trainer, a browser or proofs, is then made once. The longest files go first, so that the workers
end together.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from _pytest.runner import runtestprotocol

from symbp.room import with_room

# As on the command line (symbp/cli): before SymPy is imported.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")

# Longest first, by the seconds of processor time that they take.
LONGEST = (
    *("test_functions_registry", "test_pairs", "test_page", "test_cache", "test_stable_steps", "test_cli"),
    *("test_kernel_code", "test_own_functions", "test_elementary_vectors", "test_verify", "test_threads"),
    *("test_trainer_against_oracle", "test_browser", "test_generated", "test_stepwise", "test_step"),
    *("test_repeats", "test_elementary_accuracy", "test_mutants", "test_documents", "test_nan"),
    *("test_ends", "test_updates", "test_gradient_mistakes", "test_target", "test_written_gradient"),
    *("test_rule_cases", "test_demo", "test_scan", "test_numerics", "test_mathml", "test_weights"),
    *("test_readme", "test_speed", "test_audit_mutants", "test_single", "test_narrow", "test_abreast"),
    *("test_resident", "test_parameters", "test_bench_peers", "test_sharing", "test_gradient_slips"),
    *("test_penalties", "test_accuracy", "test_operations", "test_worked_example", "test_exponentials"),
    *("test_html", "test_bench_processes"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test as pytest does, with room on the stack for what it compiles."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with_room(runtestprotocol, item, nextitem=nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


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

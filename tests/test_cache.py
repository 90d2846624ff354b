"""Numba's cache: a trainer is right in every process, under every name, wherever it was copied.

Numba stores the module's name in what it caches and finds it again by file name and
function name. The ways in which that goes wrong show only in a *later* process, so every
use here has a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import symbp
from symbp.render.writer import write_trainer
from tests.own_process import output_of

# Compiled several times below, so as small as can be, and without vectors.
TRAIN = symbp.TrainOptions(target="portable")
NET = symbp.Network(2, [symbp.Dense(1, "tanh")], "half_squared_error", name="cached")
ROOT = Path(symbp.__file__).parent.parent

# Print J, and for each kernel whether it came from the cache.
USE = """
import numpy as np
w = np.linspace(-1, 1, module.N_PARAMS)
X = np.array([[0.5, -1.0], [2.0, 0.25]])
J, g = module.value_and_gradient(w, X, np.array([1.0, -1.0]))
kernels = [value for value in vars(module).values() if hasattr(value, "stats")]
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels)
misses = sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels)
print(repr(J), repr(float(g @ g)), "from cache" if hits and not misses else "compiled")
"""
AS_LOADED = "import symbp; module = symbp.load('trainer.py').module" + USE
AS_IMPORTED = "import sys; sys.path.insert(0, '.'); import trainer as module" + USE
AS_BOTH = (
    "import symbp, sys; symbp.load('trainer.py'); sys.path.insert(0, '.'); import trainer as module" + USE
)
# The short recipe of many projects, which does not put the module into sys.modules.
AS_UNKNOWN = (
    "import importlib.util as u; spec = u.spec_from_file_location('trainer', 'trainer.py'); "
    "module = u.module_from_spec(spec); spec.loader.exec_module(module)" + USE
)
WAYS = {"loaded": AS_LOADED, "imported": AS_IMPORTED, "unknown": AS_UNKNOWN}


def environment():
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def run(folder, code):
    return output_of(code, folder, environment())


def use(folder, way):
    """Return the numbers and where the kernels came from."""
    *numbers, origin = run(folder, WAYS.get(way, way)).split(" ", 2)
    return tuple(numbers), origin


def entries(folder):
    """Return what Numba keeps there: names and contents."""
    return {path.name: path.read_bytes() for path in (folder / "__pycache__").glob("*.nb*")}


def run_as_script(folder):
    done = subprocess.run(
        [sys.executable, "trainer.py", "self-test"],
        **{"cwd": folder, "env": environment(), "capture_output": True, "text": True, "check": False},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "self-test passed"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A trainer that no process has loaded."""
    folder = tmp_path_factory.mktemp("home")
    write_trainer(symbp.derive(NET), symbp.Spec(NET, TRAIN), folder / "trainer.py")
    return folder


def test_every_name_in_every_order(home):
    """Load, import, script, both in one process; then all again from the cache."""
    expected, origin = use(home, "loaded")
    assert origin == "compiled"
    assert use(home, "imported") == (expected, "compiled")
    run_as_script(home)
    left = entries(home)
    for way in ("imported", "loaded", AS_BOTH):
        assert use(home, way) == (expected, "from cache")
        assert entries(home) == left  # what it left cannot be wrong for the next


def test_a_module_that_python_does_not_know_leaves_nothing_that_cannot_be_read(home):
    """Numba notes no module for it, so that every later process failed to read the cache."""
    expected, _ = use(home, "imported")
    left = entries(home)
    assert use(home, "unknown") == (expected, "compiled")
    assert entries(home) == left
    assert use(home, "imported") == (expected, "from cache")


def test_copied_with_its_cache(home, tmp_path):
    expected, _ = use(home, "loaded")
    use(home, "imported")
    folder = shutil.copytree(home, tmp_path / "copy")
    for way in ("imported", "loaded"):
        assert use(folder, way)[0] == expected
    run_as_script(folder)
    shutil.copy(folder / "trainer.py", folder / "renamed.py")
    assert use(folder, AS_LOADED.replace("trainer.py", "renamed.py"))[0] == expected
    shutil.rmtree(folder)
    assert use(home, "loaded") == (expected, "from cache")


def test_an_edit_is_refused_by_load_and_followed_by_import(home, tmp_path):
    folder = shutil.copytree(home, tmp_path / "edited")
    file = folder / "trainer.py"
    expected, _ = use(folder, "imported")
    use(folder, "loaded")
    before = file.stat()
    text = file.read_text()
    # The same number of bytes, and the same time: what a cache that trusts both would miss; and in
    # a function that the cached kernels call.
    edited = text.replace("return math.copysign(y, given)", "return math.copysign(x, given)")
    assert edited != text
    assert len(edited) == len(text)
    file.write_text(edited)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    refused = "import symbp\ntry: symbp.load('trainer.py')\nexcept symbp.SymbpError as error: print(error)"
    assert "edited since symbp wrote it" in run(folder, refused)
    os.utime(file)
    numbers, origin = use(folder, "imported")
    assert numbers != expected
    assert origin == "compiled"
    assert use(folder, "imported") == (numbers, "from cache")
    file.write_text(text)
    assert use(folder, "imported")[0] == expected
    assert use(folder, "loaded")[0] == expected


def test_another_network_at_the_same_path(tmp_path):
    """The same file name, function names and sizes; only one activation differs."""
    numbers = []
    for activation in ("tanh", "sigmoid"):
        net = symbp.Network(2, [symbp.Dense(1, activation)], "half_squared_error", name="cached")
        write_trainer(symbp.derive(net), symbp.Spec(net, TRAIN), tmp_path / "trainer.py")
        numbers.append([use(tmp_path, way)[0] for way in ("loaded", "imported")])
    assert all(loaded == imported for loaded, imported in numbers)
    assert numbers[0] != numbers[1]


def test_it_works_where_nothing_can_be_written_beside_it(home, tmp_path, monkeypatch):
    """Numba then caches elsewhere, or not at all."""
    folder = shutil.copytree(home, tmp_path / "locked", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__pycache__").write_text("a file where the cache would be")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    expected, _ = use(home, "loaded")
    assert use(folder, "loaded")[0] == expected
    run_as_script(folder)

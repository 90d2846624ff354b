"""C text -> a shared library, called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symbp.bench.peers.interface import Absent, Training
from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import Workload

FLAGS = ("-O3", "-march=native")
_COMPILERS = ("gcc", "cc", "clang")
_SECONDS = 60


def compiler() -> list[str] | None:
    """Return the command of the C compiler: what CC says, else the first that is there."""
    named = shlex.split(os.environ.get("CC", ""))
    for command in [named] if named else [[name] for name in _COMPILERS]:
        if shutil.which(command[0]):
            return command
    return None


def version() -> str | None:
    """Return the first line with which the compiler introduces itself."""
    command = compiler()
    if command is None:
        return None
    told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout
    return told.splitlines()[0] if told else None


class CompiledC(Training):
    """The text of one workload, compiled.

    Attributes
    ----------
    source : callable
        Workload and dtype -> C text.
    flags : tuple of str
        How it is compiled.
    """

    source: Callable[[Workload, str], str]
    flags: tuple[str, ...] = FLAGS

    def __init__(self, workload: Workload, dtype: str, threads: int, folder: Path) -> None:
        super().__init__(workload, dtype, threads, folder)
        name = type(self).__module__.rpartition(".")[2]
        text = type(self).source(workload, dtype)
        self._library = _build(text, self.flags, folder / f"{name}_{workload.name}_{dtype}")
        self._n_params = sum(n * (m + 1) for m, n in zip(workload.sizes, workload.sizes[1:], strict=False))

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._start = np.concatenate([matrix.ravel() for matrix in problem.weights])
        self._data = (_address(problem.X), _address(problem.labels), ctypes.c_int64(problem.steps))
        self.reset()

    def reset(self) -> None:
        self._library.put(_address(self._start))

    def run(self, epochs: int) -> None:
        self._library.train(*self._data, ctypes.c_int64(epochs))

    def weights(self) -> Arrays:
        flat = np.empty(self._n_params, self.dtype)
        self._library.get(_address(flat))
        found, first = [], 0
        for matrix in self.problem.weights:
            found.append(flat[first : first + matrix.size].reshape(matrix.shape))
            first += matrix.size
        return found


def _build(text: str, flags: Sequence[str], path: Path) -> Any:
    command = compiler()
    if command is None:
        named = os.environ.get("CC")
        tried = f"CC={named} is not there" if named else f"tried {', '.join(_COMPILERS)}"
        raise Absent(f"no C compiler ({tried}); install gcc, or name one in CC")
    source, binary, library = (path.with_suffix(suffix) for suffix in (".c", ".o", ".so"))
    source.write_text(text, encoding="utf-8")
    _call([*command, *flags, "-fPIC", "-c", "-o", str(binary), str(source)])
    # Linked without the flags: given -ffast-math here, some compilers add code that takes
    # subnormal numbers from the whole process, from all other implementations, too.
    _call([*command, "-shared", "-o", str(library), str(binary), "-lm"])
    return ctypes.CDLL(str(library))


def _call(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        message = (done.stderr.splitlines() or ["no message"])[0]
        raise Absent(f"{command[0]} does not compile it: {message}")


def _address(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)

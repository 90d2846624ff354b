"""C text -> a shared library, called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symbp.bench.held import COMPILED_FOR
from symbp.bench.peers.interface import Absent, Predicting, Setting, Training
from symbp.bench.peers.separate import Arrays
from symbp.bench.problem import Problem
from symbp.bench.workloads import Workload

FLAGS = ("-O3",)
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


@dataclass(frozen=True)
class Dialect:
    """How the text of a workload is written and compiled.

    Attributes
    ----------
    name : str
        Of its files.
    source : callable
        Workload and dtype -> C text.
    flags : tuple of str
        For the compiler, beside those that name the processor.
    """

    name: str
    source: Callable[[Workload, str], str]
    flags: tuple[str, ...] = FLAGS

    def library(self, setting: Setting) -> Any:
        """Return the compiled text of the setting's workload."""
        workload, dtype = setting.workload, setting.dtype
        flags = (*self.flags, f"-march={COMPILED_FOR.get(setting.target, 'native')}")
        path = setting.folder / f"{self.name}_{workload.name}_{dtype}"
        return _build(self.source(workload, dtype), flags, path)


class CompiledC(Training):
    """``train`` of a text, compiled by the C compiler that is there."""

    def __init__(self, dialect: Dialect, setting: Setting) -> None:
        super().__init__(setting)
        self._library = dialect.library(setting)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        self._start = problem.flat
        self._data = (_address(problem.X), _address(problem.labels), ctypes.c_int64(problem.steps))
        self.reset()

    def reset(self) -> None:
        self._library.put(_address(self._start))

    def run(self, epochs: int) -> None:
        self._library.train(*self._data, ctypes.c_int64(epochs))

    def weights(self) -> Arrays:
        flat = np.empty_like(self._start)
        self._library.get(_address(flat))
        found, first = [], 0
        for matrix in self.problem.weights:
            found.append(flat[first : first + matrix.size].reshape(matrix.shape))
            first += matrix.size
        return found


class CompiledAnswers(Predicting):
    """``predict`` of a text, compiled by the C compiler that is there."""

    def __init__(self, dialect: Dialect, setting: Setting) -> None:
        super().__init__(setting)
        self._library = dialect.library(setting)

    def place(self, problem: Problem) -> None:
        self.problem = problem
        start, self._outputs = problem.flat, np.empty_like(problem.Y)
        self._library.put(_address(start))
        self._data = (_address(problem.X), _address(self._outputs), ctypes.c_int64(problem.steps))

    def run(self, epochs: int) -> None:
        self._library.predict(*self._data, ctypes.c_int64(epochs))


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

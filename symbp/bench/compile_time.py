"""From the import of a trainer to the end of its first step: in a fresh process, then in the next one.

Only what somebody has who was given the file: NumPy, Numba and the file itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from symbp.bench.records import CompileTime
from symbp.bench.worker import environment
from symbp.bench.workloads import WORKLOADS

# The data are made before the clock starts; a step is one batch.
_SCRIPT = """
import json, sys, time
clock = time.perf_counter
start = clock()
import numba, numpy
libraries = clock() - start
sys.path.insert(0, sys.argv[1])
inputs, outputs, batch = map(int, sys.argv[3:])
rng = numpy.random.default_rng(0)
X, labels = rng.normal(size=(batch, inputs)), rng.integers(outputs, size=batch)
start = clock()
trainer = __import__(sys.argv[2])
trainer.fit(trainer.init_params(0), X, labels, epochs=1, batch_size=batch, shuffle=False)
print(json.dumps([libraries, clock() - start]))
"""


def compile_time(
    trainer: Path, workload: str, dtype: str, seconds: float | None = None, target: str = "host"
) -> CompileTime | None:
    """Measure it for the trainer of a workload.

    Parameters
    ----------
    trainer : Path
        The generated file; a copy of it is used, whose cache is empty.
    workload, dtype : str
    seconds : float, optional
        When to give up.
    target : str, optional
        The machine to whose instructions it is held.

    Returns
    -------
    CompileTime or None
        None if it took longer.

    Raises
    ------
    subprocess.CalledProcessError
        If the trainer does not run.
    """
    with tempfile.TemporaryDirectory(prefix="symbp_bench_") as folder:
        copy = Path(shutil.copy(trainer, folder))
        try:
            start = time.monotonic()
            libraries, cold = _first_step(copy, workload, seconds, target)
            left = None if seconds is None else seconds - (time.monotonic() - start)
            _, cached = _first_step(copy, workload, left, target)
        except subprocess.TimeoutExpired:
            return None
        return CompileTime(workload, dtype, libraries, cold, cached)


def _first_step(trainer: Path, workload: str, seconds: float | None, target: str) -> tuple[float, float]:
    given = WORKLOADS[workload]
    numbers = map(str, (given.sizes[0], given.sizes[-1], given.batch))
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(trainer.parent), trainer.stem, *numbers],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
        env={**os.environ, **environment(1, target), "NUMBA_CACHE_DIR": str(trainer.parent / "cache")},
    )
    libraries, first = json.loads(done.stdout)
    return float(libraries), float(first)

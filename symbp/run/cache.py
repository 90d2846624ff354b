"""A lasting place for trainers that the user gave no place.

Numba keeps compiled code beside the file, so the trainer of a model must stand in the
same place each time, or every prediction would start with compiling.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from symbp.spec import Spec, TrainOptions


def kernel_spec(spec: Spec) -> Spec:
    """Return the spec with only those options that decide what is compiled.

    The others (epochs, batch size, learning rate, seed, shuffling) are arguments of
    ``fit``: another seed must not mean another compilation.
    """
    how = spec.train
    return Spec(
        spec.network,
        TrainOptions(
            how.optimizer,
            dtype=how.dtype,
            schedule=how.schedule,
            clip_norm=None if how.clip_norm is None else 1.0,  # whether, not at which norm
            l1=how.l1,
            l2=how.l2,
            penalty=how.penalty,
            elementary=how.elementary,
            target=how.target,
        ),
    )


def trainer_path(spec: Spec) -> Path:
    """Return where the trainer of ``kernel_spec(spec)`` stands in the user's cache; its directory exists."""
    digest = hashlib.sha256(kernel_spec(spec).to_toml().encode()).hexdigest()[:16]
    return _directory(digest) / f"{spec.network.name}_trainer.py"


def _directory(digest: str) -> Path:
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        directory = base / "symbp" / digest
        # What lies here is executed later: nobody else may write to it.
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(directory, os.W_OK):
            return directory
    except (OSError, RuntimeError):
        pass
    # No home to write to: a private directory, which no later process finds again.
    return Path(tempfile.mkdtemp(prefix="symbp-"))

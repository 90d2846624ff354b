"""The command line: each command reads, calls the public functions, and writes.

Nothing heavy is imported before a command runs: ``symbp --help`` answers at once.
"""

import os

# SymPy remembers its last 1,000 results; a derivation with its proofs asks again for older ones. It
# reads this when it is imported, which no command has done yet.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")

from symbp.cli import derivations, measurements, trainers
from symbp.cli.group import cli, main

__all__ = ["cli", "derivations", "main", "measurements", "trainers"]

"""The command line: each command reads, calls the public functions, and writes.

Nothing heavy is imported before a command runs: ``symbp --help`` answers at once.
"""

from symbp.cli import derivations, measurements, trainers  # each adds its commands to the group
from symbp.cli.group import cli, main

__all__ = ["cli", "derivations", "main", "measurements", "trainers"]

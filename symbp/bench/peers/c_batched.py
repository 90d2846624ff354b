"""C, layer by layer through a batch."""

from __future__ import annotations

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import CompiledAnswers, CompiledC, Dialect

DIALECT = Dialect("c_batched", c_source.batched)


class Peer(CompiledC):
    """Compiled by the C compiler that is there."""

    dialect = DIALECT


class Predictor(CompiledAnswers):
    """Compiled by the C compiler that is there."""

    dialect = DIALECT

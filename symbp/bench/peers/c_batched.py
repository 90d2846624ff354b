"""C, layer by layer through a batch."""

from __future__ import annotations

from functools import partial

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import CompiledAnswers, CompiledC, Dialect

DIALECT = Dialect("c_batched", c_source.batched)
Peer, Predictor = partial(CompiledC, DIALECT), partial(CompiledAnswers, DIALECT)

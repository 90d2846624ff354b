"""C, sample by sample."""

from __future__ import annotations

from functools import partial

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import CompiledAnswers, CompiledC, Dialect

DIALECT = Dialect("c_naive", c_source.naive)
Peer, Predictor = partial(CompiledC, DIALECT), partial(CompiledAnswers, DIALECT)

"""C, layer by layer through a batch, with -ffast-math: sums in any order, vector functions of libm."""

from __future__ import annotations

from functools import partial

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import FLAGS, CompiledAnswers, CompiledC, Dialect

DIALECT = Dialect("c_fast", c_source.batched, (*FLAGS, "-ffast-math"))
Peer, Predictor = partial(CompiledC, DIALECT), partial(CompiledAnswers, DIALECT)

"""C, layer by layer through a batch, with -ffast-math: sums in any order, vector functions of libm."""

from __future__ import annotations

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import FLAGS, CompiledC


class Peer(CompiledC):
    """Compiled by the C compiler that is there."""

    source = staticmethod(c_source.batched)
    flags = (*FLAGS, "-ffast-math")

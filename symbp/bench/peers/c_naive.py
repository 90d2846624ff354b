"""C, sample by sample."""

from __future__ import annotations

from symbp.bench.peers import c_source
from symbp.bench.peers.compiled_c import CompiledC


class Peer(CompiledC):
    """Compiled by the C compiler that is there."""

    source = staticmethod(c_source.naive)

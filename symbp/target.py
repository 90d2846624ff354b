"""The machines that kernels are laid out for: what a schedule has to know of a processor."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from symbp.errors import SpecError
from symbp.functions.names import nearest

BITS = {"float32": 32, "float64": 64}


@dataclass(frozen=True)
class Target:
    """One kind of processor.

    Attributes
    ----------
    name : str
    vector_bits : int
        The length of a vector register; 0 leaves vectors to the compiler.
    registers : int
        How many there are.
    products : int
        Fused multiply-adds that can be under way at once: latency times number of units.
    line : int
        Bytes of a cache line.
    cache : int
        Bytes that the layers of a batch may take for a step to hold them all at once: each is read
        for every few weights, from a cache that one core reaches. Larger batches are taken in parts.
    title : str
        In words.
    features : frozenset of str
        What LLVM calls the abilities that it takes.
    """

    name: str
    vector_bits: int
    registers: int
    products: int
    line: int
    cache: int
    title: str
    features: frozenset[str] = frozenset()

    def numbers(self, dtype: str) -> int:
        """Return how many numbers a batch's layers may be."""
        return self.cache * 8 // BITS[dtype]

    def lanes(self, dtype: str) -> int:
        """Return how many numbers a register holds; 0 where vectors are left to the compiler."""
        return self.vector_bits // BITS[dtype]


TARGETS = {
    target.name: target
    for target in (
        Target("portable", 0, 0, 0, 64, 2**24, "plain loops for any machine"),
        Target("aarch64", 128, 32, 8, 64, 2**24, "Arm with NEON", frozenset({"neon"})),
        Target("x86-64-v3", 256, 16, 8, 64, 2**24, "x86-64 with AVX2", frozenset({"avx2", "fma"})),
        Target(
            "x86-64-v4",
            512,
            32,
            8,
            64,
            2**24,
            "x86-64 with AVX-512",
            frozenset({"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}),
        ),
    )
}
PORTABLE = TARGETS["portable"]
# What a spec may say; "host" is the best of them for the machine that writes the file.
NAMES = ("host", *TARGETS)


def target_of(name: str) -> Target:
    """Return a target by its name; ``host`` is looked up through llvmlite.

    Raises
    ------
    SpecError
        If there is no such target.
    """
    if name == "host":
        return host()
    if name not in TARGETS:
        raise SpecError(f"target = {name!r}: no such target{nearest(name, NAMES)}; known: {', '.join(NAMES)}")
    return TARGETS[name]


def host_features() -> frozenset[str]:
    """Return what LLVM finds this machine able to do."""
    import llvmlite.binding as llvm

    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


def host() -> Target:
    """Return the best target for this machine."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return TARGETS["aarch64"]
    has = host_features()
    fitting = [target for target in TARGETS.values() if target.features and target.features <= has]
    return max(fitting, key=lambda target: target.vector_bits, default=PORTABLE)

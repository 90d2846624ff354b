"""The largest number of multiply-adds per second that the cores give, measured.

A loop over independent vector accumulators that stay in registers, nothing else: what no
kernel can exceed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

ACCUMULATORS = 12  # more than latency times throughput, and no more than there are registers
ROUNDS = 2_000_000  # milliseconds
REPEATS = 20
_BYTES = (16, 32, 64)  # of vector registers: SSE and NEON, AVX, AVX-512


def _chains(width: int) -> Any:
    """Return an intrinsic: `rounds` multiply-adds on each of the accumulators, and their sum."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, count = arguments
        vector = ir.VectorType(scalar.type, width)

        def everywhere(number: Any) -> Any:
            single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
            return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), mask)

        factor = everywhere(scalar)
        # Equal chains would be recognised as one and computed once.
        starts = [
            builder.fadd(factor, everywhere(ir.Constant(scalar.type, 0.01 * n))) for n in range(ACCUMULATORS)
        ]
        before = builder.basic_block
        loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        counter = builder.phi(count.type)
        counter.add_incoming(count.type(0), before)
        held = [builder.phi(vector) for _ in range(ACCUMULATORS)]
        following = [_multiply_add(builder, one, factor) for one in held]
        for one, start, result in zip(held, starts, following, strict=True):
            one.add_incoming(start, before)
            one.add_incoming(result, loop)
        up = builder.add(counter, count.type(1))
        counter.add_incoming(up, loop)
        builder.cbranch(builder.icmp_signed("<", up, count), loop, after)
        builder.position_at_end(after)
        total = following[0]
        for result in following[1:]:
            total = builder.fadd(total, result)
        # Every lane must count, or the compiler may keep only the first.
        lanes = [builder.extract_element(total, ir.IntType(32)(lane)) for lane in range(width)]
        whole = lanes[0]
        for lane in lanes[1:]:
            whole = builder.fadd(whole, lane)
        return whole

    @intrinsic
    def chains(typing_context, value, rounds):  # type: ignore[no-untyped-def]
        return value(value, rounds), emit

    return chains


def _multiply_add(builder: Any, one: Any, factor: Any) -> Any:
    """Return one * factor + factor; LLVM contracts it to one instruction."""
    return builder.fadd(builder.fmul(one, factor, flags=("contract",)), factor, flags=("contract",))


@cache
def _compiled(dtype: str, width: int) -> Any:
    chains, kind = _chains(width), getattr(types, dtype)
    return njit(kind(kind, types.int64), nogil=True)(lambda value, rounds: chains(value, rounds))


def peak_flops(dtype: str, threads: int = 1) -> float:
    """Return the measured operations per second of so many threads together, 2 per multiply-add.

    Vectors of 16, 32 and 64 bytes are tried; the best of many short runs counts, so that it is
    the processor's, not that of a processor which does something else, too.
    """
    size = np.dtype(dtype).itemsize
    number = np.dtype(dtype).type(0.5)
    best = 0.0
    for width in (register // size for register in _BYTES):
        shortest = _together(partial(_compiled(dtype, width), number, ROUNDS), threads)
        best = max(best, threads * 2 * width * ACCUMULATORS * ROUNDS / shortest)
    return best


def _together(run: Callable[[], object], threads: int) -> float:
    """Return the shortest time from the first start to the last end, of many rounds in all threads."""
    together = threading.Barrier(threads)
    spans: list[list[tuple[float, float]]] = [[] for _ in range(REPEATS)]

    def repeat() -> None:
        for span in spans:
            together.wait()
            start = time.perf_counter()
            run()
            span.append((start, time.perf_counter()))

    others = [threading.Thread(target=repeat) for _ in range(threads - 1)]
    for other in others:
        other.start()
    repeat()
    for other in others:
        other.join()
    return min(max(end for _, end in span) - min(start for start, _ in span) for span in spans)

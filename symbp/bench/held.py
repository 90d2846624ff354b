"""Holding every implementation to the instructions of one target: what a lesser machine would show.

What runs on AVX-512 can be measured with AVX2 only: the compilers are told so, and libraries that choose
among their kernels when they start read it from the environment. A library that asks the processor itself
(JAX for its matrix products) goes on using what it finds: the report names who was faster than the
target's peak allows.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.errors import SpecError
from symbp.functions.names import nearest
from symbp.target import NAMES, TARGETS, Target, host_features

# Target -> what a C compiler and LLVM call it. A target that is not here asks for nothing that
# processors of its kind lack.
COMPILED_FOR: Mapping[str, str] = {name: name for name in ("x86-64-v3", "x86-64-v4")}

_NO_AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
# Target -> variable -> value: Numba, OpenBLAS, NumPy, XLA, oneDNN, ATen and MKL.
_LIMITS: Mapping[str, Mapping[str, str]] = {
    "x86-64-v3": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": _NO_AVX512,
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
    "x86-64-v4": {
        "OPENBLAS_CORETYPE": "SkylakeX",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "ATEN_CPU_CAPABILITY": "avx512",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    },
}


def held_to(target: str) -> dict[str, str]:
    """Return the environment in which the libraries keep to a target; nothing for ``host``."""
    if target not in COMPILED_FOR:
        return {}
    return {"NUMBA_CPU_NAME": COMPILED_FOR[target], "NUMBA_CPU_FEATURES": "", **_LIMITS[target]}


def checked(name: str) -> str:
    """Return the name of a target that this machine can run.

    Raises
    ------
    SpecError
        If there is no such target, or the machine lacks what it takes.
    """
    if name not in NAMES:
        raise SpecError(f"--target {name}: no such target{nearest(name, NAMES)}")
    if name != "host":
        _check_features(TARGETS[name])
    return name


def _check_features(target: Target) -> None:
    missing = sorted(target.features - host_features())
    if missing:
        raise SpecError(
            f"--target {target.name}: this machine cannot run it, it has no {', '.join(missing)}; "
            "leave --target out to measure what it has"
        )

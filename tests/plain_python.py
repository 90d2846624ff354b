"""Run a trainer's text as plain Python: the same statements, without compiling them.

A fault shows as an ordinary traceback and in milliseconds, where Numba takes seconds.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable

import numpy as np

import symbp
from symbp.derivation.derive import derive
from symbp.network import Network
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from symbp.target import target_of
from tests import plain_vectors

_SAME = ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sinh", "cosh", "sin", "cos")
_JIT = "return njit(cache=known, **options)(function)"
_INLINED = "return njit(forceinline=True, no_cpython_wrapper=True, **OPTIONS)(function)"
_SHARED = "return njit(no_cpython_wrapper=True, **OPTIONS)(function)"


def _by_element(function: Callable[[float], float]) -> Callable[[np.generic], np.generic]:
    """Return a function of Python's math that keeps the type of a NumPy number."""
    return lambda x: type(x)(function(float(x)))


@functools.cache
def _text(writer: Callable[..., str], network: Network, train: TrainOptions, prove: bool) -> str:
    """Return the text of a trainer; a writer that a test puts in its place writes its own."""
    return writer(derive(network, train.training), Spec(network, train), prove)


def interpreted(
    network: Network, derivation: symbp.Derivation | None = None, prove: bool = False, **options: object
) -> types.ModuleType:
    """Return the trainer of a network as a module whose kernels are plain functions.

    The text of a network with the same options is written once; a test that changes how symbp writes
    it gives the derivation.
    """
    options = {"target": "x86-64-v3", **options}  # not the machine's own: the same text everywhere
    spec = Spec(network, TrainOptions(**options))  # type: ignore[arg-type]
    if derivation is None:
        source = _text(trainer_source, network, spec.train, prove)
    else:
        source = trainer_source(derivation, spec, prove)
    assert source.count(_JIT) == source.count(_SHARED) == source.count(_INLINED) == 1
    module = types.ModuleType(network.name)
    # Compiled code overflows to infinity, as NumPy does; Python's math raises.
    lanes = target_of(spec.train.target).lanes(spec.train.dtype)
    module.__dict__.update(plain_vectors.functions(lanes) if lanes else {})
    # A kernel's processor says nothing of 0/0, which rows and lanes to spare may come to.
    module.__dict__["_in_silence"] = lambda kernel: np.errstate(all="ignore")(kernel)
    silent = "return function if more else _in_silence(function)"  # those with options are inlined
    source = source.replace(_JIT, silent).replace(_SHARED, "return _in_silence(function)")
    source = source.replace(_INLINED, "return function")
    text = plain_vectors.without_vectors(source)
    exec(compile(text, f"<{network.name}>", "exec"), module.__dict__)
    module.math = types.SimpleNamespace(
        **{name: getattr(np, name) for name in (*_SAME, "isfinite", "copysign", "floor")},
        atan=np.arctan,
        erf=_by_element(math.erf),
        erfc=_by_element(math.erfc),
        inf=np.inf,
        nan=np.nan,
    )
    return module

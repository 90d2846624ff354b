"""Backpropagation of dense networks: derived, proved, typeset and compiled.

Everything public is reached from here; each name is imported when it is first used, so
that ``import symbp`` brings neither SymPy nor Numba along.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from symbp.version import __version__

if TYPE_CHECKING:
    from symbp.api import Chain, Derivation, chain, derive
    from symbp.errors import SymbpError, SymbpWarning
    from symbp.functions import Activation, Cost, Parameter, Penalty, Schedule, UpdateRule
    from symbp.network import Dense, Network
    from symbp.run.check_gradient import check_gradient
    from symbp.run.generate import generate
    from symbp.run.load import load
    from symbp.run.symbolic import network_symbols
    from symbp.run.trainer import Trainer
    from symbp.run.verify import verify
    from symbp.spec import Spec, TrainOptions

_PLACES = {
    "Activation": "symbp.functions",
    "Chain": "symbp.api",
    "Cost": "symbp.functions",
    "Dense": "symbp.network",
    "Derivation": "symbp.api",
    "Network": "symbp.network",
    "Parameter": "symbp.functions",
    "Penalty": "symbp.functions",
    "Schedule": "symbp.functions",
    "Spec": "symbp.spec",
    "SymbpError": "symbp.errors",
    "SymbpWarning": "symbp.errors",
    "TrainOptions": "symbp.spec",
    "check_gradient": "symbp.run.check_gradient",
    "network_symbols": "symbp.run.symbolic",
    "Trainer": "symbp.run.trainer",
    "UpdateRule": "symbp.functions",
    "chain": "symbp.api",
    "derive": "symbp.api",
    "generate": "symbp.run.generate",
    "load": "symbp.run.load",
    "verify": "symbp.run.verify",
}

__all__ = [
    "Activation",
    "Chain",
    "Cost",
    "Dense",
    "Derivation",
    "Network",
    "Parameter",
    "Penalty",
    "Schedule",
    "Spec",
    "SymbpError",
    "SymbpWarning",
    "TrainOptions",
    "Trainer",
    "UpdateRule",
    "__version__",
    "chain",
    "check_gradient",
    "derive",
    "generate",
    "load",
    "network_symbols",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'symbp' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__

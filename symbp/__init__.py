"""Backpropagation of dense networks: derived, proved, typeset and compiled.

::

    net = symbp.Network(inputs=4, layers=[symbp.Dense(8, "tanh"), symbp.Dense(3, "softmax")],
                        cost="cross_entropy")
    d = symbp.derive(net)                            # the equations, step by step
    d.prove()                                        # every step, by oracles that know nothing of it
    page = d.latex(notation="ng")                    # or html, markdown, text
    t = symbp.generate(net, "net_trainer.py")        # the same equations as a compiled trainer
    w, history = t.fit(t.init_params(0), X, Y)       # X of shape (n, 4), Y labels (n,) or rows (n, 3)
    print(symbp.verify(t))                           # every way to the gradient against every other

A network is declared with `Network` and `Dense`, or in TOML (`Spec`, with `TrainOptions`). Functions of
your own are an `Activation`, `Cost`, `Penalty`, `Schedule` or `UpdateRule` wherever a name is.
`check_gradient` compares a gradient that you have written down; `chain` differentiates one formula along
its graph. Every mistake in what is given raises a `SymbpError` of one line.

Each name is imported when it is first used, so that ``import symbp`` brings neither SymPy nor Numba along.
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

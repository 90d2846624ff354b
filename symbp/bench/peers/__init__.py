"""Who takes part: each peer trains the same network, or answers by it, on the same batches in the same order.

A peer is one module with a ``Peer``, which makes a :class:`~symbp.bench.peers.interface.Training`, and
perhaps a ``Predictor``, which makes a :class:`~symbp.bench.peers.interface.Predicting`; the table says what
the module is called and what must be installed for it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symbp.bench.peers.interface import Absent, Implementation, Setting
from symbp.errors import SpecError
from symbp.functions.names import nearest


@dataclass(frozen=True)
class Entry:
    """One implementation.

    Attributes
    ----------
    name : str
        On the command line and in the results.
    title : str
        In the tables.
    needs : dict
        What it imports -> what to install; symbp's extra if there is one.
    versions : tuple of str
        Distributions whose versions belong to its figures.
    slow : bool
        Compiles so long that ``--quick`` has no time for it.
    threads : bool
        Whether it can use more than one.
    """

    name: str
    title: str
    needs: Mapping[str, str]
    versions: tuple[str, ...] = ()
    slow: bool = False
    threads: bool = True


_BENCH, _PEERS = "'symbp[bench]'", "'symbp[peers]'"

# In the order in which they are prepared: what is ready soon comes first, in case time runs out.
TABLE = (
    Entry("symbp", "symbp", {}),
    Entry("numpy", "NumPy", {}, ("numpy",)),
    Entry("numba_blas", "np.dot (BLAS) in Numba", {"scipy": _BENCH}, ("scipy",)),
    Entry("c_naive", "C, naive", {}, threads=False),
    Entry("c_batched", "C, batched", {}, threads=False),
    Entry("c_fast", "C, batched, -ffast-math", {}, threads=False),
    Entry("sklearn", "scikit-learn MLP", {"sklearn": _BENCH}, ("scikit-learn",)),
    Entry("jax", "JAX, one call an epoch", {"jax": _BENCH}, ("jax", "jaxlib")),
    Entry("torch_eager", "PyTorch eager", {"torch": _PEERS}, ("torch",)),
    Entry("torch_compiled", "PyTorch compiled", {"torch": _PEERS}, ("torch",), slow=True),
    Entry("pytensor", "PyTensor, Numba mode", {"pytensor": _PEERS}, ("pytensor",), slow=True),
)
PEERS: Mapping[str, Entry] = {entry.name: entry for entry in TABLE}
OURS = "symbp"


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return the peers of these names in the order of the table; all if none is named.

    Raises
    ------
    SpecError
        If there is no peer of a name; the nearest one is named.
    """
    wanted = set(names)
    for name in sorted(wanted):
        if name not in PEERS:
            raise SpecError(f"--peer {name}: no such peer{nearest(name, PEERS)}")
    return tuple(name for name in PEERS if name in wanted or not wanted)


def prepare(name: str, setting: Setting) -> Implementation:
    """Return the peer, ready to be given a problem.

    Parameters
    ----------
    name : str
        A key of :data:`PEERS`.
    setting : Setting

    Raises
    ------
    Absent
        If it is not installed, or cannot do it.
    """
    entry = PEERS[name]
    if setting.threads > 1 and not entry.threads:
        raise Absent("has one thread only")
    for module, distribution in entry.needs.items():
        if importlib.util.find_spec(module) is None:
            raise Absent(f"{module} is not installed; pip install {distribution}")
    try:
        home = importlib.import_module(f"symbp.bench.peers.{name}")
    except ImportError as error:
        raise Absent(f"cannot be imported: {error}") from error
    kind = getattr(home, "Peer" if setting.workload.purpose == "train" else "Predictor", None)
    if kind is None:
        raise Absent("takes no part in predictions")
    implementation: Implementation = kind(setting)
    return implementation

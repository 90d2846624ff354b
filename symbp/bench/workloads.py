"""What is measured: networks with a batch size, trained or asked for outputs, and their operations."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from symbp.errors import SpecError
from symbp.functions.names import nearest
from symbp.network import Dense, Network

LEARNING_RATE = 0.01
# Numbers of the inputs of all batches together: a cache holds them, and an epoch takes long
# enough that what is done once an epoch does not count.
_NUMBERS = 2**19
_MOST_STEPS, _FEWEST_STEPS = 2**14, 4


@dataclass(frozen=True)
class Workload:
    """A network with softmax and cross-entropy, and what is done with it.

    Attributes
    ----------
    name : str
    sizes : tuple of int
        (N_0, ..., N_{L+1}).
    activation : str
        Of the hidden layers: ``relu`` or ``tanh``.
    batch : int
        Samples of a step.
    purpose : {"train", "predict"}
        A step is one of gradient descent, or the outputs of a batch.
    """

    name: str
    sizes: tuple[int, ...]
    activation: str
    batch: int
    purpose: str = "train"

    @property
    def title(self) -> str:
        hidden = f" {self.activation}" if len(self.sizes) > 2 else ""
        return f"{'-'.join(map(str, self.sizes))}{hidden}, {self.batch}"

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return min(_MOST_STEPS, max(_FEWEST_STEPS, _NUMBERS // (self.batch * self.sizes[0])))

    @property
    def flops(self) -> int:
        """Operations of a step: 2 per multiply-add of forward, dW and, but for layer 1, W^T delta.

        Those of the forward pass alone where nothing is trained. Activations, softmax, biases and
        the update are not counted.
        """
        products = [before * units for before, units in itertools.pairwise(self.sizes)]
        back = sum(products) + sum(products[1:]) if self.purpose == "train" else 0
        return 2 * self.batch * (sum(products) + back)

    def network(self) -> Network:
        """Return the declaration."""
        hidden = [Dense(units, self.activation) for units in self.sizes[1:-1]]
        return Network(
            self.sizes[0], [*hidden, Dense(self.sizes[-1], "softmax")], "cross_entropy", self.name.lower()
        )


STANDARD = (
    Workload("W1", (4, 16, 3), "relu", 1),
    Workload("W2", (4, 32, 32, 2), "tanh", 32),
    Workload("W3", (64, 32, 10), "relu", 32),
    Workload("W4", (64, 64, 64, 10), "relu", 64),
    Workload("W5", (784, 128, 10), "relu", 128),
    Workload("W6", (512, 512, 512, 10), "relu", 256),
)

# Powers of two and their neighbours, and the ordinary numbers that people choose.
WIDTHS = (1, 3, 7, 10, 16, 17, 32, 33, 45, 46, 64, 65, 100, 128, 256, 512, 1000)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)

BY_WIDTH = tuple(Workload(f"N{n}", (n, n, n, 10), "relu", 64) for n in WIDTHS)
BY_BATCH = tuple(Workload(f"B{n}", (64, 64, 64, 10), "relu", n) for n in BATCHES)

# One sample after another, as a controller asks; and many at once.
PREDICTIONS = (
    Workload("P1", (4, 16, 3), "relu", 1, "predict"),
    Workload("P2", (4, 32, 32, 2), "tanh", 1, "predict"),
    Workload("P3", (64, 64, 64, 10), "relu", 1, "predict"),
    Workload("P4", (64, 64, 64, 10), "relu", 1024, "predict"),
    Workload("P5", (784, 128, 10), "relu", 1024, "predict"),
    Workload("P6", (512, 512, 512, 10), "relu", 1024, "predict"),
)

WORKLOADS: Mapping[str, Workload] = {
    each.name: each for each in (*STANDARD, *PREDICTIONS, *BY_WIDTH, *BY_BATCH)
}


def chosen(names: Iterable[str], sweep: bool = False, predict: bool = False) -> tuple[Workload, ...]:
    """Return the workloads of these names, of the predictions and of the sweep; with none, W1 to W6.

    Raises
    ------
    SpecError
        If there is no workload of a name; the nearest one is named.
    """
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in WORKLOADS:
            usual = [each.name for each in (*STANDARD, *PREDICTIONS)]
            known = list(WORKLOADS) if name[:1] in {"N", "B"} else usual
            raise SpecError(f"--workload {name}: no such workload{nearest(name, known)}")
    found = [WORKLOADS[name] for name in names]
    groups = [*(PREDICTIONS if predict else ()), *((*BY_WIDTH, *BY_BATCH) if sweep else ())]
    found += [each for each in groups if each not in found]
    return tuple(found or STANDARD)


def described(workloads: Iterable[Workload]) -> tuple[dict[str, Any], ...]:
    """Return what a report says of workloads: their fields, and the operations of a step."""
    return tuple(
        {**dataclasses.asdict(each), "sizes": list(each.sizes), "flops": each.flops} for each in workloads
    )

"""The declaration: which network the derivation, the pages and the trainer are about.

Both records are frozen and valid by construction: whoever holds a :class:`Network` need
not check it again. Every number of the declaration is a plain ``int``, and every function
is its resolved record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from symbp.errors import SpecError
from symbp.functions import ACTIVATIONS, ALIASES, COSTS, Activation, Cost
from symbp.functions.names import nearest
from symbp.values import shown, whole_number

# A derivation has a few steps per layer and a kernel a few loops per layer: beyond this
# many, pages are unreadable and compilation takes minutes.
MAX_LAYERS = 200
MAX_UNITS = 1_000_000
# 50 million weights are 400 MB in float64; their gradient and the like come on top.
MAX_PARAMS = 50_000_000

Record = TypeVar("Record", Activation, Cost)


@dataclass(frozen=True, init=False)
class Dense:
    """A fully connected layer: z = W a + b, o = g(z).

    Parameters
    ----------
    units : int
        N_k, the number of units.
    activation : str, Activation or mapping
        A name of :data:`symbp.functions.ACTIVATIONS`, a record (an own function, or a built-in
        one with other values of its parameters), or ``{"name": "leaky_relu", "alpha": 0.2}``.
    bias : bool
        Whether the layer has a bias, the last column of W_k.

    Raises
    ------
    SpecError
        If one of them is not acceptable.
    """

    units: int
    activation: Activation
    bias: bool

    def __init__(
        self,
        units: int,
        activation: str | Activation | Mapping[str, Any] = "identity",
        bias: bool = True,
    ) -> None:
        if not isinstance(bias, bool):
            raise SpecError(f"bias = {bias!r}: expected true or false")
        object.__setattr__(self, "units", whole_number("units", units, 1, MAX_UNITS))
        object.__setattr__(self, "activation", resolve("activation", activation, ACTIVATIONS, Activation))
        object.__setattr__(self, "bias", bias)


@dataclass(frozen=True, init=False)
class Network:
    """A sequential network of dense layers k = 1..L+1 and its cost.

    Parameters
    ----------
    inputs : int
        N_0, the number of inputs.
    layers : sequence of Dense
        The L hidden layers, then the output layer.
    cost : str, Cost or mapping
        A name of :data:`symbp.functions.COSTS`, a record, or ``{"name": "huber", "delta": 0.5}``.
    name : str
        Names the files that are written about the network.
    weighted : bool
        Whether every sample has a weight v in the cost: J = 1/m sum_p v^p sum_q cost. It is part
        of the cost, and so of the network that is derived, proved and compiled, not of how that
        cost is then made small.

    Raises
    ------
    SpecError
        If a value is not acceptable, or if activations and cost do not go together.
    """

    inputs: int
    layers: tuple[Dense, ...]
    cost: Cost
    name: str
    weighted: bool

    def __init__(
        self,
        inputs: int,
        layers: Iterable[Dense],
        cost: str | Cost | Mapping[str, Any],
        name: str = "network",
        weighted: bool = False,
    ) -> None:
        if not isinstance(weighted, bool):
            raise SpecError(f"weighted = {shown(weighted)}: expected true or false")
        object.__setattr__(self, "weighted", weighted)
        object.__setattr__(self, "inputs", whole_number("inputs", inputs, 1, MAX_UNITS))
        object.__setattr__(self, "layers", _layers(layers))
        object.__setattr__(self, "cost", resolve("cost", cost, COSTS, Cost))
        object.__setattr__(self, "name", _identifier(name))
        _check_one_meaning_per_name(self)
        _check_layer_activations(self)
        _check_cost_fits_output(self)
        if self.n_params > MAX_PARAMS:
            raise SpecError(f"the network has {self.n_params:,} weights; the limit is {MAX_PARAMS:,}")

    @classmethod
    def from_toml(cls, path: str | Path) -> Network:
        """Return the network that the file's ``[network]`` declares.

        Raises
        ------
        SpecError
            If the file cannot be read or declares something wrongly.
        """
        from symbp.spec import Spec

        return Spec.from_toml(path).network

    def with_sample_weights(self) -> Network:
        """Return the same network with a weight for every sample in its cost."""
        return Network(self.inputs, self.layers, self.cost, self.name, weighted=True)

    @property
    def hidden(self) -> int:
        """L, the number of hidden layers; 0 for a perceptron."""
        return len(self.layers) - 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """(N_0, N_1, ..., N_{L+1})."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes (N_k, M_k) of W_1, ..., W_{L+1}."""
        return tuple((layer.units, self.fan_in(k)) for k, layer in enumerate(self.layers, start=1))

    @property
    def biases(self) -> tuple[bool, ...]:
        """Whether layers 1, ..., L+1 have a bias."""
        return tuple(layer.bias for layer in self.layers)

    @property
    def n_params(self) -> int:
        """The number of weights, biases included."""
        return sum(rows * columns for rows, columns in self.shapes)

    def layer(self, k: int) -> Dense:
        """Return layer k = 1, ..., L+1; IndexError if there is none."""
        if not 1 <= k <= len(self.layers):
            raise IndexError(f"layer {k}: the layers of {self.name!r} are 1 to {len(self.layers)}")
        return self.layers[k - 1]

    def has_bias(self, k: int) -> bool:
        """Return whether W_k has a bias column."""
        return self.layer(k).bias

    def fan_in(self, k: int) -> int:
        """Return M_k, the number of columns of W_k: N_{k-1}, and one more for a bias."""
        return self.sizes[k - 1] + int(self.has_bias(k))


def _identifier(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name):
        raise SpecError(
            f"name = {shown(name)}: expected letters, digits and _ (at most 40), starting with a letter"
        )
    return name


def resolve(key: str, value: object, table: Mapping[str, Record], kind: type[Record]) -> Record:
    """Return the function that ``key = value`` means: a name of `table`, an own record, or values."""
    if isinstance(value, str):
        name = ALIASES.get(value, value)
        if name not in table:
            raise SpecError(f"unknown {key} {shown(value)}{nearest(value, table)}")
        return table[name]
    if isinstance(value, Mapping):
        return _with_values(key, value, table, kind)
    if not isinstance(value, kind):
        raise SpecError(f"{key} = {shown(value)}: expected a name or a symbp.{kind.__name__}")
    if value.name in {**table, **ALIASES}:
        if not _same_function(value, table.get(value.name)):
            raise SpecError(f"{key} {value.name!r} is not the built-in of that name; give yours another name")
    elif isinstance(value, (Activation, Cost)):
        from symbp.functions.examine import refuse_useless, warn_of_unreal

        refuse_useless(value)  # an own formula is read now, where its declaration is at hand
        warn_of_unreal(value)
    else:
        value.expression()
    return value


def _with_values(
    key: str, given: Mapping[Any, Any], table: Mapping[str, Record], kind: type[Record]
) -> Record:
    """Return the function that ``{name = "leaky_relu", alpha = 0.2}`` means."""
    if "name" not in given:
        raise SpecError(f"{key} = {shown(dict(given))}: no key 'name'")
    record = resolve(key, given["name"], table, kind)
    if not isinstance(record, (Activation, Cost)):
        raise SpecError(f"{key} {record.name!r} takes no parameters")
    try:
        return record.with_mapping({name: x for name, x in given.items() if name != "name"})
    except SpecError as error:
        raise SpecError(f"{key} {error.args[0].removeprefix(record.kind + ' ')}") from None


def _same_function(record: object, other: object) -> bool:
    """Whether two records state one function, perhaps with different values of its parameters."""
    if isinstance(record, (Activation, Cost)):
        return record.same_function(other)
    return record == other


def _layers(layers: Iterable[Dense]) -> tuple[Dense, ...]:
    try:
        found = tuple(layers)
    except TypeError:
        raise SpecError(f"layers = {shown(layers)}: expected a list of Dense layers") from None
    if not found:
        raise SpecError("layers: expected at least one, the output layer")
    if len(found) > MAX_LAYERS:
        raise SpecError(f"layers: {len(found):,} of them; the limit is {MAX_LAYERS}")
    for k, layer in enumerate(found, start=1):
        if not isinstance(layer, Dense):
            raise SpecError(f"layer {k}: {shown(layer)}: expected a layer such as Dense(8, 'tanh')")
    return found


def _check_one_meaning_per_name(network: Network) -> None:
    """Pages, kernels and files call a function by its name, so a name must mean one function."""
    known: dict[str, Activation | Cost] = {**ACTIVATIONS, **COSTS}
    used: list[tuple[str, Activation | Cost]] = [("cost", network.cost)]
    used += [(f"layer {k}: activation", layer.activation) for k, layer in enumerate(network.layers, start=1)]
    for place, function in used:
        if not known.setdefault(function.name, function).same_function(function):
            raise SpecError(
                f"{place} {function.name!r}: another function has that name; give one of them another name"
            )


def _check_layer_activations(network: Network) -> None:
    for k, layer in enumerate(network.layers, start=1):
        if not layer.activation.of_layer:
            continue
        place = f"layer {k}: activation {layer.activation.name!r}"
        if k <= network.hidden:
            raise SpecError(
                f"{place} in a hidden layer: there a unit's output may depend on its own weighted sum only, "
                "and this one depends on the whole layer; use it in the output layer"
            )
        if layer.units == 1 and layer.activation == ACTIVATIONS["softmax"]:
            raise SpecError(
                f"{place} over a single unit is always 1; use 'sigmoid' with cost 'binary_cross_entropy'"
            )


# What a cost asks of the outputs, which outputs give it, and why it asks.
_ACCEPTED = {
    "distribution": ("distribution",),
    "unit_interval": ("unit_interval", "distribution"),
    "positive": ("positive", "unit_interval", "distribution"),
    "real": ("real", "positive", "unit_interval", "distribution"),
}
_REASON = {
    "distribution": "outputs that are positive and sum to 1",
    "unit_interval": "outputs between 0 and 1",
    "positive": "outputs above 0",
}


def _check_cost_fits_output(network: Network) -> None:
    activation, cost = network.layers[-1].activation, network.cost
    if activation.output in _ACCEPTED[cost.output]:
        return
    if cost.output == "distribution" and network.sizes[-1] == 1:
        remedy = "for a single output use 'sigmoid' with cost 'binary_cross_entropy'"
    else:
        fitting = [repr(known.name) for known in ACTIVATIONS.values() if known.output == cost.output]
        other = "binary_cross_entropy" if activation.output == "unit_interval" else "half_squared_error"
        remedy = f"use {' or '.join(fitting)} in the output layer, or cost {other!r}"
    raise SpecError(
        f"cost {cost.name!r} needs {_REASON[cost.output]}, which output activation {activation.name!r} "
        f"does not give; {remedy}"
    )

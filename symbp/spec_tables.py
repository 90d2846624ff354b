"""A spec as the tables of a TOML file: what stands in it reads back as the same spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbp.functions import ACTIVATIONS, COSTS, OPTIMIZERS, PENALTIES, SCHEDULES, Activation, Cost
from symbp.functions.parameters import parameter_entry
from symbp.network import Dense, Network
from symbp.own_rules import own_entries

if TYPE_CHECKING:
    from symbp.spec import TrainOptions


def own_records(network: Network, train: TrainOptions) -> list[Any]:
    """Return the functions, rules, schedules and penalties in use that are not built in, each once."""
    used = [*(layer.activation for layer in network.layers), network.cost]
    rules = [train.optimizer, train.schedule, train.penalty]
    known = {**ACTIVATIONS, **COSTS, **OPTIMIZERS, **SCHEDULES, **PENALTIES}
    own = {record.name: record for record in (*used, *rules) if record is not None}
    return [record for name, record in own.items() if name not in known]


def tables_of(network: Network, train: TrainOptions) -> dict[str, Any]:
    """Return the tables that have something in them."""
    functions: list[Activation | Cost] = [layer.activation for layer in network.layers]
    functions.append(network.cost)
    own = {f.name: _function_entry(f) for f in functions if f.name not in ACTIVATIONS | COSTS}
    tables: dict[str, Any] = {
        "network": {
            "name": network.name,
            "inputs": network.inputs,
            "cost": _named(network.cost),
            "layers": [_layer_entry(layer) for layer in network.layers],
            **({"weighted": True} if network.weighted else {}),
        },
        "functions": own,
        **own_entries(train.optimizer, train.schedule, train.penalty),
        "train": {
            "optimizer": {
                "name": train.optimizer.name,
                "learning_rate": train.learning_rate,
                **train.optimizer.values,
            },
            "batch_size": train.batch_size,
            "epochs": train.epochs,
            "dtype": train.dtype,
            "seed": train.seed,
            "shuffle": train.shuffle,
            "elementary": train.elementary,
            "target": train.target,
            **_further_options(train),
        },
    }
    return {name: table for name, table in tables.items() if table}


def _layer_entry(layer: Dense) -> dict[str, Any]:
    entry: dict[str, Any] = {"units": layer.units, "activation": _named(layer.activation)}
    return entry if layer.bias else {**entry, "bias": False}


def _named(function: Activation | Cost) -> str | dict[str, Any]:
    """Return the name, with those values of the parameters that are not the defaults."""
    defaults = {parameter.name: parameter.default for parameter in function.parameters}
    values = {name: value for name, value in function.values.items() if value != defaults[name]}
    return {"name": function.name, **values} if values else function.name


def _further_options(train: TrainOptions) -> dict[str, Any]:
    """Return the options that are at work, of those that are not by default."""
    entries: dict[str, Any] = {}
    if train.schedule != SCHEDULES["constant"]:
        entries["schedule"] = {"name": train.schedule.name, **train.schedule.values}
    if train.clip_norm is not None:
        entries["clip_norm"] = train.clip_norm
    entries |= {name: value for name, value in (("l1", train.l1), ("l2", train.l2)) if value}
    if train.penalty is not None:
        entries["penalty"] = {"name": train.penalty.name, **train.penalty.values}
    return entries


def _function_entry(function: Activation | Cost) -> str | dict[str, Any]:
    """Return the formula alone where the rest of the record is default."""
    plain = type(function)(function.name, function.formula)
    special = {
        key: getattr(function, key)
        for key in ("output", "initialisation", "targets", "source")
        if getattr(function, key, None) != getattr(plain, key, None)
    }
    if function.parameters:
        special["parameters"] = {p.name: parameter_entry(p) for p in function.parameters}
    return {"formula": function.formula, **special} if special else function.formula

"""The whole declaration of a TOML file: the network and how it is trained.

Reading is strict. An unknown table or key is an error that names the nearest known
one, because a misspelt ``batch_sise`` that is silently ignored costs hours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbp.errors import SpecError
from symbp.functions import (
    ACTIVATIONS,
    ALIASES,
    COSTS,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    Activation,
    Cost,
    Penalty,
    Schedule,
    Training,
    UpdateRule,
)
from symbp.functions.named import choose
from symbp.functions.names import nearest
from symbp.network import MAX_LAYERS, Dense, Network, resolve
from symbp.own_rules import OWN_TABLES, OwnRules
from symbp.spec_tables import tables_of
from symbp.target import NAMES as TARGET_NAMES
from symbp.target import TARGETS
from symbp.values import positive_number, shown, whole_number

DTYPES = ("float64", "float32")
ELEMENTARY = ("fast", "libm")
TARGET = "host"
MAX_BYTES = 4_000_000
MAX_BATCH = 1_000_000
MAX_EPOCHS = 10_000_000
MAX_SEED = 2**32 - 1


@dataclass(frozen=True, init=False)
class TrainOptions:
    """How a network is trained; valid by construction.

    Parameters
    ----------
    optimizer : str, mapping or UpdateRule
        A name of :data:`symbp.functions.OPTIMIZERS`, ``{"name": "adam", "beta1": 0.8}``, or
        the record itself.
    learning_rate : float, optional
        Left out, the default of the optimizer.
    batch_size, epochs : int
        Samples per update, and passes over the data.
    dtype : {"float64", "float32"}
        The type of every number in the trainer.
    seed : int
        Starts the generator of initial weights and of the shuffling.
    shuffle : bool
        Whether each epoch visits the samples in a new order.
    schedule : str, mapping or Schedule
        The learning rate of each update; constant if left out.
    clip_norm : float, optional
        The largest norm of all gradients together; longer ones are scaled down to it.
    l1, l2 : float
        Strengths of the penalties ``l1 |w|`` and ``l2/2 w^2`` of every regular weight.
    penalty : str, mapping or Penalty, optional
        Another penalty, in place of `l1` and `l2`.
    elementary : {"fast", "libm"}
        Whether exp, tanh and the like are arithmetic that the compiler turns into vector
        instructions (at most 2.5 ulp from the exact value, 4.3 for erfc and the normal
        distribution), or those of Python's ``math``.
    target : str
        The machine that loops are laid out for: a name of :data:`symbp.target.TARGETS`, or ``host``,
        the one that writes the trainer. The trainer runs on every machine, and best on its own.

    Raises
    ------
    SpecError
        If one of them is not acceptable.
    """

    optimizer: UpdateRule
    learning_rate: float
    batch_size: int
    epochs: int
    dtype: str
    seed: int
    shuffle: bool
    schedule: Schedule
    clip_norm: float | None
    l1: float
    l2: float
    penalty: Penalty | None
    elementary: str
    target: str

    def __init__(
        self,
        optimizer: str | Mapping[str, Any] | UpdateRule = "sgd",
        learning_rate: float | None = None,
        batch_size: int = 32,
        epochs: int = 20,
        dtype: str = "float64",
        seed: int = 0,
        shuffle: bool = True,
        schedule: str | Mapping[str, Any] | Schedule = "constant",
        clip_norm: float | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        penalty: str | Mapping[str, Any] | Penalty | None = None,
        elementary: str = "fast",
        target: str = TARGET,
    ) -> None:
        rule, beside = choose("optimizer", optimizer, OPTIMIZERS, UpdateRule, ("learning_rate",))
        if learning_rate is not None and beside:
            raise SpecError("learning_rate is given twice, beside the optimizer and within it")
        rate = beside.get("learning_rate", rule.learning_rate) if learning_rate is None else learning_rate
        # numpy.float32 and numpy.dtype("float32") say the same as their name.
        dtype = getattr(dtype, "name", getattr(dtype, "__name__", dtype))
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise SpecError(f"dtype = {shown(dtype)}: expected one of {', '.join(DTYPES)}")
        if not isinstance(shuffle, bool):
            raise SpecError(f"shuffle = {shown(shuffle)}: expected true or false")
        if not isinstance(elementary, str) or elementary not in ELEMENTARY:
            raise SpecError(f"elementary = {shown(elementary)}: expected one of {', '.join(ELEMENTARY)}")
        if rule.name not in OPTIMIZERS:
            from symbp.functions.examine_rules import warn_of_rule

            warn_of_rule(rule)
        object.__setattr__(self, "optimizer", rule)
        object.__setattr__(self, "learning_rate", positive_number("learning_rate", rate))
        object.__setattr__(self, "batch_size", whole_number("batch_size", batch_size, 1, MAX_BATCH))
        object.__setattr__(self, "epochs", whole_number("epochs", epochs, 1, MAX_EPOCHS))
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "seed", whole_number("seed", seed, 0, MAX_SEED))
        object.__setattr__(self, "shuffle", shuffle)
        object.__setattr__(self, "elementary", elementary)
        if not isinstance(target, str) or target not in TARGET_NAMES:
            machines = ", ".join(f"{each.name} ({each.title})" for each in TARGETS.values())
            raise SpecError(f"target = {shown(target)}: expected host (this machine), {machines}")
        object.__setattr__(self, "target", target)
        chosen = choose("schedule", schedule, SCHEDULES, Schedule)[0]
        if chosen.name not in SCHEDULES:
            from symbp.functions.examine_rules import examine_schedule

            examine_schedule(chosen, self.learning_rate)
        object.__setattr__(self, "schedule", chosen)
        clip = None if clip_norm is None else positive_number("clip_norm", clip_norm)
        object.__setattr__(self, "clip_norm", clip)
        object.__setattr__(self, "l1", PENALTIES["l1"].with_values(l1=l1).constants["l1"])
        object.__setattr__(self, "l2", PENALTIES["l2"].with_values(l2=l2).constants["l2"])
        other = None if penalty is None else choose("penalty", penalty, PENALTIES, Penalty)[0]
        if other is not None and (self.l1 or self.l2):
            raise SpecError(f"penalty {other.name!r} beside l1 or l2: give one or the other")
        object.__setattr__(self, "penalty", other)

    @property
    def regularisation(self) -> Penalty | None:
        """The penalty of a regular weight, from `penalty` or from `l1` and `l2`."""
        if self.l1 and self.l2:
            return PENALTIES["elastic_net"].with_values(l1=self.l1, l2=self.l2)
        if self.l1:
            return PENALTIES["l1"].with_values(l1=self.l1)
        return PENALTIES["l2"].with_values(l2=self.l2) if self.l2 else self.penalty

    @property
    def stated(self) -> dict[str, Any]:
        """The options that :func:`symbp.derive` takes."""
        names = ("optimizer", "schedule", "clip_norm", "l1", "l2", "penalty")
        return {name: getattr(self, name) for name in names}

    @property
    def training(self) -> Training:
        """What of these options is stated as equations and compiled."""
        return Training(self.optimizer, self.schedule, self.regularisation, self.clip_norm is not None)


@dataclass(frozen=True)
class Spec:
    """A network with its training options: what one TOML file declares.

    Attributes
    ----------
    network : Network
    train : TrainOptions

    Raises
    ------
    SpecError
        If they are something else.
    """

    network: Network
    train: TrainOptions = TrainOptions()

    def __post_init__(self) -> None:
        for key, value, kind in (("network", self.network, Network), ("train", self.train, TrainOptions)):
            if not isinstance(value, kind):
                raise SpecError(f"{key} = {shown(value)}: expected a symbp.{kind.__name__}")

    @classmethod
    def from_toml(cls, path: str | Path) -> Spec:
        """Read the TOML file at `path`.

        Raises
        ------
        SpecError
            If the file cannot be read or declares something wrongly; the message names
            the file and the place in it.
        """
        return cls.from_text(_read(Path(path)), str(path))

    @classmethod
    def from_text(cls, text: str, where: str = "spec") -> Spec:
        """Read TOML text; `where` names it in messages.

        Raises
        ------
        SpecError
            As :meth:`from_toml`.
        """
        with _at(where):
            tables = _parse(text)
            _only_known("table", tables, ("network", "functions", "train", *OWN_TABLES))
            rules = OwnRules.of({name: _table(tables, name) for name in OWN_TABLES})
            own = _functions(_table(tables, "functions"))
            if "network" not in tables:
                raise SpecError("no [network]: expected inputs, layers and cost there")
            return cls(_network(_table(tables, "network"), own), _train(_table(tables, "train"), rules))

    def for_target(self, name: str) -> Spec:
        """Return the spec with a target by its own name, in the place of ``host``, say."""
        options = {field.name: getattr(self.train, field.name) for field in dataclasses.fields(TrainOptions)}
        return Spec(self.network, TrainOptions(**{**options, "target": name}))

    def to_toml(self) -> str:
        """Return the TOML text that reads back as this very spec."""
        import tomli_w

        return tomli_w.dumps(tables_of(self.network, self.train))


# ------------------------------------------------------------------ text -> tables


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"{path}: {path.stat().st_size:,} bytes; the limit for a spec is {MAX_BYTES:,}")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: byte {error.start}: not UTF-8 text") from None
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError(f"{path}: cannot be read: {reason}") from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        raise SpecError(f"{place.rstrip(')')}: {message}") from None
    except RecursionError:
        raise SpecError("nested too deeply to be a spec") from None
    except ValueError as error:  # such as a number of more digits than Python reads
        raise SpecError(f"not a spec: {error}") from None


@contextlib.contextmanager
def _at(place: str, instead: tuple[str, ...] = ()) -> Iterator[None]:
    """Put `place` in front of the message of every SpecError from the block, or in the place of a name."""
    try:
        yield
    except SpecError as error:
        message = str(error)
        for name in instead:
            message = message.removeprefix(f"{name}: ")
        located = type(error)(f"{place}: {message}")
        located.__dict__.update(error.__dict__)  # the caret under a formula
        raise located from None


def _only_known(kind: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"unknown {kind} {shown(key)}{nearest(key, known)}")


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise SpecError(f"{name} = {shown(table)}: expected a table [{name}]")
    return table


# ---------------------------------------------------------------- tables -> records


def _functions(table: Mapping[str, Any]) -> dict[str, Activation | Cost]:
    if table:
        from symbp.functions.examine import refuse_useless
    own: dict[str, Activation | Cost] = {}
    for name, entry in table.items():
        with _at(f"[functions] {name}", (f"activation {name!r}", f"cost {name!r}")):
            if name in (*ACTIVATIONS, *ALIASES, *COSTS):
                raise SpecError("a built-in function has this name; give yours another one")
            own[name] = _function(name, entry)
            refuse_useless(own[name])  # report a wrong formula here, with its key
    return own


def _function(name: str, entry: object) -> Activation | Cost:
    """Return the activation (a formula in z) or the cost (in h and y) of one entry."""
    options = {"formula": entry} if isinstance(entry, str) else entry
    if not isinstance(options, dict) or not isinstance(options.get("formula"), str):
        raise SpecError(f"{shown(entry)}: expected the text of a formula")
    from symbp.functions.parse import parse_formula

    names = set(re.findall(r"[A-Za-z_]\w*", options["formula"]))
    if "z" in names:
        _only_known("key", options, ("formula", "output", "initialisation", "source", "parameters"))
        return Activation(name, **options)
    if "h" in names:
        _only_known("key", options, ("formula", "output", "targets", "source", "parameters"))
        return Cost(name, **options)
    parameters = options.get("parameters")
    known = ("z", *parameters) if isinstance(parameters, dict) else ("z",)
    parse_formula(options["formula"], known)  # what else is wrong with it is told with its place
    raise SpecError(
        f"formula {shown(options['formula'])}: expected z (an activation) or h and y (a cost) in it"
    )


def _network(table: Mapping[str, Any], own: Mapping[str, Activation | Cost]) -> Network:
    activations = ACTIVATIONS | {n: f for n, f in own.items() if isinstance(f, Activation)}
    costs = COSTS | {n: f for n, f in own.items() if isinstance(f, Cost)}
    with _at("[network]"):
        _only_known("key", table, ("name", "inputs", "cost", "layers", "weighted"))
        for key in ("inputs", "layers", "cost"):
            if key not in table:
                raise SpecError(f"no key {key!r}")
        entries = table["layers"]
        if not isinstance(entries, list):
            raise SpecError(f"layers = {shown(entries)}: expected a list such as [{{units = 3}}]")
        if len(entries) > MAX_LAYERS:
            raise SpecError(f"layers: {len(entries):,} of them; the limit is {MAX_LAYERS}")
        layers = [_layer(k, entry, activations) for k, entry in enumerate(entries, start=1)]
        cost = resolve("cost", table["cost"], costs, Cost)
        weighted = table.get("weighted", False)
        return Network(table["inputs"], layers, cost, table.get("name", "network"), weighted)


def _layer(k: int, entry: object, activations: Mapping[str, Activation]) -> Dense:
    with _at(f"layer {k}"):
        if not isinstance(entry, dict):
            raise SpecError(f"{shown(entry)}: expected a table such as {{units = 3, activation = 'tanh'}}")
        _only_known("key", entry, ("units", "activation", "bias"))
        if "units" not in entry:
            raise SpecError("no key 'units'")
        named = entry.get("activation", "identity")
        activation = resolve("activation", named, activations, Activation)
        return Dense(entry["units"], activation, entry.get("bias", True))


def _train(table: Mapping[str, Any], own: OwnRules) -> TrainOptions:
    with _at("[train]"):
        if "learning_rate" in table:
            raise SpecError("learning_rate belongs to the optimizer: {name = 'sgd', learning_rate = 0.1}")
        if "weighted" in table:
            raise SpecError("weighted belongs to [network]: it is the cost that weighs the samples")
        _only_known("key", table, tuple(field.name for field in dataclasses.fields(TrainOptions)))
        options = dict(table)
        optimizer = options.pop("optimizer", "sgd")
        rule, beside = choose("optimizer", optimizer, own.optimizers, UpdateRule, ("learning_rate",))
        with _at("optimizer"):
            rate = positive_number("learning_rate", beside.get("learning_rate", rule.learning_rate))
        if "schedule" in options:
            options["schedule"] = choose("schedule", options["schedule"], own.schedules, Schedule)[0]
        if "penalty" in options:
            options["penalty"] = choose("penalty", options["penalty"], own.penalties, Penalty)[0]
        return TrainOptions(rule, rate, **options)

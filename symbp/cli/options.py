"""Options that several commands have, and the spec with those that were given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from symbp.errors import SpecError
from symbp.spec import Spec

Command = Callable[..., Any]


class Name(click.Choice[str]):
    """A choice that names the nearest when it is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value not in self.choices:
            from symbp.functions.names import nearest

            self.fail(f"there is no {value!r}{nearest(value, self.choices)}", param, ctx)
        return super().convert(value, param, ctx)


def form_of(form: str | None, output: str | None, endings: Mapping[str, str]) -> str:
    """Return the format: the one that is named, or that of the output's ending, or text.

    Raises
    ------
    SpecError
        If the output's ending is that of no format.
    """
    ending = Path(output or "").suffix
    if form is not None or not ending:
        return form or "text"
    if ending.lower() not in endings:
        known = ", ".join(endings)
        raise SpecError(f"{output}: no format has the ending {ending}; known: {known}; or use --format")
    return endings[ending.lower()]


def output_options(command: Command) -> Command:
    """Add ``--output`` and ``--force``, which mean the same everywhere."""
    output = click.option("--output", "-o", metavar="FILE", help="Where to write.")
    force = click.option("--force", is_flag=True, help="Overwrite a file that symbp did not write.")
    return output(force(command))


def train_options(*names: str) -> Callable[[Command], Command]:
    """Add options that go before those in the [train] table of the spec."""
    known = {
        "optimizer": click.option("--optimizer", metavar="NAME", help="The update rule, such as sgd."),
        "learning_rate": click.option("--learning-rate", type=float, metavar="RATE"),
        "batch_size": click.option("--batch-size", type=int, metavar="N", help="Samples per update."),
        "dtype": click.option("--dtype", metavar="float64|float32", help="The type of every number."),
        "epochs": click.option("--epochs", type=int, metavar="N", help="Passes over the data."),
        "seed": click.option("--seed", type=int, metavar="N", help="Of initial weights and shuffling."),
    }

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = known[name](command)
        return command

    return add


def read_spec(path: str, **given: Any) -> Spec:
    """Return the spec, with the options that were given on the command line."""
    spec = Spec.from_toml(path)
    given = {key: value for key, value in given.items() if value is not None}
    if "optimizer" in given:
        # The learning rate of the spec belongs to the optimizer of the spec.
        given.setdefault("learning_rate", None)
    return dataclasses.replace(spec, train=dataclasses.replace(spec.train, **given))

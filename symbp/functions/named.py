"""What update rules, schedules and penalties have in common: a name, and parameters with values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from symbp.errors import SpecError
from symbp.functions.names import nearest
from symbp.functions.parameters import Parameter, parameter_values
from symbp.values import shown

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def check_name(what: str, name: object) -> str:
    """Return the name if formulas, files and pages can hold it."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpecError(
            f"{what} name {shown(name)}: expected letters, digits and _ (at most 40), starting with a letter"
        )
    return name


class Parametrised:
    """What a dataclass with the fields ``parameters`` and ``values`` can do with them.

    Attributes
    ----------
    parameters : tuple of Parameter
    values : mapping
        Values that differ from the defaults; made by :meth:`with_values`.
    """

    parameters: tuple[Parameter, ...]
    values: Mapping[str, float]

    def with_values(self, **values: object) -> Self:
        """Return the record with these values for its parameters.

        Raises
        ------
        SpecError
            If there is no such parameter or a value lies outside its domain.
        """
        merged = {**self.values, **values}
        found = parameter_values(self.parameters, merged)
        changed: Any = dataclasses.replace(cast(Any, self), values={name: found[name] for name in merged})
        return cast(Self, changed)

    @property
    def constants(self) -> dict[str, float]:
        """The value of every parameter."""
        return parameter_values(self.parameters, self.values)

    def check_parameters(self, what: str, taken: tuple[str, ...]) -> None:
        """Raise SpecError if a parameter's name is taken or not a name."""
        for parameter in self.parameters:
            if not isinstance(parameter, Parameter):
                raise SpecError(f"{what}: parameters {shown(parameter)}: expected symbp.functions.Parameter")
            check_name(f"{what}: parameter", parameter.name)
            if parameter.name in taken:
                raise SpecError(f"{what}: parameter {parameter.name!r}: the name has a meaning already")
            parameter.value(parameter.default)
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) < len(names):
            raise SpecError(f"{what}: two parameters have the same name")


Record = TypeVar("Record", bound=Any)


def choose(
    kind: str, value: object, table: Mapping[str, Record], cls: type[Record], also: tuple[str, ...] = ()
) -> tuple[Record, dict[str, object]]:
    """Return the record that ``kind = value`` means, and the options in `also` that stand beside it.

    Parameters
    ----------
    kind : str
        The key, for messages.
    value : str, mapping or record
        A name, ``{"name": "adam", "beta1": 0.8}``, or an own record.
    table : mapping
        The records that names mean.
    cls : type
    also : tuple of str
        Keys that are not parameters of the record.

    Raises
    ------
    SpecError
        If there is no such record, or its parameters are wrong.
    """
    options: dict[str, Any] = {}
    if isinstance(value, Mapping):
        options = dict(value)
        if "name" not in options:
            raise SpecError(f"{kind}: no key 'name'")
        value = options.pop("name")
    if isinstance(value, str):
        if value not in table:
            raise SpecError(f"unknown {kind} {shown(value)}{nearest(value, table)}")
        record = table[value]
    elif isinstance(value, cls):
        record = value
        built_in = table.get(record.name)
        if built_in is not None and dataclasses.replace(record, values=built_in.values) != built_in:
            raise SpecError(
                f"{kind} {record.name!r} is not the built-in of that name; give yours another name"
            )
        record.read()  # an own formula is read now, where its declaration is at hand
    else:
        raise SpecError(f"{kind} = {shown(value)}: expected a name or a symbp.{cls.__name__}")
    beside = {key: options.pop(key) for key in also if key in options}
    known = [parameter.name for parameter in record.parameters]
    for name in options:
        if name not in known:
            raise SpecError(
                f"{kind} {record.name!r}: unknown parameter {shown(name)}{_hint(name, known, also)}"
            )
    try:
        return record.with_values(**options), beside
    except SpecError as error:
        raise SpecError(f"{kind} {record.name!r}: {error}") from None


def _hint(name: object, known: list[str], also: tuple[str, ...]) -> str:
    names = [*known, *also]
    return nearest(name, names) if names else "; it has none"

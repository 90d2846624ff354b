"""Own update rules, schedules and penalties in TOML: tables -> records -> tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbp.errors import SpecError
from symbp.functions import OPTIMIZERS, PENALTIES, SCHEDULES, Parameter, Penalty, Schedule, UpdateRule
from symbp.functions.names import nearest
from symbp.values import shown

# Table -> the record of one entry, what its text is called, and the built-in records.
OWN_TABLES: dict[str, tuple[Callable[..., Any], str, Mapping[str, Any]]] = {
    "optimizers": (UpdateRule, "assignments", OPTIMIZERS),
    "schedules": (Schedule, "formula", SCHEDULES),
    "penalties": (Penalty, "formula", PENALTIES),
}


@dataclass(frozen=True)
class OwnRules:
    """The names that ``[train]`` may use: the built-in ones and those of the file."""

    optimizers: Mapping[str, UpdateRule]
    schedules: Mapping[str, Schedule]
    penalties: Mapping[str, Penalty]

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, Any]]) -> OwnRules:
        """Read the tables ``[optimizers]``, ``[schedules]`` and ``[penalties]``.

        Raises
        ------
        SpecError
            Names the table, the entry and what is wrong with it.
        """
        return cls(
            **{table: {**OWN_TABLES[table][2], **_records(table, tables[table])} for table in OWN_TABLES}
        )


def _records(table: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    make, text, built_in = OWN_TABLES[table]
    found = {}
    for name, entry in entries.items():
        try:
            if name in built_in:
                raise SpecError("a built-in one has this name; give yours another one")
            options = {text: entry} if isinstance(entry, str) else entry
            known = {field.name for field in dataclasses.fields(make)} - {"name", "values"}  # type: ignore[arg-type]
            for key in options if isinstance(options, dict) else ():
                if key not in known:
                    raise SpecError(f"unknown key {shown(key)}{nearest(key, sorted(known))}")
            if not isinstance(options, dict) or text not in options:
                raise SpecError(f"{shown(entry)}: expected {text} = the text of it")
            if not isinstance(options[text], str):
                lines = ", one line for each" if text == "assignments" else ""
                raise SpecError(f"{text} = {shown(options[text])}: expected one text{lines}")
            given = {**options, "parameters": _parameters(options.get("parameters", {}))}
            found[name] = make(name, **given)
            found[name].read()  # report a wrong text here, with its place
        except SpecError as error:
            located = type(error)(f"[{table}] {name}: {error}")
            located.__dict__.update(error.__dict__)  # the caret under a formula
            raise located from None
    return found


def _parameters(entries: object) -> tuple[Parameter, ...]:
    """Return parameters from ``{mu = 0.9}`` or ``{mu = {default = 0.9, domain = "decay"}}``."""
    if not isinstance(entries, dict):
        raise SpecError(f"parameters = {shown(entries)}: expected names with their defaults")
    found = []
    for name, entry in entries.items():
        options = entry if isinstance(entry, dict) else {"default": entry}
        if not set(options) <= {"default", "domain"} or "default" not in options:
            raise SpecError(f"parameter {name} = {shown(entry)}: expected a number")
        try:
            found.append(Parameter(name, **options))
            found[-1].value(options["default"])
        except KeyError:
            raise SpecError(f"parameter {name}: unknown domain {shown(options['domain'])}") from None
    return tuple(found)


def own_entries(*records: Any) -> dict[str, Any]:
    """Return the tables that declare those of the records that are not built in."""
    tables: dict[str, Any] = {}
    for record in records:
        for table, (make, _, built_in) in OWN_TABLES.items():
            if isinstance(record, make) and record.name not in built_in:  # type: ignore[arg-type]
                tables.setdefault(table, {})[record.name] = _entry(record)
    return tables


def _entry(record: Any) -> dict[str, Any]:
    entry = {
        field.name: getattr(record, field.name)
        for field in dataclasses.fields(record)
        if field.name not in ("name", "values", "parameters") and getattr(record, field.name) not in ("", {})
    }
    if record.parameters:
        entry["parameters"] = {
            p.name: p.default if p.domain == "real" else {"default": p.default, "domain": p.domain}
            for p in record.parameters
        }
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in entry.items()}

"""The Jinja2 environments, and where the templates are.

Templates hold the shape of a text only. :func:`render` insists that the names a template
uses and the names it is given are the same set: a name too many is as much a mistake as
one too few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta

from symbp.errors import RenderError
from symbp.render import escape, prose
from symbp.values import counted

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel carries the templates inside the package; in a checkout, which is also what an
# editable install runs from, they stand beside it.
_CANDIDATES = (_PACKAGE / "_templates", _PACKAGE.parent / "templates")


@dataclass(frozen=True)
class Format:
    """What is particular to the templates of one kind.

    Attributes
    ----------
    delimiters : mapping
        Jinja2's delimiters, where the usual ones clash with the text.
    filters : mapping
        Filters beside Jinja2's own.
    autoescape : bool
    """

    delimiters: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, Callable[..., str]] = field(default_factory=dict)
    autoescape: bool = False


# In LaTeX "{%" and "{#" are ordinary text: a group that starts with a comment or a parameter.
_ANGLES = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}

FORMATS: dict[str, Format] = {
    "numba": Format(),
    "latex": Format(delimiters=_ANGLES, filters={"tex": escape.latex, "said": prose.latex}),
    "markdown": Format(filters={"md": escape.markdown, "said": prose.markdown}),
    "text": Format(),
    "html": Format(filters={"slug": escape.slug, "said": prose.html}, autoescape=True),
}


def templates_directory() -> Path:
    """Return the directory of the templates: of a wheel, an editable install or a checkout."""
    for candidate in _CANDIDATES:
        if candidate.is_dir():
            return candidate
    raise RenderError(f"templates: neither {' nor '.join(map(str, _CANDIDATES))} is there; reinstall symbp")


@cache
def environment(kind: str) -> Environment:
    """Return the environment of the templates in ``templates/<kind>``.

    Parameters
    ----------
    kind : str
        A key of :data:`FORMATS`.
    """
    chosen = FORMATS[kind]
    env = Environment(
        loader=FileSystemLoader(templates_directory() / kind),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=chosen.autoescape,
        **chosen.delimiters,  # type: ignore[arg-type]
    )
    env.filters.update(chosen.filters, counted=counted)
    return env


def template_names(kind: str, name: str) -> frozenset[str]:
    """Return the names that a template and those it includes take from their data."""
    env = environment(kind)
    if env.loader is None:  # pragma: no cover - environment() always sets one
        raise RenderError(f"template {kind}/{name}: no loader")
    return _names(env, name)


@cache
def _names(env: Environment, name: str) -> frozenset[str]:
    assert env.loader is not None
    waiting, seen, names = [name], set[str](), set[str]()
    while waiting:
        current = waiting.pop()
        seen.add(current)
        tree = env.parse(env.loader.get_source(env, current)[0])
        names |= meta.find_undeclared_variables(tree)
        waiting += [other for other in meta.find_referenced_templates(tree) if other and other not in seen]
    return frozenset(names)


def render(kind: str, name: str, data: Mapping[str, Any]) -> str:
    """Render a template with data whose keys are exactly the names it uses.

    Parameters
    ----------
    kind : str
        A key of :data:`FORMATS`.
    name : str
        The file below ``templates/<kind>``. What it includes may use the same data;
        what works on a part of the data is a macro.
    data : mapping

    Raises
    ------
    RenderError
        If the two sets of names differ.
    """
    used, given = template_names(kind, name), set(data)
    if used != given:
        missing, unused = sorted(used - given), sorted(given - used)
        raise RenderError(f"template {kind}/{name}: names not given {missing}, given but not used {unused}")
    return environment(kind).get_template(name).render(data)

"""Imports run one way, down the list of packages, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import symbp

PACKAGE = Path(symbp.__file__).parent

# Each may import those before it. The public face stands above the packages it gathers.
ORDER = (
    "errors",
    "version",
    "values",
    "files",
    "functions",
    "elementary",
    "target",
    "network spec spec_tables own_rules",  # the declaration and its TOML read each other
    "algebra",
    "graph",
    "derivation",
    "plan",
    "notation",
    "render",
    "pdf",
    "run",
    "bench",
    "interop",
    "api testing",
    "__init__",
    "demo",
    "cli",
    "__main__",
)

RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts.split()}

# library -> the parts of symbp that may import it
HOMES = {
    "jinja2": {"render"},
    "numba": {"run", "bench"},
    "jax": {"bench"},
    "torch": {"bench"},
    "pytensor": {"bench"},
    "matplotlib": {"bench"},
    "click": {"cli"},
    "sklearn": {"demo", "interop", "bench"},
    "scipy": {"run", "interop", "bench"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything the file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_every_part_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} <= set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_the_list(path: Path) -> None:
    own = part_of(path)
    for line, name in imports(path):
        root, *rest = name.split(".")
        if root != "symbp":
            continue
        # "from symbp import derive" reaches for the public face.
        other = rest[0] if rest and rest[0] in RANK else "__init__"
        if own == "__init__":
            assert RANK[other] < RANK[own], f"line {line}: imports {name}"
        else:
            assert RANK[other] <= RANK[own], f"line {line}: {own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_homes(path: Path) -> None:
    for line, name in imports(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or part_of(path) in homes, f"line {line}: imports {name}"

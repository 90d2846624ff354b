"""Imports run one way, down the list of packages, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import symbp

PACKAGE = Path(symbp.__file__).parent

# Each may import those before it. The public face stands above the packages it gathers.
ORDER = (
    "errors",
    "version",
    "values",
    "files",
    "room",
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


@functools.cache
def imports(path: Path) -> list[tuple[int, str]]:
    """Return line and full name of everything the file imports, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def test_every_part_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} <= set(RANK)


def test_imports_run_down_the_list() -> None:
    wrong = []
    for path in MODULES:
        own = part_of(path)
        for line, name in imports(path):
            root, *rest = name.split(".")
            if root != "symbp":
                continue
            # "from symbp import derive" reaches for the public face.
            other = rest[0] if rest and rest[0] in RANK else "__init__"
            down = RANK[other] < RANK[own] if own == "__init__" else RANK[other] <= RANK[own]
            if not down:
                wrong.append(f"{path}, line {line}: {own} imports {name}")
    assert wrong == []


def test_libraries_stay_in_their_homes() -> None:
    wrong = []
    for path in MODULES:
        for line, name in imports(path):
            homes = HOMES.get(name.split(".")[0])
            if homes is not None and part_of(path) not in homes:
                wrong.append(f"{path}, line {line}: imports {name}")
    assert wrong == []

"""The committed reference output: what it consists of, how it is rebuilt, how it is compared.

``make generated`` (``python -m tests.golden``) rebuilds it in place.
"""

from __future__ import annotations

import difflib
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import symbp
from symbp.derivation.numbers import work
from symbp.functions import ACTIVATIONS, COSTS, OPTIMIZERS, PENALTIES, SCHEDULES
from symbp.network import Dense, Network
from symbp.notation import get
from symbp.notation.given import read
from symbp.render.audit import page as audit
from symbp.render.elementary_page import page as elementary
from symbp.render.example import FORMATS as example_pages
from symbp.render.functions_page import functions_page
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions

GENERATED = Path(__file__).parent.parent / "generated"

# Trainers of named machines: the text must not depend on the one that writes it. Plain loops, which
# everybody can read; vectors as most machines have them; and a step that cannot be fused.
REFERENCES = (
    Spec(
        Network(2, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "half_squared_error", name="xor_2_3_1"),
        TrainOptions(learning_rate=1.0, batch_size=4, epochs=5000, target="portable"),
    ),
    Spec(
        Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy", name="iris_4_8_3"),
        TrainOptions(learning_rate=0.1, batch_size=16, epochs=200, target="portable"),
    ),
    Spec(
        Network(64, [Dense(32, "relu"), Dense(10, "softmax")], "cross_entropy", name="digits_64_32_10"),
        TrainOptions(learning_rate=0.2, batch_size=16, epochs=100, dtype="float32", target="x86-64-v3"),
    ),
    Spec(
        Network(4, [Dense(5, "tanh"), Dense(3, "softmax")], "cross_entropy", name="iris_4_5_3_adam"),
        TrainOptions(
            {"name": "adam", "beta2": 0.99},
            learning_rate=0.01,
            batch_size=16,
            epochs=100,
            schedule="cosine",
            clip_norm=5.0,
            l2=1e-4,
            target="x86-64-v3",
        ),
    ),
)


def build(spec: Spec, directory: Path) -> None:
    """Write all files of one reference network."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    derivation = symbp.derive(spec.network, **spec.train.stated).checked()
    (directory / "derivation.tex").write_text(derivation.latex(), encoding="utf-8")
    (directory / "derivation.html").write_text(derivation.html(), encoding="utf-8")
    (directory / "trainer.py").write_text(trainer_source(derivation, spec), encoding="utf-8")


def functions_table() -> str:
    """Return the table of all functions."""
    tables: tuple[Mapping[str, Any], ...] = (ACTIVATIONS, COSTS, OPTIMIZERS, SCHEDULES, PENALTIES)
    table = functions_page([record for records in tables for record in records.values()], "markdown")
    return f"# Activations, costs, update rules, schedules and penalties\n\n{table}"


# Pages that are of no network.
PAGES = {
    "audit/audit.html": lambda: audit(None, "html"),
    "audit/audit.json": lambda: audit(None, "json"),
    "audit/audit.tex": lambda: audit(None, "latex"),
    "audit/audit.txt": lambda: audit(None, "text"),
    "elementary.md": elementary,
    "functions.md": functions_table,
}


# For each notation the network that its document works with, or one of its kind.
DOCUMENTS = {
    "smatrix": Network(
        3, [Dense(4, "tanh"), Dense(3, "tanh"), Dense(1)], "half_squared_error", name="figure_1_2"
    ),
    "ng": Network(3, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "half_squared_error", name="figure_5"),
    "lfd": Network(
        1, [Dense(2, "tanh"), Dense(1, "tanh"), Dense(1, "tanh")], "squared_error", name="example"
    ),
    "bishop": Network(
        2,
        [Dense(2, "sigmoid", bias=False), Dense(2, "sigmoid", bias=False), Dense(1, "sigmoid", bias=False)],
        "half_squared_error",
        name="figure_4",
    ),
    "nielsen": Network(
        2, [Dense(3, "sigmoid"), Dense(1, "sigmoid")], "binary_cross_entropy", name="sigmoids"
    ),
}


# The numbers of 002 are the document's; the others leave theirs open.
EXAMPLES = {
    "smatrix": "x = 1, -1/2, 2; y = 1/2; seed = 0",
    "ng": "x = 1, -1/2, 2; y = 1; seed = 1",
    "lfd": "x = 2; y = 1; W1 = [[0.1, 0.2], [0.3, 0.4]]; W2 = [[0.2], [1], [-3]]; W3 = [[1], [2]]",
    "bishop": "x = 0.35, 0.9; y = 0.5; W1 = [[0.1, 0.8], [0.4, 0.6]]; W2 = [[0.3, -0.9], [1.2, 0.7]]; "
    "W3 = 0.5, 0.2",
    "nielsen": "x = 1, -1/2; y = 1; seed = 4",
}


def worked_example(derivation: symbp.Derivation, numbers: str, notation: str) -> str:
    """Return the network worked through with numbers, as a web page in a notation."""
    given = read(numbers, derivation.network, get(notation))
    derivation.prove()
    return example_pages["html"](work(derivation, given), notation, 6)


def build_notation(notation: str, directory: Path) -> None:
    """Write the derivation for any network, and for the document's own, in one notation."""
    directory.mkdir(parents=True, exist_ok=True)
    there = "lfd" if notation == "smatrix" else "smatrix"
    anything, own = symbp.derive().checked(), symbp.derive(DOCUMENTS[notation]).checked()
    pages = {
        "any_network.tex": anything.latex(notation),
        "any_network.txt": anything.text(notation, translate=there),
        f"{DOCUMENTS[notation].name}.tex": own.latex(notation, translate=there),
        f"{DOCUMENTS[notation].name}.md": own.markdown(notation),
        "worked_example.html": worked_example(own, EXAMPLES[notation], notation),
    }
    for name, page in pages.items():
        (directory / name).write_text(page, encoding="utf-8")


def differences(expected: Path, found: Path) -> str:
    """Return a unified diff of two directories, with files that only one has; empty if they are equal."""
    names = {
        path.relative_to(root) for root in (expected, found) for path in root.rglob("*") if path.is_file()
    }
    lines: list[str] = []
    for name in sorted(names):
        if "__pycache__" in name.parts:
            continue
        old, new = (_lines(root / name) for root in (expected, found))
        lines += difflib.unified_diff(old, new, f"expected/{name}", f"found/{name}")
    return "".join(lines)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return ["(no such file)\n"]
    # Bytes decide, so line ends are kept as they are.
    return path.read_bytes().decode("utf-8").splitlines(keepends=True)


def main() -> None:
    """Rebuild ``generated/``; what nobody writes any more is removed."""
    with tempfile.TemporaryDirectory() as name:
        for spec in REFERENCES:
            build(spec, Path(name) / spec.network.name)
            print(f"built {spec.network.name}", file=sys.stderr)
        for notation in DOCUMENTS:
            build_notation(notation, Path(name) / "notations" / notation)
            print(f"built {notation}", file=sys.stderr)
        for file, text in PAGES.items():
            place = Path(name) / file
            place.parent.mkdir(exist_ok=True)
            place.write_text(text(), encoding="utf-8")
        # Only now: a build that fails leaves the old output alone.
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(name, GENERATED)


if __name__ == "__main__":
    main()

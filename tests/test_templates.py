"""The templates are found from a wheel, an editable install and a checkout; their data must fit."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import jinja2
import pytest

from symbp.errors import RenderError
from symbp.render import environment

ROOT = Path(__file__).parents[1]
# Without the site module nothing is on the path but what we put there: the packages that symbp
# needs come in by directory, and their .pth files (an editable symbp among them) are not read.
PACKAGES = str(Path(jinja2.__file__).parents[1])
PROGRAM = (
    "import symbp, symbp.render.environment as e; print(symbp.__file__); print(e.templates_directory());"
    "print(len(e.environment('latex').get_template('article.tex.j2').render.__doc__))"
)


def build(target: str, directory: Path) -> Path:
    """Build a wheel of this checkout without network and without isolation; unpack it."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = directory.glob("*.whl")
    site = directory / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def found(paths: list[str], directory: Path, before: str = "") -> tuple[Path, Path]:
    """Return where symbp and its templates are found in a fresh interpreter."""
    result = subprocess.run(
        [sys.executable, "-S", "-c", before + PROGRAM],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    package, templates, _ = result.stdout.splitlines()
    return Path(package).parent, Path(templates)


def test_from_a_wheel(tmp_path):
    site = build("wheel", tmp_path)
    assert found([str(site), PACKAGES], tmp_path) == (site / "symbp", site / "symbp" / "_templates")


def test_the_wheel_has_every_template(tmp_path):
    site = build("wheel", tmp_path)

    def names(directory: Path) -> set[str]:
        return {str(p.relative_to(directory)) for p in directory.rglob("*.j2")}

    assert names(site / "symbp" / "_templates") == names(ROOT / "templates")
    numbers = {path.name for path in (site / "symbp" / "elementary").glob("*.toml")}
    assert numbers == {"accuracy.toml", "coefficients.toml", "pieces.toml", "speed.toml"}


def test_from_an_editable_install(tmp_path):
    site = build("wheel:editable", tmp_path)
    # hatchling copies the templates here all the same; the package itself is the checkout's.
    assert not (site / "symbp" / "__init__.py").exists()
    read_pth = f"import site; site.addsitedir({str(site)!r}); "
    assert found([PACKAGES], tmp_path, read_pth) == (ROOT / "symbp", ROOT / "templates")


def test_from_a_checkout(tmp_path):
    assert found([str(ROOT), PACKAGES], tmp_path) == (ROOT / "symbp", ROOT / "templates")


def test_no_templates_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_CANDIDATES", (tmp_path / "one", tmp_path / "two"))
    with pytest.raises(RenderError, match="reinstall symbp"):
        environment.templates_directory()


@pytest.fixture
def scratch(monkeypatch, tmp_path):
    """A directory of templates of the kind "text" and "latex", written by the test."""
    (tmp_path / "text").mkdir()
    (tmp_path / "latex").mkdir()
    monkeypatch.setattr(environment, "_CANDIDATES", (tmp_path,))
    environment.environment.cache_clear()
    yield tmp_path
    environment.environment.cache_clear()


def test_names_must_be_equal_sets(scratch):
    (scratch / "text" / "t.j2").write_text("{% include 'part.j2' %}{% for x in xs %}{{ x }}{% endfor %}.\n")
    (scratch / "text" / "part.j2").write_text("{{ head }}")
    assert environment.render("text", "t.j2", {"xs": "ab", "head": "h:"}) == "h:ab.\n"
    with pytest.raises(RenderError, match=r"names not given \['head'\]"):
        environment.render("text", "t.j2", {"xs": "ab"})
    with pytest.raises(RenderError, match=r"given but not used \['tail'\]"):
        environment.render("text", "t.j2", {"xs": "ab", "head": "", "tail": ""})


def test_an_undefined_name_in_a_macro_is_an_error(scratch):
    (scratch / "text" / "t.j2").write_text("{{ x.missing }}")
    with pytest.raises(jinja2.UndefinedError):
        environment.render("text", "t.j2", {"x": {}})


def test_latex_has_its_own_delimiters(scratch):
    (scratch / "latex" / "t.j2").write_text("{%}{#1}{{x}}\n<# gone #><< x | tex >>\n")
    assert environment.render("latex", "t.j2", {"x": "a_b & 50%"}) == "{%}{#1}{{x}}\na\\_b \\& 50\\%\n"

"""The steps of both passes as tables: rows are steps of the derivation, for any depth and notation."""

from __future__ import annotations

import functools
import html
import re
from dataclasses import replace

import pytest

from symbp.derivation.components import components
from symbp.derivation.derive import derive
from symbp.derivation.oracles.panel import Panel
from symbp.derivation.records import Derivation, equation
from symbp.errors import DerivationError
from symbp.network import Dense, Network
from symbp.notation import NOTATIONS
from symbp.notation.text import TextWriter
from symbp.render import page
from symbp.render.outline import is_shown
from symbp.render.page import line, stated, writer_for
from symbp.render.stepwise import Stepwise, stepwise
from tests.covering import every_pair
from tests.golden import DOCUMENTS
from tests.test_page import FORMATS, NETWORKS, compile_latex, complaints, with_checks

DEPTHS = (0, 1, 3, 12)


def deep(hidden: int, bias: bool = True) -> Network:
    """Layers of different widths, so that no two layers' equations are alike."""
    layers = [Dense(2 + n % 3, "sigmoid", bias) for n in range(hidden)]
    return Network(3, [*layers, Dense(2, "sigmoid", bias)], "half_squared_error", f"deep_{hidden}")


@functools.cache
def derived(hidden: int) -> Derivation:
    return derive(deep(hidden))


@functools.cache
def proved(hidden: int) -> Derivation:
    return derived(hidden).checked()


@functools.cache
def marked(name: str) -> Derivation:
    return with_checks(derive(NETWORKS[name]))


def tables(derivation: Derivation, notation: str = "smatrix") -> Stepwise:
    writer = writer_for(TextWriter, notation, derivation.network)

    def math(step):
        return tuple(str(said.relation) for said, _ in stated(step, writer))

    found = stepwise(derivation, writer, lambda step: line(step, writer, math, set()))
    assert found is not None
    return found


def cells(found: Stepwise) -> list:
    rows = (*found.forward, *found.backward)
    return [*(c for row in rows for c in row.cells if c), *(whole.line for whole in found.matrices)]


def section(printed: str) -> str:
    """Return the tables of a page, without what stands before and after them."""
    start = max(printed.rfind(mark) for mark in ("Step by step\n", "Step by step}", "Step by step</h2>"))
    assert start > 0
    return re.split(r"Two ways to the gradient|Checks\n|\{Checks\}", printed[start:])[0]


@pytest.mark.parametrize("hidden", DEPTHS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_cell_is_a_step_that_has_passed_its_checks(notation, hidden):
    derivation = proved(hidden)
    writer = writer_for(TextWriter, notation, derivation.network)
    for cell in cells(tables(derivation, notation)):
        step = derivation[cell.label]
        assert step.proved
        assert cell.passed
        assert cell.math == tuple(str(said.relation) for said, _ in stated(step, writer))


@pytest.mark.parametrize("hidden", DEPTHS)
def test_the_passes_go_through_every_layer_that_is_shown(hidden):
    found = tables(with_checks(derived(hidden)))
    last = hidden + 1
    shown = [n for n in range(1, last) if is_shown(n, last)]
    assert list(found.left_out) == [n for n in range(1, last) if n not in shown]
    assert bool(found.left_out) == (hidden == 12)
    forward = [x for n in shown for x in (f"2.6b, k={n}", f"1.3, k={n}")]
    assert [row.cells[0].label for row in found.forward] == [*forward, f"2.6b, k={last}", "1.8", "2.1"]
    backward = [x for n in reversed(shown) for x in (f"D.9a, k={n}", f"D.5, k={n}")]
    labels = [row.cells[-1].label for row in found.backward]
    assert labels == ["2.1d", "D.1f", *backward, "X.13, k=1"]
    # Steps keep their numbers where layers are left out: 2 (L + 1) + 1 each way, as in 003.
    assert found.forward[-1].number == found.backward[-1].number == str(2 * last + 1)
    hidden_forms = {"1.3m", "D.9m", "D.5m"} if hidden else set()
    assert {w.line.label for w in found.matrices} == {"2.6m", "D.6m", "X.13m"} | hidden_forms


def test_the_network_of_003_gives_its_table_1():
    found = tables(with_checks(derive(DOCUMENTS["bishop"])), "bishop")
    assert [(row.number, row.variable) for row in found.backward[1:]] == [
        ("2", "a_i^{(3)}"),
        ("3", "z_i^{(2)}"),
        ("4", "a_i^{(2)}"),
        ("5", "z_i^{(1)}"),
        ("6", "a_i^{(1)}"),
        ("7", "x_i"),
    ]
    # Step 5, where the sum rule comes into play, and step 7, dE/dx.
    assert [cell.math for cell in found.backward[4].cells] == [
        ("a_i^{(2)} = sum_{j=1}^2 w_{ij}^{(2)} z_j^{(1)}",),
        ("da_i^{(2)}/dz_j^{(1)} = w_{ij}^{(2)}",),
        ("de/dz_i^{(1)} = sum_{j=1}^2 delta_j^{(2)} w_{ji}^{(2)}",),
    ]
    assert found.backward[6].cells[-1].math == ("de/dx_i = sum_{j=1}^2 delta_j^{(1)} w_{ji}^{(1)}",)
    # Table 2, rows 5, 6 and 7.
    matrices = {whole.line.label: whole for whole in found.matrices}
    assert matrices["D.9m"].line.math == ("de/dz^{(k)} = (W^{(k+1)})^T delta^{(k+1)}",)
    assert matrices["X.13m"].line.math == ("de/dx = (W^{(1)})^T delta^{(1)}",)
    assert matrices["D.5m"].line.math == ("delta^{(k)} = ((W^{(k+1)})^T delta^{(k+1)}) .* sigma'(a^{(k)})",)
    assert matrices["D.6m"].shapes == (("N_k", "N_{k-1}"),)
    assert matrices["X.13m"].shapes == (("N_0", "1"),)


@pytest.mark.parametrize("label", ["2.6b, k=2", "1.3d, k=1", "D.7, k=2", "D.9a, k=1", "X.13, k=1", "D.9m"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_mutated_step_changes_its_row(form, label):
    right = marked("xor")
    statement = right[label].statement
    wrong = equation(statement.lhs, -statement.rhs)
    steps = tuple(replace(s, statement=wrong) if s.label == label else s for s in right.steps)
    before, after = (section(FORMATS[form](d)) for d in (right, replace(right, steps=steps)))
    changed = [a for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert changed


@pytest.mark.parametrize("label", ["2.12", "D.9a", "2.6b"])
def test_what_follows_from_a_mutated_step_changes_too(label):
    right = derive(NETWORKS["xor"])
    statement = right[label].statement
    broken = right.replace(label, equation(statement.lhs, -statement.rhs))
    before, after = (tables(with_checks(d)) for d in (right, broken))
    assert [row.cells[-1].math for row in before.backward] != [row.cells[-1].math for row in after.backward]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return Panel(derived(1))


@pytest.mark.parametrize("label", ["D.7", "D.8", "D.9", "D.9a", "D.9m", "X.13m", "D.7, k=2", "D.9a, k=1"])
def test_the_new_steps_are_refused_when_they_are_wrong(label, panel):
    right = derived(1)[label]
    assert all(check.passed for check in panel.checks(right))
    for factor in (-1, 2):
        wrong = equation(right.statement.lhs, factor * right.statement.rhs)
        verdicts = {c.method: c.passed for c in panel.checks(replace(right, statement=wrong))}
        assert verdicts["types"]
        assert not any(passed for method, passed in verdicts.items() if method != "types")


def test_a_step_of_another_layer_or_transposed_is_refused(panel):
    steps = derived(1)
    for label, other in (("D.7", "D.7, k=2"), ("D.9a", "X.13"), ("X.13m", "D.9m")):
        wrong = equation(steps[label].statement.lhs, steps[other].statement.rhs)
        checks = panel.checks(replace(steps[label], statement=wrong))
        assert not all(check.passed for check in checks)
    statement = steps["D.9m"].statement
    weights, column = statement.rhs.args
    turned = equation(statement.lhs, weights.arg * column)
    (types,) = panel.checks(replace(steps["D.9m"], statement=turned))
    assert not types.passed
    assert types.method == "types"


def test_a_wrong_step_stops_the_proof():
    statement = derived(1)["D.9"].statement
    with pytest.raises(DerivationError, match=r"^D\.9: jets check failed"):
        derived(1).replace("D.9", equation(statement.lhs, -statement.rhs)).prove()


@pytest.mark.parametrize("form", FORMATS)
def test_a_failed_step_is_marked_in_its_row_and_never_left_out(form):
    derivation = derived(12)
    printed = section(FORMATS[form](with_checks(derivation, **{"D.7, k=7": "at r = 1"})))
    assert "CHECK FAILED: jets: at r = 1" in html.unescape(printed)
    assert "D.9a, k=6" in printed  # its row
    assert "D.9a, k=7" not in printed
    assert "Layers 4 to 10 are left out" in printed


@pytest.mark.parametrize(
    ("form", "notation", "name"), every_pair(FORMATS, NOTATIONS, ["generic", "perceptron", "mixed"])
)
def test_every_format_has_every_row(form, notation, name):
    derivation = marked(name)
    printed = section(FORMATS[form](derivation, notation))
    for cell in cells(tables(derivation, notation)):
        assert cell.label in printed


def test_a_derivation_by_components_has_no_such_tables():
    written = components(derive(NETWORKS["xor"]))
    for form in FORMATS.values():
        assert "Step by step" not in form(with_checks(written))


def test_cells_of_markdown_hold_no_bars():
    network = Network(2, [Dense(2, "tanh"), Dense(1)], "mean_absolute_error", "bars")
    rows = [row for row in section(page.markdown(with_checks(derive(network)))).splitlines() if "|" in row]
    assert {row.count("|") for row in rows} == {4, 6, 3}


@pytest.mark.tex
@pytest.mark.parametrize("notation", NOTATIONS)
def test_pdflatex_takes_the_tables_of_a_deep_network(notation, tmp_path):
    source = page.latex(with_checks(derive(deep(12, bias=notation != "bishop"))), notation)
    assert complaints(compile_latex(source, tmp_path)) == []

"""Layers of equal shape share one function: same values, short text, all labels."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest

import symbp
from symbp.derivation.derive import derive
from symbp.network import Dense, Network
from symbp.plan.passes import make_plan
from symbp.render.numba_printer import statement_groups
from symbp.render.places import Places
from symbp.render.repeats import REPEATS, Calls, Shared, call_lines, share_layers
from symbp.render.trainer_view import PART, numbers, split
from symbp.render.writer import trainer_source
from symbp.spec import Spec
from tests.oracle import Oracle
from tests.plain_python import interpreted
from tests.test_trainer_against_oracle import check, data


def network(inputs, layers, output="softmax"):
    cost = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(output, "squared_error")
    return Network(inputs, [*layers, Dense(2, output)], cost, name="deep")


EQUAL = network(3, [Dense(3, "tanh")] * 7)
DEEP = {
    "equal": EQUAL,
    "no bias": network(4, [Dense(4, "sigmoid", False)] * 6, "sigmoid"),
    "other ends": network(2, [Dense(5, "relu"), *[Dense(4, "relu")] * 8], "identity"),
    "wide enough for copies": network(9, [Dense(9, "tanh")] * 5),
    "two shapes in turn": network(3, [Dense(3 + n % 2, "tanh") for n in range(11)]),
    "two functions in turn": network(3, [Dense(3, ("tanh", "relu")[n % 2]) for n in range(11)]),
    "two runs": network(3, [*[Dense(3, "tanh")] * 5, *[Dense(4, "relu")] * 6]),
    "interrupted": network(3, [*[Dense(3, "tanh")] * 3, Dense(3, "relu"), *[Dense(3, "tanh")] * 4]),
    "all different": network(3, [Dense(3 + n, "tanh") for n in range(8)]),
    "weighted": Network(3, [*[Dense(3, "tanh")] * 6, Dense(1)], "squared_error", weighted=True),
}


def kernels(text: str) -> str:
    return text[text.index("@_kernel") : text.index("# How the weights")]


def source(of: Network) -> str:
    return trainer_source(derive(of), Spec(of), prove=False)


@pytest.mark.parametrize("name", DEEP)
def test_values(name):
    check(interpreted(DEEP[name]), DEEP[name], n=4)


def test_compiled(tmp_path):
    # Proofs and self-test are for other tests: without them only what trains is compiled.
    trainer = symbp.generate(EQUAL, tmp_path / "trainer.py", prove=False, dtype="float32")
    w, X, Y = (values.astype("float32") for values in data(EQUAL, 5))
    found, _ = trainer.fit(w, X, Y, epochs=1, batch_size=5, learning_rate=0.1, shuffle=False)
    expected = w - 0.1 * Oracle.of(EQUAL).gradient(*(a.astype(float) for a in (w, X, Y)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", DEEP)
def test_every_label_is_there(name):
    """In a comment of its own, or in the range of layers of a shared function."""
    text = kernels(source(DEEP[name]))
    found = set()
    for label in re.findall(r"\(([^()]+?, k=[\d., ]+)\)", text):
        head, _, layers = label.partition(", k=")
        if "..." in layers:
            first, last = map(int, layers.split("..."))
            found |= {f"{head}, k={k}" for k in range(first, last + 1)}
        else:
            found |= {f"{head}, k={k}" for k in map(int, layers.split(", "))}
    program = make_plan(derive(DEEP[name]))
    labels = {s.origin.label for kernel in program.kernels for s in kernel.statements}
    assert {label for label in labels if ", k=" in label} == found


def test_the_text_does_not_grow_with_equal_layers():
    few, many = (kernels(source(network(3, [Dense(3, "tanh")] * depth))).count("\n") for depth in (8, 30))
    assert many - few < 10  # longer numbers break some comments


def test_a_network_that_is_not_deep_has_no_shared_functions():
    text = source(network(3, [Dense(3, "tanh")] * (REPEATS - 1)))
    assert "_layer_" not in text
    assert "_layer_" in source(network(3, [Dense(3, "tanh")] * (REPEATS + 1)))


def test_formulas_speak_of_layer_k():
    text = kernels(source(EQUAL))
    assert "# (2.6b, k=2...7)  c_r^k = sum_{s=1}^3 w_{rs}^k o_s^{k-1} + w_{r4}^k" in text
    assert "# (2.6b, k=2...7), (1.3, k=2...7)\n    for k in range(2, 8):" in text
    assert "delta_s^k = (1 - (o_s^k)^2) sum_{r=1}^3 w_{rs}^{k+1} delta_r^{k+1}" in text
    assert "for k in range(6, 0, -1):" in text


@pytest.mark.parametrize("name", DEEP)
def test_arguments_fit(name):
    """Every call of a shared function passes as many arguments as it takes."""
    tree = ast.parse(source(DEEP[name]))
    takes = {f.name: len(f.args.args) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}
    calls = [c for c in ast.walk(tree) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)]
    shared = [call for call in calls if "_layer_" in call.func.id]
    assert all(len(call.args) == takes[call.func.id] for call in shared)
    assert bool(shared) == (name != "all different")


def test_long_kernels_without_equal_layers_are_parts():
    text = source(DEEP["all different"])
    assert "def _jacobian_of_sample_2(" in text
    kernel = make_plan(derive(DEEP["all different"])).kernel("jacobian")
    groups = [group for _, group in statement_groups(kernel.statements)]
    parts = split(list(groups), kernel)
    assert [group for part in parts for group in part] == groups
    assert all(sum(map(len, part[:-1])) < PART for part in parts)


def test_a_layer_that_lies_elsewhere_is_called_on_its_own():
    """Calls become a loop only where every place moves in equal steps."""
    program = make_plan(derive(EQUAL))
    kernel, places = program.kernel("forward"), Places(program.workspace)
    groups = [group for _, group in statement_groups(kernel.statements)]

    def shifted(array):
        return places.first(array) + (1000 if array.name == "O4" else 0)

    (function,), rest = share_layers(groups, kernel, shifted)
    assert function.layers == (2, 3, 4, 5, 6, 7)
    calls = [item for item in rest if isinstance(item, Calls)]
    assert [call.layers for call in calls] == [(2, 3), (4, 5), (6, 7)]
    at = {}
    for call in calls:
        for layer in call.layers:
            at[layer] = [start + step * (layer - call.layers[0]) for start, step in call.places]
    for layer, found in at.items():
        names = {"C": f"C{layer}", "O": f"O{layer}", "O_before": f"O{layer - 1}", "W": f"W{layer}"}
        expected = {name: shifted(kernel.array(array)) for name, array in names.items()}
        assert dict(zip(function.moved, found, strict=True)) == expected


def test_call_lines():
    function = Shared(1, (), (), ("A", "B", "C"), ())
    lines = call_lines(Calls(function, (5, 4, 3), ((10, 4), (7, 0), (1, -1))), "f", "w")
    in_k = "        4*k - 10, 7, -k + 6,"
    assert list(lines) == ["for k in range(5, 2, -1):", "    f(", "        w,", in_k, "    )"]
    lines = call_lines(Calls(function, (2, 3), ((10, 4),)), "f", "w")
    assert list(lines) == ["f(", "    w,", "    10,", ")", "f(", "    w,", "    14,", ")"]


def test_numbers():
    assert numbers((3, 4, 5)) == "3...5"
    assert numbers((3, 4)) == "3, 4"
    assert numbers((3, 5, 7)) == "3, 5, 7"

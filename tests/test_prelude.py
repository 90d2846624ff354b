"""A trainer brings along what its kernels call and nothing else, and gives Numba little to compile."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numba import njit
from numba.core import codegen
from numba.core.errors import NumbaError

import symbp
from symbp import Dense, Network
from symbp.render.called import called
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from tests.assembly import module_of

SMALL = Network(4, [Dense(16, "tanh"), Dense(3, "softmax")], "cross_entropy", name="small")
NETWORKS = {
    "small": SMALL,
    "one output": Network(3, [Dense(1, "sigmoid")], "binary_cross_entropy"),
    "many classes": Network(5, [Dense(7, "relu"), Dense(20, "softmax")], "cross_entropy"),
    "real": Network(6, [Dense(33, "gelu"), Dense(2)], "half_squared_error"),
}
# Numba asks for these by their types, and a user for the other.
UNCALLED = {"_Registers", "_Rows", "_read", "_write", "unpack"}


def source(network: Network, batch_size: int = 32, target: str = "x86-64-v3") -> str:
    options = TrainOptions(batch_size=batch_size, target=target, dtype="float32")
    return trainer_source(symbp.derive(network), Spec(network, options), prove=False)


def never_named(text: str) -> set[str]:
    """Return the functions and classes of a file that nothing in it names again."""
    code = re.sub(r"#.*", "", re.sub(r'""".*?"""', "", text, flags=re.DOTALL))
    words = re.findall(r"\w+", code)
    return {name for name in re.findall(r"^(?:def|class) (\w+)", code, re.MULTILINE) if words.count(name) < 2}


@pytest.mark.parametrize("batch_size", [1, 32])
@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3", "portable"])
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_emitted_that_nobody_calls(name: str, target: str, batch_size: int) -> None:
    text = source(NETWORKS[name], batch_size, target)
    assert never_named(text) <= UNCALLED
    assert "\n\n\n\n" not in text  # where something was left out
    assert not re.search(r"\n\n(?<!\n\n\n)@|[^\n]\n@(?:_|intrinsic)", text)


def test_a_function_too_many_is_noticed() -> None:
    text = source(SMALL)
    assert never_named(text.replace("def fit(", "def row_rest(vec):\n    pass\n\n\ndef fit(")) > never_named(
        text
    )


def test_calls_are_found_in_lines_of_any_record() -> None:
    lines = {"blocks": [["# max(a, b) is left out", "c = larger(v, c)  # not smaller(v, c)"]]}
    assert called(lines, "x = row_max(fma(a, b, c), 3)", None) == {"larger", "row_max", "fma"}


def compiled(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the lines of each text that LLVM reads until a first step is done."""
    lines = []
    add = codegen.CPUCodeLibrary.add_ir_module

    def counted(library: object, module: object) -> None:
        lines.append(str(module).count("\n"))
        add(library, module)

    monkeypatch.setattr(codegen.CPUCodeLibrary, "add_ir_module", counted)
    module = module_of(text, name)
    module.fit(module.init_params(0), np.zeros((32, 4)), np.zeros(32, int), epochs=1, batch_size=32)
    return lines


def test_a_first_step_has_little_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is the text that LLVM reads, and the functions: counted, as no clock is the same twice.

    With NumPy's arrays for all views and a wrapper for every function it was 22,500 lines in 45 texts.
    """
    text = source(SMALL)
    lines = compiled(text, "little", monkeypatch)
    assert sum(lines) < 13_000
    assert len(lines) < 25
    more = compiled(text.replace("no_cpython_wrapper=True, ", ""), "much", monkeypatch)
    assert sum(more) > 13_000


def test_a_matrix_is_the_memory_itself() -> None:
    module = module_of(source(SMALL), "memory")
    view, row_at, at_most = module.view, module.row_at, module.at_most

    @njit
    def turned(memory: np.ndarray, p: int) -> tuple[float, float]:
        matrix = view(memory, 2, 3, 4)  # rows of 4, from the third number on
        found = matrix[p, 1]
        matrix[2, p] = 7
        matrix[2, 3] += found
        return found, matrix[2, 1]

    memory = np.arange(16, dtype=np.float32)
    expected = memory.copy()
    rows = expected[2:14].reshape(3, 4)
    rows[2, 1], rows[2, 3] = 7, rows[2, 3] + rows[1, 1]
    assert turned(memory, 1) == (7, 7)  # number 2 + 4 + 1
    np.testing.assert_array_equal(memory, expected)

    places = np.array([5, 3, 8, 1])
    row_of = njit(lambda rows, place, end: (row_at(rows, place, end), at_most(place, end)))
    assert [row_of(places, place, 3) for place in range(5)] == [(5, 0), (3, 1), (8, 2), (8, 3), (8, 3)]


def test_rows_that_do_not_lie_side_by_side_are_refused() -> None:
    module = module_of(source(SMALL), "rows")
    load, row_sum = module.load, module.row_sum

    @njit
    def total(X: np.ndarray) -> float:
        return row_sum(load(X, 1, 0, 4), 4)

    X = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert total(X) == 4 + 5 + 6 + 7
    for strange in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        with pytest.raises(NumbaError, match="side by side"):
            total(strange)

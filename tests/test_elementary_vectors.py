"""Elementary functions on vectors: bit for bit what they are on single numbers, on every machine.

Without contraction, that is: which of two products a compiler joins with a sum is its choice, and it
chooses anew for each piece of code. With it, as trainers are compiled, errors are measured here.
"""

from __future__ import annotations

import re
import sys
import types

import numpy as np
import pytest

from symbp.bench import exact
from symbp.derivation.derive import derive
from symbp.elementary import FUNCTIONS, calls
from symbp.elementary.expand import code
from symbp.elementary.measured import measured
from symbp.elementary.vectors import for_vectors
from symbp.functions import Activation
from symbp.network import Dense, Network
from symbp.render.elementary import functions, module_source, tables
from symbp.render.environment import render
from symbp.render.writer import trainer_source
from symbp.spec import Spec, TrainOptions
from symbp.target import TARGETS
from tests import plain_vectors

VECTORISABLE = [name for name, record in FUNCTIONS.items() if not record.reach and not record.lanes]
NETWORK = Network(1, [Dense(1, "tanh")], "half_squared_error", name="vectors")

# A file with the functions on vectors of three registers and a bit, which loads and stores as trainers do.
LOOP = """
@_kernel
def each_{name}(x, y):
    for n in range(len(x)):
        store(y, n, 0, {of_vector}, SIZE)


@_kernel
def one_{name}(x, y):
    for n in range(x.shape[0]):
        for m in range(x.shape[1]):
            y[n, m] = {of_number}
"""


def points(name: str, dtype: str, size: int) -> np.ndarray:
    """Return arguments of all sizes, and the ones at which something changes; rows of `size`."""
    rng = np.random.default_rng(0)
    form = np.finfo(dtype)
    special = [0.0, 1.0, 2.0, 40.0, 800.0, 1e-300, 0.55, 0.5, np.pi, form.tiny, form.smallest_subnormal]
    special += [form.max, form.eps, np.inf, np.nan, np.log(form.max), 88.0, 103.97, 708.0, 745.2]
    some = np.concatenate(
        [
            np.exp(rng.uniform(np.log(form.tiny), np.log(form.max), 4000)),
            rng.uniform(0, 1, 4000),
            rng.uniform(0, 100, 4000),
            special,
        ]
    )
    both = np.concatenate([some, -some])
    return both[: both.size // size * size].astype(dtype).reshape(-1, size)


def module_with(
    dtype: str, target: str, names: list[str], contract: bool = False, change=None
) -> types.ModuleType:
    """Return a trainer's module on a target, with these functions and loops over arrays with them.

    A change is a pair: what stands in the text of the vectors, and what shall stand there.
    """
    spec = Spec(NETWORK, TrainOptions(dtype=dtype, target=target))
    text = trainer_source(derive(NETWORK, spec.train.training), spec, prove=False)
    assert '"fastmath": {"contract"}' in text
    text = text.replace("cache=known, ", "")
    if not contract:
        text = text.replace('"fastmath": {"contract"}', '"fastmath": False')
    head = text[: text.index("# Vectors. A Vec")]
    vectors = text[text.index("# Vectors. A Vec") : text.index("@_kernel\ndef _forward")]
    if change is not None:
        assert change[0] in vectors
        vectors = vectors.replace(*change)
    data = {"elementary": functions(names, dtype, vectors=True), "tables": tables(names, dtype)}
    brought = render("numba", "elementary.j2", data)
    inlined = (
        "" if "def _inlined(" in head else "\n\ndef _inlined(f):\n    return _kernel(f, forceinline=True)\n"
    )
    size = 3 * TARGETS[target].lanes(dtype) + 1
    of_vector, of_number = "load(x, n, 0, SIZE)", "x[n, m]"
    loops = "".join(
        LOOP.format(name=n, of_vector=FUNCTIONS[n].at(of_vector), of_number=FUNCTIONS[n].at(of_number))
        for n in names
    )
    module = types.ModuleType(f"vectors_{dtype}_{target.replace('-', '_')}")
    sys.modules[module.__name__] = module
    exec(f"{head}{inlined}\n{brought}\n{vectors}\nSIZE = {size}\n{loops}", module.__dict__)
    return module


@pytest.fixture(scope="module")
def scalar():
    """The functions of portable files, compiled, by dtype."""
    found = {}
    for dtype in ("float32", "float64"):
        module = types.ModuleType(f"scalar_{dtype}")
        exec(module_source(dtype, contract=False), module.__dict__)
        found[dtype] = module
    return found


@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3", "aarch64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vectors_and_numbers_give_the_same_bits(dtype, target, scalar):
    """A machine without such registers splits them, and computes the same."""
    some = VECTORISABLE if target == "x86-64-v3" else ["tanh", "log"]
    some += [
        record.name for record in calls(TARGETS[target].lanes(dtype), alone=True).values() if record.lanes
    ]
    module = module_with(dtype, target, some)
    for name in some:
        x = points(name, dtype, module.SIZE)
        expected, vectors, numbers = (np.empty_like(x) for _ in range(3))
        getattr(scalar[dtype], f"all_{name}")(x.reshape(-1), expected.reshape(-1))
        getattr(module, f"each_{name}")(x, vectors)
        np.testing.assert_array_equal(vectors, expected, err_msg=name)
        np.testing.assert_array_equal(np.signbit(vectors), np.signbit(expected), err_msg=name)
        assert np.isnan(vectors[np.isnan(x)]).all(), name
        if target == "x86-64-v3":
            getattr(module, f"one_{name}")(x, numbers)
            np.testing.assert_array_equal(numbers, expected, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_accurate_in_vectors(dtype):
    """With contraction, as trainers have it: no error above the recorded one, at 20,000 points or 1,000."""
    module = module_with(dtype, "x86-64-v3", VECTORISABLE, contract=True)
    for name in VECTORISABLE:
        x = exact.points(name, dtype, {"float32": 20_000, "float64": 1_000}[dtype], seed=11)
        x = x[: x.size // module.SIZE * module.SIZE]
        rows = x.reshape(-1, module.SIZE)
        found = np.empty_like(rows)
        getattr(module, f"each_{name}")(rows, found)
        error = exact.errors(found.reshape(-1), *exact.exact(name, x))
        assert error.max() <= measured()[name, dtype].worst, name


def test_lookups_lane_by_lane_give_the_same_bits(scalar):
    """As on a machine without the instruction for it."""
    name = "tanh_by_pieces"
    module = module_with("float32", "x86-64-v4", [name], change=('"+avx512f" in', '"+no such" in'))
    x = points(name, "float32", module.SIZE)
    expected, vectors, numbers = (np.empty_like(x) for _ in range(3))
    getattr(scalar["float32"], f"all_{name}")(x.reshape(-1), expected.reshape(-1))
    getattr(module, f"each_{name}")(x, vectors)
    getattr(module, f"one_{name}")(x, numbers)
    np.testing.assert_array_equal(vectors, expected)
    np.testing.assert_array_equal(numbers, expected)
    assert "permvar" not in next(iter(getattr(module, f"each_{name}").inspect_llvm().values()))


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, r in FUNCTIONS.items() for d in r.dtypes])
def test_the_same_operations_in_the_same_order(name, dtype):
    """Nothing is lost or regrouped on the way from the scalar lines: as plain Python they agree, too."""
    real = np.dtype(dtype).type
    scope = {"F": real, "math": types.SimpleNamespace(copysign=np.copysign, inf=np.inf, nan=np.nan)}
    scope["I"] = np.dtype(f"int{8 * np.dtype(dtype).itemsize}").type
    scope["lookup"] = lambda table, row, place: table[row][place & 15]
    plain = plain_vectors.functions(4) | {"F": real, "math": scope["math"]}
    for table in tables([name], dtype):
        numbers = eval(f"[{','.join(f'[{chr(10).join(row)}]' for row in table['rows'])}]")
        scope[table["name"]] = plain[table["name"]] = np.array(numbers, real)
    x = np.random.default_rng(1).normal(size=200).astype(dtype) * real(3)
    outcome = {}
    for key, space in (("numbers", scope), ("vectors", plain)):
        for function in functions([name], dtype, vectors=key == "vectors"):
            lines = "\n    ".join(function["lines"])
            exec(f"def {function['name']}({function['arguments']}):\n    {lines}", space)
        outcome[key] = eval(f"lambda x: {FUNCTIONS[name].at('x')}", space)
    with np.errstate(all="ignore"):
        expected = np.array([outcome["numbers"](value) for value in x])
        np.testing.assert_array_equal(outcome["vectors"](x), expected)


def test_every_line_has_a_form_for_vectors():
    for name, record in FUNCTIONS.items():
        text = "\n".join(for_vectors(code(name, record.dtypes[0]).lines))
        assert not re.search(r"\b(if|else|and|or|view|I)\b", text)


def test_a_choice_keeps_its_sides():
    (line,) = for_vectors(["y = a if x > F(0.0) or x != x else (b if x < c else I(k + I(1)).view(F))"])
    assert line == "y = select((x > F(0.0)) | (x != x), a, select(x < c, b, number(k + 1)))"


def test_activations_stand_in_the_epilogue():
    """Named functions and own ones are applied to sums in registers, and their derivatives, too."""
    own = Activation("ramp", "log(1 + exp(z)) + tanh(z)/3")
    network = Network(3, [Dense(20, own), Dense(5, "mish"), Dense(2, "swish")], "half_squared_error")
    text = trainer_source(derive(network), Spec(network, TrainOptions(target="x86-64-v3")), prove=False)
    step = text[text.index("def _measure(") : text.index("def _descend(")]
    assert "_flat" not in step  # no loop of its own over the elements of an array
    for call in ("log1p(", "tanh("):
        assert call in step
    libm = Spec(network, TrainOptions(target="x86-64-v3", elementary="libm"))
    assert "O1_flat[0, t]" in trainer_source(derive(network), libm, prove=False)

"""A step of the derivation, read in the letters of a document and evaluated in the document's network.

What a document calls our quantities stands in :data:`LETTERS`; no equation does. A step ties to a
printed equation if it holds there, and if what the equation gives is among what the step gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np

from symbp.algebra.nodes import L, Node, k, l, m
from symbp.derivation.derive import derive
from symbp.derivation.documents.arrays import Array as Cells
from symbp.derivation.documents.language.reader import read, read_expression
from symbp.derivation.documents.library import get
from symbp.derivation.documents.records import Setting, Verdict
from symbp.derivation.documents.values import make_world
from symbp.derivation.oracles import cases
from symbp.derivation.oracles.interpret import Interpreter
from symbp.derivation.oracles.model import Key, NotApplicable, Shape
from symbp.derivation.records import Derivation, Step
from symbp.functions import Activation, Training
from symbp.graph.domains import Numbers
from symbp.network import Dense, Network
from symbp.spec import TrainOptions

# {k} is our layer, {i} and {j} are our indices, {p} is the sample.
LETTERS: Mapping[str, Mapping[str, str]] = {
    "000": {
        "w": "w[{k}][{i}, {j}]",
        "w_new": "w_new[{k}][{i}, {j}]",
        "a": "as_[{p}, {k}][{i}]",
        "c": "cs[{p}, {k}][{i}]",
        "o": "os[{p}, {k}][{i}]",
        "h": "hs[{p}][{i}]",
        "y": "ys[{p}][{i}]",
        "Js": "-sum(ys[{p}][q]*log(hs[{p}][q]), q, 1, N[L+1])",
        "J": "J",
        "eta": "eta",
    },
    "001": {
        "w": "theta[{k}][{i}, {j}] if {j} <= S[{k}] else theta[{k}][{i}, 0]",
        "Delta": "Delta[{p}, {k}][{i}, {j}] if {j} <= S[{k}] else Delta[{p}, {k}][{i}, 0]",
        "a": "abs_[{p}, {k}][{i}] if {i} <= S[{k}] else abs_[{p}, {k}][0]",
        "c": "zs[{p}, {k} + 1][{i}]",
        "o": "abs_[{p}, {k} + 1][{i}]",
        "h": "outputs[{p}][{i}]",
        "y": "targets[{p}][{i}]",
        "Js": "Js[{p}]",
        "J": "J_all",
        "Jr": "J_penalised",
        "l2": "lam",
    },
    "002": {
        "w": "w[{k}][{j}, {i}] if {j} <= d[{k}-1] else w[{k}][0, {i}]",
        "w_new": "W_new[{k}][{j}, {i}] if {j} <= d[{k}-1] else W_new[{k}][0, {i}]",
        "a": "xs[{p}, {k} - 1][{i}] if {i} <= d[{k} - 1] else xs[{p}, {k} - 1][0]",
        "c": "ss[{p}, {k}][{i}]",
        "o": "xs[{p}, {k}][{i}]",
        "h": "h[{p}]",
        "y": "targets[{p}]",
        "Js": "es[{p}]",
        "J": "E",
        "eta": "eta",
    },
    "003": {
        "w": "w[{k}][{i}, {j}]",
        "w_new": "w_new[{k}][{i}, {j}]",
        "a": "z[{k} - 1][{i}]",
        "c": "a[{k}][{i}]",
        "o": "z[{k}][{i}]",
        "h": "z[K][{i}]",
        "y": "y[{i}]",
        "Js": "E",
        "J": "E",
        "eta": "lam",
    },
    "004": {
        "w": "w[{k}][{i}, {j}] if {j} <= N[{k} - 1] else b[{k}][{i}]",
        "w_new": "W_new[{k}][{i}, {j}] if {j} <= N[{k} - 1] else b_new[{k}][{i}]",
        "a": "a[{k} - 1][{i}] if {i} <= N[{k} - 1] else 1",
        "c": "z[{k}][{i}]",
        "o": "a[{k}][{i}]",
        "h": "a[L][{i}]",
        "y": "y",
        "Js": "C",
        "J": "C",
        "eta": "alpha",
    },
}
STRENGTH = "0.25"  # of the penalty: a number in the derivation, so one in the document too
_SAMPLES = {"000": ("m",), "001": ("m",), "002": ("N", "B"), "003": (), "004": ()}


def declared(document: str, widths: tuple[int, ...]) -> Network:
    """Return the network that a document speaks of, as symbp declares it."""
    inputs, *sizes, outputs = widths
    bias = document != "003"
    functions: Mapping[str, tuple[Any, Any, str]] = {
        "000": (lambda layer: Activation(f"g{layer}", f"tanh(z) + {layer}*z/5"), "softmax", "cross_entropy"),
        "001": (lambda layer: "sigmoid", "sigmoid", "half_squared_error"),
        "002": (lambda layer: "tanh", "tanh", "squared_error"),
        "003": (lambda layer: "sigmoid", "sigmoid", "half_squared_error"),
        "004": (lambda layer: "sigmoid", "sigmoid", "binary_cross_entropy"),
    }
    hidden, output, cost = functions[document]
    if document == "000" and outputs == 1:  # softmax over one unit is 1
        output, cost = "sigmoid", "binary_cross_entropy"
    layers = [Dense(size, hidden(n), bias=bias) for n, size in enumerate(sizes, 1)]
    return Network(inputs, [*layers, Dense(outputs, output, bias=bias)], cost)


@cache
def derivations(document: str, widths: tuple[int, ...]) -> tuple[Derivation, Derivation]:
    """Return the derivation without and with a penalty."""
    network = declared(document, widths)
    return derive(network), derive(network, Training(penalty=TrainOptions(l2=float(STRENGTH)).regularisation))


class DocumentModel:
    """Our quantities in the network of a document, with 50 digits.

    Parameters
    ----------
    document : str
    setting : Setting
    widths : tuple of int
    """

    def __init__(self, document: str, setting: Setting, widths: tuple[int, ...]) -> None:
        self.letters = LETTERS[document]
        self.world = make_world(setting, widths, Numbers())
        samples = [self.world.whole(name, ()) for name in _SAMPLES[document]]
        self.shape = Shape(widths, (document != "003",) * (len(widths) - 1), (*samples, 1)[0] or 1)
        self._cells: dict[Key, Any] = {}

    def cell(self, key: Key) -> Any:
        if key not in self._cells:
            kind = {"sigma": "h"}.get(key.kind, key.kind)
            if kind not in self.letters:
                raise NotApplicable(f"the document has no {kind}")
            places = dict(zip("ij", key.indices, strict=False))
            text = self.letters[kind].format(k=key.layer, p=key.sample, **places)
            self._cells[key] = self.world.scalar(read_expression(text), {})
        return self._cells[key]

    def number(self, numerator: int, denominator: int) -> Any:
        return self.world.domain.number(numerator) / denominator

    def scalar(self, name: str) -> Any:
        return self.value(name, 0, (), 1)

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        return self.cell(Key(kind, layer, indices, sample)).value

    def partial(self, of: Key, wrt: Key) -> Any:
        return self.world.tape.derivative(self.cell(of), self.cell(wrt))

    def slope(self, layer: int, neuron: int, sample: int) -> Any:
        return self.partial(Key("o", layer, (neuron,), sample), Key("c", layer, (neuron,), sample))

    def function(self, name: str, argument: Any) -> Any:
        return 1 / argument if name == "reciprocal" else self.world.domain.function(name, [argument])

    def power(self, base: Any, numerator: int, denominator: int) -> Any:
        return base ** self.number(numerator, denominator)

    def reduce(self, value: Any) -> Any:
        return value

    def product(self, a: Any, b: Any) -> Any:
        return a.dot(b)

    def same(self, a: Any, b: Any) -> bool:
        return self.world.domain.same(a, b)


@dataclass(frozen=True)
class Tied:
    """What the numbers say of an equation and its steps.

    Attributes
    ----------
    wrong : tuple of str
        Cases of the steps that do not hold in the document's network.
    foreign : tuple of str
        What the equation gives, and none of its steps does.
    """

    wrong: tuple[str, ...]
    foreign: tuple[str, ...]


class Ties:
    """Compares the equations of one setting of a document with steps.

    Parameters
    ----------
    document, setting : str
    single : bool
        Whether there is one sample only, so that J is its cost.
    """

    def __init__(self, document: str, setting: str, single: bool) -> None:
        self.document = document
        known = get(document).settings[setting]
        if single:
            known = replace(known, integers={**known.integers, **dict.fromkeys(_SAMPLES[document], "1")})
        if document == "001":
            known = replace(known, given={**known.given, "lam": STRENGTH})
        self.widths = known.widths[0] if known.fixed or not known.small else known.small
        self.model = DocumentModel(document, known, self.widths)
        self._given: dict[str, tuple[set[str], tuple[str, ...]]] = {}

    @cached_property
    def derivations(self) -> tuple[Derivation, Derivation]:
        return derivations(self.document, self.widths)

    def of(self, found: Verdict, labels: tuple[str, ...]) -> Tied:
        """Return what ties an equation to the steps of these labels."""
        values, wrong = set[str](), list[str]()
        for label in labels:
            given, faults = self.given(label)
            values |= given
            wrong += faults
        printed = list(self.printed(found))
        # A 0 is everywhere: it says something only where nothing else is given.
        said = [self.named(value) for value in printed if value or not any(printed)]
        return Tied(tuple(wrong), tuple(dict.fromkeys(value for value in said if value not in values)))

    def printed(self, found: Verdict) -> Iterator[Any]:
        """Yield the values of the first side, of the right statement where the printed one is wrong."""
        text, where = found.right or found.claim or found.printed, found.where
        statement = read(text, found.right_where if found.right else where)
        for env in self.model.world.assignments(statement.ranges):
            value = self.model.world.value(statement.sides[0], env)
            yield from (cell.value for cell in (value.cells.flat if isinstance(value, Cells) else [value]))

    def named(self, value: Any) -> str:
        return str(self.model.world.domain.context.nstr(value, 30))  # type: ignore[attr-defined]

    def given(self, label: str) -> tuple[set[str], tuple[str, ...]]:
        """Return what the left side of a step gives in all cases, and the cases where the right does not."""
        if label not in self._given:
            self._given[label] = self._evaluated(label)
        return self._given[label]

    def _evaluated(self, label: str) -> tuple[set[str], tuple[str, ...]]:
        plain, penalised = self.derivations
        steps = [s for s in plain.steps if s.label.partition(",")[0] == label]
        steps = steps or [s for s in penalised.steps if s.label.partition(",")[0] == label]
        assert steps, f"there is no step {label}"
        values, wrong = set[str](), list[str]()
        for step in steps:
            for env in _every_case(step, self.model.shape):
                try:
                    left, right = Interpreter(self.model, dict(env)).sides(step.statement)
                except NotApplicable:
                    left, right = Interpreter(self.model, dict(env)).expression(step.statement.lhs), None
                entries = list(np.ravel(left))
                values |= {self.named(value) for value in entries}
                others = entries if right is None else list(np.ravel(right))
                if not all(self.model.same(a, b) for a, b in zip(entries, others, strict=True)):
                    wrong.append(f"{step.label} for {env}")
        return values, tuple(wrong)


def _every_case(step: Step, shape: Shape) -> Iterator[dict[Any, int]]:
    """Yield layers that meet a step's conditions, with all indices in their ranges."""
    free = {x for x in step.statement.free_symbols if x.is_Symbol and not isinstance(x, Node)}
    layers = [x for x in (k, l) if x in free]
    for taken in cases._batches(step, shape):
        for chosen in product(range(shape.last + 1), repeat=len(layers)):
            env = {L: shape.hidden, m: shape.samples} | taken | dict(zip(layers, chosen, strict=True))
            if all(cases._holds(c, env, shape) for c in step.assumes if not cases._on_data(c)):
                ranges = cases._ranges(step, free - set(env), env, shape)
                for numbers in product(*(range(1, high + 1) for high in ranges.values())):
                    yield env | dict(zip(ranges, numbers, strict=True))

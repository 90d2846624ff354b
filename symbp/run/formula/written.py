"""A gradient as it is written down -> the numbers that it says, and of which weights it says any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import GradientError
from symbp.functions import ACTIVATIONS, Penalty
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.notation import get
from symbp.run.evaluate import Floats
from symbp.run.formula.accumulators import with_biases_apart, without_accumulation
from symbp.run.formula.arrays import Arrays, NoSuchEntry
from symbp.run.formula.evaluate import Evaluator
from symbp.run.formula.letters import in_letters_of
from symbp.run.formula.names import Names, names_of
from symbp.run.formula.operations import ELEMENTARY
from symbp.run.formula.reader import read_lines
from symbp.run.formula.sensitivities import as_sensitivities
from symbp.run.formula.target import Entry, Target
from symbp.run.formula.tokens import fault
from symbp.run.formula.tree import Binary, Line, Name, Part, walk
from symbp.run.point import Point
from symbp.values import shown, whole_number

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Stated:
    """The numbers of a gradient as text, in our layout.

    Attributes
    ----------
    values : ndarray, shape (m, n_params)
        For each sample; the same for all of them where it is the derivative of the average cost.
    said : ndarray of bool, shape (n_params,)
        Which derivatives are given at all.
    of_sample : ndarray of bool, shape (n_params,)
        Which are those of the cost of one sample.
    penalised : ndarray of bool, shape (n_params,)
        Which are those of the cost with the penalty.
    """

    values: Floats
    said: Mask
    of_sample: Mask
    penalised: Mask


@dataclass(frozen=True)
class WrittenGradient:
    """A gradient as text, read but not evaluated.

    Attributes
    ----------
    network : Network
    names : Names
    entries : tuple of Entry
    definitions : tuple of Line
    """

    network: Network
    names: Names
    entries: tuple[Entry, ...]
    definitions: tuple[Line, ...]

    @property
    def remark(self) -> str | None:
        """What delta was taken for, where it is used and no line defines it."""
        letter = self.names.notation.glyph("delta").text
        lines = (*self.definitions, *(entry.line for entry in self.entries))
        used = any(isinstance(part, Name) and part.name == letter for n in lines for part in walk(n.right))
        if not used or any(line.left is not None and line.left.name == letter for line in self.definitions):
            return None
        one = self.names.notation.sensitivity == "sample"
        cost = "cost of one sample, without" if one else "average cost: it holds"
        return f"{letter} was taken for the derivative of the {cost} the factor 1/{self.names.samples}"

    def at(self, point: Point) -> Stated:
        """Return the gradient in our layout.

        Raises
        ------
        FormulaError
            If a name is unknown or shapes do not fit; the excerpt shows the place.
        """
        evaluator = Evaluator(Arrays(self.network, point, self.names.notation), self.names, self.definitions)
        evaluator.prepare()
        samples, shapes = len(point.X), self.network.shapes
        values = [np.zeros((samples, *shape)) for shape in shapes]
        said, of_sample, penalised = ([np.zeros(shape, dtype=bool) for shape in shapes] for _ in range(3))
        # What is given for one layer goes before what is given for any, and one bias before any weight.
        for entry, layer in sorted(self._asked(evaluator), key=lambda found: self._rank(found[0])):
            with evaluator.reading(entry.line):
                kind = "J" if entry.line.cost is None else evaluator.cost_kind(entry.line.cost)
                evaluator.asked = kind
                found = Target(evaluator, entry, layer, kind == "Js").derivatives()
            for place, numbers in found:
                new = ~said[layer - 1][place]
                values[layer - 1][(slice(None), *place)][:, new] = numbers[:, new]
                said[layer - 1][place] = True
                of_sample[layer - 1][place] |= new & (kind == "Js")
                penalised[layer - 1][place] |= new & (kind == "Jr" or self._speaks_of_penalty(entry.line))
        flat = [np.concatenate([part.ravel() for part in parts]) for parts in (said, of_sample, penalised)]
        return Stated(np.concatenate([v.reshape(samples, -1) for v in values], axis=1), *flat)

    def _rank(self, entry: Entry) -> tuple[bool, bool]:
        left = entry.line.left
        of_one = left is not None and not all(isinstance(part, Name) for part in left.below)
        return self._is_general(entry), not of_one

    def _speaks_of_penalty(self, line: Line, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a line, or one that defines what it uses, has a parameter of the penalty in it."""
        used = {part.name for part in walk(line.right) if isinstance(part, Name)}
        if used & self.names.strengths:
            return True
        found = [d for d in self.definitions if d.left is not None and d.left.name in used - seen]
        return any(self._speaks_of_penalty(d, seen | used) for d in found)

    def _asked(self, evaluator: Evaluator) -> Iterator[tuple[Entry, int]]:
        """Yield every line with every layer that it is for."""
        last = self.network.hidden + 1
        for entry in self.entries:
            if entry.layer is not None:
                yield entry, entry.layer
            elif entry.line.left is None and (layer := self._layer_spoken_of(entry, evaluator)) is not None:
                yield entry, layer
            elif self._is_general(entry):
                biases_only = entry.line.left is not None and self._is_of_biases(entry.line.left)
                for layer in range(1, last + 1):
                    if self.network.has_bias(layer) or not biases_only:
                        yield entry, layer
            else:
                with evaluator.reading(entry.line):
                    part = self._layer_part(entry.line.given)
                    layer = evaluator.whole_number(part, {})
                    if not 1 <= layer <= last:
                        raise evaluator.fault(part, f"the layers of weights are 1..{last}")
                yield entry, layer

    def _layer_spoken_of(self, entry: Entry, evaluator: Evaluator) -> int | None:
        """Return the layer of a formula alone in which layers are numbers: that of its sensitivity."""
        named = [part for part in walk(entry.line.right) if isinstance(part, Name)]
        layers = [part for name in named for part in (*name.below, *name.above)]
        if any(isinstance(part, Name) and part.name in self.names.layers for part in map(first_name, layers)):
            return None
        if self.network.hidden == 0:
            return 1
        found = {}
        for name in named:
            meaning = self.names.meanings.get(name.name)
            if meaning is not None and meaning.whole == "DeltaColumn":
                with evaluator.reading(entry.line):
                    part = (name.above or name.below or (name,))[0]
                    found[evaluator.whole_number(part, {}) - meaning.whole_shift] = part
        if len(found) == 1:
            return next(iter(found))
        raise fault(
            entry.line.text,
            entry.line.right.at,
            f"the gradient of which weights? Write d{self.names.cost}/d{_weights(self.names, '2')} = ...",
        )

    def _is_general(self, entry: Entry) -> bool:
        if entry.layer is not None:
            return False
        part = None if entry.line.left is None else self._layer_part(entry.line.left)
        return part is None or (isinstance(part, Name) and part.name in self.names.layers)

    def _is_of_biases(self, left: Name) -> bool:
        return self.names.meanings[left.name].whole == "BiasColumn"

    def _layer_part(self, left: Name) -> Part:
        return (left.above or left.below)[0]


def read_gradient(
    network: Network, given: str | Mapping[Any, Any], notation: str, penalty: Penalty | None = None
) -> WrittenGradient:
    """Read a gradient that is given as text.

    Parameters
    ----------
    network : Network
    given : str or mapping
        Lines such as ``delta^L = ...; dJ/dW^k = ...``, or a formula alone for the weights of any
        layer k; or the formula for each layer, ``{1: "...", 2: "..."}``, each perhaps a pair
        with that of the biases.
    notation : str
        Whose letters are used.
    penalty : Penalty, optional
        Whose parameters have letters.

    Raises
    ------
    RenderError
        If there is no such notation.
    GradientError
        If the text is no formula in its letters, or gives no derivative of a weight.
    """
    names = names_of(get(notation), network.weighted, penalty)

    def is_function(name: str) -> bool:
        return name == names.function or name in (*ELEMENTARY, *ACTIVATIONS)

    def lines(text: Any) -> tuple[Line, ...]:
        if not isinstance(text, str):
            raise GradientError(f"the gradient {shown(text)}: expected a text such as 'delta^2 (o^1)^T'")
        found = read_lines(text, is_function, names.is_quantity)
        own = {line.left.name for line in found if line.left is not None and not line.gradient}
        return tuple(with_biases_apart(in_letters_of(line, names, own), names) for line in found)

    found: list[Entry] = []
    if isinstance(given, str):
        found += [Entry(line) for line in lines(given)]
    else:
        for key, texts in given.items():
            layer = whole_number("the layer", key, 1, network.hidden + 1)
            pair = texts if isinstance(texts, tuple | list) else (texts,)
            if not 1 <= len(pair) <= 2:
                raise GradientError(f"layer {layer}: expected a text, or a pair with that of the biases")
            for bias, text in enumerate(pair):
                found += [Entry(line, layer, bool(bias)) for line in lines(text)]
    found = as_sensitivities(found, names)
    defining = [entry.line for entry in found if entry.line.left and not entry.line.gradient]
    entries = tuple(_checked(entry, names) for entry in found if entry.line not in defining)
    definitions = without_accumulation(defining, names)
    for lines_ in (definitions, [entry.line for entry in entries]):
        for n, line in enumerate(lines_):
            left = line.left
            if left is not None and any(left == other.left for other in lines_[:n]):
                raise fault(line.text, left.at, f"{left.name} of this layer is given twice")
    if not entries:
        raise GradientError(
            f"no line gives a derivative of the cost: expected d{names.cost}/d{_weights(names)} = ..."
        )
    return WrittenGradient(network, names, entries, definitions)


def _weights(names: Names, layer: str = "") -> str:
    letter = next(n for n, meaning in names.meanings.items() if meaning.whole == "WeightMatrix")
    return f"{letter}^{layer or names.layers[0]}"


def first_name(part: Part) -> Part:
    """Return the letter that an index or a layer such as ``l + 1`` begins with."""
    while isinstance(part, Binary):
        part = part.left
    return part


def _checked(entry: Entry, names: Names) -> Entry:
    """Return the entry, whose left side is a derivative by weights; it then says its layer itself."""
    left, cost = entry.line.left, entry.line.cost
    if left is None or cost is None:
        return entry
    try:
        names.cost_kind(cost)
    except NoSuchEntry as error:
        raise fault(entry.line.text, cost.at, str(error)) from None
    of_weights = ("WeightMatrix", "RegularWeights", "BiasColumn")
    known = [n for n, m in names.meanings.items() if m.whole in of_weights or m.entry in ("w", "bias")]
    if left.name not in known:
        raise fault(
            entry.line.text,
            left.at,
            f"a gradient is the derivative by weights, not by {left.name!r}{nearest(left.name, known)}",
        )
    if not left.above and not left.below:
        raise fault(entry.line.text, left.at, f"{left.name} needs its layer, such as {left.name}^1")
    return Entry(entry.line)

"""What the letters of a notation stand for: its symbol table, read the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symbp.functions import Penalty
from symbp.network import Network
from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.training_names import parameter
from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.tree import Name

# Quantities with entries, and what they are called as a whole.
_WHOLE = {
    "w": ("WeightMatrix",),
    "a": ("InputColumn",),
    "c": ("WeightedSums",),
    "o": ("OutputColumn",),
    "delta": ("DeltaColumn",),
    "S": ("StepMatrix",),
    "T": ("ChainMatrix",),
}
_COSTS = ("J", "Js", "Jr")
BIASES = "Delta_b"  # what a text cannot spell
_STRENGTH = "lambda"  # 001's letter
_WITHOUT_LAYER = ("x", "h", "y", "v")
_OTHERS = ("RegularWeights", "BiasColumn", "Identity")


@dataclass(frozen=True)
class Meaning:
    """What one letter stands for, with and without indices.

    Attributes
    ----------
    entry : str
        The quantity whose entry it is with indices; empty if there is none.
    entry_shift : int
        What its layer's number is larger by than ours.
    whole : str
        The column or matrix that it is without indices.
    whole_shift : int
    layered : bool
        Whether it has a layer.
    """

    entry: str = ""
    entry_shift: int = 0
    whole: str = ""
    whole_shift: int = 0
    layered: bool = True

    @property
    def adds_up(self) -> bool:
        """Whether it is an accumulator, which adds up over the samples."""
        return self.entry in ("Delta", "DeltaOfBiases")


@dataclass(frozen=True)
class Names:
    """The letters of a notation.

    Attributes
    ----------
    notation : Notation
    meanings : mapping of str to Meaning
    width, samples, depth, function, cost : str
        The letters for the width of a layer, the numbers of samples and of layers, the
        activation function and the cost.
    costs : mapping of str to str
        Letter -> J (averaged over the samples), Js (of one sample) or Jr (with a penalty).
    constants : mapping of (str, str) to float
        Letter and subscript of each parameter of the penalty -> its value.
    width_shift : int
    layers, neurons : tuple of str
        The letters that a layer has where a formula speaks of any, and the two ends of a weight.
    """

    notation: Notation
    meanings: Mapping[str, Meaning]
    width: str
    width_shift: int
    samples: str
    depth: str
    function: str
    cost: str
    costs: Mapping[str, str]
    constants: Mapping[tuple[str, str], float]
    layers: tuple[str, ...]
    neurons: tuple[str, str]

    def number_of_layers(self, network: Network) -> int:
        """Return what L (or K) is for this network, as the notation counts."""
        return network.hidden + self.notation.beyond_hidden

    @property
    def sample_letters(self) -> tuple[str, ...]:
        return (self.notation.letters or Letters()).samples

    @property
    def strengths(self) -> frozenset[str]:
        """The letters of the penalty's parameters, without subscripts."""
        return frozenset(letter for letter, _ in self.constants)

    def is_quantity(self, name: str) -> bool:
        """Whether it is something that can be differentiated."""
        return name in self.costs or name in self.meanings

    def cost_kind(self, cost: Name) -> str:
        """Return which cost is meant: J, Js or Jr; with the number of a sample it is that of the sample.

        Raises
        ------
        NoSuchEntry
            If the notation has no such cost.
        """
        kind = self.costs.get(cost.name)
        scripts = (*cost.below, *cost.above)
        if kind is None:
            one = next(letter for letter, kind in self.costs.items() if kind == "Js")
            raise NoSuchEntry(
                f"the notation {self.notation.name} has no cost {cost.name!r}: "
                f"it is {self.cost}, that of one sample {one} or {self.cost}_p"
            )
        if not scripts:
            return kind
        if len(scripts) > 1 or not isinstance(scripts[0], Name) or kind == "Jr":
            raise NoSuchEntry(f"{cost.name} has at most the letter of a sample")
        return "Js"

    @property
    def all(self) -> tuple[str, ...]:
        """Every letter that a formula may use."""
        sizes = (self.width, self.samples, self.depth, self.function)
        return (*(name for name in self.meanings if name != BIASES), *sizes, *sorted(self.strengths))


def names_of(notation: Notation, weighted: bool = False, penalty: Penalty | None = None) -> Names:
    """Return what the letters of a notation stand for.

    Parameters
    ----------
    notation : Notation
    weighted : bool
        Whether samples have weights in the cost.
    penalty : Penalty, optional
    """
    known: dict[str, Meaning] = {}
    without = {"v"} if not weighted else set()
    for kind in ("c", "a", "o", "delta", "w", "S", "T"):
        if kind == "a" and "Inputs" in notation.without:
            continue  # there the inputs of a layer are the outputs of the one before, bias and all
        glyph = notation.glyph(kind)
        (whole,) = _WHOLE[kind]
        own = notation.glyph(whole)
        entry = _put(known, glyph, Meaning(entry=kind, entry_shift=glyph.shift))
        if own.text == glyph.text:
            known[own.text] = Meaning(kind, entry.entry_shift, whole, own.shift)
        else:
            # 001 writes entries with the letter of the matrix, Theta_ij, as well.
            entries = Meaning(kind, glyph.shift) if kind == "w" else Meaning()
            _put(known, own, replace(entries, whole=whole, whole_shift=own.shift))
    if notation.bias == "first":  # the column of the outputs has that of the bias neuron
        _whole(known, notation, "InputColumn")
    for key in _OTHERS:
        _whole(known, notation, key)
    if notation.bias == "separate":
        bias = notation.glyph("bias")
        known[bias.text] = Meaning("bias", bias.shift, "BiasColumn", notation.glyph("BiasColumn").shift)
    for kind in _WITHOUT_LAYER:
        if kind not in {*notation.without, *without} and notation.glyph(kind).layer == "none":
            known[notation.glyph(kind).text] = Meaning(entry=kind, whole=kind, layered=False)
    delta = notation.glyph("Delta")
    known[delta.text] = Meaning("Delta", delta.shift, "Delta", delta.shift)
    if notation.bias == "separate":
        known[BIASES] = Meaning("DeltaOfBiases", delta.shift, "DeltaOfBiases", delta.shift)
    letters = notation.letters or Letters(layer="k")
    layer_letters = dict.fromkeys((letters.layer, *letters.layers))
    return Names(
        notation,
        known,
        notation.glyph("Width").text,
        notation.glyph("Width").shift,
        notation.glyph("m").text,
        notation.glyph("L").text,
        notation.glyph("Activate").text,
        notation.glyph("J").text,
        {notation.glyph(kind).text: kind for kind in reversed(_COSTS)},
        _constants(notation, penalty),
        tuple(layer_letters),
        letters.neurons,
    )


def _constants(notation: Notation, penalty: Penalty | None) -> dict[tuple[str, str], float]:
    """Return the parameters of the penalty by their letters; a single one is lambda as well."""
    if penalty is None:
        return {}
    found = {}
    for name, value in penalty.constants.items():
        glyph = parameter(notation, name)
        found[glyph.glyph.text, "" if glyph.sub is None else glyph.sub.text] = float(value)
    if len(found) == 1:
        found |= dict.fromkeys([(_STRENGTH, "")], *found.values())
    return found


def _put(known: dict[str, Meaning], glyph: Glyph, meaning: Meaning) -> Meaning:
    return known.setdefault(glyph.text, meaning)


def _whole(known: dict[str, Meaning], notation: Notation, key: str) -> None:
    glyph = notation.glyph(key)
    before = known.get(glyph.text, Meaning())
    if not before.whole or key == "InputColumn":
        known[glyph.text] = Meaning(before.entry, before.entry_shift, key, glyph.shift)

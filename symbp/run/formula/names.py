"""What the letters of a notation stand for: its symbol table, read the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbp.network import Network
from symbp.notation.records import Glyph, Letters, Notation

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
    layers: tuple[str, ...]
    neurons: tuple[str, str]

    def number_of_layers(self, network: Network) -> int:
        """Return what L (or K) is for this network, as the notation counts."""
        return network.hidden + self.notation.beyond_hidden

    @property
    def sample_letters(self) -> tuple[str, ...]:
        return (self.notation.letters or Letters()).samples

    @property
    def all(self) -> tuple[str, ...]:
        """Every letter that a formula may use."""
        return (*self.meanings, self.width, self.samples, self.depth, self.function)


def names_of(notation: Notation, weighted: bool = False) -> Names:
    """Return what the letters of a notation stand for.

    Parameters
    ----------
    notation : Notation
    weighted : bool
        Whether samples have weights in the cost.
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
            _put(known, own, Meaning(whole=whole, whole_shift=own.shift))
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
        tuple(layer_letters),
        letters.neurons,
    )


def _put(known: dict[str, Meaning], glyph: Glyph, meaning: Meaning) -> Meaning:
    return known.setdefault(glyph.text, meaning)


def _whole(known: dict[str, Meaning], notation: Notation, key: str) -> None:
    glyph = notation.glyph(key)
    before = known.get(glyph.text, Meaning())
    if not before.whole or key == "InputColumn":
        known[glyph.text] = Meaning(before.entry, before.entry_shift, key, glyph.shift)

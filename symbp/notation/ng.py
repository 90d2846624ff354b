"""The notation of document 001: Theta, a, z; the bias has index 0 and layers are counted from 1."""

from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.smatrix import SMATRIX

NG = Notation(
    name="ng",
    source="001",
    symbols={
        **SMATRIX.symbols,
        "w": Glyph(r"\theta", "theta", "sup"),
        "w_new": Glyph(r"\theta'", "theta'", "sup"),
        "bias": Glyph(r"\theta", "theta", "sup"),
        # The inputs of our layer k are the activations of the layer before it.
        "a": Glyph("a", "a", "sup", shift=-1),
        "c": Glyph("z", "z", "sup"),
        "o": Glyph("a", "a", "sup"),
        "h": Glyph("a", "a", "sup"),
        "S": Glyph(r"\mathbf{S}", "S", "sup", bracketed=True),
        "T": Glyph(r"\mathbf{T}", "T", "sup", bracketed=True),
        "eta": Glyph(r"\alpha", "alpha"),
        "Width": Glyph("s", "s", "sub"),
        "Activate": Glyph("g", "g"),
        "KroneckerDelta": Glyph("I", "I"),
        "StepMatrix": Glyph(r"\mathbf{S}", "S", "sup"),
        "ChainMatrix": Glyph(r"\mathbf{T}", "T", "sup"),
        "PreActivationColumn": Glyph("z", "z", "sup"),
        "OutputRow": Glyph("z", "z", "sup"),
        "DeltaColumn": Glyph(r"\delta", "delta", "sup"),
        "Identity": Glyph("I", "I"),
        "WeightMatrix": Glyph(r"\Theta", "Theta", "sup"),
        "RegularWeights": Glyph(r"\bar{\Theta}", "Thetabar", "sup"),
        "InputColumn": Glyph("a", "a", "sup", shift=-1),
        "WeightedSums": Glyph("z", "z", "sup"),
        "OutputColumn": Glyph(r"\bar{a}", "abar", "sup"),
        "InputVector": Glyph("x", "x"),
    },
    layer_brackets=("(", ")"),
    sample_brackets=("(", ")"),
    bias="first",
    first_layer=1,
    counted="all",
    entrywise=Glyph(r"\mathbin{.\ast}", ".*"),
    letters=Letters(spare="qruv"),
    without=frozenset({"Inputs"}),
    slope="prime",
    output="applied",
    by_column="column",
    slopes_first=False,
    sensitivity="sample",
    meanings={
        "o": "activation of unit {i} of layer {layer}; those of layer 1 are the inputs",
        "x": "input {i} of the network, activation {i} of layer 1",
    },
    remarks=(
        "Theta with the number l leads from layer l to layer l + 1; its column 0 holds the biases. A bar "
        "takes the biases away, from Theta^(l) as from a^(l).",
    ),
)

"""The notation of document 003: activations a, node values z, no biases."""

from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.smatrix import SMATRIX

_BOLD_A = Glyph(r"\mathbf{a}", "a", "sup")

BISHOP = Notation(
    name="bishop",
    source="003",
    symbols={
        **SMATRIX.symbols,
        "w": Glyph("w", "w", "sup"),
        "w_new": Glyph("w'", "w'", "sup"),
        "bias": Glyph("w", "w", "sup"),
        "a": Glyph("z", "z", "sup", shift=-1),
        "c": Glyph("a", "a", "sup"),
        "o": Glyph("z", "z", "sup"),
        "h": Glyph("z", "z", "sup"),
        "S": Glyph(r"\mathbf{S}", "S", "sup", bracketed=True),
        "T": Glyph(r"\mathbf{T}", "T", "sup", bracketed=True),
        "Jb": Glyph(r"\bar{E}", "Ebar"),
        "Js": Glyph("e", "e"),
        "e": Glyph(r"\varepsilon", "eps", example="q"),
        "J": Glyph("E", "E"),
        "L": Glyph("K", "K"),
        "eta": Glyph(r"\lambda", "lambda"),
        "Activate": Glyph(r"\sigma", "sigma"),
        "KroneckerDelta": Glyph("I", "I"),
        "StepMatrix": Glyph(r"\mathbf{S}", "S", "sup"),
        "ChainMatrix": Glyph(r"\mathbf{T}", "T", "sup"),
        "PreActivationColumn": _BOLD_A,
        "OutputRow": _BOLD_A,
        "DeltaColumn": Glyph(r"\boldsymbol{\delta}", "delta", "sup"),
        "Identity": Glyph(r"\mathbf{I}", "I"),
        "WeightMatrix": Glyph(r"\mathbf{W}", "W", "sup"),
        "RegularWeights": Glyph(r"\bar{\mathbf{W}}", "Wbar", "sup"),
        "InputColumn": Glyph(r"\mathbf{z}", "z", "sup", shift=-1),
        "WeightedSums": _BOLD_A,
        "OutputColumn": Glyph(r"\bar{\mathbf{z}}", "zbar", "sup"),
        "InputVector": Glyph(r"\mathbf{x}", "x"),
    },
    layer_brackets=("(", ")"),
    bias="first",
    counted="weights",
    entrywise=Glyph(r"\circ", ".*"),
    letters=Letters(layer="k", layers=("k", "l"), spare="qrstuv", samples=("n", "t")),
    without=frozenset({"Inputs"}),
    slope="prime",
    output="applied",
    by_column="column",
    slopes_first=False,
    sample_place="sub",
    sensitivity="sample",
    before=(("delta", "w"),),
    meanings={
        "o": "value of node {i} of layer {layer}; those of layer 0 are the inputs",
        "c": "activation of node {i} of layer {layer}: the weighted sum of its inputs",
        "h": "output {i} of the network, the prediction y-hat",
        "Js": "error of one training sample",
        "J": "error, averaged over the {m} training samples",
    },
    bias_remark=(
        "Document 003 has no biases. This network has: they are written as in its reference [1] (Bishop, "
        "2006), as weights with the index 0 from a node whose value is 1; a bar takes them away."
    ),
)

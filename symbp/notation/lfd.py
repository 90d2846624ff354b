"""The notation of document 002 (Learning from Data): signals s, outputs x, W with a row per input."""

from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.smatrix import SMATRIX

_BOLD_DELTA = Glyph(r"\boldsymbol{\delta}", "delta", "sup")
_BOLD_S = Glyph(r"\mathbf{s}", "s", "sup")
_BOLD_W = Glyph(r"\mathbf{W}", "W", "sup")

LFD = Notation(
    name="lfd",
    source="002",
    symbols={
        **SMATRIX.symbols,
        # From i to j: our indices the other way round.
        "w": Glyph("w", "w", "sup", order=(1, 0)),
        "w_new": Glyph("w'", "w'", "sup", order=(1, 0)),
        "bias": Glyph("w", "w", "sup"),
        "a": Glyph("x", "x", "sup", shift=-1),
        "c": Glyph("s", "s", "sup"),
        "o": Glyph("x", "x", "sup"),
        "h": Glyph("x", "x", "sup"),
        "S": Glyph(r"\mathbf{S}", "S", "sup", bracketed=True),
        "T": Glyph(r"\mathbf{T}", "T", "sup", bracketed=True),
        "Delta": Glyph(r"\Delta", "Delta", "sup", order=(1, 0)),
        "Jb": Glyph(r"\bar{E}", "Ebar"),
        "Js": Glyph("e", "e"),
        "e": Glyph(r"\varepsilon", "eps", example="q"),
        "J": Glyph("E", "E"),
        "m": Glyph("N", "N"),
        "Width": Glyph("d", "d", "sup"),
        "Activate": Glyph(r"\theta", "theta"),
        "KroneckerDelta": Glyph("I", "I"),
        "StepMatrix": Glyph(r"\mathbf{S}", "S", "sup"),
        "ChainMatrix": Glyph(r"\mathbf{T}", "T", "sup"),
        "PreActivationColumn": _BOLD_S,
        "OutputRow": _BOLD_S,
        "DeltaColumn": _BOLD_DELTA,
        "Identity": Glyph(r"\mathbf{I}", "I"),
        "WeightMatrix": _BOLD_W,
        "RegularWeights": Glyph(r"\bar{\mathbf{W}}", "Wbar", "sup"),
        "InputColumn": Glyph(r"\mathbf{x}", "x", "sup", shift=-1),
        "WeightedSums": _BOLD_S,
        "OutputColumn": Glyph(r"\mathbf{x}", "x", "sup"),
    },
    layer_brackets=("(", ")"),
    bias="first",
    weights="from to",
    counted="weights",
    entrywise=Glyph(r"\otimes", ".*"),
    letters=Letters(neurons=("j", "i"), by_role=True, spare="qruv", samples=("n", "t")),
    without=frozenset({"Inputs", "x"}),
    slope="prime",
    output="applied",
    by_column="column",
    regular="rows",
    sample_place="sub",
    sensitivity="sample",
    before=(("a", "delta"), ("o", "delta")),
    meanings={
        "w": "weight from neuron or input {j} of layer {source} to neuron {i} of layer {to}",
        "o": "output of neuron {i} of layer {layer}; those of layer 0 are the inputs",
        "c": "signal into neuron {i} of layer {layer}",
        "J": "error, averaged over the {m} data points",
        "delta": "sensitivity of the error of one data point to the signal into neuron {i} of layer {layer}",
        "Js": "error of one data point",
        "m": "number of data points; {p} is the number of one",
        "WeightMatrix": (
            "matrix of the weights from layer {source} to layer {to}: a row for each input, the bias first"
        ),
        "WeightMatrix without bias": (
            "matrix of the weights from layer {source} to layer {to}: a row for each input"
        ),
    },
)

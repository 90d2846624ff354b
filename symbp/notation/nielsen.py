"""The notation of document 004: weighted input z, activation a, biases b of their own."""

from symbp.notation.records import Glyph, Letters, Notation
from symbp.notation.smatrix import SMATRIX

_Z = Glyph("z", "z", "sup")
_W = Glyph("W", "W", "sup")

NIELSEN = Notation(
    name="nielsen",
    source="004",
    symbols={
        **SMATRIX.symbols,
        "w": Glyph("w", "w", "sup"),
        "w_new": Glyph("w'", "w'", "sup"),
        "bias": Glyph("b", "b", "sup"),
        "a": Glyph("a", "a", "sup", shift=-1),
        "c": _Z,
        "o": Glyph("a", "a", "sup"),
        "h": Glyph("a", "a", "sup"),
        "S": Glyph(r"\mathbf{S}", "S", "sup", bracketed=True),
        "T": Glyph(r"\mathbf{T}", "T", "sup", bracketed=True),
        "Jb": Glyph(r"\bar{C}", "Cbar"),
        "Js": Glyph("c", "c"),
        "J": Glyph("C", "C"),
        "eta": Glyph(r"\alpha", "alpha"),
        "Activate": Glyph(r"\sigma", "sigma"),
        "KroneckerDelta": Glyph("I", "I"),
        "StepMatrix": Glyph(r"\mathbf{S}", "S", "sup"),
        "ChainMatrix": Glyph(r"\mathbf{T}", "T", "sup"),
        "PreActivationColumn": _Z,
        "OutputRow": _Z,
        "DeltaColumn": Glyph(r"\delta", "delta", "sup"),
        "Identity": Glyph("I", "I"),
        "WeightMatrix": _W,
        "RegularWeights": _W,
        "BiasColumn": Glyph("b", "b", "sup"),
        "InputColumn": Glyph("a", "a", "sup", shift=-1),
        "WeightedSums": _Z,
        "OutputColumn": Glyph("a", "a", "sup"),
        "InputVector": Glyph("x", "x"),
    },
    bias="separate",
    counted="weights",
    entrywise=Glyph(r"\odot", ".*"),
    letters=Letters(layers=("n", "l"), neurons=("j", "k"), spare="iqruv"),
    without=frozenset({"Inputs"}),
    slope="prime",
    output="applied",
    by_column="column",
    slopes_first=False,
    sensitivity="sample",
    sample_place="before",
    meanings={
        "w": "weight to neuron {i} of layer {to} from neuron or input {j} of layer {source}",
        "RegularWeights": "matrix of the weights that lead from layer {source} to layer {to}",
        "Delta": "accumulator: the sum of the derivatives of the costs of samples 1, ..., {p}; "
        "{i}b in place of {i}{j} is that of the bias",
        "Delta without bias": "accumulator: the sum of the derivatives of the costs of samples 1, ..., {p}",
        "InputColumn": "column of the activations of layer {layer}",
        "OutputColumn": "column of the activations of layer {layer}",
        "c": "input sum of neuron {i} of layer {layer}",
        "o": "activation of neuron {i} of layer {layer}; those of layer 0 are the inputs",
    },
    remarks=(
        "Document 004 has one sample and writes the derivative of its cost with respect to z in full; delta "
        "is its usual short name.",
    ),
)

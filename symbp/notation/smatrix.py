"""The notation of document 000: S-matrices and the T-product."""

from symbp.notation.records import Glyph, Notation

SMATRIX = Notation(
    name="smatrix",
    source="000",
    symbols={
        # Scalars: layer above, indices below, the sample after the layer.
        "w": Glyph("w", "w", "sup"),
        "w_new": Glyph("w'", "w'", "sup"),
        "a": Glyph("a", "a", "sup", example="j"),
        "c": Glyph("c", "c", "sup"),
        "o": Glyph("o", "o", "sup"),
        "x": Glyph("x", "x"),
        "delta": Glyph(r"\delta", "delta", "sup"),
        "S": Glyph(r"\mathbf{S}", "S", "sub", bracketed=True, example="rs"),
        "T": Glyph(r"\mathbf{T}", "T", "sub", bracketed=True, example="rs"),
        # The output layer needs no number.
        "sigma": Glyph(r"\sigma", "sigma", example="q"),
        "h": Glyph("h", "h", example="q"),
        "y": Glyph("y", "y", example="q"),
        "v": Glyph("v", "v"),
        "Delta": Glyph(r"\Delta", "Delta", "sup"),
        "Jb": Glyph(r"\bar{J}", "Jbar"),
        "Js": Glyph("E", "E"),
        "J": Glyph("J", "J"),
        "mu": Glyph(r"\mu", "mu"),
        "e": Glyph(r"\varepsilon", "e", example="q"),
        "rest": Glyph(r"\zeta", "zeta"),
        "lse": Glyph(r"\Lambda", "lse"),
        # Sizes and functions.
        "L": Glyph("L", "L"),
        "m": Glyph("m", "m"),
        "eta": Glyph(r"\eta", "eta"),
        "Width": Glyph("N", "N", "sub"),
        "Inputs": Glyph("M", "M", "sub"),
        "HasBias": Glyph(r"\beta", "beta", "sub"),
        "Activate": Glyph("g", "g", "sup"),
        "KroneckerDelta": Glyph(r"\delta", "delta", example="ri"),
        # Matrices: bold, layer below; a row of the weighted sums has its layer above.
        "StepMatrix": Glyph(r"\mathbf{S}", "S", "sub"),
        "ChainMatrix": Glyph(r"\mathbf{T}", "T", "sub"),
        "PreActivationColumn": Glyph(r"\mathbf{c}", "c", "sub"),
        "OutputRow": Glyph(r"\mathbf{c}", "c", "sup"),
        "DeltaColumn": Glyph(r"\boldsymbol{\delta}", "delta", "sub"),
        "Identity": Glyph(r"\mathbf{I}", "I"),
        # A layer at once.
        "WeightMatrix": Glyph(r"\mathbf{W}", "W", "sub"),
        "RegularWeights": Glyph(r"\bar{\mathbf{W}}", "Wbar", "sub"),
        "BiasColumn": Glyph(r"\mathbf{b}", "b", "sub"),
        "bias": Glyph("b", "b", "sup"),
        "InputColumn": Glyph(r"\mathbf{a}", "a", "sub"),
        "WeightedSums": Glyph(r"\mathbf{c}", "c", "sub"),
        "OutputColumn": Glyph(r"\mathbf{o}", "o", "sub"),
        "InputVector": Glyph(r"\mathbf{x}", "x"),
    },
)

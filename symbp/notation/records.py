"""What a notation *is*: a symbol table and the structure around it.

The mathematics does not know its notation. A notation says, for each quantity, which glyph
it has, where its layer stands and by how much the layer's number differs from ours (001
counts the inputs as layer 1); and for all of them how layers are bracketed, in which order
indices stand, and which position among a layer's inputs is the bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Position = Literal["sub", "sup", "none"]
BiasMode = Literal["last", "first"]


@dataclass(frozen=True)
class Glyph:
    """How one quantity is written.

    Attributes
    ----------
    latex, text : str
        The letter, for the page and for the terminal and comments in code.
    layer : {"sub", "sup", "none"}
        Where its layer stands.
    shift : int
        What is added to the layer's number.
    order : tuple of int
        The order in which its indices are written; empty for ours.
    bracketed : bool
        Whether it is an entry of a matrix, written [S_k]_rs.
    example : str
        The letters of the indices where it is shown alone, in a table of notation.
    """

    latex: str
    text: str
    layer: Position = "none"
    shift: int = 0
    order: tuple[int, ...] = ()
    bracketed: bool = False
    example: str = "ij"


@dataclass(frozen=True)
class Notation:
    """One author's way of writing the derivation.

    Attributes
    ----------
    name : str
        The name it is asked for by.
    source : str
        The document it comes from.
    symbols : mapping
        Glyphs by kind (:data:`symbp.algebra.nodes.KINDS`), by class name for matrices and
        sizes, and by name for plain symbols. A symbol that is left out keeps its own name.
    layer_brackets : tuple of str
        What stands around a layer's number above: ``("(", ")")`` for x^(l).
    kronecker_order : str
        Index letters in the order in which a Kronecker delta shows them.
    bias : {"last", "first"}
        Whether the bias is the last input of a layer (000) or the one with number 0 (001, 002).
    """

    name: str
    source: str
    symbols: Mapping[str, Glyph]
    layer_brackets: tuple[str, str] = ("", "")
    kronecker_order: str = "qrstpijklm"
    bias: BiasMode = "last"


# The plain symbols that a notation may rename; every other plain symbol is an index.
PLAIN = ("L", "m", "eta")

# What the quantities that are not nodes mean, and nodes for which KINDS says it in formulas.
MEANINGS: dict[str, str] = {
    "o": "output of neuron i of hidden layer k; the outputs of layer 0 are the inputs of the network",
    "delta": "sensitivity of the cost to the weighted sum of neuron i of layer k, for one sample",
    "x": "input i of the network",
    "L": "number of hidden layers",
    "m": "number of samples; a superscript p is the number of a sample",
    "eta": "learning rate",
    "Width": "number of neurons of layer k (of inputs for k = 0), bias not counted",
    "Inputs": "number of inputs of a neuron of layer k, bias included",
    "HasBias": "1 if layer k has a bias, else 0",
    "Activate": "activation function of hidden layer k",
    "KroneckerDelta": "Kronecker delta: 1 if both indices are equal, else 0",
    "StepMatrix": "matrix of the step from the weighted sums of layer k to those of layer k + 1",
    "ChainMatrix": "product of the S-matrices from layer k up to layer l",
    "PreActivationColumn": "column of the weighted sums of layer k",
    "OutputRow": "row of the weighted sums of the output layer",
    "DeltaColumn": "column of the sensitivities of layer k",
    "Identity": "identity matrix of order N",
}

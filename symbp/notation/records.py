"""What a notation *is*: a symbol table and the structure around it.

The mathematics does not know its notation. A notation says, for each quantity, which glyph
it has, where its layer stands and by how much the layer's number differs from ours (001
counts the inputs as layer 1); and for all of them how layers are bracketed, in which order
indices stand, and which position among a layer's inputs is the bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sympy

from symbp.algebra.nodes import KINDS, Inputs, Node, index

Position = Literal["sub", "sup", "none"]


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
class Letters:
    """Which letters an author gives to layers, neurons and samples.

    Attributes
    ----------
    layer : str
        A layer, where an equation speaks of one.
    layers : tuple of str
        The layer of the weight that is differentiated by, and the later layer, where an
        equation speaks of both.
    neurons : tuple of str
        The neuron a weight leads to, and the one it comes from.
    by_role : bool
        Whether these letters go with the two ends of a weight (002: always from i to j), or
        with free and summed indices (the other documents).
    spare : str
        Further indices, in the order in which they are taken.
    samples : tuple of str
        Numbers of samples.
    """

    layer: str = "l"
    layers: tuple[str, str] = ("k", "l")
    neurons: tuple[str, str] = ("i", "j")
    by_role: bool = False
    spare: str = "qrstuv"
    samples: tuple[str, ...] = ("p", "t")


@dataclass(frozen=True)
class Notation:
    """One author's way of writing the derivation: a symbol table and the structure around it.

    Attributes
    ----------
    name : str
        The name it is asked for by.
    source : str
        The document it comes from.
    symbols : mapping
        Glyphs by kind (:data:`symbp.algebra.nodes.KINDS`), by class name for matrices and
        sizes, and by name for plain symbols. A symbol that is left out keeps its own name.
    layer_brackets, sample_brackets : tuple of str
        What stands around the number of a layer or sample above: ``("(", ")")`` for x^(l).
    kronecker_order : str
        Index letters in the order in which a Kronecker delta shows them.
    bias : {"last", "first", "separate"}
        Whether the bias is the last input of a layer (000), the one with number 0 (001,
        002), or a letter of its own (004).
    weights : {"to from", "from to"}
        Whether W has a row for every neuron it leads to, or one for every input (002).
    first_layer : int
        The number of the layer of the inputs: 0, or 1 where they count as a layer (001).
    counted : {"hidden", "weights", "all"}
        Which layers L (or K) counts: hidden ones, those with weights, the inputs too.
    entrywise : Glyph
        The sign of a product entry by entry (Hadamard's).
    letters : Letters or None
        None keeps the letters of the derivation, which are those of 000.
    without : frozenset of str
        What this author has no letter for; equations that define it are left out.
    slope : {"leibniz", "prime"}
        dg/dc or g'(c).
    output : {"letter", "applied"}
        Whether the output as a function has a letter of its own, sigma_q, or is [g(z^(L))]_i;
        the output itself and the inputs of a layer then are outputs like others.
    by_column : {"row", "column"}
        Whether the derivative of a number by a column of variables is a row or a column.
    regular : {"letter", "rows"}
        How W without the biases is written: a letter of its own, or [W x]_1^d as in 002.
    slopes_first : bool
        Whether g' stands before or after what it is multiplied with, entry by entry.
    sample_place : {"after", "before", "sub"}
        Whether a sample's number stands after or before the layer's, or below.
    sensitivity : {"mean", "sample"}
        Whether delta is the derivative of the average cost, so that it holds the factor 1/m, or
        of the cost of one sample.
    before : tuple of (str, str)
        Pairs of roles (:mod:`symbp.notation.order`): the first is moved in front of the second.
    meanings : mapping
        What this author calls a quantity, where the general words do not do.
        With " without bias" behind the key: in networks that have none.
    remarks : tuple of str
        What a reader of the document should know about these pages.
    bias_remark : str
        The same for networks with biases, where the document has none.
    """

    name: str
    source: str
    symbols: Mapping[str, Glyph]
    layer_brackets: tuple[str, str] = ("", "")
    sample_brackets: tuple[str, str] = ("", "")
    kronecker_order: str = "qrstpijklm"
    bias: Literal["last", "first", "separate"] = "last"
    weights: Literal["to from", "from to"] = "to from"
    first_layer: int = 0
    counted: Literal["hidden", "weights", "all"] = "hidden"
    entrywise: Glyph = Glyph(r"\circ", ".*")
    letters: Letters | None = None
    without: frozenset[str] = frozenset()
    slope: Literal["leibniz", "prime"] = "leibniz"
    output: Literal["letter", "applied"] = "letter"
    by_column: Literal["row", "column"] = "row"
    regular: Literal["letter", "rows"] = "letter"
    slopes_first: bool = True
    sample_place: Literal["after", "before", "sub"] = "after"
    before: tuple[tuple[str, str], ...] = ()
    sensitivity: Literal["mean", "sample"] = "mean"
    meanings: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    bias_remark: str = ""

    def glyph(self, key: str) -> Glyph:
        """Return the glyph of a quantity, with what its layer's number differs by from ours."""
        from symbp.notation.training import GLYPHS, penalised  # the same in every notation

        if key == "Jr" and key not in self.symbols:
            return penalised(self.symbols["J"])
        glyph = self.symbols[key] if key in self.symbols else GLYPHS[key].glyph
        shift = 0 if is_of_weights(key) else self.first_layer
        return replace(glyph, shift=glyph.shift + shift) if shift else glyph

    @property
    def beyond_hidden(self) -> int:
        """By how much L exceeds the number of hidden layers."""
        return {"hidden": 0, "weights": 1, "all": 2}[self.counted]


# Matrices and sizes that belong to the weights of a layer rather than to its neurons; weights
# have the same number in every notation: those that lead from the inputs have number 1.
_OF_WEIGHTS = frozenset({"R", "WeightMatrix", "RegularWeights", "BiasColumn", "bias", "Inputs", "HasBias"})


def is_of_weights(key: str) -> bool:
    """Return whether a quantity belongs to the weights of a layer: it has one value per weight."""
    if key in _OF_WEIGHTS or key not in KINDS:
        return key in _OF_WEIGHTS
    extents = KINDS[key].extents(_LAYER)
    return len(extents) == 2 and isinstance(extents[1], Inputs)


_LAYER = index("k")


def weights_in(expr: Any) -> list[Any]:
    """Return every quantity in an expression that has one value per weight, in the order of reading.

    That is a node of such a kind, or anything else with a layer and a weight's two indices.
    """
    return [part for part in sympy.preorder_traversal(expr) if _has_weights_indices(part)]


def _has_weights_indices(part: Any) -> bool:
    if isinstance(part, Node):
        return bool(part.indices) and is_of_weights(part.kind)
    return hasattr(part, "layer") and len(getattr(part, "indices", ())) == 2


# The plain symbols that a notation may rename; every other plain symbol is an index.
PLAIN = ("L", "m", "eta")

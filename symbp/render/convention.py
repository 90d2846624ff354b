"""What a page says of its notation: the letters it needs outside equations, remarks, a translation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbp.algebra.matrices import RegularWeights, WeightMatrix
from symbp.algebra.nodes import L, Width, index, k
from symbp.notation.records import Notation
from symbp.notation.translation import Translation, translation
from symbp.notation.weights import WeightLayout
from symbp.notation.writer import Writer
from symbp.render.outline import is_shown

if TYPE_CHECKING:
    from symbp.network import Network

_COUNT = {
    "hidden": "hidden layers, one more layer of weights,",
    "weights": "layers, the inputs not counted,",
    "all": "layers, the inputs counted as the first,",
}
_NUMBERS = (
    "Equations keep the numbers of document 000. Where a number says k = 1, the equation is that of the "
    "weights that lead from the inputs, or of the neurons they lead to."
)


@dataclass(frozen=True)
class Convention:
    """The notation of one page.

    Attributes
    ----------
    source, name : str
        The document and the name of the notation.
    layers, count : str
        The letter for the number of layers in print, and which layers it counts.
    layer, width, weights : str
        The letter of a layer, its number of neurons, and its matrix of weights, in print.
    remarks : tuple of str
        What a reader of the document should know.
    translation : Translation or None
    """

    source: str
    name: str
    layers: str
    count: str
    layer: str
    width: str
    weights: str
    remarks: tuple[str, ...]
    translation: Translation | None


def convention(writer: Writer, network: Network | None, there: Notation | None) -> Convention:
    """Return what a page says of the notation it is written in.

    Parameters
    ----------
    writer : Writer
    network : Network or None
    there : Notation or None
        The notation to translate to.
    """
    here = writer.notation
    layer = k if here.letters is None else index(here.letters.layer)
    ours = layer - here.first_layer
    matrix = RegularWeights if here.bias == "separate" else WeightMatrix
    return Convention(
        source=here.source,
        name=here.name,
        layers=writer.expression(L),
        count=_COUNT[here.counted],
        layer=writer.expression(layer),
        width=writer.expression(Width(ours)),
        weights=writer.expression(matrix(ours)),
        remarks=_remarks(here, network),
        translation=None if there is None else translation(here, there, type(writer)),
    )


def _remarks(notation: Notation, network: Network | None) -> tuple[str, ...]:
    biased = network is None or any(network.biases)
    bias = (notation.bias_remark,) if notation.bias_remark and biased else ()
    numbers = () if notation.letters is None else (_NUMBERS,)
    return (*notation.remarks, *bias, *numbers)


def rows(network: Network, notation: Notation) -> list[dict[str, Any]]:
    """Return one row per layer; layers in the middle of a long network share a row."""
    last, layout = network.hidden + 1, WeightLayout(notation, network)
    found: list[dict[str, Any]] = []
    for n in range(1, last + 1):
        if is_shown(n, last):
            weights = layout.arrays(n)[0]
            found.append(
                {
                    "number": str(n + notation.first_layer),
                    "units": str(network.sizes[n]),
                    "activation": network.layer(n).activation.signature,
                    "bias": "yes" if network.has_bias(n) else "no",
                    "shape": f"{weights.rows} x {weights.columns}",
                }
            )
        elif found[-1]["number"] != "...":
            found.append(dict.fromkeys(("number", "units", "activation", "bias", "shape"), "..."))
    return found

"""How the names of training are printed: parameters, and what an update rule keeps for each weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sympy import Symbol

from symbp.algebra.nodes import Constant
from symbp.algebra.updates import PerWeight
from symbp.notation.layout import Layout
from symbp.notation.records import Glyph, Notation
from symbp.notation.structure import Structure
from symbp.notation.training import Named, named

_INSTEAD = Glyph(r"\omega", "omega")
_INDICES = frozenset("ijklpqrstu")


def parameter(notation: Notation, name: str) -> Named:
    """Return the letter of a parameter of training; where an author calls the learning rate so, an omega."""
    found = named(name)
    taken = found.glyph.latex == notation.symbols["eta"].latex
    return replace(found, glyph=_INSTEAD) if taken else found


class TrainingNames(Layout):
    """The part of a writer that prints :class:`Constant` and :class:`PerWeight`."""

    notation: Notation
    structure: Structure
    letter: Callable[[Glyph], str]
    _layer: Callable[[Glyph, Any], str]
    _small: Callable[[Any], str]
    _input_position: Callable[[Any, Any], Any]

    def _print_Constant(self, constant: Constant) -> str:
        """Print a parameter's letter, with its layer where the layer of a function stands.

        A letter that is also an index, such as the q of a quantile, has the subscript 0.
        """
        places: dict[str, list[str]] = {"sub": [], "sup": [], "none": []}
        glyph = self.notation.glyph("Activate")
        if glyph.layer == "none":  # where functions have no layer, it stands as that of a weighted sum
            glyph = self.notation.glyph("c")
        if constant.layer != 0:
            places[glyph.layer].append(self._layer(glyph, constant.layer))
        elif constant.parameter in _INDICES:
            places["sub"].append(self.number("0"))
        return self.named(self._parameter(constant), places["sub"], places["sup"])

    def _parameter(self, constant: Constant) -> Named:
        """Return the letter of a parameter."""
        return (
            parameter(self.notation, constant.parameter) if constant.layer == 0 else named(constant.parameter)
        )

    def _print_PerWeight(self, quantity: PerWeight) -> str:
        """Print a quantity of the update rule; its scripts stand as those of the weight do."""
        weight = self.notation.glyph("w")
        *rows, column = quantity.indices
        if self.notation.bias == "separate" and self.structure.is_bias(quantity.layer, column):
            indices = [*rows, Symbol("b")]  # as the other quantities of a bias have it
        else:
            indices = [*rows, self._input_position(quantity.layer, column)]
        order = weight.order or range(len(indices))
        places: dict[str, list[str]] = {"sub": [], "sup": [], "none": []}
        places[weight.layer].append(self._layer(weight, quantity.layer))
        places["sub"].append(self.together([self._small(indices[n]) for n in order]))
        return self.named(named(quantity.quantity), places["sub"], places["sup"])

    def named(self, name: Named, sub: Sequence[str] = (), sup: Sequence[str] = ()) -> str:
        """Return a name of training with its own subscript and these."""
        own = [self.letter(name.sub)] if name.sub is not None else []
        return self.scripted(self.letter(name.glyph), [*own, *sub], sup)

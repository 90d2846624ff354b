"""SymPy's own differentiation of the composed network, for any activations and cost.

The network is composed of unspecified functions g, sigma and J and differentiated by
``diff`` down to single weights. Then every function at a point becomes a free symbol (a
jet) and both sides of an equation are polynomials: ``expand(left - right) == 0`` is a
proof for the shape, whatever the functions and numbers.
"""

from __future__ import annotations

import functools
from typing import Any

import sympy
from sympy import Function, Symbol

from symbp.derivation.oracles.model import Array, Key, NotApplicable, Shape


class Jet(Function):
    """An unspecified function at one point: ``Jet(tag, *arguments)``.

    Differentiating appends the argument's number to the tag, so no ``Subs`` appears. The
    tag names the function *and* the point, so it alone identifies the value.
    """

    is_commutative = True

    def fdiff(self, argindex: int = 1) -> Any:
        tag, *arguments = self.args
        return Jet(Symbol(f"{tag.name}'{argindex - 1}"), *arguments)


def _flatten(expr: Any) -> Any:
    """Replace every jet, the outermost first, by the symbol of its tag."""
    return expr.replace(lambda e: isinstance(e, Jet), lambda e: e.args[0])


class JetModel:
    """A small composed network; its numbers are polynomials in weights, inputs and jets."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.composed = functools.cache(self._composed)
        self.partial = functools.cache(self._partial)

    # The composition, from the inputs or from the layer of weighted sums or outputs `cut` on ---

    def _composed(self, kind: str, layer: int, number: int, sample: int, cut: tuple[str, int] | None) -> Any:
        last = self.shape.last
        match kind:
            case "c" | "o" if (kind, layer) == cut:
                return Symbol(f"{kind}_{layer}_{number}_{sample}")
            case "c":
                terms = [
                    Symbol(f"w_{layer}_{number}_{s}") * self.composed("a", layer, s, sample, cut)
                    for s in range(1, self.shape.inputs(layer) + 1)
                ]
                return sympy.Add(*terms)
            case "a":
                if number > self.shape.widths[layer - 1]:
                    return sympy.S.One
                return self.composed("o", layer - 1, number, sample, cut)
            case "o" if layer == 0:
                return Symbol(f"x_{number}_{sample}")
            case "o":
                return Jet(
                    Symbol(f"g_{layer}_{number}_{sample}"), self.composed("c", layer, number, sample, cut)
                )
            case "h" | "sigma":
                sums = [
                    self.composed("c", last, r, sample, cut) for r in range(1, self.shape.widths[last] + 1)
                ]
                return Jet(Symbol(f"sigma_{number}_{sample}"), *sums)
            case "J":
                outputs = [
                    self.composed("h", last, q, p, cut)
                    for p in range(1, self.shape.samples + 1)
                    for q in range(1, self.shape.widths[last] + 1)
                ]
                return Jet(Symbol("J"), *outputs)
        raise NotApplicable(f"{kind} is not composed")

    def value(self, kind: str, layer: int, indices: tuple[int, ...], sample: int) -> Any:
        if kind == "w":
            return Symbol(f"w_{layer}_{indices[0]}_{indices[1]}")
        if kind == "y":
            return Symbol(f"y_{indices[0]}_{sample}")
        return _flatten(self.composed(kind, layer, indices[0] if indices else 0, sample, None))

    def _partial(self, of: Key, wrt: Key) -> Any:
        if of.kind == "w":
            return sympy.Integer((of.layer, of.indices) == (wrt.layer, wrt.indices))
        number = of.indices[0] if of.indices else 0
        if wrt.kind == "w":
            whole = self.composed(of.kind, of.layer, number, of.sample, None)
            return _flatten(whole.diff(Symbol(f"w_{wrt.layer}_{wrt.indices[0]}_{wrt.indices[1]}")))
        if wrt.kind in ("c", "o"):
            whole = self.composed(of.kind, of.layer, number, of.sample, (wrt.kind, wrt.layer))
            return _flatten(whole.diff(Symbol(f"{wrt.kind}_{wrt.layer}_{wrt.indices[0]}_{wrt.sample}")))
        if wrt.kind == "h" and of.kind == "J":
            position = (wrt.sample - 1) * self.shape.widths[-1] + wrt.indices[0]
            return _flatten(self.composed("J", of.layer, 0, 1, None).fdiff(position + 1))
        raise NotApplicable(f"d {of.kind} / d {wrt.kind}")

    def slope(self, layer: int, neuron: int, sample: int) -> Any:
        return _flatten(self.composed("o", layer, neuron, sample, None).fdiff(2))

    # Arithmetic ------------------------------------------------------------------------

    def number(self, numerator: int, denominator: int) -> Any:
        return sympy.Rational(numerator, denominator)

    def scalar(self, name: str) -> Any:
        return sympy.Integer(self.shape.samples) if name == "m" else Symbol(name)

    def function(self, name: str, argument: Any) -> Any:
        if name == "reciprocal":
            return 1 / argument
        raise NotApplicable(f"{name} is not specified here")

    def power(self, base: Any, numerator: int, denominator: int) -> Any:
        raise NotApplicable("roots are not polynomials")

    def reduce(self, value: Any) -> Any:
        return value

    def product(self, a: Array, b: Array) -> Array:
        result: Array = a @ b
        return result

    def same(self, a: Any, b: Any) -> bool:
        return bool(sympy.expand(a - b) == 0)

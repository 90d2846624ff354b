"""The computation graph of any expression, with derivatives by the chain rule and the sum rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symbp.errors import GraphError
from symbp.functions.names import nearest
from symbp.graph import reading
from symbp.graph.kinks import one_sided
from symbp.graph.split import Splitter
from symbp.graph.written import Mention, WrittenSplitter, joined, place

# A power with more bits is no longer worked out exactly, a number with a longer exponent is refused.
MAX_BITS = 4096
DIGITS = 50
MAX_EXPONENT = 10**9
_CONSTANTS = {
    "e": "e is the number 2.71828..., the base of exp; to make it a variable, give it a value.",
    "pi": "pi is the number 3.14159...; to make it a variable, give it a value.",
}


@dataclass(frozen=True)
class Edge:
    """From an operand to the node that uses it.

    Attributes
    ----------
    source, target : str
    derivative : sympy.Expr
        The local derivative of the target with respect to the source.
    value : sympy.Expr or None
        Its value at the given point.
    """

    source: str
    target: str
    derivative: Any
    value: Any


@dataclass(frozen=True)
class Vertex:
    """A node of the graph.

    Attributes
    ----------
    name : str
    formula : sympy.Expr or None
        In the names of its operands; None for an input. Of a text, as it is written: an operand that
        stands in it twice is two symbols of one name.
    value : sympy.Expr or None
        Forward: its value at the given point.
    derivative : sympy.Expr
        Backward: the derivative of the output with respect to it, in the names of nodes.
    gradient : sympy.Expr or None
        The value of that derivative.
    depth : int
        The length of the longest path from an input.
    """

    name: str
    formula: Any
    value: Any
    derivative: Any
    gradient: Any
    depth: int


@dataclass(frozen=True)
class Chain:
    """A computation graph.

    Attributes
    ----------
    vertices : tuple of Vertex
        Operands stand before what uses them; the output is the last one.
    edges : tuple of Edge
    output : str
    remarks : tuple of str
        Which letters are numbers, and where a node has a kink at the given point.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    output: str
    remarks: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Vertex:
        for vertex in self.vertices:
            if vertex.name == name:
                return vertex
        raise GraphError(f"no node {name!r} in this graph{nearest(name, [v.name for v in self.vertices])}")

    @property
    def evaluated(self) -> bool:
        """Whether the graph has values."""
        return self.vertices[-1].value is not None

    def derivative(self, name: str) -> Any:
        """Return d output / d name: its value, or its formula where no values were given."""
        vertex = self[name]
        return vertex.gradient if self.evaluated else vertex.derivative

    def leaving(self, name: str) -> tuple[Edge, ...]:
        """Return the edges from a node to those that use it."""
        return tuple(edge for edge in self.edges if edge.source == name)

    def paths(self, name: str) -> tuple[tuple[Edge, ...], ...]:
        """Return every path from a node to the output; the derivative is the sum of their products."""
        if name == self.output:
            return ((),)
        return tuple((edge, *rest) for edge in self.leaving(name) for rest in self.paths(edge.target))


def build(expression: object, at: Mapping[str, object] | None = None) -> Chain:
    """Return the graph of an expression.

    Parameters
    ----------
    expression : str, sympy.Expr or mapping
        One formula, which is split into its operations; or assignments, each of which is a
        node. The output is what no other node uses. In a text, ``pi`` and ``e`` are the numbers,
        unless a line defines them or `at` gives them a value.
    at : mapping, optional
        Values of all inputs.

    Raises
    ------
    GraphError
        If names are defined by each other, have no value, or the text is no formula.
    """
    given = tuple(map(str, at)) if isinstance(at, Mapping) else ()
    found = reading.formulas(expression, given)
    if "" in found:
        whole = found[""]
        names = {symbol.name for symbol in whole.free_symbols}
        if isinstance(expression, str):  # x - x has the variable x as it is written
            names = set(reading.names_in(expression, given))
        if not names:
            raise GraphError("the formula has no variable; expected something like '(a + b)*c'")
        if isinstance(expression, str):
            found = WrittenSplitter(expression, names).split_text()
        else:
            found = Splitter(names).split(whole)
    order, inputs = _sorted(found)
    output = _output(found, order)
    values = _forward(found, order, inputs, at)
    remarks = tuple(map(_CONSTANTS.__getitem__, reading.constants_in(expression, given)))
    graph = _backward(found, [*inputs, *order], output, values)
    return replace(graph, remarks=(*remarks, *graph.remarks))


def _operands(formula: Any) -> list[str]:
    return sorted({symbol.name for symbol in formula.free_symbols})


def _sorted(found: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the nodes, each after its operands, and the inputs."""
    if len(found) > reading.MAX_NODES:
        raise GraphError(f"{len(found):,} nodes; the limit is {reading.MAX_NODES:,}")
    order: list[str] = []
    done: set[str] = set()
    for start in found:
        stack: list[tuple[str, list[str]]] = [(start, _operands(found[start]))] if start not in done else []
        while stack:
            name, waiting = stack[-1]
            while waiting and (waiting[0] in done or waiting[0] not in found):
                waiting.pop(0)
            if waiting:
                path = [entry for entry, _ in stack]
                if waiting[0] in path:
                    circle = " -> ".join([*path[path.index(waiting[0]) :], waiting[0]])
                    raise GraphError(f"names are defined by each other: {circle}")
                stack.append((waiting[0], _operands(found[waiting[0]])))
            else:
                stack.pop()
                done.add(name)
                order.append(name)
    inputs = sorted({name for formula in found.values() for name in _operands(formula)} - set(found))
    if not inputs:
        raise GraphError("the formula has no variable; expected something like '(a + b)*c'")
    return order, inputs


def _output(found: Mapping[str, Any], order: list[str]) -> str:
    used = {name for formula in found.values() for name in _operands(formula)}
    last = [name for name in order if name not in used]
    if len(last) != 1:
        raise GraphError(f"expected one output, but nothing uses {' nor '.join(last)}; leave all but one out")
    # The output stands last.
    order.remove(last[0])
    order.append(last[0])
    return last[0]


def _forward(
    found: Mapping[str, Any], order: list[str], inputs: list[str], at: Mapping[str, object] | None
) -> dict[str, Any]:
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise GraphError(f"at = {at!r}: expected the values of the inputs, such as {{'x': 2}}")
    for name in at:
        if name not in inputs:
            raise GraphError(f"{name!r} is no input of this graph{nearest(name, inputs)}")
    missing = [name for name in inputs if name not in at]
    if missing:
        raise GraphError(f"no value for {', '.join(missing)}; give all inputs: {', '.join(inputs)}")
    values = {name: reading.number(name, at[name]) for name in inputs}
    for name in order:
        values[name] = _at(found[name], values, name)
    return values


def _at(formula: Any, values: Mapping[str, Any], what: str) -> Any:
    value = _put(formula, values)
    if not value.is_number or not value.is_finite or not value.is_real:
        raise GraphError(f"{what} = {formula} has no finite real value there")
    try:
        rough = sympy.N(value)
    except (OverflowError, ValueError, MemoryError):
        rough = sympy.nan
    if not rough.is_Rational and not (rough.is_Float and abs(rough._mpf_[2]) < MAX_EXPONENT):
        raise GraphError(f"{what} = {formula} is no number there, or one too large or small to write down")
    return value


def _put(formula: Any, values: Mapping[str, Any]) -> Any:
    """Put values into a formula; a power that would have very many digits gets 50 of them."""
    if formula.is_Symbol:
        return values[formula.name]
    if not formula.free_symbols:
        return formula
    parts = [_put(part, values) for part in formula.args]
    if isinstance(formula, sympy.Pow) and all(part.is_Rational for part in parts):
        base, exponent = parts
        if abs(exponent) * (int(base.p).bit_length() + int(base.q).bit_length()) > MAX_BITS:
            return sympy.Float(base, DIGITS) ** exponent
    return formula.func(*parts)


def _backward(found: Mapping[str, Any], names: list[str], output: str, values: Mapping[str, Any]) -> Chain:
    edges = []
    remarks: list[str] = []
    for target in names:
        formula = found.get(target, sympy.S.Zero)  # an input has no operands
        symbols = sorted(formula.free_symbols, key=place)
        for symbol in symbols:
            if isinstance(symbol, Mention):
                continue
            again = [s for s in symbols if isinstance(s, Mention) and s.name == symbol.name]
            # n a^n/a as n a^(n-1), which has a value at 0 too.
            local = joined(sympy.powsimp(sympy.Add(*(formula.diff(s) for s in (symbol, *again)))))
            value = _at(local, values, f"d{target}/d{symbol.name}") if values else None
            sides = one_sided(joined(formula) if again else formula, symbol, values, _put) if values else None
            if sides is not None:
                remarks.append(
                    f"{target} = {formula} has a kink at {symbol.name} = {values[symbol.name]}: "
                    f"its derivative is {sides[0]} to the left and {sides[1]} to the right; {value} is taken."
                )
            edges.append(Edge(symbol.name, target, local, value))
    derivative: dict[str, Any] = {output: sympy.S.One}
    gradient: dict[str, Any] = {output: sympy.S.One}
    for name in reversed(names):
        leaving = [edge for edge in edges if edge.source == name]
        if name != output:
            derivative[name] = sympy.Add(*(derivative[e.target] * e.derivative for e in leaving))
            if values:
                gradient[name] = sympy.Add(*(gradient[e.target] * e.value for e in leaving))
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = max((depth[e.source] + 1 for e in edges if e.target == name), default=0)
    vertices = tuple(
        Vertex(
            name,
            found.get(name),
            values.get(name),
            derivative[name],
            gradient[name] if values else None,
            depth[name],
        )
        for name in names
    )
    return Chain(vertices, tuple(edges), output, tuple(remarks))

"""How many operations the statements of a kernel take: counted on the program, per equation.

Counted is what someone who computes with care does: what does not depend on the index of a loop is
computed once, outside it; what was computed before is not computed again; and a Kronecker delta is no
factor, its term exists only where the indices agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import sympy
from sympy import Expr, KroneckerDelta

from symbp.algebra.marks import First
from symbp.algebra.named import Weighted
from symbp.plan.program import ROWS, Access, Kernel, Loop, Map, Reduce, parts_of


@dataclass(frozen=True)
class Operations:
    """Numbers of scalar operations.

    Attributes
    ----------
    multiplications, additions, divisions : int
        Subtractions are additions; a sign costs nothing.
    functions : int
        Calls of exp, log, tanh and the like, powers that are no products, maxima and choices.
    """

    multiplications: int = 0
    additions: int = 0
    divisions: int = 0
    functions: int = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.divisions + other.divisions,
            self.functions + other.functions,
        )

    def times(self, count: int) -> Operations:
        """Return the operations of a loop of `count` rounds."""
        return Operations(
            count * self.multiplications,
            count * self.additions,
            count * self.divisions,
            count * self.functions,
        )


def of_kernel(kernel: Kernel, rows: int = 1) -> dict[str, Operations]:
    """Return the operations of a kernel by the label of the equation they compute.

    Parameters
    ----------
    kernel : Kernel
    rows : int
        The number of samples of the call.
    """
    found: dict[str, Operations] = {}
    outer = (kernel.sample_loop,) if kernel.sample_loop else ()
    known: set[Any] = set()
    # The shorter ones first: what a bias takes is a part of what the weights beside it take.
    for statement in sorted(_parts(kernel), key=lambda part: len(part.loops)):
        label = statement.origin.label
        found[label] = found.get(label, Operations()) + _of_statement(statement, outer, rows, known)
    return found


def _parts(kernel: Kernel) -> Iterator[Map | Reduce]:
    for statement in kernel.statements:
        yield from parts_of(statement)


def not_zero(kernel: Kernel, rows: int = 1) -> dict[str, int]:
    """Return how many elements of its results each equation fills that no Kronecker delta makes 0."""
    found: dict[str, int] = {}
    outer = (kernel.sample_loop,) if kernel.sample_loop else ()
    results = {array.name for array in kernel.arrays if array.role == "result"}
    for statement in _parts(kernel):
        if statement.target.array not in results:
            continue
        counter = _Counter(_extents((*outer, *statement.loops), rows))
        merged, _ = counter.merged(sympy.Mul.make_args(statement.value))
        label = statement.origin.label
        found[label] = found.get(label, 0) + counter.rounds(set(counter.extents) - merged)
    return found


def total(counts: Iterable[Operations]) -> Operations:
    """Return the sum."""
    return sum(counts, Operations())


def _of_statement(statement: Map | Reduce, outer: tuple[Loop, ...], rows: int, known: set[Any]) -> Operations:
    loops = (*outer, *statement.loops)
    if isinstance(statement, Map):
        return _Counter(_extents(loops, rows), known).value(statement.value)
    counter = _Counter(_extents((*loops, *statement.over), rows), known)
    elements = prod(_extents(loops, rows).values())
    rounds = prod(counter.extents.values())
    each = counter.value(statement.value)
    if statement.operation == "max":
        return each + Operations(functions=rounds - elements)
    if statement.operation == "rest":  # the smaller one is added, the larger one kept
        return each + Operations(additions=rounds - elements, functions=2 * (rounds - elements))
    # Of n terms, n - 1 are added to the first, unless there is something they are added to.
    starts = statement.accumulate or statement.initial is not None
    initial = Operations()
    if statement.initial is not None:
        initial = _Counter(_extents(loops, rows), known).value(statement.initial)
    return each + initial + Operations(additions=rounds if starts else rounds - elements)


def _extents(loops: Iterable[Loop], rows: int) -> dict[Any, int]:
    return {loop.index: rows if loop.extent == ROWS else int(loop.extent) for loop in loops}


def of_value(value: Expr) -> Operations:
    """Return the operations of one expression as it is written."""
    return _Counter({}).value(value)


class _Counter:
    """Counts the operations of a value inside loops.

    Parameters
    ----------
    extents : mapping
        Index -> the rounds of its loop, from the outermost on.
    known : set, optional
        What has been computed before; what is counted is added.
    """

    def __init__(self, extents: Mapping[Any, int], known: set[Any] | None = None) -> None:
        self.extents = extents
        self.known = set() if known is None else known

    def rounds(self, indices: Iterable[Any]) -> int:
        return prod(self.extents[index] for index in indices)

    def indices(self, *parts: Any) -> set[Any]:
        """Return the loops that some part depends on."""
        free = {symbol for part in parts for symbol in _symbols(part)}
        return free & self.extents.keys()

    def value(self, value: Any) -> Operations:
        """Return the operations of a value in all rounds of the loops."""
        if isinstance(value, Access | KroneckerDelta) or not value.args or value.is_number:
            return Operations()
        if self._seen(value):
            return Operations()
        if isinstance(value, sympy.Add):
            factored = sympy.factor_terms(value) if self.extents else value
            return self._sum(value) if isinstance(factored, sympy.Add) else self.value(factored)
        if isinstance(value, sympy.Mul):
            return self._product(value)
        rounds = self.rounds(self.indices(value))
        if isinstance(value, sympy.Pow) and value.exp.is_Integer:
            power = int(value.exp)
            own = Operations(multiplications=abs(power) - 1, divisions=int(power < 0))
            return self.value(value.base) + own.times(rounds)
        parts: Sequence[Any] = value.args
        if isinstance(value, First):
            return self.value(value.args[0])
        if isinstance(value, Weighted):
            return self.value(value.defining())
        if isinstance(value, sympy.Pow) and value.exp.is_number:
            parts = (value.base,)
        if isinstance(value, sympy.Piecewise):
            parts = [branch for branch, _ in value.args]
        return total(map(self.value, parts)) + Operations(functions=rounds)

    def _key(self, *parts: Any) -> Any:
        return frozenset(parts), frozenset((i, self.extents[i]) for i in self.indices(*parts))

    def _seen(self, *parts: Any) -> bool:
        """Whether the product of the parts has been computed before; it has now."""
        key = self._key(*parts)
        seen = key in self.known
        self.known.add(key)
        return seen

    def _sum(self, value: sympy.Add) -> Operations:
        plain = [term for term in value.args if not _has_delta(term)]
        found = total(map(self.value, value.args))
        if plain:
            additions = (len(plain) - 1) * self.rounds(self.indices(*plain))
        else:
            additions = -self.rounds(self._where(value.args[0]))
        # A term with a delta is added only where the delta is 1.
        for term in value.args:
            additions += self.rounds(self._where(term)) if _has_delta(term) else 0
        return found + Operations(additions=additions)

    def _where(self, term: Any) -> set[Any]:
        merged, factors = self.merged(sympy.Mul.make_args(term))
        deltas = [factor for factor in sympy.Mul.make_args(term) if isinstance(factor, KroneckerDelta)]
        return self.indices(*factors, *deltas) - merged

    def merged(self, factors: Sequence[Any]) -> tuple[set[Any], list[Any]]:
        """Return the indices that Kronecker deltas tie to outer ones, and the other factors in these."""
        merged: set[Any] = set()
        rest = [factor for factor in factors if not isinstance(factor, KroneckerDelta)]
        order = list(self.extents)
        for delta in factors:
            if isinstance(delta, KroneckerDelta) and all(i in order for i in delta.args):
                kept, gone = sorted(delta.args, key=order.index)
                merged.add(gone)
                rest = [_renamed(factor, gone, kept) for factor in rest]
        return merged, rest

    def _product(self, value: sympy.Mul) -> Operations:
        _, factors = self.merged(value.args)
        above = [factor for factor in factors if factor != -1 and not _is_below(factor)]
        below = [factor.base**-factor.exp for factor in factors if _is_below(factor)]
        found = total(map(self.value, (*above, *below)))
        found += self._multiplied(above) + self._multiplied(below)
        return found + Operations(divisions=self.rounds(self.indices(*above, *below)) if below else 0)

    def _multiplied(self, factors: Sequence[Any]) -> Operations:
        """Multiply two by two, first those whose product is known or takes the fewest rounds."""
        groups: list[tuple[Any, ...]] = [(factor,) for factor in factors]
        count = 0

        def cost(pair: tuple[tuple[Any, ...], tuple[Any, ...]]) -> int:
            joined = (*pair[0], *pair[1])
            return 0 if self._key(*joined) in self.known else self.rounds(self.indices(*joined))

        while len(groups) > 1:
            pairs = [(a, b) for n, a in enumerate(groups) for b in groups[n + 1 :]]
            cheapest = min(pairs, key=cost)
            count += cost(cheapest)
            groups = [group for group in groups if not any(group is part for part in cheapest)]
            groups.append((*cheapest[0], *cheapest[1]))
            self._seen(*groups[-1])
        return Operations(multiplications=count)


def _symbols(part: Any) -> Iterator[Any]:
    """Yield the indices in an expression, those of array elements too."""
    if isinstance(part, Access):
        for index in part.indices:
            yield from _symbols(index)
    elif isinstance(part, sympy.Symbol):
        yield part
    else:
        for argument in part.args:
            yield from _symbols(argument)


def _renamed(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, Access):
        return Access(value.array, *(_renamed(index, old, new) for index in value.indices))
    if value == old:
        return new
    return value.func(*(_renamed(a, old, new) for a in value.args)) if value.args else value


def _has_delta(term: Any) -> bool:
    return any(isinstance(factor, KroneckerDelta) for factor in sympy.Mul.make_args(term))


def _is_below(factor: Any) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp.is_Integer and bool(factor.exp.is_negative)

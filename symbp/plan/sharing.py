"""A pass: no exponential (logarithm, tanh, root, ...) is evaluated twice for one element.

A call that several statements make, that one statement makes more than once, or that stands
in a loop which does not move it, is computed once into an array of its own; so are the
operations around it as far as all its users have them in common. What the forward pass has
evaluated is kept for the way back: with o = z/(1 + exp(-z)) that is 1/(1 + exp(-z)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, Symbol

from symbp.algebra.marks import First, Raised
from symbp.plan.program import (
    ROWS,
    Access,
    Array,
    Extent,
    Loop,
    Map,
    Origin,
    Program,
    Reduce,
    Statement,
)

# Functions that cost no more than an addition.
_CHEAP = (sympy.Abs, sympy.sign, sympy.Piecewise, sympy.KroneckerDelta, First, Raised)
# They run over the flat vector of weights, which has no room for arrays beside it.
LEFT_ALONE = ("update", "penalty")
# A power of an exponential up to which multiplications are cheaper than another one, and as accurate.
_POWERS = 4
# The kernels that run after another one on the same samples find its arrays.
_AFTER_SENSITIVITIES = ("sensitivities", "gradient", "input_gradient")


def share_functions(program: Program) -> Program:
    """Return the program with every repeated call in an array."""
    pass_ = _Sharing(_with_powers(_with_values(program, _with_roots)))
    # The outermost calls first: what stands inside one is then shared with the rest.
    keys = sorted(pass_.sites, key=lambda key: (-key.count_ops(), sympy.default_sort_key(key)))
    for key in keys:
        pass_.share(key)
    return _with_values(
        pass_.program(), lambda value: value.replace(sqrt, sympy.sqrt).replace(exp, sympy.exp)
    )


@dataclass(eq=False)
class _Site:
    """A statement of a kernel, which this pass may change."""

    kernel: str
    statement: Statement


class _Sharing:
    def __init__(self, program: Program) -> None:
        self.original = program
        self.kernels = {
            kernel.name: [_Site(kernel.name, statement) for statement in kernel.statements]
            for kernel in program.kernels
        }
        self.sample_loops = {kernel.name: kernel.sample_loop for kernel in program.kernels}
        self.arrays = {kernel.name: {a.name: a for a in kernel.arrays} for kernel in program.kernels}
        self.writers: dict[tuple[str, str], int] = {}
        self.sites: dict[Expr, list[_Site]] = {}
        for site in (site for sites in self.kernels.values() for site in sites):
            target = (site.kernel, site.statement.target.array)
            self.writers[target] = self.writers.get(target, 0) + 1
            if site.kernel not in LEFT_ALONE:
                self._note(site)

    def program(self) -> Program:
        return replace(
            self.original,
            kernels=tuple(
                replace(
                    kernel,
                    arrays=tuple(self.arrays[kernel.name].values()),
                    statements=tuple(site.statement for site in self.kernels[kernel.name]),
                )
                for kernel in self.original.kernels
            ),
        )

    def _note(self, site: _Site) -> None:
        for call in sorted(calls(site.statement.value), key=sympy.default_sort_key):
            key = canonical(call)
            known = self.sites.setdefault(key, [])
            if site not in known:
                known.append(site)

    # One call ------------------------------------------------------------------------------

    def share(self, key: Expr) -> None:
        """Share one call among the kernels that find what the first of them has computed."""
        users = [site for site in self.sites[key] if self._uses(site, key)]
        users.sort(key=self._position)
        used = {site.kernel for site in users}
        first = self.original.kernels[0].name
        if first in used:
            groups = [tuple(self.kernels)]
        else:
            after = _AFTER_SENSITIVITIES if _AFTER_SENSITIVITIES[0] in used else ()
            groups = [after, *((kernel,) for kernel in self.kernels if kernel not in after)]
        for group in groups:
            self._share_among(key, [site for site in users if site.kernel in group])

    def _position(self, site: _Site) -> tuple[int, int]:
        return list(self.kernels).index(site.kernel), self.kernels[site.kernel].index(site)

    def _uses(self, site: _Site, key: Expr) -> bool:
        return any(canonical(call) == key for call in calls(site.statement.value))

    def _share_among(self, key: Expr, users: list[_Site]) -> None:
        if not users or not any(True for _ in key.atoms(Access)):
            return
        evaluations = sum(len(list(_occurrences(site.statement.value, key))) for site in users)
        if evaluations < 2 and not any(self._in_wider_loop(site, key) for site in users):
            return
        if any(self._changes(site, key) for site in users):
            return
        part = _grown(key, [site.statement.value for site in users])
        home = users[0]
        if isinstance(home.statement, Map) and canonical(home.statement.value) == part:
            access = home.statement.target  # the statement's own result is what the others want
            for site in users[1:]:
                self.arrays[site.kernel].setdefault(access.array, self.arrays[home.kernel][access.array])
            self._replace(part, users[1:], access, _indices(home.statement.value))
            return
        self._materialise(part, users)

    def _in_wider_loop(self, site: _Site, key: Expr) -> bool:
        """Whether the call stands in a loop that does not move it, and is made again in each turn."""
        call = next(c for c in calls(site.statement.value) if canonical(c) == key)
        return any(loop.index not in _indices(call) for loop in _loops(site.statement))

    def _changes(self, site: _Site, key: Expr) -> bool:
        """Whether what the call reads is written more than once, so that two calls may differ."""
        return any(self.writers.get((site.kernel, a.array), 0) > 1 for a in key.atoms(Access))

    def _materialise(self, part: Expr, users: list[_Site]) -> None:
        """Compute the part into an array before its first use, and read that everywhere."""
        home = users[0]
        own = next(e for e in sympy.preorder_traversal(home.statement.value) if canonical(e) == part)
        sample = self.sample_loops[home.kernel]
        extents = {loop.index: loop.extent for loop in _loops(home.statement)}
        indices = [x for x in _indices(own) if sample is None or x != sample.index]
        indices.sort(key=lambda x: extents[x] != ROWS)  # samples first, as in every array
        axes: tuple[Extent, ...] = tuple(extents[x] for x in indices)
        name = self._name(part)
        array = Array(name, axes, "work" if axes else "local")
        for kernel in {site.kernel: None for site in users}:
            self.arrays[kernel][name] = array
        access = Access(name, *indices)
        origin = home.statement.origin
        shared = Origin(origin.label, f"evaluated once, as {name}", origin.put_in)
        new = _Site(home.kernel, Map(access, tuple(Loop(x, extents[x]) for x in indices), own, shared))
        place = self.kernels[home.kernel].index(home)
        self._replace(part, users, access, _indices(own))
        self.kernels[home.kernel].insert(place, new)
        self.writers[home.kernel, name] = 1
        self._note(new)

    def _replace(self, part: Expr, users: list[_Site], access: Access, indices: list[Any]) -> None:
        for site in users:
            value = site.statement.value
            for found in _occurrences(value, part):
                there = dict(zip(indices, _indices(found), strict=True))
                value = value.xreplace({found: access.xreplace(there)})
            site.statement = replace(site.statement, value=value)

    def _name(self, part: Expr) -> str:
        """Return a name that tells the function and the array: exp_C1."""
        function = next(e for e in sympy.preorder_traversal(part) if _is_call(e))
        array = min(access.array for access in part.atoms(Access))
        taken = {name for arrays in self.arrays.values() for name in arrays}
        base = f"{type(function).__name__}_{array}"
        return next(n for n in (base, *(f"{base}_{x}" for x in range(2, 1000))) if n not in taken)


# Roots and powers --------------------------------------------------------------------------------


class sqrt(sympy.Function):
    """A square root as a call: x^(-1/2), x^(1/2) and x^(3/2) have it in common."""

    nargs = 1
    is_real = True


def _with_roots(value: Expr) -> Expr:
    return value.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2 and not e.base.is_number,
        lambda e: sqrt(e.base) ** (2 * e.exp),
    )


class exp(sympy.Function):
    """An exponential as a call: SymPy writes exp(u)^2 as exp(2u), which would be another one."""

    nargs = 1
    is_real = True


def _with_powers(program: Program) -> Program:
    """Write exp(n u) as exp(u)^n where exp(u) is evaluated too, n = 2, 3, ..."""
    found = {
        canonical(e.args[0])
        for kernel in program.kernels
        if kernel.name not in LEFT_ALONE
        for statement in kernel.statements
        for e in statement.value.atoms(sympy.exp)
    }

    def power(u: Any) -> Expr:
        for n in range(_POWERS, 1, -1):
            if canonical(u / n) in found:
                return exp(u / n) ** n
        return exp(u)

    return _with_values(program, lambda value: value.replace(sympy.exp, power))


def _with_values(program: Program, written: Callable[[Expr], Expr]) -> Program:
    """Return the program with every value that this pass may change written in another way."""
    kernels = (
        kernel
        if kernel.name in LEFT_ALONE
        else replace(kernel, statements=tuple(replace(x, value=written(x.value)) for x in kernel.statements))
        for kernel in program.kernels
    )
    return replace(program, kernels=tuple(kernels))


# Expressions -----------------------------------------------------------------------------------


def _is_call(expr: Any) -> bool:
    return isinstance(expr, sympy.Function) and not isinstance(expr, _CHEAP)


def calls(value: Expr) -> set[Expr]:
    """Return the calls of functions that cost more than an addition, nested ones too."""
    return {e for e in sympy.preorder_traversal(value) if _is_call(e)}


def _indices(expr: Expr) -> list[Any]:
    """Return the indices of the accesses in an expression, in the order in which they stand there."""
    found: dict[Any, None] = {}
    for access in sorted(expr.atoms(Access), key=lambda a: (-len(a.indices), a.array)):
        found.update((x, None) for x in access.indices if not x.is_Integer)
    return list(found)


def canonical(expr: Any) -> Any:
    """Return the expression with its indices numbered, so that two that differ in their names are equal."""
    if not isinstance(expr, Expr):
        return expr
    return expr.xreplace({x: Symbol(f"_{n}", integer=True) for n, x in enumerate(_indices(expr))})


def _occurrences(value: Expr, key: Expr) -> Iterator[Expr]:
    """Yield every place of an expression at which the key stands, repeated ones too."""
    return (e for e in sympy.preorder_traversal(value) if isinstance(e, Expr) and canonical(e) == key)


def _grown(key: Expr, values: list[Expr]) -> Expr:
    """Return the largest part around a call that is the same wherever the call stands."""
    while True:
        parents = {canonical(parent) for value in values for parent in _parents(value, key)}
        if len(parents) != 1:
            return key
        (parent,) = parents
        if not isinstance(parent, Expr) or len(_indices(parent)) != len(_indices(key)):
            return key
        key = parent


def _parents(value: Expr, key: Expr) -> Iterator[Any]:
    """Yield what stands around each occurrence of the key; None where it is the whole value."""
    if canonical(value) == key:
        yield None
    for e in sympy.preorder_traversal(value):
        yield from (e for argument in e.args if isinstance(argument, Expr) and canonical(argument) == key)


def _loops(statement: Statement) -> tuple[Loop, ...]:
    return (*statement.loops, *(statement.over if isinstance(statement, Reduce) else ()))

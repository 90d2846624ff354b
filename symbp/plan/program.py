"""The kernel program: what the plan hands to the printer.

A program is a few kernels; a kernel is a straight list of statements, each of which fills
one array by a loop nest. The language has maps, and over an index sums, maxima and sums without a
largest term; nothing else: no conditions but those inside a value, no calls, no recursion, no aliasing,
and every extent is a literal except ``ROWS``, the number of samples of one call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from sympy import Expr, Tuple

from symbp.plan.access import Access as Access
from symbp.plan.access import elements
from symbp.plan.layer import Layer as Layer

ROWS: Literal["rows"] = "rows"
Extent = int | Literal["rows"]
Operation = Literal["sum", "max", "rest"]  # a rest: sum - max of numbers >= 0, with nothing taken off


@dataclass(frozen=True)
class Array:
    """An array of a kernel.

    Attributes
    ----------
    name : str
    axes : tuple
        The extent of each axis; () for a scalar.
    role : str
        ``weights`` and ``gradient`` are views of the flat vectors, ``data`` is read through
        the permutation of rows, ``work`` belongs to the workspace, ``local`` is private to
        one kernel, ``result`` is what the kernel is for; ``by_sample`` is a result, too, with
        one row for each sample of the whole call. In the update, ``flat`` vectors hold
        all weights or gradients, ``state`` is one that an update rule keeps; a ``scalar`` is a
        number in double precision, a ``factor`` one in the type of the weights; an
        ``argument`` is a number that is given. ``register`` lives as long as the statement that
        fills it and is never stored.
    offset : int
        For weights, gradient and Jacobian blocks: where the layer begins in the flat vector.
    """

    name: str
    axes: tuple[Extent, ...]
    role: Literal[
        "weights",
        "gradient",
        "data",
        "work",
        "local",
        "result",
        "by_sample",
        "flat",
        "state",
        "scalar",
        "factor",
        "argument",
        "register",
    ]
    offset: int = 0


@dataclass(frozen=True)
class Loop:
    """An index and how far it runs, from 0."""

    index: Any
    extent: Extent


@dataclass(frozen=True)
class Origin:
    """Which equation a statement computes.

    Attributes
    ----------
    label : str
    formula : sympy.Eq or str
    put_in : tuple of Origin
        The definitions of parameters whose numbers were put into it.
    """

    label: str
    formula: Any
    put_in: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class Map:
    """target[loops] = value, element by element.

    Attributes
    ----------
    flat : bool
        Chosen by a pass: target and reads are the same element of work arrays of the same
        axes, so that one loop over all elements, which lie side by side, may do.
    copies : bool
        Chosen by a pass: the value is an element of another array, and many are moved at once.
    width : int
        Chosen by a pass: so many elements of a row are a vector; 0 for one at a time.
    """

    target: Access
    loops: tuple[Loop, ...]
    value: Expr
    origin: Origin
    flat: bool = False
    copies: bool = False
    width: int = 0

    def accesses(self) -> set[Access]:
        """Return all array elements that the statement reads or writes."""
        return {self.target, *elements(self.value)}


@dataclass(frozen=True)
class Tile:
    """How a contraction runs over blocks of its target that stay in vector registers.

    ``target[a, b] = sum over c of A[a, c] * B[c, b]``: a row of the block lies along b, where
    the target and B are side by side; A is read one number at a time.

    Attributes
    ----------
    rows : Loop or None
        The loop over a; None if the target has one row.
    columns : Loop
        The loop over b.
    height : int
        Rows of a block.
    widths : tuple of int
        Columns of the blocks, the first to the last; they add up to the loop over b.
    lanes : int
        Numbers in a register.
    chains : int
        Sums that each element is divided into, so that a product need not wait for the one before.
    """

    rows: Loop | None
    columns: Loop
    height: int
    widths: tuple[int, ...]
    lanes: int
    chains: int = 1


@dataclass(frozen=True)
class Reduce:
    """target[loops] = initial + sum of value over `over`; or the maximum, or the rest.

    Attributes
    ----------
    accumulate : bool
        The sum is added to what the target holds: a sum over samples that other calls continue.
    inner : Loop or None
        Chosen by the schedule: the target's loop that runs innermost, outside of which the
        sum runs; None keeps the sum in a register.
    tile : Tile or None
        Chosen by the schedule in place of `inner`: blocks of the target in vector registers.
    width : int
        Chosen by a pass: so many terms of a row are a vector; 0 for one at a time.
    """

    target: Access
    loops: tuple[Loop, ...]
    over: tuple[Loop, ...]
    value: Expr
    operation: Operation
    initial: Expr | None
    accumulate: bool
    origin: Origin
    inner: Loop | None = None
    tile: Tile | None = None
    width: int = 0

    def accesses(self) -> set[Access]:
        """Return all array elements that the statement reads or writes."""
        return {self.target, *elements(self.value), *(elements(self.initial) if self.initial else ())}

    @property
    def is_contraction(self) -> bool:
        """Whether the value is a product of array elements and nothing else."""
        return self.operation == "sum" and all(isinstance(f, Access) for f in self.value.as_ordered_factors())


@dataclass(frozen=True)
class Sweep:
    """One loop nest with several assignments in it, in this order for each element.

    Attributes
    ----------
    loops : tuple of Loop
    parts : tuple of Map
        Targets without indices are numbers of one element only.
    """

    loops: tuple[Loop, ...]
    parts: tuple[Map, ...]

    @property
    def target(self) -> Access:
        """What the whole loop is for: the target of the last part."""
        return self.parts[-1].target

    @property
    def value(self) -> Any:
        """All values together."""
        return Tuple(*(part.value for part in self.parts))

    @property
    def origin(self) -> Origin:
        """The equations of all parts, in order."""
        first, *rest = (part.origin for part in self.parts)
        return Origin(first.label, first.formula, (*first.put_in, *rest))

    def accesses(self) -> set[Access]:
        """Return all array elements that the statement reads or writes."""
        return set().union(*(part.accesses() for part in self.parts))


@dataclass(frozen=True)
class Fused:
    """A contraction, and what becomes of each element while it is in a register.

    Attributes
    ----------
    reduce : Reduce
    parts : tuple of Map
        In this order, over the loops of the contraction's target.
    update : tuple of Map
        After them: the update rule, the same for every layer.
    """

    reduce: Reduce
    parts: tuple[Map, ...]
    update: tuple[Map, ...] = ()

    @property
    def steps(self) -> tuple[Reduce | Map, ...]:
        """All statements in the order in which they are carried out."""
        return (self.reduce, *self.parts, *self.update)

    @property
    def loops(self) -> tuple[Loop, ...]:
        return self.reduce.loops

    @property
    def target(self) -> Access:
        """What the whole statement is for: the target of the last part."""
        return self.steps[-1].target

    @property
    def value(self) -> Any:
        """All values together."""
        return Tuple(*(step.value for step in self.steps))

    @property
    def origin(self) -> Origin:
        """The equations of all steps but the update, in order."""
        steps: tuple[Reduce | Map, ...] = (self.reduce, *self.parts)
        first, *rest = dict.fromkeys(step.origin for step in steps)
        return Origin(first.label, first.formula, (*first.put_in, *rest))

    def accesses(self) -> set[Access]:
        """Return all array elements that the statement reads or writes."""
        return set().union(*(step.accesses() for step in self.steps))


@dataclass(frozen=True)
class Abreast:
    """Statements over the samples of a batch, in this order for as many samples at once as there are lanes.

    Or for one after the other, which then has the same number in every lane.

    Attributes
    ----------
    parts : tuple of Map and Reduce
        Over samples, and over the same few outputs: maps, sums and maxima over the outputs, and
        sums over everything.
    lanes : int
        Samples at once: numbers in a register, or 1.
    """

    parts: tuple[Map | Reduce, ...]
    lanes: int

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loop over the samples."""
        first = self.parts[0]
        loops = (*first.loops, *(first.over if isinstance(first, Reduce) else ()))
        return tuple(loop for loop in loops if loop.extent == ROWS)

    @property
    def target(self) -> Access:
        """What the whole statement is for: the target of the last part."""
        return self.parts[-1].target

    @property
    def value(self) -> Any:
        """All values together."""
        return Tuple(*(part.value for part in self.parts))

    @property
    def origin(self) -> Origin:
        """The equations of all parts, in order."""
        first, *rest = dict.fromkeys(part.origin for part in self.parts)
        return Origin(first.label, first.formula, (*first.put_in, *rest))

    def accesses(self) -> set[Access]:
        """Return all array elements that the statement reads or writes."""
        return set().union(*(part.accesses() for part in self.parts))


Statement = Map | Reduce | Sweep | Fused | Abreast


def parts_of(statement: Statement) -> tuple[Map | Reduce, ...]:
    """Return the single assignments of a statement, in order."""
    if isinstance(statement, (Sweep, Abreast)):
        return statement.parts
    return statement.steps if isinstance(statement, Fused) else (statement,)


def equations_of(statement: Statement) -> tuple[Map | Reduce | Sweep, ...]:
    """Return a statement, or the parts of a fused one, by the equations they compute; without the update."""
    if isinstance(statement, Abreast):
        return statement.parts
    return (statement.reduce, *statement.parts) if isinstance(statement, Fused) else (statement,)


def with_origin(statement: Statement, origin: Origin) -> Statement:
    """Return the statement as one of another equation; all its parts, too."""
    if isinstance(statement, (Sweep, Abreast)):
        parts = tuple(replace(part, origin=origin) for part in statement.parts)
        return replace(statement, parts=parts)  # type: ignore[arg-type]
    if isinstance(statement, Fused):
        reduce, *rest = (replace(step, origin=origin) for step in statement.steps)
        count = len(statement.parts)
        assert isinstance(reduce, Reduce)
        return Fused(reduce, tuple(rest[:count]), tuple(rest[count:]))  # type: ignore[arg-type]
    return replace(statement, origin=origin)


@dataclass(frozen=True)
class Kernel:
    """A list of statements that compute one thing.

    Attributes
    ----------
    name : str
    arrays : tuple of Array
        All arrays that the statements name.
    statements : tuple of Statement
    sample_loop : Loop or None
        Where given, all statements run inside this loop over the samples.
    """

    name: str
    arrays: tuple[Array, ...]
    statements: tuple[Statement, ...]
    sample_loop: Loop | None = None

    def array(self, name: str) -> Array:
        return next(a for a in self.arrays if a.name == name)


@dataclass(frozen=True)
class Program:
    """Everything the printer needs of a network.

    Attributes
    ----------
    name : str
    layers : tuple of Layer
    kernels : tuple of Kernel
        forward, sensitivities, gradient, jacobian, input_gradient, input_jacobian; penalty and
        rate where they are stated; update; pack, measure, descend and unpack where the step of
        training is fused. A kernel may read what those before it have left in work arrays.
    """

    name: str
    layers: tuple[Layer, ...]
    kernels: tuple[Kernel, ...]

    @property
    def n_params(self) -> int:
        return sum(layer.rows * layer.columns for layer in self.layers)

    def kernel(self, name: str) -> Kernel:
        return next(kernel for kernel in self.kernels if kernel.name == name)

    @property
    def workspace(self) -> tuple[Array, ...]:
        """The work arrays of all kernels, each once, in the order of first use."""
        arrays = (array for kernel in self.kernels for array in kernel.arrays if array.role == "work")
        return tuple({array.name: array for array in arrays}.values())

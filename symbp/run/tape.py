"""Reverse-mode automatic differentiation of NumPy code: a tape.

The tape is an oracle. It knows the elementary operations of calculus, one line each, and
nothing of layers, activations or costs; whatever NumPy code runs on a :class:`Variable`
is recorded operation by operation and walked backwards.

Griewank, Walther: Evaluating Derivatives, 2nd ed. (2008), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from symbp.run.evaluate import real_erf

Array = NDArray[np.float64]
# (adjoint of the result, result, operands) -> adjoint of one operand
Rule = Callable[..., Any]

# One rule per operand. g is the adjoint of the result, v the result, a and b the operands.
RULES: dict[np.ufunc, tuple[Rule, ...]] = {
    np.add: (lambda g, v, a, b: g, lambda g, v, a, b: g),
    np.subtract: (lambda g, v, a, b: g, lambda g, v, a, b: -g),
    np.multiply: (lambda g, v, a, b: g * b, lambda g, v, a, b: g * a),
    np.true_divide: (lambda g, v, a, b: g / b, lambda g, v, a, b: -g * v / b),
    np.power: (lambda g, v, a, b: g * b * a ** (b - 1),),  # the exponent is a constant
    np.matmul: (lambda g, v, a, b: g @ b.T, lambda g, v, a, b: a.T @ g),  # of two matrices
    np.negative: (lambda g, v, a: -g,),
    np.exp: (lambda g, v, a: g * v,),
    np.expm1: (lambda g, v, a: g * (v + 1),),
    np.log: (lambda g, v, a: g / a,),
    np.log1p: (lambda g, v, a: g / (1 + a),),
    np.sinh: (lambda g, v, a: g * np.cosh(a),),
    np.cosh: (lambda g, v, a: g * np.sinh(a),),
    real_erf: (lambda g, v, a: g * 2 / math.sqrt(math.pi) * np.exp(-a * a),),
    np.sqrt: (lambda g, v, a: g / (2 * v),),
    np.sin: (lambda g, v, a: g * np.cos(a),),
    np.cos: (lambda g, v, a: -g * np.sin(a),),
    np.arctan: (lambda g, v, a: g / (1 + a * a),),
}


class Variable(NDArrayOperatorsMixin):
    """An array whose way from the tape's inputs is recorded.

    The mixin turns ``+ - * / ** @`` into NumPy's functions, and those come to ``__array_ufunc__``.

    Attributes
    ----------
    value : ndarray
        The value; float64.
    tape : list of Variable
        Everything recorded so far, in order of computation.
    parents : tuple of (Variable, callable)
        What the value was computed from; the callable takes the adjoint of this variable
        to its contribution to the parent's.
    """

    def __init__(
        self,
        value: Any,
        tape: list[Variable] | None = None,
        parents: tuple[tuple[Variable, Rule], ...] = (),
    ) -> None:
        self.value: Array = np.asarray(value, dtype=np.float64)
        self.tape = [] if tape is None else tape
        self.parents = parents
        self.tape.append(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    # Structure: the adjoint goes back where the entries came from ------------------------

    @property
    def T(self) -> Variable:
        return self._record(self.value.T, lambda g: g.T)

    def reshape(self, *shape: int) -> Variable:
        return self._record(self.value.reshape(*shape), lambda g: g.reshape(self.shape))

    def __getitem__(self, key: Any) -> Variable:
        def scatter(g: Array) -> Array:
            into = np.zeros(self.shape)
            np.add.at(into, key, g)
            return into

        return self._record(self.value[key], scatter)

    def passed(self, value: Any, slope: Array) -> Variable:
        """Return a value that depends on this one with the given slope, right or wrong."""
        return self._record(value, lambda g: g * slope)

    def _record(self, value: Any, rule: Rule) -> Variable:
        return Variable(value, self.tape, ((self, rule),))

    # Arithmetic and elementary functions, all through RULES ------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        known = RULES.get(ufunc, ())
        if method != "__call__" or options or any(isinstance(o, Variable) for o in operands[len(known) :]):
            return NotImplemented
        values = [operand.value if isinstance(operand, Variable) else operand for operand in operands]
        if ufunc is np.matmul and any(np.ndim(value) != 2 for value in values):
            return NotImplemented
        result = ufunc(*values)
        parents = []
        for operand, rule in zip(operands, known, strict=False):
            if isinstance(operand, Variable):
                parents.append((operand, _adjoint(rule, operand.shape, result, values)))
        return Variable(result, self.tape, tuple(parents))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[function](*args, **kwargs)


def gradient(of: Variable, wrt: Variable) -> Array:
    """Return the gradient of a scalar with respect to one variable of its tape.

    Parameters
    ----------
    of : Variable, shape ()
    wrt : Variable

    Returns
    -------
    ndarray, float64, the shape of `wrt`

    Raises
    ------
    ValueError
        If `of` is not a scalar.
    """
    if of.shape != ():
        raise ValueError(f"the gradient of a value of shape {of.shape}: expected a scalar")
    adjoints: dict[int, Array] = {id(of): np.ones(())}
    for variable in reversed(of.tape):
        adjoint = adjoints.get(id(variable))
        if adjoint is None or variable is wrt:
            continue
        for parent, rule in variable.parents:
            contribution = rule(adjoint)
            known = adjoints.get(id(parent))
            adjoints[id(parent)] = contribution if known is None else known + contribution
    return adjoints.get(id(wrt), np.zeros(wrt.shape))


def _adjoint(rule: Rule, shape: tuple[int, ...], result: Any, values: list[Any]) -> Rule:
    return lambda g: _sum_to(shape, rule(g, result, *values))


def _sum_to(shape: tuple[int, ...], adjoint: Any) -> Any:
    """Undo broadcasting: an entry used several times receives the sum of the adjoints."""
    adjoint = np.asarray(adjoint)
    if adjoint.shape == shape:
        return adjoint
    adjoint = adjoint.sum(axis=tuple(range(adjoint.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and adjoint.shape[axis] != 1)
    return np.broadcast_to(adjoint.sum(axis=stretched, keepdims=True), shape)


def _sum(x: Variable, axis: int | None = None, keepdims: bool = False) -> Variable:
    def spread(g: Array) -> Array:
        lost = axis is not None and not keepdims
        return np.broadcast_to(np.expand_dims(g, axis) if lost and axis is not None else g, x.shape)

    return x._record(np.sum(x.value, axis=axis, keepdims=keepdims), spread)


def _where(condition: NDArray[np.bool_], yes: Any, no: Any) -> Variable:
    """Each branch receives the adjoint where it was taken, zero elsewhere."""
    branches = [(yes, True), (no, False)]
    values = [branch.value if isinstance(branch, Variable) else branch for branch, _ in branches]
    parents = []
    for branch, taken in branches:
        if isinstance(branch, Variable):
            parents.append((branch, _select(condition, taken, branch.shape)))
    tape = next(branch.tape for branch, _ in branches if isinstance(branch, Variable))
    return Variable(np.where(condition, *values), tape, tuple(parents))


def _select(condition: NDArray[np.bool_], taken: bool, shape: tuple[int, ...]) -> Rule:
    return lambda g: _sum_to(shape, np.where(condition == taken, g, 0.0))


def _value(x: Variable) -> Array:
    """np.real of a variable: its value, a constant to the tape; it decides branches."""
    return x.value


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _sum,
    np.where: _where,
    np.real: _value,
    np.iscomplexobj: lambda x: False,
}

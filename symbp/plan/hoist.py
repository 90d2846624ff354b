"""A pass over the update: what is the same for every weight is computed once, before the loop.

Such numbers (1/(1 - beta^t), say) are computed in double precision and rounded once, to the
type of the weights; so the loop holds numbers of one type only, and vectorises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Add, Expr, Mul, Piecewise, Pow, S
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom, BooleanFunction

from symbp.algebra.nodes import eta
from symbp.plan.program import Access, Array, Kernel, Map, Origin, Program, Statement, Sweep


def hoist(program: Program) -> Program:
    """Take what does not change from weight to weight out of the loops of the update."""
    kernels = tuple(_Hoist(k).kernel() if k.name == "update" else k for k in program.kernels)
    return replace(program, kernels=kernels)


class _Hoist:
    def __init__(self, kernel: Kernel) -> None:
        self.before = kernel
        self.arrays = list(kernel.arrays)
        self.shared: dict[Expr, Access] = {}
        self.statements: list[Statement] = []

    def kernel(self) -> Kernel:
        for statement in self.before.statements:
            if isinstance(statement, Sweep):
                parts = tuple(self._part(part) for part in statement.parts)
                self.statements.append(replace(statement, parts=parts))
            elif isinstance(statement, Map) and statement.loops:
                self.statements.append(self._part(statement))
            else:
                self.statements.append(statement)
        return replace(self.before, arrays=tuple(self.arrays), statements=tuple(self.statements))

    def _part(self, part: Map) -> Map:
        return replace(part, value=self._varying(part.value, part.origin))

    def _varying(self, expr: Any, origin: Origin) -> Any:
        """Return the expression with every part that all weights share replaced by a name."""
        if isinstance(expr, BooleanAtom):
            return expr
        if self._is_shared(expr) and not isinstance(
            expr, (Relational, BooleanFunction)
        ):  # of a condition, its sides are named
            return self._name(expr, origin)
        if isinstance(expr, (Add, Mul)):
            shared = expr.func(*(a for a in expr.args if self._is_shared(a)))
            rest = [self._varying(a, origin) for a in expr.args if not self._is_shared(a)]
            return expr.func(self._name(shared, origin), *rest)
        if isinstance(expr, Pow) and expr.exp.is_Rational:
            return self._varying(expr.base, origin) ** expr.exp
        if isinstance(expr, Access):
            return expr
        if isinstance(expr, Piecewise):
            branches = [(self._varying(v, origin), self._varying(c, origin)) for v, c in expr.args]
            return Piecewise(*branches)
        return expr.func(*(self._varying(a, origin) for a in expr.args))

    def _is_shared(self, expr: Any) -> bool:
        roles = {a.array: self._role(a) for a in expr.atoms(Access)}
        return all(role == "factor" for role in roles.values())

    def _role(self, access: Access) -> str:
        return next(a.role for a in self.arrays if a.name == access.array)

    def _name(self, shared: Expr, origin: Origin) -> Expr:
        """Return a name for what is shared, unless it is as short as a name: a number, the rate."""
        sign, bare = shared.as_coeff_Mul()
        if shared.is_number or isinstance(shared, Access):
            return shared
        if bare in (S.One, eta) or isinstance(bare, Access):
            if sign in (S.One, S.NegativeOne):
                return shared
        elif sign is S.NegativeOne:
            return -self._name(bare, origin)
        if shared not in self.shared:
            access = Access(f"factor_{len(self.shared) + 1}")
            self.shared[shared] = access
            self.arrays.append(Array(access.array, (), "factor"))
            where = Origin(origin.label, "the same for every weight")
            self.statements.append(Map(access, (), shared, where))
        return self.shared[shared]

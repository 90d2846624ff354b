"""One element of an array, as an expression."""

from __future__ import annotations

from typing import Any

from sympy import Expr, sympify
from sympy.core.symbol import Str


class Access(Expr):
    """One element of an array: ``Access("C1", p, r)``; indices count from 0."""

    is_commutative = True
    is_real = True
    is_symbol = True

    def __new__(cls, array: Any, *indices: Any) -> Access:
        access: Access = Expr.__new__(cls, Str(str(array)), *map(sympify, indices))
        return access

    @property
    def name(self) -> str:
        """A name, which SymPy expects of everything among the free symbols."""
        return str(self)

    @property
    def array(self) -> str:
        return str(self.args[0].name)

    @property
    def indices(self) -> tuple[Any, ...]:
        return tuple(self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        return f"{self.array}[{', '.join(printer._print(x) for x in self.indices)}]"

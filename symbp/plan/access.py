"""One element of an array, as an expression."""

from __future__ import annotations

import functools
from typing import Any

from sympy import Dummy, Expr, sympify
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

    # Accesses are sorted by their text in many places, and SymPy makes a printer for each.
    @functools.cached_property
    def _text(self) -> str:
        return f"{self.array}[{', '.join(map(str, self.indices))}]"

    def __str__(self) -> str:
        return self._text

    def _sympystr(self, printer: Any) -> str:
        return f"{self.array}[{', '.join(printer._print(x) for x in self.indices)}]"


# Every pass asks this of every statement, and most statements stay as they are.
@functools.lru_cache(maxsize=10_000)
def elements(value: Any) -> frozenset[Access]:
    """Return the array elements in an expression."""
    return frozenset(value.atoms(Access))


@functools.lru_cache(maxsize=10_000)
def letters(value: Any) -> frozenset[Any]:
    """Return the free symbols of an expression, those inside of array elements too."""
    return frozenset(value.free_symbols)


@functools.lru_cache(maxsize=10_000)
def letters_outside(value: Any) -> frozenset[Any]:
    """Return the free symbols that stand outside of array elements."""
    return letters(value.xreplace({access: Dummy() for access in elements(value)}))

"""One formula -> one node for each operation in it; equal parts become one node."""

from __future__ import annotations

from typing import Any

import sympy


class Splitter:
    """Takes an expression apart from the leaves up.

    Parameters
    ----------
    taken : set of str
        Names that the new nodes must not have.
    """

    def __init__(self, taken: set[str]) -> None:
        self.nodes: dict[str, Any] = {}
        self._taken = taken
        self._known: dict[Any, Any] = {}
        self._formulas: dict[Any, Any] = {}

    def split(self, expr: Any) -> dict[str, Any]:
        """Return name -> formula in the names of operands; the last one is the whole."""
        whole = self.operand(expr)
        last = self._fresh("y", "out")
        if whole.name in self.nodes:
            self.nodes[last] = self.nodes.pop(whole.name)
        else:
            self.nodes[last] = whole  # the expression is a name by itself
        return self.nodes

    def operand(self, expr: Any) -> Any:
        """Return the symbol that stands for an expression, after making its node."""
        if expr.is_Symbol:
            return expr
        if expr not in self._known:
            self._known[expr] = self.named(self._formula(expr))
        return self._known[expr]

    def named(self, formula: Any) -> Any:
        """Return the symbol of the node with a formula: the same for the same one."""
        if formula not in self._formulas:
            name = self._fresh(f"u{len(self.nodes) + 1}")
            self._formulas[formula] = sympy.Symbol(name, real=True)
            self.nodes[name] = formula
        return self._formulas[formula]

    def _formula(self, expr: Any) -> Any:
        """Return the last operation of an expression, in its operands; numbers stay in the formula."""
        if isinstance(expr, sympy.Add):
            return sympy.Add(*map(self._term, expr.args))
        if isinstance(expr, sympy.Mul):
            return sympy.Mul(*map(self._factor, expr.args))
        if isinstance(expr, sympy.Piecewise):
            return expr
        return expr.func(*(a if a.is_number else self.operand(a) for a in expr.args))

    def _term(self, term: Any) -> Any:
        if term.is_number:
            return term
        coefficient, rest = term.as_coeff_Mul()
        return coefficient * self.operand(rest)

    def _factor(self, factor: Any) -> Any:
        if factor.is_number:
            return factor
        if isinstance(factor, sympy.Pow) and factor.exp == -1:
            return 1 / self.operand(factor.base)
        return self.operand(factor)

    def _fresh(self, *wishes: str) -> str:
        for wish in wishes:
            if wish not in self._taken:
                return wish
        return self._fresh(*(f"{wish}_" for wish in wishes))

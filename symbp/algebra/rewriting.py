"""Replacing parts of expressions by their kind, in one walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Eq

Rewrite = Callable[[Any], Any]


def rewritten(expr: Any, rewrites: Mapping[type, Rewrite]) -> Any:
    """Return the expression with every part of some kinds written in another way, inner parts first.

    What ``expr.replace`` does, but several kinds at once and without its stand-ins: those are put in
    for every part and taken out one after the other, which took most of the time of a derivation.

    Parameters
    ----------
    expr : sympy.Basic
        Equations in it stay equations: SymPy decides none of them.
    rewrites : dict
        Class -> function of a part of exactly this class, its arguments rewritten already.
    """

    def walk(part: Any) -> Any:
        if part.args:
            arguments = tuple(map(walk, part.args))
            if any(new is not old for new, old in zip(arguments, part.args, strict=True)):
                more = {"evaluate": False} if type(part) is Eq else {}
                part = part.func(*arguments, **more)
        rewrite = rewrites.get(type(part))
        return part if rewrite is None else rewrite(part)

    return walk(expr)

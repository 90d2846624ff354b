"""What of a kernel nobody reads, and need not be computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symbp.plan.access import elements
from symbp.plan.program import Reduce, Statement, parts_of


def needed(statements: Sequence[Statement], wanted: Iterable[str]) -> list[Statement]:
    """Return the statements without those whose target is neither wanted nor read by one that is needed.

    Parameters
    ----------
    statements : sequence of Statement
        In the order in which they are carried out.
    wanted : iterable of str
        Names of the arrays that are read afterwards.
    """
    read, kept = set(wanted), list[Statement]()
    for statement in reversed(statements):
        if statement.target.array in read:
            kept.append(statement)
            read |= reads(statement)
    return kept[::-1]


def reads(statement: Statement) -> set[str]:
    """Return the names of the arrays that a statement reads."""
    found: set[str] = set()
    for part in parts_of(statement):
        found |= {access.array for access in elements(part.value)}
        if isinstance(part, Reduce) and part.initial is not None:
            found |= {access.array for access in elements(part.initial)}
    return found

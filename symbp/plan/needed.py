"""What of a kernel nobody reads, and need not be computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symbp.plan.fusing import reads
from symbp.plan.program import Statement, parts_of


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
            read |= names_read(statement)
    return kept[::-1]


def names_read(statement: Statement) -> set[str]:
    """Return the names of the arrays that a statement, or a part of it, reads."""
    return {access.array for part in parts_of(statement) for access in reads(part)}

"""The oracles: independent ways of telling whether a step is true.

types, induction
    The statement itself: shapes, indices, base and step.
jets
    SymPy's own derivative of a small composed network of unspecified functions, compared
    as polynomials: a proof for that shape and any functions.
field
    The same at the network's own sizes, with random numbers of a large prime field.
mpmath
    The network's real functions at 40 digits, against central differences.
record
    A definition says what the record of the function states.
put in
    An equation with functions put in has the value of the one without.
kink
    g' has the value that the branch at a kink declares.
rewriting
    A stable form equals what it replaces, as a rational function of exponentials in each branch.
descent
    For the update: a learning rate of 0 changes nothing, a small one lowers the cost.
"""

from __future__ import annotations

from symbp.derivation.records import Check, Derivation

__all__ = ["check_all"]


def check_all(derivation: Derivation) -> dict[str, tuple[Check, ...]]:
    """Ask every oracle about every step.

    Returns
    -------
    dict
        Label -> the checks of that step.
    """
    # The panel reads the rules that it checks, and these measure formulas with its numbers.
    from symbp.derivation.oracles.panel import Panel

    panel = Panel(derivation)
    return {step.label: panel.checks(step) for step in derivation.steps}

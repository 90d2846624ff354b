"""How printed pieces are put together: scripts, products, brackets, lists.

What stands here is right for formats that are a line of characters (LaTeX, text); a format
of nested elements (MathML) overrides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbp.notation.scripts import braced, compact, scripted, together


@dataclass(frozen=True)
class Relation:
    """An equation in print, its right side still in terms so that a page can break it.

    Attributes
    ----------
    left, sign : str
    terms : tuple of str
        The terms of the right side; all but the first begin with their sign.
    """

    left: str
    sign: str
    terms: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.left, self.sign, *self.terms))


class Layout:
    """Joins what is printed to something larger that is printed."""

    minus: ClassVar[str] = "-"

    def number(self, digits: str) -> str:
        """Return a number without a sign."""
        return digits

    def word(self, text: str) -> str:
        """Return a word that stands between two formulas."""
        return f" {text} "

    def scripted(self, letter: str, sub: Sequence[str], sup: Sequence[str]) -> str:
        """Return a letter with its scripts; empty ones are left out."""
        return scripted(letter, sub, sup)

    def together(self, indices: Sequence[str]) -> str:
        """Join indices: ij, but r,65."""
        return together(indices)

    def raised(self, base: str, exponent: str) -> str:
        """Return a power, or a transpose."""
        return f"{base}^{braced(exponent)}"

    def is_raised(self, printed: str) -> bool:
        """Return whether a superscript stands there already."""
        return "^" in printed

    def small(self, printed: str) -> str:
        """Return what is printed as it stands in a script: no spaces around signs."""
        return compact(printed)

    def enclosed(self, before: str, inner: str, after: str) -> str:
        """Put signs before and after; either may be empty."""
        return f"{before}{inner}{after}"

    def beside(self, factors: Sequence[str]) -> str:
        """Join the factors of a product."""
        return " ".join(factors)

    def applied(self, function: str, argument: str) -> str:
        """Return a function with its argument in brackets."""
        return f"{function}{argument}"

    def listed(self, items: Sequence[str]) -> str:
        """Join items by commas."""
        return ", ".join(items)

    def added(self, printed: str) -> str:
        """Return a term that follows another."""
        return f"+ {printed}"

    def subtracted(self, printed: str) -> str:
        """Return a term that follows another, its sign taken off."""
        return f"- {printed}"

    def negative(self, printed: str) -> str:
        """Put a minus sign in front."""
        return f"{self.minus}{printed}"

    def without_sign(self, printed: str) -> str | None:
        """Return what follows a minus sign, or None if there is none in front."""
        return printed[len(self.minus) :].lstrip() if printed.startswith(self.minus) else None

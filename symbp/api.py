"""The public face of a derivation: it also typesets itself."""

from __future__ import annotations

from symbp.derivation.derive import derive as _derive
from symbp.derivation.records import Derivation as _Derivation
from symbp.functions import UpdateRule
from symbp.network import Network


class Derivation(_Derivation):
    """A derivation that also typesets itself."""

    def latex(self, notation: str = "smatrix") -> str:
        """Return a complete LaTeX article.

        Parameters
        ----------
        notation : str
            A name of :data:`symbp.notation.NOTATIONS`.
        """
        from symbp.render import page

        return page.latex(self, notation)

    def text(self, notation: str = "smatrix") -> str:
        """Return the derivation for the terminal."""
        from symbp.render import page

        return page.text(self, notation)

    def markdown(self, notation: str = "smatrix") -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        from symbp.render import page

        return page.markdown(self, notation)

    def components(self) -> Derivation:
        """Return the derivation of a small network, every index and every sum written out.

        Raises
        ------
        DerivationError
            If there is no network, or if it has too many weights to be read.
        """
        from symbp.derivation.components import components

        return components(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def derive(network: Network | None = None, optimizer: UpdateRule | None = None) -> Derivation:
    """Derive the backpropagation of a network, or of any sequential dense network.

    Parameters
    ----------
    network : Network, optional
        One architecture. Without it the number of layers and all sizes stay symbols.
    optimizer : UpdateRule, optional
        The rule of eq. 2.2; gradient descent if left out.

    Returns
    -------
    Derivation
        Its steps are made but not yet checked: ``prove()`` runs the oracles.
    """
    found = _derive(network, optimizer)
    return Derivation(found.network, found.steps, found.recipe, found.optimizer)

"""The public face of a derivation: it also typesets itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from symbp.derivation.derive import derive as _derive
from symbp.derivation.records import Derivation as _Derivation
from symbp.derivation.records import Step as _Step
from symbp.derivation.stability.report import warn_of_own_functions
from symbp.functions import UpdateRule
from symbp.network import Network


@dataclass(frozen=True)
class Step(_Step):
    """One labelled equation that also shows itself in a notebook.

    Attributes
    ----------
    widths : tuple of int
        (N_0, ..., N_{L+1}) of the network it belongs to; empty without one.
    """

    widths: tuple[int, ...] = ()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from symbp.render.notebook import step_bundle

        return step_bundle(self, self.widths, include, exclude)

    def _repr_latex_(self) -> str:
        from symbp.render.notebook import step_latex

        return step_latex(self, self.widths)


@dataclass(frozen=True)
class Derivation(_Derivation):
    """A derivation that also typesets itself."""

    def __post_init__(self) -> None:
        # Rules make plain steps; those of this class show themselves, however it came about.
        widths = self.network.sizes if self.network else ()
        object.__setattr__(self, "steps", tuple(_shown(step, widths) for step in self.steps))

    def latex(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return a complete LaTeX article.

        Parameters
        ----------
        notation : str
            A name of :data:`symbp.notation.NOTATIONS`.
        translate : str, optional
            Another: the page then has a table from the one to the other.
        """
        from symbp.render import page

        return page.latex(self, notation, translate)

    def html(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return a web page in one file, formulas in MathML; it needs neither network nor scripts."""
        from symbp.render import web

        return web.html(self, notation, translate)

    def text(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return the derivation for the terminal."""
        from symbp.render import page

        return page.text(self, notation, translate)

    def markdown(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        from symbp.render import page

        return page.markdown(self, notation, translate)

    def components(self) -> Derivation:
        """Return the derivation of a small network, every index and every sum written out.

        Raises
        ------
        DerivationError
            If there is no network, or if it has too many weights to be read.
        """
        from symbp.derivation.components import components

        return components(self)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from symbp.render.notebook import derivation_bundle

        return derivation_bundle(self, include, exclude)

    def _repr_latex_(self) -> str:
        from symbp.render.notebook import derivation_latex

        return derivation_latex(self.checked())


def _shown(step: _Step, widths: tuple[int, ...]) -> Step:
    if isinstance(step, Step):
        return step
    return Step(**{field.name: getattr(step, field.name) for field in fields(_Step)}, widths=widths)


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
    if network is not None:
        warn_of_own_functions(network, "float64")
    return Derivation(found.network, found.steps, found.recipe, found.optimizer)
